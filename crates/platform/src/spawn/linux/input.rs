//! What a program reads from its standard input: a sealed file in memory, opened for reading only.

use std::{
    fs::File,
    io::{self, Write as _},
    os::fd::AsRawFd as _,
};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

use crate::descriptor::Descriptor;

pub(crate) fn input(text: &[u8]) -> io::Result<Descriptor> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut file = File::from(memfd_create("mainstay-input", flags)?);
    file.write_all(text)?;
    fcntl_add_seals(
        &file,
        SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE,
    )?;
    // Opened anew: it begins at its beginning, and nobody writes to it.
    Ok(File::open(format!("/proc/self/fd/{}", file.as_raw_fd()))?.into())
}
