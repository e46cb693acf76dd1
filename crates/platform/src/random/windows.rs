//! `BCryptGenRandom`.

use std::{io, ptr::null_mut};

use windows_sys::Win32::Security::Cryptography::{
    BCRYPT_USE_SYSTEM_PREFERRED_RNG, BCryptGenRandom,
};

#[expect(unsafe_code, reason = "BCryptGenRandom")]
pub(super) fn fill(bytes: &mut [u8]) -> io::Result<()> {
    let (to, count) = (bytes.as_mut_ptr(), u32::try_from(bytes.len()).unwrap_or_default());
    // SAFETY: `to` is valid for writes of `count` bytes; null asks for the system's own source.
    let status = unsafe { BCryptGenRandom(null_mut(), to, count, BCRYPT_USE_SYSTEM_PREFERRED_RNG) };
    if status < 0 { Err(io::Error::from_raw_os_error(status)) } else { Ok(()) }
}
