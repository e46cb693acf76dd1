//! Cuts bytes into lines, and says of each what the index knows.

use std::{iter::Peekable, ops::Range};

use super::Line;
use crate::index::{IndexRecord, SourceFlags, Stream};

/// Cuts the lines at some places out of bytes that begin at an offset of a segment.
pub(super) fn split(
    bytes: &[u8],
    from: u64,
    places: &[Range<usize>],
    index: &[IndexRecord],
) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut known = Known::default();
    let mut records = index.iter().peekable();
    let mut cuts = index.iter().filter_map(IndexRecord::interrupts).peekable();
    for place in places {
        let mut offset = from + u64::try_from(place.start).unwrap_or_default();
        let part = bytes.get(place.clone()).unwrap_or_default();
        for line in pieces(part, offset, &mut cuts) {
            while let Some(record) = records.next_if(|record| record.offset() <= offset) {
                known.learn(record);
            }
            lines.push(known.line(line));
            offset += u64::try_from(line.len()).unwrap_or_default();
        }
    }
    lines
}

/// Adds to places of some bytes the lines that are in pieces: a sieve has seen each as a whole.
pub(super) fn with_interrupted(
    bytes: &[u8],
    from: u64,
    places: Vec<Range<usize>>,
    index: &[IndexRecord],
) -> Vec<Range<usize>> {
    let cuts = index.iter().filter_map(IndexRecord::interrupts);
    let inside = cuts.filter_map(|cut| usize::try_from(cut.checked_sub(from)?).ok());
    let mut lines = inside.filter(|cut| (1..bytes.len()).contains(cut)).peekable();
    if lines.peek().is_none() {
        return places;
    }
    let mut all: Vec<Range<usize>> =
        lines.map(|cut| line_around(bytes, cut)).chain(places).collect();
    all.sort_by_key(|place| (place.start, place.end));
    all.dedup_by(|next, last| {
        let is_in = next.start < last.end;
        last.end = if is_in { last.end.max(next.end) } else { last.end };
        is_in
    });
    all
}

fn line_around(bytes: &[u8], at: usize) -> Range<usize> {
    let (before, behind) = bytes.split_at_checked(at).unwrap_or((bytes, &[]));
    let begin = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let end = behind.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| at + end + 1);
    begin..end
}

/// Cuts bytes behind each line end, and where a source was interrupted in the middle of its line.
fn pieces<'a>(
    bytes: &'a [u8],
    from: u64,
    cuts: &mut Peekable<impl Iterator<Item = u64>>,
) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut offset = from;
    for mut line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let end = offset + u64::try_from(line.len()).unwrap_or_default();
        while let Some(cut) = cuts.next_if(|cut| *cut < end) {
            let length = usize::try_from(cut.saturating_sub(offset)).unwrap_or_default();
            if length > 0
                && let Some((half, rest)) = line.split_at_checked(length)
            {
                pieces.push(half);
                (line, offset) = (rest, cut);
            }
        }
        pieces.push(line);
        offset = end;
    }
    pieces
}

struct Known {
    realtime_ns: u64,
    run: u64,
    stream: Stream,
}

impl Default for Known {
    fn default() -> Self {
        Self { realtime_ns: 0, run: 0, stream: Stream::Joined }
    }
}

impl Known {
    fn line(&self, line: &[u8]) -> Line {
        let text = line.strip_suffix(b"\n");
        Line {
            realtime_ns: self.realtime_ns,
            run: self.run,
            stream: self.stream,
            bytes: text.unwrap_or(line).to_vec(),
            is_partial: text.is_none(),
        }
    }

    fn learn(&mut self, record: &IndexRecord) {
        match *record {
            IndexRecord::Source { run, stream, .. } => (self.run, self.stream) = (run, stream),
            IndexRecord::Time { realtime_ns, .. } => self.realtime_ns = realtime_ns,
            IndexRecord::Boot { .. } | IndexRecord::Bounds { .. } | IndexRecord::Runs { .. } => {}
        }
    }
}

impl IndexRecord {
    /// Returns the offset that the record is about.
    pub const fn offset(&self) -> u64 {
        match *self {
            Self::Source { offset, .. }
            | Self::Time { offset, .. }
            | Self::Boot { offset, .. }
            | Self::Bounds { offset, .. }
            | Self::Runs { offset, .. } => offset,
        }
    }

    /// Returns the mark of the boot in which the next bytes were written, if the record names it.
    pub const fn boot(&self) -> Option<u64> {
        match *self {
            Self::Boot { mark, .. } => Some(mark),
            Self::Source { .. } | Self::Time { .. } | Self::Bounds { .. } | Self::Runs { .. } => {
                None
            }
        }
    }

    /// Returns the run whose bytes begin here, if the record says so.
    pub const fn source(&self) -> Option<u64> {
        match *self {
            Self::Source { run, .. } => Some(run),
            Self::Time { .. } | Self::Boot { .. } | Self::Bounds { .. } | Self::Runs { .. } => None,
        }
    }

    /// Returns when the next bytes came, in nanoseconds since 1970, if the record says so.
    pub const fn time(&self) -> Option<u64> {
        match *self {
            Self::Time { realtime_ns, .. } => Some(realtime_ns),
            Self::Source { .. } | Self::Boot { .. } | Self::Bounds { .. } | Self::Runs { .. } => {
                None
            }
        }
    }

    /// Returns where the source before was interrupted in the middle of its line.
    fn interrupts(&self) -> Option<u64> {
        match *self {
            Self::Source { offset, flags, .. } if flags.contains(SourceFlags::UNFINISHED) => {
                Some(offset)
            }
            Self::Source { .. }
            | Self::Time { .. }
            | Self::Boot { .. }
            | Self::Bounds { .. }
            | Self::Runs { .. } => None,
        }
    }
}
