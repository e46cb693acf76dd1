//! Variables that took their time, kept for commands that look at the same run: those ask every few
//! seconds, and what values are fetched from is not asked so often.
//!
//! They are the values that the program itself was given, where this agent has fetched them. They
//! are wiped when the run has ended, and none are kept of units that no command looks at.

use std::collections::BTreeMap;

use mainstay_api::config::ValueSource;
use mainstay_core::UnitName;
use mainstay_storage::secrets::Secret;

/// So much is kept for all units together; what is beyond it is fetched for each look.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// Where variables come from.
pub(super) type Sources = BTreeMap<String, ValueSource>;

/// The values of a run.
#[derive(Debug)]
pub(super) struct OfRun {
    pub(super) run: u64,
    /// Where they have come from: another configuration needs others.
    pub(super) sources: Sources,
    pub(super) values: BTreeMap<String, Secret>,
}

/// What is kept: of each unit what one run has.
#[derive(Debug, Default)]
pub(super) struct Reused {
    units: BTreeMap<UnitName, OfRun>,
}

impl Reused {
    /// Keeps values until their run has ended; those of a later run are not replaced.
    pub(super) fn keep(&mut self, unit: &UnitName, new: OfRun) {
        if self.units.get(unit).is_some_and(|old| old.run > new.run) {
            return;
        }
        self.units.remove(unit);
        let kept: usize = self.units.values().map(OfRun::bytes).sum();
        if !new.values.is_empty() && kept + new.bytes() <= BYTES_MAX {
            self.units.insert(unit.clone(), new);
        }
    }

    /// Returns what is kept of a run, when it is from these sources.
    pub(super) fn find(
        &self,
        unit: &UnitName,
        run: u64,
        sources: &Sources,
    ) -> Option<&BTreeMap<String, Secret>> {
        let of_run = self.units.get(unit)?;
        (of_run.run == run && of_run.sources == *sources).then_some(&of_run.values)
    }

    /// Wipes what is kept of a unit.
    pub(super) fn forget(&mut self, unit: &UnitName) {
        self.units.remove(unit);
    }
}

impl OfRun {
    fn bytes(&self) -> usize {
        self.values.values().map(|value| value.reveal().len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_for_one_run_and_one_configuration() {
        let (mut reused, unit) = (Reused::default(), unit("web"));
        reused.keep(&unit, of_run(2, 5));
        assert!(reused.find(&unit, 2, &from("vault")).is_some());
        assert!(reused.find(&unit, 3, &from("vault")).is_none());
        assert!(reused.find(&unit, 2, &from("pass")).is_none());
        reused.keep(&unit, of_run(1, 5));
        assert!(reused.find(&unit, 2, &from("vault")).is_some(), "a late one replaces nothing");
        reused.keep(&unit, of_run(3, 5));
        assert!(reused.find(&unit, 2, &from("vault")).is_none());
        reused.forget(&unit);
        assert!(reused.find(&unit, 3, &from("vault")).is_none());
    }

    #[test]
    fn only_so_much_is_kept() {
        let mut reused = Reused::default();
        reused.keep(&unit("web"), of_run(1, BYTES_MAX));
        reused.keep(&unit("other"), of_run(1, 1));
        assert!(reused.find(&unit("other"), 1, &from("vault")).is_none());
        reused.keep(&unit("web"), of_run(2, BYTES_MAX));
        assert!(reused.find(&unit("web"), 2, &from("vault")).is_some());
    }

    fn of_run(run: u64, bytes: usize) -> OfRun {
        let values = BTreeMap::from([("KEY".to_owned(), Secret::new(vec![b'x'; bytes]))]);
        OfRun { run, sources: from("vault"), values }
    }

    fn from(path: &str) -> Sources {
        BTreeMap::from([("KEY".to_owned(), ValueSource::File(path.to_owned()))])
    }

    fn unit(name: &str) -> UnitName {
        UnitName::parse(name).unwrap()
    }
}
