//! Where an instance may keep its sockets and its state, and whom to trust with a folder.

#[cfg(unix)]
#[path = "paths/unix.rs"]
mod imp;
#[cfg(windows)]
#[path = "paths/windows.rs"]
mod imp;

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

/// Returns the folder for sockets, locks and journals of this user, created when missing.
///
/// It is on local storage, is emptied by a reboot where the system has such a place, and nobody
/// but its owner may enter.
pub fn runtime_base() -> io::Result<PathBuf> {
    imp::runtime_base()
}

/// Returns the folder for logs and state of instances that have no folder of their own.
pub fn state_base() -> io::Result<PathBuf> {
    imp::state_base()
}

/// Creates a folder, and what leads to it, that only its owner may enter.
pub fn create_private(path: &Path) -> io::Result<()> {
    imp::create_private(path)
}

/// Creates or truncates a file that only its owner may read.
pub fn create_private_file(path: &Path) -> io::Result<File> {
    imp::create_private_file(path)
}

/// Returns whether a file or folder belongs to the caller or to the system's administrator.
pub fn is_trusted_owner(path: &Path) -> io::Result<bool> {
    imp::is_trusted_owner(path)
}
