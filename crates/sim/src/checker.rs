//! What must hold in every life, watched from outside: nothing here asks the core for the truth.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use mainstay_core::{
    AdoptedPhase, Exit, Input, Moment, Next, Service, ServiceName, Supervisor, UnitName, UnitView,
    Wish,
    policy::{self, Follow},
    service::{Delays, Nature, StartType},
};

use crate::{
    disk::{Disk, Event},
    machine::{Machine, Process},
    wire::Key,
};

/// Starts may arrive so much later than they were decided.
const SLACK: Duration = Duration::from_secs(10);

/// A rule that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// What should have held.
    pub rule: &'static str,
    /// What was seen instead.
    pub details: String,
}

/// What a core was told of a unit last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Up,
    Down(Option<Exit>),
}

/// How often something was seen of the runs of one name and number; names can live twice.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    started: u64,
    /// Ends that nobody could note before the machine went down.
    excused: u64,
}

/// How the last run of a unit ended.
#[derive(Debug, Clone, Copy)]
struct LastEnd {
    exit: Exit,
    was_asked: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Checker {
    pub(crate) violation: Option<Violation>,
    counts: BTreeMap<Key, Count>,
    told: BTreeMap<UnitName, Told>,
    promised: BTreeMap<UnitName, bool>,
    unsure: BTreeSet<UnitName>,
    starts: BTreeMap<UnitName, VecDeque<Moment>>,
    /// Starts that were decided before do not count.
    fresh_since: BTreeMap<UnitName, Moment>,
    ends: BTreeMap<UnitName, LastEnd>,
    /// When runs were ordered.
    ordered: BTreeMap<Key, Moment>,
    /// When somebody last wanted anything.
    asked: Moment,
    /// Services as they are configured; the limits among them never change.
    services: BTreeMap<ServiceName, Service>,
}

impl Checker {
    pub(crate) fn know(&mut self, services: &[Service]) {
        let services = services.iter().map(|service| (service.name.clone(), service.clone()));
        self.services = services.collect();
    }

    /// Notes the first broken rule.
    pub(crate) fn broken(&mut self, rule: &'static str, details: String) {
        if self.violation.is_none() {
            self.violation = Some(Violation { rule, details });
        }
    }

    /// A process was started for a run.
    pub(crate) fn process_started(&mut self, machine: &Machine, key: &Key) {
        self.counts.entry(key.clone()).or_default().started += 1;
        let others: Vec<&Process> = machine.of_unit(&key.0).collect();
        if others.len() > 1 {
            let details = format!("{} has {} processes: {others:?}", key.0, others.len());
            self.broken("at most one live run per unit", details);
        }
        if let Some(former) = machine.strays_of(&key.0).next() {
            let details = format!("{} run {} began beside what {former:?} left", key.0, key.1);
            self.broken("nothing of a former run is left when the next begins", details);
        }
    }

    /// Somebody wants something: any run that was ordered before may have to stop for it.
    pub(crate) const fn asked(&mut self, now: Moment) {
        self.asked = now;
    }

    /// A core decided to start a run.
    pub(crate) fn ordered(&mut self, key: &Key, now: Moment, wish: Option<&Wish>) {
        self.ordered.insert(key.clone(), now);
        if wish.is_some_and(|wish| !wish.up) {
            let details = format!("{} run {} is started", key.0, key.1);
            self.broken("what an operator stopped comes back for nobody else", details);
        }
    }

    /// A core decided to end a run. What a service requires may have been left by others, so only
    /// those are looked at that require nothing.
    pub(crate) fn signalled(&mut self, key: &Key) {
        let (unit, run) = key;
        let needs_nothing =
            self.services.get(&unit.service).is_some_and(|service| service.requires.is_empty());
        if needs_nothing && self.ordered.get(key).is_some_and(|ordered| *ordered > self.asked) {
            let details = format!("{unit} run {run} is told to end");
            self.broken("nobody signals a run that nobody asked to stop", details);
        }
    }

