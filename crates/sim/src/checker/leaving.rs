//! Who says that it leaves by itself: it is let go, and ended when it does not.

use mainstay_core::{Moment, Notice, UnitName};

use super::Checker;
use crate::{
    machine::Process,
    wire::{Key, Signal},
};

impl Checker {
    /// A program says that it leaves by itself.
    pub(super) fn said_leaving(&mut self, key: &Key, now: Moment) {
        self.leaving.entry(key.clone()).or_insert(now);
    }

    /// A core is told what a program has said.
    pub(super) fn hears(&mut self, unit: &UnitName, run: u64, notice: Notice) {
        if notice == Notice::Stopping {
            self.known_leaving.insert((unit.clone(), run));
        }
    }

    /// Returns whether a run has said that it leaves.
    pub(super) fn is_leaving(&self, key: &Key) -> bool {
        self.leaving.contains_key(key)
    }

    /// A core decided to end a run that leaves: it is killed, once it is late.
    pub(super) fn hurried(&mut self, key: &Key, signal: Signal, now: Moment) {
        let said = self.leaving.get(key).copied().unwrap_or(now);
        let timeout = self.services.get(&key.0.service).map(|service| service.stop.timeout);
        let is_late = timeout.is_none_or(|timeout| now >= said + timeout);
        if !(is_late && signal == Signal::Kill) {
            let details = format!("{} run {}: {signal:?}", key.0, key.1);
            self.broken("who says that it leaves is let go", details);
        }
    }

    /// Everything has come to rest.
    pub(super) fn leaving_at_rest(&mut self, process: &Process) {
        if self.is_leaving(&process.key) && !process.is_excused {
            self.broken("who says that it leaves is gone at last", format!("{process:?}"));
        }
    }
}
