//! What is in a unit's way.

use super::{Supervisor, units_of};
use crate::{
    name::{ServiceName, UnitName},
    service::{Service, StartType},
    unit::{State, Unit},
};

impl Supervisor {
    /// Returns what is in the unit's way, in words for people; nothing when it may start.
    pub(super) fn obstacle(&self, name: &UnitName) -> Option<String> {
        let unit = self.units.get(name)?;
        if let Some(run) = unit.strays_of {
            return Some(format!("what run {run} left behind is being ended"));
        }
        let service = self.service(&name.service)?;
        let required = service.requires.iter().find_map(|other| self.lacks(other));
        let ordered = service.wants.iter().chain(&service.after);
        required
            .or_else(|| ordered.into_iter().find_map(|other| self.is_unsettled(other)))
            .or_else(|| self.conflict(service))
    }

    fn lacks(&self, needed: &ServiceName) -> Option<String> {
        if self.is_ready(needed) {
            return None;
        }
        let Some(unit) = units_of(&self.units, needed).find(|unit| !is_ready(unit)) else {
            return Some(format!("it requires `{needed}`, which is not configured"));
        };
        Some(format!("it requires `{}`, which is {}", unit.name, unit.state.word()))
    }

    /// Returns whether all units of the service that should be up are ready, and one at least is.
    fn is_ready(&self, service: &ServiceName) -> bool {
        let mut units = units_of(&self.units, service);
        let mut any = units_of(&self.units, service);
        any.any(is_ready) && units.all(|unit| is_ready(unit) || !unit.wanted)
    }

    /// What is only ordered behind waits for a decision, not for a success.
    fn is_unsettled(&self, other: &ServiceName) -> Option<String> {
        let mut units = units_of(&self.units, other);
        let unit = units.find(|unit| {
            let is_coming = matches!(unit.state, State::Starting | State::Waiting | State::Stopped);
            unit.wanted && is_coming
        })?;
        Some(format!("it comes after `{}`, which is {}", unit.name, unit.state.word()))
    }

    fn conflict(&self, service: &Service) -> Option<String> {
        self.opponents(service).find_map(|other| {
            let unit = units_of(&self.units, other).find(|unit| unit.state.is_active())?;
            Some(format!("it conflicts with `{}`, which is {}", unit.name, unit.state.word()))
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
        for needed in service.requires.iter().chain(&service.wants) {
            let may = self.services.get(needed).is_some_and(|s| s.start != StartType::Disabled);
            if !may {
                continue;
            }
            for unit in units_mut(&mut self.units, needed) {
                if !unit.wanted && !unit.is_held && unit.state == State::Stopped {
                    unit.wanted = true;
                    self.queue.push_back(unit.name.clone());
                }
            }
        }
    }
}

fn is_ready(unit: &Unit) -> bool {
    matches!(unit.state, State::Running | State::Completed)
}

fn units_mut<'a>(
    units: &'a mut std::collections::BTreeMap<UnitName, Unit>,
    service: &ServiceName,
) -> impl Iterator<Item = &'a mut Unit> {
    let first = UnitName { service: service.clone(), copy: 0 };
    let last = UnitName { service: service.clone(), copy: u32::MAX };
    units.range_mut(first..=last).map(|(_, unit)| unit)
}
