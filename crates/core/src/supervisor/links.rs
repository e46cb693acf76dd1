//! What binds units beyond an order: whose end ends others, whose stop and restart reach others, and
//! the network.

use super::{Phase, Supervisor, is_going, units_of};
use crate::{
    name::{ServiceName, UnitName},
    service::Service,
    supervisor::Obstacle,
    time::Moment,
    unit::{Event, State, Then, Unit},
};

/// Whether the machine is on a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Network {
    Up,
    Down,
}

impl Supervisor {
    /// Notes whether the machine is on a network. Who runs is left alone, who waits looks again.
    pub(super) fn network_changed(&mut self, network: Network) {
        self.network = network;
        let is_concerned = |unit: &&Unit| {
            let service = self.services.get(&unit.name.service);
            service.is_some_and(|service| service.bonds.network)
        };
        let units = self.units.values().filter(is_concerned);
        self.queue.extend(units.map(|unit| unit.name.clone()));
    }

    /// Returns that a service lacks the network which it requires.
    pub(super) fn no_network(&self, service: &Service) -> Option<Obstacle> {
        let lacks = service.bonds.network && self.network == Network::Down;
        lacks.then(|| Obstacle {
            of: None,
            why: "it requires `@network`: there is no address with a route".to_owned(),
            in_vain: Some("`@network`, which has no address with a route".to_owned()),
        })
    }

    /// Returns the units that are up and bound to a service.
    pub(super) fn bound_to(&self, service: &ServiceName) -> impl Iterator<Item = &Unit> {
        let bound = self.graph.bound(service).flat_map(|other| units_of(&self.units, other));
        bound.filter(|unit| unit.state.is_active())
    }

    /// Returns why a unit that is up has to go: nothing of what it is bound to is ready any more.
    pub(super) fn unbound(&self, name: &UnitName) -> Option<String> {
        let is_up = |unit: &&Unit| unit.state.is_active() && !is_going(unit);
        self.units.get(name).filter(is_up)?;
        let service = self.services.get(&name.service)?;
        let is_lost = |other: &&ServiceName| !self.has_arrived(other);
        let lost = service.bonds.binds_to.iter().find(is_lost)?;
        let is_all_going = self.phase == Phase::Closing;
        let unit = units_of(&self.units, lost).next().filter(|_| !is_all_going)?;
        Some(format!("it is bound to `{}`, which {}", unit.name, unit.state.phrase()))
    }

    /// Returns whether anything of a service has come as far as it is meant to, be it found unready
    /// since: a check that is bad ends nobody else.
    fn has_arrived(&self, service: &ServiceName) -> bool {
        let is_there = |unit: &Unit| {
            let is_up = matches!(unit.state, State::Running | State::Paused);
            let runs = is_up && !self.is_task(unit);
            runs || unit.state == State::Completed
        };
        units_of(&self.units, service).any(is_there)
    }

    /// Stops what is part of a service of which nothing stays up; only an operator, or a start of
    /// what requires or wants it, brings it back.
    pub(super) fn stop_parts(&mut self, now: Moment, service: &ServiceName, how: &str) {
        for part in self.wanted_parts(service) {
            let why = format!("it is part of `{service}`, which {how}");
            self.hold(&part, &why);
            self.apply(now, &part, Event::Stop(Then::Rest, why));
        }
    }

    /// Restarts what is part of a service that restarts as a whole; what is down stays down.
    pub(super) fn restart_parts(&mut self, now: Moment, service: &ServiceName) {
        let why = format!("it is part of `{service}`, which an operator restarts");
        for part in self.wanted_parts(service) {
            if self.units.get(&part).is_some_and(|unit| unit.state.is_active()) {
                self.apply(now, &part, Event::Stop(Then::Start, why.clone()));
            }
        }
    }

    fn wanted_parts(&self, service: &ServiceName) -> Vec<UnitName> {
        if self.stays_up(service) {
            return Vec::new();
        }
        let parts = self.graph.parts(service).into_iter();
        let units = parts.flat_map(|part| units_of(&self.units, part));
        units.filter(|unit| unit.is_wanted()).map(|unit| unit.name.clone()).collect()
    }

    /// Returns the services whose holds an explicit start lifts: what it requires, and what it wants
    /// and is a part of it, so that a stop of the whole can be undone.
    pub(super) fn comes_along(&self, service: &ServiceName) -> Vec<ServiceName> {
        let Some(found) = self.services.get(service) else { return Vec::new() };
        let parts = self.graph.parts(service);
        let wanted = found.wants.iter().filter(|other| parts.contains(other));
        found.required().chain(wanted).cloned().collect()
    }
}
