//! What other threads tell the control thread.

use std::{
    error::Error,
    io::{self, Write as _},
    sync::mpsc::Sender,
};

use mainstay_platform::port::Waker;

use crate::{pump::PumpNote, spawner::StartedNote};

/// Something a thread has done or seen.
#[derive(Debug)]
pub(crate) enum Note {
    /// A start came to an end.
    Started(Box<StartedNote>),
    /// A pump has news.
    Pump(PumpNote),
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
    let mut line = format!("keeper: {what}: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    // `eprintln!` panics when the disk of the log is full.
    drop(writeln!(io::stderr(), "{line}"));
}
