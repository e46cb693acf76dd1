//! What kind of storage a folder lies on.

#[cfg(target_os = "linux")]
#[path = "filesystem/linux.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "filesystem/macos.rs"]
mod imp;
#[cfg(windows)]
#[path = "filesystem/windows.rs"]
mod imp;

use std::{io, path::Path};

/// The storage under a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSystem {
    /// Distinguishes file systems of this machine.
    pub device: u64,
    /// True when a write may hang for other reasons than the disk's speed: network and user-space
    /// file systems. There the pump copies through its own memory, so that a stalled write never
    /// makes the writing *program* unkillable. macOS takes a user-space file system's own word
    /// for it.
    pub is_remote: bool,
}

/// Returns the storage under an existing folder.
pub fn of(folder: &Path) -> io::Result<FileSystem> {
    imp::of(folder)
}