    /// A keeper took an order to start a unit.
    pub(crate) fn note_start(&mut self, unit: &UnitName, now: Moment) {
        if self.fresh_since.get(unit).is_some_and(|since| now <= *since) {
            return;
        }
        let Some(service) = self.services.get(&unit.service) else { return };
        let limit = usize::try_from(service.restart.limit).unwrap_or_default();
        let window = service.restart.within.saturating_sub(SLACK);
        let starts = self.starts.entry(unit.clone()).or_default();
        starts.push_back(now);
        while starts.front().is_some_and(|start| now.since(*start) > window) {
            starts.pop_front();
        }
        if limit > 0 && starts.len() > limit {
            let details = format!("{unit} was started {} times, {limit} are allowed", starts.len());
            self.broken("a start limit is kept", details);
        }
    }

    /// The starts of a unit count anew: it was reset, or the machine was.
    pub(crate) fn forget_starts(&mut self, unit: &UnitName, now: Moment) {
        self.starts.remove(unit);
        self.fresh_since.insert(unit.clone(), now);
    }

    /// A process ended.
    pub(crate) fn process_ended(&mut self, process: &Process, exit: Exit, now: Moment) {
        let lived = now.since(process.since);
        let unit = &process.key.0;
        let end = LastEnd { exit, was_asked: process.is_doomed };
        self.ends.insert(unit.clone(), end);
        let reset_after = self.services.get(&unit.service).map(|s| s.restart.reset_after);
        if reset_after.is_some_and(|reset_after| lived + SLACK >= reset_after) {
            self.forget_starts(unit, now);
        }
    }

    /// The machine goes down: what lives ends unseen, and so does what was noted nowhere.
    pub(crate) fn rebooted(&mut self, disk: &Disk) {
        let told = told_on(disk);
        for (key, count) in &mut self.counts {
            count.excused = count.started - told.get(key).copied().unwrap_or(0).min(count.started);
        }
        self.starts.clear();
        self.ends.clear();
    }

    /// A program that began and ended between two keepers without a trace was never there, as far
    /// as anybody can know.
    pub(crate) fn unnoticed(&mut self, key: &Key) {
        if let Some(count) = self.counts.get_mut(key) {
            count.excused = count.started;
        }
    }

    /// A new core knows nothing yet.
    pub(crate) fn new_agent(&mut self) {
        self.told.clear();
    }

    /// Notes what a core is told.
    pub(crate) fn told(&mut self, input: &Input) {
        match input {
            Input::Started { unit, .. } => self.note_told(unit, Told::Up),
            Input::NotStarted { unit, .. } => self.note_told(unit, Told::Down(None)),
            Input::Exited { unit, exit, .. } => self.note_told(unit, Told::Down(Some(*exit))),
            Input::Adopt { runs, .. } | Input::Reconcile { runs } => {
                if matches!(input, Input::Reconcile { .. }) {
                    self.told.values_mut().for_each(|told| *told = Told::Down(None));
                }
                for run in runs {
                    match run.phase {
                        AdoptedPhase::Running { .. } => self.note_told(&run.unit, Told::Up),
                        AdoptedPhase::Ended { exit, .. } => {
                            self.note_told(&run.unit, Told::Down(Some(exit)));
                        }
                        AdoptedPhase::Starting | AdoptedPhase::Remembered => {}
                    }
                }
            }
            Input::Configure { .. }
            | Input::Open
            | Input::Command { .. }
            | Input::Cleared { .. }
            | Input::ExitAmended { .. }
            | Input::Deadline
            | Input::ShutDown => {}
        }
    }

    fn note_told(&mut self, unit: &UnitName, told: Told) {
        self.told.insert(unit.clone(), told);
    }

