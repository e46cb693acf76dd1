//! How often, and how soon, a unit may be started again.

use std::time::Duration;

use mainstay_core::{Hook, Moment, Next, Service, Supervisor, UnitName, service::Delays};

use super::Checker;
use crate::{beside, wire::Key};

/// Starts may arrive so much later than they were decided.
pub(super) const SLACK: Duration = Duration::from_secs(10);

impl Checker {
    /// A keeper took an order to start a unit.
    pub(crate) fn note_start(&mut self, key: &Key, now: Moment) {
        // A start begins with the hook before it, if there is one.
        let owner = beside::owner(&key.0).filter(|(_, hook)| *hook == Hook::BeforeStart);
        let unit = owner.as_ref().map_or(&key.0, |(unit, _)| unit);
        if owner.is_none() && self.is_begun(key) {
            return;
        }
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

    /// A unit moved to another state.
    pub(crate) fn changed(&mut self, core: &Supervisor, unit: &UnitName, services: &[Service]) {
        let Some(view) = core.unit(unit) else { return };
        if view.state() != "starting" {
            self.gate.inside.remove(unit);
        }
        if view.state() == "running" {
            self.told_ready(&(unit.clone(), view.run()));
        }
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
}
