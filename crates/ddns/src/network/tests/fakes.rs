//! Servers that say what they are told to say, and keep what they hear.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

/// A request, as it came.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    pub(super) head: String,
    pub(super) body: String,
    pub(super) from: SocketAddr,
}

/// A server; it ends with this.
pub(super) struct Fake {
    pub(super) address: SocketAddr,
    state: Arc<State>,
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct State {
    heard: Mutex<Vec<Heard>>,
    accepted: AtomicUsize,
    gone: watch::Sender<usize>,
}

/// What becomes of a connection when it was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// Another request may come.
    Listen,
    /// It is closed.
    Close,
}

impl Fake {
    /// Answers every request with the same bytes.
    pub(super) async fn answering(answer: &str) -> Self {
        Self::at((Ipv4Addr::LOCALHOST, 0).into(), answer, Then::Listen).await
    }

    /// Answers every request with the same bytes, and closes the connection.
    pub(super) async fn closing(answer: &str) -> Self {
        Self::at((Ipv4Addr::LOCALHOST, 0).into(), answer, Then::Close).await
    }

    pub(super) async fn at(address: SocketAddr, answer: &str, then: Then) -> Self {
        let answer: Arc<str> = answer.into();
        Self::serving(address, move |stream, from, state| {
            let answer = Arc::clone(&answer);
            async move { talk(stream, from, (&answer, then), &state).await }
        })
        .await
    }

    /// Does something with every connection, told what it is to keep.
    pub(super) async fn with<F>(
        serve: impl Fn(TcpStream, Witness) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let serve = Arc::new(serve);
        Self::serving((Ipv4Addr::LOCALHOST, 0).into(), move |stream, from, state| {
            let serve = Arc::clone(&serve);
            async move { serve(stream, Witness { state, from }).await }
        })
        .await
    }

    async fn serving<F>(
        address: SocketAddr,
        serve: impl Fn(TcpStream, SocketAddr, Arc<State>) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await.unwrap();
        let (address, state) = (listener.local_addr().unwrap(), Arc::new(State::default()));
        let (mut tasks, own) = (JoinSet::new(), Arc::clone(&state));
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, from) = listener.accept().await.unwrap();
                own.accepted.fetch_add(1, Ordering::SeqCst);
                let (served, own) = (serve(stream, from, Arc::clone(&own)), Arc::clone(&own));
                connections.spawn(async move {
                    served.await;
                    own.gone.send_modify(|count| *count += 1);
                });
            }
        });
        Self { address, state, _tasks: tasks }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn heard(&self) -> Vec<Heard> {
        self.state.heard.lock().unwrap().clone()
    }

    /// Returns how many connections there have been.
    pub(super) fn connections(&self) -> usize {
        self.state.accepted.load(Ordering::SeqCst)
    }

    /// Waits until so many connections have come to their end.
    pub(super) async fn gone(&self, count: usize) {
        let mut gone = self.state.gone.subscribe();
        gone.wait_for(|gone| *gone >= count).await.unwrap();
    }
}

/// Keeps what a server hears.
pub(super) struct Witness {
    state: Arc<State>,
    from: SocketAddr,
}

impl Witness {
    pub(super) fn note(&self, head: String) {
        let body = String::new();
        self.state.heard.lock().unwrap().push(Heard { head, body, from: self.from });
    }
}

async fn talk(
    mut stream: TcpStream,
    from: SocketAddr,
    (answer, then): (&str, Then),
    state: &State,
) {
    while let Some((head, body)) = hear(&mut stream).await {
        state.heard.lock().unwrap().push(Heard { head, body, from });
        if stream.write_all(answer.as_bytes()).await.is_err() || then == Then::Close {
            return;
        }
    }
}

/// Reads a request; nothing when nobody asks any more.
pub(super) async fn hear<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
) -> Option<(String, String)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| value.parse().unwrap())
    });
    let mut body = vec![0; length.unwrap_or_default()];
    stream.read_exact(&mut body).await.ok()?;
    Some((head, String::from_utf8(body).unwrap()))
}

/// Returns an answer with this body.
pub(super) fn fine(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}
