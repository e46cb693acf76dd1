//! What a pump does while a disk takes nothing: waits, or makes room by the unit's policy.

use std::{io, time::Duration};

use mainstay_api::keeper::{OnFull, PressureKind};
use mainstay_platform::{
    filesystem::is_out_of_room,
    pipe::{LineEnd, Moved},
};

use super::{After, PumpThread};

/// How long after a refusal the disk is asked again.
const RETRY_FULL_EVERY: Duration = Duration::from_millis(250);
/// What is discarded at once while the disk is full.
const DISCARD_BYTES: usize = 256 * 1024;

impl PumpThread {
    /// The disk did not take the bytes; they are still in the pipe.
    ///
    /// Only where room is what it lacks may something be dropped for it.
    pub(super) fn refused(&mut self, token: u64, now: Duration, error: &io::Error) -> After {
        let Some((source, chain)) = self.source_and_chain(token) else { return After::Gone };
        let unit = source.run.unit.clone();
        let retry_at = now + RETRY_FULL_EVERY;
        let (kind, policy) = if is_out_of_room(error) {
            (PressureKind::DiskFull, chain.on_full)
        } else {
            (PressureKind::DiskFailed, OnFull::Block)
        };
        if chain.trouble.replace(kind) != Some(kind) {
            self.pressure(&unit, kind, 0, error.to_string());
        }
        match policy {
            OnFull::Block => After::At(retry_at),
            OnFull::DropOldest => self.drop_oldest(token, retry_at, &unit),
            OnFull::DropNew => self.drop_new(token, retry_at, &unit),
        }
    }

    fn drop_oldest(&mut self, token: u64, retry_at: Duration, unit: &str) -> After {
        match self.source_and_chain(token).map(|(_, chain)| chain.drop_oldest()) {
            Some(Ok(true)) => {
                self.pressure(unit, PressureKind::DroppedOldest, 1, String::new());
                After::At(Duration::ZERO)
            }
            Some(Ok(false) | Err(_)) | None => After::At(retry_at),
        }
    }

    fn drop_new(&mut self, token: u64, retry_at: Duration, unit: &str) -> After {
        let Some(source) = self.sources.get_mut(&token) else { return After::Gone };
        let mut dropped = 0;
        while let Ok(Moved::Bytes(count)) = source.pipe.discard(DISCARD_BYTES) {
            dropped += u64::try_from(count).unwrap_or_default();
        }
        if dropped > 0 {
            source.has_gap = true;
            self.pressure(unit, PressureKind::DroppedNew, dropped, String::new());
        }
        After::At(retry_at)
    }

    /// Leaves out the rest of the line that a gap has cut in two, and ends its beginning; returns
    /// what to do when that is not possible at once.
    pub(super) fn close_gap(&mut self, token: u64, now: Duration) -> Option<After> {
        let source = self.sources.get_mut(&token)?;
        let chain = self.chains.get_mut(&source.chain)?;
        let (count, is_whole) = match source.pipe.line_end(&mut self.scratch) {
            Ok(LineEnd::After(count)) => (count, true),
            Ok(LineEnd::NotWithin(count)) => (count, false),
            Ok(LineEnd::Empty | LineEnd::Ended) => return None,
            Err(error) => return Some(self.refused(token, now, &error)),
        };
        let closed = chain.end_line().and_then(|()| source.pipe.discard(count));
        if let Err(error) = closed {
            return Some(self.refused(token, now, &error));
        }
        source.has_gap = !is_whole;
        let unit = source.run.unit.clone();
        let dropped = u64::try_from(count).unwrap_or_default();
        self.pressure(&unit, PressureKind::DroppedNew, dropped, String::new());
        (!is_whole).then_some(After::At(now))
    }

    pub(super) fn recovered(&mut self, token: u64) {
        let Some((source, chain)) = self.source_and_chain(token) else { return };
        if chain.trouble.take().is_some() {
            let unit = source.run.unit.clone();
            self.pressure(&unit, PressureKind::DiskRoom, 0, String::new());
        }
    }
}
