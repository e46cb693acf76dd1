//! All units of an instance: wishes and facts in, effects and one deadline out.
//!
//! The supervisor knows who is in whose way; what a unit does about it is its own affair
//! ([`crate::unit`]). A change that may free others puts their waiters into a queue, which is
//! worked off before [`Supervisor::handle`] returns; nothing here recurses or looks at every unit
//! for the sake of one.

mod adopt;
mod care;
mod command;
mod configure;
mod delayed;
mod gate;
mod links;
mod obstacle;
mod queue;
mod unclaimed;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use care::Seen;
use gate::Gate;
pub(crate) use gate::Haste;
use links::Network;
pub(crate) use obstacle::Obstacle;
use queue::Queue;
use unclaimed::Numbers;

use crate::{
    chance::Chance,
    effect::{Action, Effect, TraceId},
    exit::Exit,
    graph::Graph,
    input::Input,
    name::{ServiceName, UnitName},
    service::Service,
    time::Moment,
    unit::{Act, Aside, Event, Met, State, Then, Unit},
    view::{InLine, UnitView},
};

/// All units of an instance.
#[derive(Debug)]
pub struct Supervisor {
    services: BTreeMap<ServiceName, Service>,
    /// Services that vanished from the configuration while units of them exist.
    retired: BTreeMap<ServiceName, Service>,
    units: BTreeMap<UnitName, Unit>,
    /// What was counted under names that have no unit at the moment.
    numbers: BTreeMap<UnitName, Numbers>,
    graph: Graph,
    deadlines: BTreeSet<(Moment, UnitName)>,
    queue: Queue,
    around: Surroundings,
    traces: u64,
    phase: Phase,
    delayed_until: Option<Moment>,
    network: Network,
    gate: Gate,
    turn: Turn,
}

/// What units meet besides events, and where they leave what is to be done beside their state.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) chance: Chance,
    /// For what part of the time programs have to wait for a processor, in thousandths.
    pub(crate) crowding: u16,
    pub(crate) deeds: Vec<Action>,
}

/// What the instance is doing as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Runs of an earlier agent are being taken over; nothing is started.
    Adopting,
    /// Business as usual.
    Open,
    /// Everything stops.
    Closing,
    /// Everything has stopped, and that was said.
    Closed,
}

/// The end of a run.
#[derive(Debug, Clone, Copy)]
struct Ended {
    run: u64,
    exit: Exit,
    strays: bool,
}

/// What gathers while one input is handled.
#[derive(Debug, Default)]
struct Turn {
    trace: TraceId,
    effects: Vec<Effect>,
    /// Comes after everything else: a restart never waits for a disk.
    settled: Vec<Effect>,
}

impl Supervisor {
    /// Returns a supervisor of nothing; the seed decides how retries are spread.
    pub fn new(seed: u64) -> Self {
        Self {
            services: BTreeMap::new(),
            retired: BTreeMap::new(),
            units: BTreeMap::new(),
            numbers: BTreeMap::new(),
            graph: Graph::default(),
            deadlines: BTreeSet::new(),
            queue: Queue::default(),
            around: Surroundings { chance: Chance::new(seed), crowding: 0, deeds: Vec::new() },
            // Those of another agent began elsewhere.
            traces: seed,
            phase: Phase::Adopting,
            delayed_until: None,
            network: Network::Down,
            gate: Gate::default(),
            turn: Turn::default(),
        }
    }

    /// Returns when to call [`handle`](Self::handle) with [`Input::Deadline`], if ever.
    pub fn next_deadline(&self) -> Option<Moment> {
        let unit = self.deadlines.first().map(|(at, _)| *at);
        unit.into_iter().chain(self.delayed_until).chain(self.gate.next_deadline()).min()
    }

