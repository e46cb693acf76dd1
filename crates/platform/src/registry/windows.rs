//! Keys and values, by way of `advapi32`.

use std::{
    io,
    ptr::{null, null_mut},
};

use windows_sys::Win32::{
    Foundation::{ERROR_FILE_NOT_FOUND, ERROR_MORE_DATA, ERROR_NO_MORE_ITEMS},
    System::Registry::{
        HKEY, HKEY_LOCAL_MACHINE, KEY_READ, KEY_WRITE, REG_DWORD, REG_EXPAND_SZ, REG_MULTI_SZ,
        REG_OPTION_NON_VOLATILE, REG_OPTION_VOLATILE, REG_SZ, RegCloseKey, RegCreateKeyExW,
        RegDeleteTreeW, RegEnumKeyExW, RegEnumValueW, RegOpenKeyExW, RegSetValueExW,
    },
};

use super::{Data, Lasts, Purpose, Value};
use crate::windows::{check, wide};

/// The longest name of a key has 255 characters, the longest of a value 16,383.
const NAME_MAX: usize = 16_384;
/// More than the values of services have. Whatever is longer is refused, not cut.
const BYTES_MAX: usize = 1024 * 1024;

/// An open key.
#[derive(Debug)]
pub struct Key(HKEY);

// SAFETY: handles of keys are valid in every thread, and their calls lock for themselves.
#[expect(unsafe_code, reason = "raw handles are not Send")]
unsafe impl Send for Key {}

impl Drop for Key {
    #[expect(unsafe_code, reason = "RegCloseKey")]
    fn drop(&mut self) {
        // SAFETY: the handle is ours and open.
        unsafe { RegCloseKey(self.0) };
    }
}

impl Key {
    /// Opens a key; [`io::ErrorKind::NotFound`] when there is none.
    #[expect(unsafe_code, reason = "RegOpenKeyExW")]
    pub fn open(path: &str, purpose: Purpose) -> io::Result<Self> {
        let access = match purpose {
            Purpose::Look => KEY_READ,
            Purpose::Change => KEY_READ | KEY_WRITE,
        };
        let (path, mut key) = (wide(path), null_mut());
        // SAFETY: the path ends with NUL and lives until the call returns; `key` is valid for writes.
        let result =
            unsafe { RegOpenKeyExW(HKEY_LOCAL_MACHINE, path.as_ptr(), 0, access, &raw mut key) };
        check(result).map(|()| Self(key))
    }

    /// Opens a key for changes, and creates it first when there is none.
    ///
    /// One that is there lasts as long as it did.
    #[expect(unsafe_code, reason = "RegCreateKeyExW")]
    pub fn create(path: &str, lasts: Lasts) -> io::Result<Self> {
        let options = match lasts {
            Lasts::Forever => REG_OPTION_NON_VOLATILE,
            Lasts::UntilReboot => REG_OPTION_VOLATILE,
        };
        let (path, mut key) = (wide(path), null_mut());
        // SAFETY: the path ends with NUL and lives until the call returns; `key` is valid for
        // writes; null stands for no class, for inherited access and for an answer nobody wants.
        let result = unsafe {
            RegCreateKeyExW(
                HKEY_LOCAL_MACHINE,
                path.as_ptr(),
                0,
                null(),
                options,
                KEY_READ | KEY_WRITE,
                null(),
                &raw mut key,
                null_mut(),
            )
        };
        check(result).map(|()| Self(key))
    }

    /// Returns all its values.
    pub fn values(&self) -> io::Result<Vec<Value>> {
        let mut values = Vec::new();
        for index in 0.. {
            match self.value_at(index)? {
                Some(value) => values.push(value),
                None => break,
            }
        }
        Ok(values)
    }

    #[expect(unsafe_code, reason = "RegEnumValueW")]
    fn value_at(&self, index: u32) -> io::Result<Option<Value>> {
        let mut name = vec![0_u16; NAME_MAX];
        let mut bytes = vec![0_u8; 512];
        loop {
            let (mut letters, mut size) = (count(name.len()), count(bytes.len()));
            let mut kind = 0;
            // SAFETY: both buffers are valid for writes of the lengths that stand beside them.
            let result = unsafe {
                RegEnumValueW(
                    self.0,
                    index,
                    name.as_mut_ptr(),
                    &raw mut letters,
                    null(),
                    &raw mut kind,
                    bytes.as_mut_ptr(),
                    &raw mut size,
                )
            };
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            match result {
                ERROR_NO_MORE_ITEMS => return Ok(None),
                // The size is only now known.
                ERROR_MORE_DATA if size > bytes.len() && size <= BYTES_MAX => bytes.resize(size, 0),
                _ => {
                    check(result)?;
                    bytes.truncate(size);
                    return Ok(Some(Value {
                        name: text_of(&name, letters),
                        data: data(kind, bytes),
                    }));
                }
            }
        }
    }

