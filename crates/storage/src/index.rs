//! The index beside a segment: whose bytes begin where, and when they came.
//!
//! Records have a fixed size, so that a damaged one costs only itself:
//!
//! ```text
//! kind u8 │ stream u8 │ flags u8 │ 0 │ offset u64 │ value u64 │ second value u64 │ crc u32
//! ```
//!
//! Later versions add kinds: records of a kind that is not known here are left where they are.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::Path,
};

/// The size of a record.
pub const RECORD_BYTES: usize = 32;
const RECORD_LENGTH: u64 = 32;

/// So much of the end of an index is asked for the last time.
const END_BYTES: u64 = 128 * RECORD_LENGTH;

const KIND_SOURCE: u8 = 1;
const KIND_TIME: u8 = 2;
const KIND_BOOT: u8 = 3;
const KIND_BOUNDS: u8 = 4;
const KIND_RUNS: u8 = 5;

/// The flag of bounds whose times never fall.
const RISES: u8 = 1;

/// One record of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexRecord {
    /// From this offset on the bytes are of this source.
    Source {
        /// Where its first byte is.
        offset: u64,
        /// The run that wrote it.
        run: u64,
        /// The stream it came from.
        stream: Stream,
        /// What is special about the place.
        flags: SourceFlags,
    },
    /// The byte at this offset came at this time of day.
    Time {
        /// Where the byte is.
        offset: u64,
        /// Nanoseconds since 1970.
        realtime_ns: u64,
    },
    /// From this offset on the bytes were written in this boot; see [`boot_mark`].
    Boot {
        /// Where the first of them is.
        offset: u64,
        /// Which boot.
        mark: u64,
    },
    /// The segment ends here, and each of its bytes came between these times.
    ///
    /// As the last record of a closed segment it is believed; whoever seeks a time need not read
    /// the others. It is not where it would be wrong: where the time of some bytes is not known.
    Bounds {
        /// Where the segment ends.
        offset: u64,
        /// The times of its bytes.
        bounds: Bounds,
    },
    /// The segment ends here, and none but these runs wrote to it.
    ///
    /// As the last record of a closed segment, or the one before its bounds, it is believed.
    Runs {
        /// Where the segment ends.
        offset: u64,
        /// The runs.
        runs: RunSpan,
    },
}

/// From when to when bytes came: a clock may be set back, so neither need be at an end of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Nanoseconds since 1970.
    pub earliest_ns: u64,
    /// The same.
    pub latest_ns: u64,
    /// Whether a time may be looked up by halves.
    pub order: Order,
}

/// How the times of a segment follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// None is before the one before it.
    Rising,
    /// A clock was set back, or nobody has noted that none was.
    Any,
}

/// From which run to which one bytes came; some between them may have written nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunSpan {
    /// The oldest.
    pub lowest: u64,
    /// The newest.
    pub highest: u64,
}

impl RunSpan {
    /// Returns the span of one run.
    pub const fn of(run: u64) -> Self {
        Self { lowest: run, highest: run }
    }

    /// Returns the span with one more run in it.
    #[must_use]
    pub fn with(self, run: u64) -> Self {
        Self { lowest: self.lowest.min(run), highest: self.highest.max(run) }
    }

    /// Returns whether a run may have written there.
    pub const fn contains(self, run: u64) -> bool {
        self.lowest <= run && run <= self.highest
    }
}

impl Bounds {
    /// Returns the bounds of one time.
    pub const fn of(realtime_ns: u64) -> Self {
        Self { earliest_ns: realtime_ns, latest_ns: realtime_ns, order: Order::Rising }
    }

    /// Returns the bounds with the next time in them.
    #[must_use]
    pub fn with(self, realtime_ns: u64) -> Self {
        // While times rise the latest one is the last one.
        let falls = realtime_ns < self.latest_ns;
        Self {
            earliest_ns: self.earliest_ns.min(realtime_ns),
            latest_ns: self.latest_ns.max(realtime_ns),
            order: if falls { Order::Any } else { self.order },
        }
    }
}

