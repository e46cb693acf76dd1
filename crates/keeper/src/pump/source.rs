//! One pipe: how eagerly it is read.

use std::{sync::Arc, time::Duration};

use mainstay_api::keeper::RunRef;
use mainstay_platform::{pipe::PipeReader, port::Watched};

use super::{Channel, pace::Pace};

/// What a busy pipe is enlarged to.
const LARGE_PIPE_BYTES: usize = 1024 * 1024;
const USUAL_PIPE_BYTES: usize = 64 * 1024;
/// How long after its last flood a pipe is made small again.
const COLD_AFTER: Duration = Duration::from_secs(10);

/// One pipe.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) run: RunRef,
    pub(super) channel: Channel,
    /// The stem of the chain it writes to, with its folder.
    pub(super) chain: super::chain::ChainKey,
    pub(super) pipe: Watched<Arc<PipeReader>>,
    /// Bytes that still have to be moved before the run counts as drained.
    pub(super) drain: Option<usize>,
    /// Since when it waits for another source to end its line.
    pub(super) held_since: Option<Duration>,
    /// Bytes of it were dropped: what comes next may be the rest of a line.
    pub(super) has_gap: bool,
    capacity: usize,
    is_eager: bool,
    flooded_at: Duration,
    pace: Pace,
}

/// What to do after a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Read again at once.
    Again,
    /// Read again after this long.
    Rest(Duration),
}

impl Source {
    pub(super) fn new(
        run: RunRef,
        channel: Channel,
        chain: super::chain::ChainKey,
        pipe: Watched<Arc<PipeReader>>,
    ) -> Self {
        let capacity = pipe.capacity();
        Self {
            run,
            channel,
            chain,
            pipe,
            drain: None,
            held_since: None,
            has_gap: false,
            capacity,
            is_eager: false,
            flooded_at: Duration::ZERO,
            pace: Pace::new(),
        }
    }

    /// Learns from a read how the program writes.
    pub(super) fn learn(&mut self, now: Duration, moved: usize) -> Next {
        if moved >= self.capacity / 2 {
            self.flooded_at = now;
            self.pace.learn(moved, self.capacity);
            self.enlarge();
            return Next::Again;
        }
        if self.is_eager {
            return Next::Again;
        }
        Next::Rest(self.pace.rest(moved, self.capacity))
    }

    /// Nothing waits.
    pub(super) const fn pause(&mut self) {
        self.pace.pause();
    }

    fn enlarge(&mut self) {
        if self.capacity >= LARGE_PIPE_BYTES || self.is_eager {
            return;
        }
        match self.pipe.set_capacity(LARGE_PIPE_BYTES) {
            Ok(()) => self.capacity = LARGE_PIPE_BYTES,
            // Refused to an ordinary user who has many: then resting would hold the program up.
            Err(_) => self.is_eager = true,
        }
    }

    /// Returns when to make the pipe small again, if it is large.
    pub(super) fn cold_at(&self) -> Option<Duration> {
        (self.capacity > USUAL_PIPE_BYTES).then(|| self.flooded_at + COLD_AFTER)
    }

    /// Gives the memory of a large pipe back.
    pub(super) fn shrink(&mut self) {
        if self.pipe.set_capacity(USUAL_PIPE_BYTES).is_ok() {
            self.capacity = USUAL_PIPE_BYTES;
        }
    }
}
