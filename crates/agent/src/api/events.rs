//! What happens: by whom, when, and how much it matters.

use std::time::Duration;

use axum::{extract::State, response::Response};
use jiff::Timestamp;
use mainstay_api::{
    config::Role,
    control::{Event, Events, Missed},
    pattern::{fits, is_meant},
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
use crate::{
    calls::{Call, EventsQuery, Patience, Refused, RefusedKind},
    events::Level,
};

/// So many events are sent when nobody says how many.
const EVENTS_USUAL: usize = 100;
const EVENTS_MAX: usize = 5_000;
/// So many events of a stream are told at a time.
const PAGE: usize = 100;
/// So many names, and so many types, may be given at a time: each is compared with every event.
const WORDS_MAX: usize = 1_000;
/// Whoever waits is answered after so long, whatever has happened.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// The largest whole number that every reader of JSON keeps as it is.
const NUMBER_MAX: u64 = (1 << 53) - 1;

pub(super) fn routes() -> operation::Routes {
    operation::Routes::new().routes(operation::operation(Role::Viewer, routes!(events)))
}

/// Which events are asked for.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
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
    /// Only of these types, with commas between; `*` and `?` match.
    #[param(required = false, nullable = false, example = "UnitExited,Hook*")]
    types: Option<String>,
    /// Only those that matter so much at least: `info`, `warn` or `error`.
    #[param(required = false, nullable = false, pattern = "^(info|warn|error)$", example = "warn")]
    level: Option<String>,
    /// Only from this time on, as RFC 3339.
    #[param(
        required = false,
        nullable = false,
        format = "date-time",
        example = "2026-01-31T08:00:00Z"
    )]
    since: Option<String>,
    /// Only up to this time, as RFC 3339.
    #[param(
        required = false,
        nullable = false,
        format = "date-time",
        example = "2126-01-31T09:00:00Z"
    )]
    until: Option<String>,
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
        let patience = if self.wait == Some(true) { Patience::Waits } else { Patience::None };
        Ok(EventsQuery {
            after: self.after,
            names: words("names", self.names)?,
            trace: self.trace,
            types: words("types", self.types)?,
            level: self.level.map_or(Ok(Level::Info), |word| level(&word))?,
            since: self.since.map(|text| time(&text)).transpose()?,
            until: self.until.map(|text| time(&text)).transpose()?,
            limit,
            patience,
        })
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
    answer(&calls, wanted, &audience).await.unwrap_or_else(refused)
}

/// Answers with what there is, or what comes within the time.
async fn answer(
    calls: &mpsc::Sender<Call>,
    wanted: EventsParameters,
    audience: &Audience,
) -> Result<Response, Refused> {
    let query = wanted.query()?;
    let _seat = match query.patience {
        Patience::Waits => audience.leave_to_wait()?,
        Patience::None => None,
    };
    let at_once = EventsQuery { patience: Patience::None, ..query.clone() };
    let waiting = put(calls, |reply| Call::Events(query, reply));
    Ok(match timeout(WAIT_MAX, waiting).await {
        Ok(answer) => answer,
        Err(_) => put(calls, |reply| Call::Events(at_once, reply)).await,
    })
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
            outlet
                .send(stream::special("missed", &Missed { missed: events.missed, damaged: 0 }))
                .await?;
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

fn words(parameter: &str, text: Option<String>) -> Result<Vec<String>, Refused> {
    let text = text.unwrap_or_default();
    let words = text.split(',').filter(|word| !word.is_empty());
    let words: Vec<String> = words.take(WORDS_MAX + 1).map(str::to_owned).collect();
    if words.len() > WORDS_MAX {
        let what = format!("`{parameter}` takes up to {WORDS_MAX} words");
        return Err(Refused::new(RefusedKind::Bad, what, "write a pattern such as `web-*`"));
    }
    Ok(words)
}

fn level(word: &str) -> Result<Level, Refused> {
    Level::parse(word).ok_or_else(|| {
        let what = format!("there is no level `{word}`");
        Refused::new(RefusedKind::Bad, what, "it is `info`, `warn` or `error`")
    })
}

fn time(text: &str) -> Result<Timestamp, Refused> {
    text.parse().map_err(|_| {
        let what = format!("`{text}` is no time");
        Refused::new(RefusedKind::Bad, what, "write it as `2026-01-31T08:00:00Z`")
    })
}

impl EventsQuery {
    /// Returns whether an event is asked for.
    pub(crate) fn fits(&self, event: &Event) -> bool {
        self.after.is_none_or(|after| event.sequence > after)
            && self.trace.as_ref().is_none_or(|trace| *trace == event.trace_id)
            && Level::parse(&event.level).is_none_or(|level| level >= self.level)
            && self.fits_type(&event.event)
            && self.fits_unit(event.unit.as_deref())
            && self.fits_time(&event.timestamp)
    }

    fn fits_type(&self, event: &str) -> bool {
        self.types.is_empty() || self.types.iter().any(|wanted| fits(wanted, event))
    }

    fn fits_unit(&self, unit: Option<&str>) -> bool {
        let is_named = |unit| self.names.iter().any(|name| is_meant(name, unit));
        self.names.is_empty() || unit.is_some_and(is_named)
    }

    /// What happened at a time that nobody knows may have happened whenever.
    fn fits_time(&self, timestamp: &str) -> bool {
        if self.since.is_none() && self.until.is_none() {
            return true;
        }
        let Ok(at) = timestamp.parse::<Timestamp>() else { return true };
        self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at <= until)
    }
}

