//! `proc_pidinfo`.

use std::{io, mem::MaybeUninit, time::Duration};

use super::Usage;
use crate::process::Process;

#[expect(unsafe_code, reason = "proc_pidinfo")]
pub(super) fn of(process: &Process) -> io::Result<Usage> {
    let pid = libc::c_int::try_from(process.pid()).unwrap_or_default();
    let mut info = MaybeUninit::<libc::proc_taskinfo>::zeroed();
    let size = libc::c_int::try_from(size_of::<libc::proc_taskinfo>()).unwrap_or_default();
    let room = info.as_mut_ptr().cast();
    // SAFETY: `room` is valid for writes of `size` bytes.
    let got = unsafe { libc::proc_pidinfo(pid, libc::PROC_PIDTASKINFO, 0, room, size) };
    if got != size {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was zeroed, and all-zero is a valid proc_taskinfo.
    let info = unsafe { info.assume_init() };
    let ticks = info.pti_total_user + info.pti_total_system;
    Ok(Usage { processor_time: nanoseconds(ticks)?, memory_bytes: info.pti_resident_size })
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
