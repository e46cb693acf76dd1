//! There are no such sockets.

use std::{convert::Infallible, future, io, path::Path, time::Duration};

use super::{Barrier, Datagram};
use crate::{
    descriptor::{Borrowed, Descriptor},
    port::{Sight, Token, Watchable, Watched},
};

/// A socket that nobody can have.
#[derive(Debug)]
pub struct Inbox(Infallible);

impl Inbox {
    /// Refuses.
    pub fn open(_path: &Path) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Refuses.
    pub fn from_descriptor(_socket: Descriptor) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Returns another descriptor of the same socket.
    pub fn duplicate(&self) -> io::Result<Descriptor> {
        match self.0 {}
    }

    /// Returns the next message without taking it.
    pub fn look(&self, _bytes_max: usize) -> io::Result<Option<Datagram>> {
        match self.0 {}
    }

    /// Takes the next message.
    pub fn take(&self) -> io::Result<()> {
        match self.0 {}
    }
}

impl Watchable for Inbox {
    fn reading(&self) -> io::Result<Sight> {
        match self.0 {}
    }
}

/// A descriptor, of which nobody sees the end.
#[derive(Debug)]
pub struct Guarded(Descriptor);

impl Guarded {
    /// Watches nothing.
    pub const fn new(descriptor: Descriptor) -> Self {
        Self(descriptor)
    }

    /// Returns whether its end is watched.
    #[expect(clippy::unused_self, reason = "one contract for every system")]
    pub const fn is_watched(&self) -> bool {
        false
    }

    /// Returns the descriptor.
    pub const fn descriptor(&self) -> &Descriptor {
        &self.0
    }
}

/// Waits for messages in many sockets: for ever.
#[derive(Debug)]
pub struct Inboxes;

impl Inboxes {
    /// Waits for nothing.
    #[expect(clippy::unnecessary_wraps, reason = "one contract for every system")]
    pub const fn new() -> io::Result<Self> {
        Ok(Self)
    }

    /// Watches a socket.
    #[expect(
        clippy::unused_self,
        clippy::needless_pass_by_value,
        reason = "one contract for every system"
    )]
    pub fn watch(&self, inbox: Inbox, _token: Token) -> io::Result<Watched<Inbox>> {
        match inbox.0 {}
    }

    /// Watches nothing.
    #[expect(clippy::unused_self, reason = "one contract for every system")]
    pub const fn guard(&self, _guarded: &mut Guarded, _token: Token) {}

    /// Waits for messages.
    pub async fn ready(&mut self) -> io::Result<Vec<Token>> {
        future::pending().await
    }
}

pub(super) const fn fits(_path: &Path) -> bool {
    false
}

pub(super) fn send(_address: &str, _message: &[u8], _riders: &[Borrowed<'_>]) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn send_barrier(
    _address: &str,
    _message: &[u8],
    _within: Duration,
) -> io::Result<Barrier> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn inherited(_number: u32) -> io::Result<Descriptor> {
    Err(io::ErrorKind::Unsupported.into())
}