/// Returns the bounds of the times of all bytes of a segment; nothing when that of some is not known.
pub fn bounds_of(records: &[IndexRecord]) -> Option<Bounds> {
    let times = records.iter().filter_map(|record| Some((record.offset(), record.time()?)));
    let mut times = times.peekable();
    let (_, first) = times.peek().copied().filter(|(offset, _)| *offset == 0)?;
    Some(times.fold(Bounds::of(first), |bounds, (_, realtime_ns)| bounds.with(realtime_ns)))
}

/// Returns the span of the runs that wrote to a segment; nothing when none is known.
pub fn runs_of(records: &[IndexRecord]) -> Option<RunSpan> {
    let runs = records.iter().filter_map(IndexRecord::source);
    runs.fold(None, |span: Option<RunSpan>, run| {
        Some(span.map_or_else(|| RunSpan::of(run), |span| span.with(run)))
    })
}

/// Returns the number that stands for a boot's identity in an index.
pub fn boot_mark(identity: &str) -> u64 {
    crc32fast::hash(identity.as_bytes()).into()
}

/// The stream that bytes came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stream {
    /// stdout and stderr in one pipe.
    Joined,
    /// stdout.
    Out,
    /// stderr.
    Err,
}

/// What is special about the place where a source begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SourceFlags(u8);

impl SourceFlags {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// The source before was interrupted in the middle of its line.
    pub const UNFINISHED: Self = Self(1);
    /// The segment ends in the middle of a line that the next one continues.
    pub const CONTINUED: Self = Self(2);

    /// Returns whether all of `flags` are set.
    pub const fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }
}

impl IndexRecord {
    /// Returns the record as it is stored.
    pub fn encode(&self) -> [u8; RECORD_BYTES] {
        let ([kind, stream, flags], numbers) = match *self {
            Self::Source { offset, run, stream, flags } => {
                ([KIND_SOURCE, stream.code(), flags.0], [offset, run, 0])
            }
            Self::Time { offset, realtime_ns } => ([KIND_TIME, 0, 0], [offset, realtime_ns, 0]),
            Self::Boot { offset, mark } => ([KIND_BOOT, 0, 0], [offset, mark, 0]),
            Self::Bounds { offset, bounds } => {
                let flags = if bounds.order == Order::Rising { RISES } else { 0 };
                ([KIND_BOUNDS, 0, flags], [offset, bounds.earliest_ns, bounds.latest_ns])
            }
            Self::Runs { offset, runs } => ([KIND_RUNS, 0, 0], [offset, runs.lowest, runs.highest]),
        };
        let mut bytes = [0; RECORD_BYTES];
        let (body, crc) = bytes.split_at_mut(RECORD_BYTES - 4);
        let head = [kind, stream, flags, 0];
        let fields = head.into_iter().chain(numbers.into_iter().flat_map(u64::to_le_bytes));
        for (slot, byte) in body.iter_mut().zip(fields) {
            *slot = byte;
        }
        crc.copy_from_slice(&crc32fast::hash(body).to_le_bytes());
        bytes
    }

    /// Reads a record; nothing when it is damaged or of a kind that we do not know.
    pub fn decode(bytes: &[u8; RECORD_BYTES]) -> Option<Self> {
        let (body, crc) = bytes.split_last_chunk::<4>()?;
        if crc32fast::hash(body) != u32::from_le_bytes(*crc) {
            return None;
        }
        let ([kind, stream, flags, _], rest) = body.split_first_chunk::<4>()?;
        let (offset, rest) = rest.split_first_chunk::<8>()?;
        let (value, rest) = rest.split_first_chunk::<8>()?;
        let (second, _) = rest.split_first_chunk::<8>()?;
        let [offset, value, second] = [offset, value, second].map(|n| u64::from_le_bytes(*n));
        match *kind {
            KIND_SOURCE => {
                let stream = Stream::from_code(*stream)?;
                Some(Self::Source { offset, run: value, stream, flags: SourceFlags(*flags) })
            }
            KIND_TIME => Some(Self::Time { offset, realtime_ns: value }),
            KIND_BOOT => Some(Self::Boot { offset, mark: value }),
            KIND_BOUNDS => {
                let order = if flags & RISES == 0 { Order::Any } else { Order::Rising };
                let bounds = Bounds { earliest_ns: value, latest_ns: second, order };
                Some(Self::Bounds { offset, bounds })
            }
            KIND_RUNS => {
                Some(Self::Runs { offset, runs: RunSpan { lowest: value, highest: second } })
            }
            _ => None,
        }
    }

