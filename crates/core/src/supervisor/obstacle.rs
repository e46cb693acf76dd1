//! What is in a unit's way.

use super::{Supervisor, units_of};
use crate::{
    name::{ServiceName, UnitName},
    service::{Nature, Service, StartType},
    unit::{State, Unit, Wanted},
};

/// What is in a unit's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Obstacle {
    /// The service that it is about, if it is about one.
    pub(crate) of: Option<ServiceName>,
    /// In words for people.
    pub(crate) why: String,
    /// Who is at the bottom of it, and how, when it does not come of itself: it has failed, rests,
    /// is between two attempts, or is in conflict with something that runs.
    pub(crate) in_vain: Option<String>,
}

impl Supervisor {
    /// Returns what is in the unit's way; nothing when it may start.
    pub(super) fn obstacle(&self, name: &UnitName) -> Option<Obstacle> {
        let unit = self.units.get(name)?;
        if let Some(run) = unit.strays_of {
            let why = format!("what run {run} left behind is being ended");
            return Some(Obstacle { of: None, why, in_vain: None });
        }
        if let Some(hook) = unit.beside.in_the_way() {
            let why = format!("its hook `{hook}` is still running");
            return Some(Obstacle { of: None, why, in_vain: None });
        }
        let service = self.service(&name.service)?;
        self.no_network(service)
            .or_else(|| self.requirement(service))
            .or_else(|| self.unsettled(service))
            .or_else(|| self.conflict(service))
    }

    /// Returns what a service requires and lacks, first of all what does not come of itself.
    ///
    /// Else the last that is named: those before it wake nobody when they are ready, which they
    /// mostly are in this order.
    fn requirement(&self, service: &Service) -> Option<Obstacle> {
        let mut last = None;
        for lack in service.required().filter_map(|other| self.lacks(other)) {
            if lack.is_final() {
                return Some(lack.obstacle());
            }
            last = Some(lack);
        }
        last.map(|lack| lack.obstacle())
    }

    fn lacks<'a>(&'a self, needed: &'a ServiceName) -> Option<Lack<'a>> {
        if self.is_ready(needed) {
            return None;
        }
        let missing = || units_of(&self.units, needed).filter(|unit| !self.is_unit_ready(unit));
        let is_late = |unit: &&Unit| unit.is_wanted() && is_given_up(unit);
        let unit = missing()
            .find(is_late)
            .or_else(|| missing().find(|unit| unit.is_wanted()))
            .or_else(|| missing().next());
        Some(Lack { needed, unit, is_unready: unit.is_some_and(|unit| self.is_unready(unit)) })
    }

    /// Returns whether all units of the service that should be up are ready, and one at least is.
    fn is_ready(&self, service: &ServiceName) -> bool {
        let mut units = units_of(&self.units, service);
        let mut any = units_of(&self.units, service);
        any.any(|unit| self.is_unit_ready(unit))
            && units.all(|unit| self.is_unit_ready(unit) || !unit.is_wanted())
    }

    /// A program is ready when it runs, a task when it has done its work.
    pub(super) fn is_unit_ready(&self, unit: &Unit) -> bool {
        match unit.state {
            State::Running => !self.is_task(unit) && !self.is_unready(unit),
            State::Completed => true,
            State::Stopped
            | State::Waiting
            | State::Preparing
            | State::Starting
            | State::Settling { .. }
            | State::Paused
            | State::Leaving { .. }
            | State::Parting { .. }
            | State::Stopping { .. }
            | State::Backoff { .. }
            | State::Failed => false,
        }
    }

    /// Returns whether a check says that nobody should rely on a unit that runs.
    fn is_unready(&self, unit: &Unit) -> bool {
        self.service(&unit.name.service).is_some_and(|service| unit.is_unready(service))
    }

    pub(super) fn is_task(&self, unit: &Unit) -> bool {
        self.service(&unit.name.service).is_some_and(|service| service.nature == Nature::Task)
    }

    /// Returns whether a unit that should be up is about to be ready, or to fail to be.
    pub(super) fn is_coming(&self, unit: &Unit) -> bool {
        match unit.state {
            State::Preparing | State::Starting | State::Stopped => true,
            State::Settling { until } => until.is_some(),
            State::Waiting => unit.in_vain.is_none(),
            State::Running => self.is_task(unit),
            State::Paused
            | State::Leaving { .. }
            | State::Parting { .. }
            | State::Stopping { .. }
            | State::Backoff { .. }
            | State::Failed
            | State::Completed => false,
        }
    }

