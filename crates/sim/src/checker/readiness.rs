//! Which runs are ready, as far as one can tell from outside: by what they said and how they looked.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_core::{
    Moment, Notice, Outcome, Probe, ProbeOf, Service,
    check::{About, CheckRole, ReadyBy},
    service::Care,
};

use super::Checker;
use crate::wire::Key;

/// A look at a run.
type Look = (Key, Probe);

/// What is known of all runs.
#[derive(Debug, Default)]
pub(super) struct Readiness {
    runs: BTreeMap<Key, Reached>,
    /// What the looks under way look at; nothing when it is whether a run is ready.
    looks: BTreeMap<Look, Option<String>>,
    /// Runs that were ordered when it took no more than a start.
    plain: BTreeSet<Key>,
}

/// What a run has shown of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sign {
    SaidReady,
    SaidAlive,
    SeenReady,
}

/// What a run has reached.
#[derive(Debug, Default)]
struct Reached {
    since: Moment,
    signs: BTreeSet<Sign>,
    checks: BTreeMap<String, Seen>,
    /// When it had all that it takes; that stays so.
    ready_at: Option<Moment>,
    /// The agent of this life has told that it is ready.
    is_told: bool,
}

/// What a check has shown of a run.
#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    successes: u32,
    failures: u32,
    /// It was good once.
    has_passed: bool,
    /// It has turned bad since the run was told to be ready.
    is_bad: bool,
}

impl Reached {
    /// Returns whether there is all that it takes.
    fn has_all(&self, care: &Care, now: Moment) -> bool {
        let gate = match care.ready.by {
            ReadyBy::Started => true,
            ReadyBy::Delay(delay) => now >= self.since + delay,
            ReadyBy::Notice => self.signs.contains(&Sign::SaidReady),
            ReadyBy::Probe { .. } => self.signs.contains(&Sign::SeenReady),
        };
        let mut gating = care.checks.iter().filter(|check| check.role != CheckRole::Liveness);
        gate && gating.all(|check| match check.about {
            About::Heartbeat => self.signs.contains(&Sign::SaidAlive),
            About::Answer | About::Memory => {
                self.checks.get(&check.name).is_some_and(|seen| seen.has_passed)
            }
        })
    }

    fn look_again(&mut self, care: &Care, now: Moment) {
        if self.ready_at.is_none() && self.has_all(care, now) {
            self.ready_at = Some(now);
        }
    }

    /// Returns whether nobody may rely on it any more.
    fn is_unready(&self, care: &Care) -> bool {
        let mut readiness = care.checks.iter().filter(|check| check.role == CheckRole::Readiness);
        readiness.any(|check| self.checks.get(&check.name).is_some_and(|seen| seen.is_bad))
    }
}

impl Readiness {
    /// A process begins.
    pub(super) fn begin(&mut self, key: &Key, care: &Care, now: Moment) {
        let ready_at = self.plain.contains(key).then_some(now);
        let mut reached = Reached { since: now, ready_at, ..Reached::default() };
        reached.look_again(care, now);
        self.runs.insert(key.clone(), reached);
    }

    /// Another agent has seen nothing yet, and asks anew.
    pub(super) fn new_agent(&mut self) {
        self.looks.clear();
        for reached in self.runs.values_mut() {
            reached.is_told = false;
            for seen in reached.checks.values_mut() {
                *seen = Seen { has_passed: seen.has_passed, ..Seen::default() };
            }
        }
    }

    /// Goes by another configuration; what was thought by a check that is another one now is open.
    pub(super) fn configured(&mut self, former: &Service, fresh: &Service, now: Moment) {
        let of_service = |key: &Key| key.0.service == fresh.name;
        for (_, reached) in self.runs.iter_mut().filter(|(key, _)| of_service(key)) {
            reached.look_again(&former.care, now);
            reached.look_again(&fresh.care, now);
            for (name, seen) in &mut reached.checks {
                let of = |care: &Care| care.checks.iter().find(|it| it.name == *name).cloned();
                seen.is_bad &= of(&former.care) == of(&fresh.care);
                seen.successes = 0;
            }
        }
    }

    /// Returns when a run was ready, if it was.
    pub(super) fn ready_at(&mut self, key: &Key, care: &Care, now: Moment) -> Option<Moment> {
        let reached = self.runs.get_mut(key)?;
        reached.look_again(care, now);
        reached.ready_at
    }

