//! The language of menus and dialogs, which is not the one of dates and numbers.

use windows_sys::Win32::Globalization::{GetUserDefaultUILanguage, LCIDToLocaleName};

/// The longest tag, with its NUL (`LOCALE_NAME_MAX_LENGTH`).
const TAG_MAX: usize = 85;

#[expect(unsafe_code, reason = "GetUserDefaultUILanguage, LCIDToLocaleName")]
pub(super) fn of_desktop() -> String {
    // SAFETY: no memory is involved.
    let language = unsafe { GetUserDefaultUILanguage() };
    let mut tag = [0_u16; TAG_MAX];
    let length = i32::try_from(tag.len()).unwrap_or_default();
    // SAFETY: the buffer is valid for writes of its length.
    let written = unsafe { LCIDToLocaleName(language.into(), tag.as_mut_ptr(), length, 0) };
    // The NUL is counted.
    let letters = usize::try_from(written - 1).unwrap_or_default();
    String::from_utf16_lossy(tag.get(..letters).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_desktop_speaks_a_language_with_a_tag() {
        let tag = of_desktop();
        assert!(tag.len() >= 2 && tag.is_ascii(), "{tag:?}");
    }
}
