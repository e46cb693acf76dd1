//! Systems on which a keeper is stopped and started anew instead.

use std::{convert::Infallible, ffi::OsString, fs::File, io, path::Path, time::Duration};

use super::Probed;
use crate::descriptor::{Borrowed, Descriptor};

fn unsupported() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "a process cannot replace itself on this system")
}

pub(super) fn memory_file() -> io::Result<File> {
    Err(unsupported())
}

pub(super) fn replace(
    _program: &Path,
    _arguments: &[OsString],
    _kept: &[Borrowed<'_>],
) -> io::Result<Infallible> {
    Err(unsupported())
}

pub(super) fn number_of(_descriptor: Borrowed<'_>) -> u64 {
    0
}

pub(super) fn inherited(_number: u64) -> io::Result<Descriptor> {
    Err(unsupported())
}

pub(super) fn probe(
    _program: &Path,
    _arguments: &[OsString],
    _state: &[u8],
    _within: Duration,
) -> io::Result<Probed> {
    Err(unsupported())
}
