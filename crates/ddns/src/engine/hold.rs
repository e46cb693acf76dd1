//! That nothing is tried for a while: of a binding, or of all that an account has.

use std::time::Duration;

use mainstay_core::chance::Chance;

use crate::{
    engine::{backoff, input::Now, state::Hold},
    failure::{Class, Failure},
    provider::Floors,
};

/// What servers answer that are in trouble themselves, or that ask others who are.
const IN_TROUBLE: [&str; 3] = ["HTTP 500", "HTTP 502", "HTTP 503"];
/// Codes of failures that reached nobody: who was not asked need not be left alone.
const UNREACHED: [&str; 2] = ["resolve", "connect"];
/// The longest wait for what may be over soon, where the wall clock stands before it failed: it
/// tells nothing of how long ago that was.
const CLOCKLESS_MAX: Duration = Duration::from_mins(1);
/// How soon those are tried again when the network has changed.
const UNREACHED_FLOOR: Duration = Duration::from_secs(3);

/// A hold, by the clock that nobody sets.
#[derive(Debug, Clone)]
pub(super) struct Held {
    /// Why.
    pub(super) class: Class,
    /// The provider's code.
    pub(super) code: String,
    /// Until when; nothing until somebody does something about it.
    pub(super) until: Option<Duration>,
    /// How many attempts of this class failed in a row.
    pub(super) failures: u32,
    /// When the last attempt came to its end, if it was this engine's.
    began: Option<Duration>,
    /// Before that it is not tried again, however new the network is.
    quick: Duration,
    /// Since when attempts of this class have failed, as seconds since 1970.
    pub(super) since: i64,
    digest: u64,
}

/// An attempt that failed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failed<'a> {
    /// How.
    pub(super) failure: &'a Failure,
    /// When it was begun.
    pub(super) began: Duration,
    /// How often its provider may be asked.
    pub(super) floors: &'a Floors,
    /// What whoever is held was configured with.
    pub(super) digest: u64,
}

impl Held {
    /// Returns the hold that follows a failed attempt.
    pub(super) fn after(
        before: Option<&Self>,
        failed: Failed<'_>,
        now: Now,
        chance: &mut Chance,
    ) -> Self {
        let Failed { failure, began, floors, digest } = failed;
        // What was under way together fails together, and counts once.
        let is_together = before.and_then(|before| before.began).is_some_and(|end| began <= end);
        let other = before.filter(|before| is_together && before.class != failure.class);
        let before = before.filter(|before| before.class == failure.class);
        let known = before.map_or(0, |before| before.failures);
        let failures = if is_together { known } else { known.saturating_add(1) };
        let wait = backoff::after(failure, failures, floors, chance);
        let mut until = wait.map(|wait| now.at.saturating_add(wait));
        if let Some(before) = before.filter(|_| is_together) {
            until = before.until.zip(until).map(|(one, other)| one.max(other));
        }
        let floor = if is_unreached(failure) {
            UNREACHED_FLOOR.min(floors.transient)
        } else {
            floors.transient.max(failure.retry_after.unwrap_or_default())
        };
        if let Some(other) = other.filter(|other| other.outlasts(until)) {
            return other.clone();
        }
        Self {
            class: failure.class,
            code: failure.code.clone(),
            until,
            failures,
            began: Some(now.at),
            quick: now.at.saturating_add(floor),
            since: before.map_or(now.wall, |before| before.since),
            digest,
        }
    }

    /// Returns what is left of a hold that was kept, unless what it was for is configured otherwise.
    ///
    /// Patience outlives every change of configuration. A clock may have been set meanwhile: nobody
    /// waits longer than his class ever does.
    pub(super) fn restored(hold: &Hold, digest: u64, now: Now) -> Option<Self> {
        if hold.digest != digest && hold.class != Class::RateLimited {
            return None;
        }
        let is_clockless = hold.class == Class::Transient && now.wall < hold.since;
        let longest = if is_clockless { CLOCKLESS_MAX } else { backoff::longest(hold.class) };
        let until = hold.until.map(|until| now.at.saturating_add(left(until, now).min(longest)));
        Some(Self {
            class: hold.class,
            code: hold.code.clone(),
            until,
            failures: hold.failures,
            began: None,
            quick: until.unwrap_or(now.at),
            since: hold.since.min(now.wall),
            digest,
        })
    }

    /// Returns the hold of a binding whose write was begun by an engine that is dead, and of which
    /// nobody can read whether it came to its end.
    pub(super) fn after_crash(
        before: Option<&Self>,
        (began, digest): (i64, u64),
        floors: &Floors,
        (now, chance): (Now, &mut Chance),
    ) -> Self {
        let before = before.filter(|before| before.class == Class::Transient);
        let failures = before.map_or(0, |before| before.failures).saturating_add(1);
        let most = if now.wall < began { CLOCKLESS_MAX } else { Duration::MAX };
        let wait = backoff::transient(failures, floors, chance).min(most);
        let seconds = i64::try_from(wait.as_secs()).unwrap_or(i64::MAX);
        let rest = left(began.saturating_add(seconds).saturating_add(1), now).min(wait);
        let until = now.at.saturating_add(rest);
        Self {
            class: Class::Transient,
            code: "crash".to_owned(),
            until: Some(until),
            failures,
            began: None,
            quick: until,
            since: began.min(now.wall),
            digest,
        }
    }

    /// Returns whether it lasts longer than until then, or is without an end.
    fn outlasts(&self, until: Option<Duration>) -> bool {
        match (self.until, until) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(until)) => own > until,
        }
    }

    /// Returns whether it may be tried again.
    pub(super) fn is_over(&self, now: Now) -> bool {
        self.until.is_some_and(|until| until <= now.at)
    }

    /// Returns whether an attempt that was begun then shows that it is over.
    pub(super) fn is_refuted_by(&self, began: Duration) -> bool {
        self.began.is_none_or(|end| began >= end)
    }

    /// The network is another one: what failed by the old one is tried soon, and nothing else.
    pub(super) fn network_changed(&mut self, settled: Duration) {
        if self.class == Class::Transient {
            let soon = settled.max(self.quick);
            self.until = self.until.map(|until| until.min(soon));
            self.failures = 0;
        }
    }

    /// The clock was set: what failed for it is tried at once, but not faster than anything else
    /// that fails, however often it is set.
    pub(super) fn clock_set(&mut self, now: Now) {
        if self.class == Class::Clock {
            self.until = Some(now.at.max(self.quick));
            self.failures = 0;
        }
    }

    /// Returns it as it is kept.
    pub(super) fn kept(&self, now: Now) -> Hold {
        let wall = |until: Duration| {
            let rest = until.saturating_sub(now.at).as_secs().saturating_add(1);
            now.wall.saturating_add(i64::try_from(rest).unwrap_or(i64::MAX))
        };
        Hold {
            class: self.class,
            code: self.code.clone(),
            since: self.since,
            until: self.until.map(wall),
            failures: self.failures,
            digest: self.digest,
        }
    }
}

/// Returns whether a write that failed like this was none: nobody was asked, or a server answered
/// for its own trouble.
pub(super) fn is_undone(failure: &Failure) -> bool {
    is_unreached(failure) || IN_TROUBLE.contains(&failure.code.as_str())
}

/// Returns whether nobody was asked at all.
pub(super) fn is_unreached(failure: &Failure) -> bool {
    UNREACHED.contains(&failure.code.as_str())
}

/// Returns how long it is until then by the wall clock, if it is not past.
pub(super) fn left(until: i64, now: Now) -> Duration {
    let seconds = until.saturating_sub(now.wall);
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}
