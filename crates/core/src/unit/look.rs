//! One thing that is looked at, again and again: when it is due, what is under way, what is thought.
//!
//! ```text
//!   due ──► under way ──Passed, Failed──► verdict, due again
//!              │ its patience is over: abandoned, failed
//!              └ Unknown: no verdict, due again
//! ```

use std::time::Duration;

use crate::{
    chance::Chance,
    check::{Check, CheckRole},
    effect::{Action, Health},
    input::{Probe, ProbeOf},
    service::Care,
    time::Moment,
    unit::Span,
};

/// A time-out is stretched at most so often on a crowded machine, beyond its own length.
const STRETCH_MAX: u32 = 9;

/// A look for whose verdict somebody waits is repeated after this long at the latest.
const SOON: Duration = Duration::from_secs(1);

/// What a look needs of those around it.
#[derive(Debug)]
pub(crate) struct Means<'a> {
    pub(crate) now: Moment,
    pub(crate) care: &'a Care,
    pub(crate) chance: &'a mut Chance,
    /// For what part of the time programs had to wait for a processor, in thousandths.
    pub(crate) crowding: u16,
    pub(crate) deeds: &'a mut Vec<Action>,
}

/// One thing that is looked at.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub(crate) name: String,
    pub(crate) due: Option<Moment>,
    pub(crate) under_way: Option<UnderWay>,
    pub(crate) failures: u32,
    pub(crate) successes: u32,
    pub(crate) verdict: Verdict,
    /// What was seen last, when that was not good.
    pub(crate) seen: String,
    /// It was told that one could not look.
    pub(crate) is_unknown: bool,
    /// It was told that a time-out was stretched.
    pub(crate) is_stretched: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct UnderWay {
    pub(crate) attempt: u64,
    pub(crate) since: Moment,
    pub(crate) deadline: Moment,
}

/// What is thought of a unit by one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing yet.
    Open,
    /// It is good.
    Good,
    /// It is bad.
    Bad,
}

/// What is looked at, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject {
    pub(crate) run: u64,
    pub(crate) of: ProbeOf,
    pub(crate) every: Duration,
    pub(crate) timeout: Duration,
}

impl Look {
    pub(crate) fn new(name: &str, due: Option<Moment>) -> Self {
        Self {
            name: name.to_owned(),
            due,
            under_way: None,
            failures: 0,
            successes: 0,
            verdict: Verdict::Open,
            seen: String::new(),
            is_unknown: false,
            is_stretched: false,
        }
    }

    /// Returns the look of a check while its run is not ready.
    pub(crate) fn settling(check: &Check, began: Moment, now: Moment) -> Self {
        let is_gating = check.role != CheckRole::Liveness;
        Self::new(&check.name, is_gating.then(|| now.max(began + check.delay)))
    }

    pub(crate) fn deadline(&self) -> Option<Moment> {
        self.under_way.map(|under_way| under_way.deadline).or(self.due)
    }

    /// Looks no more.
    pub(crate) fn end(&mut self, run: u64, of: ProbeOf, deeds: &mut Vec<Action>) {
        self.due = None;
        if let Some(under_way) = self.under_way.take() {
            let probe = Probe { of, attempt: under_way.attempt };
            deeds.push(Action::Abandon { run, probe });
        }
    }

    /// Returns whether an answer is to the look that is under way, which it ends.
    pub(crate) fn take(&mut self, attempt: u64) -> Option<()> {
        self.under_way.take_if(|under_way| under_way.attempt == attempt).map(|_| ())
    }

    /// Begins a look that is due; returns why one has failed whose patience is over.
    pub(crate) fn advance(
        &mut self,
        subject: Subject,
        attempts: &mut u64,
        means: &mut Means<'_>,
    ) -> Option<String> {
        if let Some(under_way) = self.under_way {
            return self.late(subject, under_way, means);
        }
        self.due.filter(|due| *due <= means.now)?;
        *attempts += 1;
        let attempt = *attempts;
        let deadline = means.now + subject.timeout;
        self.under_way = Some(UnderWay { attempt, since: means.now, deadline });
        self.due = Some(means.now + jittered(subject.every, means.chance));
        let probe = Probe { of: subject.of, attempt };
        means.deeds.push(Action::Probe { run: subject.run, probe });
        None
    }

