//! Where a segment may hold what is wanted: the index says when and by whom its bytes were written.

use std::{
    collections::VecDeque,
    fs::File,
    io,
    path::{Path, PathBuf},
};

use super::{
    content::{Content, read_at},
    reader::{BLOCK_BYTES, length},
};
use crate::index::{IndexRecord, RECORD_BYTES};

const RECORD_LENGTH: u64 = 32;
/// So many records are looked at, at a time, where a time is looked up by halves.
const LOOKED_AT: u64 = 16;

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

    /// Returns whether something that is not wanted may come behind what is, even if times rise.
    pub(super) const fn may_end(&self) -> bool {
        self.until_ns.is_some() || self.run.is_some()
    }

    /// Returns whether a line is wanted; one of which nobody knows the time is, whenever it came.
    pub fn includes(&self, realtime_ns: u64, run: u64) -> bool {
        let is_in_time = self.since_ns.is_none_or(|since| realtime_ns >= since)
            && self.until_ns.is_none_or(|until| realtime_ns <= until);
        self.run.is_none_or(|wanted| wanted == run) && (realtime_ns == 0 || is_in_time)
    }
}

/// Looks for what is wanted in the index of one segment, onward only.
///
/// An index that cannot be read knows nothing: neither times nor runs.
#[derive(Debug)]
pub(super) struct Seeker {
    index: PathBuf,
    /// So many bytes of the index were read.
    read: u64,
    records: VecDeque<IndexRecord>,
    /// From here on bytes came at this time, from this run.
    from: u64,
    realtime_ns: u64,
    run: u64,
}

impl Seeker {
    /// Returns one that begins with the first byte of a segment.
    pub(super) fn new(index: PathBuf) -> Self {
        let (records, from, realtime_ns, run) = (VecDeque::new(), 0, 0, 0);
        Self { index, read: 0, records, from, realtime_ns, run }
    }

    /// Passes over what came before a time, where times rise: by halves, not record by record. It
    /// does not learn whose the bytes are.
    pub(super) fn pass_before(&mut self, since_ns: u64) {
        let Some((place, offset)) = last_before(&self.index, since_ns) else { return };
        (self.read, self.from) = (place * RECORD_LENGTH, offset);
    }

    /// Returns the first offset, from `at` on and before `end`, at which something wanted may be.
    pub(super) fn next(&mut self, at: u64, end: u64, wanted: Wanted) -> Option<u64> {
        let file = File::open(&self.index).ok();
        loop {
            if self.records.is_empty()
                && let Some(more) = file.as_ref().and_then(|file| block(file, &mut self.read))
            {
                self.records.extend(more);
                continue;
            }
            let record = self.records.front().copied();
            // A damaged index may name places that no segment has.
            let until = record.map_or(end, |record| record.offset().min(end));
            let begin = self.from.max(at);
            if until > begin && wanted.includes(self.realtime_ns, self.run) {
                return Some(begin);
            }
            self.learn(&record?);
            self.records.pop_front();
        }
    }

    fn learn(&mut self, record: &IndexRecord) {
        self.from = self.from.max(record.offset());
        self.run = record.source().unwrap_or(self.run);
        self.realtime_ns = record.time().unwrap_or(self.realtime_ns);
    }
}

/// Returns the number of the last record with a time before another one, and its offset.
fn last_before(index: &Path, since_ns: u64) -> Option<(u64, u64)> {
    let file = File::open(index).ok()?;
    let (mut low, mut high) = (0, file.metadata().ok()?.len() / RECORD_LENGTH);
    let mut found = None;
    while low < high {
        let middle = low + (high - low) / 2;
        match first_time(&file, middle, high) {
            Some((place, offset, realtime_ns)) if realtime_ns < since_ns => {
                found = Some((place, offset));
                low = place + 1;
            }
            Some(_) | None => high = middle,
        }
    }
    found
}

