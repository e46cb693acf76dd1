//! `stat` and `statfs`.

use std::{io, os::unix::fs::MetadataExt as _, path::Path};

use super::FileSystem;

#[expect(clippy::unnecessary_wraps, reason = "other systems can fail to tell")]
pub(super) const fn is_in_memory(_folder: &Path) -> io::Result<Option<bool>> {
    Ok(None)
}

pub(super) fn of(folder: &Path) -> io::Result<FileSystem> {
    let found = std::fs::metadata(folder)?;
    if !found.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    let is_local = rustix::fs::statfs(folder)?.f_flags & libc::MNT_LOCAL.cast_unsigned() != 0;
    Ok(FileSystem { device: found.dev(), is_remote: !is_local })
}
