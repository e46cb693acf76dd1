//! Who may be ended, and who has to be.

use mainstay_core::{Moment, Service};

use super::Checker;
use crate::{
    disk::Disk,
    machine::{Machine, Process},
    scene::{is_looked_after, lives_are_watched},
    wire::{Key, Signal},
};

impl Checker {
    /// A core decided to end a run, or to end it for good.
    pub(crate) fn signalled(&mut self, key: &Key, signal: Signal, machine: &Machine, now: Moment) {
        self.hook_before(key, signal);
        let carrier = machine.carrier(key);
        let is_known_as = |it: &Service| it.name == key.0.service && is_looked_after(&it.care);
        let is_gone = carrier.is_none() && self.services.values().any(is_known_as);
        let is_ill = |it: &Process| it.is_excused || (it.manner.is_sick && self.may_be_ended(key));
        if is_gone || carrier.is_some_and(is_ill) {
            // One that is dead does not answer, either.
            return;
        }
        if self.is_left_alone(key) && self.is_leaving(key) {
            self.hurried(key, signal, now);
        } else if self.is_left_alone(key) {
            let details = format!("{} run {} is told to end", key.0, key.1);
            self.broken("nobody signals a run that nobody asked to stop", details);
        }
    }

    /// Returns whether anything that is found out about a run may end it.
    fn may_be_ended(&self, (unit, _): &Key) -> bool {
        let is_first = !self.otherwise.contains(&unit.service);
        let service = self.services.get(&unit.service).filter(|_| is_first);
        service.is_none_or(|service| is_looked_after(&service.care))
    }

    /// Returns whether a process does not work, and is still configured to. Who was looked after
    /// otherwise for a while, or worked at first, may not be found out by what it takes to become
    /// ready.
    pub(super) fn is_watched(&self, disk: &Disk, process: &Process) -> bool {
        let name = &process.key.0.service;
        let is_first = !self.otherwise.contains(name) && !process.has_sickened;
        let mut services = disk.services.iter().filter(|service| service.name == *name);
        let is_found = services.any(|service| {
            lives_are_watched(&service.care) || (is_first && is_looked_after(&service.care))
        });
        process.manner.is_sick && !process.is_excused && !process.is_frozen && is_found
    }
}
