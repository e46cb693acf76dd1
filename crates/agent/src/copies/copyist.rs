//! The thread of one copy: reads what is new in the segments, appends it to the file, and rests.

use std::{
    io,
    path::PathBuf,
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::Duration,
};

use mainstay_platform::{clock, fail};
use mainstay_storage::read::Reader;
use tokio::sync::mpsc::UnboundedSender;

use super::{Copy, bookmark::Bookmark, forget, pending::Pending, target::Target};

/// How long to wait for more lines: the shortest, which grows while nothing comes, and the longest.
const LOOK_AFTER: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(1)];
/// How long after a refusal it is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// How long after a refusal a file is given another name.
const SET_ASIDE_AGAIN_AFTER: Duration = Duration::from_mins(1);
/// So many batches are copied before orders are looked at.
const BATCHES_IN_A_ROW: usize = 64;

/// What a copyist is told.
#[derive(Debug)]
pub(super) enum Order {
    /// Go on like this.
    Change(Box<Copy>),
    /// Copy what there is, and end.
    Finish,
    /// End; nobody wants the copy any more.
    Forget,
}

/// What a copyist says when its fortune changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) unit: String,
    pub(crate) path: PathBuf,
    pub(crate) what: Fortune,
}

/// How a copy fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fortune {
    /// The file takes nothing; it is tried again.
    Refused(String),
    /// The file takes lines again.
    Taken,
    /// The file cannot be given another name, and grows on.
    KeptName(String),
    /// So many segments were deleted before they were copied, or cannot be read.
    Missed(u64),
}

/// Why a copy does not go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum CopyError {
    #[error("the log cannot be read: {0}")]
    Log(io::Error),
    #[error("where it is cannot be noted: {0}")]
    Bookmark(io::Error),
    #[error("{0}")]
    File(io::Error),
}

/// One copy, from the thread's side.
#[derive(Debug)]
pub(super) struct Copyist {
    copy: Copy,
    teller: UnboundedSender<Said>,
    source: Option<Source>,
    target: Option<Target>,
    is_refused: bool,
    /// A run has begun, and its file has not.
    is_aside_due: bool,
    /// The file could not be given another name.
    has_kept_name: bool,
    aside_at: Duration,
}

/// Where the lines come from.
#[derive(Debug)]
struct Source {
    bookmark: Bookmark,
    reader: Reader,
    pending: Pending,
}

pub(super) enum Turn {
    Busy,
    Idle,
}

impl Copyist {
    pub(super) fn new(copy: Copy, teller: UnboundedSender<Said>) -> Self {
        Self {
            copy,
            teller,
            source: None,
            target: None,
            is_refused: false,
            is_aside_due: false,
            has_kept_name: false,
            aside_at: Duration::ZERO,
        }
    }

