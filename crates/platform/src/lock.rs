//! Locks between processes, freed by the system when their holder dies.

#[cfg(unix)]
#[path = "lock/unix.rs"]
mod imp;
#[cfg(windows)]
#[path = "lock/windows.rs"]
mod imp;

use std::{fs::File, io, path::Path};

use crate::descriptor::Descriptor;

/// Opens a file and shares it with nobody, as backups and scanners do, so that a test can see what
/// becomes of whoever needs it. Files are always shared but on Windows.
pub fn open_alone(path: &Path) -> io::Result<File> {
    imp::open_alone(path)
}

/// A lock that is held until it is dropped or its process dies.
#[derive(Debug)]
pub struct FileLock {
    file: File,
}

impl FileLock {
    /// Takes the lock, or returns nothing when somebody else holds it.
    ///
    /// The file is created with access for its owner only. A child between fork and exec still
    /// holds its parent's lock, so whoever gets it knows that no such child is left.
    pub fn try_take(path: &Path) -> io::Result<Option<Self>> {
        let file = imp::open(path)?;
        Ok(imp::try_lock(&file)?.then_some(Self { file }))
    }

    /// Takes over a lock that was kept open across a replacement of this process.
    pub fn from_descriptor(descriptor: Descriptor) -> Self {
        Self { file: File::from(descriptor) }
    }

    /// Returns the open file, to be kept across a replacement of this process.
    pub const fn file(&self) -> &File {
        &self.file
    }
}
