//! The identity that a service has in access lists, before the service is there.

use std::{io, ptr::null};

use windows_sys::Win32::Security::Cryptography::{BCRYPT_SHA1_ALG_HANDLE, BCryptHash};

/// Returns the identifier of `NT SERVICE\\NAME`.
///
/// It is made of the SHA-1 of the name in upper case, little-endian UTF-16, as five numbers. The
/// hash guards nothing; the system chose it.
#[expect(unsafe_code, reason = "BCryptHash")]
pub fn identity_of(name: &str) -> io::Result<String> {
    let text: Vec<u8> = name.to_uppercase().encode_utf16().flat_map(u16::to_le_bytes).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_the_identity_that_the_system_gives_it() {
        let known = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464";
        assert_eq!(identity_of("TrustedInstaller").unwrap(), known);
        assert_eq!(identity_of("trustedinstaller").unwrap(), known);
    }
}
