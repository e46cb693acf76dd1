//! The lines around those that a pattern fits.

use std::collections::VecDeque;

use mainstay_storage::read::Line;
use std::sync::Arc;

use super::Origin;

/// So many lines may be asked for around one.
pub(super) const NEIGHBOURS_MAX: usize = 10_000;

/// A line that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) line: Line,
    pub(super) origin: Arc<Origin>,
    /// Lines before it were left out, and somebody sees lines around others.
    pub(super) is_behind_gap: bool,
}

/// Chooses lines, of several logs together, that are near one that fits.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    before: usize,
    after: usize,
    /// The last lines that were not shown.
    waiting: VecDeque<Found>,
    /// So many of the next ones are shown.
    wanted: usize,
    has_shown: bool,
    has_left_out: bool,
}

impl Neighbours {
    pub(super) fn new(before: usize, after: usize) -> Self {
        Self { before, after, ..Self::default() }
    }

    /// Takes the next line, and whether it fits; adds what is to be shown now.
    pub(super) fn take(&mut self, mut found: Found, fits: bool, shown: &mut VecDeque<Found>) {
        let is_near = self.wanted > 0;
        if !fits && !is_near {
            self.waiting.push_back(found);
            if self.waiting.len() > self.before {
                self.waiting.pop_front();
                self.has_left_out = true;
            }
            return;
        }
        self.wanted = if fits { self.after } else { self.wanted - 1 };
        let has_neighbours = self.before + self.after > 0;
        let is_behind_gap = has_neighbours && self.has_shown && self.has_left_out;
        (self.has_shown, self.has_left_out) = (true, false);
        match self.waiting.front_mut() {
            Some(first) => first.is_behind_gap = is_behind_gap,
            None => found.is_behind_gap = is_behind_gap,
        }
        shown.append(&mut self.waiting);
        shown.push_back(found);
    }
}

#[cfg(test)]
mod tests {
    use mainstay_storage::{index::Stream, read::Wanted};

    use super::*;

    fn check(before: usize, after: usize, expected: &str) {
        let origin = Arc::new(Origin { unit: "web".to_owned(), wanted: Wanted::default() });
        let mut neighbours = Neighbours::new(before, after);
        let mut shown = VecDeque::new();
        // Those of `#` fit.
        for letter in b"ab#cdef#g#hij#" {
            let line = Line {
                realtime_ns: 0,
                run: 0,
                stream: Stream::Joined,
                bytes: vec![*letter],
                is_partial: false,
            };
            let found = Found { line, origin: Arc::clone(&origin), is_behind_gap: false };
            neighbours.take(found, *letter == b'#', &mut shown);
        }
        let letters = |found: &Found| {
            let gap = found.is_behind_gap.then_some('-');
            gap.into_iter().chain([char::from(found.line.bytes[0])]).collect::<String>()
        };
        let text: String = shown.iter().map(letters).collect();
        assert_eq!(text, expected, "{before} {after}");
    }

    #[test]
    fn neighbours_come_once_and_gaps_are_told() {
        check(0, 0, "####");
        check(1, 0, "b#-f#g#-j#");
        check(0, 1, "#c-#g#h-#");
        check(1, 1, "b#c-f#g#h-j#");
        check(2, 2, "ab#cdef#g#hij#");
        check(99, 0, "ab#cdef#g#hij#");
    }
}
