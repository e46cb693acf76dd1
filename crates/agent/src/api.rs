//! The control API: HTTP on a thread of its own, so that no flood of clients delays a restart.

use std::{io, thread};

use axum::{
    Json, Router,
    extract::{ConnectInfo, Path, Query, Request, State, connect_info::Connected},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{delete, get, post},
    serve::IncomingStream,
};
use mainstay_api::control::{AddService, CommandRequest, Problem, UpgradeRequest};
use mainstay_platform::{
    descriptor::Descriptor,
    local::{self, Peer},
};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use crate::{
    calls::{Asker, Call, EventsQuery, Patience, Refused, RefusedKind, Reply},
    events::complain,
};

/// More questions than this waiting for the loop are refused.
const CALLS_MAX: usize = 256;
/// So many events are sent when nobody says how many.
const EVENTS_USUAL: usize = 100;
const EVENTS_MAX: usize = 5_000;

/// Listeners on their way to the API's thread.
pub(crate) type Listeners = mpsc::UnboundedSender<Descriptor>;

/// Where the thread gets its listeners, and where its questions arrive.
pub(crate) type Desk = (Listeners, mpsc::Receiver<Call>);

/// Starts the thread; returns where it gets its listeners and where its questions arrive.
pub(crate) fn start() -> io::Result<Desk> {
    // Without a bound: one comes for each keeper that welcomes us, and each is taken at once.
    let (listeners, inbox) = mpsc::unbounded_channel();
    let (calls, questions) = mpsc::channel(CALLS_MAX);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new()
        .name("api".to_owned())
        .spawn(move || runtime.block_on(serve_all(inbox, calls)))?;
    Ok((listeners, questions))
}

/// Serves the listener that came last; each keeper brings one, and that of a dead one would only
/// hold a socket.
async fn serve_all(mut inbox: mpsc::UnboundedReceiver<Descriptor>, calls: mpsc::Sender<Call>) {
    let mut former: Option<JoinHandle<()>> = None;
    while let Some(descriptor) = inbox.recv().await {
        if let Some(former) = former.take() {
            // Clients that it let in are served to their end.
            former.abort();
        }
        match local::Listener::from_descriptor(descriptor) {
            Ok(listener) => {
                let service = router(calls.clone()).into_make_service_with_connect_info::<Caller>();
                let server = axum::serve(Clients(listener), service);
                former = Some(tokio::spawn(async move {
                    if let Err(error) = server.await {
                        complain("the API ends", &error);
                    }
                }));
            }
            Err(error) => complain("cannot listen for clients", &error),
        }
    }
}

fn router(calls: mpsc::Sender<Call>) -> Router {
    Router::new()
        .route("/v1/status", get(status))
        .route("/v1/units/{name}", get(unit))
        .route("/v1/events", get(events))
        .route("/v1/command", post(command))
        .route("/v1/services", post(add))
        .route("/v1/services/{name}", delete(remove))
        .route("/v1/apply", post(apply))
        .route("/v1/shutdown", post(shut_down))
        .route("/v1/upgrade", post(upgrade))
        .fallback(nowhere)
        .layer(middleware::from_fn(refuse_strangers))
        .with_state(calls)
}

/// A listener that says who comes, and lets nobody wait because of another's failure.
struct Clients(local::Listener);

