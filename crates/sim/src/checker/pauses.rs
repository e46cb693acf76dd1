//! What an operator paused stays paused, and ends for nothing that is found out about it; and no more
//! units start at once than may.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mainstay_core::{
    Adopted, AdoptedHook, AdoptedPhase, Hook, Moment, Service, Supervisor, UnitName, UnitView,
    check::{Check, CheckRole, ReadyBy},
};

use super::Checker;
use crate::{machine::Machine, wire::Key};

/// How long a unit that starts counts for others.
const HELD: Duration = Duration::from_secs(10);

/// Which runs somebody paused.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    /// When a core decided it first.
    decided: BTreeMap<Key, Moment>,
    /// Those that were frozen, so that the operator was answered.
    answered: BTreeSet<Key>,
    /// When an operator last wanted a unit to go on.
    pub(super) resumed: BTreeMap<UnitName, Moment>,
}

impl Pauses {
    pub(super) fn forget(&mut self, key: &Key) {
        self.decided.remove(key);
        self.answered.remove(key);
    }
}

/// Who is starting, as far as that counts for others.
#[derive(Debug, Default)]
pub(super) struct GateRule {
    pub(super) inside: BTreeMap<UnitName, Moment>,
    /// Which units this agent has started.
    pub(super) begun: BTreeSet<UnitName>,
    /// An operator has asked for a start, which waits for nobody.
    pub(super) is_hurried: bool,
}

impl Checker {
    /// A core decided to freeze a run.
    pub(crate) fn freezes(&mut self, key: &Key, now: Moment) {
        self.pauses.decided.entry(key.clone()).or_insert(now);
    }

    /// A keeper has frozen it.
    pub(crate) fn frozen(&mut self, key: &Key) {
        if self.pauses.decided.contains_key(key) {
            self.pauses.answered.insert(key.clone());
        }
    }

    /// A core decided to let a run go on: somebody wanted that.
    pub(crate) fn thaws(&mut self, key: &Key) {
        self.ends_paused(key);
        self.pauses.forget(key);
    }

    /// A core decided to end a run, or its pause.
    pub(crate) fn ends_paused(&mut self, key: &Key) {
        if self.is_to_stay_paused(key) {
            let details = format!("{} run {}", key.0, key.1);
            self.broken("nobody ends a pause but who is asked to", details);
        }
    }

    fn is_to_stay_paused(&self, key: &Key) -> bool {
        let Some(decided) = self.pauses.decided.get(key) else { return false };
        let (unit, service) = (&key.0, &key.0.service);
        let is_later = |at: Option<&Moment>| at.is_some_and(|at| at >= decided);
        let is_wanted =
            is_later(self.pauses.resumed.get(unit)) || is_later(self.asked.get(service));
        self.pauses.answered.contains(key)
            && !is_wanted
            && !self.is_leaving(key)
            && !self.may_be_left(service)
    }

    /// Everything has come to rest.
    pub(super) fn pauses_at_rest(&mut self, core: &Supervisor, machine: &Machine) {
        for key in self.pauses.answered.clone() {
            let Some(process) = machine.carrier(&key).filter(|it| !it.is_excused) else { continue };
            let state = core.unit(&key.0).map(UnitView::state);
            let is_paused = process.is_frozen && state == Some("paused");
            if self.is_to_stay_paused(&key) && !is_paused {
                let details = format!("{} run {} is {state:?}: {process:?}", key.0, key.1);
                self.broken("what an operator paused stays paused", details);
            }
        }
    }

    /// A core decided to start a unit: not beside too many others.
    pub(crate) fn enters(&mut self, unit: &UnitName, width: usize, now: Moment) {
        let Some(service) = self.services.get(&unit.service) else { return };
        if !is_slow(service) {
            return;
        }
        let gate = &mut self.gate;
        gate.inside.retain(|other, since| other != unit && *since + HELD > now);
        let (is_first, others) = (gate.begun.insert(unit.clone()), gate.inside.len());
        if service.care.checks.iter().all(|check| check.role != CheckRole::Readiness) {
            gate.inside.insert(unit.clone(), now);
        }
        if width > 0 && others >= width && is_first && !gate.is_hurried {
            let details = format!("{unit} starts beside {others}, {width} may");
            self.broken("no more units start at once than may", details);
        }
    }
}

/// Returns the units that an earlier agent has started.
pub(super) fn begun(runs: &[Adopted], hooks: &[AdoptedHook]) -> Vec<UnitName> {
    let runs = runs.iter().filter(|run| run.phase != AdoptedPhase::Remembered);
    let hooks = hooks.iter().filter(|hook| hook.phase != AdoptedPhase::Remembered);
    runs.map(|run| run.unit.clone()).chain(hooks.map(|hook| hook.unit.clone())).collect()
}

fn is_slow(service: &Service) -> bool {
    let gates = |it: &Check| it.role != CheckRole::Liveness;
    service.care.ready.by != ReadyBy::Started
        || service.care.checks.iter().any(gates)
        || service.care.hooks.contains_key(&Hook::BeforeStart)
}
