//! Low descriptor numbers, held by copies of `/dev/null`.

use std::{
    io,
    os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd, RawFd},
    sync::Arc,
};

use rustix::io::{DupFlags, dup3};

use super::unix::open_null;
use crate::descriptor::Borrowed;

/// Descriptor numbers from which a thread connects the streams of what it starts.
#[derive(Debug)]
pub struct Seats {
    null: Arc<OwnedFd>,
    output: OwnedFd,
    error: OwnedFd,
    /// The lowest number that no child needs.
    beyond: RawFd,
}

/// Seats with something on them, until this is dropped.
pub(super) struct Seated<'a>(&'a mut Seats);

impl Seats {
    /// Takes the lowest free numbers for so many threads.
    pub fn take(threads: usize, held: Option<Borrowed<'_>>) -> io::Result<Vec<Self>> {
        let (null, held) = (Arc::new(open_null()?), held.map_or(0, |held| held.as_raw_fd()));
        let one = |_| {
            let (output, error) = (null.try_clone()?, null.try_clone()?);
            let numbers = [null.as_raw_fd(), output.as_raw_fd(), error.as_raw_fd(), held];
            let beyond = numbers.into_iter().max().unwrap_or(held) + 1;
            Ok(Self { null: Arc::clone(&null), output, error, beyond })
        };
        (0..threads).map(one).collect()
    }

    /// Puts the writing ends of pipes onto the seats.
    pub(super) fn occupy(
        &mut self,
        output: Option<BorrowedFd<'_>>,
        error: Option<BorrowedFd<'_>>,
    ) -> io::Result<Seated<'_>> {
        let seated = Seated(self);
        let Self { output: first, error: second, .. } = &mut *seated.0;
        for (end, seat) in [(output, first), (error, second)] {
            if let Some(end) = end {
                dup3(end, seat, DupFlags::CLOEXEC)?;
            }
        }
        Ok(seated)
    }
}

impl Seated<'_> {
    pub(super) fn null(&self) -> RawFd {
        self.0.null.as_raw_fd()
    }

    pub(super) fn output(&self) -> RawFd {
        self.0.output.as_raw_fd()
    }

    pub(super) fn error(&self) -> RawFd {
        self.0.error.as_raw_fd()
    }

    pub(super) const fn beyond(&self) -> RawFd {
        self.0.beyond
    }
}

impl Drop for Seated<'_> {
    fn drop(&mut self) {
        let Seats { null, output, error, .. } = &mut *self.0;
        for seat in [output, error] {
            // To replace an open descriptor needs no new one: there is nothing to fail.
            let _ = dup3(null.as_fd(), seat, DupFlags::CLOEXEC);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_below_what_no_child_needs() {
        let null = open_null().unwrap();
        let high = rustix::io::fcntl_dupfd_cloexec(&null, 500).unwrap();
        for mut seats in Seats::take(2, Some(high.as_fd())).unwrap() {
            let seated = seats.occupy(None, None).unwrap();
            assert_eq!(seated.beyond(), high.as_raw_fd() + 1);
            assert!(seated.null().max(seated.output()).max(seated.error()) < 500);
        }
    }
}
