//! Processes that stand still. The system counts how often each thread was suspended, so whoever
//! stands still already is left as it is: one that was suspended twice would not go on.

use std::{
    io,
    os::windows::io::{AsRawHandle as _, OwnedHandle, RawHandle},
};

use windows_sys::Win32::{
    Foundation::{ERROR_INVALID_PARAMETER, HANDLE},
    System::Threading::{
        OpenProcess, OpenThread, PROCESS_SUSPEND_RESUME, ResumeThread, SuspendThread,
        THREAD_SUSPEND_RESUME,
    },
};

use crate::windows::{is, own, threads};

#[expect(unsafe_code, reason = "NtSuspendProcess, NtResumeProcess")]
#[link(name = "ntdll")]
unsafe extern "system" {
    /// Suspends all threads at once, those included that are about to begin.
    fn NtSuspendProcess(process: HANDLE) -> i32;
    /// Undoes that.
    fn NtResumeProcess(process: HANDLE) -> i32;
}

/// Has all threads of a process stand still, unless they do.
#[expect(unsafe_code, reason = "NtSuspendProcess")]
pub(super) fn freeze(pid: u32) -> io::Result<()> {
    let Some(process) = open(pid)? else { return Ok(()) };
    if stands_still(pid)? {
        return Ok(());
    }
    // SAFETY: the handle is open for it.
    granted(unsafe { NtSuspendProcess(process.as_raw_handle()) })
}

/// Lets all threads of a process go on, if all stand still: one that its program has suspended
/// itself stays so.
#[expect(unsafe_code, reason = "NtResumeProcess")]
pub(super) fn thaw(pid: u32) -> io::Result<()> {
    let Some(process) = open(pid)? else { return Ok(()) };
    if !stands_still(pid)? {
        return Ok(());
    }
    // SAFETY: the handle is open for it.
    granted(unsafe { NtResumeProcess(process.as_raw_handle()) })
}

/// Opens a process whose number its holder keeps from being used again; nothing when it is gone.
#[expect(unsafe_code, reason = "OpenProcess")]
fn open(pid: u32) -> io::Result<Option<OwnedHandle>> {
    // SAFETY: no memory is involved.
    let raw = unsafe { OpenProcess(PROCESS_SUSPEND_RESUME, 0, pid) };
    // SAFETY: the handle is new or null.
    match unsafe { own(raw) } {
        Ok(handle) => Ok(Some(handle)),
        Err(error) if is(&error, ERROR_INVALID_PARAMETER) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns whether no thread of a process runs; one that has none is at its end.
fn stands_still(pid: u32) -> io::Result<bool> {
    for number in threads::of(&[pid])? {
        if suspended_before(number).is_some_and(|count| count == 0) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns how often a thread was suspended; nothing of one that is gone.
#[expect(unsafe_code, reason = "OpenThread, SuspendThread, ResumeThread")]
fn suspended_before(number: u32) -> Option<u32> {
    // SAFETY: no memory is involved.
    let raw = unsafe { OpenThread(THREAD_SUSPEND_RESUME, 0, number) };
    // SAFETY: the handle is new or null.
    let thread = unsafe { own(raw) }.ok()?;
    let raw: RawHandle = thread.as_raw_handle();
    // SAFETY: no memory is involved.
    let count = unsafe { SuspendThread(raw) };
    if count == u32::MAX {
        return None;
    }
    // SAFETY: as above; this undoes it.
    unsafe { ResumeThread(raw) };
    Some(count)
}

fn granted(status: i32) -> io::Result<()> {
    if status >= 0 {
        return Ok(());
    }
    Err(io::Error::other(format!("the system says {:#010x}", status.cast_unsigned())))
}
