//! Times and memory by the process's handle, without performance counters.

use std::{io, time::Duration};

use windows_sys::Win32::{
    Foundation::FILETIME,
    System::{
        ProcessStatus::{K32GetProcessMemoryInfo, PROCESS_MEMORY_COUNTERS},
        Threading::GetProcessTimes,
    },
};

use super::Usage;
use crate::{process::Process, windows::succeed};

#[expect(unsafe_code, reason = "GetProcessTimes, K32GetProcessMemoryInfo")]
pub(super) fn of(process: &Process) -> io::Result<Usage> {
    let mut times = [FILETIME::default(); 4];
    let [created, ended, kernel, user] = &mut times;
    // SAFETY: the handle is open for it; all four are valid for writes.
    succeed(unsafe { GetProcessTimes(process.raw(), created, ended, kernel, user) })?;
    let ticks = ticks(*kernel) + ticks(*user);
    let size = u32::try_from(size_of::<PROCESS_MEMORY_COUNTERS>()).unwrap_or_default();
    let mut memory = PROCESS_MEMORY_COUNTERS { cb: size, ..PROCESS_MEMORY_COUNTERS::default() };
    // SAFETY: `memory` is valid for writes of `size` bytes.
    succeed(unsafe { K32GetProcessMemoryInfo(process.raw(), &raw mut memory, size) })?;
    Ok(Usage {
        processor_time: Duration::from_nanos(ticks.saturating_mul(100)),
        memory_bytes: u64::try_from(memory.WorkingSetSize).unwrap_or(u64::MAX),
    })
}

/// Returns a length of time in units of 100 ns.
const fn ticks(time: FILETIME) -> u64 {
    (time.dwHighDateTime as u64) << 32 | time.dwLowDateTime as u64
}
