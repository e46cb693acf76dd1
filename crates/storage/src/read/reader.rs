//! Reads a chain forward, a block at a time, over rotations and over what retention has deleted.

use std::{fs::File, io, path::Path, sync::Arc};

use super::{
    Cursor, Line, Sieve, Wanted,
    content::{Content, read_at},
    existing, open, seek,
    split::split,
};
use crate::{
    index::{IndexRecord, RECORD_BYTES},
    segment::ChainFiles,
};

/// So much is read at a time, unless a line is longer.
pub(super) const BLOCK_BYTES: u64 = 64 * 1024;
/// A longer line comes in pieces, which are partial lines.
const LINE_BYTES_MAX: u64 = 1024 * 1024;

/// Reads on in a chain, whatever is written, closed and deleted meanwhile.
///
/// It has one block and the index records of that block in memory, however large a segment is; of a
/// compressed one a frame ([`FRAME_BYTES`](crate::frames::FRAME_BYTES)) and its table as well. Each
/// frame is decoded once, and one that the index says holds nothing wanted is not.
#[derive(Debug)]
pub struct Reader {
    chain: ChainFiles,
    cursor: Cursor,
    /// The live segment was this one or is a later one.
    live: u64,
    index: Index,
    wanted: Wanted,
    /// The segment in which the index was asked where to begin.
    sought: Option<u64>,
    sieve: Option<Arc<dyn Sieve>>,
    /// The compressed segment that is being read, with its number.
    held: Option<(u64, Content)>,
}

/// Whether a segment may still grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Growth {
    /// It is closed.
    Over,
    Possible,
}

/// Some lines in a row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Block {
    /// How many segments were deleted before these lines, and before they were read to the end.
    pub deleted: u64,
    /// The lines; may be none.
    pub lines: Vec<Line>,
}

impl Reader {
    /// Returns a reader that begins at a cursor.
    pub fn new(chain: ChainFiles, cursor: Cursor) -> Self {
        let (index, wanted) = (Index::default(), Wanted::default());
        Self { chain, cursor, live: 0, index, wanted, sought: None, sieve: None, held: None }
    }

    /// Returns the same, but passes over what the index says is not wanted; lines that are not
    /// wanted may come all the same.
    #[must_use]
    pub fn only(self, wanted: Wanted) -> Self {
        Self { wanted, ..self }
    }

    /// Returns the same, but passes over lines in which a sieve finds nothing.
    #[must_use]
    pub fn sieved(self, sieve: Option<Arc<dyn Sieve>>) -> Self {
        Self { sieve, ..self }
    }

    /// Returns where it has got to: behind the last line that it gave.
    pub const fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// Returns the chain that it reads.
    pub const fn chain(&self) -> &ChainFiles {
        &self.chain
    }

