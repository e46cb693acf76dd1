//! How crowded the processors are: for what part of the time programs have to wait for one.

#[cfg(target_os = "linux")]
#[path = "crowding/linux.rs"]
mod imp;
#[cfg(windows)]
#[path = "crowding/windows.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "crowding/macos.rs"]
mod imp;

use std::time::Duration;

use crate::clock;

/// Two looks that are farther apart say nothing of this moment.
const APART_MAX: Duration = Duration::from_secs(10);
/// Two that are closer say nothing at all.
const APART_MIN: Duration = Duration::from_millis(20);

/// What was seen when it was last looked.
#[derive(Debug, Default)]
pub struct Crowding {
    former: Option<Look>,
}

/// What is seen at one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    at: Duration,
    /// For how many microseconds, since some instant, programs had to wait; only differences of it
    /// mean anything.
    crowded_us: i64,
    /// What the system itself says of the last seconds, in thousandths.
    lately: u16,
}

impl Crowding {
    /// Returns for what part of the time programs had to wait, in thousandths: since the last look,
    /// or in the last ten seconds, whichever was worse. 0 where the system does not say.
    ///
    /// On Linux this is pressure stall information, or, without that, the load; on Windows the part
    /// of the time since the last look in which no processor was idle. macOS does not say.
    pub fn look(&mut self) -> u16 {
        let Some(now) = imp::look(clock::monotonic()) else { return 0 };
        let former = self.former.filter(|former| now.at.saturating_sub(former.at) >= APART_MIN);
        let since = former.map_or(0, |former| between(former, now));
        if former.is_some() || self.former.is_none() {
            self.former = Some(now);
        }
        now.lately.max(since)
    }
}

fn between(former: Look, now: Look) -> u16 {
    let span = now.at.saturating_sub(former.at);
    if span > APART_MAX {
        return 0;
    }
    let part = now.crowded_us.saturating_sub(former.crowded_us).max(0).unsigned_abs();
    let share = u128::from(part) * 1000 / span.as_micros().max(1);
    u16::try_from(share.min(1000)).unwrap_or(1000)
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicBool, Ordering},
        thread,
    };

    use super::*;

    #[test]
    fn the_part_between_two_looks_counts_unless_they_are_far_apart() {
        let look = |at_ms: u64, crowded_ms: i64| Look {
            at: Duration::from_millis(at_ms),
            crowded_us: crowded_ms * 1000,
            lately: 0,
        };
        assert_eq!(between(look(0, 0), look(1000, 250)), 250);
        assert_eq!(between(look(0, 0), look(1000, 9000)), 1000);
        assert_eq!(between(look(0, 9), look(1000, 0)), 0);
        assert_eq!(between(look(0, 0), look(10_001, 10_001)), 0);
    }

    #[test]
    fn a_crowd_of_programs_is_seen_where_the_system_says_so() {
        let is_told = imp::look(clock::monotonic()).is_some();
        assert_eq!(is_told, !cfg!(target_os = "macos"));
        if !is_told {
            return;
        }
        let is_over = AtomicBool::new(false);
        let processors = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            for _ in 0..8 * processors {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        std::hint::spin_loop();
                    }
                });
            }
            let (mut crowding, mut seen) = (Crowding::default(), 0);
            let until = clock::monotonic() + Duration::from_secs(30);
            while seen == 0 && clock::monotonic() < until {
                thread::park_timeout(2 * APART_MIN);
                seen = crowding.look();
            }
            is_over.store(true, Ordering::Relaxed);
            assert!((1..=1000).contains(&seen), "{seen}");
        });
    }
}
