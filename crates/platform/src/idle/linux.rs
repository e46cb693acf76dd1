//! `sched_setscheduler` and `ioprio_set`, of which musl has neither.

use std::io;

/// `IOPRIO_WHO_PROCESS` and `IOPRIO_CLASS_IDLE` of `linux/ioprio.h`.
const WHO_PROCESS: libc::c_int = 1;
const CLASS_IDLE: libc::c_int = 3 << 13;

pub(super) fn become_idle() -> io::Result<()> {
    run_when_idle()?;
    write_when_idle()
}

#[expect(unsafe_code, reason = "sched_setscheduler")]
fn run_when_idle() -> io::Result<()> {
    // What the kernel calls `sched_param` is one number; musl's has more.
    let priority: libc::c_int = 0;
    // SAFETY: the kernel reads one number, which lives to the end of the call; 0 is the calling
    // thread.
    let outcome = unsafe {
        libc::syscall(libc::SYS_sched_setscheduler, 0, libc::SCHED_IDLE, &raw const priority)
    };
    if outcome < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[expect(unsafe_code, reason = "ioprio_set")]
fn write_when_idle() -> io::Result<()> {
    // SAFETY: no memory is involved; 0 is the calling thread.
    let outcome = unsafe { libc::syscall(libc::SYS_ioprio_set, WHO_PROCESS, 0, CLASS_IDLE) };
    if outcome < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
