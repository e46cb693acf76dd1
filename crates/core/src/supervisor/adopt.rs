//! Taking over what an earlier agent left running, or what another keeper found.

use std::collections::BTreeMap;

use super::{Ended, Phase, Supervisor, command::STOPPED};
use crate::{
    effect::Action,
    exit::Exit,
    input::{Adopted, AdoptedPhase, Memo, Wish},
    name::UnitName,
    service::{Nature, RestartPolicy, Service, StartType, StopPolicy},
    time::Moment,
    unit::{Event, Place, State, Then, Unit, Wanted},
};

/// Why an order came to nothing.
const LOST: &str = "the keeper died before it began";
/// Why a unit comes up whose last run has ended as it was asked to.
const AGAIN: &str = "it was to be started again";

impl Supervisor {
    /// Takes over wishes first, so that runs which nobody wants any more are stopped.
    pub(super) fn adopt(&mut self, now: Moment, runs: Vec<Adopted>, wishes: &[Wish]) {
        for wish in wishes {
            if let Some(unit) = self.units.get_mut(&wish.unit) {
                unit.obey(wish);
            }
        }
        let gone = self.gone_of(wishes, &runs);
        let memos: Vec<(UnitName, u64, Memo)> =
            runs.iter().map(|run| (run.unit.clone(), run.run, run.memo)).collect();
        for run in runs {
            self.make_room(now, &run, wishes);
            self.adopt_run(now, run);
        }
        if self.phase == Phase::Closing {
            // An adopted end was the instance's, and what was adopted after it has to stop, too.
            self.shut_down(now);
        } else {
            // Only now is it known who would have to be stopped as well.
            for (name, run, memo) in memos {
                self.correct(now, &name, run, memo);
            }
        }
        for name in gone {
            self.effect(Some(&name), Action::Forget);
        }
    }

    /// Returns which units wishes speak of that left the files while there was no agent, and of
    /// which nothing is left: a service of that name to come is another one.
    fn gone_of(&self, wishes: &[Wish], runs: &[Adopted]) -> Vec<UnitName> {
        let has_run = |name: &UnitName| {
            runs.iter().any(|run| run.unit == *name && run.phase != AdoptedPhase::Remembered)
        };
        let names = wishes.iter().map(|wish| &wish.unit);
        names.filter(|name| !self.units.contains_key(name) && !has_run(name)).cloned().collect()
    }

    fn adopt_run(&mut self, now: Moment, adopted: Adopted) {
        let Adopted { unit: name, run, spec_hash, memo, phase } = adopted;
        if matches!(phase, AdoptedPhase::Remembered) {
            return self.remember(now, &name, run, memo);
        }
        if self.units.get(&name).is_some_and(|unit| run < unit.run) {
            return self.adopt_old(&name, run, phase);
        }
        self.drop_deadline(&name);
        let Some(unit) = self.units.get_mut(&name) else { return };
        (unit.run, unit.spec_hash, unit.started_at) = (run, spec_hash, now);
        unit.highest = unit.highest.max(run);
        match phase {
            AdoptedPhase::Remembered => {}
            AdoptedPhase::Starting => {
                unit.adopt(now, State::Starting, "its program is being started");
            }
            AdoptedPhase::Running { pid, since } => {
                (unit.pid, unit.started_at) = (Some(pid), since);
                unit.adopt(since, State::Running, "it ran on while the agent was replaced");
            }
            AdoptedPhase::Ended { at, lived, .. } => {
                unit.started_at = at - lived;
                (unit.state, unit.since) = (State::Running, at);
            }
        }
        unit.recall(now, memo);
        // It ran, so somebody wanted it: a requirer, or a wish that came before.
        unit.want_unless_held();
        if let AdoptedPhase::Ended { exit, at, strays, .. } = phase {
            unit.leave_as_asked(memo);
            // What follows counts from the end, however much later there is an agent again.
            self.exited(at.min(now), &name, Ended { run, exit, strays });
        }
    }

    /// Compares what we know with what another keeper knows: what the former one was told, or told
    /// us last, may never have arrived.
    pub(super) fn reconcile(&mut self, now: Moment, runs: &[Adopted]) {
        let phases: BTreeMap<(&UnitName, u64), AdoptedPhase> =
            runs.iter().map(|run| ((&run.unit, run.run), run.phase)).collect();
        let names: Vec<UnitName> = self.units.keys().cloned().collect();
        for name in &names {
            let Some(unit) = self.units.get(name) else { continue };
            let phase = phases.get(&(name, unit.run)).copied();
            if unit.state.is_active() {
                self.reconcile_active(now, name, phase);
            } else if unit.strays_of.is_some() && !has_strays(phase) {
                let run = unit.run;
                self.cleared(name, run);
            }
        }
        for Adopted { unit: name, run, phase, .. } in runs {
            if self.units.get(name).is_some_and(|unit| *run < unit.run) {
                self.adopt_old(name, *run, *phase);
            }
        }
    }

    fn reconcile_active(&mut self, now: Moment, name: &UnitName, phase: Option<AdoptedPhase>) {
        let Some((run, pid)) = self.units.get(name).map(|unit| (unit.run, unit.pid)) else {
            return;
        };
        match phase {
            // A stop that was asked for meanwhile is asked for again.
            Some(AdoptedPhase::Running { pid, .. }) => {
                self.apply(now, name, Event::Started(pid));
            }
            Some(AdoptedPhase::Ended { exit, strays, .. }) => {
                self.exited(now, name, Ended { run, exit, strays });
            }
            Some(AdoptedPhase::Starting) => {}
            Some(AdoptedPhase::Remembered) | None if pid.is_none() => {
                self.apply(now, name, Event::NotStarted(LOST.to_owned()));
            }
            Some(AdoptedPhase::Remembered) | None => {
                self.exited(now, name, Ended { run, exit: Exit::Unknown, strays: false });
            }
        }
    }

