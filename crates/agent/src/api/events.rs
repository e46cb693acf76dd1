//! What happens.

use std::time::Duration;

use axum::{extract::State, response::Response};
use mainstay_api::{
    config::Role,
    control::{Events, Missed},
};
use serde::Deserialize;
use tokio::{sync::mpsc, time::timeout};
use utoipa_axum::routes;

use super::{
    Calls, ask, examples,
    input::Parameters,
    operation,
    problem::refused,
    put,
    stream::{self, Audience, HEARTBEAT, Left, Outlet},
};
use crate::calls::{Call, EventsQuery, Patience, Refused, RefusedKind};

/// So many events are sent when nobody says how many.
const EVENTS_USUAL: usize = 100;
const EVENTS_MAX: usize = 5_000;
/// So many events of a stream are told at a time.
const PAGE: usize = 100;
/// Whoever waits is answered after so long, whatever has happened.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// The largest whole number that every reader of JSON keeps as it is.
const NUMBER_MAX: u64 = (1 << 53) - 1;

pub(super) fn routes() -> operation::Routes {
    operation::Routes::new().routes(operation::operation(Role::Viewer, routes!(events)))
}

/// Which events are asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct EventsParameters {
    /// Only events with a larger number.
    #[param(required = false, nullable = false, maximum = 9_007_199_254_740_991_u64, example = 41)]
    after: Option<u64>,
    /// Only of these units, services, or groups such as `@web`, with commas between; `*` and `?` match.
    #[param(required = false, nullable = false, example = "web")]
    names: Option<String>,
    /// Only of this chain of causes.
    #[param(required = false, nullable = false, example = "1899f3a1c2b4d5e6")]
    trace: Option<String>,
    /// At most so many: the newest, or with `after` those that come first behind it; 100 when absent.
    #[param(required = false, nullable = false, minimum = 0, maximum = 5000, example = 10)]
    limit: Option<usize>,
    /// Whether to answer only once there is one, or after thirty seconds with none.
    #[param(required = false, nullable = false, example = false)]
    wait: Option<bool>,
}

impl EventsParameters {
    fn query(self) -> Result<EventsQuery, Refused> {
        let limit = self.limit.unwrap_or(EVENTS_USUAL);
        if limit > EVENTS_MAX {
            let what = format!("`limit` is a number up to {EVENTS_MAX}");
            return Err(Refused::new(RefusedKind::Bad, what, "ask again for what comes behind"));
        }
        if self.after.is_some_and(|after| after > NUMBER_MAX) {
            let what = format!("`after` is a number up to {NUMBER_MAX}");
            return Err(Refused::new(RefusedKind::Bad, what, "pass on what `last` says"));
        }
        let names = self.names.unwrap_or_default();
        let names = names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let patience = if self.wait == Some(true) { Patience::Waits } else { Patience::None };
        Ok(EventsQuery { after: self.after, names, trace: self.trace, limit, patience })
    }
}

/// What has happened, or what happens
///
/// With `Accept: text/event-stream` the answer goes on: each event as JSON with its number as its
/// id, beginning with the next one, with those behind `Last-Event-ID` or `after`, or with the last
/// `limit`. `event: missed` says how many of them are kept no more, `event: problem` why the stream
/// ends. A comment comes every fifteen seconds.
#[utoipa::path(
    get,
    path = "/v1/events",
    tag = "events",
    params(EventsParameters),
    responses((status = 200, description = "The events that fit, oldest first.", content(
        (Events = "application/json", example = json!(examples::events())),
        (String = "text/event-stream", example = json!(examples::stream_of_events()))
    )))
)]
async fn events(
    State(calls): Calls,
    audience: Audience,
    Parameters(wanted): Parameters<EventsParameters>,
) -> Response {
    if audience.wants_stream {
        return begin(calls, wanted, &audience).unwrap_or_else(refused);
    }
    let query = match wanted.query() {
        Ok(query) => query,
        Err(reason) => return refused(reason),
    };
    let at_once = EventsQuery { patience: Patience::None, ..query.clone() };
    let waiting = put(&calls, |reply| Call::Events(query, reply));
    match timeout(WAIT_MAX, waiting).await {
        Ok(answer) => answer,
        Err(_) => put(&calls, |reply| Call::Events(at_once, reply)).await,
    }
}

/// Begins a stream; without a number it begins with what comes next.
fn begin(
    calls: mpsc::Sender<Call>,
    mut wanted: EventsParameters,
    audience: &Audience,
) -> Result<Response, Refused> {
    let seen = audience.last_seen.as_ref().and_then(|id| id.parse().ok());
    wanted.after = seen.or(wanted.after);
    wanted.limit = wanted.limit.or(Some(if wanted.after.is_some() { PAGE } else { 0 }));
    let query = wanted.query()?;
    let (outlet, answer) = stream::begin(audience.seat()?);
    tokio::spawn(async move { drop(follow(calls, query, outlet).await) });
    Ok(answer)
}

/// Tells what happens until nobody reads any more, or the agent ends.
async fn follow(
    calls: mpsc::Sender<Call>,
    mut query: EventsQuery,
    outlet: Outlet,
) -> Result<(), Left> {
    query.patience = Patience::None;
    loop {
        let asking = timeout(HEARTBEAT, ask(&calls, |reply| Call::Events(query.clone(), reply)));
        let answer = tokio::select! {
            answer = asking => answer,
            () = outlet.left() => return Err(Left),
        };
        let events = match answer {
            Ok(Ok(events)) => events,
            Ok(Err(reason)) => return outlet.refuse(&reason).await,
            Err(_) => {
                outlet.beat().await?;
                continue;
            }
        };
        if events.missed > 0 {
            outlet.send(stream::special("missed", &Missed { missed: events.missed })).await?;
        }
        let told = events.events.iter().map(|event| stream::event(event.sequence, event));
        let told: String = told.collect();
        if !told.is_empty() {
            outlet.send(told).await?;
        }
        // Numbers that have not been given yet are those of an instance that began anew.
        let after =
            if query.after.is_some_and(|after| after > events.last) { 0 } else { events.last };
        query = EventsQuery { after: Some(after), limit: PAGE, patience: Patience::Waits, ..query };
    }
}
