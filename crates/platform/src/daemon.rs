//! Starting our own binary in a role of its own, apart from whoever starts it.

#[cfg(unix)]
#[path = "daemon/unix.rs"]
mod imp;
#[cfg(windows)]
#[path = "daemon/windows.rs"]
mod imp;

use std::{ffi::OsString, fs::File, io, path::PathBuf};

/// Returns a path under which the running binary can be started again, even after another one has
/// taken its place on the disk. macOS knows the path only: there the other one is started.
pub fn own_program() -> io::Result<PathBuf> {
    imp::own_program()
}

/// Returns whether this process is the first of its system or container, the parent of all orphans.
pub fn is_init() -> bool {
    imp::is_init()
}

/// Starts a program in a session of its own, with null input and with `log` as output and error.
///
/// Nothing that happens to the caller or its terminal reaches it. Returns its process id.
pub fn start_detached(
    program: &std::path::Path,
    arguments: &[OsString],
    log: File,
) -> io::Result<u32> {
    imp::start_detached(program, arguments, log)
}

/// Makes a file the place of this process's last words, and of what it starts.
pub fn speak_to(log: File) -> io::Result<()> {
    imp::speak_to(log)
}

/// Takes the calling process out of its terminal's reach and undoes signal settings that it may
/// have inherited, such as those of `nohup`.
pub fn settle_down() {
    imp::settle_down();
}

/// Returns how many open files this process may ask for: the hard limit, or what the system lets
/// one process have.
pub fn file_limit() -> u64 {
    imp::file_limit()
}

/// Raises the soft limit of open files to [`file_limit`]; returns the former soft limit and the one
/// that was reached.
pub fn raise_file_limit() -> io::Result<(u64, u64)> {
    imp::raise_file_limit()
}

/// Returns the soft limit of open files with which this process began, once it has raised that:
/// what others are to have whom it starts.
pub fn former_file_limit() -> Option<u64> {
    imp::former_file_limit()
}

#[cfg(all(test, unix))]
mod tests {
    use rustix::{
        event::{PollFd, PollFlags, Timespec, poll},
        io::{FdFlags, fcntl_setfd},
    };

    use super::*;
    use crate::process::{Process, SignalKind};

    #[test]
    fn who_is_started_on_its_own_holds_nothing_that_its_starter_had_open() {
        let (reader, writer) = io::pipe().unwrap();
        fcntl_setfd(&writer, FdFlags::empty()).unwrap();
        let log = File::options().write(true).open("/dev/null").unwrap();
        let pid = start_detached("sleep".as_ref(), &["1000".into()], log).unwrap();
        drop(writer);
        let mut state = [PollFd::new(&reader, PollFlags::IN)];
        let limit = Timespec { tv_sec: 20, tv_nsec: 0 };
        let is_let_go = poll(&mut state, Some(&limit)).unwrap() == 1;
        let process = Process::open_pid(pid).unwrap().unwrap();
        process.signal(SignalKind::Kill).unwrap();
        assert!(is_let_go);
    }
}
