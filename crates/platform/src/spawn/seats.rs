//! Systems on which a start does not look at what else is open.

use std::io;

use crate::descriptor::Borrowed;

/// Nothing: what a program gets is named one by one.
#[derive(Debug)]
pub struct Seats;

impl Seats {
    /// Returns as many as asked for.
    #[expect(clippy::unnecessary_wraps, reason = "Linux may refuse")]
    pub fn take(threads: usize, _held: Option<Borrowed<'_>>) -> io::Result<Vec<Self>> {
        Ok((0..threads).map(|_| Self).collect())
    }
}
