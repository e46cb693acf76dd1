//! Who needs whom.

use std::collections::{BTreeMap, BTreeSet};

use crate::{name::ServiceName, service::Service};

/// The edges of all services, in both directions.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// Services that name this one in `requires`.
    requirers: BTreeMap<ServiceName, BTreeSet<ServiceName>>,
    /// Services that may wait for this one for any reason.
    waiters: BTreeMap<ServiceName, BTreeSet<ServiceName>>,
}

impl Graph {
    /// Returns the graph of these services.
    pub fn new(services: &BTreeMap<ServiceName, Service>) -> Self {
        let mut graph = Self::default();
        for service in services.values() {
            for needed in &service.requires {
                graph.requirers.entry(needed.clone()).or_default().insert(service.name.clone());
            }
            for other in service.ordered_behind().chain(&service.conflicts) {
                graph.waiters.entry(other.clone()).or_default().insert(service.name.clone());
            }
            for other in &service.conflicts {
                graph.waiters.entry(service.name.clone()).or_default().insert(other.clone());
            }
        }
        graph
    }

    /// Returns the services that require this one.
    pub fn requirers(&self, name: &ServiceName) -> impl Iterator<Item = &ServiceName> {
        self.requirers.get(name).into_iter().flatten()
    }

    /// Returns the services that may wait for this one.
    pub fn waiters(&self, name: &ServiceName) -> impl Iterator<Item = &ServiceName> {
        self.waiters.get(name).into_iter().flatten()
    }
}

impl Service {
    /// Returns the services that come to rest or readiness before this one starts.
    pub fn ordered_behind(&self) -> impl Iterator<Item = &ServiceName> {
        self.requires.iter().chain(&self.wants).chain(&self.after)
    }
}

/// Returns a path of services each of which must come after the next, back to the first.
pub fn cycle(services: &BTreeMap<ServiceName, Service>) -> Option<Vec<ServiceName>> {
    let mut done = BTreeSet::new();
    services.keys().find_map(|start| {
        let mut path = Vec::new();
        walk(services, start, &mut path, &mut done)
    })
}

/// Depth is bounded by the number of services: each is on the path once at most.
fn walk(
    services: &BTreeMap<ServiceName, Service>,
    name: &ServiceName,
    path: &mut Vec<ServiceName>,
    done: &mut BTreeSet<ServiceName>,
) -> Option<Vec<ServiceName>> {
    if let Some(start) = path.iter().position(|earlier| earlier == name) {
        let mut cycle: Vec<_> = path.get(start..).unwrap_or_default().to_vec();
        cycle.push(name.clone());
        return Some(cycle);
    }
    if done.contains(name) {
        return None;
    }
    path.push(name.clone());
    let service = services.get(name);
    let mut next = service.into_iter().flat_map(Service::ordered_behind);
    let found = next.find_map(|other| walk(services, other, path, done));
    path.pop();
    done.insert(name.clone());
    found
}
