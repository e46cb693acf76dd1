//! Times and memory by the process's handle, without performance counters.

use std::{io, time::Duration};

use windows_sys::Win32::{
    Foundation::{FILETIME, WAIT_OBJECT_0},
    System::{
        ProcessStatus::{
            K32GetProcessMemoryInfo, PROCESS_MEMORY_COUNTERS, PROCESS_MEMORY_COUNTERS_EX,
        },
        Threading::{GetProcessTimes, WaitForSingleObject},
    },
};

use super::{Total, Usage};
use crate::{
    process::Process,
    windows::{
        snapshot::{self, Listed},
        succeed,
    },
};

/// So long a process that tells nothing is given to be gone.
const ENDING_MILLISECONDS: u32 = 200;

pub(super) fn of(process: &Process) -> io::Result<Usage> {
    let (user, system) = times(process)?;
    Ok(Usage { processor_time: user + system, memory_bytes: memory_of(process)? })
}

/// Returns the memory that a process occupies.
pub(crate) fn memory_of(process: &Process) -> io::Result<u64> {
    Ok(u64::try_from(memory(process)?.WorkingSetSize).unwrap_or(u64::MAX))
}

/// Returns what a process has used so far, or in its life when it has ended.
pub(crate) fn total_of(process: &Process) -> io::Result<Total> {
    let (user, system) = times(process)?;
    let peak = memory(process).map_or(0, |memory| memory.PeakWorkingSetSize);
    let memory_peak_bytes = u64::try_from(peak).ok().filter(|peak| *peak > 0);
    Ok(Total { user, system, memory_peak_bytes })
}

/// Returns its time in its own code, and in the system's.
#[expect(unsafe_code, reason = "GetProcessTimes")]
fn times(process: &Process) -> io::Result<(Duration, Duration)> {
    let mut times = [FILETIME::default(); 4];
    let [created, ended, kernel, user] = &mut times;
    // SAFETY: the handle is open for it; all four are valid for writes.
    succeed(unsafe { GetProcessTimes(process.raw(), created, ended, kernel, user) })?;
    let long = |time: FILETIME| Duration::from_nanos(ticks(time).saturating_mul(100));
    Ok((long(*user), long(*kernel)))
}

#[expect(unsafe_code, reason = "K32GetProcessMemoryInfo")]
fn memory(process: &Process) -> io::Result<PROCESS_MEMORY_COUNTERS> {
    let size = u32::try_from(size_of::<PROCESS_MEMORY_COUNTERS>()).unwrap_or_default();
    let mut memory = PROCESS_MEMORY_COUNTERS { cb: size, ..PROCESS_MEMORY_COUNTERS::default() };
    // SAFETY: `memory` is valid for writes of `size` bytes.
    succeed(unsafe { K32GetProcessMemoryInfo(process.raw(), &raw mut memory, size) })?;
    Ok(memory)
}

/// Who descends from whom.
pub(super) struct Family {
    all: Vec<Listed>,
}

impl Family {
    pub(super) fn look() -> io::Result<Self> {
        Ok(Self { all: snapshot::processes()? })
    }

    /// Returns whoever was made by a process, and not before it: numbers are used again.
    #[expect(clippy::unnecessary_wraps, reason = "the contract is that of systems that are asked")]
    pub(super) fn children_of(&self, parent: u32) -> io::Result<Vec<u32>> {
        let started = |pid| Some(Process::open_pid(pid).ok()??.identity().started);
        let since = started(parent);
        let children = self.all.iter().filter(|listed| listed.parent == parent && listed.pid != 0);
        let own = children.map(|listed| listed.pid);
        Ok(own.filter(|pid| since.is_some_and(|since| started(*pid) >= Some(since))).collect())
    }
}

/// Returns what a process has to itself; nothing when it is gone.
#[expect(unsafe_code, reason = "K32GetProcessMemoryInfo")]
pub(super) fn own_memory(pid: u32) -> io::Result<Option<u64>> {
    let Some(process) = Process::open_pid(pid)?.filter(|process| !process.has_ended()) else {
        return Ok(None);
    };
    let size = u32::try_from(size_of::<PROCESS_MEMORY_COUNTERS_EX>()).unwrap_or_default();
    let mut memory = PROCESS_MEMORY_COUNTERS_EX { cb: size, ..Default::default() };
    let room = (&raw mut memory).cast();
    // SAFETY: `room` is valid for writes of `size` bytes; the larger form begins with the smaller.
    if let Err(error) = succeed(unsafe { K32GetProcessMemoryInfo(process.raw(), room, size) }) {
        return if is_ending(&process) { Ok(None) } else { Err(error) };
    }
    // Nobody has nothing: Wine says 0 as long as nothing is swapped out.
    let own = if memory.PrivateUsage > 0 { memory.PrivateUsage } else { memory.WorkingSetSize };
    Ok(Some(u64::try_from(own).unwrap_or(u64::MAX)))
}

/// Returns whether a process is gone in a moment: of one that ends the system tells nothing, before
/// it says so.
#[expect(unsafe_code, reason = "WaitForSingleObject")]
pub(crate) fn is_ending(process: &Process) -> bool {
    // SAFETY: the handle is open for it.
    unsafe { WaitForSingleObject(process.raw(), ENDING_MILLISECONDS) == WAIT_OBJECT_0 }
}

/// Returns a length of time in units of 100 ns.
const fn ticks(time: FILETIME) -> u64 {
    (time.dwHighDateTime as u64) << 32 | time.dwLowDateTime as u64
}
