//! How a child ended and what it has used, with one call that leaves it a zombie.

use std::{
    io,
    mem::MaybeUninit,
    os::fd::{AsRawFd as _, OwnedFd},
    time::Duration,
};

use super::super::Ended;
use crate::usage::Total;

/// `ru_maxrss` counts in these.
const KIB: u64 = 1024;

/// Returns nothing while it runs. The C library's `waitid` does not tell what was used.
#[expect(unsafe_code, reason = "waitid with rusage has no wrapper")]
pub(super) fn of(pidfd: &OwnedFd) -> io::Result<Option<(Ended, Total)>> {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    let mut used = MaybeUninit::<libc::rusage>::zeroed();
    let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    let (call, whose) = (libc::SYS_waitid, libc::P_PIDFD);
    let (status_room, used_room) = (info.as_mut_ptr(), used.as_mut_ptr());
    // SAFETY: both are valid for writes of what the call writes.
    let result =
        unsafe { libc::syscall(call, whose, pidfd.as_raw_fd(), status_room, options, used_room) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was zeroed, and all-zero is a valid siginfo_t.
    let info = unsafe { info.assume_init() };
    // SAFETY: waitid filled the child part of the union, or left it zero.
    if unsafe { info.si_pid() } == 0 {
        return Ok(None);
    }
    // SAFETY: as above.
    let status = unsafe { info.si_status() };
    // SAFETY: it was zeroed, and all-zero is a valid rusage.
    let used = unsafe { used.assume_init() };
    let ended = match info.si_code {
        libc::CLD_EXITED => Ended::Code(u32::try_from(status).unwrap_or_default()),
        _ => Ended::Signal(status),
    };
    Ok(Some((ended, total_of(&used))))
}

/// Until it executes, a program has the memory of whoever starts it, and the system counts that as
/// its own: a peak that is no higher than ours says nothing.
fn total_of(used: &libc::rusage) -> Total {
    let peak = used.ru_maxrss;
    let memory_peak_bytes = u64::try_from(peak).ok().filter(|_| peak > own_peak());
    Total {
        user: duration(used.ru_utime),
        system: duration(used.ru_stime),
        memory_peak_bytes: memory_peak_bytes.map(|peak| peak * KIB),
    }
}

#[expect(unsafe_code, reason = "getrusage")]
fn own_peak() -> libc::c_long {
    let mut used = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: `used` is valid for writes.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, used.as_mut_ptr()) };
    // SAFETY: it was zeroed, and all-zero is a valid rusage.
    unsafe { used.assume_init() }.ru_maxrss
}

fn duration(time: libc::timeval) -> Duration {
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::from_secs(seconds)
        + Duration::from_micros(u64::try_from(time.tv_usec).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::{os::fd::AsFd as _, process::Command};

    use rustix::event::{PollFd, PollFlags, poll};

    use super::*;
    use crate::process::Process;

    const WORK: &str = "x = bytearray(200 << 20)
while sum(__import__('os').times()[:2]) < 0.3: pass";

    #[test]
    fn work_and_memory_of_a_child_are_told_at_its_end() {
        let (ended, total) = life(Command::new("python3").args(["-c", WORK]));
        assert_eq!(ended, Ended::Code(0));
        assert!(total.user + total.system >= Duration::from_millis(250), "{total:?}");
        let peak = total.memory_peak_bytes.unwrap();
        assert!((200 << 20..400 << 20).contains(&peak), "{peak}");
        assert_eq!(life(Command::new("sh").args(["-c", "kill -9 $$"])).0, Ended::Signal(9));
    }

    #[test]
    fn a_peak_that_may_be_ours_is_not_told() {
        let held = std::hint::black_box(vec![1_u8; 32 << 20]);
        let (ended, total) = life(&mut Command::new("true"));
        assert_eq!((ended, total.memory_peak_bytes), (Ended::Code(0), None));
        assert_eq!(held.len(), 32 << 20);
    }

    fn life(command: &mut Command) -> (Ended, Total) {
        let mut child = command.spawn().unwrap();
        let process = Process::open_pid(child.id()).unwrap().unwrap();
        poll(&mut [PollFd::from_borrowed_fd(process.as_fd(), PollFlags::IN)], None).unwrap();
        let (ended, total) = process.ended_and_used().unwrap().unwrap();
        child.wait().unwrap();
        (ended, total.unwrap())
    }
}
