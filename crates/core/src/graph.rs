//! Who needs whom.

use std::collections::{BTreeMap, BTreeSet};

use crate::{name::ServiceName, service::Service};

/// The edges of all services, in both directions.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// Services that require this one.
    requirers: BTreeMap<ServiceName, BTreeSet<ServiceName>>,
    /// Services that may wait for this one for any reason.
    waiters: BTreeMap<ServiceName, BTreeSet<ServiceName>>,
    /// Services that come after this one, whatever they call it.
    followers: BTreeMap<ServiceName, BTreeSet<ServiceName>>,
    /// Services that are bound to this one.
    bound: BTreeMap<ServiceName, BTreeSet<ServiceName>>,
    /// Services that are a part of this one.
    parts: BTreeMap<ServiceName, BTreeSet<ServiceName>>,
}

impl Graph {
    /// Returns the graph of these services.
    pub fn new(services: &BTreeMap<ServiceName, Service>) -> Self {
        let mut graph = Self::default();
        for service in services.values() {
            let from = &service.name;
            service.required().for_each(|other| note(&mut graph.requirers, other, from));
            service.ordered_behind().for_each(|other| note(&mut graph.followers, other, from));
            service.ordered_behind().for_each(|other| note(&mut graph.waiters, other, from));
            for other in &service.conflicts {
                note(&mut graph.waiters, other, from);
                note(&mut graph.waiters, from, other);
            }
            service.bonds.binds_to.iter().for_each(|other| note(&mut graph.bound, other, from));
            service.bonds.part_of.iter().for_each(|other| note(&mut graph.parts, other, from));
        }
        graph
    }

    /// Returns the services that require this one.
    pub fn requirers(&self, name: &ServiceName) -> impl DoubleEndedIterator<Item = &ServiceName> {
        self.requirers.get(name).into_iter().flatten()
    }

    /// Returns the services that may wait for this one.
    pub fn waiters(&self, name: &ServiceName) -> impl Iterator<Item = &ServiceName> {
        self.waiters.get(name).into_iter().flatten()
    }

    /// Returns the services that come after this one.
    pub fn followers(&self, name: &ServiceName) -> impl DoubleEndedIterator<Item = &ServiceName> {
        self.followers.get(name).into_iter().flatten()
    }

    /// Returns the services that are bound to this one.
    pub fn bound(&self, name: &ServiceName) -> impl Iterator<Item = &ServiceName> {
        self.bound.get(name).into_iter().flatten()
    }

    /// Returns the services that are a part of this one, or of a part of it.
    pub fn parts(&self, name: &ServiceName) -> BTreeSet<&ServiceName> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&ServiceName> = self.parts.get(name).into_iter().flatten().collect();
        while let Some(part) = open.pop() {
            if part != name && found.insert(part) {
                open.extend(self.parts.get(part).into_iter().flatten());
            }
        }
        found
    }
}

fn note(
    edges: &mut BTreeMap<ServiceName, BTreeSet<ServiceName>>,
    to: &ServiceName,
    from: &ServiceName,
) {
    edges.entry(to.clone()).or_default().insert(from.clone());
}

impl Service {
    /// Returns the services that must be ready before this one starts.
    pub fn required(&self) -> impl Iterator<Item = &ServiceName> {
        self.requires.iter().chain(&self.bonds.binds_to)
    }

    /// Returns the services that come to rest or readiness before this one starts.
    pub fn ordered_behind(&self) -> impl Iterator<Item = &ServiceName> {
        self.required().chain(&self.wants).chain(&self.after)
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
