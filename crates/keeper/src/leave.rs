//! Leaving: a keeper that ends without ending its programs, for a successor that somebody else
//! starts. Where a process can replace itself, [`crate::upgrade`] is the better way.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use mainstay_api::keeper::{LEAVING_SINCE, Leftover, Report};
use mainstay_platform::port;

use crate::control::Control;

/// Asks a keeper of this process to leave; clones ask the same one.
#[derive(Debug, Clone, Default)]
pub struct Leave(Arc<AtomicBool>);

impl Leave {
    /// Asks; returns at once.
    pub fn ask(&self) -> io::Result<()> {
        self.0.store(true, Ordering::Release);
        port::ask_to_end()
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Control {
    /// Begins to end, and leaves everything to a successor: programs run on, and what they write
    /// waits in their pipes. The agent is told, and takes what it holds to the successor.
    pub(crate) fn leave(&mut self) {
        if self.is_ending() {
            return;
        }
        if self.agents.owner.as_ref().is_some_and(|owner| owner.protocol() >= LEAVING_SINCE) {
            self.tell_owner(Report::Leaving);
        }
        self.begin_to_end(Leftover::Leave);
    }
}
