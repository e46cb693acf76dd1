//! `getentropy`.

use std::io;

/// The most that one call gives.
const CALL_BYTES: usize = 256;

#[expect(unsafe_code, reason = "getentropy has no safe wrapper")]
pub(super) fn fill(bytes: &mut [u8]) -> io::Result<()> {
    for part in bytes.chunks_mut(CALL_BYTES) {
        // SAFETY: `part` is valid for writes of its length.
        if unsafe { libc::getentropy(part.as_mut_ptr().cast(), part.len()) } != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}
