//! `proc_pidinfo`.

use std::{io, mem::MaybeUninit, time::Duration};

use super::Usage;
use crate::process::Process;

pub(super) fn of(process: &Process) -> io::Result<Usage> {
    let task = task_of(process.pid())?;
    task.map(|task| task.usage).ok_or_else(|| io::Error::from_raw_os_error(libc::ESRCH))
}

/// What a process is at work with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Task {
    pub(crate) usage: Usage,
    pub(crate) threads: u64,
}

/// Asks about the threads of a process; nothing when it is gone, or not for us to know.
#[expect(unsafe_code, reason = "proc_pidinfo")]
pub(crate) fn task_of(pid: u32) -> io::Result<Option<Task>> {
    let pid = libc::c_int::try_from(pid).unwrap_or_default();
    let mut info = MaybeUninit::<libc::proc_taskinfo>::zeroed();
    let size = libc::c_int::try_from(size_of::<libc::proc_taskinfo>()).unwrap_or_default();
    let room = info.as_mut_ptr().cast();
    // SAFETY: `room` is valid for writes of `size` bytes.
    let got = unsafe { libc::proc_pidinfo(pid, libc::PROC_PIDTASKINFO, 0, room, size) };
    if got != size {
        let error = io::Error::last_os_error();
        let is_gone = matches!(error.raw_os_error(), Some(libc::ESRCH | libc::EPERM));
        return if is_gone { Ok(None) } else { Err(error) };
    }
    // SAFETY: it was zeroed, and all-zero is a valid proc_taskinfo.
    let info = unsafe { info.assume_init() };
    let ticks = info.pti_total_user + info.pti_total_system;
    let usage = Usage { processor_time: nanoseconds(ticks)?, memory_bytes: info.pti_resident_size };
    Ok(Some(Task { usage, threads: u64::try_from(info.pti_threadnum).unwrap_or_default() }))
}

/// Who descends from whom.
pub(super) struct Family;

/// So many children of one process are seen.
const CHILDREN_MAX: usize = 1024;

impl Family {
    #[expect(clippy::unnecessary_wraps, reason = "the contract is that of systems that list all")]
    pub(super) const fn look() -> io::Result<Self> {
        Ok(Self)
    }

    #[expect(
        unsafe_code,
        clippy::unused_self,
        reason = "proc_listchildpids; others list all first"
    )]
    pub(super) fn children_of(&self, parent: u32) -> io::Result<Vec<u32>> {
        let parent = libc::pid_t::try_from(parent).unwrap_or_default();
        let mut room: Vec<libc::pid_t> = vec![0; CHILDREN_MAX];
        let size = libc::c_int::try_from(size_of_val(room.as_slice())).unwrap_or_default();
        // SAFETY: `room` is valid for writes of `size` bytes.
        let count = unsafe { libc::proc_listchildpids(parent, room.as_mut_ptr().cast(), size) };
        let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        let found = room.into_iter().take(count);
        Ok(found.filter_map(|pid| u32::try_from(pid).ok()).filter(|pid| *pid > 0).collect())
    }
}

/// Returns the footprint of a process; nothing when it is gone.
#[expect(unsafe_code, reason = "proc_pid_rusage")]
pub(super) fn own_memory(pid: u32) -> io::Result<Option<u64>> {
    let Ok(pid) = libc::c_int::try_from(pid) else { return Ok(None) };
    let mut info = MaybeUninit::<libc::rusage_info_v2>::zeroed();
    let room = info.as_mut_ptr().cast();
    // SAFETY: `room` is valid for writes of the structure that the flavour asks for.
    if unsafe { libc::proc_pid_rusage(pid, libc::RUSAGE_INFO_V2, room) } != 0 {
        let error = io::Error::last_os_error();
        return if error.raw_os_error() == Some(libc::ESRCH) { Ok(None) } else { Err(error) };
    }
    // SAFETY: it was zeroed, and all-zero is a valid rusage_info_v2.
    Ok(Some(unsafe { info.assume_init() }.ri_phys_footprint))
}

/// Times are in units of the machine, which are nanoseconds on Intel only.
#[expect(unsafe_code, deprecated, reason = "mach_timebase_info; a crate for one call is too much")]
fn nanoseconds(ticks: u64) -> io::Result<Duration> {
    let mut base = libc::mach_timebase_info { numer: 0, denom: 0 };
    // SAFETY: `base` is valid for writes.
    if unsafe { libc::mach_timebase_info(&raw mut base) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let nanoseconds = u128::from(ticks) * u128::from(base.numer) / u128::from(base.denom.max(1));
    Ok(Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX)))
}
