//! Reads a chain forward, a block at a time, over rotations and over what retention has deleted.

use std::{fs::File, io, path::Path, sync::Arc};

use super::{
    Around, Cursor, Line, Sieve, Wanted,
    content::{Content, is_damage, read_at},
    existing, open,
    seek::{self, Seeker},
    split::{split, with_interrupted},
    summary::Summary,
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
    /// What looks for what is wanted in the segment, and how far that is settled.
    search: Option<Search>,
    sieve: Option<Arc<dyn Sieve>>,
    around: Around,
    /// The compressed segment that is being read, with its number.
    held: Option<(u64, Content)>,
}

/// How the index of a segment is searched.
#[derive(Debug)]
struct Search {
    segment: u64,
    /// Nothing once all that comes in the segment is wanted, or nobody knows yet.
    seeker: Option<Seeker>,
}

/// Whether a segment may still grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Growth {
    /// It is closed.
    Over,
    Possible,
}

/// What is at a place.
#[derive(Debug)]
enum Found {
    Bytes(Vec<u8>),
    /// Nothing comes behind it in this segment.
    End,
    /// So many bytes that cannot be read; then it goes on.
    Damage(u64),
    /// So many bytes that cannot be read, and nothing behind them.
    Ruin(u64),
    /// The segment was deleted, or is not there yet.
    Nothing,
}

/// Some lines in a row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Block {
    /// How many segments were deleted before these lines, and before they were read to the end.
    pub deleted: u64,
    /// How many bytes before these lines cannot be read, because a compressed segment is damaged.
    pub damaged: u64,
    /// The lines; may be none.
    pub lines: Vec<Line>,
}

impl Reader {
    /// Returns a reader that begins at a cursor.
    pub fn new(chain: ChainFiles, cursor: Cursor) -> Self {
        Self {
            chain,
            cursor,
            live: 0,
            index: Index::default(),
            wanted: Wanted::default(),
            search: None,
            sieve: None,
            around: Around::default(),
            held: None,
        }
    }

    /// Returns the same, but passes over what the index says is not wanted; lines that are not
    /// wanted may come all the same.
    #[must_use]
    pub fn only(self, wanted: Wanted) -> Self {
        Self { wanted, ..self }
    }

    /// Returns the same, but passes over lines in which a sieve finds nothing and that are not
    /// around such a line.
    #[must_use]
    pub fn sieved(self, sieve: Option<Arc<dyn Sieve>>, around: Around) -> Self {
        Self { sieve, around, ..self }
    }

    /// Returns where it has got to: behind the last line that it gave.
    pub const fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// Returns the chain that it reads.
    pub const fn chain(&self) -> &ChainFiles {
        &self.chain
    }

    /// Looks where the chain ends at this moment, and whether it has begun anew.
    pub(super) fn look(&mut self) -> io::Result<Cursor> {
        self.begin_anew_if_purged()?;
        let end = super::end(&self.chain)?;
        if end.segment == self.cursor.segment && end.offset < self.cursor.offset {
            let found = self.open()?;
            if let Some(content) = &found {
                self.begin_anew_if_short(content)?;
            }
            self.hold(found);
        }
        Ok(end)
    }

    /// Returns the next lines; nothing when there are none yet. The line that is still being written
    /// is left for later.
    pub fn next_block(&mut self) -> io::Result<Option<Block>> {
        let mut block = Block::default();
        loop {
            let growth = self.growth()?;
            if self.passes_over(growth)? {
                self.go_to_next();
                continue;
            }
            let found = self.find(growth)?;
            match found {
                Found::Bytes(bytes) => {
                    block.lines = self.take(&bytes);
                    return Ok(Some(block));
                }
                Found::Damage(length) => {
                    block.damaged += length;
                    self.cursor.offset += length;
                    continue;
                }
                Found::End | Found::Nothing | Found::Ruin(_) if growth == Growth::Possible => {
                    return Ok(Some(block).filter(|block| block.deleted + block.damaged > 0));
                }
                Found::Ruin(length) => block.damaged += length,
                Found::Nothing => block.deleted += 1,
                Found::End => {}
            }
            self.go_to_next();
        }
    }

