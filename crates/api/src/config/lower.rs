//! From the configuration to what the core decides with.

use std::hash::{Hash as _, Hasher};

use mainstay_core::{
    Service, ServiceName,
    service::{RestartPolicy, StopPolicy},
};

use super::ServiceConfig;

impl ServiceConfig {
    /// Returns the service as the core sees it.
    pub fn core(&self, name: &ServiceName) -> Service {
        Service {
            name: name.clone(),
            nature: self.nature,
            start: self.start,
            instances: self.instances,
            requires: self.requires.clone(),
            wants: self.wants.clone(),
            after: self.after.clone(),
            conflicts: self.conflicts.clone(),
            restart: RestartPolicy {
                when: self.restart.when,
                exits: self.restart.exits.clone(),
                delays: self.restart.delays.clone(),
                reset_after: self.restart.reset_after,
                limit: self.restart.limit,
                within: self.restart.within,
            },
            stop: StopPolicy { timeout: self.stop.timeout, ..StopPolicy::default() },
            spec_hash: self.spec_hash(),
        }
    }

    /// Returns a number that changes when the running program would have to be started anew.
    ///
    /// Policies are left out: they hold for the running program as well.
    pub fn spec_hash(&self) -> u64 {
        let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
        self.command.hash(&mut hasher);
        self.directory.hash(&mut hasher);
        self.environment.hash(&mut hasher);
        (self.files, self.session, self.logs.streams as u8).hash(&mut hasher);
        if !self.share.is_usual() {
            let priority = self.share.priority.map(|priority| priority as u8);
            (priority, self.share.processors).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// Returns a number that changes when something changes that a running program keeps as it was
    /// at its start, though it need not be started anew for that.
    pub fn given_hash(&self) -> u64 {
        let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
        let kept = (self.logs.max_size, self.logs.on_full as u8, self.stop.scope as u8);
        kept.hash(&mut hasher);
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
