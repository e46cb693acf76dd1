//! A temporary file that loses its name at once.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
};

pub(super) fn memory_file() -> io::Result<File> {
    let name = format!("mainstay-state-{}-{}", std::process::id(), crate::clock::realtime_nanos());
    let path = std::env::temp_dir().join(name);
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    std::fs::remove_file(path)?;
    Ok(file)
}
