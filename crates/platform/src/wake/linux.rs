//! A timer that is never due: the kernel cancels it when the time of day changes, as it does when
//! the machine wakes up.

use std::{io, os::fd::OwnedFd, time::Duration};

use rustix::{
    io::{Errno, read},
    time::{
        ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec,
        clock_gettime, timerfd_create, timerfd_settime,
    },
};
use tokio::io::{Interest, unix::AsyncFd};

/// Clocks that differ by no more were read one after the other.
const ASLEEP_MIN: Duration = Duration::from_secs(1);
/// As late as a timer can be: never.
const NEVER: Timespec = Timespec { tv_sec: i64::MAX, tv_nsec: 0 };

#[derive(Debug)]
pub(super) struct Wakes {
    timer: AsyncFd<OwnedFd>,
    asleep: Duration,
}

impl Wakes {
    #[expect(unsafe_code, reason = "tokio asks for the promise that the descriptor stays open")]
    pub(super) fn watch() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Realtime, flags)?;
        let zero = Timespec { tv_sec: 0, tv_nsec: 0 };
        let never = Itimerspec { it_interval: zero, it_value: NEVER };
        let how = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
        timerfd_settime(&timer, how, &never)?;
        // SAFETY: `OwnedFd` owns its descriptor, closes it only when dropped and always returns the
        // same one.
        let timer = unsafe { AsyncFd::register_with_interest(timer, Interest::READABLE) };
        Ok(Self { timer: timer.map_err(io::Error::from)?, asleep: asleep() })
    }

    pub(super) async fn next(&mut self) -> io::Result<()> {
        loop {
            let mut guard = self.timer.readable().await?;
            let mut count = [0; 8];
            match read(guard.get_inner(), &mut count) {
                Err(Errno::AGAIN) => guard.clear_ready(),
                // Somebody has set the clock, or the machine has.
                Ok(_) | Err(Errno::CANCELED) => {
                    let former = std::mem::replace(&mut self.asleep, asleep());
                    if has_slept(former, self.asleep) {
                        return Ok(());
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Returns for how long the machine has been suspended since it was started.
fn asleep() -> Duration {
    let read = |clock| {
        let now = clock_gettime(clock);
        let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
        Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or_default())
    };
    // In this order, so that the difference is never too small.
    let awake = read(ClockId::Monotonic);
    read(ClockId::Boottime).saturating_sub(awake)
}

/// Returns whether the machine was suspended between two looks, and not only its clock set.
fn has_slept(former: Duration, now: Duration) -> bool {
    now.saturating_sub(former) > ASLEEP_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_is_no_sleep() {
        let seconds = Duration::from_secs;
        assert!(!has_slept(seconds(100), seconds(100)));
        assert!(!has_slept(seconds(100), seconds(101)));
        assert!(has_slept(seconds(100), seconds(101) + Duration::from_millis(1)));
        assert!(has_slept(Duration::ZERO, seconds(3600)));
    }

    #[test]
    fn two_looks_at_the_clocks_are_no_sleep() {
        let former = asleep();
        assert!(!has_slept(former, asleep()));
    }
}
