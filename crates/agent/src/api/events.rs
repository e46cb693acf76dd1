//! What happens: by whom, when, and how much it matters.
//!
//! ```text
//!  what is in memory (loop) ──► looked through (thread) ──► the journal, where that is not enough (thread)
//! ```

use std::{path::PathBuf, sync::Arc, time::Duration};

use axum::{
    Extension, Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use mainstay_api::{
    config::Role,
    control::{Event, Events, Missed},
    pattern::{fits, is_meant},
};
use serde::Deserialize;
use tokio::{
    sync::{Semaphore, mpsc},
    task::spawn_blocking,
    time::timeout,
};
use utoipa_axum::routes;

use super::{
    Calls, ask, examples,
    input::Parameters,
    operation,
    problem::refused,
    stream::{self, Audience, HEARTBEAT, Left, Outlet},
};
use crate::{
    calls::{Call, EventsQuery, Refused, RefusedKind},
    events::{
        Level,
        history::{self, Recent},
    },
};

/// So many events are sent when nobody says how many.
const EVENTS_USUAL: usize = 100;
const EVENTS_MAX: usize = 5_000;
/// So many events of a stream are told at a time.
const PAGE: usize = 100;
/// So many names, and so many types, may be given at a time: each is compared with every event.
const WORDS_MAX: usize = 1_000;
/// So many look through the journal at a time.
const READERS_MAX: usize = 2;
/// And so many through memory.
const LOOKERS_MAX: usize = 4;
/// So long the disk may take for one answer.
const READ_WITHIN: Duration = Duration::from_secs(10);
/// Whoever waits is answered after so long, whatever has happened.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// The largest whole number that every reader of JSON keeps as it is.
const NUMBER_MAX: u64 = (1 << 53) - 1;

pub(super) fn routes() -> operation::Routes {
    operation::Routes::new().routes(operation::operation(Role::Viewer, routes!(events)))
}

/// Where the journal lies, and who reads it.
#[derive(Debug, Clone)]
pub(super) struct History {
    folder: Arc<PathBuf>,
    readers: Arc<Semaphore>,
    lookers: Arc<Semaphore>,
}

/// Which events are asked for.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct EventsParameters {
    /// Only events with a larger number.
    #[param(required = false, nullable = false, maximum = 9_007_199_254_740_991_u64, example = 41)]
    after: Option<u64>,
    /// Only events with a smaller number.
    #[param(
        required = false,
        nullable = false,
        maximum = 9_007_199_254_740_991_u64,
        example = 9041
    )]
    before: Option<u64>,
    /// Only of these units, services, or groups such as `@web`, with commas between; `*` and `?` match.
    #[param(required = false, nullable = false, example = "web")]
    names: Option<String>,
    /// Only of this chain of causes.
    #[param(required = false, nullable = false, example = "1899f3a1c2b4d5e6")]
    trace: Option<String>,
    /// Only of this run.
    #[param(required = false, nullable = false, example = 3)]
    run: Option<u64>,
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
    /// At most so many: the newest, or with `after` those that come first behind it; 100 when absent. An answer ends before
    /// it has four mebibytes of events, however many are asked for.
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
        check_number("after", self.after, "pass on what `last` says")?;
        check_number("before", self.before, "pass on what `older` says")?;
        Ok(EventsQuery {
            after: self.after,
            before: self.before,
            run: self.run,
            names: words("names", self.names)?,
            trace: self.trace,
            types: words("types", self.types)?,
            level: self.level.map_or(Ok(Level::Info), |word| level(&word))?,
            since: self.since.map(|text| time(&text)).transpose()?,
            until: self.until.map(|text| time(&text)).transpose()?,
            limit,
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
    Extension(history): Extension<History>,
    Parameters(wanted): Parameters<EventsParameters>,
) -> Response {
    let source = Source { calls, history };
    if audience.wants_stream {
        return begin(source, wanted, &audience).unwrap_or_else(refused);
    }
    let answer = answer(&source, wanted, &audience).await;
    answer.map_or_else(refused, |events| Json(events).into_response())
}

/// Where events are found.
struct Source {
    calls: mpsc::Sender<Call>,
    history: History,
}

impl History {
    pub(super) fn new(folder: PathBuf) -> Self {
        let turns = |count| Arc::new(Semaphore::new(count));
        let (readers, lookers) = (turns(READERS_MAX), turns(LOOKERS_MAX));
        Self { folder: Arc::new(folder), readers, lookers }
    }

    /// Looks into the journal on a thread of its own; a reader that hangs keeps its turn.
    async fn read(&self, query: EventsQuery, recent: Recent) -> Result<Events, Refused> {
        let (readers, folder) = (Arc::clone(&self.readers), Arc::clone(&self.folder));
        let asked = (query.clone(), recent.clone());
        let reading = async {
            let turn = readers.acquire_owned().await;
            let work = move || {
                let _turn = turn;
                history::in_all(&folder, &asked.0, &asked.1)
            };
            spawn_blocking(work).await
        };
        let why = match timeout(READ_WITHIN, reading).await {
            Ok(Ok(Ok(events))) => return Ok(events),
            Ok(Ok(Err(error))) => error.to_string(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the disk of the state does not answer".to_owned(),
        };
        self.look(move || history::without_journal(&query, &recent, why)).await
    }

    /// Looks through memory on a thread: many names and many events take their time. Who has left
    /// meanwhile holds its turn until that is over.
    async fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refused> {
        let turn = Arc::clone(&self.lookers).acquire_owned().await;
        let work = move || {
            let _turn = turn;
            work()
        };
        let ended = |_| Refused::new(RefusedKind::Failed, "the agent is ending", "try again");
        spawn_blocking(work).await.map_err(ended)
    }
}

impl Source {
    /// Returns what there is; and the question again, with what its names mean.
    async fn search(&self, query: EventsQuery) -> Result<(Events, EventsQuery), Refused> {
        let asking = ask(&self.calls, |reply| Call::Recent(query, reply));
        let (query, recent) = asking.await?;
        let work = move || {
            let found = history::in_memory(&query, &recent);
            (query, recent, found)
        };
        let (query, recent, found) = self.history.look(work).await?;
        let events = match found {
            Some(events) => events,
            None => self.history.read(query.clone(), recent).await?,
        };
        Ok((events, query))
    }

    /// Returns what there is, or what comes.
    async fn wait(&self, query: &EventsQuery) -> Result<Events, Refused> {
        loop {
            let (events, meant) = self.search(query.clone()).await?;
            if !events.events.is_empty() {
                return Ok(events);
            }
            // Numbers that have not been given yet are waited for as such.
            let after = query.after.unwrap_or_default().max(events.last);
            let meant = EventsQuery { after: Some(after), ..meant };
            ask(&self.calls, |reply| Call::NextEvent(meant, reply)).await?;
        }
    }
}

/// Answers with what there is, or what comes within the time.
async fn answer(
    source: &Source,
    wanted: EventsParameters,
    audience: &Audience,
) -> Result<Events, Refused> {
    let waits = wanted.wait == Some(true);
    let query = wanted.query()?;
    let _searching = (!waits).then(|| audience.leave_to_search()).transpose()?;
    if waits {
        let _seat = audience.leave_to_wait()?;
        if let Ok(answer) = timeout(WAIT_MAX, source.wait(&query)).await {
            return answer;
        }
    }
    Ok(source.search(query).await?.0)
}

/// Begins a stream; without a number it begins with what comes next.
fn begin(
    source: Source,
    mut wanted: EventsParameters,
    audience: &Audience,
) -> Result<Response, Refused> {
    let seen = audience.last_seen.as_ref().and_then(|id| id.parse().ok());
    wanted.after = seen.or(wanted.after);
    wanted.limit = wanted.limit.or(Some(if wanted.after.is_some() { PAGE } else { 0 }));
    let query = wanted.query()?;
    let (outlet, answer) = stream::begin(audience.seat()?);
    tokio::spawn(async move { drop(follow(source, query, outlet).await) });
    Ok(answer)
}

/// Tells what happens until nobody reads any more, or the agent ends.
async fn follow(source: Source, mut query: EventsQuery, outlet: Outlet) -> Result<(), Left> {
    let mut is_first = true;
    loop {
        let asking = async {
            if is_first {
                return source.search(query.clone()).await.map(|(events, _)| events);
            }
            source.wait(&query).await
        };
        let answer = tokio::select! {
            answer = timeout(HEARTBEAT, asking) => answer,
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
            let missed = Missed { missed: events.missed, damaged: 0 };
            outlet.send(stream::special("missed", &missed)).await?;
        }
        let told = events.events.iter().map(|event| stream::event(event.sequence, event));
        let told: String = told.collect();
        if !told.is_empty() {
            outlet.send(told).await?;
        }
        is_first = false;
        // Numbers that have not been given yet are those of an instance that began anew.
        let after =
            if query.after.is_some_and(|after| after > events.last) { 0 } else { events.last };
        query = EventsQuery { after: Some(after), limit: PAGE, ..query };
    }
}

fn check_number(parameter: &str, number: Option<u64>, hint: &str) -> Result<(), Refused> {
    if number.is_none_or(|number| number <= NUMBER_MAX) {
        return Ok(());
    }
    let what = format!("`{parameter}` is a number up to {NUMBER_MAX}");
    Err(Refused::new(RefusedKind::Bad, what, hint))
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
            && self.before.is_none_or(|before| event.sequence < before)
            && self.run.is_none_or(|run| event.run == Some(run))
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
        check(|asked| asked.before = Some(8), true);
        check(|asked| asked.before = Some(7), false);
        check(|asked| asked.run = Some(1), true);
        check(|asked| asked.run = Some(2), false);
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