    /// Copies until it is told to end.
    pub(super) fn work(mut self, orders: &Receiver<Order>) {
        let [shortest, longest] = LOOK_AFTER;
        let mut rest = shortest;
        loop {
            let turn = self.turn();
            rest = match self.judge(&turn) {
                Some(Turn::Busy) => Duration::ZERO,
                Some(Turn::Idle) => (rest * 2).clamp(shortest, longest),
                None => RETRY_AFTER,
            };
            match orders.recv_timeout(rest) {
                Ok(Order::Change(copy)) => self.change(*copy),
                Ok(Order::Finish) => return self.finish(),
                Ok(Order::Forget) => {
                    drop(self.source);
                    return forget(&self.copy.bookmark);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Tells a change of fortune; returns how the turn went, unless it failed.
    pub(super) fn judge<'a>(&mut self, turn: &'a Result<Turn, CopyError>) -> Option<&'a Turn> {
        match turn {
            Ok(turn) => {
                // Whether a file takes lines again is known once it has taken one.
                if self.target.is_some() && std::mem::take(&mut self.is_refused) {
                    self.tell(Fortune::Taken);
                }
                Some(turn)
            }
            Err(error) => {
                self.target = None;
                if !std::mem::replace(&mut self.is_refused, true) {
                    self.tell(Fortune::Refused(error.to_string()));
                }
                None
            }
        }
    }

    fn tell(&self, what: Fortune) {
        let Copy { unit, path, .. } = &self.copy;
        // An agent that ends listens no more.
        drop(self.teller.send(Said { unit: unit.clone(), path: path.clone(), what }));
    }

    fn change(&mut self, copy: Copy) {
        self.target = None;
        self.copy = copy;
    }

    pub(super) fn turn(&mut self) -> Result<Turn, CopyError> {
        if let Some(target) = &mut self.target
            && !target.look().map_err(CopyError::File)?
        {
            self.target = None;
        }
        for _ in 0..BATCHES_IN_A_ROW {
            if !self.has_lines()? {
                self.rest()?;
                return Ok(Turn::Idle);
            }
            self.copy_batch()?;
        }
        Ok(Turn::Busy)
    }

    fn source(&mut self) -> Result<&mut Source, CopyError> {
        let source = match self.source.take() {
            Some(source) => source,
            None => Source::open(&self.copy)?,
        };
        Ok(self.source.insert(source))
    }

    fn has_lines(&mut self) -> Result<bool, CopyError> {
        let source = self.source()?;
        let mut deleted = 0;
        while source.pending.is_empty() {
            let block = source.reader.next_block().map_err(CopyError::Log)?;
            let Some(block) = block else { break };
            deleted += block.deleted + u64::from(block.damaged > 0);
            source.pending = Pending::before(source.reader.cursor(), block.lines);
        }
        let has_lines = !source.pending.is_empty();
        if deleted > 0 {
            self.tell(Fortune::Missed(deleted));
        }
        Ok(has_lines)
    }

    /// Copies lines of one run, up to the size that the file may have.
    fn copy_batch(&mut self) -> Result<(), CopyError> {
        let mut target = match self.target.take() {
            Some(target) => target,
            None => self.open()?,
        };
        let room = self.room_in(&target);
        let pending = &mut self.source()?.pending;
        let (run, bytes) = pending.batch(room);
        let arrived = target.has_already(&bytes).map_err(CopyError::File)?;
        pending.advance(arrived);
        if arrived == 0 {
            if self.is_time_to_set_aside(&target, run)? && self.set_aside(&target)? {
                return Ok(());
            }
            let source = self.source()?;
            source.note(&target, run)?;
            fail::point("agent.copy.noted");
            target.append(&bytes).map_err(CopyError::File)?;
            fail::point("agent.copy.appended");
            source.pending.advance(bytes.len());
        }
        self.target = Some(target);
        Ok(())
    }

    /// Returns how much goes into the file at once.
    fn room_in(&self, target: &Target) -> u64 {
        let max = self.copy.max_size;
        // A file that keeps its name for now grows on.
        if max == 0 || clock::monotonic() < self.aside_at {
            return u64::MAX;
        }
        max.saturating_sub(target.length())
    }

    /// Opens the file. What it holds behind the bookmark are the next bytes only where the bookmark
    /// stands before those: it was noted for an append that was not seen through.
    fn open(&mut self) -> Result<Target, CopyError> {
        let source = self.source()?;
        let place = source.bookmark.place();
        let begun = (place.cursor() == source.pending.begin()).then_some(place);
        Target::open(&self.copy.path, begun).map_err(CopyError::File)
    }

    /// A file is given another name at a line end, and an empty one never.
    fn is_time_to_set_aside(&mut self, target: &Target, run: u64) -> Result<bool, CopyError> {
        let former = self.source()?.bookmark.place().run;
        let Copy { at_start, max_size, .. } = self.copy;
        if at_start && run != former {
            self.is_aside_due = target.length() > 0;
        }
        let is_full = max_size > 0 && target.length() >= max_size;
        if !(is_full || self.is_aside_due) || clock::monotonic() < self.aside_at {
            return Ok(false);
        }
        target.ends_with_line().map_err(CopyError::File)
    }

    /// Gives the file another name; returns whether that worked.
    fn set_aside(&mut self, target: &Target) -> Result<bool, CopyError> {
        let source = self.source()?;
        let former = source.bookmark.place().run;
        source.note(target, former)?;
        let Err(error) = target.set_aside() else {
            (self.is_aside_due, self.has_kept_name) = (false, false);
            return Ok(true);
        };
        self.aside_at = clock::monotonic() + SET_ASIDE_AGAIN_AFTER;
        if !std::mem::replace(&mut self.has_kept_name, true) {
            self.tell(Fortune::KeptName(error.to_string()));
        }
        Ok(false)
    }

    /// Notes that everything has arrived: whoever opens the file anew must not take equal lines
    /// that are still to come for those.
    fn rest(&mut self) -> Result<(), CopyError> {
        let Some(target) = self.target.take() else { return Ok(()) };
        let source = self.source()?;
        let run = source.bookmark.place().run;
        source.note(&target, run)?;
        self.target = Some(target);
        Ok(())
    }

    /// Copies what there is, be it the beginning of a line.
    pub(super) fn finish(mut self) {
        while let Ok(Turn::Busy) = self.turn() {}
        let rest = self.source().and_then(Source::take_rest);
        if matches!(rest, Ok(true)) && self.copy_batch().is_ok() {
            // The next agent sees by the file's length how far we have got.
            drop(self.rest());
        }
    }
}

impl Source {
    fn open(copy: &Copy) -> Result<Self, CopyError> {
        let bookmark = Bookmark::open(&copy.bookmark, &copy.chain).map_err(CopyError::Bookmark)?;
        let begin = bookmark.place().cursor();
        let reader = Reader::new(copy.chain.clone(), begin);
        Ok(Self { bookmark, reader, pending: Pending::none(begin) })
    }

    /// Notes that the next bytes go behind the last one of the file.
    fn note(&mut self, target: &Target, run: u64) -> Result<(), CopyError> {
        let place = target.place(run).from(self.pending.begin());
        self.bookmark.set(place).map_err(CopyError::Bookmark)
    }

    /// Takes the line that is still being written; returns whether there is one.
    fn take_rest(&mut self) -> Result<bool, CopyError> {
        if !self.pending.is_empty() {
            return Ok(false);
        }
        let begin = self.reader.cursor();
        let rest = self.reader.rest().map_err(CopyError::Log)?;
        self.pending = Pending::behind(begin, rest);
        Ok(!self.pending.is_empty())
    }
}

#[cfg(test)]
impl Copyist {
    /// Copies what there is.
    pub(super) fn copy_all(&mut self) -> Result<(), CopyError> {
        while let Turn::Busy = self.turn()? {}
        Ok(())
    }

    /// Copies once, and does not come to rest.
    pub(super) fn copy_once(&mut self, copy: Copy) -> Result<(), CopyError> {
        assert!(self.has_lines()?);
        self.copy_batch()?;
        self.change(copy);
        Ok(())
    }

    /// Ends with the machine.
    pub(super) fn lose_power(self) {
        self.source.unwrap().bookmark.leave_to_the_next_boot();
    }

    /// Notes where the next bytes go, as if it died then.
    pub(super) fn only_note(&mut self) -> Result<(), CopyError> {
        if self.has_lines()? {
            let target = self.open()?;
            self.source()?.note(&target, 1)?;
        }
        Ok(())
    }
}
