//! What other threads tell the control thread.

use std::{error::Error, sync::mpsc::Sender};

use mainstay_platform::{complaint, port::Waker};

use crate::{probe::ProbeError, pump::PumpNote, spawner::StartedNote};

/// Something a thread has done or seen.
///
/// Their channel has no bound, and needs none: the control thread takes all of them in each turn.
/// What comes meanwhile is one note for each start, end, pipe and probe, one for each segment that
/// a pump closes or deletes, and a few each second from a log whose disk is full. A bound would let
/// a pump wait for the control thread while that waits for the pump to park.
#[derive(Debug)]
pub(crate) enum Note {
    /// A start came to an end.
    Started(Box<StartedNote>),
    /// A pump has news.
    Pump(PumpNote),
    /// A binary that we are to become has answered, or has not.
    Probed(Result<(), ProbeError>),
}

/// The way to the control thread.
#[derive(Debug, Clone)]
pub(crate) struct Notes {
    sender: Sender<Note>,
    waker: Waker,
}

impl Notes {
    pub(crate) const fn new(sender: Sender<Note>, waker: Waker) -> Self {
        Self { sender, waker }
    }

    /// Sends a note; a control thread that is gone needs none.
    pub(crate) fn send(&self, note: Note) {
        if self.sender.send(note).is_ok() {
            self.waker.wake();
        }
    }
}

/// Returns where a chain of errors begins: the words of the system.
pub(crate) fn root_of(error: &dyn Error) -> &dyn Error {
    let mut root = error;
    while let Some(cause) = root.source() {
        root = cause;
    }
    root
}

/// Writes one line about something that nobody else can be told of.
pub(crate) fn complain(what: &str, error: &dyn Error) {
    complaint::complain("keeper", what, error);
}
