//! The clocks of the machine.
//!
//! `monotonic` does not count suspend and is the same for all processes of one boot; `realtime` is
//! for stamps only and may jump.

#[cfg(target_os = "linux")]
#[path = "clock/linux.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "clock/macos.rs"]
mod imp;
#[cfg(windows)]
#[path = "clock/windows.rs"]
mod imp;

use std::time::{Duration, SystemTime};

/// Returns the time since an arbitrary point that is fixed for this boot.
pub fn monotonic() -> Duration {
    imp::monotonic()
}

/// Returns the time of day, which people and other machines may set.
pub fn realtime() -> SystemTime {
    SystemTime::now()
}

/// Returns the time of day as nanoseconds since 1970.
pub fn realtime_nanos() -> u64 {
    let since = realtime().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
