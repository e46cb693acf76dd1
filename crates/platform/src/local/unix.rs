//! Unix stream sockets inside a tokio runtime.

use std::{io, os::unix::net, path::Path};

use rustix::process::geteuid;
use tokio::net::{UnixListener, UnixStream};

use super::Peer;
use crate::{
    descriptor::Descriptor,
    door::with_short_path,
    socket::{self, Blocking},
};

/// A connection to or from a client.
pub type Stream = UnixStream;

/// A listener for clients.
#[derive(Debug)]
pub struct Listener(UnixListener);

impl Listener {
    /// Listens on a socket that somebody else has bound. Must be called inside a runtime.
    pub fn from_descriptor(socket: Descriptor) -> io::Result<Self> {
        let socket = net::UnixListener::from(socket);
        socket.set_nonblocking(true)?;
        Ok(Self(UnixListener::from_std(socket)?))
    }

    /// Waits for the next client.
    pub async fn accept(&self) -> io::Result<(Stream, Peer)> {
        let (stream, _) = self.0.accept().await?;
        let credentials = stream.peer_cred()?;
        let user = credentials.uid();
        let pid = credentials.pid().and_then(|pid| u32::try_from(pid).ok()).unwrap_or_default();
        let is_trusted = user == 0 || user == geteuid().as_raw();
        Ok((stream, Peer { pid, user: user.to_string(), is_trusted }))
    }
}

/// Connects to a listener. Must be called inside a runtime.
pub fn connect(path: &Path) -> io::Result<Stream> {
    let socket = with_short_path(path, |address| {
        let socket = socket::stream(Blocking::Yes)?;
        rustix::net::connect(&socket, address)?;
        Ok(socket)
    })?;
    let socket = net::UnixStream::from(socket);
    socket.set_nonblocking(true)?;
    UnixStream::from_std(socket)
}