    /// Reads every whole record; a torn end and damaged records are left out.
    pub fn decode_all(bytes: &[u8]) -> Vec<Self> {
        let (records, _torn) = bytes.as_chunks::<RECORD_BYTES>();
        records.iter().filter_map(Self::decode).collect()
    }
}

impl Stream {
    const fn code(self) -> u8 {
        match self {
            Self::Joined => 0,
            Self::Out => 1,
            Self::Err => 2,
        }
    }

    const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Joined),
            1 => Some(Self::Out),
            2 => Some(Self::Err),
            _ => None,
        }
    }
}

/// Returns the last time that an index names; nothing when its end names none.
pub fn last_time(path: &Path) -> Option<u64> {
    let mut file = File::open(path).ok()?;
    let whole = file.metadata().ok()?.len() / RECORD_LENGTH * RECORD_LENGTH;
    file.seek(SeekFrom::Start(whole.saturating_sub(END_BYTES))).ok()?;
    let mut end = Vec::new();
    file.take(END_BYTES.min(whole)).read_to_end(&mut end).ok()?;
    IndexRecord::decode_all(&end).iter().rev().find_map(IndexRecord::time)
}

/// Cuts off what must not stand before the next record, whose offset is `end`: a torn record, which
/// would shift all that follow, and records about bytes that the segment has lost.
pub fn mend(file: &File, end: u64) -> io::Result<()> {
    let length = file.metadata()?.len();
    let torn = length % RECORD_LENGTH;
    if torn == 0 && !is_ahead(file, length, end)? {
        return Ok(());
    }
    let (mut file, mut bytes) = (file, Vec::new());
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    let (records, _torn) = bytes.as_chunks::<RECORD_BYTES>();
    let is_of_lost = |bytes: &[u8; RECORD_BYTES]| {
        IndexRecord::decode(bytes).is_some_and(|record| record.offset() > end)
    };
    let sound = records.iter().position(is_of_lost).unwrap_or(records.len());
    file.set_len(u64::try_from(sound).unwrap_or_default() * RECORD_LENGTH)
}

