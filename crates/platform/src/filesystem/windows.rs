//! One pump for everything: without splice no write can hold a program.

use std::{io, path::Path};

use super::FileSystem;

pub(super) fn of(folder: &Path) -> io::Result<FileSystem> {
    if !std::fs::metadata(folder)?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    Ok(FileSystem { device: 0, is_remote: true })
}
