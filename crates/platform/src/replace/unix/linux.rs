//! memfd.

use std::{fs::File, io};

use rustix::fs::MemfdFlags;

pub(super) fn memory_file() -> io::Result<File> {
    Ok(rustix::fs::memfd_create("mainstay-state", MemfdFlags::CLOEXEC)?.into())
}
