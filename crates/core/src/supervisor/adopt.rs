//! Taking over what an earlier agent left running, or what another keeper found.

use std::collections::BTreeMap;

use super::{Ended, Haste, Phase, Supervisor, command::STOPPED};
use crate::{
    effect::Action,
    exit::Exit,
    hook::Hook,
    input::{Adopted, AdoptedPhase, Blame, Memo, Wish},
    name::UnitName,
    service::{Bonds, Care, Nature, RestartPolicy, Service, StartType, StopPolicy},
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
            } else if !wish.up && !self.services.contains_key(&wish.unit.service) {
                self.keep_at_rest(now, wish);
            }
        }
        let gone = self.gone_of(wishes, &runs);
        let memos: Vec<(UnitName, u64, Memo)> =
            runs.iter().map(|run| (run.unit.clone(), run.run, run.memo)).collect();
        let mut last: BTreeMap<&UnitName, u64> = BTreeMap::new();
        for (name, run, _) in &memos {
            last.entry(name).and_modify(|last| *last = (*last).max(*run)).or_insert(*run);
        }
        for run in runs {
            self.make_room(now, &run, wishes);
            if last.get(&run.unit).is_some_and(|last| *last > run.run) {
                self.leave_behind(&run.unit, run.run);
            }
            self.adopt_run(now, run);
        }
        if self.phase == Phase::Closing {
            // An adopted end was the instance's, and what was adopted after it has to stop, too.
            self.shut_down(now);
        } else {
            // Only now is it known who would have to be stopped as well.
            for (name, run, memo) in memos {
                self.correct(now, &name, run, memo);
                self.make_up(now, &name);
            }
        }
        for name in gone {
            self.effect(Some(&name), Action::Forget);
        }
    }

    /// Keeps what an operator stopped, though it has left the files: it may come back with the next.
    fn keep_at_rest(&mut self, now: Moment, wish: &Wish) {
        let unit = self.unit_named(now, &wish.unit);
        unit.place = Place::Orphaned;
        unit.obey(wish);
        self.retire_unknown(&wish.unit);
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

    /// What follows the end of a run was over before its successor was ordered.
    fn leave_behind(&mut self, name: &UnitName, run: u64) {
        if let Some(unit) = self.units.get_mut(name) {
            unit.beside.pass_over(Hook::AfterExit, run);
            unit.beside.pass_over(Hook::AfterStop, run);
        }
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
        unit.haste = Haste::Some;
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
                let care = self.services.get(&name.service).map(|service| &service.care);
                let ready_at = |care| memo.reached.ready_at(unit.started_at, care);
                unit.ready_at = care.map_or(Some(unit.started_at), ready_at);
                (unit.state, unit.since) = (State::Running, at);
            }
        }
        unit.recall(now, memo);
        // It ran, so somebody wanted it: a requirer, or a wish that came before.
        unit.want_unless_held();
        if matches!(phase, AdoptedPhase::Running { .. }) {
            self.care_for(now, &name, memo);
        }
        if let AdoptedPhase::Ended { exit, at, strays, .. } = phase {
            let Some(unit) = self.units.get_mut(&name) else { return };
            unit.reload_on(memo, now);
            unit.leave_as_asked(memo);
            unit.leave_out_hooks(memo);
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

    /// What was written on runs may never have arrived.
    pub(super) fn remember_again(&mut self, runs: &[Adopted]) {
        for Adopted { unit, run, memo, .. } in runs {
            self.write_again(unit, *run, *memo);
        }
    }

    fn write_again(&mut self, name: &UnitName, run: u64, written: Memo) {
        let service = self.services.get(&name.service).or_else(|| self.retired.get(&name.service));
        let (Some(unit), Some(service)) = (self.units.get(name), service) else { return };
        let memo = unit.memo(service);
        if unit.run == run && written.paused_after.is_some() && memo.paused_after.is_none() {
            // That it goes on may never have arrived, and what was asked of it since neither.
            self.effect(Some(name), Action::Thaw { run });
        }
        let Some(unit) = self.units.get(name) else { return };
        if unit.run == run && unit.state.is_active() && memo != written {
            self.effect(Some(name), Action::Remember { run, memo });
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
    pub(super) fn remember(&mut self, now: Moment, name: &UnitName, run: u64, memo: Memo) {
        let Some(unit) = self.units.get_mut(name) else {
            let numbers = self.numbers.entry(name.clone()).or_default();
            numbers.highest = run.max(numbers.highest);
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
        if let Some(at) = self.units.get_mut(name).and_then(|unit| unit.scheduled.take()) {
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
        self.retire_unknown(name);
    }

    /// Makes up what a service is like of which no file tells any more.
    fn retire_unknown(&mut self, name: &UnitName) {
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
        let is_orphaned = unit.place == Place::Orphaned;
        let (then, why) = if unit.is_held() {
            (Then::Rest, unit.why.as_str())
        } else if is_orphaned && (memo.stopping || memo.blame.is_some()) {
            // Nothing is left that it could be started by.
            (Then::Rest, "it was being stopped, and it is not configured any more")
        } else if hash.is_some_and(|hash| hash != unit.spec_hash) {
            (Then::Start, "its configuration changed")
        } else if memo.stopping || unit.is_to_start_after() {
            (Then::Start, "it is restarted; the agent was replaced meanwhile")
        } else if let Some(blame) = memo.blame {
            (Then::of(blame), "it was not well; the agent was replaced meanwhile")
        } else {
            return self.fall_if_bad(now, name);
        };
        let stop = Event::Stop(then, why.to_owned());
        if let Some(unit) = self.units.get_mut(name).filter(|_| is_orphaned) {
            unit.want_no_more();
        }
        self.apply(now, name, stop);
    }
}

impl Unit {
    /// Returns whether it leaves by itself, and a start was wished for after that.
    const fn is_to_start_after(&self) -> bool {
        let leaves = matches!(self.state, State::Stopping { then: Then::Itself, .. });
        leaves && self.beyond >= self.run
    }

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
        let is_newer_wish = self.beyond >= self.run || memo.pardoned;
        let was_asked = memo.stopping || memo.blame.is_some();
        let is_orphaned = self.place == Place::Orphaned && (was_asked || memo.pardoned);
        if self.is_held() || is_orphaned {
            self.want_no_more();
            self.state = State::Leaving { then: Then::Rest };
        } else if let Some(blame) = memo.blame.filter(|_| !is_newer_wish) {
            "it was not well".clone_into(&mut self.why);
            self.state = State::Leaving { then: Then::of(blame) };
        } else if memo.stopping || is_newer_wish {
            AGAIN.clone_into(&mut self.why);
            self.state = State::Leaving { then: Then::Start };
        }
    }

    /// What follows an end was over before the next run began to be prepared; and the hook after a
    /// stop is for a run that was asked to end: what was wished for since makes no stop of it.
    fn leave_out_hooks(&mut self, memo: Memo) {
        let was_asked = memo.stopping || memo.blame.is_some();
        let has_successor = self.beside.is_beyond(Hook::BeforeStart, self.run);
        if has_successor {
            self.beside.pass_over(Hook::AfterExit, self.run);
        }
        if has_successor || !was_asked {
            self.beside.pass_over(Hook::AfterStop, self.run);
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

impl Then {
    /// Returns what follows the end of a run that was not well.
    const fn of(blame: Blame) -> Self {
        match blame {
            Blame::Retry => Self::Retry,
            Blame::Hang => Self::Hang,
            Blame::Fail => Self::Fail,
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
        bonds: Bonds::default(),
        restart: RestartPolicy::default(),
        stop: StopPolicy::default(),
        care: Care::default(),
        spec_hash: 0,
    }
    .retire()
}
