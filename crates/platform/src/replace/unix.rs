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
    io::{self, Read as _, Seek as _, Write as _},
    os::{
        fd::{AsRawFd as _, FromRawFd as _, RawFd},
        unix::process::CommandExt as _,
    },
    path::Path,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::{Errno, FdFlags, fcntl_getfd, fcntl_setfd, ioctl_fionbio},
};

use super::Probed;
use crate::{
    clock,
    descriptor::{Borrowed, Descriptor},
    dump,
    process::Process,
};

/// So much of what a probed program writes is looked at.
const WORDS_BYTES_MAX: usize = 256;

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
    let refuses = dump::restore()?;
    let error = Command::new(program).args(arguments).exec();
    if refuses {
        // It goes on as it was.
        dump::refuse()?;
    }
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

pub(super) fn probe(
    program: &Path,
    arguments: &[OsString],
    state: &[u8],
    within: Duration,
) -> io::Result<Probed> {
    // A file, not a pipe: nobody waits for a program that does not read.
    let mut input = memory_file()?;
    input.write_all(state)?;
    input.rewind()?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(input).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    let status = match wait(&mut child, within) {
        Ok(status) => status,
        Err(error) => {
            child.kill()?;
            child.wait()?;
            return Err(error);
        }
    };
    let words = child.stdout.take().map(first_words).transpose()?.unwrap_or_default();
    Ok(Probed { is_success: status.success(), words })
}

fn wait(child: &mut Child, within: Duration) -> io::Result<ExitStatus> {
    let process = Process::open_pid(child.id())?.ok_or(io::ErrorKind::NotFound)?;
    let until = clock::monotonic() + within;
    loop {
        let left = until.saturating_sub(clock::monotonic());
        let timeout =
            Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
        match poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&timeout)) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            Ok(_) => return child.wait(),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Reads what is there; a grandchild that holds the other end open is not waited for.
fn first_words(mut output: ChildStdout) -> io::Result<Vec<u8>> {
    ioctl_fionbio(&output, true)?;
    let mut words = vec![0; WORDS_BYTES_MAX];
    match output.read(&mut words) {
        Ok(count) => words.truncate(count),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => words.clear(),
        Err(error) => return Err(error),
    }
    Ok(words)
}
