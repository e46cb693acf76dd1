//! `GetSystemTimes`.

use std::time::Duration;

use windows_sys::Win32::{Foundation::FILETIME, System::Threading::GetSystemTimes};

use super::Look;

const TICKS_A_MICROSECOND: i64 = 10;
/// Processors that are idle for a tenth of the time leave nobody waiting.
const IDLE_WEIGHT: i64 = 10;

#[expect(unsafe_code, reason = "GetSystemTimes")]
pub(super) fn look(at: Duration) -> Option<Look> {
    let (mut idle, mut kernel, mut user) =
        (FILETIME::default(), FILETIME::default(), FILETIME::default());
    // SAFETY: all three are valid for writes.
    let done = unsafe { GetSystemTimes(&raw mut idle, &raw mut kernel, &raw mut user) };
    if done == 0 {
        return None;
    }
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    // The kernel's time counts the idle one.
    let crowded = crowded(ticks(kernel).saturating_add(ticks(user)), ticks(idle));
    let crowded_us = crowded / TICKS_A_MICROSECOND / i64::try_from(processors).ok()?;
    Some(Look { at, crowded_us, lately: 0 })
}

/// Returns for how long nobody was idle: idle time outweighs all others.
const fn crowded(all: i64, idle: i64) -> i64 {
    all.saturating_sub(idle.saturating_mul(IDLE_WEIGHT))
}

fn ticks(time: FILETIME) -> i64 {
    let ticks = u64::from(time.dwHighDateTime) << 32 | u64::from(time.dwLowDateTime);
    i64::try_from(ticks).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_idle_time_is_no_crowd() {
        assert_eq!(crowded(1000, 100), 0);
        assert_eq!(crowded(1000, 50), 500);
        assert_eq!(crowded(1000, 0), 1000);
    }
}
