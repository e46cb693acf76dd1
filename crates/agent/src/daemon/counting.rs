//! Which numbers are not given again, told to the core before anything begins.

use std::{collections::BTreeSet, io};

use mainstay_api::keeper::Entry;
use mainstay_core::{Input, UnitName};
use mainstay_platform::clock;

use super::Agent;
use crate::{
    beside::{BesideName, RunOf},
    clerk::Job,
    events::{Happening, Level, complain},
};

impl Agent {
    /// Passes over the numbers that may have been given and of which this keeper does not know: it
    /// is of another boot, or its journal was damaged.
    pub(crate) fn pass_numbers(&mut self, entries: &[Entry]) {
        let mut units: BTreeSet<UnitName> =
            self.supervisor.units().map(|unit| unit.name().clone()).collect();
        units.extend(self.numbers.names().iter().filter_map(|name| UnitName::parse(name).ok()));
        let known = if self.welcome.damage.is_none() { known(entries) } else { BTreeSet::new() };
        self.note_numbers(entries);
        self.pass(units.into_iter().filter(|unit| !known.contains(unit)));
    }

    /// Passes over the numbers of units that are about to be there and were not in this agent's
    /// life.
    pub(super) fn pass_numbers_of_new(&mut self) {
        let services = self.config.core().into_values();
        let units = services.flat_map(|service| {
            let copies = 1..=service.instances.max(1);
            copies.map(move |copy| UnitName { service: service.name.clone(), copy })
        });
        let is_new = |unit: &UnitName| {
            self.supervisor.unit(unit).is_none() && !self.numbers.is_counted(&unit.to_string())
        };
        let new: Vec<UnitName> = units.filter(is_new).collect();
        self.pass(new.into_iter());
    }

    fn pass(&mut self, units: impl Iterator<Item = UnitName>) {
        let passed = |unit: UnitName| {
            let name = unit.to_string();
            Some((unit, self.numbers.passed(&name, &name)?))
        };
        let numbers: Vec<(UnitName, u64)> = units.filter_map(passed).collect();
        if !numbers.is_empty() {
            self.take(Input::Passed { numbers });
        }
    }

    fn note_numbers(&mut self, entries: &[Entry]) {
        for entry in entries {
            let Some(of) = RunOf::parse(&entry.unit) else { continue };
            if let Some(counted) = of.counted_as() {
                self.numbers.note_known(&counted, entry.run);
            }
        }
    }

    /// A command beside a program is ordered.
    pub(crate) fn note_beside(&mut self, name: &BesideName, number: u64) {
        if let Some(counted) = RunOf::Beside(name.clone()).counted_as() {
            self.numbers.note(&counted, number);
        }
    }

    /// Gives the clerk what has changed; a turn that finds it busy leaves it to a later one.
    pub(super) fn save_numbers(&mut self) {
        if self.numbers.is_late(clock::monotonic()) {
            self.tell_not_kept(&io::ErrorKind::TimedOut.into());
        }
        let Some(page) = self.numbers.page() else { return };
        if self.clerk.give(Job::Numbers(page)).is_err() {
            self.numbers.put_off();
        }
    }

    /// The ceilings are on the disk, or cannot be.
    pub(super) fn numbers_written(&mut self, result: &io::Result<()>) {
        match result {
            Ok(()) => self.numbers.written(),
            Err(error) => {
                if self.numbers.refused() {
                    self.tell_not_kept(error);
                }
            }
        }
    }

    fn tell_not_kept(&mut self, error: &io::Error) {
        let text = format!("how far the numbers of runs have got cannot be kept: {error}");
        complain("cannot keep the numbers of runs", error);
        self.events.tell(Happening::of_instance(Level::Error, "NumbersNotKept", text));
    }
}

/// Returns the units of whose last number a keeper knows, be it only by a command that has it, too.
fn known(entries: &[Entry]) -> BTreeSet<UnitName> {
    let of_run = entries.iter().filter_map(|entry| match RunOf::parse(&entry.unit)? {
        RunOf::Unit(unit) => Some(unit),
        RunOf::Beside(name) if name.part.has_number_of_run() => Some(name.unit),
        RunOf::Beside(_) => None,
    });
    of_run.collect()
}
