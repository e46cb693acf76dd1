//! The control API: HTTP on a thread of its own, so that no flood of clients delays a restart.

mod events;
mod gate;
mod secrets;

pub(crate) use self::gate::Gate;

use std::{io, thread};

use axum::{
    Extension, Json, Router,
    extract::{ConnectInfo, Path, Query, Request, State, connect_info::Connected},
    http::{Method, StatusCode},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{delete, get, post},
    serve::IncomingStream,
};
use mainstay_api::{
    config::{Access, Role},
    control::{AddService, CommandRequest, Problem, UpgradeRequest},
};
use mainstay_platform::{
    descriptor::Descriptor,
    local::{self, Identity},
};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};

use crate::{
    calls::{Asker, Call, Keeps, Refused, RefusedKind, Reply},
    events::complain,
    rights::AccessList,
};

/// More questions than this waiting for the loop are refused.
const CALLS_MAX: usize = 256;

/// What the keeper hands over.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// A listener, where it can be shared; each keeper brings one.
    Listener(Descriptor),
    /// A client that the keeper has accepted.
    Client(Descriptor),
}

/// The loop's way to the API's thread, which lives as long as the loop.
#[derive(Debug)]
pub(crate) struct Clients {
    arrivals: mpsc::UnboundedSender<Arrival>,
    access: watch::Sender<Vec<Access>>,
}

impl Clients {
    /// Serves whoever has come.
    pub(crate) fn arrive(&self, arrival: Option<Arrival>) {
        if let Some(arrival) = arrival {
            drop(self.arrivals.send(arrival));
        }
    }

    /// Gives groups their rights.
    pub(crate) fn let_in(&self, access: &[Access]) {
        self.access.send_replace(access.to_vec());
    }
}

/// The loop's two ends: where clients go, and where their questions come from.
pub(crate) type Ends = (Clients, mpsc::Receiver<Call>);

