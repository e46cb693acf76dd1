//! Reading a chain of segments: the last lines, everything as it was written, and what comes next.
//!
//! One segment is in memory at a time; a segment has a limit of its own.

use std::{
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom, Write},
};

use crate::{
    index::{IndexRecord, SourceFlags, Stream},
    segment::ChainFiles,
};

/// A larger gap between segments is none that a listing makes.
const GAP_MAX: u64 = 1_000;

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When it came, in nanoseconds since 1970, to about 10 ms; 0 when the index does not say.
    pub realtime_ns: u64,
    /// The run that wrote it; 0 when the index does not say.
    pub run: u64,
    /// The stream it came from.
    pub stream: Stream,
    /// Its bytes, without the line end.
    pub bytes: Vec<u8>,
    /// There is no line end: it was cut, interrupted by another source, or is still being written.
    pub is_partial: bool,
}

/// Where a reader has got to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor {
    /// The segment.
    pub segment: u64,
    /// The offset in it.
    pub offset: u64,
}

/// The end of a chain: its last lines, oldest first, and where to read on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tail {
    /// The lines; the last one may be partial.
    pub lines: Vec<Line>,
    /// Behind the last whole line.
    pub cursor: Cursor,
}

/// Returns the last `count` lines of a chain, oldest first.
pub fn last_lines(chain: &ChainFiles, count: usize) -> io::Result<Vec<Line>> {
    Ok(tail(chain, count)?.lines)
}

/// Returns the last `count` lines of a chain, and where to read on: nothing comes twice or is left
/// out, whatever is written meanwhile.
pub fn tail(chain: &ChainFiles, count: usize) -> io::Result<Tail> {
    let mut lines: Vec<Line> = Vec::new();
    let mut cursor = None;
    for number in segments(chain)?.into_iter().rev() {
        if lines.len() >= count && cursor.is_some() {
            break;
        }
        let bytes = read_from(chain, number, 0)?;
        let offset = u64::try_from(whole_lines(&bytes)).unwrap_or_default();
        cursor.get_or_insert(Cursor { segment: number, offset });
        let mut earlier = split(&bytes, 0, &read_index(chain, number));
        earlier.append(&mut lines);
        lines = earlier;
    }
    let surplus = lines.len().saturating_sub(count);
    let first = Cursor { segment: 1, offset: 0 };
    Ok(Tail { lines: lines.split_off(surplus), cursor: cursor.unwrap_or(first) })
}

/// Returns how many bytes there are up to the last line end.
fn whole_lines(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
}

/// Writes every byte of a chain, exactly as it was written.
pub fn copy_all(chain: &ChainFiles, out: &mut impl Write) -> io::Result<()> {
    for number in segments(chain)? {
        if let Some(mut file) = open(chain, number)? {
            io::copy(&mut file, out)?;
        }
    }
    Ok(())
}

/// Returns where a chain ends at this moment.
pub fn end(chain: &ChainFiles) -> io::Result<Cursor> {
    let segment = chain.find()?.live_number();
    let offset = fs::metadata(chain.live()).map_or(0, |found| found.len());
    Ok(Cursor { segment, offset })
}

/// Returns the whole lines behind a cursor and moves it past them, over rotations.
pub fn lines_behind(chain: &ChainFiles, cursor: &mut Cursor) -> io::Result<Vec<Line>> {
    let mut lines = Vec::new();
    let live = chain.find()?.live_number();
    while cursor.segment < live {
        lines.extend(lines_of(chain, cursor.segment, cursor.offset).unwrap_or_default());
        *cursor = Cursor { segment: cursor.segment + 1, offset: 0 };
    }
    let mut fresh = read_from(chain, cursor.segment, cursor.offset)?;
    let whole = whole_lines(&fresh);
    fresh.truncate(whole);
    let index = read_index(chain, cursor.segment);
    lines.extend(split(&fresh, cursor.offset, &index));
    cursor.offset += u64::try_from(whole).unwrap_or_default();
    Ok(lines)
}

/// The name of a chain, with lines of it.
pub type Named<T> = (T, Vec<Line>);