    /// A core decided to start a unit: what it requires must be there.
    pub(crate) fn decided(&mut self, unit: &UnitName, services: &[Service]) {
        let service = services.iter().find(|service| service.name == unit.service);
        let Some(service) = service else { return };
        let missing = service.requires.iter().find(|needed| !self.is_ready(needed, services));
        if let Some(needed) = missing {
            let details = format!("{unit} was started without {needed}: {:?}", self.told);
            self.broken("nothing starts before what it requires is ready", details);
        }
    }

    fn is_ready(&self, needed: &ServiceName, services: &[Service]) -> bool {
        let service = services.iter().find(|service| service.name == *needed);
        let mut units = self.told.iter().filter(|(unit, _)| unit.service == *needed);
        units.any(|(_, told)| match told {
            Told::Up => service.is_some_and(|service| service.nature == Nature::Daemon),
            Told::Down(Some(exit)) => {
                service.is_some_and(|service| policy::follow(service, *exit) == Follow::Complete)
            }
            Told::Down(None) => false,
        })
    }

    /// A unit moved to another state.
    pub(crate) fn changed(&mut self, core: &Supervisor, unit: &UnitName, services: &[Service]) {
        let Some(view) = core.unit(unit) else { return };
        let Next::Start(at) = view.next() else { return };
        let Some(service) = services.iter().find(|service| service.name == unit.service) else {
            return;
        };
        let cap = match &service.restart.delays {
            Delays::Exponential { max, .. } => *max,
            Delays::List(list) => list.iter().max().copied().unwrap_or_default(),
        };
        let delay = at.since(view.since());
        if delay > cap {
            let details = format!("{unit} waits {delay:?}, at most {cap:?} are allowed");
            self.broken("a back-off never exceeds its cap", details);
        }
    }

    /// A client was told that a unit is meant to be up, down, or gone.
    pub(crate) fn promised(&mut self, unit: &UnitName, promise: Option<bool>) {
        self.unsure.remove(unit);
        match promise {
            Some(up) => self.promised.insert(unit.clone(), up),
            None => self.promised.remove(unit),
        };
    }

    /// Somebody died before a client was told.
    pub(crate) fn unsure(&mut self, unit: &UnitName) {
        self.promised.remove(unit);
        self.unsure.insert(unit.clone());
    }

    /// Everything has come to rest: the world must be as it was wished for.
    pub(crate) fn at_rest(&mut self, core: &Supervisor, machine: &Machine, disk: &Disk) {
        for view in core.units() {
            self.unit_at_rest(core, machine, view.name());
        }
        for process in machine.all() {
            if core.unit(&process.key.0).is_none() {
                let details = format!("{process:?} belongs to no unit");
                self.broken("every process is supervised", details);
            }
        }
        for service in &disk.services {
            for copy in 1..=service.instances {
                let unit = UnitName { service: service.name.clone(), copy };
                self.wish_at_rest(core, disk, service, &unit);
            }
        }
        self.exits_at_rest(machine, disk);
    }

    fn unit_at_rest(&mut self, core: &Supervisor, machine: &Machine, name: &UnitName) {
        let Some(view) = core.unit(name) else { return };
        let pids: Vec<u32> = machine.of_unit(name).map(|process| process.who.pid).collect();
        let fits = match view.state() {
            "running" => view.pid().is_some_and(|pid| pids == [pid]),
            "stopped" | "failed" | "completed" | "waiting" => pids.is_empty(),
            _ => false,
        };
        if !fits {
            let details =
                format!("{name} is {} ({}) with processes {pids:?}", view.state(), view.why());
            self.broken("after a storm, what is observed converges to what is known", details);
        }
    }

