//! Whether a program has windows instead of a console: nobody will ever see them.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

/// Where a program says where its real head begins (`e_lfanew`).
const HEAD_AT: u64 = 0x3c;
/// From that head to the word that names the subsystem, in programs of 32 and of 64 bits.
const SUBSYSTEM_AFTER: u64 = 24 + 68;
/// `IMAGE_SUBSYSTEM_WINDOWS_GUI`.
const WINDOWS: u16 = 2;
const SIGNATURE: [u8; 4] = *b"PE\0\0";

/// Returns a warning about a program that has windows; what is no program of Windows has none.
pub(super) fn warning(image: &Path) -> Option<String> {
    let has_windows = File::open(image).and_then(has_windows).unwrap_or_default();
    let name = image.file_name().unwrap_or_default().display();
    has_windows.then(|| {
        format!("{name} is a program with windows: it runs invisible in session 0, and nobody can answer what it asks")
    })
}

fn has_windows(mut image: impl Read + Seek) -> io::Result<bool> {
    image.seek(SeekFrom::Start(HEAD_AT))?;
    let head = u64::from(u32::from_le_bytes(read(&mut image)?));
    image.seek(SeekFrom::Start(head))?;
    let signature: [u8; 4] = read(&mut image)?;
    image.seek(SeekFrom::Start(head + SUBSYSTEM_AFTER))?;
    Ok(signature == SIGNATURE && u16::from_le_bytes(read(&mut image)?) == WINDOWS)
}

fn read<const COUNT: usize>(image: &mut impl Read) -> io::Result<[u8; COUNT]> {
    let mut bytes = [0; COUNT];
    image.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// Returns a program's beginning, as far as it is looked at.
    fn program(signature: &[u8], subsystem: u8) -> Cursor<Vec<u8>> {
        let mut bytes = vec![0; 512];
        bytes[0x3c] = 128;
        bytes[128..][..signature.len()].copy_from_slice(signature);
        bytes[128 + 92] = subsystem;
        Cursor::new(bytes)
    }

    #[test]
    fn a_program_with_windows_is_told_from_one_with_a_console() {
        assert!(has_windows(program(b"PE\0\0", 2)).unwrap());
        assert!(!has_windows(program(b"PE\0\0", 3)).unwrap());
        assert!(!has_windows(program(b"text", 2)).unwrap());
        has_windows(Cursor::new(b"@echo off".to_vec())).unwrap_err();
        assert_eq!(warning(&std::env::current_exe().unwrap()), None);
        assert_eq!(warning(Path::new("nowhere")), None);
    }
}
