//! There is no such pipe.

use std::{
    convert::Infallible,
    io,
    os::fd::{AsFd, BorrowedFd},
    path::Path,
    time::Duration,
};

use super::{Heard, Patience};
use crate::descriptor::Descriptor;

/// A caller that nobody can be.
#[derive(Debug)]
pub struct Caller(Infallible);

impl Caller {
    /// Refuses.
    pub fn new(_pipe: Descriptor) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Returns the caller's process.
    pub const fn pid(&self) -> u32 {
        match self.0 {}
    }

    /// Returns whether the caller belongs to what was started as `id`.
    pub const fn belongs_to(&self, _id: &str) -> bool {
        match self.0 {}
    }

    /// Looks at what has arrived.
    pub const fn hear(&mut self) -> Heard {
        match self.0 {}
    }

    /// Says that its message has been dealt with.
    pub const fn answer(&mut self) {
        match self.0 {}
    }
}

impl AsFd for Caller {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self.0 {}
    }
}

pub(super) const fn name(_path: &Path) -> Option<String> {
    None
}

pub(super) fn send(
    _name: &str,
    _message: &[u8],
    _patience: Patience,
    _within: Duration,
) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
