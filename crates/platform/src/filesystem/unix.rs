//! `fstat` of what is open, `stat` of where it was.

use std::{fs, fs::File, io, os::unix::fs::MetadataExt as _, path::Path};

use super::{Room, Standing};

pub(super) fn standing(file: &File) -> io::Result<Standing> {
    let found = file.metadata()?;
    Ok(Standing { length: found.len(), has_name: found.nlink() > 0 })
}

pub(super) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let (open, there) = (file.metadata()?, fs::metadata(path)?);
    Ok((open.dev(), open.ino()) == (there.dev(), there.ino()))
}

pub(super) fn identity(file: &File) -> io::Result<[u64; 2]> {
    let found = file.metadata()?;
    Ok([found.dev(), found.ino()])
}

pub(super) fn create_held(_path: &Path) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn room(folder: &Path) -> io::Result<Room> {
    let found = rustix::fs::statvfs(folder)?;
    let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
    Ok(Room { free_bytes: bytes(found.f_bavail), whole_bytes: bytes(found.f_blocks) })
}
