//! Processes without a console.

#![expect(
    clippy::unnecessary_wraps,
    reason = "the contract is that of systems where this can fail"
)]

use std::{
    ffi::OsString,
    fs::File,
    io,
    os::windows::{io::IntoRawHandle as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use windows_sys::Win32::System::{
    Console::{STD_ERROR_HANDLE, STD_OUTPUT_HANDLE, SetConsoleCtrlHandler, SetStdHandle},
    Diagnostics::Debug::{SEM_FAILCRITICALERRORS, SetErrorMode},
    Threading::DETACHED_PROCESS,
};

use crate::windows::succeed;

/// A running image cannot be deleted here; one that was renamed is not looked for.
pub(super) fn own_program() -> io::Result<PathBuf> {
    std::env::current_exe()
}

/// Orphans have no parent here.
pub(super) const fn is_init() -> bool {
    false
}

pub(super) fn start_detached(program: &Path, arguments: &[OsString], log: File) -> io::Result<u32> {
    let error = log.try_clone()?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(log).stderr(error);
    // Without a console no Ctrl-C reaches it. A group of its own would only shut it out of Wine's
    // Ctrl-C for programs that it takes over: there that goes to the sender's group.
    command.creation_flags(DETACHED_PROCESS);
    Ok(command.spawn()?.id())
}

#[expect(unsafe_code, reason = "SetStdHandle")]
pub(super) fn speak_to(log: File) -> io::Result<()> {
    // The process's own for the rest of its life.
    let handle = log.into_raw_handle();
    for which in [STD_OUTPUT_HANDLE, STD_ERROR_HANDLE] {
        // SAFETY: the handle is open and never closed.
        succeed(unsafe { SetStdHandle(which, handle) })?;
    }
    Ok(())
}

/// No box of the system asks what to do without a disk or a library: nobody would see it, and the
/// program would hang behind it. Programs inherit that.
///
/// `SEM_NOGPFAULTERRORBOX` is not set: whoever inherits it gets no crash dump, because the system's
/// error reporting is not called any more. A service's crash shows no box anyway.
#[expect(unsafe_code, reason = "SetErrorMode")]
pub(super) fn settle_down() {
    // SAFETY: no memory is involved.
    unsafe { SetErrorMode(SEM_FAILCRITICALERRORS) };
    // A parent may have told this process to ignore Ctrl-C, which programs would inherit.
    // SAFETY: no memory is involved.
    unsafe { SetConsoleCtrlHandler(None, 0) };
}

/// Handles have no limit that one could meet.
pub(super) const fn file_limit() -> u64 {
    u64::MAX
}

/// Handles have no limit that one could raise.
pub(super) const fn raise_file_limit() -> io::Result<(u64, u64)> {
    Ok((0, 0))
}

pub(super) const fn former_file_limit() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use windows_sys::Win32::System::Diagnostics::Debug::GetErrorMode;

    use super::*;

    #[test]
    #[expect(unsafe_code, reason = "GetErrorMode")]
    fn programs_inherit_no_box_for_a_missing_disk_and_keep_their_crash_dumps() {
        settle_down();
        // SAFETY: no memory is involved.
        let mode = unsafe { GetErrorMode() };
        assert_eq!(mode, SEM_FAILCRITICALERRORS);
    }
}
