//! How memory is taken from the system and given back to it.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[path = "memory/glibc.rs"]
mod imp;
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
#[path = "memory/other.rs"]
mod imp;

use std::time::Duration;

/// Less work than this is no burst.
const BURST: usize = 100;
/// A burst is over when nothing was done for this long.
const OVER_AFTER: Duration = Duration::from_secs(1);

/// Knows when a burst of work is over, whose memory is then given back: once, and never in a storm.
#[derive(Debug, Default)]
pub struct Bursts {
    work: usize,
    over_at: Option<Duration>,
}

impl Bursts {
    /// Counts work that took memory for a while: runs that were started, units that were listed.
    pub fn count(&mut self, now: Duration, work: usize) {
        self.work += work;
        if self.work >= BURST {
            self.over_at = Some(now + OVER_AFTER);
        }
    }

    /// Returns when to call [`end`](Self::end), if ever.
    pub const fn next_deadline(&self) -> Option<Duration> {
        self.over_at
    }

    /// Returns whether a burst is over, once for each.
    pub fn end(&mut self, now: Duration) -> bool {
        let is_over = self.over_at.is_some_and(|at| now >= at);
        if is_over {
            *self = Self::default();
        }
        is_over
    }
}

/// Makes the allocator of this process prefer a small process to a fast one.
///
/// For processes that mostly sleep. Must be called before a second thread is started. Does nothing
/// where the allocator cannot be asked.
pub fn be_thrifty() {
    imp::be_thrifty();
}

/// Gives memory that is not used any more back to the system.
///
/// Takes up to a millisecond for each ten megabytes; worth it after a burst, not in it.
pub fn give_back() {
    imp::give_back();
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_burst_is_over_once_and_a_storm_never() {
        let mut bursts = Bursts::default();
        for second in 0..50 {
            bursts.count(SECOND * second, BURST / 10);
            assert!(!bursts.end(SECOND * second), "still at it in second {second}");
        }
        let over_at = bursts.next_deadline();
        assert_eq!(over_at, Some(SECOND * 50));
        assert!(bursts.end(SECOND * 50));
        assert!(!bursts.end(SECOND * 60));
        assert_eq!(bursts.next_deadline(), None);
    }

    #[test]
    fn a_little_work_now_and_then_wakes_nobody_up() {
        let mut bursts = Bursts::default();
        bursts.count(SECOND, BURST - 1);
        assert_eq!(bursts.next_deadline(), None);
    }
}