    /// Returns what can be seen of all units, by name.
    pub fn units(&self) -> impl Iterator<Item = UnitView<'_>> {
        let line: BTreeMap<&UnitName, usize> = self.gate.line().zip(1..).collect();
        self.units.values().map(move |unit| self.view_of(unit, line.get(&unit.name).copied()))
    }

    /// Returns what can be seen of a unit.
    pub fn unit(&self, name: &UnitName) -> Option<UnitView<'_>> {
        self.units.get(name).map(|unit| self.view_of(unit, self.gate.place_of(name)))
    }

    fn view_of<'a>(&'a self, unit: &'a Unit, place: Option<usize>) -> UnitView<'a> {
        let in_line = place.map(|place| InLine { place, width: self.gate.width() });
        UnitView::new(unit, self.service(&unit.name.service), in_line)
    }

    /// Returns a service, configured or orphaned.
    pub fn service(&self, name: &ServiceName) -> Option<&Service> {
        self.services.get(name).or_else(|| self.retired.get(name))
    }

    /// Returns the chain that the next input begins, for what is told before it is handled.
    pub const fn next_trace(&self) -> TraceId {
        TraceId(self.traces.wrapping_add(1))
    }

    /// Takes a wish or a fact and returns what the host must do, in this order.
    pub fn handle(&mut self, now: Moment, input: Input) -> Vec<Effect> {
        let trace = self.next_trace();
        self.traces = trace.0;
        self.turn = Turn { trace, ..Turn::default() };
        self.take(now, input);
        self.work_off(now);
        let Turn { mut effects, settled, .. } = std::mem::take(&mut self.turn);
        effects.extend(settled);
        effects
    }

    fn take(&mut self, now: Moment, input: Input) {
        match input {
            Input::Configure { services, prune } => self.configure(now, services, &prune),
            Input::Passed { numbers } => {
                for (unit, highest) in numbers {
                    self.raise(&unit, Some(highest));
                }
            }
            Input::Adopt { runs, wishes, hooks } => {
                self.recall_hooks(now, &hooks);
                self.adopt(now, runs, &wishes);
                self.adopt_hooks(now, &hooks);
            }
            Input::Reconcile { runs, hooks } => {
                // What begins meanwhile is not known to that keeper yet.
                let under_way = self.hooks_under_way();
                self.reconcile(now, &runs);
                self.reconcile_hooks(now, &hooks, under_way);
                // What a memo calls done is ordered before it is written.
                self.remember_again(&runs);
            }
            Input::Open => self.open(now),
            Input::Command { units, command } => {
                for unit in units {
                    self.command(now, &unit, command);
                }
            }
            Input::Started { unit, run, pid } => self.tell(now, &unit, run, Event::Started(pid)),
            Input::NotStarted { unit, run, reason } => {
                self.tell(now, &unit, run, Event::NotStarted(reason));
            }
            Input::NotPaused { unit, run, reason } => {
                let why = format!("it could not be paused: {reason}");
                self.tell(now, &unit, run, Event::Resume(why));
            }
            Input::Exited { unit, run, exit, strays } => {
                self.exited(now, &unit, Ended { run, exit, strays });
            }
            Input::Cleared { unit, run } => self.cleared(&unit, run),
            Input::ExitAmended { unit, run, exit } => self.amended(&unit, run, exit),
            Input::Noticed { unit, run, notice } => {
                self.tell_aside(now, &unit, run, Aside::Noticed(notice));
            }
            Input::Probed { unit, run, probe, outcome } => {
                self.tell_aside(now, &unit, run, Aside::Probed(probe, outcome));
            }
            Input::HookEnded { unit, hook, number, end } => {
                self.hook_ended(now, &unit, (hook, number), end);
            }
            Input::Rotated { unit } => self.apply(now, &unit, Aside::Rotated),
            Input::Woke => self.woke(now),
            Input::Gate { width } => self.set_gate(width),
            Input::Crowded { permille } => self.around.crowding = permille,
            Input::Network { up: true } => self.network_changed(Network::Up),
            Input::Network { up: false } => self.network_changed(Network::Down),
            Input::Deadline => self.deadline(now),
            Input::ShutDown => self.shut_down(now),
        }
    }

    fn open(&mut self, now: Moment) {
        if self.phase == Phase::Adopting {
            self.phase = Phase::Open;
            self.await_others(now);
            self.count_starting(now);
            self.queue.extend(self.units.keys().cloned());
        }
    }

    fn shut_down(&mut self, now: Moment) {
        self.close(now, "the instance shuts down");
    }

    fn close(&mut self, now: Moment, why: &str) {
        if self.phase == Phase::Closed {
            return;
        }
        self.phase = Phase::Closing;
        let names: Vec<UnitName> = self.units.keys().cloned().collect();
        for name in &names {
            self.apply(now, name, Event::Stop(Then::Rest, why.to_owned()));
        }
        self.queue.extend(names);
    }

    /// The instance ends as a run has. Whoever is asked to stop for it decides nothing any more,
    /// so this happens once.
    fn exit(&mut self, now: Moment, name: &UnitName, exit: Exit) {
        self.effect(Some(name), Action::Exit(exit));
        self.close(now, &format!("the instance ends with `{name}`"));
    }

    /// What happens to a unit on its way is part of what sent it there.
    fn go_on(&mut self, name: &UnitName) {
        if let Some(trace) = self.units.get(name).and_then(Unit::chain) {
            self.turn.trace = trace;
        }
    }

    /// Passes a fact about a run on, unless it is about another run than the current one.
    fn tell(&mut self, now: Moment, name: &UnitName, run: u64, event: Event) {
        if self.units.get(name).is_some_and(|unit| unit.run == run) {
            self.go_on(name);
            self.apply(now, name, event);
        }
    }

    fn exited(&mut self, now: Moment, name: &UnitName, ended: Ended) {
        let Ended { run, exit, strays } = ended;
        if self.units.get(name).is_some_and(|unit| unit.run == run) {
            self.go_on(name);
        }
        self.settle(name, run, exit);
        let Some(unit) = self.units.get_mut(name).filter(|unit| unit.run == run) else { return };
        unit.strays_of = strays.then_some(run);
        self.apply(now, name, Event::Exited(exit));
    }

    /// Says that an exit is dealt with, once the rest of the turn is done.
    fn settle(&mut self, name: &UnitName, run: u64, exit: Exit) {
        let trace = self.turn.trace;
        let action = Action::Settle { run, exit };
        self.turn.settled.push(Effect { trace, unit: Some(name.clone()), action });
    }

    fn cleared(&mut self, name: &UnitName, run: u64) {
        let Some(unit) = self.units.get_mut(name) else { return };
        if unit.strays_of == Some(run) {
            unit.strays_of = None;
            self.queue.push_back(name.clone());
        }
    }

    fn amended(&mut self, name: &UnitName, run: u64, exit: Exit) {
        let is_news = self.units.get_mut(name).is_some_and(|unit| unit.amend(run, exit));
        if is_news {
            self.effect(Some(name), Action::ExitAmended { run, exit });
        }
    }

    fn deadline(&mut self, now: Moment) {
        while let Some((at, name)) = self.deadlines.first().cloned() {
            if at > now {
                break;
            }
            self.deadlines.pop_first();
            match self.units.get_mut(&name) {
                Some(unit) => unit.scheduled = None,
                None => self.kill_unclaimed(now, &name),
            }
            self.go_on(&name);
            self.apply(now, &name, Event::Timeout);
        }
        if self.delayed_until.is_some_and(|until| until <= now) {
            self.release_delayed();
        }
    }

    /// Lets a unit take what it meets, and does what follows for itself and for others.
    fn apply(&mut self, now: Moment, name: &UnitName, met: impl Into<Met>) {
        let Some(unit) = self.units.get_mut(name) else { return };
        let service = self.services.get(&name.service).or_else(|| self.retired.get(&name.service));
        let Some(service) = service else { return };
        let (former, looked) = (unit.state, Seen::of(unit, service));
        let act = unit.handle(now, met.into(), service, &mut self.around);
        if self.phase == Phase::Closing {
            // What nobody's end waits for is not waited for longer than for a program.
            unit.beside.hurry(now, service.stop.timeout);
        }
        let (state, looks) = (unit.state, Seen::of(unit, service));
        if former != state {
            unit.trace = self.turn.trace;
        }
        self.reschedule(name);
        self.do_besides(name);
        self.keep_gate(name);
        if act == Some(Act::Revive) {
            self.revive(now, name);
            let is_as_before = |unit: &Unit| unit.state.word() == state.word();
            if !self.units.get(name).is_some_and(is_as_before) {
                // What came of it has been told already.
                return;
            }
        } else if let Some(act) = act {
            self.order(name, act, former);
        }
        if former.word() != state.word() {
            self.changed(now, name, state);
        } else if looked != looks {
            self.looks_otherwise(name);
        }
        if let Some(Act::Exit(exit)) = act {
            self.exit(now, name, exit);
        }
    }

    /// Has the host do what a unit left to be done beside its state.
    fn do_besides(&mut self, name: &UnitName) {
        let mut deeds = std::mem::take(&mut self.around.deeds);
        for action in deeds.drain(..) {
            self.effect(Some(name), action);
        }
        self.around.deeds = deeds;
    }

    /// Notes when a unit has something to do by itself.
    fn reschedule(&mut self, name: &UnitName) {
        let Some(unit) = self.units.get_mut(name) else { return };
        let service = self.services.get(&name.service).or_else(|| self.retired.get(&name.service));
        let next = service.and_then(|service| unit.deadline(service));
        let former = std::mem::replace(&mut unit.scheduled, next);
        if former != next {
            former.map(|at| self.deadlines.remove(&(at, name.clone())));
            next.map(|at| self.deadlines.insert((at, name.clone())));
        }
    }

    /// Has the host do what a unit decided; what is asked of a run is written on it first.
    fn order(&mut self, name: &UnitName, act: Act, former: State) {
        let Some(unit) = self.units.get(name) else { return };
        let Some(service) = self.service(&name.service) else { return };
        let (run, memo) = (unit.run, unit.memo(service));
        let is_new_to_it = !matches!(former, State::Stopping { .. });
        if matches!(act, Act::Ask | Act::Abort) || (act == Act::Kill && is_new_to_it) {
            self.effect(Some(name), Action::Remember { run, memo });
        }
        match act {
            Act::Spawn => self.effect(Some(name), Action::Spawn { run, memo }),
            Act::Ask => self.effect(Some(name), Action::Ask { run }),
            Act::Abort => self.effect(Some(name), Action::Abort { run }),
            Act::Kill => self.effect(Some(name), Action::Kill { run }),
            Act::Revive | Act::Exit(_) => {}
        }
    }

    /// A unit moved to another state: tells the host and whoever may wait for it.
    fn changed(&mut self, now: Moment, name: &UnitName, state: State) {
        self.effect(Some(name), Action::Changed);
        if matches!(state, State::Leaving { .. }) {
            self.stop_requirers(now, name);
            self.queue.push_back(name.clone());
        }
        self.wake_related(name);
        if !state.is_active() {
            self.follow_the_last(now, name);
            self.forget_if_over(name);
        }
    }

    /// A unit that was to stay up has gone: others of its service may be on their way down, and
    /// wait for those that relied on this one.
    fn follow_the_last(&mut self, now: Moment, name: &UnitName) {
        let leaves = |unit: &Unit| matches!(unit.state, State::Leaving { .. });
        if units_of(&self.units, &name.service).any(leaves) {
            self.stop_requirers(now, name);
        }
    }

    /// Lets everybody look again who may wait for a unit, or says that it does. One that is ready is
    /// news only to who waits for it: it is in nobody else's way.
    fn wake_related(&mut self, name: &UnitName) {
        let service = &name.service;
        let is_ready = self.units.get(name).is_some_and(|unit| self.is_unit_ready(unit));
        let needed = self.services.get(service).into_iter().flat_map(Service::ordered_behind);
        let related: BTreeSet<&ServiceName> = self.graph.waiters(service).chain(needed).collect();
        let units = related.into_iter().flat_map(|other| units_of(&self.units, other));
        let may_wait = |unit: &Unit| {
            unit.state == State::Waiting
                && (!is_ready || unit.waits_for.as_ref().is_none_or(|other| other == service))
        };
        let concerned =
            units.filter(|unit| may_wait(unit) || matches!(unit.state, State::Leaving { .. }));
        let units = concerned.chain(self.bound_to(service));
        let names: Vec<UnitName> = units.map(|unit| unit.name.clone()).collect();
        self.queue.extend(names);
    }

    /// Stops whoever requires the service of this unit, when nothing of it is meant to stay up.
    fn stop_requirers(&mut self, now: Moment, name: &UnitName) {
        if self.phase == Phase::Closing || self.stays_up(&name.service) {
            return;
        }
        let requirers: Vec<UnitName> = self
            .graph
            .requirers(&name.service)
            .flat_map(|other| units_of(&self.units, other))
            .filter(|unit| unit.state.is_active())
            .map(|unit| unit.name.clone())
            .collect();
        for requirer in requirers {
            let why = format!("it requires `{}`, which is being stopped", name.service);
            self.apply(now, &requirer, Event::Stop(Then::Wait, why));
        }
    }

    fn stays_up(&self, service: &ServiceName) -> bool {
        units_of(&self.units, service)
            .any(|unit| unit.is_wanted() && unit.state.is_active() && unit.state.then().is_none())
    }

    fn work_off(&mut self, now: Moment) {
        self.consider_all(now);
        let is_news = !self.turn.effects.is_empty();
        if is_news && self.phase == Phase::Open && self.delayed_until.is_some() && self.is_settled()
        {
            self.release_delayed();
            self.consider_all(now);
        }
        let is_quiet = |unit: &Unit| {
            !unit.state.is_active() && unit.strays_of.is_none() && !unit.beside.is_busy()
        };
        if self.phase == Phase::Closing && self.units.values().all(is_quiet) {
            self.phase = Phase::Closed;
            let trace = self.turn.trace;
            self.turn.settled.push(Effect { trace, unit: None, action: Action::AllAtRest });
        }
    }

    fn consider_all(&mut self, now: Moment) {
        while let Some(name) = self.queue.pop_front().or_else(|| self.gate.call(now)) {
            self.consider(now, &name);
        }
    }

    /// Looks whether something has become possible for a unit.
    fn consider(&mut self, now: Moment, name: &UnitName) {
        self.forget_if_over(name);
        if let Some(why) = self.unbound(name) {
            return self.apply(now, name, Event::Stop(Then::Wait, why));
        }
        let Some(unit) = self.units.get(name) else { return };
        match unit.state {
            State::Stopped | State::Waiting if unit.is_wanted() => self.revive(now, name),
            State::Leaving { .. } if self.is_free(name) => self.apply(now, name, Event::Free),
            State::Stopped
            | State::Waiting
            | State::Preparing
            | State::Starting
            | State::Settling { .. }
            | State::Running
            | State::Paused
            | State::Leaving { .. }
            | State::Parting { .. }
            | State::Stopping { .. }
            | State::Backoff { .. }
            | State::Failed
            | State::Completed => {}
        }
    }

    /// Returns whether the unit may go: nobody that requires it is up, and nobody that comes after it
    /// is on its own way down; or something else of its service stays up. The last ones are looked at
    /// first, because they mostly go last.
    fn is_free(&self, name: &UnitName) -> bool {
        let service = &name.service;
        if self.phase != Phase::Closing && self.stays_up(service) {
            return true;
        }
        let mut requirers =
            self.graph.requirers(service).rev().flat_map(|it| units_of(&self.units, it));
        let mut followers =
            self.graph.followers(service).rev().flat_map(|it| units_of(&self.units, it));
        requirers.all(|unit| !unit.state.is_active()) && !followers.any(is_going)
    }

    /// Starts a unit, or says what is in its way.
    fn revive(&mut self, now: Moment, name: &UnitName) {
        if self.phase != Phase::Open {
            return;
        }
        self.pull_required(name);
        let in_the_way = self.obstacle(name);
        if in_the_way.is_some() {
            self.gate.leave_line(name);
        }
        let Some(obstacle) = in_the_way.or_else(|| self.turn_of(now, name)) else {
            return self.apply(now, name, Event::Start);
        };
        // What waits for a waiting unit goes by why it waits.
        let is_news = self
            .units
            .get(name)
            .is_some_and(|unit| unit.state == State::Waiting && unit.why != obstacle.why);
        self.apply(now, name, Event::Blocked(obstacle));
        if is_news {
            self.wake_related(name);
        }
    }

    /// Returns a unit of this name, whose runs are numbered on from those of former lives.
    fn unit_named(&mut self, now: Moment, name: &UnitName) -> &mut Unit {
        let numbers = &mut self.numbers;
        self.units.entry(name.clone()).or_insert_with(|| {
            let Numbers { highest, beside, scheduled } = numbers.remove(name).unwrap_or_default();
            let mut unit = Unit::new(name.clone(), highest, now);
            (unit.beside, unit.scheduled) = (beside, scheduled);
            unit
        })
    }

    fn effect(&mut self, unit: Option<&UnitName>, action: Action) {
        let (trace, unit) = (self.turn.trace, unit.cloned());
        self.turn.effects.push(Effect { trace, unit, action });
    }
}

/// Returns whether a unit is on its way down.
const fn is_going(unit: &Unit) -> bool {
    unit.state.then().is_some()
}

/// Returns the units of a service.
fn units_of<'a>(
    units: &'a BTreeMap<UnitName, Unit>,
    service: &ServiceName,
) -> impl Iterator<Item = &'a Unit> {
    let first = UnitName { service: service.clone(), copy: 0 };
    let last = UnitName { service: service.clone(), copy: u32::MAX };
    units.range(first..=last).map(|(_, unit)| unit)
}
