//! The span of time whose lines a segment holds: a day, an hour.
//!
//! Spans are counted from 1970 in UTC, so that they begin at the same moments for all logs and
//! after each restart, and a clock that is set only ends a segment early, never makes one endless.

/// The span of a live segment.
#[derive(Debug)]
pub(super) struct Span {
    /// In nanoseconds; 0 means that there are none.
    length: u64,
    /// When the first byte of the segment came, if anybody knows.
    began: Option<u64>,
    is_over: bool,
}

impl Span {
    /// Returns spans of so many seconds.
    pub(super) const fn of(seconds: u64) -> Self {
        Self { length: seconds.saturating_mul(1_000_000_000), began: None, is_over: false }
    }

    /// Takes over another length.
    pub(super) const fn change(&mut self, seconds: u64) {
        self.length = seconds.saturating_mul(1_000_000_000);
        self.is_over = false;
    }

    /// A segment becomes the live one, into which the first byte came at that time.
    pub(super) const fn begin(&mut self, at: Option<u64>) {
        self.began = at;
        self.is_over = false;
    }

    /// Bytes come at that time.
    pub(super) fn note(&mut self, now: u64) {
        self.began.get_or_insert(now);
    }

    /// Looks whether the next byte is of another span.
    pub(super) fn look(&mut self, now: u64) {
        let number = |at: u64| at.checked_div(self.length);
        self.is_over = self.began.is_some_and(|began| number(began) != number(now));
    }

    /// Returns whether it was, when somebody looked last.
    pub(super) const fn is_over(&self) -> bool {
        self.is_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn a_segment_ends_with_its_span_whatever_the_clock_does() {
        let check = |length: u64, began: u64, now: u64, expected: bool| {
            let mut span = Span::of(length);
            span.begin(Some(began * SECOND));
            span.look(now * SECOND);
            assert_eq!(span.is_over(), expected, "{length}: {began} to {now}");
        };
        check(60, 119, 119, false);
        check(60, 60, 119, false);
        check(60, 119, 120, true);
        // Set to 1970, and ten years ahead: a new segment, and so is the next one.
        check(60, 1_700_000_000, 0, true);
        check(60, 1_700_000_000, 2_000_000_000, true);
        check(0, 0, 2_000_000_000, false);
    }

    #[test]
    fn a_segment_begins_with_its_first_byte() {
        let mut span = Span::of(60);
        span.begin(None);
        span.look(500 * SECOND);
        assert!(!span.is_over());
        span.note(500 * SECOND);
        span.note(900 * SECOND);
        span.look(539 * SECOND);
        assert!(!span.is_over());
        span.look(540 * SECOND);
        assert!(span.is_over());
        span.change(3600);
        span.look(540 * SECOND);
        assert!(!span.is_over());
    }
}
