//! A door that the keeper attends, and what is done when nobody can be let in.
//!
//! A door that somebody waits at is ready for ever: when descriptors are out, it is not watched
//! for a moment, or the keeper would do nothing but ask again.

use std::{io, path::Path, sync::Arc, time::Duration};

use mainstay_platform::{
    descriptor::{Borrowed, Descriptor},
    door::{Connection, Door},
    port::{Port, Token, Watched},
};

use crate::{control::token, note::complain};

/// How long nobody is let in after the system has refused.
const SHUT_FOR: Duration = Duration::from_millis(100);

/// The door.
#[derive(Debug)]
pub(crate) struct Entrance {
    door: Arc<Door>,
    token: Token,
    /// What is said when the system refuses.
    complaint: &'static str,
    watched: Option<Watched<Arc<Door>>>,
    opens_at: Option<Duration>,
    /// The system has refused before and nobody was let in since: it is said once.
    is_refused: bool,
}

impl Entrance {
    /// Watches a door.
    pub(crate) fn open(door: Door, token: Token, port: &Port) -> io::Result<Self> {
        let door = Arc::new(door);
        let watched = Some(port.watch(Arc::clone(&door), token)?);
        let complaint = match token {
            token::CLIENTS => "cannot accept a client",
            token::NOTIFICATIONS => "cannot hear a program",
            _ => "cannot accept an agent",
        };
        Ok(Self { door, token, complaint, watched, opens_at: None, is_refused: false })
    }

    /// Returns the next caller, if one can be let in.
    pub(crate) fn next_caller(&mut self, now: Duration) -> Option<Connection> {
        let caller = self.door.accept();
        self.look(caller, now)
    }

    /// Returns our end of the connection to the next caller, for somebody else.
    pub(crate) fn next_untouched(&mut self, now: Duration) -> Option<Descriptor> {
        let caller = self.door.accept_untouched();
        self.look(caller, now)
    }

    /// Shuts the door for a moment where the system refuses.
    fn look<C>(&mut self, caller: io::Result<Option<C>>, now: Duration) -> Option<C> {
        match caller {
            Ok(None) => None,
            Ok(caller) => {
                self.is_refused = false;
                caller
            }
            Err(error) => {
                if !std::mem::replace(&mut self.is_refused, true) {
                    complain(self.complaint, &error);
                }
                self.shut(now);
                None
            }
        }
    }

    /// Lets nobody in for a moment.
    pub(crate) fn shut(&mut self, now: Duration) {
        self.watched = None;
        self.opens_at = Some(now + SHUT_FOR);
    }

    /// Watches the door again when it is time.
    pub(crate) fn open_if_due(&mut self, port: &Port, now: Duration) {
        if self.opens_at.is_none_or(|at| now < at) {
            return;
        }
        self.opens_at = None;
        match port.watch(Arc::clone(&self.door), self.token) {
            Ok(watched) => self.watched = Some(watched),
            Err(_) => self.shut(now),
        }
    }

    /// Returns when to open again.
    pub(crate) const fn next_deadline(&self) -> Option<Duration> {
        self.opens_at
    }

    /// Returns the path that the door is on.
    pub(crate) fn path(&self) -> &Path {
        self.door.path()
    }

    /// Lends the descriptor.
    pub(crate) fn borrow(&self) -> Borrowed<'_> {
        self.door.borrow()
    }
}
