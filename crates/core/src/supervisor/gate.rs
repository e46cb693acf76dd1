//! Who may start now, when many want to at once: a boot is no stampede.
//!
//! ```text
//!   nothing is in its way ──► line ──room──► inside (starting) ──ready, ended, or 10 s──► out
//! ```
//!
//! Only what takes time to become ready passes through the gate, and only where nobody waits for
//! it: the first start of a unit, and one for which its requirements are back. What an operator
//! asks for, with all it needs, goes at once, and so does another attempt after an end. Whoever is
//! inside waits for nobody in line that it names: what it requires is ready before it may enter.
//! Should it wait for one in line all the same, it loses its place after a while.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{Supervisor, units_of};
use crate::{
    hook::Hook,
    name::{ServiceName, UnitName},
    service::Service,
    supervisor::Obstacle,
    time::Moment,
    unit::{State, Unit, settles},
};

/// Nobody keeps others waiting for longer.
pub(super) const HELD_MAX: Duration = Duration::from_secs(10);

/// Whether a start waits for its turn when many units start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Haste {
    None,
    Some,
}

/// Where a unit is in the line: what others need comes first, then who came first.
type Place = (NeededBy, u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum NeededBy {
    Others,
    Nobody,
}

/// Who is starting, and who waits for that.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// So many may be starting at the same time; 0: any number.
    width: usize,
    /// Who is starting, and how long that counts.
    inside: BTreeMap<UnitName, Moment>,
    line: BTreeMap<Place, UnitName>,
    places: BTreeMap<UnitName, Place>,
    arrivals: u64,
    /// Whose turn it is.
    called: Option<UnitName>,
}

impl Gate {
    fn has_room(&self, now: Moment) -> bool {
        let held = self.inside.values().filter(|until| **until > now).count();
        self.width == 0 || held < self.width
    }

    /// Takes the first out of the line, when there is room.
    pub(super) fn call(&mut self, now: Moment) -> Option<UnitName> {
        if self.line.is_empty() || !self.has_room(now) {
            return None;
        }
        let (_, name) = self.line.pop_first()?;
        self.places.remove(&name);
        self.called = Some(name.clone());
        Some(name)
    }

    fn join(&mut self, name: &UnitName, needed_by: NeededBy) {
        if !self.places.contains_key(name) {
            self.arrivals += 1;
            let place = (needed_by, self.arrivals);
            self.line.insert(place, name.clone());
            self.places.insert(name.clone(), place);
        }
    }

    /// Returns whether it stood in the line.
    pub(super) fn leave_line(&mut self, name: &UnitName) -> bool {
        self.places.remove(name).and_then(|place| self.line.remove(&place)).is_some()
    }

    /// Returns when there is room for the first in line, if nothing happens before.
    pub(super) fn next_deadline(&self) -> Option<Moment> {
        if self.line.is_empty() {
            return None;
        }
        let mut held: Vec<Moment> = self.inside.values().copied().collect();
        held.sort_unstable_by(|one, other| other.cmp(one));
        held.get(self.width.checked_sub(1)?).copied()
    }

    /// Returns how many may be starting at the same time.
    pub(super) const fn width(&self) -> usize {
        self.width
    }

    /// Returns the line, from its head.
    pub(super) fn line(&self) -> impl Iterator<Item = &UnitName> {
        self.line.values()
    }

    /// Returns the place of a unit in the line, from 1.
    pub(super) fn place_of(&self, name: &UnitName) -> Option<usize> {
        let place = self.places.get(name)?;
        Some(self.line.range(..=place).count())
    }
}

impl Supervisor {
    /// So many units may be starting at the same time.
    pub(super) const fn set_gate(&mut self, width: usize) {
        self.gate.width = width;
    }

    /// Lets a unit start that nothing is in the way of, or has it wait for its turn.
    pub(super) fn turn_of(&mut self, now: Moment, name: &UnitName) -> Option<Obstacle> {
        let is_called = self.gate.called.take().is_some_and(|called| called == *name);
        let service = self.service(&name.service).filter(|service| is_slow(service))?;
        let unit = self.units.get(name)?;
        let may_pass = is_called || (self.gate.line.is_empty() && self.gate.has_room(now));
        if unit.haste == Haste::Some || may_pass {
            self.gate.leave_line(name);
            self.gate.inside.insert(name.clone(), now + HELD_MAX);
            return None;
        }
        let is_needed = self.graph.waiters(&service.name).next().is_some();
        let needed_by = if is_needed { NeededBy::Others } else { NeededBy::Nobody };
        self.gate.join(name, needed_by);
        let why = "it waits for its turn to start".to_owned();
        Some(Obstacle { of: None, why, in_vain: None })
    }

    /// Notes that a unit is not starting any more, or does not wait for its turn.
    pub(super) fn keep_gate(&mut self, name: &UnitName) {
        let state = self.units.get(name).map(|unit| unit.state);
        if !state.is_some_and(is_starting) {
            self.gate.inside.remove(name);
        }
        if state != Some(State::Waiting) {
            self.gate.leave_line(name);
        }
    }

    /// Counts those that were starting before this agent began.
    pub(super) fn count_starting(&mut self, now: Moment) {
        let is_slow = |unit: &&Unit| self.service(&unit.name.service).is_some_and(is_slow);
        let starting = self.units.values().filter(|unit| is_starting(unit.state)).filter(is_slow);
        let names: Vec<UnitName> = starting.map(|unit| unit.name.clone()).collect();
        self.gate.inside.extend(names.into_iter().map(|name| (name, now + HELD_MAX)));
    }

    /// An operator waits for a unit, and so for all that it needs.
    pub(super) fn hurry(&mut self, name: &UnitName) {
        self.hurry_one(name);
        for service in self.needed_by(&name.service) {
            let units: Vec<UnitName> =
                units_of(&self.units, &service).map(|unit| unit.name.clone()).collect();
            for unit in &units {
                self.hurry_one(unit);
            }
        }
    }

    fn hurry_one(&mut self, name: &UnitName) {
        if let Some(unit) = self.units.get_mut(name) {
            unit.haste = Haste::Some;
        }
        if self.gate.leave_line(name) {
            self.queue.push_back(name.clone());
        }
    }

    /// Returns what has to be decided before a service starts.
    fn needed_by(&self, name: &ServiceName) -> BTreeSet<ServiceName> {
        let (mut open, mut seen) = (vec![name], BTreeSet::new());
        while let Some(service) = open.pop().and_then(|name| self.services.get(name)) {
            let needed = service.required().chain(&service.wants).chain(&service.after);
            open.extend(needed.filter(|other| seen.insert((*other).clone())));
        }
        seen
    }
}

/// Returns whether a program takes longer to be ready than to be started.
fn is_slow(service: &Service) -> bool {
    settles(&service.care) || service.care.hooks.contains_key(&Hook::BeforeStart)
}

/// Returns whether a unit has yet to do its part to be ready.
const fn is_starting(state: State) -> bool {
    matches!(state, State::Preparing | State::Starting | State::Settling { until: Some(_) })
}