    /// Only the number of a run is left, and perhaps what was written on it.
    fn remember(&mut self, now: Moment, name: &UnitName, run: u64, memo: Memo) {
        let Some(unit) = self.units.get_mut(name) else {
            let number = self.numbers.entry(name.clone()).or_default();
            *number = run.max(*number);
            return;
        };
        unit.highest = unit.highest.max(run);
        if run <= unit.run || unit.state.is_active() {
            return;
        }
        unit.run = run;
        unit.recall(now, memo);
        let had_successor = unit.last_exit.is_some() && !unit.is_held();
        if had_successor {
            self.successor_lost(now, name);
        }
    }

    /// The end that was adopted was not the last word: another run had been ordered already.
    fn successor_lost(&mut self, now: Moment, name: &UnitName) {
        self.drop_deadline(name);
        let Some(unit) = self.units.get_mut(name) else { return };
        unit.want_unless_held();
        unit.adopt(now, State::Starting, "its program was being started");
        self.apply(now, name, Event::NotStarted(LOST.to_owned()));
    }

    /// Forgets when a unit's state would end, because it is about to be replaced.
    fn drop_deadline(&mut self, name: &UnitName) {
        if let Some(at) = self.units.get(name).and_then(Unit::deadline) {
            self.deadlines.remove(&(at, name.clone()));
        }
    }

    /// An end of a run that has a successor already: only its exit is to be settled.
    fn adopt_old(&mut self, name: &UnitName, run: u64, phase: AdoptedPhase) {
        if let AdoptedPhase::Ended { exit, .. } = phase {
            self.settle(name, run, exit);
        }
    }

    /// Makes a unit for a run whose service vanished: it may have been stopped as well.
    fn make_room(&mut self, now: Moment, run: &Adopted, wishes: &[Wish]) {
        let name = &run.unit;
        if run.phase == AdoptedPhase::Remembered || self.units.contains_key(name) {
            return;
        }
        let unit = self.unit_named(now, name);
        (unit.place, unit.wanted) = (Place::Orphaned, Wanted::Up);
        if let Some(wish) = wishes.iter().find(|wish| wish.unit == *name) {
            unit.obey(wish);
        }
        if !self.services.contains_key(&name.service) {
            let orphan = orphaned(name);
            self.retired.entry(name.service.clone()).or_insert(orphan);
        }
    }

    /// Stops a run that nobody wants, restarts one of an older configuration, and goes on with a
    /// restart that was under way. What was asked of an older run says nothing of its successor.
    fn correct(&mut self, now: Moment, name: &UnitName, run: u64, memo: Memo) {
        let is_meant = |unit: &&Unit| unit.run == run && unit.state.is_active();
        let Some(unit) = self.units.get(name).filter(is_meant) else { return };
        let hash = self.services.get(&name.service).map(|service| service.spec_hash);
        let (then, why) = if unit.is_held() {
            (Then::Rest, unit.why.as_str())
        } else if hash.is_some_and(|hash| hash != unit.spec_hash) {
            (Then::Start, "its configuration changed")
        } else if memo.stopping {
            (Then::Start, "it is restarted; the agent was replaced meanwhile")
        } else {
            return;
        };
        let stop = Event::Stop(then, why.to_owned());
        self.apply(now, name, stop);
    }
}

impl Unit {
    /// Goes by what an operator wished of it in an earlier agent's life.
    fn obey(&mut self, wish: &Wish) {
        self.wanted = if wish.up { Wanted::Up } else { Wanted::Held };
        self.beyond = if wish.up { wish.beyond } else { 0 };
        if self.is_held() {
            let why = if wish.why.is_empty() { STOPPED } else { &wish.why };
            why.clone_into(&mut self.why);
        }
    }

    /// Goes on with what was asked of a run before it ended: its end decides nothing.
    fn leave_as_asked(&mut self, memo: Memo) {
        let is_newer_wish = self.beyond >= self.run;
        if self.is_held() {
            self.state = State::Leaving { then: Then::Rest };
        } else if memo.stopping || is_newer_wish {
            AGAIN.clone_into(&mut self.why);
            self.state = State::Leaving { then: Then::Start };
        }
    }

    /// Enters the state that a keeper told; why an operator holds it back is not forgotten.
    fn adopt(&mut self, since: Moment, state: State, why: &str) {
        (self.state, self.since) = (state, since);
        if !self.is_held() {
            why.clone_into(&mut self.why);
        }
    }
}

const fn has_strays(phase: Option<AdoptedPhase>) -> bool {
    matches!(phase, Some(AdoptedPhase::Ended { strays: true, .. }))
}

/// Returns a service for a unit of which no configuration is left.
fn orphaned(name: &UnitName) -> Service {
    Service {
        name: name.service.clone(),
        nature: Nature::Daemon,
        start: StartType::Manual,
        instances: 1,
        requires: Vec::new(),
        wants: Vec::new(),
        after: Vec::new(),
        conflicts: Vec::new(),
        restart: RestartPolicy::default(),
        stop: StopPolicy::default(),
        spec_hash: 0,
    }
    .retire()
}
