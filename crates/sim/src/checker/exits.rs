//! Every end is told, once.

use std::collections::BTreeMap;

use super::Checker;
use crate::{
    disk::{Disk, Event},
    machine::Machine,
    wire::Key,
};

/// How often something was seen of the runs of one name and number; names can live twice.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Count {
    pub(super) started: u64,
    /// Ends that nobody could note before the machine went down.
    pub(super) excused: u64,
}

impl Checker {
    /// A program that began and ended between two keepers without a trace was never there, as far
    /// as anybody can know.
    pub(crate) fn unnoticed(&mut self, key: &Key) {
        self.unnoticed_hook(key);
        if let Some(count) = self.counts.get_mut(key) {
            count.excused = count.started;
        }
    }

    /// Of a hook somebody has to tell, though nobody knows whether it ran.
    pub(crate) fn lost_hook(&mut self, key: &Key) {
        let count = self.counts.entry(key.clone()).or_default();
        // It may have run, and an earlier boot may have used its number.
        count.started = count.started.max(count.excused + 1);
    }

    /// Every exit is told exactly once.
    pub(super) fn exits_at_rest(&mut self, machine: &Machine, disk: &Disk) {
        let told = told_on(disk);
        let keys: Vec<Key> = self.counts.keys().chain(told.keys()).cloned().collect();
        for key in keys {
            let Count { started, excused } = self.counts.get(&key).copied().unwrap_or_default();
            let alive = u64::from(machine.carrier(&key).is_some());
            let told = told.get(&key).copied().unwrap_or(0);
            if told != started - alive - excused.min(started - alive) {
                let details = format!(
                    "{} run {}: {started} started, {alive} alive, {excused} excused, {told} told",
                    key.0, key.1
                );
                self.broken("every exit is told exactly once", details);
            }
        }
    }
}

pub(super) fn told_on(disk: &Disk) -> BTreeMap<Key, u64> {
    let mut told = BTreeMap::new();
    for event in &disk.events {
        if let Event::Exited(key) = event {
            *told.entry(key.clone()).or_default() += 1;
        }
    }
    told
}