    /// Returns the names of the keys right below.
    pub fn keys(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for index in 0.. {
            match self.key_at(index)? {
                Some(name) => names.push(name),
                None => break,
            }
        }
        Ok(names)
    }

    #[expect(unsafe_code, reason = "RegEnumKeyExW")]
    fn key_at(&self, index: u32) -> io::Result<Option<String>> {
        let mut name = vec![0_u16; NAME_MAX];
        let mut letters = count(name.len());
        // SAFETY: the buffer is valid for writes of `letters` units; null stands for no class and
        // no time.
        let result = unsafe {
            RegEnumKeyExW(
                self.0,
                index,
                name.as_mut_ptr(),
                &raw mut letters,
                null(),
                null_mut(),
                null_mut(),
                null_mut(),
            )
        };
        if result == ERROR_NO_MORE_ITEMS {
            return Ok(None);
        }
        check(result).map(|()| Some(text_of(&name, letters)))
    }

    /// Sets a value.
    #[expect(unsafe_code, reason = "RegSetValueExW")]
    pub fn set(&self, name: &str, data: &Data) -> io::Result<()> {
        let (kind, bytes) = raw(data);
        let name = wide(name);
        // SAFETY: the name ends with NUL; it and the bytes live until the call returns.
        check(unsafe {
            RegSetValueExW(self.0, name.as_ptr(), 0, kind, bytes.as_ptr(), count(bytes.len()))
        })
    }
}

/// Deletes a key and everything below it; one that is not there is a success.
#[expect(unsafe_code, reason = "RegDeleteTreeW")]
pub fn delete_tree(path: &str) -> io::Result<()> {
    let path = wide(path);
    // SAFETY: the path ends with NUL and lives until the call returns.
    let result = unsafe { RegDeleteTreeW(HKEY_LOCAL_MACHINE, path.as_ptr()) };
    if result == ERROR_FILE_NOT_FOUND { Ok(()) } else { check(result) }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn text_of(units: &[u16], length: u32) -> String {
    let length = usize::try_from(length).unwrap_or_default();
    String::from_utf16_lossy(units.get(..length).unwrap_or(units))
}

/// Texts may lack the NUL at their end, or have several.
fn data(kind: u32, bytes: Vec<u8>) -> Data {
    let units = || -> Vec<u16> {
        bytes.as_chunks().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect()
    };
    let texts = || -> Vec<String> {
        units().split(|unit| *unit == 0).map(String::from_utf16_lossy).collect()
    };
    let first = || texts().into_iter().next().unwrap_or_default();
    match (kind, bytes.as_slice()) {
        (REG_SZ, _) => Data::Text(first()),
        (REG_EXPAND_SZ, _) => Data::Expandable(first()),
        (REG_MULTI_SZ, _) => {
            Data::Texts(texts().into_iter().filter(|text| !text.is_empty()).collect())
        }
        (REG_DWORD, &[a, b, c, d]) => Data::Number(u32::from_le_bytes([a, b, c, d])),
        _ => Data::Other { kind, bytes },
    }
}

fn raw(data: &Data) -> (u32, Vec<u8>) {
    let bytes =
        |text: &str| -> Vec<u8> { wide(text).into_iter().flat_map(u16::to_le_bytes).collect() };
    match data {
        Data::Text(text) => (REG_SZ, bytes(text)),
        Data::Expandable(text) => (REG_EXPAND_SZ, bytes(text)),
        Data::Texts(texts) => {
            let mut all: Vec<u8> = texts.iter().flat_map(|text| bytes(text)).collect();
            all.extend([0, 0]);
            (REG_MULTI_SZ, all)
        }
        Data::Number(number) => (REG_DWORD, number.to_le_bytes().to_vec()),
        Data::Other { kind, bytes } => (*kind, bytes.clone()),
    }
}

#[cfg(test)]
#[path = "windows/tests.rs"]
mod tests;