    /// Waits longer on a crowded machine, or gives up.
    pub(crate) fn late(
        &mut self,
        subject: Subject,
        own: UnderWay,
        means: &mut Means<'_>,
    ) -> Option<String> {
        if own.deadline > means.now {
            return None;
        }
        let patience = stretched(subject.timeout, means.crowding);
        if own.since + patience > means.now {
            self.under_way = Some(UnderWay { deadline: own.since + patience, ..own });
            if !std::mem::replace(&mut self.is_stretched, true) {
                let (what, permille) = (format!("check `{}`", self.name), means.crowding);
                means.deeds.push(Action::Health(Health::Patient { what, permille }));
            }
            return None;
        }
        self.under_way = None;
        let probe = Probe { of: subject.of, attempt: own.attempt };
        means.deeds.push(Action::Abandon { run: subject.run, probe });
        self.due = self.due.map(|due| due.max(means.now));
        let waited = means.now.since(own.since);
        self.seen = format!("no answer within {}", Span(waited));
        Some(self.seen.clone())
    }

    /// Notes a success, and returns whether it turned a bad verdict.
    pub(crate) fn passed(&mut self, check: &Check, deeds: &mut Vec<Action>) -> bool {
        (self.failures, self.is_unknown, self.is_stretched) = (0, false, false);
        self.successes = self.successes.saturating_add(1);
        if self.verdict == Verdict::Good || self.successes < check.successes {
            return false;
        }
        if check.role == CheckRole::Startup {
            self.due = None;
        }
        let was_bad = std::mem::replace(&mut self.verdict, Verdict::Good) == Verdict::Bad;
        self.seen.clear();
        if was_bad {
            deeds.push(Action::Health(Health::Good { check: check.name.clone() }));
        }
        was_bad
    }

    /// Notes a failure, and returns whether it turned the verdict.
    pub(crate) fn failed(
        &mut self,
        check: &Check,
        reason: String,
        deeds: &mut Vec<Action>,
    ) -> bool {
        (self.successes, self.is_unknown) = (0, false);
        self.failures = self.failures.saturating_add(1);
        self.seen = reason;
        if self.verdict == Verdict::Bad || self.failures < check.failures {
            return false;
        }
        self.verdict = Verdict::Bad;
        let (check, reason, failures) = (check.name.clone(), self.seen.clone(), self.failures);
        deeds.push(Action::Health(Health::Bad { check, reason, failures }));
        true
    }

    pub(crate) fn unknown(&mut self, check: &Check, reason: &str, deeds: &mut Vec<Action>) {
        if !std::mem::replace(&mut self.is_unknown, true) {
            let (check, reason) = (check.name.clone(), reason.to_owned());
            deeds.push(Action::Health(Health::Unknown { check, reason }));
        }
    }

    /// There is no verdict yet: somebody waits for one, so the next look comes before its time.
    pub(crate) fn again_soon(&mut self, now: Moment, check: &Check, seen: String) {
        let soon = now + check.every.min(SOON);
        self.due = self.due.map(|due| due.min(soon));
        self.seen = seen;
    }
}

/// Returns a time up to a twentieth more or less than `every`.
fn jittered(every: Duration, chance: &mut Chance) -> Duration {
    let twentieth = every / 20;
    let spread = chance.below(micros(twentieth).saturating_mul(2).saturating_add(1));
    every.saturating_sub(twentieth) + Duration::from_micros(spread)
}

/// Returns how long to wait on a machine where programs have to wait for a processor themselves.
pub(crate) fn stretched(timeout: Duration, crowding: u16) -> Duration {
    let more = timeout.saturating_mul(STRETCH_MAX.saturating_mul(u32::from(crowding.min(1000))));
    timeout + more / 1000
}

pub(crate) fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