    fn wish_at_rest(&mut self, core: &Supervisor, disk: &Disk, service: &Service, unit: &UnitName) {
        if self.unsure.contains(unit) || service.start == StartType::Disabled {
            return;
        }
        let is_default = matches!(service.start, StartType::Auto | StartType::Delayed)
            && disk.wishes.get(unit).is_none_or(|wish| wish.up);
        if !is_default {
            return self.promise_of_rest(core, unit);
        }
        let up = self.promised.get(unit).copied().unwrap_or(true);
        let Some(view) = core.unit(unit) else { return };
        let state = view.state();
        let is_up = || state == "running" || self.is_excused(core, service, unit, state);
        let fits = if up { is_up() } else { is_down(state) };
        if !fits {
            let wish = if up { "up" } else { "down" };
            let details = format!("{unit} should be {wish} and is {state}: {}", view.why());
            self.broken("a wish that was answered is fulfilled", details);
        }
    }

    /// Who is not started by default is down unless somebody wants it, and down when it was stopped.
    fn promise_of_rest(&mut self, core: &Supervisor, unit: &UnitName) {
        let Some(view) = core.unit(unit) else { return };
        if self.promised.get(unit) == Some(&false) && !is_down(view.state()) {
            let details = format!("{unit} was stopped and is {}: {}", view.state(), view.why());
            self.broken("a stop comes to rest", details);
        }
    }

    /// Returns whether there is a reason why a unit that should be up is not.
    fn is_excused(
        &self,
        core: &Supervisor,
        service: &Service,
        unit: &UnitName,
        state: &str,
    ) -> bool {
        let end = self.ends.get(unit);
        let follow = end.filter(|end| !end.was_asked).map(|end| policy::follow(service, end.exit));
        match state {
            "completed" => service.nature == Nature::Task,
            "failed" => {
                service.restart.limit > 0
                    || end.is_some_and(|end| policy::follow(service, end.exit) == Follow::Fail)
                    || service.restart.when == mainstay_core::service::RestartWhen::Never
            }
            "stopped" => matches!(follow, Some(Follow::Rest | Follow::Exit)),
            "waiting" => self.has_obstacle(core, service),
            _ => false,
        }
    }

    /// Returns whether something that a waiting service waits for is really not there; what it is
    /// only ordered behind has been decided by now, one way or the other.
    fn has_obstacle(&self, core: &Supervisor, service: &Service) -> bool {
        let is_there = |state: &&str| matches!(*state, "running" | "completed");
        let lacks = |name: &ServiceName| {
            let states = states(core, name);
            states.is_empty() || !states.iter().all(is_there)
        };
        let opposes = |other: &Service| {
            other.conflicts.contains(&service.name) || service.conflicts.contains(&other.name)
        };
        service.requires.iter().any(lacks)
            || self
                .services
                .values()
                .any(|other| opposes(other) && states(core, &other.name).contains(&"running"))
    }

    /// Every exit is told exactly once.
    fn exits_at_rest(&mut self, machine: &Machine, disk: &Disk) {
        let told = told_on(disk);
        let keys: Vec<Key> = self.counts.keys().chain(told.keys()).cloned().collect();
        for key in keys {
            let Count { started, excused } = self.counts.get(&key).copied().unwrap_or_default();
            let alive = u64::from(machine.carrier(&key).is_some());
            let told = told.get(&key).copied().unwrap_or(0);
            if told != started - alive - excused.min(started - alive) {
                let details = format!(
                    "{} run {}: {started} started, {alive} alive, {excused} excused, {told} told",
                    key.0, key.1
                );
                self.broken("every exit is told exactly once", details);
            }
        }
    }
}

/// Work that was done before it was stopped stays done.
fn is_down(state: &str) -> bool {
    matches!(state, "stopped" | "completed")
}

fn told_on(disk: &Disk) -> BTreeMap<Key, u64> {
    let mut told = BTreeMap::new();
    for event in &disk.events {
        if let Event::Exited(key) = event {
            *told.entry(key.clone()).or_default() += 1;
        }
    }
    told
}

/// Returns the states of a service's units.
fn states(core: &Supervisor, name: &ServiceName) -> Vec<&'static str> {
    let units = core.units().filter(|view| view.name().service == *name);
    units.map(UnitView::state).collect()
}
