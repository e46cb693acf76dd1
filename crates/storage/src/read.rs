//! Reading a chain of segments: the last lines, everything as it was written, and what comes next.
//!
//! One segment is in memory at a time; a segment has a limit of its own.

use std::{
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom, Write},
    path::{Path, PathBuf},
};

use crate::{
    index::{IndexRecord, Stream},
    segment::ChainFiles,
};

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
}

/// Where a reader has got to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor {
    /// The segment.
    pub segment: u64,
    /// The offset in it.
    pub offset: u64,
}

/// Returns the last `count` lines of a chain, oldest first.
pub fn last_lines(chain: &ChainFiles, count: usize) -> io::Result<Vec<Line>> {
    let mut lines: Vec<Line> = Vec::new();
    for segment in segments(chain)?.into_iter().rev() {
        if lines.len() >= count {
            break;
        }
        let number = segment.number;
        let mut earlier = split(&segment.read_from(0)?, 0, &read_index(chain, number));
        earlier.append(&mut lines);
        lines = earlier;
    }
    let surplus = lines.len().saturating_sub(count);
    Ok(lines.split_off(surplus))
}

/// Writes every byte of a chain, exactly as it was written.
pub fn copy_all(chain: &ChainFiles, out: &mut impl Write) -> io::Result<()> {
    for segment in segments(chain)? {
        if let Some(mut file) = segment.open()? {
            io::copy(&mut file, out)?;
        }
    }
    Ok(())
}

/// Returns where a chain ends at this moment.
pub fn end(chain: &ChainFiles) -> io::Result<Cursor> {
    let live = segments(chain)?.pop();
    let Some(live) = live else { return Ok(Cursor { segment: 1, offset: 0 }) };
    let segment = live.number;
    let offset = live.open()?.map(|file| file.metadata()).transpose()?;
    Ok(Cursor { segment, offset: offset.map_or(0, |found| found.len()) })
}

/// Returns the whole lines behind a cursor and moves it past them, over rotations.
pub fn lines_behind(chain: &ChainFiles, cursor: &mut Cursor) -> io::Result<Vec<Line>> {
    let mut lines = Vec::new();
    for segment in segments(chain)? {
        if segment.number < cursor.segment {
            continue;
        }
        if segment.number > cursor.segment {
            *cursor = Cursor { segment: segment.number, offset: 0 };
        }
        let is_live = segment.live.is_some();
        let mut fresh = segment.read_from(cursor.offset)?;
        if is_live {
            let whole = fresh.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            fresh.truncate(whole);
        }
        lines.extend(split(&fresh, cursor.offset, &read_index(chain, cursor.segment)));
        cursor.offset += u64::try_from(fresh.len()).unwrap_or_default();
    }
    Ok(lines)
}

/// One segment; the live one is open, because its name passes to the next one at any moment.
struct Segment {
    number: u64,
    path: PathBuf,
    live: Option<File>,
}

impl Segment {
    /// Opens it; nothing when retention took it meanwhile.
    fn open(self) -> io::Result<Option<File>> {
        if self.live.is_some() { Ok(self.live) } else { open(&self.path) }
    }

    fn read_from(self, from: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        if let Some(mut file) = self.open()? {
            file.seek(SeekFrom::Start(from))?;
            file.read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    }
}

/// Returns all segments, oldest first.
fn segments(chain: &ChainFiles) -> io::Result<Vec<Segment>> {
    loop {
        let found = chain.find()?;
        let live = open(&chain.live())?;
        let number = found.live_number();
        if chain.find()?.live_number() != number {
            // What was opened may be the next segment.
            continue;
        }
        let closed = |number| Segment { number, path: chain.closed(number), live: None };
        let mut all: Vec<Segment> = found.closed.into_iter().map(closed).collect();
        all.extend(live.map(|file| Segment { number, path: chain.live(), live: Some(file) }));
        return Ok(all);
    }
}

fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
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
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        while let Some(record) = records.next_if(|record| record.offset() <= offset) {
            known.learn(record);
        }
        lines.push(Line {
            realtime_ns: known.realtime_ns,
            run: known.run,
            stream: known.stream,
            bytes: line.strip_suffix(b"\n").unwrap_or(line).to_vec(),
        });
        offset += u64::try_from(line.len()).unwrap_or_default();
    }
    lines
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
        }
    }
}

impl IndexRecord {
    /// Returns the offset that the record is about.
    pub const fn offset(&self) -> u64 {
        match *self {
            Self::Source { offset, .. } | Self::Time { offset, .. } => offset,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::SourceFlags;

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
    fn whoever_reads_while_segments_are_closed_misses_nothing() {
        let chain = sample("closing");
        let mut cursor = end(&chain).unwrap();
        let writer = {
            let chain = chain.clone();
            std::thread::spawn(move || {
                for number in 2..400 {
                    append(&chain, format!("{number}\n").as_bytes());
                    chain.close(number).unwrap();
                }
            })
        };
        let mut followed = Vec::new();
        while !writer.is_finished() {
            followed.extend(lines_behind(&chain, &mut cursor).unwrap());
            let mut copy = Vec::new();
            copy_all(&chain, &mut copy).unwrap();
            let copy = String::from_utf8(copy).unwrap();
            let numbers = copy.lines().skip(5).map(|line| line.parse::<u64>().unwrap());
            assert!(numbers.eq(2..2 + copy.lines().count() as u64 - 5), "{copy}");
        }
        writer.join().unwrap();
        followed.extend(lines_behind(&chain, &mut cursor).unwrap());
        assert_eq!(followed.len(), 398);
    }

    #[test]
    fn a_copy_is_exact() {
        let chain = sample("exact");
        append(&chain, b"\xff\0half");
        let mut all = Vec::new();
        copy_all(&chain, &mut all).unwrap();
        assert_eq!(all, b"one\ntwo\nthree\nfour\nfive\n\xff\0half");
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
