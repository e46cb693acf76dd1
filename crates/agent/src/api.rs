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
mod files;
mod gate;
mod input;
mod instance;
mod limits;
mod logs;
mod operation;
mod patient;
mod problem;
mod secrets;
mod serve;
mod services;
mod state;
mod stream;
mod usage;

pub(crate) use self::gate::Gate;

use std::{io, thread};

use axum::{
    Extension, Json, Router,
    extract::{DefaultBodyLimit, Request, State},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
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

use self::{events::History, limits::Limits, logs::Archive, problem::refused, serve::Front};
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
    let (logs, events) = (Archive::new(gate.logs.clone()), History::new(gate.events.clone()));
    let desk = Desk { calls: calls.clone(), list, logs, events };
    let serve = async move {
        tokio::spawn(gate::keep(gate, wanted, allowed, calls));
        serve_all(inbox, Front::new(router(&desk))).await;
    };
    thread::Builder::new().name("api".to_owned()).spawn(move || runtime.block_on(serve))?;
    Ok((Clients { arrivals, access }, questions))
}

/// Where questions are put, and who may ask them.
#[derive(Debug, Clone)]
struct Desk {
    calls: mpsc::Sender<Call>,
    list: watch::Receiver<AccessList>,
    logs: Archive,
    events: History,
}

/// Serves every client that comes, and the listener that came last; each keeper brings one, and
/// that of a dead one would only hold a socket.
async fn serve_all(mut inbox: mpsc::UnboundedReceiver<Arrival>, front: Front) {
    let mut former: Option<JoinHandle<()>> = None;
    while let Some(arrival) = inbox.recv().await {
        match arrival {
            Arrival::Listener(descriptor) => {
                if let Some(former) = former.take() {
                    // Clients that it let in are served to their end.
                    former.abort();
                }
                match local::Listener::from_descriptor(descriptor) {
                    Ok(listener) => former = Some(front.listen(listener)),
                    Err(error) => complain("cannot listen for clients", &error),
                }
            }
            Arrival::Client(descriptor) => match local::take_over(descriptor) {
                Ok((stream, identity)) => front.welcome(stream, identity),
                Err(error) => complain("cannot take over a client", &error),
            },
        }
    }
}

/// Returns all operations, and what the contract says of them.
fn routes() -> operation::Routes {
    operation::Routes::with_openapi(contract::base())
        .merge(state::routes())
        .merge(events::routes())
        .merge(logs::routes())
        .merge(services::routes())
        .merge(files::routes())
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
        .layer(Extension(desk.logs.clone()))
        .layer(Extension(desk.events.clone()))
        .layer(middleware::from_fn_with_state(desk.list.clone(), admit))
        .with_state(desk.calls.clone())
}

/// Refuses whoever asks too often or has no role at all; which role a request needs is for its operation to say.
async fn admit(
    State(list): State<watch::Receiver<AccessList>>,
    Extension(identity): Extension<Identity>,
    Extension(limits): Extension<Limits>,
    mut request: Request,
    next: Next,
) -> Response {
    let rights = list.borrow().rights_of(&identity);
    let counted = limits.count(&identity.user);
    if let Err(reason) = counted.and_then(|()| rights.demand(&identity.user, Role::Viewer)) {
        return refused(reason);
    }
    request.extensions_mut().insert(Asker { user: identity.user, rights });
    next.run(request).await
}

type Calls = State<mpsc::Sender<Call>>;
type By = Extension<Asker>;

/// Puts a question to the loop and answers with what it says.
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

/// Puts a question to the loop and waits for its answer.
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
