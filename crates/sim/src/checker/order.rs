//! Who may start and who may run on: what a unit requires has to be ready.

use mainstay_core::{
    AdoptedPhase, Exit, Input, Moment, Service, ServiceName, Supervisor, UnitName,
    policy::{self, Follow},
    service::Nature,
};

use super::{
    Checker,
    pauses::{GateRule, begun},
    states,
};
use crate::wire::Key;

/// What a core was told of a unit last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// It runs, as this run.
    Up(u64),
    Down(Option<Exit>),
}

impl Checker {
    /// A new core knows nothing yet.
    pub(crate) fn new_agent(&mut self) {
        self.told.clear();
        self.known_leaving.clear();
        self.readiness.new_agent();
        self.nothing_seen();
        self.gate = GateRule::default();
    }

    /// Notes what a core is told.
    pub(crate) fn told(&mut self, input: &Input, now: Moment) {
        if let Input::Adopt { runs, wishes, hooks } = input {
            self.asked_again(runs, wishes, now);
            self.gate.begun.extend(begun(runs, hooks));
        }
        if let Input::Exited { unit, .. } | Input::NotStarted { unit, .. } = input {
            self.gate.inside.remove(unit);
        }
        match input {
            Input::Started { unit, run, .. } => self.note_told(unit, Told::Up(*run)),
            Input::NotStarted { unit, .. } => self.note_told(unit, Told::Down(None)),
            Input::Exited { unit, exit, .. } => self.note_told(unit, Told::Down(Some(*exit))),
            Input::Noticed { unit, run, notice } => self.hears(unit, *run, *notice),
            Input::HookEnded { unit, hook, .. } => self.hears_of_hook(unit, *hook),
            Input::Adopt { runs, hooks, .. } | Input::Reconcile { runs, hooks } => {
                let live = hooks.iter().filter(|it| it.phase != AdoptedPhase::Remembered);
                live.for_each(|it| self.awaits_hook(&it.unit, it.hook, it.number));
                if matches!(input, Input::Reconcile { .. }) {
                    self.told.values_mut().for_each(|told| *told = Told::Down(None));
                }
                for run in runs {
                    match run.phase {
                        AdoptedPhase::Running { .. } => {
                            self.note_told(&run.unit, Told::Up(run.run));
                        }
                        AdoptedPhase::Ended { exit, .. } => {
                            self.note_told(&run.unit, Told::Down(Some(exit)));
                        }
                        AdoptedPhase::Starting | AdoptedPhase::Remembered => {}
                    }
                }
            }
            Input::Configure { .. }
            | Input::Open
            | Input::Gate { .. }
            | Input::NotPaused { .. }
            | Input::Command { .. }
            | Input::Cleared { .. }
            | Input::ExitAmended { .. }
            | Input::Probed { .. }
            | Input::Rotated { .. }
            | Input::Woke
            | Input::Network { .. }
            | Input::Crowded { .. }
            | Input::Deadline
            | Input::Passed { .. }
            | Input::ShutDown => {}
        }
    }

    fn note_told(&mut self, unit: &UnitName, told: Told) {
        self.told.insert(unit.clone(), told);
    }

    /// Returns whether a core knows that a run runs.
    pub(super) fn is_told_up(&self, (unit, run): &Key) -> bool {
        self.told.get(unit) == Some(&Told::Up(*run))
    }

    /// A core decided to start a unit: what it requires must be there.
    pub(crate) fn decided(&mut self, unit: &UnitName, services: &[Service], now: Moment) {
        let service = services.iter().find(|service| service.name == unit.service);
        let Some(service) = service else { return };
        let missing = service.required().find(|needed| !self.is_ready(needed, services, now));
        if let Some(needed) = missing {
            let details = format!("{unit} was started without {needed}: {:?}", self.told);
            self.broken("nothing starts before what it requires is ready", details);
        }
    }

    /// Returns whether anything of a service runs and is ready, or has done its work.
    fn is_ready(&mut self, needed: &ServiceName, services: &[Service], now: Moment) -> bool {
        let Some(service) = services.iter().find(|service| service.name == *needed) else {
            return false;
        };
        let is_of = |(unit, _): &(&UnitName, &Told)| unit.service == *needed;
        let units = self.told.iter().filter(is_of).map(|(unit, told)| (unit.clone(), *told));
        units.collect::<Vec<_>>().into_iter().any(|(unit, told)| match told {
            Told::Up(run) => {
                service.nature == Nature::Daemon && self.is_run_ready(&(unit, run), now)
            }
            Told::Down(Some(exit)) => policy::follow(service, exit) == Follow::Complete,
            Told::Down(None) => false,
        })
    }

    /// Nobody runs on without what it is bound to.
    pub(super) fn bonds_at_rest(&mut self, core: &Supervisor, service: &Service) {
        let is_there = |name: &&ServiceName| {
            states(core, name)
                .iter()
                .any(|state| matches!(*state, "running" | "paused" | "completed"))
        };
        let lost = service.bonds.binds_to.iter().find(|name| !is_there(name));
        if let Some(lost) = lost.filter(|_| states(core, &service.name).contains(&"running")) {
            let details = format!("{} runs without {lost}", service.name);
            self.broken("who is bound to something does not run without it", details);
        }
    }
}
