//! One chain of segments: where the next byte goes, and which source may write it.
//!
//! Several sources share a chain: runs of a unit whose pipes linger, one after the other. The
//! source changes at a line end only, or after [`HOLD_MAX`], flagged; the index says so *before*
//! the first byte of the new source.
//!
//! A live segment that somebody deletes, moves, replaces or empties is not ours any more: the next
//! byte begins a new one under the same name, its folder and its index included. What waits in the
//! pipe is not touched by that. Deleted and emptied segments are noticed before each move, moved
//! ones within [`TIME_EVERY`]; what is moved meanwhile is in the file that was taken away.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Seek as _, SeekFrom, Write as _},
    sync::Arc,
    time::Duration,
};

use mainstay_api::keeper::{Logs, OnFull, PressureKind, Rotated};
use mainstay_platform::{
    clock, fail, filesystem, paths,
    pipe::{LineEnd, Moved, PipeReader, Scratch, Way},
};
use mainstay_storage::{
    index::{self, Bounds, IndexRecord, RunSpan, SourceFlags, Stream},
    segment::{self, ChainFiles},
};

use super::{Channel, span::Span};

/// How long a source waits for another one to end its line.
pub(super) const HOLD_MAX: Duration = Duration::from_millis(100);
/// Times are written to the index at most this often.
const TIME_EVERY: Duration = Duration::from_millis(10);
/// One system call moves at most this much.
const MOVE_BYTES_MAX: usize = 1024 * 1024;

/// What a test loses on purpose to see whether it would be found.
const LOST_BYTES: usize = 1000;

/// Names a chain; shared by it and its sources.
pub(super) type ChainKey = Arc<ChainFiles>;

/// One chain of segments.
#[derive(Debug)]
pub(super) struct Chain {
    files: ChainKey,
    unit: String,
    max_size: u64,
    span: Span,
    pub(super) on_full: OnFull,
    means: Means,
    live: Option<Live>,
    writer: Option<Writer>,
    timed_at: Option<Duration>,
    /// When the bytes of the live segment came, where that is known of all.
    bounds: Option<Bounds>,
    /// Whose bytes are in the live segment, where that is known of any.
    runs: Option<RunSpan>,
    /// Why the disk takes nothing.
    pub(super) trouble: Option<PressureKind>,
}

/// How bytes get into segments, and what is noted of when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Means {
    pub(super) way: Way,
    /// Stands for this boot in an index.
    pub(super) boot: u64,
}

/// The segment that grows.
#[derive(Debug)]
struct Live {
    file: File,
    number: u64,
    size: u64,
}

/// Whose bytes are being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Writer {
    pub(super) run: u64,
    pub(super) channel: Channel,
}

/// What came of one attempt to take bytes from a source.
#[derive(Debug)]
pub(super) enum Taken {
    /// So many bytes are in the segment.
    Bytes(usize),
    /// The pipe is empty.
    Empty,
    /// Nobody holds its other end.
    Ended,
    /// Another source has not ended its line.
    Held,
    /// The live segment was closed; try again.
    Rotated(Rotated),
    /// Somebody has taken the live segment away; try again.
    Lost,
}

impl Chain {
    pub(super) fn new(key: &ChainKey, unit: &str, logs: &Logs, means: Means) -> Self {
        Self {
            files: Arc::clone(key),
            unit: unit.to_owned(),
            max_size: logs.max_size,
            span: Span::of(logs.every_s),
            on_full: logs.on_full,
            means,
            live: None,
            writer: None,
            timed_at: None,
            bounds: None,
            runs: None,
            trouble: None,
        }
    }

    /// Takes over settings that a later run brought.
    pub(super) const fn adjust(&mut self, logs: &Logs) {
        self.max_size = logs.max_size;
        self.span.change(logs.every_s);
        self.on_full = logs.on_full;
    }

    /// Returns whether it is a chain of this unit.
    pub(super) fn is_of(&self, unit: &str) -> bool {
        self.unit == unit
    }

    /// Returns the live segment's number and the offset behind its last byte.
    pub(super) fn position(&self) -> (u64, u64) {
        self.live.as_ref().map_or((0, 0), |live| (live.number, live.size))
    }

