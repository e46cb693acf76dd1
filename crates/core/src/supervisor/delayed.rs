//! When the services come that are to come last.

use std::time::Duration;

use super::Supervisor;
use crate::{
    service::StartType,
    time::Moment,
    unit::{State, Unit},
};

/// How long `delayed` services wait at most for the others to come to rest.
const DELAYED_WITHIN: Duration = Duration::from_mins(2);

impl Supervisor {
    /// Begins to wait for all others, if anybody does: whether they have come to rest is looked at
    /// only then.
    pub(super) fn await_others(&mut self, now: Moment) {
        let has_delayed = self.services.values().any(|it| it.start == StartType::Delayed);
        self.delayed_until = has_delayed.then_some(now + DELAYED_WITHIN);
    }

    /// Returns whether everything of `auto` has come to rest or readiness.
    pub(super) fn is_settled(&self) -> bool {
        let is_auto = |unit: &&Unit| {
            self.services.get(&unit.name.service).is_some_and(|s| s.start == StartType::Auto)
        };
        self.units
            .values()
            .filter(is_auto)
            .all(|unit| unit.state == State::Stopped || !self.is_coming(unit))
    }

    pub(super) fn release_delayed(&mut self) {
        self.delayed_until = None;
        let services = &self.services;
        let delayed = self.units.values_mut().filter(|unit| {
            services.get(&unit.name.service).is_some_and(|s| s.start == StartType::Delayed)
        });
        for unit in delayed.filter(|unit| {
            unit.state == State::Stopped && unit.last_exit.is_none() && !unit.is_held()
        }) {
            unit.want_unless_held();
            self.queue.push_back(unit.name.clone());
        }
    }
}
