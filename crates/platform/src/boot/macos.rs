//! `kern.bootsessionuuid`.

use std::{io, ptr::null_mut};

const NAME: &std::ffi::CStr = c"kern.bootsessionuuid";
/// A UUID in its 36 characters, and the NUL.
const BYTES: usize = 37;

#[expect(unsafe_code, reason = "sysctlbyname has no safe wrapper")]
pub(super) fn identity() -> io::Result<String> {
    let mut text = [0_u8; BYTES];
    let mut size = text.len();
    let into = text.as_mut_ptr().cast();
    // SAFETY: `NAME` ends with NUL; `into` is valid for writes of `size` bytes; nothing is set.
    let result = unsafe { libc::sysctlbyname(NAME.as_ptr(), into, &raw mut size, null_mut(), 0) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    let text = std::str::from_utf8(text).unwrap_or_default();
    if text.is_empty() {
        return Err(io::Error::other("the id of the boot is unknown"));
    }
    Ok(text.to_owned())
}
