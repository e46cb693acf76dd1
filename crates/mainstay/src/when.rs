//! Times as people type them: how long ago, a day, a time of day, or RFC 3339.
//!
//! What has no zone is local time. An hour that comes twice means the first one, and a time that is
//! skipped means as much later: what `--since` asks for is never cut short.

use clap::Args as ClapArgs;
use jiff::{
    Timestamp, ToSpan as _, Zoned,
    civil::{DateTime, Time},
    tz::TimeZone,
};
use mainstay_api::config::parse_duration;
use mainstay_platform::clock;

/// A time of day, in nanoseconds since 1970.
pub(crate) type Nanoseconds = u64;

/// The span of time that a command shows; it may have no end when the command follows.
#[derive(Debug, Clone, Copy, ClapArgs)]
pub(crate) struct Span {
    /// Only from this time on: `10m` ago, `2026-01-31 08:00`, `08:00`, `today`, `yesterday`
    #[arg(long, value_name = "TIME", value_parser = parse, allow_hyphen_values = true)]
    pub(crate) since: Option<Nanoseconds>,

    /// Only up to this time
    #[arg(
        long,
        value_name = "TIME",
        value_parser = parse,
        allow_hyphen_values = true,
        conflicts_with = "follow"
    )]
    pub(crate) until: Option<Nanoseconds>,
}

impl Span {
    /// Returns whether it has a beginning or an end.
    pub(crate) const fn is_bounded(self) -> bool {
        self.since.is_some() || self.until.is_some()
    }
}

/// What may be typed.
const EXPECTED: &str = "write how long ago, as in `10m`, a time as in `2026-01-31 08:00`, `08:00` \
     or `2026-01-31T08:00:00Z`, or `today`, `yesterday`";

/// Reads a time; the error says what is expected.
pub(crate) fn parse(text: &str) -> Result<Nanoseconds, String> {
    let now = Timestamp::try_from(clock::realtime()).unwrap_or_default();
    let time = at(text, &now.to_zoned(TimeZone::system())).ok_or(EXPECTED)?;
    Ok(u64::try_from(time.as_nanosecond()).unwrap_or_default())
}

