//! `stat` and `statfs`.

use std::{io, os::unix::fs::MetadataExt as _, path::Path};

use super::FileSystem;

/// Magic numbers of `statfs(2)`: NFS, SMB, SMB2, CIFS, FUSE, 9p, AFS, Ceph, Coda.
const REMOTE: &[u64] = &[
    0x6969,
    0x517B,
    0xFE53_4D42,
    0xFF53_4D42,
    0x6573_5546,
    0x0102_1997,
    0x5346_414F,
    0x00C3_6400,
    0x7375_7245,
];

/// The same of file systems without a disk: tmpfs, ramfs.
const IN_MEMORY: &[u64] = &[0x0102_1994, 0x8584_58F6];

pub(super) fn of(folder: &Path) -> io::Result<FileSystem> {
    let found = std::fs::metadata(folder)?;
    if !found.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    Ok(FileSystem { device: found.dev(), is_remote: REMOTE.contains(&magic(folder)?) })
}

pub(super) fn is_in_memory(folder: &Path) -> io::Result<Option<bool>> {
    Ok(Some(IN_MEMORY.contains(&magic(folder)?)))
}

fn magic(folder: &Path) -> io::Result<u64> {
    let magic = rustix::fs::statfs(folder)?.f_type;
    Ok(u64::from_ne_bytes(magic.to_ne_bytes()) & 0xFFFF_FFFF)
}
