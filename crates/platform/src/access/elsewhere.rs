//! There are no such lists on this system.

use std::{io, path::Path};

use super::Entry;

pub(super) fn entries(_path: &Path) -> io::Result<Vec<Entry>> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn grant(_path: &Path, _who: &str, _mask: u32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn revoke(_path: &Path, _who: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
