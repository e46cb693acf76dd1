//! `execve`.

#[cfg(target_os = "linux")]
#[path = "unix/linux.rs"]
mod state;
#[cfg(target_os = "macos")]
#[path = "unix/macos.rs"]
mod state;

use std::{
    convert::Infallible,
    ffi::OsString,
    fs::File,
    io::{self, Write as _},
    os::{
        fd::{AsRawFd as _, FromRawFd as _, RawFd},
        unix::process::CommandExt as _,
    },
    path::Path,
    process::{Command, Stdio},
};

use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};

use crate::descriptor::{Borrowed, Descriptor};

pub(super) fn memory_file() -> io::Result<File> {
    state::memory_file()
}

pub(super) fn replace(
    program: &Path,
    arguments: &[OsString],
    kept: &[Borrowed<'_>],
) -> io::Result<Infallible> {
    for descriptor in kept {
        fcntl_setfd(descriptor, FdFlags::empty())?;
    }
    let error = Command::new(program).args(arguments).exec();
    for descriptor in kept {
        fcntl_setfd(descriptor, FdFlags::CLOEXEC)?;
    }
    Err(error)
}

pub(super) fn number_of(descriptor: Borrowed<'_>) -> u64 {
    u64::try_from(descriptor.as_raw_fd()).unwrap_or(u64::MAX)
}

#[expect(unsafe_code, reason = "a descriptor that came across exec has no owner yet")]
pub(super) fn inherited(number: u64) -> io::Result<Descriptor> {
    let invalid = || io::Error::from(io::ErrorKind::InvalidInput);
    let raw = RawFd::try_from(number).map_err(|_| invalid())?;
    // SAFETY: the caller takes each number once; an unused number fails in the next call.
    let descriptor = unsafe { Descriptor::from_raw_fd(raw) };
    let flags = fcntl_getfd(&descriptor);
    if let Err(errno) = flags {
        // Not open, so there is nothing to close.
        let _ = std::os::fd::IntoRawFd::into_raw_fd(descriptor);
        return Err(errno.into());
    }
    fcntl_setfd(&descriptor, FdFlags::CLOEXEC)?;
    Ok(descriptor)
}

pub(super) fn probe(program: &Path, arguments: &[OsString], state: &[u8]) -> io::Result<bool> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // A probe that does not read to the end says no by its status.
        drop(input.write_all(state));
    }
    Ok(child.wait()?.success())
}
