//! Threads of other processes: to let them run, and to leave a message with them.

use std::{
    io,
    os::windows::io::{AsRawHandle as _, RawHandle},
};

use windows_sys::Win32::{
    Foundation::HANDLE,
    System::{
        Diagnostics::ToolHelp::{
            CreateToolhelp32Snapshot, TH32CS_SNAPTHREAD, THREADENTRY32, Thread32First, Thread32Next,
        },
        Threading::{OpenThread, ResumeThread, THREAD_SUSPEND_RESUME},
    },
};

use super::own;

/// Lets a suspended thread run; one that runs already is left alone.
#[expect(unsafe_code, reason = "ResumeThread")]
pub(crate) fn resume(thread: RawHandle) -> io::Result<()> {
    // SAFETY: no memory is involved.
    let former = unsafe { ResumeThread(thread) };
    if former == u32::MAX { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Lets all threads of a process run.
#[expect(unsafe_code, reason = "OpenThread")]
pub(crate) fn resume_all(pid: u32) -> io::Result<()> {
    for number in of(&[pid])? {
        // SAFETY: no memory is involved.
        let raw = unsafe { OpenThread(THREAD_SUSPEND_RESUME, 0, number) };
        // SAFETY: the handle is new or null.
        resume(unsafe { own(raw) }?.as_raw_handle())?;
    }
    Ok(())
}

/// Returns the numbers of the threads of these processes.
#[expect(unsafe_code, reason = "CreateToolhelp32Snapshot, Thread32First, Thread32Next")]
pub(crate) fn of(pids: &[u32]) -> io::Result<Vec<u32>> {
    // SAFETY: no memory is involved.
    let raw: HANDLE = unsafe { CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0) };
    // SAFETY: the handle is new or invalid.
    let _owner = unsafe { own(raw) }?;
    let mut entry = THREADENTRY32 {
        dwSize: u32::try_from(size_of::<THREADENTRY32>()).unwrap_or_default(),
        ..THREADENTRY32::default()
    };
    let mut found = Vec::new();
    // SAFETY: the snapshot is open; `entry` is valid for writes and knows its size.
    let mut is_there = unsafe { Thread32First(raw, &raw mut entry) };
    while is_there != 0 {
        if pids.contains(&entry.th32OwnerProcessID) {
            found.push(entry.th32ThreadID);
        }
        // SAFETY: as above.
        is_there = unsafe { Thread32Next(raw, &raw mut entry) };
    }
    Ok(found)
}
