//! `CLOCK_MONOTONIC`, and `CLOCK_BOOTTIME`.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

pub(super) fn monotonic() -> Duration {
    read(ClockId::Monotonic)
}

pub(super) fn since_boot() -> Duration {
    read(ClockId::Boottime)
}

fn read(clock: ClockId) -> Duration {
    let now = clock_gettime(clock);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    let nanos = u32::try_from(now.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanos)
}
