//! What happens.

use std::time::Duration;

use axum::{extract::State, response::Response};
use mainstay_api::{config::Role, control::Events};
use serde::Deserialize;
use tokio::time::timeout;
use utoipa_axum::routes;

use super::{Calls, examples, input::Parameters, operation, problem::refused, put};
use crate::calls::{Call, EventsQuery, Patience, Refused, RefusedKind};

/// So many events are sent when nobody says how many.
const EVENTS_USUAL: usize = 100;
const EVENTS_MAX: usize = 5_000;
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

/// What has happened
#[utoipa::path(
    get,
    path = "/v1/events",
    tag = "events",
    params(EventsParameters),
    responses((status = 200, description = "The events that fit, oldest first.",
        body = Events, example = json!(examples::events())))
)]
async fn events(State(calls): Calls, Parameters(asked): Parameters<EventsParameters>) -> Response {
    let query = match asked.query() {
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
