//! The control API: HTTP on a thread of its own, so that no flood of clients delays a restart.
//!
//! Each group of operations has a file of its own with a function `routes`. Whoever adds an operation
//! writes the types that it takes and gives into `mainstay_api::control` (with `ToSchema`, requests
//! with `deny_unknown_fields`), a [`Call`], an example of each into `examples`, and a function with
//! `#[utoipa::path(…)]` that reads by the types of `input` and asks by [`put`]; `operation(role,
//! routes!(function))` in `routes` gives it its role. Then `MAINSTAY_BLESS=1 cargo nextest run -p
//! mainstay-agent contract` writes `docs/reference/openapi.json` and the table of `access.md`.

mod contract;
mod environment;
mod events;
mod examples;
mod gate;
mod input;
mod instance;
mod operation;
mod problem;
mod secrets;
mod services;
mod state;
mod usage;

pub(crate) use self::gate::Gate;

use std::{io, thread};

use axum::{
    Extension, Json, Router,
    extract::{ConnectInfo, DefaultBodyLimit, Request, State, connect_info::Connected},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    serve::IncomingStream,
};
use mainstay_api::config::{Access, Role};
use mainstay_platform::{
    descriptor::Descriptor,
    local::{self, Identity},
};
use serde::Serialize;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};

use self::problem::refused;
use crate::{
    calls::{Asker, Call, Refused, RefusedKind, Reply},
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

/// Returns all operations, and what the contract says of them.
fn routes() -> operation::Routes {
    operation::Routes::with_openapi(contract::base())
        .merge(state::routes())
        .merge(events::routes())
        .merge(services::routes())
        .merge(secrets::routes())
        .merge(usage::routes())
        .merge(environment::routes())
        .merge(instance::routes())
}

fn router(desk: &Desk) -> Router {
    let (routes, _contract) = routes().split_for_parts();
    routes
        .method_not_allowed_fallback(problem::cannot)
        .fallback(problem::nowhere)
        .layer(DefaultBodyLimit::max(input::BODY_BYTES_MAX))
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

/// Refuses whoever has no role at all; which role a request needs is for its operation to say.
async fn admit(
    State(list): State<watch::Receiver<AccessList>>,
    ConnectInfo(Caller(identity)): ConnectInfo<Caller>,
    mut request: Request,
    next: Next,
) -> Response {
    let rights = list.borrow().rights_of(&identity);
    if let Err(reason) = rights.demand(&identity.user, Role::Viewer) {
        return refused(reason);
    }
    request.extensions_mut().insert(Asker { user: identity.user, rights });
    next.run(request).await
}

type Calls = State<mpsc::Sender<Call>>;
type By = Extension<Asker>;

/// Puts a question to the loop and waits for its answer.
async fn put<T: Serialize>(
    calls: &mpsc::Sender<Call>,
    call: impl FnOnce(Reply<T>) -> Call,
) -> Response {
    respond(ask(calls, call).await)
}

fn respond<T: Serialize>(answer: Result<T, Refused>) -> Response {
    match answer {
        Ok(answer) => Json(answer).into_response(),
        Err(reason) => refused(reason),
    }
}

/// Asks the loop.
async fn ask<T>(
    calls: &mpsc::Sender<Call>,
    call: impl FnOnce(Reply<T>) -> Call,
) -> Result<T, Refused> {
    let (reply, answer) = oneshot::channel();
    if calls.try_send(call(reply)).is_err() {
        let busy = "the agent has more questions than it can answer";
        return Err(Refused::new(RefusedKind::Failed, busy, "try again"));
    }
    let ending = |_| Refused::new(RefusedKind::Failed, "the agent is ending", "try again");
    answer.await.map_err(ending)?
}

#[cfg(test)]
mod tests;
