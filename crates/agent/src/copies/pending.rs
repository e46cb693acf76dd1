//! Lines that are read from the segments and have not arrived in the file yet.

use std::collections::VecDeque;

use mainstay_storage::read::{Cursor, Line};

/// Lines in a row, all of one segment.
#[derive(Debug)]
pub(super) struct Pending {
    begin: Cursor,
    lines: VecDeque<Raw>,
}

/// A line as it is in the segment, with its end.
#[derive(Debug)]
struct Raw {
    run: u64,
    bytes: Vec<u8>,
}

impl From<Line> for Raw {
    fn from(line: Line) -> Self {
        let Line { run, mut bytes, is_partial, .. } = line;
        if !is_partial {
            bytes.push(b'\n');
        }
        Self { run, bytes }
    }
}

impl Pending {
    /// Returns no lines, and where they would begin.
    pub(super) const fn none(begin: Cursor) -> Self {
        Self { begin, lines: VecDeque::new() }
    }

    /// Returns lines that begin there.
    pub(super) fn behind(begin: Cursor, lines: Vec<Line>) -> Self {
        Self { begin, lines: lines.into_iter().map(Raw::from).collect() }
    }

    /// Returns lines that end there.
    pub(super) fn before(end: Cursor, lines: Vec<Line>) -> Self {
        let mut pending = Self::behind(end, lines);
        let length: usize = pending.lines.iter().map(|line| line.bytes.len()).sum();
        pending.begin.offset -= u64::try_from(length).unwrap_or_default().min(end.offset);
        pending
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Returns where the next byte comes from.
    pub(super) const fn begin(&self) -> Cursor {
        self.begin
    }

    /// Returns the next lines of one run, up to the first one that leaves no room, and that run.
    pub(super) fn batch(&self, room: u64) -> (u64, Vec<u8>) {
        let run = self.lines.front().map_or(0, |line| line.run);
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let mut batch = Vec::new();
        for line in self.lines.iter().take_while(|line| line.run == run) {
            batch.extend_from_slice(&line.bytes);
            if batch.len() >= room {
                break;
            }
        }
        (run, batch)
    }

    /// So many bytes have arrived.
    pub(super) fn advance(&mut self, mut count: usize) {
        self.begin.offset += u64::try_from(count).unwrap_or_default();
        while let Some(line) = self.lines.front_mut() {
            if count < line.bytes.len() {
                line.bytes.drain(..count);
                return;
            }
            count -= line.bytes.len();
            self.lines.pop_front();
        }
    }
}
