//! Where a segment may hold what is wanted: the index says when and by whom its bytes were written.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::Path,
};

use super::{
    content::{Content, read_at},
    reader::{BLOCK_BYTES, length},
};
use crate::index::{Bounds, IndexRecord, RECORD_BYTES};

/// What is wanted of a log, as far as an index knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// From this time on, in nanoseconds since 1970.
    pub since_ns: Option<u64>,
    /// Up to this time.
    pub until_ns: Option<u64>,
    /// What this run wrote.
    pub run: Option<u64>,
}

impl Wanted {
    /// Returns whether anything is asked for.
    pub const fn is_some(&self) -> bool {
        self.since_ns.is_some() || self.until_ns.is_some() || self.run.is_some()
    }

    /// Returns whether a line is wanted; one of which nobody knows the time is, whenever it came.
    pub fn includes(&self, realtime_ns: u64, run: u64) -> bool {
        let is_in_time = self.since_ns.is_none_or(|since| realtime_ns >= since)
            && self.until_ns.is_none_or(|until| realtime_ns <= until);
        self.run.is_none_or(|wanted| wanted == run) && (realtime_ns == 0 || is_in_time)
    }
}

/// Returns the first offset before `end` at which something wanted may be.
///
/// An index that cannot be read knows nothing: neither times nor runs.
pub(super) fn first_wanted(index: &Path, end: u64, wanted: Wanted) -> Option<u64> {
    let (mut from, mut realtime_ns, mut run) = (0, 0, 0);
    let mut read = 0;
    let file = File::open(index).ok();
    while let Some(records) = file.as_ref().and_then(|file| block(file, &mut read)) {
        for record in records {
            if record.offset() > from && wanted.includes(realtime_ns, run) {
                return Some(from);
            }
            from = from.max(record.offset());
            match record {
                IndexRecord::Source { run: by, .. } => run = by,
                IndexRecord::Time { realtime_ns: at, .. } => realtime_ns = at,
                IndexRecord::Boot { .. } | IndexRecord::Bounds { .. } => {}
            }
        }
    }
    (from < end && wanted.includes(realtime_ns, run)).then_some(from)
}

/// Returns whether an index says that all of its closed segment came at other times.
pub(super) fn is_outside(index: &Path, wanted: Wanted) -> bool {
    // A time of 0 is none.
    let Some(bounds) = bounds(index).filter(|bounds| bounds.earliest_ns > 0) else { return false };
    wanted.since_ns.is_some_and(|since| bounds.latest_ns < since)
        || wanted.until_ns.is_some_and(|until| bounds.earliest_ns > until)
}

/// Returns the bounds of a closed segment, where its index ends with it.
fn bounds(index: &Path) -> Option<Bounds> {
    let mut file = File::open(index).ok()?;
    let end = file.metadata().ok()?.len();
    let size = length(&[0; RECORD_BYTES]);
    let mut last = [0; RECORD_BYTES];
    // A torn record behind it would be of another end.
    file.seek(SeekFrom::Start(end.checked_sub(size).filter(|_| end % size == 0)?)).ok()?;
    file.read_exact(&mut last).ok()?;
    match IndexRecord::decode(&last)? {
        IndexRecord::Bounds { bounds, .. } => Some(bounds),
        IndexRecord::Source { .. } | IndexRecord::Time { .. } | IndexRecord::Boot { .. } => None,
    }
}

/// Returns the next records of an index; nothing at its end.
pub(super) fn block(file: &File, read: &mut u64) -> Option<Vec<IndexRecord>> {
    let bytes = read_at(file, *read, BLOCK_BYTES).ok()?;
    let whole = bytes.get(..bytes.len() / RECORD_BYTES * RECORD_BYTES)?;
    *read += length(whole);
    (!whole.is_empty()).then(|| IndexRecord::decode_all(whole))
}

