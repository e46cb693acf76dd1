//! `CryptProtectData`. Our own entropy keeps bytes of ours from being taken for those of other
//! programs; it is no secret.

use std::{
    io,
    ptr::{null, null_mut},
    slice,
};

use windows_sys::Win32::{
    Foundation::LocalFree,
    Security::Cryptography::{
        CRYPT_INTEGER_BLOB, CRYPTPROTECT_LOCAL_MACHINE, CRYPTPROTECT_UI_FORBIDDEN,
        CryptProtectData, CryptUnprotectData,
    },
};

use super::Scope;
use crate::windows::succeed;

const ENTROPY: &[u8] = b"mainstay secret.key 1";

#[expect(unsafe_code, reason = "CryptProtectData")]
pub(super) fn protect(bytes: &[u8], scope: Scope) -> io::Result<Vec<u8>> {
    let machine = if scope == Scope::Machine { CRYPTPROTECT_LOCAL_MACHINE } else { 0 };
    let (from, entropy) = (blob(bytes), blob(ENTROPY));
    let (from, entropy) = (&raw const from, &raw const entropy);
    let mut to = Allocated::default();
    let flags = CRYPTPROTECT_UI_FORBIDDEN | machine;
    // SAFETY: both blobs point to bytes that live until the call returns; `to` is valid for writes.
    succeed(unsafe {
        CryptProtectData(from, null(), entropy, null(), null(), flags, &raw mut to.0)
    })?;
    Ok(to.bytes())
}

#[expect(unsafe_code, reason = "CryptUnprotectData")]
pub(super) fn unprotect(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let (from, entropy) = (blob(bytes), blob(ENTROPY));
    let (from, entropy) = (&raw const from, &raw const entropy);
    let mut to = Allocated::default();
    let flags = CRYPTPROTECT_UI_FORBIDDEN;
    // SAFETY: both blobs point to bytes that live until the call returns; `to` is valid for writes.
    succeed(unsafe {
        CryptUnprotectData(from, null_mut(), entropy, null(), null(), flags, &raw mut to.0)
    })?;
    Ok(to.bytes())
}

/// The system only reads from it.
fn blob(bytes: &[u8]) -> CRYPT_INTEGER_BLOB {
    let count = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    CRYPT_INTEGER_BLOB { cbData: count, pbData: bytes.as_ptr().cast_mut() }
}

/// Bytes that the system has allocated for us.
#[derive(Default)]
struct Allocated(CRYPT_INTEGER_BLOB);

impl Allocated {
    #[expect(unsafe_code, reason = "bytes of the system")]
    fn bytes(&self) -> Vec<u8> {
        if self.0.pbData.is_null() {
            return Vec::new();
        }
        let count = usize::try_from(self.0.cbData).unwrap_or_default();
        // SAFETY: the system says that there are so many, and they live as long as this value.
        unsafe { slice::from_raw_parts(self.0.pbData, count) }.to_vec()
    }
}

impl Drop for Allocated {
    #[expect(unsafe_code, reason = "LocalFree")]
    fn drop(&mut self) {
        if self.0.pbData.is_null() {
            return;
        }
        let count = usize::try_from(self.0.cbData).unwrap_or_default();
        // SAFETY: as above, and they are ours to write.
        unsafe { slice::from_raw_parts_mut(self.0.pbData, count) }.fill(0);
        // SAFETY: the system allocated it for us, and nobody has freed it.
        unsafe { LocalFree(self.0.pbData.cast()) };
    }
}
