//! Which closed segments are too many, too old or too much. Pure: what there is comes in.
//!
//! Never the live segment, never one in the middle of a log: what goes is the oldest. The newest
//! closed one goes only for its age, and leaves its name: numbers would begin anew. A stamp that
//! cannot be, because it is before all logs or in the future, was given by a clock that was wrong:
//! such a segment counts as old as the one behind it, and none counts as older than the one before
//! it.

use std::{cmp::Reverse, time::Duration};

use mainstay_api::config::LogsConfig;

/// 2026-01-01: no log of ours is older, so a clock that says so was not set.
const FIRST_POSSIBLE_NS: u64 = 1_767_225_600_000_000_000;

/// What is kept of the logs of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Limits {
    /// So many closed segments of each log; 0 keeps all.
    pub(super) keep: usize,
    /// Nothing older; zero keeps all.
    pub(super) keep_for: Duration,
    /// So many bytes of all logs of the service; 0 keeps all.
    pub(super) keep_total: u64,
}

impl From<&LogsConfig> for Limits {
    fn from(logs: &LogsConfig) -> Self {
        let keep = usize::try_from(logs.keep).unwrap_or(usize::MAX);
        Self { keep, keep_for: logs.keep_for, keep_total: logs.keep_total }
    }
}

/// A closed segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Closed {
    pub(super) number: u64,
    /// What it takes of the disk.
    pub(super) bytes: u64,
    /// When its last byte came, as far as anybody knows.
    pub(super) ended_ns: Option<u64>,
}

/// Why a segment goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    Keep,
    KeepFor,
    KeepTotal,
}

impl Reason {
    /// Returns the key of the configuration that asks for it.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::KeepFor => "keep-for",
            Self::KeepTotal => "keep-total",
        }
    }
}

/// A segment that is to go: which of the logs, and which of its segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Surplus {
    pub(super) log: usize,
    pub(super) segment: Closed,
    pub(super) reason: Reason,
}

/// Returns what is to go, oldest first within each log.
///
/// `logs` are the closed segments of each log, ascending; `live_bytes` is what cannot go; `now` is
/// nothing while the clock is not to be believed.
pub(super) fn surplus(
    logs: &[Vec<Closed>],
    live_bytes: u64,
    limits: Limits,
    now: Option<u64>,
) -> Vec<Surplus> {
    let mut gone = Vec::new();
    let mut left = Vec::new();
    for (log, closed) in logs.iter().enumerate() {
        let times = times(closed, now.unwrap_or(u64::MAX));
        let segments: Vec<Dated> = times.into_iter().zip(closed.iter().copied()).collect();
        let too_many = too_many(closed.len(), limits.keep).min(closed.len().saturating_sub(1));
        let is_old = |(ended, _): &&Dated| is_old(*ended, limits.keep_for, now);
        let too_old = segments.iter().take_while(is_old).count();
        for (at, (_, segment)) in segments.iter().take(too_many.max(too_old)).enumerate() {
            let reason = if at < too_many { Reason::Keep } else { Reason::KeepFor };
            gone.push(Surplus { log, segment: *segment, reason });
        }
        left.push(segments.into_iter().skip(too_many.max(too_old)).collect());
    }
    if limits.keep_total > 0 {
        gone.extend(too_much(left, live_bytes, limits.keep_total));
    }
    gone
}

fn too_many(count: usize, keep: usize) -> usize {
    if keep == 0 { 0 } else { count.saturating_sub(keep) }
}

fn is_old(ended_ns: u64, keep_for: Duration, now: Option<u64>) -> bool {
    let Some(now) = now.filter(|_| !keep_for.is_zero()) else { return false };
    u128::from(now.saturating_sub(ended_ns)) > keep_for.as_nanos()
}

/// A segment, and when it ended as far as that can be believed.
type Dated = (u64, Closed);

/// Takes the oldest of all logs until the rest is little enough.
fn too_much(
    left: Vec<Vec<Dated>>,
    live_bytes: u64,
    keep_total: u64,
) -> impl Iterator<Item = Surplus> {
    let all = left.iter().flatten().map(|(_, segment)| segment.bytes).sum::<u64>();
    let mut total = all.saturating_add(live_bytes);
    let mut oldest: Vec<(u64, Surplus)> = Vec::new();
    for (log, segments) in left.into_iter().enumerate() {
        let count = segments.len().saturating_sub(1);
        let reason = Reason::KeepTotal;
        let spare = segments.into_iter().take(count);
        oldest.extend(spare.map(|(ended, segment)| (ended, Surplus { log, segment, reason })));
    }
    // The last one is the oldest; segments of a log never turn around.
    oldest.sort_by_key(|(ended, surplus)| Reverse((*ended, surplus.log, surplus.segment.number)));
    std::iter::from_fn(move || {
        let (_, surplus) = (total > keep_total).then(|| oldest.pop()).flatten()?;
        total = total.saturating_sub(surplus.segment.bytes);
        Some(surplus)
    })
}

