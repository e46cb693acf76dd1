//! The key to the store: a credential of systemd, or a file that only its owner may read. On Windows
//! that file holds the key as DPAPI protects it.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use mainstay_platform::{
    paths,
    protect::{self, Scope},
    random,
};
use mainstay_storage::{
    atomic,
    instance::Instance,
    secrets::{KEY_BYTES, SealKey},
};
use zeroize::Zeroizing;

use super::{source::credential, vault::VaultError};

/// The credential that is the key, where systemd gives one.
const CREDENTIAL: &str = "mainstay.key";
/// No key is longer, however it is protected.
const FILE_BYTES_MAX: u64 = 4096;

/// Where the key is.
#[derive(Debug, Clone)]
pub(super) struct KeyPlace {
    credential: Option<PathBuf>,
    file: PathBuf,
    scope: Scope,
}

impl KeyPlace {
    /// Returns the place of an instance's key; a service of the system shares it with whoever
    /// administers the machine.
    pub(super) fn of(instance: &Instance, service: Option<&str>) -> Self {
        Self {
            credential: credential(CREDENTIAL).filter(|path| path.is_file()),
            file: instance.secret_key(),
            scope: if service.is_some() { Scope::Machine } else { Scope::User },
        }
    }

    /// Returns the file in which the key is.
    pub(super) fn path(&self) -> &Path {
        self.credential.as_ref().unwrap_or(&self.file)
    }

    /// Reads the key; nothing when there is none yet.
    pub(super) fn read(&self) -> Result<Option<SealKey>, VaultError> {
        let path = self.path();
        let unreadable =
            |source| VaultError::Unreadable { path: path.display().to_string(), source };
        // systemd guards its credentials with modes of its own.
        let opened = match &self.credential {
            Some(path) => paths::open_regular(path),
            None => paths::open_private_regular(path),
        };
        let file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        let mut bytes = Zeroizing::new(Vec::new());
        file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(unreadable)?;
        let bytes = if protect::IS_THERE && self.credential.is_none() {
            Zeroizing::new(protect::unprotect(&bytes).map_err(unreadable)?)
        } else {
            bytes
        };
        let no_key = || VaultError::NoKey(path.display().to_string());
        key_of(&bytes).map(Some).ok_or_else(no_key)
    }

    /// Makes a key where there is none. Nobody else may do so meanwhile: the caller has the state.
    pub(super) fn create(&self) -> Result<SealKey, VaultError> {
        let unwritable =
            |source| VaultError::Unwritable { path: self.file.display().to_string(), source };
        let key = SealKey::new(random::secret_bytes().map_err(unwritable)?);
        let bytes = if protect::IS_THERE {
            protect::protect(key.bytes(), self.scope).map_err(unwritable)?
        } else {
            key.bytes().to_vec()
        };
        let bytes = Zeroizing::new(bytes);
        atomic::replace(&self.file, &bytes, create_private).map_err(unwritable)?;
        Ok(key)
    }
}

/// Creates a file of the state that has its mode and its owner from birth; what a crash has left
/// under its name goes.
pub(super) fn create_private(temporary: &Path) -> io::Result<File> {
    match fs::remove_file(temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let file = paths::create_new_private_file(temporary)?;
    if let Some(folder) = temporary.parent() {
        // An administrator may do this for the instance's user.
        paths::share_owner(&file, folder)?;
    }
    Ok(file)
}

/// Reads 32 bytes, or 64 hexadecimal digits with or without a line end.
fn key_of(bytes: &[u8]) -> Option<SealKey> {
    if let Ok(key) = <[u8; KEY_BYTES]>::try_from(bytes) {
        return Some(SealKey::new(key));
    }
    let digits = std::str::from_utf8(bytes).ok()?.trim();
    let mut key = [0; KEY_BYTES];
    if digits.len() != 2 * KEY_BYTES || !digits.is_ascii() {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(digits.as_bytes().as_chunks::<2>().0) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(SealKey::new(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_32_bytes_or_their_digits() {
        let bytes = |text: &[u8]| key_of(text).map(|key| key.bytes().to_vec());
        assert_eq!(bytes(&[7; 32]), Some(vec![7; 32]));
        assert_eq!(bytes("0a".repeat(32).as_bytes()), Some(vec![10; 32]));
        assert_eq!(bytes(("Fe".repeat(32) + "\n").as_bytes()), Some(vec![254; 32]));
        for wrong in ["", "0a", &"0a".repeat(31), &"0g".repeat(32), &"+a".repeat(33)] {
            assert_eq!(bytes(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