/// Merges lines of several chains by time, each with the name of its chain.
///
/// The lines of a chain stay in their order, even when somebody has set the clock back meanwhile.
pub fn merged<T: Clone>(chains: Vec<Named<T>>) -> Vec<(Line, T)> {
    let mut all = Vec::new();
    for (name, lines) in chains {
        let mut latest = 0;
        for line in lines {
            latest = line.realtime_ns.max(latest);
            all.push((latest, (line, name.clone())));
        }
    }
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, line)| line).collect()
}

/// Returns the numbers of all segments, oldest first.
///
/// A listing takes time: a segment that is closed meanwhile may be missing between later ones, so
/// that small gaps are filled; what is not there is left out when it is opened.
fn segments(chain: &ChainFiles) -> io::Result<Vec<u64>> {
    let found = chain.find()?;
    let live = found.has_live.then(|| found.live_number());
    let mut all: Vec<u64> = Vec::new();
    for number in found.closed.iter().copied().chain(live) {
        let next = all.last().map_or(number, |last| last + 1);
        if number - next.min(number) <= GAP_MAX {
            all.extend(next..number);
        }
        all.push(number);
    }
    Ok(all)
}

/// Opens a segment that is or was the live one; nothing when it is gone or not there yet.
///
/// The live segment may be closed while we look, and another one take its name: what was opened
/// under that name is the one we mean only when ours is not closed by then, and no later one is
/// live. Both are asked: a listing may leave out what is renamed meanwhile.
fn open(chain: &ChainFiles, number: u64) -> io::Result<Option<File>> {
    let closed = || existing(File::open(chain.closed(number)));
    if let Some(file) = closed()? {
        return Ok(Some(file));
    }
    let live = existing(File::open(chain.live()))?;
    if let Some(file) = closed()? {
        return Ok(Some(file));
    }
    Ok(live.filter(|_| chain.find().is_ok_and(|found| found.live_number() <= number)))
}

