//! The control API is not served on this system yet: a named pipe's listener cannot be handed over.

use std::{
    io,
    path::Path,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use super::Peer;
use crate::descriptor::Descriptor;

fn unsupported() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "the control API is not served on Windows yet")
}

/// A connection to or from a client.
#[derive(Debug)]
pub struct Stream(DuplexStream);

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

/// A listener for clients.
#[derive(Debug)]
pub struct Listener(());

impl Listener {
    /// Refuses.
    pub fn from_descriptor(socket: Descriptor) -> io::Result<Self> {
        drop(socket);
        Err(unsupported())
    }

    /// Refuses.
    pub async fn accept(&self) -> io::Result<(Stream, Peer)> {
        std::future::ready(Err(unsupported())).await
    }
}

/// Refuses.
pub fn connect(_path: &Path) -> io::Result<Stream> {
    Err(unsupported())
}
