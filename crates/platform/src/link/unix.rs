//! A Unix socket inside a tokio runtime; descriptors ride along.

use std::{
    io,
    os::fd::AsFd as _,
    path::Path,
    time::{Duration, Instant},
};

use tokio::io::{Interest, unix::AsyncFd};

use crate::{
    descriptor::{Borrowed, Descriptor},
    door::{Connection, Received},
};

/// How long a keeper may refuse to take a frame before it counts as gone.
const SEND_WITHIN: Duration = Duration::from_secs(5);

/// The agent's end of the connection to its keeper.
#[derive(Debug)]
pub struct Link {
    socket: AsyncFd<Connection>,
}

impl Link {
    /// Connects to the keeper that `text` names, as it came on the command line.
    ///
    /// Must be called inside a runtime.
    #[expect(unsafe_code, reason = "tokio asks for the promise that the descriptor stays open")]
    pub fn inherit(text: &str) -> io::Result<Self> {
        let connection = Connection::open(Path::new(text))?;
        // SAFETY: `Connection` owns its descriptor, closes it only when dropped and always returns
        // the same one.
        let socket = unsafe { AsyncFd::register_with_interest(connection, Interest::READABLE) };
        Ok(Self { socket: socket.map_err(io::Error::from)? })
    }

    /// Waits for bytes and appends them; returns 0 when the keeper is gone.
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn receive(
        &mut self,
        bytes: &mut Vec<u8>,
        descriptors: &mut Vec<Descriptor>,
    ) -> io::Result<usize> {
        loop {
            let mut guard = self.socket.readable().await?;
            match guard.get_inner().receive(bytes, descriptors)? {
                Received::Bytes(count) => return Ok(count),
                Received::Closed => return Ok(0),
                Received::Empty => guard.clear_ready(),
            }
        }
    }

    /// Sends bytes; the descriptors ride with the first one.
    pub fn send(&mut self, bytes: &[u8], descriptors: &[Descriptor]) -> io::Result<()> {
        let borrowed: Vec<Borrowed<'_>> = descriptors.iter().map(|one| one.as_fd()).collect();
        let connection = self.socket.get_ref();
        let (mut rest, mut riding) = (bytes, borrowed.as_slice());
        let until = Instant::now() + SEND_WITHIN;
        while !rest.is_empty() {
            let sent = connection.send(rest, riding)?;
            if sent == 0 {
                wait_writable(connection, until)?;
                continue;
            }
            rest = rest.get(sent..).unwrap_or_default();
            riding = &[];
        }
        Ok(())
    }
}

fn wait_writable(connection: &Connection, until: Instant) -> io::Result<()> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let left = until.saturating_duration_since(Instant::now());
    let timeout = Timespec {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or_default(),
        tv_nsec: i64::from(left.subsec_nanos()),
    };
    let mut state = [PollFd::new(connection, PollFlags::OUT)];
    if poll(&mut state, Some(&timeout))? == 0 {
        return Err(io::Error::new(io::ErrorKind::TimedOut, "the keeper does not take our frames"));
    }
    Ok(())
}
