//! How soon a pipe is read again: late enough that each read is worth its cost, early enough that
//! the program never waits for us.

use std::time::Duration;

/// The longest rest after a short read.
const REST_MAX: Duration = Duration::from_millis(1);
/// To sleep for less than this costs more than it saves.
const REST_MIN: Duration = Duration::from_micros(50);

/// How fast the program at the other end of a pipe writes, as far as that matters.
#[derive(Debug)]
pub(super) struct Pace {
    rest: Duration,
    is_resting: bool,
}

impl Pace {
    pub(super) const fn new() -> Self {
        Self { rest: REST_MAX, is_resting: false }
    }

    /// Learns from a short read how much gathers in a rest, and returns how long the next one is.
    pub(super) fn rest(&mut self, moved: usize, capacity: usize) -> Duration {
        self.learn(moved, capacity);
        self.is_resting = true;
        self.rest
    }

    /// Learns from a read after which there is no rest.
    ///
    /// What gathers in a rest is kept well below what the pipe holds: a program that has filled its
    /// pipe waits for us, and a batch that fits into a processor's cache is copied faster.
    pub(super) fn learn(&mut self, moved: usize, capacity: usize) {
        if !std::mem::take(&mut self.is_resting) {
            return;
        }
        if moved >= capacity / 4 {
            self.rest = (self.rest / 2).max(REST_MIN);
        } else if moved < capacity / 16 {
            self.rest = (self.rest * 2).min(REST_MAX);
        }
    }

    /// Notes that nothing waits: the next read comes with the next byte, not after a rest.
    pub(super) const fn pause(&mut self) {
        self.is_resting = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPACITY: usize = 1024 * 1024;

    #[test]
    fn a_fast_program_shortens_the_rest_and_a_slow_one_gets_it_back() {
        let mut pace = Pace::new();
        assert_eq!(pace.rest(100, CAPACITY), REST_MAX);
        for _ in 0..20 {
            pace.rest(CAPACITY / 3, CAPACITY);
        }
        assert_eq!(pace.rest(CAPACITY / 8, CAPACITY), REST_MIN, "kept while it fits");
        for _ in 0..20 {
            pace.rest(100, CAPACITY);
        }
        assert_eq!(pace.rest(100, CAPACITY), REST_MAX);
    }

    #[test]
    fn only_what_gathered_in_a_rest_counts() {
        let mut pace = Pace::new();
        pace.rest(100, CAPACITY);
        pace.pause();
        assert_eq!(pace.rest(CAPACITY, CAPACITY), REST_MAX, "the first read after a pause");
        pace.learn(CAPACITY, CAPACITY);
        pace.learn(CAPACITY, CAPACITY);
        assert_eq!(pace.rest(CAPACITY, CAPACITY), REST_MAX / 2, "reads without a rest between");
    }
}
