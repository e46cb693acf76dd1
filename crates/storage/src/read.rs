//! Reading a chain of segments: the last lines, everything as it was written, and what comes next.
//!
//! One block of a segment is in memory at a time, however large the segment is. Of a compressed
//! segment one frame is decoded at a time: the last lines cost the last frame or two, a time or a
//! run that is wanted costs the frames that hold it, and all lines cost each frame once.

mod around;
mod content;
mod merge;
mod reader;
mod runs;
mod seek;
mod sieve;
mod split;
mod summary;

use std::{
    collections::VecDeque,
    fs::{self, File},
    io::{self, Write},
};

pub use around::Around;
use content::{Content, is_damage};
pub use merge::{Gone, Merge, Named, Unfinished};
pub use reader::{Block, Reader};
pub use runs::last_runs;
pub use seek::Wanted;
pub use sieve::Sieve;

use crate::{
    frames::{FRAME_BYTES, Frames},
    index::Stream,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Cursor {
    /// The segment.
    pub segment: u64,
    /// The offset in it.
    pub offset: u64,
}

/// Returns the last `count` lines of a chain, oldest first; the last one may be partial.
///
/// Costs what they and the line ends before them cost to be read, however long the log is.
pub fn last_lines(chain: &ChainFiles, count: usize) -> io::Result<Vec<Line>> {
    let mut merge = Merge::new(Unfinished::Given);
    merge.add((), Reader::new(chain.clone(), begin_of_last(chain, count)?));
    merge.look()?;
    let mut lines = VecDeque::new();
    while let Some((line, ())) = merge.next_line()? {
        lines.push_back(line);
        if lines.len() > count {
            lines.pop_front();
        }
    }
    Ok(lines.into())
}

/// Returns where the first segment of a chain begins.
pub fn begin(chain: &ChainFiles) -> io::Result<Cursor> {
    Ok(begin_of(chain, &segments(chain)?))
}

/// Returns where the first of these segments begins that has not gone but for its name.
fn begin_of(chain: &ChainFiles, segments: &[u64]) -> Cursor {
    let kept = segments.iter().find(|number| !chain.is_emptied(**number));
    let behind = || segments.last().map_or(1, |last| last + 1);
    Cursor { segment: kept.copied().unwrap_or_else(behind), offset: 0 }
}

/// Returns where the last `count` lines of a chain begin, or before: a line may come in pieces.
pub fn begin_of_last(chain: &ChainFiles, count: usize) -> io::Result<Cursor> {
    reader::begin_of_last(chain, &segments(chain)?, count)
}

/// Returns where the last so many bytes of a chain begin, or its first line; most likely that is
/// within a line.
pub fn begin_of_last_bytes(chain: &ChainFiles, bytes: u64) -> io::Result<Cursor> {
    let mut missing = bytes;
    for number in segments(chain)?.into_iter().rev() {
        let length = match open(chain, number) {
            Err(error) if is_damage(&error) => continue,
            opened => opened?.map_or(Ok(0), |content| content.length())?,
        };
        if let Some(offset) = length.checked_sub(missing) {
            return Ok(Cursor { segment: number, offset });
        }
        missing -= length;
    }
    begin(chain)
}

/// Returns how many bytes there are up to the last line end.
fn whole_lines(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
}

/// Writes every byte of a chain, exactly as it was written; returns how many cannot be read, because
/// a compressed segment is damaged.
pub fn copy_all(chain: &ChainFiles, out: &mut impl Write) -> io::Result<u64> {
    let mut damaged = 0;
    for number in segments(chain)? {
        damaged += copy_segment(chain, number, out)?;
    }
    Ok(damaged)
}

/// Writes every byte of one segment, none when there is no such segment; returns how many cannot be
/// read.
pub fn copy_segment(chain: &ChainFiles, number: u64, out: &mut impl Write) -> io::Result<u64> {
    match open(chain, number) {
        Ok(Some(Content::Plain(mut file))) => io::copy(&mut file, out).map(|_| 0),
        Ok(Some(Content::Compressed(frames))) => copy_frames(frames, out),
        Ok(None) => Ok(0),
        Err(error) if is_damage(&error) => Ok(chain.stored_bytes(number)),
        Err(error) => Err(error),
    }
}

fn copy_frames(mut frames: Frames, out: &mut impl Write) -> io::Result<u64> {
    let (mut offset, mut damaged) = (0, 0);
    while offset < frames.length() {
        match frames.read_at(offset, FRAME_BYTES.try_into().unwrap_or(u64::MAX)) {
            Ok(bytes) => {
                out.write_all(&bytes)?;
                offset += reader::length(&bytes);
            }
            Err(error) if is_damage(&error) => {
                let behind = frames.end_of_frame(offset);
                damaged += behind - offset;
                offset = behind;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(damaged)
}

/// Returns where a chain ends at this moment.
pub fn end(chain: &ChainFiles) -> io::Result<Cursor> {
    let segment = chain.find()?.live_number();
    let offset = fs::metadata(chain.live()).map_or(0, |found| found.len());
    Ok(Cursor { segment, offset })
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
fn open(chain: &ChainFiles, number: u64) -> io::Result<Option<Content>> {
    if let Some(content) = open_closed(chain, number)? {
        return Ok(Some(content));
    }
    let live = existing(File::open(chain.live()))?;
    if let Some(content) = open_closed(chain, number)? {
        return Ok(Some(content));
    }
    let live = live.filter(|_| chain.find().is_ok_and(|found| found.live_number() <= number));
    Ok(live.map(Content::Plain))
}

/// Opens a closed segment. The plain file goes once the compressed one is whole: whoever does not
/// find the first finds the second.
fn open_closed(chain: &ChainFiles, number: u64) -> io::Result<Option<Content>> {
    if let Some(file) = existing(File::open(chain.closed(number)))? {
        return Ok(Some(Content::Plain(file)));
    }
    Ok(existing(Frames::open(&chain.compressed(number)))?.map(Content::Compressed))
}

/// Returns up to so many bytes of a plain file.
pub(crate) fn block(file: &File, offset: u64, bytes_max: usize) -> io::Result<Vec<u8>> {
    content::read_at(file, offset, bytes_max.try_into().unwrap_or(u64::MAX))
}

fn existing<T>(opened: io::Result<T>) -> io::Result<Option<T>> {
    match opened {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::{
        fresh,
        index::{IndexRecord, SourceFlags},
    };

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
        assert_eq!(texts(0).len(), 0);
    }

    #[test]
    fn the_last_bytes_may_begin_in_an_earlier_segment() {
        let chain = sample("last_bytes");
        let check = |bytes: u64, segment: u64, offset: u64| {
            assert_eq!(begin_of_last_bytes(&chain, bytes).unwrap(), Cursor { segment, offset });
        };
        check(3, 2, 7);
        check(10, 2, 0);
        check(13, 1, 11);
        check(1_000, 1, 0);
        let empty = ChainFiles::new(&fresh::folder("read-last_bytes_empty"), "web");
        assert_eq!(begin_of_last_bytes(&empty, 9).unwrap(), Cursor { segment: 1, offset: 0 });
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
        let folder = fresh::folder("read-clocks");
        let mut merge = Merge::new(Unfinished::Given);
        for (name, times) in [("a", [10, 40, 20, 30].as_slice()), ("b", &[15, 50, 25])] {
            let chain = ChainFiles::new(&folder, name);
            append(&chain, "x\n".repeat(times.len()).as_bytes());
            let record = |(line, realtime_ns): (u64, &u64)| {
                IndexRecord::Time { offset: 2 * line, realtime_ns: *realtime_ns }.encode()
            };
            let records: Vec<u8> = (0..).zip(times).flat_map(record).collect();
            File::create(chain.index(1)).unwrap().write_all(&records).unwrap();
            merge.add(name, Reader::new(chain.clone(), begin(&chain).unwrap()));
        }
        merge.look().unwrap();
        let next = || merge.next_line().unwrap();
        let order: Vec<_> =
            std::iter::from_fn(next).map(|(line, name)| (name, line.realtime_ns)).collect();
        let expected =
            [("a", 10), ("b", 15), ("a", 40), ("a", 20), ("a", 30), ("b", 50), ("b", 25)];
        assert_eq!(order, expected);
    }

    #[test]
    fn whoever_goes_on_behind_any_line_gets_the_lines_that_follow_it() {
        let chain = sample("cursors");
        append(&chain, b"half");
        let from = |cursor: Cursor| {
            let mut merge = Merge::new(Unfinished::Left);
            merge.add((), Reader::new(chain.clone(), cursor));
            merge.look().unwrap();
            merge
        };
        let rest = |cursor: Cursor| -> Vec<Vec<u8>> {
            let mut merge = from(cursor);
            let next = || merge.next_line().unwrap().map(|(line, ())| line.bytes);
            std::iter::from_fn(next).collect()
        };
        let all = rest(begin(&chain).unwrap());
        assert_eq!(all.len(), 5);
        let mut merge = from(begin(&chain).unwrap());
        for taken in 1..=all.len() {
            merge.next_line().unwrap();
            let (_, cursor) = merge.cursors().next().unwrap();
            assert_eq!(rest(cursor), all[taken..], "behind line {taken}");
        }
    }

    #[test]
    fn a_follower_misses_nothing_over_a_rotation() {
        let chain = sample("follower");
        let mut reader = Reader::new(chain.clone(), end(&chain).unwrap());
        append(&chain, b"six\nsev");
        assert_eq!(texts(&mut reader), (0, vec!["six".to_owned()]));
        append(&chain, b"en\n");
        chain.close(2).unwrap();
        append(&chain, b"eight\n");
        assert_eq!(texts(&mut reader), (0, vec!["seven".to_owned(), "eight".to_owned()]));
        assert_eq!(texts(&mut reader), (0, Vec::new()));
    }

    #[test]
    fn a_follower_that_retention_overtakes_knows_it() {
        let chain = sample("retention");
        let mut reader = Reader::new(chain.clone(), end(&chain).unwrap());
        for number in 2..6 {
            append(&chain, format!("{number}\n").as_bytes());
            chain.close(number).unwrap();
        }
        append(&chain, b"last\n");
        for number in 1..5 {
            chain.remove(number).unwrap_or_default();
        }
        assert_eq!(texts(&mut reader), (3, vec!["5".to_owned(), "last".to_owned()]));
        assert_eq!(texts(&mut reader), (0, Vec::new()));
    }

    #[test]
    fn a_file_without_a_limit_is_read_in_blocks() {
        let chain = ChainFiles::new(&fresh::folder("read-blocks"), "web");
        let line = "x".repeat(99) + "\n";
        append(&chain, line.repeat(50_000).as_bytes());
        append(&chain, "y".repeat(3_000_000).as_bytes());
        append(&chain, b"\nend\n");
        let times: Vec<u8> = (0..50_000)
            .flat_map(|n| IndexRecord::Time { offset: n * 100, realtime_ns: n + 1 }.encode())
            .collect();
        File::create(chain.index(1)).unwrap().write_all(&times).unwrap();
        let mut reader = Reader::new(chain.clone(), begin(&chain).unwrap());
        let (mut lines, mut bytes) = (0, 0);
        while let Some(block) = reader.next_block().unwrap() {
            let size: usize = block.lines.iter().map(|line| line.bytes.len() + 1).sum();
            assert!(size <= 1024 * 1024 + 1, "a block has {size} bytes");
            for line in block.lines.iter().filter(|line| line.bytes.first() == Some(&b'x')) {
                lines += 1;
                assert_eq!((line.realtime_ns, line.is_partial), (lines, false));
            }
            bytes += block.lines.iter().map(|line| line.bytes.len()).sum::<usize>();
        }
        assert_eq!((lines, bytes), (50_000, 50_000 * 99 + 3_000_000 + 3));
        let last = last_lines(&chain, 60).unwrap();
        assert_eq!((last.len(), last.last().unwrap().bytes.as_slice()), (60, b"end".as_slice()));
    }

    #[test]
    fn a_follower_goes_on_where_the_tail_ends() {
        let chain = sample("tail");
        append(&chain, b"six\nhalf");
        let mut reader = Reader::new(chain.clone(), begin_of_last(&chain, 2).unwrap());
        assert_eq!(texts(&mut reader), (0, vec!["six".to_owned()]));
        let rest = reader.rest().unwrap();
        let seen: Vec<_> =
            rest.iter().map(|line| (line.bytes.as_slice(), line.is_partial)).collect();
        assert_eq!(seen, [(b"half".as_slice(), true)]);
        append(&chain, b" and half\n");
        assert_eq!(texts(&mut reader), (0, vec!["half and half".to_owned()]));
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
        let read = |number| {
            let mut text = String::new();
            if let Some(Content::Plain(mut file)) = open(&chain, number).unwrap() {
                file.read_to_string(&mut text).unwrap();
            }
            text
        };
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
        let mut reader = Reader::new(chain.clone(), end(&chain).unwrap());
        let mut followed = 0;
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for number in 2..CLOSED {
                    append(&chain, format!("{number}\n").as_bytes());
                    chain.close(number).unwrap();
                }
            });
            while !writer.is_finished() {
                followed += texts(&mut reader).1.len();
                let mut all = Vec::new();
                copy_all(&chain, &mut all).unwrap();
                let text = String::from_utf8(all).unwrap();
                let numbers: Vec<u64> = text.lines().filter_map(|line| line.parse().ok()).collect();
                let gap = numbers.windows(2).find(|pair| pair[0] + 1 != pair[1]);
                assert_eq!(gap, None);
            }
        });
        followed += texts(&mut reader).1.len();
        assert_eq!(u64::try_from(followed).unwrap(), CLOSED - 2);
    }

    /// Returns how many segments were missed, and all lines up to the end.
    fn texts(reader: &mut Reader) -> (u64, Vec<String>) {
        let (mut deleted, mut texts) = (0, Vec::new());
        while let Some(block) = reader.next_block().unwrap() {
            deleted += block.deleted;
            texts.extend(block.lines.into_iter().map(|l| String::from_utf8(l.bytes).unwrap()));
        }
        (deleted, texts)
    }

    fn sample(name: &str) -> ChainFiles {
        let chain = ChainFiles::new(&fresh::folder(&format!("read-{name}")), "web");
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
