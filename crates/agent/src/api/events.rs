//! What happened, by whom, when, and how much it matters.

use axum::{
    extract::{Query, State},
    response::Response,
};
use jiff::Timestamp;
use mainstay_api::{
    control::Event,
    pattern::{fits, is_meant},
};
use serde::Deserialize;

use super::{Calls, put, refused};
use crate::{
    calls::{Call, EventsQuery, Patience, Refused, RefusedKind},
    events::Level,
};

/// So many events are sent when nobody says how many.
const EVENTS_USUAL: usize = 100;
const EVENTS_MAX: usize = 5_000;

/// What may be asked.
#[derive(Debug, Default, Deserialize)]
pub(super) struct EventsParameters {
    after: Option<u64>,
    names: Option<String>,
    trace: Option<String>,
    types: Option<String>,
    level: Option<String>,
    since: Option<String>,
    until: Option<String>,
    limit: Option<usize>,
    wait: Option<bool>,
}

/// Answers `GET /v1/events`.
pub(super) async fn events(State(calls): Calls, Query(asked): Query<EventsParameters>) -> Response {
    match asked.query() {
        Ok(query) => put(&calls, |reply| Call::Events(query, reply)).await,
        Err(reason) => refused(reason),
    }
}

impl EventsParameters {
    fn query(self) -> Result<EventsQuery, Refused> {
        let patience = if self.wait == Some(true) { Patience::Waits } else { Patience::None };
        Ok(EventsQuery {
            after: self.after,
            names: words(self.names),
            trace: self.trace,
            types: words(self.types),
            level: self.level.map_or(Ok(Level::Info), |word| level(&word))?,
            since: self.since.map(|text| time(&text)).transpose()?,
            until: self.until.map(|text| time(&text)).transpose()?,
            limit: self.limit.unwrap_or(EVENTS_USUAL).min(EVENTS_MAX),
            patience,
        })
    }
}

fn words(text: Option<String>) -> Vec<String> {
    let text = text.unwrap_or_default();
    text.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect()
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
    }
}