/// Returns the time that a text means at this moment and in its zone.
fn at(text: &str, now: &Zoned) -> Option<Timestamp> {
    let text = text.trim();
    if let Some(seconds) = text.strip_prefix('@') {
        return Timestamp::from_second(seconds.parse().ok()?).ok();
    }
    let (word, rest) = text.split_once([' ', 'T']).unwrap_or((text, ""));
    if let Some(day) = day(word, now) {
        let time = if rest.is_empty() { Time::midnight() } else { rest.parse().ok()? };
        return local(day.date().to_datetime(time), now);
    }
    if text == "now" {
        return Some(now.timestamp());
    }
    if let Some(ago) = ago(text) {
        return now.timestamp().checked_sub(ago).ok();
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    // A time alone would be read as a date of which something is missing.
    let is_time = word.contains(':').then(|| text.parse::<Time>().ok()).flatten();
    match is_time {
        Some(time) => local(now.date().to_datetime(time), now),
        None => local(text.parse::<DateTime>().ok()?, now),
    }
}

/// Returns a span that lies behind us: `10m`, `-10m` and `10m ago` are the same.
fn ago(text: &str) -> Option<jiff::SignedDuration> {
    let text = text.strip_suffix("ago").unwrap_or(text);
    let text = text.strip_prefix('-').unwrap_or(text);
    parse_duration(text).ok()?.try_into().ok()
}

fn day(word: &str, now: &Zoned) -> Option<Zoned> {
    let days = match word {
        "today" => 0.days(),
        "yesterday" => (-1).days(),
        "tomorrow" => 1.day(),
        _ => return None,
    };
    now.checked_add(days).ok()
}

fn local(time: DateTime, now: &Zoned) -> Option<Timestamp> {
    time.to_zoned(now.time_zone().clone()).ok().map(|time| time.timestamp())
}

/// Returns a time as it stands before a line: local, and as [`parse`] reads it.
pub(crate) fn local_text(time: Nanoseconds, zone: &TimeZone) -> Option<String> {
    let time = Timestamp::from_nanosecond(time.into()).ok()?;
    let local = zone.to_datetime(time);
    let (date, clock) = (local.date(), local.time());
    Some(format!("{date} {clock:.3}"))
}

/// Returns a time as RFC 3339 in UTC, to the millisecond.
pub(crate) fn utc_text(time: Nanoseconds) -> Option<String> {
    let time = Timestamp::from_nanosecond(time.into()).ok()?;
    Some(format!("{time:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Central Europe, written out: no file of zones is needed for it.
    const ZONE: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

    fn check_at(now: &str, text: &str, expected: Option<&str>) {
        let zone = TimeZone::posix(ZONE).unwrap();
        let now: Timestamp = now.parse().unwrap();
        let found = at(text, &now.to_zoned(zone)).map(|time| time.to_string());
        assert_eq!(found.as_deref(), expected, "{text} at {now}");
    }

    #[test]
    fn a_time_may_be_typed_in_many_ways() {
        let check = |text, expected| check_at("2026-11-22T09:30:00Z", text, expected);
        check("10m", Some("2026-11-22T09:20:00Z"));
        check("1h 30m", Some("2026-11-22T08:00:00Z"));
        check("now", Some("2026-11-22T09:30:00Z"));
        check("10m ago", Some("2026-11-22T09:20:00Z"));
        check("-10m", Some("2026-11-22T09:20:00Z"));
        check("today", Some("2026-11-21T23:00:00Z"));
        check("yesterday", Some("2026-11-20T23:00:00Z"));
        check("tomorrow", Some("2026-11-22T23:00:00Z"));
        check("yesterday 18:00", Some("2026-11-21T17:00:00Z"));
        check("10:00", Some("2026-11-22T09:00:00Z"));
        check("10:00:30.5", Some("2026-11-22T09:00:30.5Z"));
        check("2026-11-22", Some("2026-11-21T23:00:00Z"));
        check("2026-11-22 10:00", Some("2026-11-22T09:00:00Z"));
        check("2026-11-22T10:00:01", Some("2026-11-22T09:00:01Z"));
        check("2026-11-22T10:00:00Z", Some("2026-11-22T10:00:00Z"));
        check("2026-11-22 10:00:00+08:00", Some("2026-11-22T02:00:00Z"));
        check("@1700000000", Some("2023-11-14T22:13:20Z"));
        for wrong in ["", "soon", "25:00", "2026-13-01", "yesterday soon", "@x", "10", "ago"] {
            check(wrong, None);
        }
    }

    #[test]
    fn days_are_those_of_the_zone_whatever_the_hour_in_utc() {
        // Already the 23rd in Europe.
        check_at("2026-11-22T23:30:00Z", "today", Some("2026-11-22T23:00:00Z"));
        check_at("2026-11-22T23:30:00Z", "00:10", Some("2026-11-22T23:10:00Z"));
        // Days of 23 and of 25 hours.
        check_at("2026-03-29T12:00:00Z", "today", Some("2026-03-28T23:00:00Z"));
        check_at("2026-03-30T12:00:00Z", "yesterday", Some("2026-03-28T23:00:00Z"));
        check_at("2026-10-26T12:00:00Z", "yesterday", Some("2026-10-24T22:00:00Z"));
        // A span is as long as it says, over a change as well.
        check_at("2026-10-25T12:00:00Z", "24h", Some("2026-10-24T12:00:00Z"));
    }

    #[test]
    fn an_hour_that_comes_twice_is_the_first_and_one_that_is_skipped_is_later() {
        check_at("2026-10-25T12:00:00Z", "02:30", Some("2026-10-25T00:30:00Z"));
        check_at("2026-03-29T12:00:00Z", "02:30", Some("2026-03-29T01:30:00Z"));
    }

    #[test]
    fn what_is_shown_can_be_typed() {
        let zone = TimeZone::posix(ZONE).unwrap();
        let time = 1_795_000_000_123_000_000;
        let text = local_text(time, &zone).unwrap();
        assert_eq!(text, "2026-11-18 12:06:40.123");
        let now = Timestamp::from_second(1_800_000_000).unwrap().to_zoned(zone);
        let read = at(&text, &now).unwrap();
        assert_eq!(read.as_nanosecond(), time.into());
        assert_eq!(utc_text(time).unwrap(), "2026-11-18T11:06:40.123Z");
    }
}