fn existing(opened: io::Result<File>) -> io::Result<Option<File>> {
    match opened {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn lines_of(chain: &ChainFiles, number: u64, from: u64) -> io::Result<Vec<Line>> {
    let bytes = read_from(chain, number, from)?;
    Ok(split(&bytes, from, &read_index(chain, number)))
}

fn read_from(chain: &ChainFiles, number: u64, from: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut file) = open(chain, number)? {
        file.seek(SeekFrom::Start(from))?;
        file.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn read_index(chain: &ChainFiles, number: u64) -> Vec<IndexRecord> {
    let bytes = fs::read(chain.index(number)).unwrap_or_default();
    IndexRecord::decode_all(&bytes)
}

/// Cuts bytes into lines and says of each what the index knows.
fn split(bytes: &[u8], from: u64, index: &[IndexRecord]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut known = Known::default();
    let mut records = index.iter().peekable();
    let mut offset = from;
    for line in pieces(bytes, from, index) {
        while let Some(record) = records.next_if(|record| record.offset() <= offset) {
            known.learn(record);
        }
        let text = line.strip_suffix(b"\n");
        lines.push(Line {
            realtime_ns: known.realtime_ns,
            run: known.run,
            stream: known.stream,
            bytes: text.unwrap_or(line).to_vec(),
            is_partial: text.is_none(),
        });
        offset += u64::try_from(line.len()).unwrap_or_default();
    }
    lines
}

/// Cuts bytes behind each line end, and where a source was interrupted in the middle of its line.
fn pieces<'a>(bytes: &'a [u8], from: u64, index: &[IndexRecord]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut offset = from;
    let mut cuts = index.iter().filter_map(IndexRecord::interrupts).peekable();
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
    fn learn(&mut self, record: &IndexRecord) {
        match *record {
            IndexRecord::Source { run, stream, .. } => (self.run, self.stream) = (run, stream),
            IndexRecord::Time { realtime_ns, .. } => self.realtime_ns = realtime_ns,
            IndexRecord::Boot { .. } => {}
        }
    }
}

impl IndexRecord {
    /// Returns the offset that the record is about.
    pub const fn offset(&self) -> u64 {
        match *self {
            Self::Source { offset, .. } | Self::Time { offset, .. } | Self::Boot { offset, .. } => {
                offset
            }
        }
    }

    /// Returns the mark of the boot in which the next bytes were written, if the record names it.
    pub const fn boot(&self) -> Option<u64> {
        match *self {
            Self::Boot { mark, .. } => Some(mark),
            Self::Source { .. } | Self::Time { .. } => None,
        }
    }

    /// Returns where the source before was interrupted in the middle of its line.
    fn interrupts(&self) -> Option<u64> {
        match *self {
            Self::Source { offset, flags, .. } if flags.contains(SourceFlags::UNFINISHED) => {
                Some(offset)
            }
            Self::Source { .. } | Self::Time { .. } | Self::Boot { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn the_last_lines_come_from_as_many_segments_as_it_takes() {
        let chain = sample("last_lines");
        let texts = |count| -> Vec<String> {
            let lines = last_lines(&chain, count).unwrap();
            lines.into_iter().map(|line| String::from_utf8(line.bytes).unwrap()).collect()
        };
        assert_eq!(texts(1), ["five"]);
        assert_eq!(texts(4), ["two", "three", "four", "five"]);
        assert_eq!(texts(99).len(), 5);
    }

    #[test]
    fn lines_know_their_run_and_time() {
        let chain = sample("run_and_time");
        let lines = last_lines(&chain, 2).unwrap();
        let known: Vec<_> = lines.iter().map(|line| (line.run, line.realtime_ns)).collect();
        assert_eq!(known, [(1, 100), (2, 200)]);
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_turn_a_log_around() {
        let chain = |name: &'static str, times: &[u64]| {
            let (run, stream, bytes, is_partial) = (1, Stream::Joined, Vec::new(), false);
            let empty = Line { realtime_ns: 0, run, stream, bytes, is_partial };
            let line = |realtime_ns: &u64| Line { realtime_ns: *realtime_ns, ..empty.clone() };
            (name, times.iter().map(line).collect::<Vec<Line>>())
        };
        let all = merged(vec![chain("a", &[10, 40, 20, 30]), chain("b", &[15, 50, 25])]);
        let order: Vec<_> = all.iter().map(|(line, name)| (*name, line.realtime_ns)).collect();
        let expected =
            [("a", 10), ("b", 15), ("a", 40), ("a", 20), ("a", 30), ("b", 50), ("b", 25)];
        assert_eq!(order, expected);
    }

    #[test]
    fn a_follower_misses_nothing_over_a_rotation() {
        let chain = sample("follower");
        let mut cursor = end(&chain).unwrap();
        append(&chain, b"six\nsev");
        assert_eq!(lines_behind(&chain, &mut cursor).unwrap().len(), 1);
        append(&chain, b"en\n");
        chain.close(2).unwrap();
        append(&chain, b"eight\n");
        let lines = lines_behind(&chain, &mut cursor).unwrap();
        let texts: Vec<&[u8]> = lines.iter().map(|line| line.bytes.as_slice()).collect();
        assert_eq!(texts, [b"seven".as_slice(), b"eight"]);
    }

    #[test]
    fn a_follower_goes_on_where_the_tail_ends() {
        let chain = sample("tail");
        append(&chain, b"six\nhalf");
        let Tail { lines, mut cursor } = tail(&chain, 2).unwrap();
        let seen: Vec<_> =
            lines.iter().map(|line| (line.bytes.as_slice(), line.is_partial)).collect();
        assert_eq!(seen, [(b"six".as_slice(), false), (b"half".as_slice(), true)]);
        append(&chain, b" and half\n");
        let fresh = lines_behind(&chain, &mut cursor).unwrap();
        assert_eq!(fresh.first().unwrap().bytes, b"half and half");
        assert_eq!(fresh.len(), 1);
    }

    #[test]
    fn a_line_that_was_interrupted_is_two_partial_ones() {
        let chain = sample("interrupted");
        append(&chain, b"half of run 2whole of run 3\nend");
        let (stream, flags) = (Stream::Joined, SourceFlags::UNFINISHED);
        let record = IndexRecord::Source { offset: 23, run: 3, stream, flags };
        let mut options = fs::OpenOptions::new();
        let mut index = options.append(true).open(chain.index(2)).unwrap();
        index.write_all(&record.encode()).unwrap();
        let lines = last_lines(&chain, 4).unwrap();
        let seen: Vec<_> = lines
            .iter()
            .map(|line| (str::from_utf8(&line.bytes).unwrap(), line.run, line.is_partial))
            .collect();
        let expected = [
            ("five", 2, false),
            ("half of run 2", 2, true),
            ("whole of run 3", 3, false),
            ("end", 3, true),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_copy_is_exact() {
        let chain = sample("exact");
        append(&chain, b"\xff\0half");
        let mut all = Vec::new();
        copy_all(&chain, &mut all).unwrap();
        assert_eq!(all, b"one\ntwo\nthree\nfour\nfive\n\xff\0half");
    }

    #[test]
    fn a_segment_that_was_live_when_it_was_listed_is_read_under_its_final_name() {
        let chain = sample("listed");
        let read = |number| String::from_utf8(read_from(&chain, number, 0).unwrap()).unwrap();
        assert_eq!(segments(&chain).unwrap(), [1, 2]);
        chain.close(2).unwrap();
        append(&chain, b"six\n");
        assert_eq!((read(2).as_str(), read(3).as_str()), ("four\nfive\n", "six\n"));
        // Retention took it: the live file is not the one that was meant.
        chain.remove(2).unwrap();
        fs::rename(chain.live(), chain.closed(3)).unwrap();
        append(&chain, b"seven\n");
        assert_eq!((read(2).as_str(), read(4).as_str()), ("", "seven\n"));
    }

    #[test]
    fn a_reader_that_is_overtaken_by_rotations_misses_no_segment() {
        const CLOSED: u64 = 1000;
        let chain = sample("overtaken");
        let mut cursor = end(&chain).unwrap();
        let mut followed = 0;
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for number in 2..CLOSED {
                    append(&chain, format!("{number}\n").as_bytes());
                    chain.close(number).unwrap();
                }
            });
            while !writer.is_finished() {
                followed += lines_behind(&chain, &mut cursor).unwrap().len();
                let mut all = Vec::new();
                copy_all(&chain, &mut all).unwrap();
                let text = String::from_utf8(all).unwrap();
                let numbers: Vec<u64> = text.lines().filter_map(|line| line.parse().ok()).collect();
                let gap = numbers.windows(2).find(|pair| pair[0] + 1 != pair[1]);
                assert_eq!(gap, None);
            }
        });
        followed += lines_behind(&chain, &mut cursor).unwrap().len();
        assert_eq!(u64::try_from(followed).unwrap(), CLOSED - 2);
    }

    fn sample(name: &str) -> ChainFiles {
        let folder =
            std::env::temp_dir().join(format!("mainstay-read-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        let chain = ChainFiles::new(&folder, "web");
        append(&chain, b"one\ntwo\nthree\n");
        chain.close(1).unwrap();
        append(&chain, b"four\nfive\n");
        let (stream, flags) = (Stream::Joined, SourceFlags::NONE);
        let records = [
            IndexRecord::Source { offset: 0, run: 1, stream, flags },
            IndexRecord::Time { offset: 0, realtime_ns: 100 },
            IndexRecord::Source { offset: 5, run: 2, stream, flags },
            IndexRecord::Time { offset: 5, realtime_ns: 200 },
        ];
        let bytes: Vec<u8> = records.iter().flat_map(IndexRecord::encode).collect();
        File::create(chain.index(2)).unwrap().write_all(&bytes).unwrap();
        chain
    }

    fn append(chain: &ChainFiles, bytes: &[u8]) {
        let mut options = fs::OpenOptions::new();
        let mut file = options.append(true).create(true).open(chain.live()).unwrap();
        file.write_all(bytes).unwrap();
    }
}
