//! A named pipe read by a thread of its own, because handles ride along with the bytes.

use std::{
    io,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::{
    descriptor::{Borrowed, Descriptor, borrow},
    door::{Connection, Received},
    port::{Port, Token, WantWrite},
};

/// How long a keeper may refuse to take a frame before it counts as gone.
const SEND_WITHIN: Duration = Duration::from_secs(5);

type Arrived = (Vec<u8>, Vec<Descriptor>);

/// The agent's end of the connection to its keeper.
#[derive(Debug)]
pub struct Link {
    connection: Arc<Connection>,
    arrived: UnboundedReceiver<Arrived>,
}

impl Link {
    /// Connects to the keeper that `text` names, as it came on the command line.
    pub fn inherit(text: &str) -> io::Result<Self> {
        let connection = Arc::new(Connection::open(Path::new(text))?);
        let (sender, arrived) = unbounded_channel();
        let reader = Arc::clone(&connection);
        let port = Port::new()?;
        std::thread::Builder::new().name("link".into()).spawn(move || {
            // The end of the thread closes the channel, which says that the keeper is gone.
            drop(read(port, reader, &sender));
        })?;
        Ok(Self { connection, arrived })
    }

    /// Waits for bytes and appends them; returns 0 when the keeper is gone.
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn receive(
        &mut self,
        bytes: &mut Vec<u8>,
        descriptors: &mut Vec<Descriptor>,
    ) -> io::Result<usize> {
        let Some((more, handles)) = self.arrived.recv().await else { return Ok(0) };
        bytes.extend_from_slice(&more);
        descriptors.extend(handles);
        Ok(more.len())
    }

    /// Sends bytes; the handles ride with the first one.
    pub fn send(&mut self, bytes: &[u8], descriptors: &[Descriptor]) -> io::Result<()> {
        let borrowed: Vec<Borrowed<'_>> = descriptors.iter().map(borrow).collect();
        let (mut rest, mut riding) = (bytes, borrowed.as_slice());
        let until = Instant::now() + SEND_WITHIN;
        while !rest.is_empty() {
            let sent = self.connection.send(rest, riding)?;
            if sent == 0 {
                wait_writable(&self.connection, until)?;
                continue;
            }
            rest = rest.get(sent..).unwrap_or_default();
            riding = &[];
        }
        Ok(())
    }
}

fn read(
    mut port: Port,
    connection: Arc<Connection>,
    sender: &UnboundedSender<Arrived>,
) -> io::Result<()> {
    let connection = port.watch(connection, Token(0))?;
    loop {
        let (mut bytes, mut handles) = (Vec::new(), Vec::new());
        match connection.receive(&mut bytes, &mut handles)? {
            Received::Bytes(_) if sender.send((bytes, handles)).is_ok() => {}
            Received::Bytes(_) | Received::Closed => return Ok(()),
            Received::Empty => {
                port.wait(None)?;
            }
        }
    }
}

fn wait_writable(connection: &Arc<Connection>, until: Instant) -> io::Result<()> {
    let mut port = Port::new()?;
    let watched = port.watch_once(Arc::clone(connection), Token(0))?;
    watched.want_write(WantWrite::Yes)?;
    watched.arm()?;
    let left = until.saturating_duration_since(Instant::now());
    if port.wait(Some(left))?.is_empty() {
        return Err(io::Error::new(io::ErrorKind::TimedOut, "the keeper does not take our frames"));
    }
    Ok(())
}