impl axum::serve::Listener for Clients {
    type Io = local::Stream;
    type Addr = Peer;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            match self.0.accept().await {
                Ok(client) => return client,
                Err(error) => {
                    complain("cannot accept a client", &error);
                    // Out of descriptors, most likely: others must close some first.
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Who a request comes from.
#[derive(Debug, Clone)]
struct Caller {
    asker: Asker,
    is_trusted: bool,
}

impl Caller {
    fn of(peer: &Peer) -> Self {
        Self { asker: Asker { user: peer.user.clone() }, is_trusted: peer.is_trusted }
    }
}

impl Connected<IncomingStream<'_, Clients>> for Caller {
    fn connect_info(stream: IncomingStream<'_, Clients>) -> Self {
        Self::of(stream.remote_addr())
    }
}

/// Answers whoever is neither our user nor the administrator, before anything of theirs is read.
async fn refuse_strangers(
    ConnectInfo(caller): ConnectInfo<Caller>,
    request: Request,
    next: Next,
) -> Response {
    if caller.is_trusted {
        return next.run(request).await;
    }
    let what = format!("user {} has no rights on this instance", caller.asker.user);
    let remedy = "ask as the user whose instance it is, or as the administrator";
    refused(Refused::new(RefusedKind::Stranger, what, remedy))
}

type Calls = State<mpsc::Sender<Call>>;
type By = ConnectInfo<Caller>;

async fn status(State(calls): Calls) -> Response {
    put(&calls, Call::Status).await
}

async fn unit(State(calls): Calls, Path(name): Path<String>) -> Response {
    put(&calls, |reply| Call::Unit(name, reply)).await
}

#[derive(Debug, Deserialize)]
struct EventsParameters {
    after: Option<u64>,
    names: Option<String>,
    trace: Option<String>,
    limit: Option<usize>,
    wait: Option<bool>,
}

async fn events(State(calls): Calls, Query(asked): Query<EventsParameters>) -> Response {
    let names = asked.names.unwrap_or_default();
    let names = names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let limit = asked.limit.unwrap_or(EVENTS_USUAL).min(EVENTS_MAX);
    let patience = if asked.wait == Some(true) { Patience::Waits } else { Patience::None };
    let query = EventsQuery { after: asked.after, names, trace: asked.trace, limit, patience };
    put(&calls, |reply| Call::Events(query, reply)).await
}

async fn command(
    State(calls): Calls,
    ConnectInfo(Caller { asker, .. }): By,
    Json(request): Json<CommandRequest>,
) -> Response {
    put(&calls, |reply| Call::Command(asker, request, reply)).await
}

async fn add(
    State(calls): Calls,
    ConnectInfo(Caller { asker, .. }): By,
    Json(service): Json<AddService>,
) -> Response {
    put(&calls, |reply| Call::Add(asker, service, reply)).await
}

async fn remove(
    State(calls): Calls,
    ConnectInfo(Caller { asker, .. }): By,
    Path(name): Path<String>,
) -> Response {
    put(&calls, |reply| Call::Remove(asker, name, reply)).await
}

async fn apply(State(calls): Calls, ConnectInfo(Caller { asker, .. }): By) -> Response {
    put(&calls, |reply| Call::Apply(asker, reply)).await
}

async fn shut_down(State(calls): Calls, ConnectInfo(Caller { asker, .. }): By) -> Response {
    put(&calls, |reply| Call::ShutDown(asker, reply)).await
}

async fn upgrade(
    State(calls): Calls,
    ConnectInfo(Caller { asker, .. }): By,
    Json(request): Json<UpgradeRequest>,
) -> Response {
    put(&calls, |reply| Call::Upgrade(asker, request, reply)).await
}

async fn nowhere() -> Response {
    let problem =
        Refused::new(RefusedKind::Missing, "there is nothing here", "paths begin with `/v1`");
    refused(problem)
}

/// Puts a question to the loop and waits for its answer.
async fn put<T: Serialize>(
    calls: &mpsc::Sender<Call>,
    call: impl FnOnce(Reply<T>) -> Call,
) -> Response {
    let (reply, answer) = oneshot::channel();
    if calls.try_send(call(reply)).is_err() {
        let busy = "the agent has more questions than it can answer";
        return refused(Refused::new(RefusedKind::Failed, busy, "try again"));
    }
    match answer.await {
        Ok(Ok(answer)) => Json(answer).into_response(),
        Ok(Err(reason)) => refused(reason),
        Err(_) => refused(Refused::new(RefusedKind::Failed, "the agent is ending", "try again")),
    }
}

fn refused(reason: Refused) -> Response {
    let status = match reason.kind {
        RefusedKind::Bad => StatusCode::BAD_REQUEST,
        RefusedKind::Stranger => StatusCode::FORBIDDEN,
        RefusedKind::Missing => StatusCode::NOT_FOUND,
        RefusedKind::Conflict => StatusCode::CONFLICT,
        RefusedKind::Failed => StatusCode::SERVICE_UNAVAILABLE,
    };
    let problem: Problem = reason.problem;
    (status, Json(problem)).into_response()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    #[test]
    fn a_stranger_is_told_the_remedy_and_nothing_else() {
        for path in ["GET /v1/status", "POST /v1/shutdown", "GET /nowhere"] {
            let (answer, asked) = ask(path, false);
            assert!(answer.starts_with("HTTP/1.1 403 Forbidden"), "{answer}");
            let body = answer.split("\r\n\r\n").nth(1).unwrap();
            let problem: Problem = serde_json::from_str(body).unwrap();
            assert_eq!(problem.error, "user 1234 has no rights on this instance");
            assert!(problem.hint.contains("administrator"), "{}", problem.hint);
            assert!(!asked, "the loop never hears of a stranger");
        }
    }

    #[test]
    fn whoever_is_trusted_reaches_the_loop() {
        let (answer, asked) = ask("GET /v1/status", true);
        assert!(asked, "{answer}");
    }

    /// Returns the answer to a request, and whether the loop was asked.
    fn ask(line: &str, is_trusted: bool) -> (String, bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (mut client, server) = duplex(4096);
            let (calls, mut questions) = mpsc::channel(1);
            let service = router(calls).into_make_service_with_connect_info::<Caller>();
            let user = Peer { pid: 1, user: "1234".to_owned(), is_trusted };
            let server = axum::serve(OneClient(Some((server, user))), service);
            tokio::spawn(async move { server.await });
            // A question that nobody answers is answered as well: the agent is ending.
            let loop_ends = tokio::spawn(async move { questions.recv().await.is_some() });
            let request = format!("{line} HTTP/1.1\r\nhost: m\r\nconnection: close\r\n\r\n");
            client.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.unwrap();
            let asked = loop_ends.is_finished() && loop_ends.await.unwrap();
            (answer, asked)
        })
    }

    impl Connected<IncomingStream<'_, OneClient>> for Caller {
        fn connect_info(stream: IncomingStream<'_, OneClient>) -> Self {
            Self::of(stream.remote_addr())
        }
    }

    struct OneClient(Option<(DuplexStream, Peer)>);

    impl axum::serve::Listener for OneClient {
        type Io = DuplexStream;
        type Addr = Peer;

        async fn accept(&mut self) -> (Self::Io, Self::Addr) {
            match self.0.take() {
                Some(client) => client,
                None => std::future::pending().await,
            }
        }

        fn local_addr(&self) -> io::Result<Self::Addr> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }
}
