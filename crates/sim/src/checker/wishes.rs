//! What was wished for is done, and stays done.

use mainstay_core::{
    Moment, Service, ServiceName, Supervisor, UnitName, Wish,
    check::CheckAction,
    policy::{self, Follow},
    service::{Nature, StartType},
};

use super::{Checker, states};
use crate::{disk::Disk, wire::Key};

impl Checker {
    /// A core decided to start a run.
    pub(crate) fn ordered(&mut self, key: &Key, now: Moment, wish: Option<&Wish>) {
        self.ordered.insert(key.clone(), now);
        self.plan_readiness(key);
        if wish.is_some_and(|wish| !wish.up) {
            let details = format!("{} run {} is started", key.0, key.1);
            self.broken("what an operator stopped comes back for nobody else", details);
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

    pub(super) fn wish_at_rest(
        &mut self,
        core: &Supervisor,
        disk: &Disk,
        service: &Service,
        unit: &UnitName,
    ) {
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
        let is_up =
            || matches!(state, "running" | "paused") || self.is_excused(core, service, unit, state);
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
                self.otherwise.contains(&service.name)
                    || service.care.checks.iter().any(|check| check.action == CheckAction::Stop)
                    || service.care.watchdog.is_some_and(|it| it.action == CheckAction::Stop)
                    || service.restart.limit > 0
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
        service.required().any(lacks)
            || self.services.values().any(|other| opposes(other) && opposed(core, other))
    }
}

/// Returns whether anything of a service runs, be it paused.
fn opposed(core: &Supervisor, other: &Service) -> bool {
    states(core, &other.name).iter().any(|state| matches!(*state, "running" | "paused"))
}

/// Work that was done before it was stopped stays done.
fn is_down(state: &str) -> bool {
    matches!(state, "stopped" | "completed")
}