/// Returns when each segment ended, as far as that can be believed: never in the future, never
/// before the one before it.
fn times(closed: &[Closed], now: u64) -> Vec<u64> {
    let mut behind = now;
    let mut times: Vec<u64> = Vec::new();
    for segment in closed.iter().rev() {
        let possible = segment.ended_ns.filter(|at| (FIRST_POSSIBLE_NS..=now).contains(at));
        behind = possible.unwrap_or(behind);
        times.push(behind);
    }
    times.reverse();
    let mut before = 0;
    for time in &mut times {
        before = before.max(*time);
        *time = before;
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400_000_000_000;
    const NOW: u64 = FIRST_POSSIBLE_NS + 1000 * DAY;

    /// Makes a log of segments of ten bytes that ended so many days ago.
    fn log(days_ago: &[i64]) -> Vec<Closed> {
        let ended =
            |days: &i64| u64::try_from(i128::from(NOW) - i128::from(*days) * i128::from(DAY));
        let segment = |(number, days)| Closed { number, bytes: 10, ended_ns: ended(days).ok() };
        (1..).zip(days_ago).map(segment).collect()
    }

    fn gone(logs: &[Vec<Closed>], limits: Limits, now: Option<u64>) -> Vec<(usize, u64)> {
        let all = surplus(logs, 5, limits, now);
        all.into_iter().map(|surplus| (surplus.log, surplus.segment.number)).collect()
    }

    fn days(days: u64) -> Limits {
        Limits { keep_for: Duration::from_nanos(days * DAY), ..Limits::default() }
    }

    #[test]
    fn the_oldest_go_and_the_newest_closed_one_stays() {
        let check = |days_ago: &[i64], limits: Limits, expected: &[u64]| {
            let found = gone(&[log(days_ago)], limits, Some(NOW));
            let expected: Vec<_> = expected.iter().map(|number| (0, *number)).collect();
            assert_eq!(found, expected, "{days_ago:?} {limits:?}");
        };
        let keep = |keep| Limits { keep, ..Limits::default() };
        let total = |keep_total| Limits { keep_total, ..Limits::default() };
        check(&[4, 3, 2, 1], Limits::default(), &[]);
        check(&[4, 3, 2, 1], keep(3), &[1]);
        check(&[4, 3, 2, 1], keep(1), &[1, 2, 3]);
        check(&[40, 31, 30, 1], days(30), &[1, 2]);
        check(&[40, 39, 38], days(30), &[1, 2, 3]);
        check(&[4, 3, 2, 1], total(45), &[]);
        check(&[4, 3, 2, 1], total(44), &[1]);
        check(&[4, 3, 2, 1], total(1), &[1, 2, 3]);
        check(&[], total(1), &[]);
        let all = Limits { keep: 3, keep_total: 30, ..days(30) };
        check(&[40, 39, 2, 1], all, &[1, 2]);
        check(&[4, 3, 2, 1], all, &[1, 2]);
    }

    #[test]
    fn all_logs_of_a_service_share_the_total_and_the_oldest_of_all_goes_first() {
        let logs = [log(&[9, 5, 1]), log(&[8, 7, 2])];
        let total = |keep_total| Limits { keep_total, ..Limits::default() };
        assert_eq!(gone(&logs, total(50), Some(NOW)), [(0, 1), (1, 1)]);
        assert_eq!(gone(&logs, total(1), Some(NOW)), [(0, 1), (1, 1), (1, 2), (0, 2)]);
    }

    #[test]
    fn a_clock_that_jumps_deletes_nothing_that_is_not_old() {
        let check = |days_ago: &[i64], expected: &[u64]| {
            let found = gone(&[log(days_ago)], days(30), Some(NOW));
            let expected: Vec<_> = expected.iter().map(|number| (0, *number)).collect();
            assert_eq!(found, expected, "{days_ago:?}");
        };
        // Written in 1970, before the time was known.
        check(&[20_000, 20_000, 3, 1], &[]);
        check(&[3, 20_000, 2, 1], &[]);
        check(&[40, 20_000, 2, 1], &[1]);
        // Written ten years ahead.
        check(&[3, -3650, -3650, 1], &[]);
        check(&[40, -3650, 35, 1], &[1, 2, 3]);
        check(&[-3650, -3650, -3650], &[]);
        // Written while the clock was a hundred days behind, after others.
        check(&[3, 103, 102, 1], &[]);
        // It is 1970 now: everything is of the future.
        let past = gone(&[log(&[40, 39, 38])], days(30), Some(DAY));
        assert_eq!(past, []);
        // It is not to be believed.
        assert_eq!(gone(&[log(&[40, 39, 38])], days(30), None), []);
    }

    #[test]
    fn what_goes_is_always_the_beginning_of_a_log() {
        let mut seed = 7_u64;
        let mut roll = |sides: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % sides
        };
        for round in 0..2_000 {
            let logs: Vec<Vec<Closed>> = (0..=roll(3))
                .map(|_| {
                    let ago: Vec<i64> = (0..roll(7))
                        .map(|_| {
                            i64::try_from(roll(100)).unwrap() * if roll(9) == 0 { -99 } else { 1 }
                        })
                        .collect();
                    log(&ago)
                })
                .collect();
            let limits = Limits {
                keep: usize::try_from(roll(5)).unwrap(),
                keep_total: roll(200),
                ..days(roll(60))
            };
            let found = gone(&logs, limits, Some(NOW));
            for (at, log) in logs.iter().enumerate() {
                let of_log: Vec<u64> =
                    found.iter().filter(|(log, _)| *log == at).map(|(_, number)| *number).collect();
                let expected: Vec<u64> = (1..).take(of_log.len()).collect();
                assert_eq!(of_log, expected, "round {round}: {logs:?} {limits:?}");
                // All of it only for its age.
                let is_kept = of_log.len() < log.len() || !limits.keep_for.is_zero();
                assert!(log.is_empty() || is_kept, "round {round}");
            }
        }
    }
}
