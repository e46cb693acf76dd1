//! From the configuration to what the core decides with.

use std::{
    collections::BTreeMap,
    hash::{Hash as _, Hasher},
};

use mainstay_core::{
    Service, ServiceName,
    service::{Bonds, RestartPolicy, StopPolicy},
};

use super::{Config, ServiceConfig};

impl Config {
    /// Returns the services as the core sees them: `before` is an `after` of the other one there.
    pub fn core(&self) -> BTreeMap<ServiceName, Service> {
        let services = self.services.iter();
        let mut all: BTreeMap<ServiceName, Service> =
            services.map(|(name, service)| (name.clone(), service.core(name))).collect();
        for (name, service) in &self.services {
            for other in &service.before {
                if let Some(other) = all.get_mut(other) {
                    other.after.push(name.clone());
                }
            }
        }
        all
    }
}

impl ServiceConfig {
    /// Returns the service as the core sees it, but for what others say of it.
    fn core(&self, name: &ServiceName) -> Service {
        Service {
            name: name.clone(),
            nature: self.nature,
            start: self.start,
            instances: self.instances,
            requires: self.requires.clone(),
            wants: self.wants.clone(),
            after: self.after.clone(),
            conflicts: self.conflicts.clone(),
            bonds: Bonds {
                binds_to: self.binds_to.clone(),
                part_of: self.part_of.clone(),
                network: self.needs_network,
            },
            restart: RestartPolicy {
                when: self.restart.when,
                exits: self.restart.exits.clone(),
                delays: self.restart.delays.clone(),
                reset_after: self.restart.reset_after,
                limit: self.restart.limit,
                within: self.restart.within,
            },
            stop: StopPolicy { timeout: self.stop.timeout, ..StopPolicy::default() },
            care: self.care.core(),
            spec_hash: self.spec_hash(),
        }
    }

    /// Returns a number that changes when the running program would have to be started anew.
    ///
    /// Policies are left out: they hold for the running program as well.
    pub fn spec_hash(&self) -> u64 {
        let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
        self.command.hash(&mut hasher);
        if let Some(kind) = &self.kind {
            (&kind.name, kind.config.to_string()).hash(&mut hasher);
        }
        self.directory.hash(&mut hasher);
        self.environment.hash(&mut hasher);
        (self.files, self.session, self.logs.streams as u8).hash(&mut hasher);
        if !self.share.is_usual() {
            let priority = self.share.priority.map(|priority| priority as u8);
            (priority, self.share.processors).hash(&mut hasher);
        }
        // What is referred to counts, not what it holds: a value comes with the next start.
        if !self.fetched.is_empty() {
            self.fetched.hash(&mut hasher);
        }
        // A program asks once, at its start, whether anybody listens, and how often it has to speak.
        if self.care.has_socket() {
            ("notify", self.care.alive_every()).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// Returns a number that changes when something changes that a running program keeps as it was
    /// at its start, though it need not be started anew for that.
    pub fn given_hash(&self) -> u64 {
        let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
        let kept = (self.logs.max_size, self.logs.on_full as u8, self.stop.scope as u8);
        kept.hash(&mut hasher);
        if !self.logs.every.is_zero() {
            self.logs.every.hash(&mut hasher);
        }
        if let Some(store) = self.care.notify.map(|notify| notify.store).filter(|store| *store > 0)
        {
            store.hash(&mut hasher);
        }
        hasher.finish()
    }
}

/// FNV-1a: the same on every machine and in every version, which std's hasher does not promise.
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
