//! The identity that a service has in access lists, before the service is there.

use std::{io, ptr::null};

use windows_sys::Win32::{
    Globalization::{LCMAP_UPPERCASE, LCMapStringEx},
    Security::Cryptography::{BCRYPT_SHA1_ALG_HANDLE, BCryptHash},
};

use crate::windows::wide;

/// Returns the identifier of `NT SERVICE\\NAME`.
///
/// It is made of the SHA-1 of the name in upper case, little-endian UTF-16, as five numbers. The
/// hash guards nothing; the system chose it.
#[expect(unsafe_code, reason = "BCryptHash")]
pub fn identity_of(name: &str) -> io::Result<String> {
    let text: Vec<u8> = upper_case(name)?.into_iter().flat_map(u16::to_le_bytes).collect();
    let mut hash = [0_u8; 20];
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let (to, room) = (hash.as_mut_ptr(), 20);
    // SAFETY: the text has `length` bytes, the hash has `room`; there is no key.
    let status =
        unsafe { BCryptHash(BCRYPT_SHA1_ALG_HANDLE, null(), 0, text.as_ptr(), length, to, room) };
    if status < 0 {
        return Err(io::Error::from_raw_os_error(status));
    }
    let numbers = hash.chunks_exact(4).filter_map(<[u8]>::first_chunk);
    let words: Vec<String> = numbers.map(|four| u32::from_le_bytes(*four).to_string()).collect();
    Ok(format!("S-1-5-80-{}", words.join("-")))
}

/// Returns a name in upper case as the system compares names: letter by letter, by the rules of its
/// file systems, so that `ß` stays what it is.
#[expect(unsafe_code, reason = "LCMapStringEx")]
fn upper_case(name: &str) -> io::Result<Vec<u16>> {
    let text = wide(name);
    let from = text.split_last().map_or(text.as_slice(), |(_, letters)| letters);
    if from.is_empty() {
        return Ok(Vec::new());
    }
    let mut upper = vec![0_u16; from.len()];
    let count = i32::try_from(from.len()).unwrap_or(i32::MAX);
    let (invariant, to) = (wide(""), upper.as_mut_ptr());
    // SAFETY: the name of the locale ends with NUL; there are `count` units to read and room for as
    // many; what is reserved is null or 0.
    let done = unsafe {
        let (locale, from) = (invariant.as_ptr(), from.as_ptr());
        LCMapStringEx(locale, LCMAP_UPPERCASE, from, count, to, count, null(), null(), 0)
    };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_the_identity_that_the_system_gives_it() {
        let known = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464";
        assert_eq!(identity_of("TrustedInstaller").unwrap(), known);
        assert_eq!(identity_of("trustedinstaller").unwrap(), known);
    }

    #[test]
    fn a_letter_stays_one_letter_in_upper_case() {
        let upper = |name: &str| String::from_utf16(&upper_case(name).unwrap()).unwrap();
        assert_eq!(upper("Größe"), "GRÖßE");
        assert_eq!(upper("ﬁre-wéb"), "ﬁRE-WÉB");
        assert_eq!(upper("服务"), "服务");
        assert_eq!(upper(""), "");
        assert_ne!(identity_of("Größe").unwrap(), identity_of("GRÖSSE").unwrap());
        assert_eq!(identity_of("größe").unwrap(), identity_of("GRÖßE").unwrap());
    }
}
