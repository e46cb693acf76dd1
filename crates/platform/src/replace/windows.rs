//! Systems on which a keeper is stopped and started anew instead.

use std::{
    convert::Infallible,
    ffi::OsString,
    fs::File,
    io::{self, Read as _, Write as _},
    os::windows::{io::AsRawHandle as _, process::CommandExt as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use windows_sys::Win32::{
    Foundation::WAIT_OBJECT_0,
    System::Threading::{CREATE_NO_WINDOW, WaitForSingleObject},
};

use super::Probed;
use crate::{
    clock,
    descriptor::{Borrowed, Descriptor},
};

/// So much of what a program says is read.
const WORDS_BYTES_MAX: u64 = 4096;

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
    program: &Path,
    arguments: &[OsString],
    state: &[u8],
    within: Duration,
) -> io::Result<Probed> {
    let until = clock::monotonic() + within;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.creation_flags(CREATE_NO_WINDOW).spawn()?;
    if let Some(input) = child.stdin.take() {
        feed(input, state.to_vec())?;
    }
    let words = child.stdout.take().map(read_words).transpose()?;
    if !ends_until(&child, until) {
        child.kill()?;
        child.wait()?;
        return Err(io::ErrorKind::TimedOut.into());
    }
    let is_success = child.wait()?.success();
    // A grandchild that holds the other end open is waited for no longer than the program.
    let left = until.saturating_sub(clock::monotonic());
    let words = words.and_then(|words| words.recv_timeout(left).ok()).unwrap_or_default();
    Ok(Probed { is_success, words })
}

/// Nobody waits for a program that does not read.
fn feed(mut input: ChildStdin, state: Vec<u8>) -> io::Result<()> {
    let write = move || drop(input.write_all(&state));
    thread::Builder::new().name("probe".to_owned()).spawn(write).map(drop)
}

fn read_words(output: ChildStdout) -> io::Result<Receiver<Vec<u8>>> {
    let (sender, words) = mpsc::channel();
    let read = move || {
        let mut words = Vec::new();
        // What was read before an error counts.
        drop(output.take(WORDS_BYTES_MAX).read_to_end(&mut words));
        sender.send(words).ok();
    };
    thread::Builder::new().name("probed".to_owned()).spawn(read)?;
    Ok(words)
}

#[expect(unsafe_code, reason = "WaitForSingleObject")]
fn ends_until(child: &Child, until: Duration) -> bool {
    let left = until.saturating_sub(clock::monotonic());
    let millis = u32::try_from(left.as_millis()).unwrap_or(u32::MAX - 1);
    // SAFETY: the child's handle is open as long as the child.
    unsafe { WaitForSingleObject(child.as_raw_handle(), millis) == WAIT_OBJECT_0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(line: &str, within: Duration) -> io::Result<Probed> {
        let arguments = ["/c", line].map(OsString::from);
        probe(Path::new("cmd.exe"), &arguments, b"state", within)
    }

    #[test]
    fn a_probed_program_says_what_it_is_and_how_it_ended() {
        let told = shell("echo hello& exit 3", Duration::from_secs(20)).unwrap();
        assert_eq!(told, Probed { is_success: false, words: b"hello\r\n".to_vec() });
    }

    #[test]
    fn a_probed_program_holds_nobody_up() {
        let error = shell("ping -n 60 127.0.0.1", Duration::from_millis(200)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        probe(Path::new("no such program"), &[], b"", Duration::from_secs(1)).unwrap_err();
    }
}
