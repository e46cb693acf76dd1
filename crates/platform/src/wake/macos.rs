//! Not told here: it would take a run loop of `IOKit`.

use std::io;

#[derive(Debug)]
pub(super) enum Wakes {}

impl Wakes {
    pub(super) fn watch() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    #[expect(clippy::unused_async, reason = "other systems wait")]
    pub(super) async fn next(&mut self) -> io::Result<()> {
        match *self {}
    }
}
