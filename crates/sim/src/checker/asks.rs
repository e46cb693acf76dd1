//! Who wanted what, and whom that reaches.

use std::collections::BTreeSet;

use mainstay_core::{Adopted, AdoptedPhase, Command, Moment, Service, ServiceName, UnitName, Wish};

use super::Checker;
use crate::wire::Key;

impl Checker {
    /// An operator asks for something.
    pub(crate) fn commanded(&mut self, unit: &UnitName, command: Command, now: Moment) {
        let mut reached = BTreeSet::from([unit.service.clone()]);
        match command {
            Command::Pause => return,
            Command::Resume => {
                self.pauses.resumed.insert(unit.clone(), now);
                return;
            }
            Command::Start | Command::Restart => {
                self.gate.is_hurried = true;
                let opponents = self.opponents(&unit.service).map(|other| other.name.clone());
                reached.extend(opponents.collect::<Vec<_>>());
                // Holds of those are lifted, which may be forgotten with the agent.
                reached.extend(self.needed(&unit.service));
            }
            Command::Stop | Command::Kill => {}
            // Nobody is stopped for it, but what has ended decides nothing any more.
            Command::Reset => {
                self.pardoned.insert(unit.clone(), now);
                return;
            }
            Command::Reload => return,
        }
        self.reach(reached, now);
    }

    /// Another configuration is there: who runs by another one, or is gone, may have to stop.
    pub(super) fn reconfigured(&mut self, changed: BTreeSet<ServiceName>, now: Moment) {
        self.reach(changed, now);
    }

    /// A new agent asks again what was asked of runs that are still there.
    pub(super) fn asked_again(&mut self, runs: &[Adopted], wishes: &[Wish], now: Moment) {
        let is_held = |unit: &UnitName| wishes.iter().any(|wish| wish.unit == *unit && !wish.up);
        let is_leaving = |run: &&Adopted| run.memo.stopping || is_held(&run.unit);
        let is_there = |run: &&Adopted| {
            matches!(run.phase, AdoptedPhase::Starting | AdoptedPhase::Running { .. })
        };
        let leaving = runs.iter().filter(is_there).filter(is_leaving);
        self.reach(leaving.map(|run| run.unit.service.clone()).collect(), now);
    }

    /// Any run of these, of what requires them and of their parts, may have to stop that was
    /// ordered before.
    fn reach(&mut self, mut reached: BTreeSet<ServiceName>, now: Moment) {
        loop {
            let is_next = |service: &&Service| {
                !reached.contains(&service.name)
                    && (service.required().any(|other| reached.contains(other))
                        || service.bonds.part_of.iter().any(|other| reached.contains(other)))
            };
            let Some(next) = self.services.values().find(is_next) else { break };
            reached.insert(next.name.clone());
        }
        self.asked.extend(reached.into_iter().map(|name| (name, now)));
    }

    /// Returns what a service needs, and what that needs.
    fn needed(&self, service: &ServiceName) -> BTreeSet<ServiceName> {
        let (mut open, mut needed) = (vec![service.clone()], BTreeSet::new());
        while let Some(service) = open.pop().and_then(|name| self.services.get(&name)) {
            let others = service.required().chain(&service.wants);
            open.extend(others.filter(|other| needed.insert((*other).clone())).cloned());
        }
        needed
    }

    fn opponents(&self, service: &ServiceName) -> impl Iterator<Item = &Service> {
        let own = self.services.get(service).map(|own| own.conflicts.clone()).unwrap_or_default();
        let opposes =
            move |other: &&Service| own.contains(&other.name) || other.conflicts.contains(service);
        self.services.values().filter(opposes)
    }

    /// Returns whether nobody has wanted anything of a run, or of what it depends on, since it was
    /// ordered. Who is bound to others may be left by them, and so may who requires such.
    pub(super) fn is_left_alone(&self, key: &Key) -> bool {
        let service = &key.0.service;
        let is_fresh = self
            .ordered
            .get(key)
            .is_some_and(|ordered| self.asked.get(service).is_none_or(|asked| ordered > asked));
        is_fresh && !self.may_be_left(service)
    }

    /// Returns whether a run is left alone, and how it ends decides what follows.
    pub(super) fn is_of_account(&self, key: &Key) -> bool {
        let pardoned = self.pardoned.get(&key.0);
        let is_pardoned =
            pardoned.is_some_and(|at| self.ordered.get(key).is_none_or(|it| it <= at));
        !is_pardoned && self.is_left_alone(key)
    }

    pub(super) fn may_be_left(&self, service: &ServiceName) -> bool {
        let (mut open, mut seen) = (vec![service], BTreeSet::new());
        while let Some(name) = open.pop() {
            let Some(service) = self.services.get(name).filter(|_| seen.insert(name)) else {
                continue;
            };
            if !service.bonds.binds_to.is_empty() {
                return true;
            }
            open.extend(service.required());
        }
        false
    }
}
