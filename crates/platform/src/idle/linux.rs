//! `sched_setscheduler`, `setpriority` and `ioprio_set`: by number, musl lacks some and others differ.

use std::io;

/// `IOPRIO_WHO_PROCESS`, and the lowest level of `IOPRIO_CLASS_BE`, of `linux/ioprio.h`.
const WHO_PROCESS: libc::c_int = 1;
const LOWEST_EFFORT: libc::c_int = 2 << 13 | 7;
const NICEST: libc::c_int = 19;

pub(super) fn give_way() -> io::Result<()> {
    run_in_batches()?;
    run_behind_others()?;
    write_behind_others()
}

#[expect(unsafe_code, reason = "sched_setscheduler")]
fn run_in_batches() -> io::Result<()> {
    // What the kernel calls `sched_param` is one number; musl's has more.
    let priority: libc::c_int = 0;
    // SAFETY: the kernel reads one number, which lives to the end of the call; 0 is the calling
    // thread.
    let outcome = unsafe {
        libc::syscall(libc::SYS_sched_setscheduler, 0, libc::SCHED_BATCH, &raw const priority)
    };
    told(outcome)
}

#[expect(unsafe_code, reason = "setpriority")]
fn run_behind_others() -> io::Result<()> {
    // SAFETY: no memory is involved; 0 is the calling thread.
    let outcome = unsafe { libc::syscall(libc::SYS_setpriority, libc::PRIO_PROCESS, 0, NICEST) };
    told(outcome)
}

#[expect(unsafe_code, reason = "ioprio_set")]
fn write_behind_others() -> io::Result<()> {
    // SAFETY: no memory is involved; 0 is the calling thread.
    let outcome = unsafe { libc::syscall(libc::SYS_ioprio_set, WHO_PROCESS, 0, LOWEST_EFFORT) };
    told(outcome)
}

fn told(outcome: libc::c_long) -> io::Result<()> {
    if outcome < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