    /// Looks what comes next in the segment.
    fn find(&mut self, growth: Growth) -> io::Result<Found> {
        let mut content = match self.open() {
            Err(error) if is_damage(&error) => {
                let length = self.chain.stored_bytes(self.cursor.segment);
                return Ok(Found::Ruin(length));
            }
            opened => match opened? {
                None => return Ok(Found::Nothing),
                Some(content) => content,
            },
        };
        self.begin_anew_if_short(&content)?;
        // No segment is empty by itself: the name is all that is left of it.
        if growth == Growth::Over && content.length()? == 0 {
            return Ok(Found::Nothing);
        }
        let found = match self.read(&mut content, growth) {
            Ok(bytes) if bytes.is_empty() => Found::End,
            Ok(bytes) => Found::Bytes(bytes),
            // It was deleted while we had let go of it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Found::Nothing,
            Err(error) if is_damage(&error) => {
                let offset = self.cursor.offset;
                Found::Damage(content.behind_damage(offset).saturating_sub(offset))
            }
            Err(error) => return Err(error),
        };
        self.hold(Some(content));
        Ok(found)
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

    /// A chain whose numbers are smaller than ours was deleted and begun anew: it is read from its
    /// beginning.
    ///
    /// A listing may miss a segment whose name changes meanwhile, so that names are asked one by one:
    /// of a chain that goes on the segment before the live one is there, or the name of it.
    fn begin_anew_if_purged(&mut self) -> io::Result<()> {
        let segment = self.cursor.segment;
        let found = self.chain.find()?;
        self.live = found.live_number();
        if self.live >= segment {
            return Ok(());
        }
        let is_there =
            |number| self.chain.closed(number).exists() || self.chain.compressed(number).exists();
        if is_there(segment - 1) || is_there(segment) {
            self.live = segment;
            return Ok(());
        }
        let first = found.closed.first().copied().unwrap_or(1);
        self.go_to(first);
        Ok(())
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
        self.go_to(self.cursor.segment + 1);
    }

    fn go_to(&mut self, segment: u64) {
        self.cursor = Cursor { segment, offset: 0 };
        self.index = Index::default();
        self.search = None;
    }

    /// Goes to the next line of a segment that may be wanted; returns whether there is none.
    fn passes_over(&mut self, growth: Growth) -> io::Result<bool> {
        let segment = self.cursor.segment;
        if !self.wanted.is_some() {
            return Ok(false);
        }
        let is_new = self.search.as_ref().is_none_or(|search| search.segment != segment);
        if is_new && !self.begin_search(growth) {
            return Ok(true);
        }
        let Some(mut seeker) = self.search.as_mut().and_then(|search| search.seeker.take()) else {
            return Ok(false);
        };
        let mut content = match self.open() {
            // Whoever reads it finds that out as well, and says so.
            Err(error) if is_damage(&error) => return Ok(false),
            opened => match opened? {
                None => return Ok(false),
                Some(content) => content,
            },
        };
        // Looked at before the index: what is written meanwhile is in neither or in both.
        let end = content.length()?;
        let next = match seeker.next(self.cursor.offset, end, self.wanted) {
            Some(next) => next,
            None if growth == Growth::Over && end > 0 => return Ok(true),
            None => end,
        };
        if next > self.cursor.offset {
            let line = match seek::line_around(&mut content, next) {
                // It was deleted while we had let go of it: whoever reads it finds that out.
                Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
                line => line?,
            };
            self.cursor.offset = self.cursor.offset.max(line);
        }
        self.hold(Some(content));
        // What comes later in a live segment is new, and most likely wanted.
        if growth == Growth::Over && self.wanted.may_end() {
            self.search = Some(Search { segment, seeker: Some(seeker) });
        }
        Ok(false)
    }

    /// Asks the end of a closed segment's index about all of it; returns whether to look into it.
    fn begin_search(&mut self, growth: Growth) -> bool {
        let segment = self.cursor.segment;
        let index = self.chain.index(segment);
        let summary = match growth {
            Growth::Over => Summary::of(&index),
            Growth::Possible => Summary::default(),
        };
        if summary.is_outside(self.wanted) {
            return false;
        }
        let mut seeker = Seeker::new(index);
        if let (Some(since), None) = (self.wanted.since_ns, self.wanted.run)
            && summary.rises()
        {
            seeker.pass_before(since);
        }
        self.search = Some(Search { segment, seeker: Some(seeker) });
        true
    }

    /// Returns what there is of the line that is still being written, and leaves it for later.
    pub fn rest(&mut self) -> io::Result<Vec<Line>> {
        let Some(mut content) = self.open()? else { return Ok(Vec::new()) };
        let mut bytes = content.read_filled(self.cursor.offset, LINE_BYTES_MAX)?;
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
            self.begin_anew_if_purged()?;
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
        let begin = self.cursor.offset;
        let end = begin + length(bytes);
        self.cursor.offset = end;
        let all = 0..bytes.len();
        let Some(sieve) = self.sieve.clone() else {
            let records = self.index.up_to(&self.chain.index(self.cursor.segment), end);
            let lines = split(bytes, begin, &[all], records);
            self.index.forget_before(end);
            return lines;
        };
        let records = self.index.up_to(&self.chain.index(self.cursor.segment), end);
        let places = with_interrupted(bytes, begin, sieve.lines(bytes), records);
        // Lines around others are counted among those that are wanted.
        let places = match self.around.is_some() {
            true if is_all_wanted(records, begin, end, self.wanted) => {
                self.around.widen(bytes, &places)
            }
            true => vec![all],
            false => places,
        };
        let lines = split(bytes, begin, &places, records);
        self.index.forget_before(end);
        lines
    }
}

/// Returns whether all bytes between two offsets are wanted, as far as the records know.
fn is_all_wanted(records: &[IndexRecord], begin: u64, end: u64, wanted: Wanted) -> bool {
    let (mut from, mut realtime_ns, mut run) = (begin, 0, 0);
    for record in records.iter().filter(|record| record.offset() < end) {
        if record.offset() > from && !wanted.includes(realtime_ns, run) {
            return false;
        }
        from = from.max(record.offset());
        realtime_ns = record.time().unwrap_or(realtime_ns);
        run = record.source().unwrap_or(run);
    }
    wanted.includes(realtime_ns, run)
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
        let mut content = match open(chain, *number) {
            Err(error) if is_damage(&error) => continue,
            opened => match opened? {
                None => continue,
                Some(content) => content,
            },
        };
        if let Some(offset) = back(&mut content, &mut missing)? {
            return Ok(Cursor { segment: *number, offset });
        }
    }
    Ok(super::begin_of(chain, segments))
}

/// Goes back over so many lines; returns where, or nothing when the file has fewer.
fn back(content: &mut Content, missing: &mut usize) -> io::Result<Option<u64>> {
    let size = content.length()?;
    let mut end = size;
    while end > 0 {
        let start = end.saturating_sub(BLOCK_BYTES);
        let bytes = content.read_filled(start, end - start)?;
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

#[cfg(test)]
mod tests;