    fn is_unready(&self, key: &Key, care: &Care) -> bool {
        self.runs.get(key).is_some_and(|reached| reached.is_unready(care))
    }
}

impl Checker {
    /// A run is ordered of a service that is looked after in this way.
    pub(super) fn plan_readiness(&mut self, key: &Key) {
        let care = self.services.get(&key.0.service).map(|service| &service.care);
        let is_gating = |care: &Care| {
            care.ready.by != ReadyBy::Started
                || care.checks.iter().any(|check| check.role != CheckRole::Liveness)
        };
        if care.is_some_and(is_gating) {
            self.readiness.plain.remove(key);
        } else {
            self.readiness.plain.insert(key.clone());
        }
    }

    /// A program says something of itself.
    pub(crate) fn said(&mut self, key: &Key, notice: Notice, now: Moment) {
        self.says_of_reload(&key.0, notice, now);
        let Some(reached) = self.readiness.runs.get_mut(key) else { return };
        match notice {
            Notice::Ready => reached.signs.insert(Sign::SaidReady),
            Notice::Alive => reached.signs.insert(Sign::SaidAlive),
            Notice::Stopping => return self.said_leaving(key, now),
            Notice::Reloading | Notice::Ailing | Notice::AliveEvery(_) | Notice::Extend(_) => {
                return;
            }
        };
        if let Some(service) = self.services.get(&key.0.service) {
            reached.look_again(&service.care, now);
        }
    }

    /// An agent looks at a run.
    pub(crate) fn looks(&mut self, key: &Key, probe: Probe) {
        let care = self.services.get(&key.0.service).map(|service| &service.care);
        let of = match probe.of {
            ProbeOf::Ready => None,
            ProbeOf::Check(place) => {
                let check = care.and_then(|care| care.checks.get(usize::from(place)));
                let Some(check) = check else { return };
                Some(check.name.clone())
            }
        };
        self.readiness.looks.insert((key.clone(), probe), of);
    }

    /// It does not want to know any more.
    pub(crate) fn looks_away(&mut self, key: &Key, probe: Probe) {
        self.readiness.looks.remove(&(key.clone(), probe));
    }

    /// A look has shown something to whoever waits for it.
    pub(crate) fn seen(&mut self, key: &Key, probe: Probe, outcome: &Outcome, now: Moment) {
        let Some(of) = self.readiness.looks.remove(&(key.clone(), probe)) else { return };
        let Some(reached) = self.readiness.runs.get_mut(key) else { return };
        let Some(service) = self.services.get(&key.0.service) else { return };
        match of {
            Some(name) => reached.judge(name, outcome, &service.care),
            None if *outcome == Outcome::Passed => {
                reached.signs.insert(Sign::SeenReady);
            }
            None => {}
        }
        reached.look_again(&service.care, now);
    }

    /// An agent tells that a run is ready.
    pub(super) fn told_ready(&mut self, key: &Key) {
        if let Some(reached) = self.readiness.runs.get_mut(key) {
            reached.is_told = true;
        }
    }

    /// Of an orphan nobody knows what it takes to be ready.
    pub(crate) fn excuse_readiness(&mut self, key: &Key, now: Moment) {
        if let Some(reached) = self.readiness.runs.get_mut(key) {
            reached.ready_at.get_or_insert(now);
        }
    }

    /// Returns whether others may rely on a run.
    pub(super) fn is_run_ready(&mut self, key: &Key, now: Moment) -> bool {
        let Some(service) = self.services.get(&key.0.service) else { return false };
        if self.known_leaving.contains(key) {
            return false;
        }
        self.readiness.ready_at(key, &service.care, now).is_some()
            && !self.readiness.is_unready(key, &service.care)
    }
}

impl Reached {
    fn judge(&mut self, name: String, outcome: &Outcome, care: &Care) {
        let Some(check) = care.checks.iter().find(|check| check.name == name) else { return };
        let seen = self.checks.entry(name).or_default();
        match outcome {
            Outcome::Passed => {
                (seen.failures, seen.successes) = (0, seen.successes.saturating_add(1));
                if seen.successes >= check.successes {
                    (seen.has_passed, seen.is_bad) = (true, false);
                }
            }
            Outcome::Failed(_) => {
                seen.successes = 0;
                seen.failures += u32::from(self.is_told);
                seen.is_bad |= self.is_told && seen.failures >= check.failures;
            }
            Outcome::Unknown(_) => {}
        }
    }
}
