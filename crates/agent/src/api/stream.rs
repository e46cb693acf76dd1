//! Server-sent events: an answer that goes on. What waits for a slow client has a bound: nothing is
//! asked for before the last piece was taken.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Extension, RequestPartsExt as _,
    body::{Body, Bytes},
    extract::{FromRequestParts, rejection::ExtensionRejection},
    http::{HeaderMap, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use hyper::body::Frame;
use serde::Serialize;
use tokio::sync::mpsc;

use super::limits::{Limits, Searching, Streaming};
use crate::calls::{Asker, Refused};

/// What a stream of events is.
pub(super) const MEDIA_TYPE: &str = "text/event-stream";
/// Where a client says what it has seen last.
const LAST_SEEN: &str = "last-event-id";
/// After so long without anything to say a comment shows that the stream goes on.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(15);
/// So many pieces wait for a client.
const PIECES_MAX: usize = 1;
/// A client whose stream has ended asks again after so many milliseconds.
const AGAIN_AFTER: &str = "retry: 1000\n\n";

/// Where pieces of a stream go.
#[derive(Debug)]
pub(super) struct Outlet {
    pieces: mpsc::Sender<Bytes>,
    _streaming: Streaming,
}

/// Nobody reads any more.
#[derive(Debug)]
pub(super) struct Left;

/// The body of a stream.
struct Pieces(mpsc::Receiver<Bytes>);

/// Who asks, and whether for an answer that goes on.
pub(super) struct Audience {
    pub(super) asker: Asker,
    limits: Limits,
    pub(super) wants_stream: bool,
    /// The id of what it has seen last of a stream, as it says.
    pub(super) last_seen: Option<String>,
}

impl Audience {
    /// Returns leave to wait, and a seat where that takes one; refuses it when there is none.
    pub(super) fn leave_to_wait(&self) -> Result<Option<Streaming>, Refused> {
        self.limits.wait(&self.asker.user)
    }

    /// Returns leave to ask what takes long; refuses it when too much of that goes on.
    pub(super) fn leave_to_search(&self) -> Result<Searching, Refused> {
        self.limits.search(&self.asker.user)
    }

    /// Returns a seat for a stream; refuses it when there is none.
    pub(super) fn seat(&self) -> Result<Streaming, Refused> {
        self.limits.stream(&self.asker.user)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Audience {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Response> {
        let no = |error: ExtensionRejection| error.into_response();
        let Extension(asker) = parts.extract::<Extension<Asker>>().await.map_err(no)?;
        let Extension(limits) = parts.extract::<Extension<Limits>>().await.map_err(no)?;
        let wants_stream = accepts_stream(&parts.headers);
        let seen = parts.headers.get(LAST_SEEN).and_then(|seen| seen.to_str().ok());
        let last_seen = seen.filter(|_| wants_stream).map(str::to_owned);
        Ok(Self { asker, limits, wants_stream, last_seen })
    }
}

fn accepts_stream(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut kinds = accepted.flat_map(|value| value.split(','));
    kinds.any(|kind| kind.split(';').next().unwrap_or_default().trim() == MEDIA_TYPE)
}

/// Begins a stream; returns where its pieces go and the answer that it is.
pub(super) fn begin(streaming: Streaming) -> (Outlet, Response) {
    let (pieces, inbox) = mpsc::channel(PIECES_MAX);
    let first = pieces.try_send(Bytes::from_static(AGAIN_AFTER.as_bytes()));
    debug_assert!(first.is_ok(), "there is room for one");
    let headers = [(header::CONTENT_TYPE, MEDIA_TYPE), (header::CACHE_CONTROL, "no-store")];
    let answer = (headers, Body::new(Pieces(inbox))).into_response();
    (Outlet { pieces, _streaming: streaming }, answer)
}

impl Outlet {
    /// Sends a piece once the one before was taken.
    pub(super) async fn send(&self, piece: String) -> Result<(), Left> {
        self.pieces.send(Bytes::from(piece)).await.map_err(|_| Left)
    }

    /// Shows that the stream goes on.
    pub(super) async fn beat(&self) -> Result<(), Left> {
        self.send(":\n\n".to_owned()).await
    }

    /// Tells why the stream ends.
    pub(super) async fn refuse(&self, reason: &Refused) -> Result<(), Left> {
        self.send(special("problem", &reason.problem)).await
    }

    /// Waits until nobody reads any more.
    pub(super) async fn left(&self) {
        self.pieces.closed().await;
    }
}

/// Returns an event of the stream, which a client may go on behind by its id.
pub(super) fn event(id: impl std::fmt::Display, data: &impl Serialize) -> String {
    format!("id: {id}\ndata: {}\n\n", json(data))
}

/// Returns a word about the stream itself.
pub(super) fn special(name: &str, data: &impl Serialize) -> String {
    format!("event: {name}\ndata: {}\n\n", json(data))
}

/// One line: what is in texts of JSON has no line end.
fn json(data: &impl Serialize) -> String {
    // Strings and numbers only: nothing of it can fail.
    serde_json::to_string(data).unwrap_or_default()
}

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}
