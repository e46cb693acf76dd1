//! Who reads its configuration anew: its hook has allowed it, and how that comes out is told.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_core::{
    Adopted, AdoptedHook, AdoptedPhase, Exit, Health, Hook, Moment, Notice, Reached, UnitName,
    service::ReloadBy,
};

use super::Checker;
use crate::{beside, wire::Key};

/// What was seen of reloads.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reloads {
    /// Units of which somebody has to tell how theirs comes out.
    open: BTreeSet<UnitName>,
    /// When somebody last asked for one.
    asked: BTreeMap<UnitName, Moment>,
    /// The runs that the commands before them are about.
    before: BTreeMap<Key, u64>,
    /// Runs whose last hook has allowed it.
    allowed: BTreeSet<Key>,
    /// Who is to say that it is done, and since when.
    awaited: BTreeMap<UnitName, Moment>,
    /// When programs last said that they reload.
    begun: BTreeMap<UnitName, Moment>,
    /// When they last said that they are ready.
    done: BTreeMap<UnitName, Moment>,
}

impl Checker {
    /// An operator asks for a reload of a run; returns what is to be thought if that is refused.
    pub(crate) fn reload_asked(&mut self, key: &Key, now: Moment) -> Reloads {
        let former = self.reloads.clone();
        self.reloads.open.insert(key.0.clone());
        self.reloads.asked.insert(key.0.clone(), now);
        former
    }

    /// It was refused.
    pub(crate) fn reload_refused(&mut self, former: Reloads) {
        self.reloads = former;
    }

    /// The next agent takes over what is under way; what its predecessor only knew is lost.
    pub(crate) fn reloads_passed_on(&mut self, runs: &[Adopted], hooks: &[AdoptedHook]) {
        self.reloads.open.clear();
        for Adopted { unit, run, memo, phase, .. } in runs {
            let is_of = |it: &&AdoptedHook| it.unit == *unit && it.run == *run;
            let is_reload = |it: &AdoptedHook| {
                let is_live = it.phase != AdoptedPhase::Remembered;
                is_live && matches!(it.hook, Hook::BeforeReload | Hook::Reload)
            };
            let is_under_way =
                memo.reloads_within.is_some() || hooks.iter().filter(is_of).any(is_reload);
            let is_up = matches!(phase, AdoptedPhase::Running { .. })
                && matches!(memo.reached, Reached::Started | Reached::Ready { .. });
            let is_left = !memo.stopping && memo.blame.is_none();
            if is_under_way && is_up && is_left && self.hashes.contains_key(&unit.service) {
                self.reloads.open.insert(unit.clone());
            }
        }
    }

    /// A command before a reload is about this run.
    pub(super) fn prepares_reload(&mut self, key: &Key, run: u64) {
        self.reloads.before.insert(key.clone(), run);
    }

    /// A command before a reload has begun.
    pub(super) fn reload_is_prepared(&mut self, key: &Key) {
        if let Some(of) = self.prepared_by(key) {
            self.reloads.allowed.remove(&of);
        }
    }

    /// It has ended.
    pub(super) fn reload_prepared(&mut self, key: &Key, exit: Exit) {
        if let Some(of) = self.prepared_by(key).filter(|_| exit.is_success()) {
            self.reloads.allowed.insert(of);
        }
    }

    /// Returns the run that a command before a reload is about.
    fn prepared_by(&self, key: &Key) -> Option<Key> {
        let run = self.reloads.before.get(key)?;
        Some((beside::owner(&key.0)?.0, *run))
    }

    /// An agent has a run reload.
    pub(crate) fn reloads(&mut self, key: &Key, now: Moment) {
        let asked = self.reloads.asked.get(&key.0).copied();
        let since = self.hooks.since(&key.0.service, Hook::BeforeReload);
        let has_hook = since.zip(asked).is_some_and(|(since, asked)| since < asked);
        if asked.is_none() || (has_hook && !self.reloads.allowed.contains(key)) {
            let details = format!("{} run {}, asked for {asked:?}", key.0, key.1);
            self.broken("nothing reloads before its hook has allowed it", details);
        }
        let by = self.services.get(&key.0.service).and_then(|service| service.care.reload);
        if by == Some(ReloadBy::Notice) {
            self.reloads.awaited.insert(key.0.clone(), now);
        } else {
            self.reloads.awaited.remove(&key.0);
        }
    }

    /// A program says something of itself.
    pub(super) fn says_of_reload(&mut self, unit: &UnitName, notice: Notice, now: Moment) {
        if notice == Notice::Reloading {
            self.reloads.begun.insert(unit.clone(), now);
        }
        if notice == Notice::Ready {
            self.reloads.done.insert(unit.clone(), now);
        }
    }

    /// An agent tells how a reload came out.
    pub(crate) fn reload_told(&mut self, unit: &UnitName, how: &Health) {
        self.reloads.open.remove(unit);
        let Some(since) = self.reloads.awaited.remove(unit) else { return };
        let done = self.reloads.done.get(unit);
        let begun = self.reloads.begun.get(unit).map_or(since, |begun| since.min(*begun));
        if *how == Health::Reloaded && done.is_none_or(|done| *done < begun) {
            let details = format!("{unit}, told at {since:?}, said {done:?}");
            self.broken("nobody has reloaded who has not said so", details);
        }
    }

    pub(super) fn reloads_at_rest(&mut self) {
        if let Some(unit) = self.reloads.open.pop_first() {
            self.broken("how a reload comes out is told", unit.to_string());
        }
    }
}
