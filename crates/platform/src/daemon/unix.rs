//! `setsid` and resource limits.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    os::unix::{fs::MetadataExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, setsid};

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

#[expect(unsafe_code, reason = "setsid between fork and exec")]
pub(super) fn start_detached(program: &Path, arguments: &[OsString], log: File) -> io::Result<u32> {
    let error = log.try_clone()?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(log).stderr(error);
    // SAFETY: setsid is async-signal-safe and touches no memory.
    unsafe {
        command.pre_exec(|| {
            setsid()?;
            Ok(())
        })
    };
    Ok(command.spawn()?.id())
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
    let former = limit.current.unwrap_or(u64::MAX);
    let wanted = file_limit();
    if former < wanted {
        let current = (wanted != u64::MAX).then_some(wanted);
        setrlimit(Resource::Nofile, Rlimit { current, maximum: limit.maximum })?;
    }
    Ok((former, wanted.max(former)))
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