    /// Returns the next lines; nothing when there are none yet. The line that is still being written
    /// is left for later.
    pub fn next_block(&mut self) -> io::Result<Option<Block>> {
        let mut deleted = 0;
        loop {
            let growth = self.growth()?;
            if self.passes_over(growth)? {
                self.go_to_next();
                continue;
            }
            let mut found = self.open()?;
            let mut is_gone = found.is_none();
            if let Some(content) = &found {
                self.begin_anew_if_short(content)?;
            }
            let bytes = match &mut found {
                Some(content) => self.read(content, growth),
                None => Ok(Vec::new()),
            };
            self.hold(found);
            let bytes = match bytes {
                // It was deleted while we had let go of it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    is_gone = true;
                    Vec::new()
                }
                bytes => bytes?,
            };
            if !bytes.is_empty() {
                return Ok(Some(Block { deleted, lines: self.take(&bytes) }));
            }
            if growth == Growth::Possible {
                return Ok(Some(Block { deleted, lines: Vec::new() }).filter(|_| deleted > 0));
            }
            deleted += u64::from(is_gone);
            self.go_to_next();
        }
    }

    /// Opens the segment, unless it is compressed and open already: it changes no more.
    fn open(&mut self) -> io::Result<Option<Content>> {
        let segment = self.cursor.segment;
        match self.held.take() {
            Some((number, content)) if number == segment => Ok(Some(content)),
            Some(_) | None => open(&self.chain, segment),
        }
    }

    fn hold(&mut self, content: Option<Content>) {
        self.held = match content {
            Some(Content::Compressed(mut frames)) => {
                frames.let_go();
                Some((self.cursor.segment, Content::Compressed(frames)))
            }
            Some(Content::Plain(_)) | None => None,
        };
    }

    /// A segment that ends before the place where we are was emptied by somebody, or deleted and
    /// begun anew: it is read from its beginning.
    fn begin_anew_if_short(&mut self, content: &Content) -> io::Result<()> {
        if content.length()? < self.cursor.offset {
            self.cursor.offset = 0;
            self.index = Index::default();
        }
        Ok(())
    }

    fn go_to_next(&mut self) {
        self.cursor = Cursor { segment: self.cursor.segment + 1, offset: 0 };
        self.index = Index::default();
    }

    /// Goes to the first line of a segment that may be wanted; returns whether there is none.
    fn passes_over(&mut self, growth: Growth) -> io::Result<bool> {
        let segment = self.cursor.segment;
        if !self.wanted.is_some() || self.sought.replace(segment) == Some(segment) {
            return Ok(false);
        }
        if growth == Growth::Over && seek::is_outside(&self.chain.index(segment), self.wanted) {
            return Ok(true);
        }
        let Some(mut content) = self.open()? else { return Ok(false) };
        // Looked at before the index: what is written meanwhile is in neither or in both.
        let end = content.length()?;
        let first = seek::first_wanted(&self.chain.index(segment), end, self.wanted);
        let first = match (first, growth) {
            (Some(first), _) => first,
            (None, Growth::Over) => return Ok(true),
            (None, Growth::Possible) => end,
        };
        let line = seek::line_around(&mut content, first)?;
        self.cursor.offset = self.cursor.offset.max(line);
        self.hold(Some(content));
        Ok(false)
    }

    /// Returns what there is of the line that is still being written, and leaves it for later.
    pub fn rest(&mut self) -> io::Result<Vec<Line>> {
        let Some(mut content) = self.open()? else { return Ok(Vec::new()) };
        let mut bytes = content.read_at(self.cursor.offset, LINE_BYTES_MAX)?;
        let line = bytes.iter().position(|byte| *byte == b'\n');
        bytes.truncate(line.map_or(bytes.len(), |end| end + 1));
        let end = self.cursor.offset + length(&bytes);
        let records = self.index.up_to(&self.chain.index(self.cursor.segment), end);
        let all = 0..bytes.len();
        Ok(split(&bytes, self.cursor.offset, &[all], records))
    }

    /// Asked before a segment is read: it may be closed meanwhile.
    fn growth(&mut self) -> io::Result<Growth> {
        if self.cursor.segment >= self.live {
            self.live = self.chain.find()?.live_number();
        }
        Ok(if self.cursor.segment < self.live { Growth::Over } else { Growth::Possible })
    }

    /// Reads whole lines; parts of a line only when it is too long, or the segment ends with it.
    fn read(&self, content: &mut Content, growth: Growth) -> io::Result<Vec<u8>> {
        let mut wanted = BLOCK_BYTES;
        loop {
            let mut bytes = content.read_at(self.cursor.offset, wanted)?;
            let is_all = length(&bytes) < wanted;
            let whole = super::whole_lines(&bytes);
            if is_all && growth == Growth::Over || whole == 0 && wanted >= LINE_BYTES_MAX && !is_all
            {
                return Ok(bytes);
            }
            if whole > 0 || is_all {
                bytes.truncate(whole);
                return Ok(bytes);
            }
            wanted = LINE_BYTES_MAX;
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Vec<Line> {
        let end = self.cursor.offset + length(bytes);
        let all = || std::iter::once(0..bytes.len()).collect();
        let places = self.sieve.as_ref().map_or_else(all, |sieve| sieve.lines(bytes));
        let mut lines = Vec::new();
        if !places.is_empty() {
            let records = self.index.up_to(&self.chain.index(self.cursor.segment), end);
            lines = split(bytes, self.cursor.offset, &places, records);
            self.index.forget_before(end);
        }
        self.cursor.offset = end;
        lines
    }
}

/// The records of one segment, as far as they were needed.
#[derive(Debug, Default)]
struct Index {
    bytes_read: u64,
    records: Vec<IndexRecord>,
}

impl Index {
    /// Reads on until it knows everything about the bytes before `end`. An index that cannot be read
    /// costs times and runs, but no line.
    fn up_to(&mut self, path: &Path, end: u64) -> &[IndexRecord] {
        if let Ok(Some(file)) = existing(File::open(path)) {
            while self.records.last().is_none_or(|record| record.offset() < end) {
                let bytes = read_at(&file, self.bytes_read, BLOCK_BYTES).unwrap_or_default();
                let whole = bytes.len() / RECORD_BYTES * RECORD_BYTES;
                let Some(whole) = bytes.get(..whole).filter(|whole| !whole.is_empty()) else {
                    break;
                };
                self.bytes_read += length(whole);
                self.records.extend(IndexRecord::decode_all(whole));
            }
        }
        &self.records
    }

    /// Drops what is over, but keeps the last source and the last time: they hold on.
    fn forget_before(&mut self, offset: u64) {
        let passed = self.records.partition_point(|record| record.offset() <= offset);
        let rest = self.records.split_off(passed);
        let mut kept = Vec::new();
        for record in self.records.drain(..).rev() {
            let is_same = |other: &IndexRecord| {
                std::mem::discriminant(other) == std::mem::discriminant(&record)
            };
            if !kept.iter().any(is_same) {
                kept.push(record);
            }
        }
        self.records = kept.into_iter().rev().chain(rest).collect();
    }
}

pub(super) fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// Returns where the last `count` lines of a chain begin; one that is being written counts as well.
pub(super) fn begin_of_last(
    chain: &ChainFiles,
    segments: &[u64],
    count: usize,
) -> io::Result<Cursor> {
    let mut missing = count;
    for number in segments.iter().rev() {
        let Some(mut content) = open(chain, *number)? else { continue };
        if let Some(offset) = back(&mut content, &mut missing)? {
            return Ok(Cursor { segment: *number, offset });
        }
    }
    let segment = segments.first().copied().unwrap_or(1);
    Ok(Cursor { segment, offset: 0 })
}

/// Goes back over so many lines; returns where, or nothing when the file has fewer.
fn back(content: &mut Content, missing: &mut usize) -> io::Result<Option<u64>> {
    let size = content.length()?;
    let mut end = size;
    while end > 0 {
        let start = end.saturating_sub(BLOCK_BYTES);
        let bytes = content.read_at(start, end - start)?;
        let mut behind = end;
        for byte in bytes.iter().rev() {
            // The line end at the very end is the last line's own.
            if *byte == b'\n' && behind < size {
                if *missing <= 1 {
                    return Ok(Some(behind));
                }
                *missing -= 1;
            }
            behind -= 1;
        }
        end = start;
    }
    // Its first line.
    *missing = missing.saturating_sub(usize::from(size > 0));
    Ok((*missing == 0).then_some(0))
}
