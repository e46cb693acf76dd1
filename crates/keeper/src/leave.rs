//! Leaving: a keeper that ends without ending its programs, for a successor that somebody else
//! starts. Where a process can replace itself, [`crate::upgrade`] is the better way.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use mainstay_api::keeper::{LEAVING_SINCE, Leftover, Report};
use mainstay_platform::port;

use crate::control::Control;

const STAYS: u8 = 0;
const ASKED: u8 = 1;
const REFUSED: u8 = 2;

/// Asks a keeper of this process to leave; clones ask the same one.
#[derive(Debug, Clone, Default)]
pub struct Leave(Arc<AtomicU8>);

impl Leave {
    /// Asks; returns at once. The keeper ends, or [refuses](Self::take_refusal).
    pub fn ask(&self) -> io::Result<()> {
        self.0.store(ASKED, Ordering::Release);
        port::ask_to_end()
    }

    /// Returns whether the keeper has refused, once: it goes on as if nobody had asked.
    pub fn take_refusal(&self) -> bool {
        self.0.compare_exchange(REFUSED, STAYS, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Acquire) == ASKED
    }

    fn refuse(&self) {
        self.0.store(REFUSED, Ordering::Release);
    }
}

impl Control {
    /// Begins to end, and leaves everything to a successor: programs run on, and what they write
    /// waits in their pipes. The agent is told, and takes what it holds to the successor.
    ///
    /// Without an agent that understands this nobody would hold the programs, nor start a
    /// successor: then the keeper stays.
    pub(crate) fn leave(&mut self) {
        if self.is_ending() {
            return;
        }
        if self.agents.owner.as_ref().is_none_or(|owner| owner.protocol() < LEAVING_SINCE) {
            self.company.leave.refuse();
            return;
        }
        self.tell_owner(Report::Leaving);
        self.begin_to_end(Leftover::Leave);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_once_and_the_keeper_can_be_asked_again() {
        let leave = Leave::default();
        assert!(!leave.take_refusal());
        let keeper = leave.clone();
        keeper.0.store(ASKED, Ordering::Release);
        assert!(leave.is_asked());
        keeper.refuse();
        assert!(!leave.is_asked());
        assert!(leave.take_refusal());
        assert!(!leave.take_refusal());
    }
}
