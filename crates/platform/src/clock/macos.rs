//! `CLOCK_UPTIME_RAW`: `CLOCK_MONOTONIC` goes on while this system is suspended.

use std::time::Duration;

#[expect(unsafe_code, reason = "clock_gettime of this clock has no safe wrapper")]
pub(super) fn monotonic() -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is valid for writes. The clock exists since macOS 10.12, so this cannot fail.
    unsafe { libc::clock_gettime(libc::CLOCK_UPTIME_RAW, &raw mut now) };
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    let nanos = u32::try_from(now.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanos)
}
