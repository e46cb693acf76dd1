//! One connection over which HTTP/1.1 is spoken: a request goes out, an answer comes in, whole.

use std::error::Error as _;

use http_body_util::{BodyExt as _, Full};
use hyper::{
    Response as Message,
    body::{Body as _, Bytes, Incoming},
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;

use crate::wire::{BODY_BYTES_MAX, NetworkError, Response};

use super::{outgoing::Outgoing, target::Target, tunnel::Stream};

/// So much room is there for the head of an answer.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// An open connection; it is closed when this is dropped.
#[derive(Debug)]
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    /// What moves the bytes; ends with its set.
    _driver: JoinSet<()>,
}

/// What became of a request.
pub(super) enum Sent {
    /// Nothing of it has left: the connection had been closed.
    Never(Outgoing),
    /// It has left, or a part of it.
    Done(Talk),
}

/// A request that has left, and the head of its answer.
pub(super) struct Talk {
    connection: Connection,
    head: Result<Message<Incoming>, hyper::Error>,
}

impl Connection {
    /// Begins to speak over a stream.
    pub(super) async fn begin(stream: Stream, target: &Target) -> Result<Self, NetworkError> {
        let mut builder = http1::Builder::new();
        builder.max_buf_size(HEAD_BYTES_MAX);
        let begun = builder.handshake(TokioIo::new(stream)).await;
        let (sender, connection) = begun.map_err(|error| broken(target, &error))?;
        let mut driver = JoinSet::new();
        // How it ends is told to whoever waits for an answer.
        driver.spawn(async { drop(connection.await) });
        Ok(Self { sender, _driver: driver })
    }

    /// Returns whether nobody has closed it, as far as we know.
    pub(super) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Sends a request.
    pub(super) async fn send(mut self, request: Outgoing) -> Sent {
        if self.sender.ready().await.is_err() {
            return Sent::Never(request);
        }
        let head = match self.sender.try_send_request(request).await {
            Ok(head) => Ok(head),
            Err(mut error) => match error.take_message() {
                Some(request) => return Sent::Never(request),
                None => Err(error.into_error()),
            },
        };
        Sent::Done(Talk { connection: self, head })
    }
}

impl Talk {
    /// Reads the answer to its end.
    pub(super) async fn listen(
        self,
        target: &Target,
    ) -> Result<(Response, Connection), NetworkError> {
        let head = self.head.map_err(|error| broken(target, &error))?;
        let (head, body) = head.into_parts();
        let headers = head.headers.iter().map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        let (status, headers) = (head.status.as_u16(), headers.collect());
        let body = read(body, target).await?;
        Ok((Response { status, headers, body }, self.connection))
    }
}

/// Reads a body that is not too long. One that is cut off is not taken for whole: a number that
/// lacks its last digit is a number, too.
async fn read(mut body: Incoming, target: &Target) -> Result<Vec<u8>, NetworkError> {
    let is_long = |count: usize| count > BODY_BYTES_MAX;
    let long = || NetworkError::Long { peer: target.peer() };
    if usize::try_from(body.size_hint().lower()).is_ok_and(is_long) {
        return Err(long());
    }
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| broken(target, &error))?;
        let Ok(data) = frame.into_data() else { continue };
        if is_long(bytes.len() + data.len()) {
            return Err(long());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

fn broken(target: &Target, error: &hyper::Error) -> NetworkError {
    let peer = target.peer();
    if error.is_parse() && error.to_string().contains("too large") {
        return NetworkError::Long { peer };
    }
    let why = match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    };
    NetworkError::Broken { peer, why }
}