/// Returns whether the last record is about bytes that are not there.
fn is_ahead(mut file: &File, length: u64, end: u64) -> io::Result<bool> {
    let Some(start) = length.checked_sub(RECORD_LENGTH) else { return Ok(false) };
    let mut last = [0; RECORD_BYTES];
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(&mut last)?;
    Ok(IndexRecord::decode(&last).is_some_and(|record| record.offset() > end))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::fresh;

    const RECORDS: [IndexRecord; 6] = [
        IndexRecord::Source {
            offset: 0,
            run: 7,
            stream: Stream::Err,
            flags: SourceFlags::UNFINISHED,
        },
        IndexRecord::Time { offset: 10, realtime_ns: u64::MAX },
        IndexRecord::Source {
            offset: 99,
            run: 8,
            stream: Stream::Joined,
            flags: SourceFlags::NONE,
        },
        IndexRecord::Boot { offset: 99, mark: 7 },
        IndexRecord::Bounds {
            offset: 99,
            bounds: Bounds { earliest_ns: 3, latest_ns: u64::MAX, order: Order::Rising },
        },
        IndexRecord::Runs { offset: 99, runs: RunSpan { lowest: 7, highest: 8 } },
    ];

    #[test]
    fn records_come_back_as_they_were() {
        let bytes: Vec<u8> = RECORDS.iter().flat_map(IndexRecord::encode).collect();
        assert_eq!(IndexRecord::decode_all(&bytes), RECORDS);
    }

    #[test]
    fn a_damaged_record_costs_only_itself_and_a_torn_end_nothing_more() {
        let bytes: Vec<u8> = RECORDS.iter().flat_map(IndexRecord::encode).collect();
        for at in 0..RECORD_BYTES {
            let mut damaged = bytes.clone();
            damaged[RECORD_BYTES + at] ^= 0x10;
            assert_eq!(
                IndexRecord::decode_all(&damaged),
                [&RECORDS[..1], &RECORDS[2..]].concat(),
                "byte {at}"
            );
            let torn = &bytes[..2 * RECORD_BYTES + at];
            assert_eq!(IndexRecord::decode_all(torn), RECORDS[..2], "torn at {at}");
        }
    }

    #[test]
    fn bounds_hold_all_times_and_are_not_guessed() {
        let at = |offset, realtime_ns| IndexRecord::Time { offset, realtime_ns };
        let bounds = |earliest_ns, latest_ns, order| Some(Bounds { earliest_ns, latest_ns, order });
        let (rising, any) = (Order::Rising, Order::Any);
        assert_eq!(bounds_of(&[RECORDS[0], at(0, 7), at(9, 3), at(20, 5)]), bounds(3, 7, any));
        assert_eq!(bounds_of(&[at(0, 3), at(9, 3), at(20, 5)]), bounds(3, 5, rising));
        // It does not begin to rise again.
        assert_eq!(bounds_of(&[at(0, 3), at(9, 2), at(20, 5)]), bounds(2, 5, any));
        // Nobody knows when the first bytes came.
        assert_eq!(bounds_of(&[at(9, 3), at(20, 5)]), None);
        assert_eq!(bounds_of(&[]), None);
    }

    #[test]
    fn the_runs_of_a_segment_are_between_its_oldest_and_its_newest() {
        let span = |lowest, highest| Some(RunSpan { lowest, highest });
        assert_eq!(runs_of(&RECORDS), span(7, 8));
        assert_eq!(runs_of(&[RECORDS[2], RECORDS[0]]), span(7, 8));
        assert_eq!(runs_of(&RECORDS[3..]), None);
    }

    #[test]
    fn the_last_time_is_found_behind_others_and_before_a_torn_end() {
        let path = fresh::folder("last-time").join("own");
        let check = |length: usize, expected: Option<u64>| {
            let mut bytes: Vec<u8> = RECORDS.iter().flat_map(IndexRecord::encode).collect();
            bytes.truncate(length);
            File::create(&path).unwrap().write_all(&bytes).unwrap();
            assert_eq!(last_time(&path), expected, "{length} bytes");
        };
        check(4 * RECORD_BYTES, Some(u64::MAX));
        check(2 * RECORD_BYTES + 5, Some(u64::MAX));
        check(2 * RECORD_BYTES - 1, None);
        check(0, None);
        assert_eq!(last_time(&path.with_extension("none")), None);
    }

    #[test]
    fn nothing_that_would_mislead_stands_before_the_next_record() {
        let bytes: Vec<u8> = RECORDS.iter().flat_map(IndexRecord::encode).collect();
        let path = fresh::folder("index").join("own");
        let check = |length: usize, end: u64, expected: usize| {
            let mut options = std::fs::OpenOptions::new();
            let options = options.create(true).truncate(true).read(true).write(true);
            let mut file = options.open(&path).unwrap();
            file.write_all(&bytes[..length]).unwrap();
            mend(&file, end).unwrap();
            let found = std::fs::read(&path).unwrap();
            assert_eq!(found, bytes[..expected], "{length} bytes, {end}");
        };
        check(0, 0, 0);
        check(6 * RECORD_BYTES, 99, 6 * RECORD_BYTES);
        check(6 * RECORD_BYTES, 98, 2 * RECORD_BYTES);
        check(6 * RECORD_BYTES, 0, RECORD_BYTES);
        check(2 * RECORD_BYTES + 7, 99, 2 * RECORD_BYTES);
        check(7, 99, 0);
    }
}