    /// Moves some bytes of `pipe` into the live segment.
    ///
    /// `force` says that the source has waited long enough for another one's line.
    pub(super) fn take(
        &mut self,
        pipe: &PipeReader,
        writer: Writer,
        force: Force,
        scratch: &mut Scratch,
    ) -> io::Result<Taken> {
        match self.attempt(pipe, writer, force, scratch) {
            // The folder is gone, and the segment with it; nothing was taken from the pipe.
            Err(error) if is_missing(&error) && self.live.take().is_some() => Ok(Taken::Lost),
            taken => taken,
        }
    }

    fn attempt(
        &mut self,
        pipe: &PipeReader,
        writer: Writer,
        force: Force,
        scratch: &mut Scratch,
    ) -> io::Result<Taken> {
        if self.is_lost()? {
            self.live = None;
        }
        // Nothing is created, closed or noted in the index before there is a byte.
        if (self.needs_note(writer) || self.is_due())
            && let Some(nothing) = look(pipe)?
        {
            return Ok(nothing);
        }
        self.open()?;
        if self.is_stamp_due(clock::monotonic()) {
            self.span.look(clock::realtime_nanos());
        }
        if self.is_due() && self.at_line_end()? {
            return self.close(SourceFlags::NONE).map(Taken::of);
        }
        if self.writer != Some(writer) && !self.change_writer(writer, force)? {
            return Ok(Taken::Held);
        }
        self.stamp()?;
        match self.allowance(pipe, scratch)? {
            Allowance::Bytes(limit) => self.pour(pipe, limit),
            Allowance::Cut => self.close(SourceFlags::CONTINUED).map(Taken::of),
        }
    }

    /// Returns whether somebody has deleted, emptied, moved or replaced the live segment.
    fn is_lost(&self) -> io::Result<bool> {
        let Some(live) = &self.live else { return Ok(false) };
        let standing = filesystem::standing(&live.file)?;
        let is_ours = standing.has_name && standing.length >= live.size;
        Ok(!is_ours || self.is_stamp_due(clock::monotonic()) && !self.is_in_place(live)?)
    }

    fn is_in_place(&self, live: &Live) -> io::Result<bool> {
        filesystem::is_at(&live.file, &self.files.live())
    }

    fn needs_note(&self, writer: Writer) -> bool {
        self.live.is_none() || self.writer != Some(writer) || self.is_stamp_due(clock::monotonic())
    }

    fn is_stamp_due(&self, now: Duration) -> bool {
        self.timed_at.is_none_or(|at| now >= at + TIME_EVERY)
    }

    fn pour(&mut self, pipe: &PipeReader, limit: usize) -> io::Result<Taken> {
        let has_bytes = fail::IS_ON && pipe.waiting().is_ok_and(|waiting| waiting > 0);
        if has_bytes && fail::is_wanted("pump.lose") {
            drop(pipe.discard(limit.min(LOST_BYTES)));
        }
        let Some(live) = &mut self.live else { return Ok(Taken::Empty) };
        Ok(match pipe.move_to(&live.file, live.size, limit, self.means.way)? {
            Moved::Bytes(count) => {
                live.size += u64::try_from(count).unwrap_or_default();
                Taken::Bytes(count)
            }
            Moved::Empty => Taken::Empty,
            Moved::Ended => Taken::Ended,
        })
    }

    /// Opens the live segment where the last keeper left it, or begins a new one.
    fn open(&mut self) -> io::Result<()> {
        if self.live.is_some() {
            return Ok(());
        }
        let found = self.files.find()?;
        let number = found.live_number();
        let file = self.open_live()?;
        self.trim_index(number, file.metadata()?.len())?;
        self.span.begin(self.first_time(number)?);
        let size = self.begin_at(&file, number)?;
        let records = self.index_of(number)?;
        (self.bounds, self.runs) = (index::bounds_of(&records), index::runs_of(&records));
        self.live = Some(Live { file, number, size });
        self.writer = None;
        self.timed_at = None;
        Ok(())
    }

    /// Returns where the next byte goes: behind the last one, but before the zeros of a power cut.
    ///
    /// Zeros that were written in this boot are a program's own.
    fn begin_at(&self, file: &File, number: u64) -> io::Result<u64> {
        let (length, solid) = (file.metadata()?.len(), segment::solid_length(file)?);
        let is_cut = solid < length && self.last_boot(number)? != Some(self.means.boot);
        let offset = if is_cut { solid } else { length };
        if is_cut {
            // Before the note below: it says that the rest is of this boot.
            file.set_len(offset)?;
        }
        index::mend(&self.open_index(number, OpenOptions::new().write(true))?, offset)?;
        self.append_index(number, &IndexRecord::Boot { offset, mark: self.means.boot })?;
        Ok(offset)
    }