    /// What is only ordered behind waits for a decision, not for a success.
    fn unsettled(&self, service: &Service) -> Option<Obstacle> {
        let mut others = service.wants.iter().chain(&service.after).rev();
        let unit = others.find_map(|other| {
            units_of(&self.units, other).find(|unit| unit.is_wanted() && self.is_coming(unit))
        })?;
        let why = format!("it comes after `{}`, which {}", unit.name, unit.state.phrase());
        Some(Obstacle { of: Some(unit.name.service.clone()), why, in_vain: None })
    }

    fn conflict(&self, service: &Service) -> Option<Obstacle> {
        self.opponents(service).find_map(|other| {
            let unit = units_of(&self.units, other).find(|unit| unit.state.is_active())?;
            let opponent = format!("`{}`, which {}", unit.name, unit.state.phrase());
            let why = format!("it conflicts with {opponent}");
            let of = Some(unit.name.service.clone());
            let stays = unit.state.then().is_none();
            Some(Obstacle { of, why, in_vain: stays.then_some(opponent) })
        })
    }

    /// Returns the services that must not run at the same time, whichever side says so.
    pub(super) fn opponents<'a>(
        &'a self,
        service: &'a Service,
    ) -> impl Iterator<Item = &'a ServiceName> {
        let named_by_others = self.graph.waiters(&service.name).filter(|other| {
            self.services.get(other).is_some_and(|other| other.conflicts.contains(&service.name))
        });
        service.conflicts.iter().chain(named_by_others)
    }

    /// Makes what a unit requires or wants come up as well, unless an operator stopped it.
    pub(super) fn pull_required(&mut self, name: &UnitName) {
        let Some(service) = self.services.get(&name.service) else { return };
        for needed in service.required().chain(&service.wants) {
            let may = self.services.get(needed).is_some_and(|s| s.start != StartType::Disabled);
            if !may {
                continue;
            }
            for unit in units_mut(&mut self.units, needed) {
                if unit.wanted == Wanted::Down && unit.state == State::Stopped {
                    unit.wanted = Wanted::Up;
                    self.queue.push_back(unit.name.clone());
                }
            }
        }
    }
}

/// A service that is required and not ready.
struct Lack<'a> {
    needed: &'a ServiceName,
    /// The unit of it that says most; nothing when it is not configured.
    unit: Option<&'a Unit>,
    /// It runs, and a check has found since that it is not ready.
    is_unready: bool,
}

impl Lack<'_> {
    /// Returns whether it does not come of itself.
    fn is_final(&self) -> bool {
        self.unit.is_none_or(is_given_up)
    }

    /// Says what is lacking, and who is at the bottom of it.
    fn obstacle(&self) -> Obstacle {
        let of = Some(self.needed.clone());
        let Some(unit) = self.unit else {
            let missing = format!("`{}`, which is not configured", self.needed);
            return Obstacle { of, why: format!("it requires {missing}"), in_vain: Some(missing) };
        };
        let required = format!("it requires `{}`, which", unit.name);
        if let (State::Waiting, Some(bottom)) = (unit.state, &unit.in_vain) {
            let why = format!("{required} waits for {bottom}");
            return Obstacle { of, why, in_vain: Some(bottom.clone()) };
        }
        let is_unready = self.is_unready && unit.state == State::Running;
        let phrase = if is_unready { "runs and is not ready" } else { unit.state.phrase() };
        let bottom = format!("`{}`, which {phrase}", unit.name);
        let in_vain = is_given_up(unit).then_some(bottom);
        Obstacle { of, why: format!("{required} {phrase}"), in_vain }
    }
}

/// Returns whether a unit does not come up of itself, or not before another attempt.
fn is_given_up(unit: &Unit) -> bool {
    let has_failed = match unit.state {
        State::Backoff { .. } | State::Failed | State::Paused => true,
        State::Waiting => unit.in_vain.is_some(),
        State::Stopped
        | State::Preparing
        | State::Starting
        | State::Settling { .. }
        | State::Running
        | State::Leaving { .. }
        | State::Parting { .. }
        | State::Stopping { .. }
        | State::Completed => false,
    };
    has_failed || !unit.is_wanted()
}

fn units_mut<'a>(
    units: &'a mut std::collections::BTreeMap<UnitName, Unit>,
    service: &ServiceName,
) -> impl Iterator<Item = &'a mut Unit> {
    let first = UnitName { service: service.clone(), copy: 0 };
    let last = UnitName { service: service.clone(), copy: u32::MAX };
    units.range_mut(first..=last).map(|(_, unit)| unit)
}
