//! What running programs were given at their start and keep until their end, though the
//! configuration may say something else by now.
//!
//! It is written on the run itself, so that the next agent knows it as well.

use std::collections::BTreeMap;

use mainstay_api::{config::ServiceConfig, keeper::Entry};
use mainstay_core::UnitName;

use crate::launch;

/// The hash of what the last run of each unit was given.
#[derive(Debug, Default)]
pub(crate) struct Given {
    runs: BTreeMap<UnitName, (u64, u64)>,
}

impl Given {
    /// A run gets what its service says at this moment.
    pub(crate) fn note(&mut self, unit: &UnitName, run: u64, service: &ServiceConfig) {
        self.runs.insert(unit.clone(), (run, service.given_hash()));
    }

    /// Reads what a former agent wrote on runs.
    pub(crate) fn recall(&mut self, entries: &[Entry]) {
        for entry in entries {
            let hash = launch::given_in(&entry.memo);
            if let (Ok(unit), Some(hash)) = (UnitName::parse(&entry.unit), hash) {
                self.runs.insert(unit, (entry.run, hash));
            }
        }
    }

    /// Returns what is to be written on a run.
    pub(crate) fn of(&self, unit: &UnitName, run: u64) -> Option<u64> {
        self.runs.get(unit).filter(|(of, _)| *of == run).map(|(_, hash)| *hash)
    }

    /// Returns whether a run goes on with what its service does not say any more.
    pub(crate) fn is_outdated(&self, unit: &UnitName, run: u64, service: &ServiceConfig) -> bool {
        self.of(unit, run).is_some_and(|hash| hash != service.given_hash())
    }

    pub(crate) fn forget(&mut self, unit: &UnitName) {
        self.runs.remove(unit);
    }
}
