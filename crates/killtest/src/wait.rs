//! Waiting for what will be true soon.

use std::{thread, time::Duration};

use mainstay_platform::clock;

use crate::trial::Broken;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Looks until something is there; fails after `within`.
pub(crate) fn wait_for<T>(
    what: &str,
    within: Duration,
    mut look: impl FnMut() -> Option<T>,
) -> Result<T, Broken> {
    let until = clock::monotonic() + within;
    loop {
        if let Some(found) = look() {
            return Ok(found);
        }
        if clock::monotonic() >= until {
            return Err(Broken::Late { what: what.to_owned(), within });
        }
        rest(LOOK_EVERY);
    }
}

/// Lets a chosen moment come.
pub(crate) fn rest(time: Duration) {
    let until = clock::monotonic() + time;
    while let Some(left) = until.checked_sub(clock::monotonic()).filter(|left| !left.is_zero()) {
        thread::park_timeout(left);
    }
}
