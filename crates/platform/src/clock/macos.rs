//! `CLOCK_UPTIME_RAW`: `CLOCK_MONOTONIC` goes on while this system is suspended.

use std::time::Duration;

pub(super) fn monotonic() -> Duration {
    read(libc::CLOCK_UPTIME_RAW)
}

pub(super) fn since_boot() -> Duration {
    read(libc::CLOCK_MONOTONIC)
}

#[expect(unsafe_code, reason = "clock_gettime of these clocks has no safe wrapper")]
fn read(clock: libc::clockid_t) -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is valid for writes. The clocks exist since macOS 10.12, so this cannot fail.
    unsafe { libc::clock_gettime(clock, &raw mut now) };
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    let nanos = u32::try_from(now.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanos)
}