    /// Returns the boot that the index names last.
    fn last_boot(&self, number: u64) -> io::Result<Option<u64>> {
        Ok(self.index_of(number)?.iter().rev().find_map(IndexRecord::boot))
    }

    /// Returns when the first byte came that is in a segment.
    fn first_time(&self, number: u64) -> io::Result<Option<u64>> {
        Ok(self.index_of(number)?.iter().find_map(IndexRecord::time))
    }

    fn index_of(&self, number: u64) -> io::Result<Vec<IndexRecord>> {
        match fs::read(self.files.index(number)) {
            Err(error) if is_missing(&error) => Ok(Vec::new()),
            bytes => Ok(IndexRecord::decode_all(&bytes?)),
        }
    }

    /// Drops what an index tells of bytes that are not there: of a segment that somebody deleted
    /// or emptied, or that was longer before a power cut.
    fn trim_index(&self, number: u64, length: u64) -> io::Result<()> {
        let records = self.index_of(number)?;
        let is_true = |record: &&IndexRecord| length > 0 && record.offset() <= length;
        if records.iter().all(|record| is_true(&record)) {
            return Ok(());
        }
        let kept: Vec<u8> = records.iter().filter(is_true).flat_map(IndexRecord::encode).collect();
        let mut options = OpenOptions::new();
        let path = self.files.index(number);
        let mut file = paths::open_log(options.write(true).truncate(true), &path)?;
        file.write_all(&kept)
    }

    /// Ends the line that a gap has cut, so that the next one stays whole.
    pub(super) fn end_line(&mut self) -> io::Result<()> {
        if self.at_line_end()? {
            return Ok(());
        }
        let Some(live) = &mut self.live else { return Ok(()) };
        let mut file = &live.file;
        file.seek(SeekFrom::Start(live.size))?;
        file.write_all(b"\n")?;
        live.size += 1;
        Ok(())
    }

    /// Opens the live file; the folder is made for the first one.
    fn open_live(&self) -> io::Result<File> {
        let open = || {
            let mut options = OpenOptions::new();
            paths::open_log(options.read(true).write(true), &self.files.live())
        };
        match open() {
            Err(error) if is_missing(&error) => {
                paths::create_private(self.files.folder())?;
                open()
            }
            opened => opened,
        }
    }

    /// Returns whether the live segment is to be closed at the next line end.
    fn is_due(&self) -> bool {
        self.is_over_size() || self.span.is_over() && self.has_bytes()
    }

    fn is_over_size(&self) -> bool {
        let size = self.live.as_ref().map_or(0, |live| live.size);
        self.max_size > 0 && size >= self.max_size
    }

    fn at_line_end(&self) -> io::Result<bool> {
        let Some(live) = &self.live else { return Ok(true) };
        segment::ends_with_line(&live.file, live.size)
    }

    /// Lets another source write, if the last one has ended its line or must be interrupted.
    fn change_writer(&mut self, writer: Writer, force: Force) -> io::Result<bool> {
        let is_clean = self.at_line_end()?;
        let is_same_line = self.writer.is_none() && !is_clean;
        if !is_clean && !is_same_line && force == Force::No {
            return Ok(false);
        }
        let flags = if is_clean { SourceFlags::NONE } else { SourceFlags::UNFINISHED };
        self.record_source(writer, flags)?;
        let run = writer.run;
        self.runs = Some(self.runs.map_or_else(|| RunSpan::of(run), |runs| runs.with(run)));
        self.writer = Some(writer);
        Ok(true)
    }

    fn record_source(&self, writer: Writer, flags: SourceFlags) -> io::Result<()> {
        let Some(live) = &self.live else { return Ok(()) };
        let stream = match writer.channel {
            Channel::Joined => Stream::Joined,
            Channel::Output => Stream::Out,
            Channel::Error => Stream::Err,
        };
        let record = IndexRecord::Source { offset: live.size, run: writer.run, stream, flags };
        self.append_index(live.number, &record)
    }

