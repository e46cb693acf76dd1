//! Reads the history and counts exits: each known, each told once.

use std::collections::BTreeMap;

use mainstay_api::control::Event;
use mainstay_storage::journal;

use crate::{ground::Ground, trial::Broken};

/// The event that tells an exit.
const EXITED: &str = "UnitExited";

/// A unit and the number of its run.
type Run = (String, u64);

/// The exits of all runs, as they were told.
#[derive(Debug, Default)]
pub(crate) struct Exits {
    told: BTreeMap<Run, Vec<String>>,
}

impl Exits {
    /// Reads the event chain of an instance.
    pub(crate) fn read(ground: &Ground) -> Result<Self, Broken> {
        let contents = journal::read(&ground.instance().events_directory())?;
        let mut exits = Self::default();
        for record in &contents.records {
            let event: Event = serde_json::from_slice(record)
                .map_err(|error| Broken::Rule(format!("an event is unreadable: {error}")))?;
            if event.event == EXITED
                && let (Some(unit), Some(run)) = (event.unit, event.run)
            {
                exits.told.entry((unit, run)).or_default().push(event.message);
            }
        }
        Ok(exits)
    }

    /// Returns how many runs have ended.
    pub(crate) fn count(&self) -> usize {
        self.told.len()
    }

    /// Returns how many of them did not end by themselves.
    pub(crate) fn killed(&self) -> usize {
        let by_itself =
            |told: &&Vec<String>| told.iter().all(|text| text.contains("ended with code"));
        self.count() - self.told.values().filter(by_itself).count()
    }

    /// Returns how many of them ended in a way that nobody knows.
    pub(crate) fn unknown(&self) -> usize {
        let is_unknown =
            |told: &&Vec<String>| told.iter().any(|text| text.contains("nobody could learn"));
        self.told.values().filter(is_unknown).count()
    }

    /// Fails when an exit was told more than once.
    pub(crate) fn expect_each_once(&self) -> Result<(), Broken> {
        match self.told.iter().find(|(_, told)| told.len() != 1) {
            None => Ok(()),
            Some(((unit, run), told)) => {
                let told = told.join("; ");
                Err(Broken::Rule(format!("the exit of run {run} of {unit} was told: {told}")))
            }
        }
    }

    /// Fails when a run is missing among those of a unit, up to its last one.
    pub(crate) fn expect_no_gap(&self, unit: &str) -> Result<(), Broken> {
        let runs: Vec<u64> =
            self.told.keys().filter(|(own, _)| own == unit).map(|(_, run)| *run).collect();
        let missing = (1..).zip(&runs).find(|(expected, run)| expected != *run);
        missing.map_or(Ok(()), |(expected, _)| {
            Err(Broken::Rule(format!("the exit of run {expected} of {unit} was never told")))
        })
    }

    /// Fails unless all that is told of a unit's runs says this.
    pub(crate) fn expect_text(&self, unit: &str, text: &str) -> Result<(), Broken> {
        let of_unit = self.told.iter().filter(|((own, _), _)| own == unit);
        for ((_, run), told) in of_unit {
            if !told.iter().all(|message| message.ends_with(text)) {
                let told = told.join("; ");
                return Err(Broken::Rule(format!("run {run} of {unit}: {told}; not `{text}`")));
            }
        }
        Ok(())
    }
}
