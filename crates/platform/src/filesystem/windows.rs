//! One pump for everything: without splice no write can hold a program.

use std::{fs::File, io, path::Path};

use super::{FileSystem, Standing};

pub(super) fn of(folder: &Path) -> io::Result<FileSystem> {
    if !std::fs::metadata(folder)?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    Ok(FileSystem { device: 0, is_remote: true })
}

pub(super) fn standing(file: &File) -> io::Result<Standing> {
    Ok(Standing { length: file.metadata()?.len(), has_name: true })
}

pub(super) fn is_at(_file: &File, path: &Path) -> io::Result<bool> {
    path.try_exists()
}