    /// Notes when the next byte came, at most once in [`TIME_EVERY`].
    fn stamp(&mut self) -> io::Result<()> {
        let now = clock::monotonic();
        if !self.is_stamp_due(now) {
            return Ok(());
        }
        let Some(live) = &self.live else { return Ok(()) };
        let realtime_ns = clock::realtime_nanos();
        self.span.note(realtime_ns);
        let record = IndexRecord::Time { offset: live.size, realtime_ns };
        self.append_index(live.number, &record)?;
        self.bounds = match self.bounds {
            Some(bounds) => Some(bounds.with(realtime_ns)),
            None => (live.size == 0).then_some(Bounds::of(realtime_ns)),
        };
        self.timed_at = Some(now);
        Ok(())
    }

    /// The index is not held open: a unit costs one descriptor for its log, not two.
    fn append_index(&self, number: u64, record: &IndexRecord) -> io::Result<()> {
        (&self.open_index(number, OpenOptions::new().append(true))?).write_all(&record.encode())
    }

    fn open_index(&self, number: u64, options: &mut OpenOptions) -> io::Result<File> {
        paths::open_log(options.read(true), &self.files.index(number))
    }

    /// Returns how much may be moved so that the segment ends with a line.
    fn allowance(&self, pipe: &PipeReader, scratch: &mut Scratch) -> io::Result<Allowance> {
        let size = self.live.as_ref().map_or(0, |live| live.size);
        let max_size = if self.max_size == 0 { u64::MAX } else { self.max_size };
        if !self.is_due() {
            let room = usize::try_from(max_size - size).unwrap_or(usize::MAX);
            return Ok(Allowance::Bytes(room.min(MOVE_BYTES_MAX)));
        }
        let left = max_size.saturating_mul(2).saturating_sub(size);
        if left == 0 {
            return Ok(Allowance::Cut);
        }
        let wanted = match pipe.line_end(scratch)? {
            LineEnd::After(count) | LineEnd::NotWithin(count) => count,
            LineEnd::Empty | LineEnd::Ended => 1,
        };
        Ok(Allowance::Bytes(wanted.min(usize::try_from(left).unwrap_or(usize::MAX))))
    }

    /// Closes the live segment; the next byte begins a new one. Returns nothing when somebody has
    /// taken the segment away.
    pub(super) fn close(&mut self, flags: SourceFlags) -> io::Result<Option<Rotated>> {
        let number = self.position().0;
        let Some(live) = &self.live else { return Ok(None) };
        if !self.is_in_place(live)? {
            self.live = None;
            return Ok(None);
        }
        if flags == SourceFlags::CONTINUED
            && let Some(writer) = self.writer
        {
            self.record_source(writer, flags)?;
        }
        let offset = live.size;
        let runs = self.runs.map(|runs| IndexRecord::Runs { offset, runs });
        let bounds = self.bounds.map(|bounds| IndexRecord::Bounds { offset, bounds });
        for record in runs.iter().chain(&bounds) {
            // Without them whoever seeks a time or a run reads more, and finds the same.
            drop(self.append_index(number, record));
        }
        self.files.close(number)?;
        self.live = None;
        Ok(Some(Rotated {
            unit: self.unit.clone(),
            chain: self.files.stem().to_owned(),
            segment: number,
        }))
    }

    /// Returns whether there is anything to close.
    pub(super) fn has_bytes(&self) -> bool {
        self.position().1 > 0
    }

    /// Deletes the oldest closed segment; returns whether there was one.
    pub(super) fn drop_oldest(&self) -> io::Result<bool> {
        let found = self.files.find()?;
        let mut kept = found.closed.iter().filter(|number| !self.files.is_emptied(**number));
        let Some(oldest) = kept.next() else { return Ok(false) };
        self.files.remove(*oldest)?;
        Ok(true)
    }
}

enum Allowance {
    Bytes(usize),
    /// The line is too long: end the segment in the middle of it.
    Cut,
}

/// Whether a source may interrupt another one's line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Force {
    /// It has waited long enough.
    Yes,
    /// It waits.
    No,
}

impl Taken {
    fn of(closed: Option<Rotated>) -> Self {
        closed.map_or(Self::Lost, Self::Rotated)
    }
}

fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

fn look(pipe: &PipeReader) -> io::Result<Option<Taken>> {
    Ok(match pipe.is_ready()? {
        Moved::Bytes(_) => None,
        Moved::Empty => Some(Taken::Empty),
        Moved::Ended => Some(Taken::Ended),
    })
}
