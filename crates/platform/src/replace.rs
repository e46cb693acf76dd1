//! Replacing the running program in place, with its children and some of its descriptors.

#[cfg(unix)]
#[path = "replace/unix.rs"]
mod imp;
#[cfg(windows)]
#[path = "replace/windows.rs"]
mod imp;

use std::{convert::Infallible, ffi::OsString, fs::File, io, path::Path};

use crate::descriptor::{Borrowed, Descriptor};

/// Returns a file without a name that a successor can read.
///
/// It lies in memory on Linux, and among the user's temporary files on macOS.
pub fn memory_file() -> io::Result<File> {
    imp::memory_file()
}

/// Replaces this process by `program`, which finds `kept` under the same numbers.
///
/// Other threads end. Returns only when it could not be done; then everything is as before.
pub fn replace(
    program: &Path,
    arguments: &[OsString],
    kept: &[Borrowed<'_>],
) -> io::Result<Infallible> {
    imp::replace(program, arguments, kept)
}

/// Returns the number under which a successor finds a kept descriptor.
pub fn number_of(descriptor: Borrowed<'_>) -> u64 {
    imp::number_of(descriptor)
}

/// Takes over a descriptor that a predecessor kept, and closes it on the next exec.
///
/// Each number may be taken once only.
pub fn inherited(number: u64) -> io::Result<Descriptor> {
    imp::inherited(number)
}

/// Runs `program` with a copy of the state on its standard input; returns whether it exits with 0.
pub fn probe(program: &Path, arguments: &[OsString], state: &[u8]) -> io::Result<bool> {
    imp::probe(program, arguments, state)
}
