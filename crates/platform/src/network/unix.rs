//! A socket on which the kernel says that something has changed.

use std::{io, os::fd::OwnedFd};

use rustix::{
    io::Errno,
    net::{RecvFlags, recv},
};
use tokio::io::{Interest, unix::AsyncFd};

/// No message is longer, and of one that were the rest would not matter.
const MESSAGE_BYTES_MAX: usize = 4096;

#[derive(Debug)]
pub(super) struct Watch(AsyncFd<OwnedFd>);

impl Watch {
    /// Watches a socket that never blocks.
    #[expect(unsafe_code, reason = "AsyncFd::register_with_interest")]
    pub(super) fn of(socket: OwnedFd) -> io::Result<Self> {
        // SAFETY: the descriptor is owned by the value, which closes it and gives no other out.
        let socket = unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE) };
        Ok(Self(socket?))
    }

    /// Waits until there is something to read, and leaves it there.
    pub(super) async fn stirred(&self) -> io::Result<()> {
        self.0.readable().await?.retain_ready();
        Ok(())
    }

    /// Reads everything: that there was something says enough, and so does that some of it is lost.
    pub(super) fn drain(&self) -> io::Result<()> {
        let mut message = [0; MESSAGE_BYTES_MAX];
        let mut read = |socket: &OwnedFd| recv(socket, &mut message[..], RecvFlags::empty());
        loop {
            match self.0.try_io(Interest::READABLE, |socket| Ok(read(socket)?)) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if is_passing(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn is_passing(error: &io::Error) -> bool {
    let passing = [Errno::NOBUFS, Errno::INTR].map(Errno::raw_os_error);
    error.raw_os_error().is_some_and(|number| passing.contains(&number))
}
