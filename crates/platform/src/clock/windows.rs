//! Interrupt time without suspend.

use std::time::Duration;

use windows_sys::Win32::System::WindowsProgramming::QueryUnbiasedInterruptTime;

/// The unit of the system's clock.
const TICK_NANOS: u64 = 100;

#[expect(unsafe_code, reason = "QueryUnbiasedInterruptTime")]
pub(super) fn monotonic() -> Duration {
    let mut ticks = 0;
    // SAFETY: `ticks` is valid for writes; the call fails for a null pointer alone.
    unsafe { QueryUnbiasedInterruptTime(&raw mut ticks) };
    Duration::from_nanos(ticks.saturating_mul(TICK_NANOS))
}