/// Returns where the line begins that an offset is in.
pub(super) fn line_around(content: &mut Content, offset: u64) -> io::Result<u64> {
    let mut end = offset;
    while end > 0 {
        let start = end.saturating_sub(BLOCK_BYTES);
        let bytes = content.read_at(start, end - start)?;
        if let Some(at) = bytes.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + length(bytes.get(..=at).unwrap_or_default()));
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, path::PathBuf};

    use super::*;
    use crate::fresh;
    use crate::{
        index::{SourceFlags, Stream, bounds_of},
        read::{Line, Reader, begin},
        segment::ChainFiles,
    };

    #[test]
    fn nothing_that_is_wanted_is_passed_over() {
        let mut dice = Dice(7);
        for round in 0..60 {
            let folder = Folder::new(&format!("any-{round}"));
            folder.fill(&mut dice);
            let all = folder.read(Wanted::default());
            for _ in 0..20 {
                let wanted = Wanted {
                    since_ns: dice.maybe(40),
                    until_ns: dice.maybe(40),
                    run: dice.maybe(5),
                };
                let is_wanted = |line: &&Line| wanted.includes(line.realtime_ns, line.run);
                let expected: Vec<&Line> = all.iter().filter(is_wanted).collect();
                let found = folder.read(wanted);
                let found: Vec<&Line> = found.iter().filter(is_wanted).collect();
                assert_eq!(found, expected, "round {round}: {wanted:?}");
            }
        }
    }

    #[test]
    fn what_is_old_is_not_read() {
        let folder = Folder::new("old");
        for number in 1..=20 {
            let text = format!("{number} old\n{number} new\n");
            let half = u64::try_from(text.len() / 2).unwrap();
            let at = |offset, realtime_ns| IndexRecord::Time { offset, realtime_ns };
            folder.write(number, &text, &[at(0, 10 * number), at(half, 10 * number + 5)]);
        }
        let since = |since| Wanted { since_ns: Some(since), ..Wanted::default() };
        let texts = |wanted| -> Vec<String> {
            let lines = folder.read(wanted).into_iter();
            lines.map(|line| String::from_utf8(line.bytes).unwrap()).collect()
        };
        assert_eq!(texts(since(195)), ["19 new", "20 old", "20 new"]);
        assert_eq!(texts(since(205)), ["20 new"]);
        assert_eq!(texts(since(206)), [""; 0]);
    }

    #[test]
    fn a_closed_segment_of_other_times_is_not_even_opened() {
        let folder = Folder::new("outside");
        let at = |realtime_ns| [IndexRecord::Time { offset: 0, realtime_ns }];
        for number in 1..=4 {
            folder.write(number, "line\n", &at(10 * number));
        }
        // What is in the others tells whether they were looked into.
        for number in [1, 3] {
            File::create(folder.chain().closed(number)).unwrap().write_all(b"hidden\n").unwrap();
        }
        let check = |since_ns, until_ns, expected| {
            let lines = folder.read(Wanted { since_ns, until_ns, run: None });
            assert_eq!(lines.len(), expected, "{since_ns:?} {until_ns:?}");
            assert!(lines.iter().all(|line| line.bytes == b"line"), "{lines:?}");
        };
        check(Some(15), Some(25), 1);
        check(Some(40), None, 1);
        check(Some(41), None, 0);
        check(Some(11), Some(19), 0);
    }

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            Self(fresh::folder(&format!("seek-{name}")))
        }

        fn chain(&self) -> ChainFiles {
            ChainFiles::new(&self.0, "web")
        }

        /// Writes the next segment; the one before is closed, with its bounds where it has one.
        fn write(&self, number: u64, text: &str, records: &[IndexRecord]) {
            let chain = self.chain();
            if let Ok(live) = std::fs::metadata(chain.live()) {
                let index = chain.index(number - 1);
                let mut bytes = std::fs::read(&index).unwrap_or_default();
                if let Some(bounds) = bounds_of(&IndexRecord::decode_all(&bytes)) {
                    bytes.extend(IndexRecord::Bounds { offset: live.len(), bounds }.encode());
                    File::create(index).unwrap().write_all(&bytes).unwrap();
                }
                chain.close(number - 1).unwrap();
            }
            File::create(chain.live()).unwrap().write_all(text.as_bytes()).unwrap();
            let bytes: Vec<u8> = records.iter().flat_map(IndexRecord::encode).collect();
            if !bytes.is_empty() {
                File::create(chain.index(number)).unwrap().write_all(&bytes).unwrap();
            }
        }

        /// Makes segments with lines of any length, and records anywhere, not only where a line
        /// begins; the clock goes back now and then.
        fn fill(&self, dice: &mut Dice) {
            let flags = [SourceFlags::NONE, SourceFlags::UNFINISHED];
            for number in 1..=1 + dice.roll(5) {
                let line = |dice: &mut Dice| "x".repeat(dice.index(9)) + "\n";
                let lines = 1 + dice.index(12);
                let text: String = (0..lines).map(|_| line(dice)).collect();
                let mut offset = if dice.roll(4) == 0 { 3 } else { 0 };
                let mut records = Vec::new();
                while offset < length(text.as_bytes()) && dice.roll(9) > 0 {
                    let flags = flags[dice.index(2)];
                    let (run, stream) = (dice.roll(5), Stream::Joined);
                    records.push(match dice.roll(2) {
                        0 => IndexRecord::Source { offset, run, stream, flags },
                        _ => IndexRecord::Time { offset, realtime_ns: dice.roll(40) },
                    });
                    offset += dice.roll(9);
                }
                self.write(number, &text, &records);
            }
        }

        fn read(&self, wanted: Wanted) -> Vec<Line> {
            let chain = self.chain();
            let from = begin(&chain).unwrap();
            let mut reader = Reader::new(chain, from).only(wanted);
            let mut lines = Vec::new();
            while let Some(block) = reader.next_block().unwrap() {
                lines.extend(block.lines);
            }
            lines
        }
    }

    struct Dice(u64);

    impl Dice {
        fn roll(&mut self, sides: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (self.0 >> 33) % sides
        }

        fn index(&mut self, sides: u64) -> usize {
            usize::try_from(self.roll(sides)).unwrap()
        }

        fn maybe(&mut self, sides: u64) -> Option<u64> {
            let value = self.roll(sides);
            (self.roll(2) == 0).then_some(value)
        }
    }
}
