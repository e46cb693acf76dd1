//! Which run is meant: a number, or one counted back from the last.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_api::control::Status;
use mainstay_storage::read;

use super::{sources::Source, unreadable};
use crate::errors::CliError;

/// So many runs are named, and of so many units.
const NAMED_MAX: usize = 10;

/// A run of each unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunChoice {
    Number(u64),
    /// So many before the last one.
    Back(usize),
}

impl RunChoice {
    /// Reads `3`, `last` or `-1`, as `journalctl --boot` counts boots.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "write a number, `last`, or `-1` for the one before it".to_owned();
        if text == "last" || text == "0" {
            return Ok(Self::Back(0));
        }
        match text.strip_prefix('-') {
            Some(back) => back.parse().map(Self::Back).map_err(|_| wrong()),
            None => text.parse().map(Self::Number).map_err(|_| wrong()),
        }
    }

    /// Returns the number of the run for each unit that has had it, as far as its log and the agent
    /// know; one may have written nothing.
    pub(super) fn of_units(
        self,
        sources: &[Source],
        status: Option<&Status>,
    ) -> Result<BTreeMap<String, u64>, CliError> {
        let count = match self {
            Self::Number(_) => 1,
            Self::Back(back) => back.saturating_add(1),
        };
        let chosen = |(unit, runs): (String, BTreeSet<u64>)| {
            let run = match self {
                Self::Number(run) => runs.last().filter(|last| run <= **last).map(|_| run),
                Self::Back(back) => runs.iter().rev().nth(back).copied(),
            };
            Some((unit, run?))
        };
        Ok(runs_of(sources, status, count)?.into_iter().filter_map(chosen).collect())
    }

    /// Says that no unit has had the run, and which there are in the logs.
    pub(super) fn missing(self, sources: &[Source], status: Option<&Status>) -> CliError {
        let runs = runs_of(sources, status, NAMED_MAX).unwrap_or_default();
        let told = |(unit, runs): (String, BTreeSet<u64>)| {
            let runs: Vec<String> = runs.iter().map(ToString::to_string).collect();
            format!("`{unit}`: {}", runs.join(", "))
        };
        let known: Vec<String> = runs
            .into_iter()
            .filter(|(_, runs)| !runs.is_empty())
            .take(NAMED_MAX)
            .map(told)
            .collect();
        let what = match self {
            Self::Number(run) => format!("no unit has had a run {run}"),
            Self::Back(_) => "no unit has had so many runs".to_owned(),
        };
        let hint = match known.join("; ") {
            known if known.is_empty() => String::new(),
            known => format!("the last runs there are: {known}"),
        };
        CliError::refused(what, hint)
    }
}

/// Runs of each unit.
type Runs = BTreeMap<String, BTreeSet<u64>>;

/// Returns the last runs of each unit, so many at most.
fn runs_of(sources: &[Source], status: Option<&Status>, count: usize) -> Result<Runs, CliError> {
    let mut runs = Runs::new();
    for Source { unit, chain } in sources {
        let last = read::last_runs(chain, count);
        let last = last.map_err(|error| unreadable(&format!("log of `{unit}`"), &error))?;
        runs.entry(unit.clone()).or_default().extend(last);
    }
    // The last one may have written nothing yet.
    for unit in status.iter().flat_map(|status| &status.units).filter(|unit| unit.run > 0) {
        if let Some(runs) = runs.get_mut(&unit.unit) {
            runs.insert(unit.run);
        }
    }
    Ok(runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_a_number_or_counted_back() {
        let check =
            |text: &str, expected| assert_eq!(RunChoice::parse(text).ok(), expected, "{text}");
        check("3", Some(RunChoice::Number(3)));
        check("last", Some(RunChoice::Back(0)));
        check("0", Some(RunChoice::Back(0)));
        check("-0", Some(RunChoice::Back(0)));
        check("-2", Some(RunChoice::Back(2)));
        check("first", None);
        check("--1", None);
    }
}