#[cfg(test)]
mod tests {
    use mainstay_api::control::Facts;

    use super::*;

    fn event() -> Event {
        Event {
            sequence: 7,
            timestamp: "2026-01-31T08:00:00.500Z".to_owned(),
            level: "warn".to_owned(),
            event: "UnitExited".to_owned(),
            unit: Some("web@2".to_owned()),
            run: Some(1),
            trace_id: "00aa".to_owned(),
            message: String::new(),
            facts: Facts::default(),
        }
    }

    #[test]
    fn each_filter_keeps_what_fits_and_drops_the_rest() {
        fn check(change: impl Fn(&mut EventsParameters), expected: bool) {
            let mut asked = EventsParameters::default();
            change(&mut asked);
            let words = format!("{asked:?}");
            assert_eq!(asked.query().unwrap().fits(&event()), expected, "{words}");
        }
        let text = |text: &str| Some(text.to_owned());
        check(|_| {}, true);
        check(|asked| asked.after = Some(6), true);
        check(|asked| asked.after = Some(7), false);
        check(|asked| asked.names = text("db,web"), true);
        check(|asked| asked.names = text("db,web@3"), false);
        check(|asked| asked.trace = text("00aa"), true);
        check(|asked| asked.trace = text("00ab"), false);
        check(|asked| asked.types = text("UnitStarted,Unit*ed"), true);
        check(|asked| asked.types = text("UnitStarted"), false);
        check(|asked| asked.level = text("info"), true);
        check(|asked| asked.level = text("warn"), true);
        check(|asked| asked.level = text("error"), false);
        check(|asked| asked.since = text("2026-01-31T09:00:00.5+01:00"), true);
        check(|asked| asked.since = text("2026-01-31T08:00:00.501Z"), false);
        check(|asked| asked.until = text("2026-01-31T08:00:00.5Z"), true);
        check(|asked| asked.until = text("2026-01-31T08:00:00.499Z"), false);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let check = |asked: EventsParameters, expected: &str| {
            assert_eq!(asked.query().unwrap_err().problem.error, expected);
        };
        let wrong = Some("soon".to_owned());
        let level = EventsParameters { level: wrong.clone(), ..EventsParameters::default() };
        check(level, "there is no level `soon`");
        let since = EventsParameters { since: wrong, ..EventsParameters::default() };
        check(since, "`soon` is no time");
        let names = EventsParameters { names: Some("a,".repeat(1001)), ..Default::default() };
        check(names, "`names` takes up to 1000 words");
    }
}
