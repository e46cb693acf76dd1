//! Whoever has connected and has not become the owner: so many at a time, each for so long.

use std::{collections::BTreeMap, io, time::Duration};

use mainstay_api::keeper::RequestFrame;
use mainstay_platform::{
    descriptor::Descriptor,
    door::{Connection, Peer},
    port::{Port, Token},
};

use crate::{control::token, owner::Conversation};

/// More than this many are not heard at a time: the one that is silent for longest has to go.
pub(crate) const GUESTS_MAX: usize = 16;
/// How long a guest may take to say hello.
const HELLO_WITHIN: Duration = Duration::from_secs(5);

/// Somebody who connected and has not become the owner.
#[derive(Debug)]
pub(crate) struct Guest {
    token: Token,
    pub(crate) conversation: Conversation,
    /// The id of the hello that is still to be answered.
    pub(crate) hello: Option<u64>,
    /// What it said besides, to be obeyed once it is the owner.
    pub(crate) more: Vec<RequestFrame>,
    /// The descriptors that came with that.
    pub(crate) riders: Vec<Descriptor>,
    until: Duration,
}

/// All who have not said hello, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Guests {
    guests: BTreeMap<Token, Guest>,
    /// Never used twice: an event that is late means nobody else.
    admitted: u64,
}

impl Guests {
    /// Listens to somebody; whoever is silent for longest goes when there are too many.
    pub(crate) fn admit(
        &mut self,
        connection: Connection,
        peer: Peer,
        port: &Port,
        now: Duration,
    ) -> io::Result<()> {
        let token = Token(token::GUESTS + self.admitted);
        let conversation = Conversation::new(port.watch(connection, token)?, peer);
        self.admitted += 1;
        if self.guests.len() >= GUESTS_MAX {
            self.guests.pop_first();
        }
        let (more, riders, until) = (Vec::new(), Vec::new(), now + HELLO_WITHIN);
        self.guests.insert(token, Guest { token, conversation, hello: None, more, riders, until });
        Ok(())
    }

    /// Returns a guest who has something to say.
    pub(crate) fn take(&mut self, token: Token) -> Option<Guest> {
        self.guests.remove(&token)
    }

    /// Goes on listening to a guest.
    pub(crate) fn put_back(&mut self, guest: Guest) {
        self.guests.insert(guest.token, guest);
    }

    /// Shows out who has been silent for too long.
    pub(crate) fn expire(&mut self, now: Duration) {
        self.guests.retain(|_, guest| now < guest.until);
    }

    /// Sends what is queued; who does not take it is of no concern.
    pub(crate) fn flush(&mut self, now: Duration) {
        for guest in self.guests.values_mut() {
            drop(guest.conversation.flush(now));
        }
    }

    /// Returns when the first of them is shown out.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.guests.values().map(|guest| guest.until).min()
    }
}
