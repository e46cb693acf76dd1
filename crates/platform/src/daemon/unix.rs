//! `setsid` and resource limits.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    os::unix::{fs::MetadataExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, setsid};

/// Numbers that shells and build tools use are far below.
const LET_GO_BELOW: libc::c_int = 1024;
/// The soft limit of open files with which this process began, once it has raised that.
static FORMER_FILES: OnceLock<u64> = OnceLock::new();
/// Linux knows the file itself, whatever became of its name.
const OWN_FILE: &str = "/proc/self/exe";

pub(super) fn own_program() -> io::Result<PathBuf> {
    let path = std::env::current_exe()?;
    let identity = |path: &Path| fs::metadata(path).map(|file| (file.dev(), file.ino())).ok();
    let own = identity(Path::new(OWN_FILE));
    if own.is_none() || own == identity(&path) { Ok(path) } else { Ok(OWN_FILE.into()) }
}

pub(super) fn is_init() -> bool {
    std::process::id() == 1
}

#[expect(unsafe_code, reason = "setsid, fcntl and setrlimit between fork and exec")]
pub(super) fn start_detached(program: &Path, arguments: &[OsString], log: File) -> io::Result<u32> {
    let error = log.try_clone()?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(log).stderr(error);
    // SAFETY: all are async-signal-safe and touch no memory but that of their own.
    unsafe {
        command.pre_exec(|| {
            let_go();
            setsid()?;
            // What a starter refuses or takes for itself, whoever it starts decides for itself.
            crate::dump::restore()?;
            restore_file_limit()
        })
    };
    Ok(command.spawn()?.id())
}

/// Closes on exec whatever the starter has open without knowing it, such as a lock of a shell: it
/// would be held for as long as the new process lives.
#[expect(unsafe_code, reason = "fcntl on numbers that may not be in use")]
fn let_go() {
    for number in 3..LET_GO_BELOW {
        // SAFETY: no memory is involved; a number that is not in use is refused.
        unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
}

pub(super) fn speak_to(log: File) -> io::Result<()> {
    rustix::stdio::dup2_stdout(&log)?;
    rustix::stdio::dup2_stderr(&log)?;
    drop(log);
    Ok(())
}

#[expect(unsafe_code, reason = "signal dispositions have no safe wrapper")]
pub(super) fn settle_down() {
    // Fails when we lead a group already, which is as good.
    let _ = setsid();
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGCHLD] {
        // SAFETY: restores a default; no handler of ours is installed yet.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

pub(super) fn file_limit() -> u64 {
    reachable(getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX))
}

pub(super) fn raise_file_limit() -> io::Result<(u64, u64)> {
    let limit = getrlimit(Resource::Nofile);
    let former = *FORMER_FILES.get_or_init(|| limit.current.unwrap_or(u64::MAX));
    let wanted = file_limit();
    if former < wanted {
        let current = (wanted != u64::MAX).then_some(wanted);
        setrlimit(Resource::Nofile, Rlimit { current, maximum: limit.maximum })?;
    }
    Ok((former, wanted.max(former)))
}

pub(super) fn former_file_limit() -> Option<u64> {
    FORMER_FILES.get().copied()
}

fn restore_file_limit() -> io::Result<()> {
    let Some(former) = former_file_limit() else { return Ok(()) };
    let maximum = getrlimit(Resource::Nofile).maximum;
    let current = (former != u64::MAX).then_some(former);
    Ok(setrlimit(Resource::Nofile, Rlimit { current, maximum })?)
}

/// Returns how many open files a process may ask for.
#[cfg(target_os = "linux")]
const fn reachable(hard: u64) -> u64 {
    hard
}

/// Returns how many open files a process may ask for: never more than `OPEN_MAX`, even if the
/// hard limit says "unlimited".
#[cfg(target_os = "macos")]
fn reachable(hard: u64) -> u64 {
    const OPEN_MAX: u64 = 10_240;
    hard.min(OPEN_MAX)
}