/// Returns number, offset and time of the first record with a time among some.
fn first_time(file: &File, from: u64, to: u64) -> Option<(u64, u64, u64)> {
    let mut place = from;
    while place < to {
        let count = LOOKED_AT.min(to - place);
        let bytes = read_at(file, place * RECORD_LENGTH, count * RECORD_LENGTH).ok()?;
        let (records, _torn) = bytes.as_chunks::<RECORD_BYTES>();
        let times = (place..).zip(records).filter_map(|(place, bytes)| {
            let record = IndexRecord::decode(bytes)?;
            Some((place, record.offset(), record.time()?))
        });
        if let Some(found) = times.into_iter().next() {
            return Some(found);
        }
        place += count;
    }
    None
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
        let bytes = content.read_filled(start, end - start)?;
        if let Some(at) = bytes.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + length(bytes.get(..=at).unwrap_or_default()));
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::fresh;
    use crate::{
        index::{SourceFlags, Stream, bounds_of, runs_of},
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
                    since_ns: dice.maybe(60),
                    until_ns: dice.maybe(60),
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
    fn places_that_no_segment_has_are_not_gone_to() {
        let folder = Folder::new("beyond");
        let stream = Stream::Joined;
        let run =
            |offset, run| IndexRecord::Source { offset, run, stream, flags: SourceFlags::NONE };
        folder.write(1, "one\n", &[run(0, 1), run(1 << 60, 2), run(1 << 61, 3)]);
        folder.write(2, "two\n", &[run(0, 2), run(1 << 60, 3), run(1 << 61, 4)]);
        let texts = |number| -> Vec<Vec<u8>> {
            let lines = folder.read(Wanted { run: Some(number), ..Wanted::default() });
            lines.into_iter().map(|line| line.bytes).collect()
        };
        assert_eq!((texts(1), texts(2)), (vec![b"one".to_vec()], vec![b"two".to_vec()]));
        assert_eq!((texts(3).len(), texts(4).len()), (0, 0));
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

    #[test]
    fn a_closed_segment_of_other_runs_is_not_even_opened() {
        let folder = Folder::new("of-others");
        let flags = SourceFlags::NONE;
        for number in 1..=4 {
            let (run, stream) = (u64::div_ceil(number, 2), Stream::Joined);
            folder.write(
                number,
                "line\n",
                &[IndexRecord::Source { offset: 0, run, stream, flags }],
            );
        }
        for number in [1, 2] {
            File::create(folder.chain().closed(number)).unwrap().write_all(b"hidden\n").unwrap();
        }
        let lines = folder.read(Wanted { run: Some(2), ..Wanted::default() });
        assert!(lines.len() == 2 && lines.iter().all(|line| line.bytes == b"line"), "{lines:?}");
        // Nor is an index read of which the end says enough.
        let index = folder.chain().index(1);
        let mut bytes = std::fs::read(&index).unwrap();
        bytes[..RECORD_BYTES].fill(0);
        File::create(index).unwrap().write_all(&bytes).unwrap();
        assert_eq!(crate::read::last_runs(&folder.chain(), 9).unwrap(), [1, 2]);
    }

    #[test]
    fn a_time_is_looked_up_without_what_is_before_it() {
        let folder = Folder::new("halves");
        let at = |line: u64| IndexRecord::Time { offset: 3 * line, realtime_ns: 10 + 2 * line };
        let records: Vec<IndexRecord> = (0..300).map(at).collect();
        folder.write(1, &"xy\n".repeat(300), &records);
        folder.write(2, "ab\n", &[]);
        let index = folder.chain().index(1);
        let bytes = std::fs::read(&index).unwrap();
        for (since, expected) in [(0, 0), (10, 0), (11, 1), (12, 1), (407, 199), (608, 299)] {
            let mut seeker = Seeker::new(index.clone());
            seeker.pass_before(since);
            let wanted = Wanted { since_ns: Some(since), ..Wanted::default() };
            assert_eq!(seeker.next(0, 900, wanted), Some(3 * expected), "since {since}");
        }
        // Of several records with the time that is asked for, the first counts.
        let same: Vec<u8> = (0..300)
            .map(|line| at(if (100..200).contains(&line) { 100 } else { line }))
            .zip((0..300).map(at))
            .map(|(time, place)| IndexRecord::Time {
                offset: place.offset(),
                realtime_ns: time.time().unwrap(),
            })
            .flat_map(|record| record.encode())
            .collect();
        File::create(&index).unwrap().write_all(&same).unwrap();
        let mut seeker = Seeker::new(index.clone());
        seeker.pass_before(210);
        let wanted = Wanted { since_ns: Some(210), ..Wanted::default() };
        assert_eq!(seeker.next(0, 900, wanted), Some(300));
        // What is far before the time may be damaged.
        let mut damaged = bytes;
        damaged[..50 * RECORD_BYTES].fill(0xff);
        File::create(&index).unwrap().write_all(&damaged).unwrap();
        let lines = folder.read(Wanted { since_ns: Some(407), ..Wanted::default() });
        assert_eq!(lines.len(), 101 + 1);
    }

    #[test]
    fn whose_lines_are_is_known_where_a_time_is_asked_for_as_well() {
        let folder = Folder::new("run-and-time");
        let (stream, flags) = (Stream::Joined, SourceFlags::NONE);
        let at = |line: u64| IndexRecord::Time { offset: 3 * line, realtime_ns: 10 + 2 * line };
        let mut records = vec![IndexRecord::Source { offset: 0, run: 5, stream, flags }];
        records.extend((0..300).map(at));
        folder.write(1, &"xy\n".repeat(300), &records);
        folder.write(2, "ab\n", &[]);
        let wanted = Wanted { since_ns: Some(407), run: Some(5), ..Wanted::default() };
        let lines = folder.read(wanted).into_iter();
        assert_eq!(lines.filter(|line| wanted.includes(line.realtime_ns, line.run)).count(), 101);
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
                let (records, offset) = (IndexRecord::decode_all(&bytes), live.len());
                let runs = runs_of(&records).map(|runs| IndexRecord::Runs { offset, runs });
                let bounds =
                    bounds_of(&records).map(|bounds| IndexRecord::Bounds { offset, bounds });
                bytes.extend(runs.iter().chain(&bounds).flat_map(IndexRecord::encode));
                if !bytes.is_empty() {
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
        /// begins; the clock goes back now and then, or never.
        fn fill(&self, dice: &mut Dice) {
            // A time of 0 is none: nothing would be looked up by halves.
            let (goes_back, mut now) = (dice.roll(2) == 0, 1);
            let flags = [SourceFlags::NONE, SourceFlags::UNFINISHED];
            for number in 1..=1 + dice.roll(5) {
                let line = |dice: &mut Dice| "x".repeat(dice.index(9)) + "\n";
                let lines = 1 + dice.index(30);
                let text: String = (0..lines).map(|_| line(dice)).collect();
                let mut offset = if dice.roll(4) == 0 { 3 } else { 0 };
                let mut records = Vec::new();
                while offset < length(text.as_bytes()) && dice.roll(9) > 0 {
                    let flags = flags[dice.index(2)];
                    let (run, stream) = (dice.roll(5), Stream::Joined);
                    now = if goes_back { dice.roll(60) } else { now + dice.roll(3) };
                    let source = IndexRecord::Source { offset, run, stream, flags };
                    let time = IndexRecord::Time { offset, realtime_ns: now };
                    match dice.roll(3) {
                        0 => records.extend([source, time]),
                        1 => records.push(source),
                        _ => records.push(time),
                    }
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
