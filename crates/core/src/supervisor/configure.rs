//! A new configuration: who appears, who changes, who vanishes.

use std::collections::BTreeMap;

use super::{Numbers, Phase, Supervisor, units_of};
use crate::{
    effect::Action,
    graph::Graph,
    input::Prune,
    name::{ServiceName, UnitName},
    service::{Care, Service, StartType},
    time::Moment,
    unit::{Event, Place, State, Then, Unit},
};

impl Supervisor {
    pub(super) fn configure(&mut self, now: Moment, services: Vec<Service>, prune: &Prune) {
        let fresh: BTreeMap<ServiceName, Service> =
            services.into_iter().map(|service| (service.name.clone(), service)).collect();
        let former = std::mem::replace(&mut self.services, fresh);
        self.graph = Graph::new(&self.services);
        let cared = self.cared_otherwise(&former);
        for (name, service) in former {
            if !self.services.contains_key(&name) {
                self.retired.insert(name, service.retire());
            }
        }
        self.retired.retain(|name, _| !self.services.contains_key(name));
        let names: Vec<ServiceName> = self.services.keys().cloned().collect();
        for name in &names {
            self.match_units(now, name);
        }
        for (name, former) in &cared {
            self.refit(now, name, former);
        }
        self.orphan(now, prune);
        self.stop_new_requirers(now);
        self.queue.extend(self.units.keys().cloned());
    }

    /// Returns the units that are to be looked after in another way than before, and that way.
    fn cared_otherwise(&self, former: &BTreeMap<ServiceName, Service>) -> Vec<(UnitName, Care)> {
        let otherwise = |unit: &UnitName| {
            let fresh = self.services.get(&unit.service)?;
            let former = former.get(&unit.service).or_else(|| self.retired.get(&unit.service));
            let care = former.map(|former| former.care.clone());
            let is_as_before = care.as_ref().is_some_and(|former| *former == fresh.care);
            (!is_as_before).then(|| (unit.clone(), care.unwrap_or_default()))
        };
        self.units.keys().filter_map(otherwise).collect()
    }

    /// Stops who requires what is about to stop: by a new configuration, or as it turns out.
    pub(super) fn stop_new_requirers(&mut self, now: Moment) {
        let leaving =
            self.units.values().filter(|unit| matches!(unit.state, State::Leaving { .. }));
        let names: Vec<UnitName> = leaving.map(|unit| unit.name.clone()).collect();
        for name in names {
            self.stop_requirers(now, &name);
        }
    }

    /// Makes the units of a service as many and as it says.
    fn match_units(&mut self, now: Moment, name: &ServiceName) {
        let Some(service) = self.services.get(name) else { return };
        let (count, hash) = (service.instances.max(1), service.spec_hash);
        let is_started = self.is_started_unasked(service.start);
        for copy in 1..=count {
            let unit = UnitName { service: name.clone(), copy };
            let is_new = !self.units.contains_key(&unit);
            let state = self.unit_named(now, &unit);
            let former = std::mem::replace(&mut state.place, Place::Configured);
            let is_back = former != Place::Configured;
            let is_up = matches!(state.state, State::Running | State::Paused);
            if (is_new || is_back) && (is_started || is_up) {
                state.want_unless_held();
            }
            let is_changed = is_back || state.spec_hash != hash;
            if state.state == State::Failed && is_changed {
                // What is changed may have been mended.
                state.pardon(now, "its configuration changed");
            }
            let comes_again = is_back && state.is_wanted() && state.state.is_active();
            let is_outdated = state.state.is_active() && state.spec_hash != hash;
            if comes_again {
                self.apply(now, &unit, Event::Start);
            }
            if is_outdated {
                let why = "its configuration changed".to_owned();
                self.apply(now, &unit, Event::Stop(Then::Start, why));
            }
        }
        let surplus: Vec<UnitName> = units_of(&self.units, name)
            .filter(|unit| unit.name.copy > count)
            .map(|unit| unit.name.clone())
            .collect();
        for unit in surplus {
            self.prune(now, &unit, "its service was scaled down");
        }
    }

    /// Returns whether new units of this start type come up without being asked: `delayed` ones
    /// only once the first of them were released.
    const fn is_started_unasked(&self, start: StartType) -> bool {
        match start {
            StartType::Auto => true,
            StartType::Delayed => matches!(self.phase, Phase::Open) && self.delayed_until.is_none(),
            StartType::Manual | StartType::Disabled => false,
        }
    }

    fn orphan(&mut self, now: Moment, prune: &Prune) {
        let gone: Vec<UnitName> = self
            .units
            .keys()
            .filter(|unit| !self.services.contains_key(&unit.service))
            .cloned()
            .collect();
        for name in gone {
            let is_named = matches!(prune, Prune::Named(named) if *named == name.service);
            // What an operator stopped stays known: it may come back with the next file.
            let is_over = |unit: &Unit| !unit.state.is_active() && !unit.is_held();
            let is_idle = self.units.get(&name).is_some_and(is_over);
            if is_named || is_idle || *prune == Prune::Remove {
                self.prune(now, &name, "it was removed from the configuration");
            } else if let Some(unit) = self.units.get_mut(&name) {
                unit.place = Place::Orphaned;
            }
        }
    }

    /// Stops a unit and forgets it once it is at rest.
    pub(super) fn prune(&mut self, now: Moment, name: &UnitName, why: &str) {
        let Some(unit) = self.units.get_mut(name) else { return };
        unit.place = Place::Pruned;
        unit.want_no_more();
        self.apply(now, name, Event::Stop(Then::Rest, why.to_owned()));
        self.forget_if_over(name);
    }

    /// Forgets a unit that is not configured any more, once nothing of it is left: no run, and no
    /// operator's wish that it rests, which only pruning ends.
    pub(super) fn forget_if_over(&mut self, name: &UnitName) {
        let is_over = self.units.get(name).is_some_and(|unit| {
            let is_quiet = !unit.state.is_active() && unit.strays_of.is_none();
            let is_unwanted = match unit.place {
                Place::Configured => false,
                Place::Orphaned => !unit.is_held(),
                Place::Pruned => true,
            };
            is_unwanted && is_quiet && !unit.beside.is_busy()
        });
        if !is_over {
            return;
        }
        let Some(unit) = self.units.remove(name) else { return };
        if let Some(at) = unit.scheduled {
            self.deadlines.remove(&(at, name.clone()));
        }
        let Unit { highest, beside, .. } = unit;
        self.numbers.insert(name.clone(), Numbers { highest, beside, scheduled: None });
        self.effect(Some(name), Action::Forget);
        if units_of(&self.units, &name.service).next().is_none() {
            self.retired.remove(&name.service);
        }
    }
}
