//! What must hold in every life, watched from outside: nothing here asks the core for the truth.

mod asks;
mod exits;
mod health;
mod hooks;
mod leaving;
mod limits;
mod order;
mod pauses;
mod readiness;
mod reload;
mod wishes;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use exits::{Count, told_on};
use hooks::Hooks;
use limits::SLACK;
use mainstay_core::{Exit, Moment, Service, ServiceName, Supervisor, UnitName, UnitView};
use mainstay_lives::Violation;
use order::Told;
use pauses::{GateRule, Pauses};
use readiness::Readiness;
use reload::Reloads;

use crate::{
    beside,
    disk::Disk,
    machine::{Machine, Process},
    wire::Key,
};

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
    /// When somebody last wanted anything that reaches a service.
    asked: BTreeMap<ServiceName, Moment>,
    /// Services that were ever looked after otherwise than at first.
    otherwise: BTreeSet<ServiceName>,
    /// When runs said that they leave by themselves.
    leaving: BTreeMap<Key, Moment>,
    /// Those of which the agent of this life was told so.
    known_leaving: BTreeSet<Key>,
    /// When units were reset last.
    pardoned: BTreeMap<UnitName, Moment>,
    /// When somebody last died, or learned what there is.
    disturbed: Moment,
    /// Services as they were configured last; the limits among them never change.
    services: BTreeMap<ServiceName, Service>,
    /// What those are that are configured.
    hashes: BTreeMap<ServiceName, u64>,
    hooks: Hooks,
    readiness: Readiness,
    reloads: Reloads,
    pauses: Pauses,
    gate: GateRule,
}

impl Checker {
    /// These services there are.
    pub(crate) fn know(&mut self, disk: &Disk) {
        let services = disk.services.iter().map(|service| (service.name.clone(), service.clone()));
        self.services = services.collect();
        let hashes = disk.services.iter().map(|it| (it.name.clone(), it.spec_hash));
        self.hashes = hashes.collect();
        self.hooks_configured(disk, Moment::default());
    }

    /// Another configuration is on the disk.
    pub(crate) fn configured(&mut self, disk: &Disk, now: Moment) {
        let hashes = disk.services.iter().map(|it| (it.name.clone(), it.spec_hash));
        let hashes: BTreeMap<ServiceName, u64> = hashes.collect();
        let former = std::mem::replace(&mut self.hashes, hashes);
        // What is gone may be kept for a while, and be removed with any other change.
        let is_changed = |name: &&ServiceName| {
            let hash = self.hashes.get(*name);
            hash.is_none() || hash != former.get(*name)
        };
        let changed = self.services.keys().filter(is_changed).cloned().collect();
        for fresh in &disk.services {
            let former = self.services.insert(fresh.name.clone(), fresh.clone());
            if let Some(former) = former.filter(|former| former.care != fresh.care) {
                self.readiness.configured(&former, fresh, now);
            }
        }
        self.reconfigured(changed, now);
        self.hooks_configured(disk, now);
        self.disturbed(now);
    }

    /// A service is looked after otherwise.
    pub(crate) fn looked_at_otherwise(&mut self, name: &ServiceName) {
        self.otherwise.insert(name.clone());
    }

    /// Somebody died, or has to learn what is there.
    pub(crate) const fn disturbed(&mut self, now: Moment) {
        self.disturbed = now;
    }

    /// Notes the first broken rule.
    pub(crate) fn broken(&mut self, rule: &'static str, details: String) {
        if self.violation.is_none() {
            self.violation = Some(Violation { rule, details });
        }
    }

    /// A process was started for a run.
    pub(crate) fn process_started(&mut self, machine: &Machine, key: &Key, now: Moment) {
        if let Some(service) = self.services.get(&key.0.service) {
            self.readiness.begin(key, &service.care, now);
        }
        // Numbers are given again after a reboot, and to services of the same name.
        self.pauses.forget(key);
        self.leaving.remove(key);
        self.known_leaving.remove(key);
        self.counts.entry(key.clone()).or_default().started += 1;
        self.hook_begins(key);
        self.hooks_before(machine, key);
        let others: Vec<&Process> = machine.of_unit(&key.0).collect();
        if others.len() > 1 {
            let details = format!("{} has {} processes: {others:?}", key.0, others.len());
            self.broken("at most one live run per unit", details);
        }
        let is_program = !beside::is_hook(key);
        if let Some(former) = machine.strays_of(&key.0).next().filter(|_| is_program) {
            let details = format!("{} run {} began beside what {former:?} left", key.0, key.1);
            self.broken("nothing of a former run is left when the next begins", details);
        }
    }

    /// A process ended.
    pub(crate) fn process_ended(&mut self, process: &Process, exit: Exit, now: Moment) {
        self.hook_over(&process.key, exit);
        self.hooks_of_ready(process, now);
        let lived = now.since(process.since);
        let unit = &process.key.0;
        let was_asked = process.is_doomed && !self.is_leaving(&process.key);
        let end = LastEnd { exit, was_asked };
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
        self.hooks_rebooted(&told);
        self.reloads = Reloads::default();
        self.pauses = Pauses::default();
    }

    /// Everything has come to rest: the world must be as it was wished for.
    pub(crate) fn at_rest(&mut self, core: &Supervisor, machine: &Machine, disk: &Disk) {
        for view in core.units() {
            self.unit_at_rest(core, machine, view.name());
        }
        self.pauses_at_rest(core, machine);
        for process in machine.all() {
            self.leaving_at_rest(process);
            if beside::is_hook(&process.key) {
                self.broken("a hook that hangs is ended", format!("{process:?}"));
            } else if self.is_watched(disk, process) {
                self.broken("a program that does not work is ended", format!("{process:?}"));
            } else if core.unit(&process.key.0).is_none() {
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
        for service in &disk.services {
            self.bonds_at_rest(core, service);
        }
        self.exits_at_rest(machine, disk);
        self.hooks_at_rest(machine);
        self.reloads_at_rest();
    }

    fn unit_at_rest(&mut self, core: &Supervisor, machine: &Machine, name: &UnitName) {
        let Some(view) = core.unit(name) else { return };
        let pids: Vec<u32> = machine.of_unit(name).map(|process| process.who.pid).collect();
        let fits = match view.state() {
            "running" | "paused" => {
                let is_frozen = |process: &Process| process.is_frozen;
                view.pid().is_some_and(|pid| pids == [pid])
                    && machine.of_unit(name).all(is_frozen) == (view.state() == "paused")
            }
            "stopped" | "failed" | "completed" | "waiting" => pids.is_empty(),
            _ => false,
        };
        if !fits {
            let details =
                format!("{name} is {} ({}) with processes {pids:?}", view.state(), view.why());
            self.broken("after a storm, what is observed converges to what is known", details);
        }
    }
}

/// Returns the states of a service's units.
fn states(core: &Supervisor, name: &ServiceName) -> Vec<&'static str> {
    let units = core.units().filter(|view| view.name().service == *name);
    units.map(UnitView::state).collect()
}