/// Starts the thread; returns where it gets its clients and where their questions arrive.
pub(crate) fn start(gate: Gate) -> io::Result<Ends> {
    // Without a bound: the keeper hands over no more clients than it has accepted.
    let (arrivals, inbox) = mpsc::unbounded_channel();
    let (calls, questions) = mpsc::channel(CALLS_MAX);
    let (access, wanted) = watch::channel(Vec::new());
    let (allowed, list) = watch::channel(AccessList::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let desk = Desk { calls: calls.clone(), list };
    let serve = async move {
        tokio::spawn(gate::keep(gate, wanted, allowed, calls));
        serve_all(inbox, desk).await;
    };
    thread::Builder::new().name("api".to_owned()).spawn(move || runtime.block_on(serve))?;
    Ok((Clients { arrivals, access }, questions))
}

/// Where questions are put, and who may ask them.
#[derive(Debug, Clone)]
struct Desk {
    calls: mpsc::Sender<Call>,
    list: watch::Receiver<AccessList>,
}

/// Serves every client that comes, and the listener that came last; each keeper brings one, and
/// that of a dead one would only hold a socket.
async fn serve_all(mut inbox: mpsc::UnboundedReceiver<Arrival>, desk: Desk) {
    let (single, singles) = mpsc::unbounded_channel();
    serve(Singles(singles), &desk);
    let mut former: Option<JoinHandle<()>> = None;
    while let Some(arrival) = inbox.recv().await {
        match arrival {
            Arrival::Listener(descriptor) => {
                if let Some(former) = former.take() {
                    // Clients that it let in are served to their end.
                    former.abort();
                }
                match local::Listener::from_descriptor(descriptor) {
                    Ok(listener) => former = Some(serve(Crowd(listener), &desk)),
                    Err(error) => complain("cannot listen for clients", &error),
                }
            }
            Arrival::Client(descriptor) => match local::take_over(descriptor) {
                Ok(client) => drop(single.send(client)),
                Err(error) => complain("cannot take over a client", &error),
            },
        }
    }
}

/// Serves whoever comes one way, until nobody can come any more.
fn serve<L>(clients: L, desk: &Desk) -> JoinHandle<()>
where
    L: axum::serve::Listener<Addr = Identity>,
    Caller: for<'a> Connected<IncomingStream<'a, L>>,
{
    let service = router(desk).into_make_service_with_connect_info::<Caller>();
    let server = axum::serve(clients, service);
    tokio::spawn(async move {
        if let Err(error) = server.await {
            complain("the API ends", &error);
        }
    })
}

fn router(desk: &Desk) -> Router {
    Router::new()
        .route("/v1/status", get(status))
        .route("/v1/tree", get(tree))
        .route("/v1/units/{name}", get(unit))
        .route("/v1/events", get(events::events))
        .route("/v1/command", post(command))
        .route("/v1/services", post(add))
        .route("/v1/services/{name}", delete(remove))
        .merge(secrets::routes())
        .route("/v1/apply", post(apply))
        .route("/v1/shutdown", post(shut_down))
        .route("/v1/upgrade", post(upgrade))
        .fallback(nowhere)
        .layer(middleware::from_fn_with_state(desk.list.clone(), admit))
        .with_state(desk.calls.clone())
}

/// A listener that says who comes, and lets nobody wait because of another's failure.
struct Crowd(local::Listener);

impl axum::serve::Listener for Crowd {
    type Io = local::Stream;
    type Addr = Identity;

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

/// Clients that come one by one.
struct Singles(mpsc::UnboundedReceiver<(local::Stream, Identity)>);

impl axum::serve::Listener for Singles {
    type Io = local::Stream;
    type Addr = Identity;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.0.recv().await {
            Some(client) => client,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Who a request comes from.
#[derive(Debug, Clone)]
struct Caller(Identity);

impl Connected<IncomingStream<'_, Crowd>> for Caller {
    fn connect_info(stream: IncomingStream<'_, Crowd>) -> Self {
        Self(stream.remote_addr().clone())
    }
}

impl Connected<IncomingStream<'_, Singles>> for Caller {
    fn connect_info(stream: IncomingStream<'_, Singles>) -> Self {
        Self(stream.remote_addr().clone())
    }
}

/// Refuses whoever has not the role that a request needs, before its body is read. What an
/// operator may operate is for the loop to say, which knows the units.
async fn admit(
    State(list): State<watch::Receiver<AccessList>>,
    ConnectInfo(Caller(identity)): ConnectInfo<Caller>,
    mut request: Request,
    next: Next,
) -> Response {
    let rights = list.borrow().rights_of(&identity);
    if let Err(reason) = rights.demand(&identity.user, needed(&request)) {
        return refused(reason);
    }
    request.extensions_mut().insert(Asker { user: identity.user, rights });
    next.run(request).await
}

/// Reading needs a viewer; all that is no command to units needs an admin, and so does even a look
/// at the names of secrets.
fn needed(request: &Request) -> Role {
    match (request.method(), request.uri().path()) {
        (_, path) if path.starts_with(secrets::PATH) => Role::Admin,
        (&Method::GET, _) => Role::Viewer,
        (_, "/v1/command") => Role::Operator,
        _ => Role::Admin,
    }
}

type Calls = State<mpsc::Sender<Call>>;
type By = Extension<Asker>;

async fn status(State(calls): Calls) -> Response {
    put(&calls, Call::Status).await
}

async fn tree(State(calls): Calls) -> Response {
    put(&calls, Call::Tree).await
}

async fn unit(State(calls): Calls, Path(name): Path<String>) -> Response {
    put(&calls, |reply| Call::Unit(name, reply)).await
}

async fn command(
    State(calls): Calls,
    Extension(asker): By,
    Json(request): Json<CommandRequest>,
) -> Response {
    put(&calls, |reply| Call::Command(asker, request, reply)).await
}

async fn add(
    State(calls): Calls,
    Extension(asker): By,
    Json(service): Json<AddService>,
) -> Response {
    put(&calls, |reply| Call::Add(asker, service, reply)).await
}

/// What a removal may say besides the name.
#[derive(Debug, Deserialize)]
struct RemoveParameters {
    #[serde(default)]
    purge: bool,
}

async fn remove(
    State(calls): Calls,
    Extension(asker): By,
    Path(name): Path<String>,
    Query(more): Query<RemoveParameters>,
) -> Response {
    let keeps = if more.purge { Keeps::Nothing } else { Keeps::Everything };
    put(&calls, |reply| Call::Remove(asker, name, keeps, reply)).await
}

async fn apply(State(calls): Calls, Extension(asker): By) -> Response {
    put(&calls, |reply| Call::Apply(asker, reply)).await
}

async fn shut_down(State(calls): Calls, Extension(asker): By) -> Response {
    put(&calls, |reply| Call::ShutDown(asker, reply)).await
}

async fn upgrade(
    State(calls): Calls,
    Extension(asker): By,
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
            let (answer, asked) = ask(path, &somebody("9"));
            assert!(answer.starts_with("HTTP/1.1 403 Forbidden"), "{answer}");
            let problem = problem_in(&answer);
            assert_eq!(problem.error, "user 1234 has no rights on this instance");
            assert_eq!(problem.hint, local::WAY_IN);
            assert!(!asked, "the loop never hears of a stranger");
        }
    }

    #[test]
    fn whoever_is_trusted_reaches_the_loop() {
        let own = Identity { is_trusted: true, ..somebody("9") };
        let (answer, asked) = ask("GET /v1/status", &own);
        assert!(asked, "{answer}");
    }

    #[test]
    fn a_role_opens_what_it_is_for() {
        let check = |group: &str, path: &str, expected: Option<&str>| {
            let (answer, asked) = ask(path, &somebody(group));
            assert_eq!(asked, expected.is_none(), "{path} {answer}");
            if let Some(role) = expected {
                let problem = problem_in(&answer);
                let needs = format!("this needs the role `{role}`");
                assert!(problem.error.ends_with(&needs), "{}", problem.error);
                assert!(problem.hint.contains(role), "{}", problem.hint);
            }
        };
        check("1", "GET /v1/status", None);
        check("1", "GET /v1/events", None);
        check("1", "POST /v1/command", Some("operator"));
        check("2", "POST /v1/apply", Some("admin"));
        check("2", "DELETE /v1/services/web", Some("admin"));
        check("2", "GET /v1/units/web", None);
        check("3", "DELETE /v1/services/web", None);
        check("3", "POST /v1/shutdown", None);
        for group in ["1", "2"] {
            check(group, "GET /v1/secrets", Some("admin"));
            check(group, "POST /v1/secrets/db", Some("admin"));
            check(group, "DELETE /v1/secrets/db", Some("admin"));
        }
        check("3", "GET /v1/secrets", None);
        check("3", "DELETE /v1/secrets/db", None);
    }

    fn somebody(group: &str) -> Identity {
        Identity { user: "1234".to_owned(), groups: vec![group.to_owned()], is_trusted: false }
    }

    fn problem_in(answer: &str) -> Problem {
        serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap()
    }

    /// Group 1 views, 2 operates, 3 administers.
    fn access() -> AccessList {
        let roles = [("1", Role::Viewer), ("2", Role::Operator), ("3", Role::Admin)];
        let entry = |(group, role): (&str, Role)| Access {
            group: group.to_owned(),
            role,
            services: vec!["*".to_owned()],
        };
        AccessList::resolve(&roles.map(entry), |name| Ok(Some(name.to_owned()))).0
    }

    /// Returns the answer to a request, and whether the loop was asked.
    fn ask(line: &str, who: &Identity) -> (String, bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (mut client, server) = duplex(4096);
            let (calls, mut questions) = mpsc::channel(1);
            let (_allowed, list) = watch::channel(access());
            serve(OneClient(Some((server, who.clone()))), &Desk { calls, list });
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
            Self(stream.remote_addr().clone())
        }
    }

    struct OneClient(Option<(DuplexStream, Identity)>);

    impl axum::serve::Listener for OneClient {
        type Io = DuplexStream;
        type Addr = Identity;

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
