//! Which run is meant: a number, or one counted back from the last.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_api::control::Status;
use mainstay_storage::read;

use super::{sources::Source, unreadable};
use crate::errors::CliError;

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

    /// Returns the number of the run for each unit that has one.
    pub(super) fn of_units(
        self,
        sources: &[Source],
        status: Option<&Status>,
    ) -> Result<BTreeMap<String, u64>, CliError> {
        let back = match self {
            Self::Number(run) => {
                return Ok(sources.iter().map(|source| (source.unit.clone(), run)).collect());
            }
            Self::Back(back) => back,
        };
        let mut runs: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        for Source { unit, chain } in sources {
            let last = read::last_runs(chain, back.saturating_add(1));
            let last = last.map_err(|error| unreadable(&format!("log of `{unit}`"), &error))?;
            runs.entry(unit.clone()).or_default().extend(last);
        }
        // The last one may have written nothing yet.
        for unit in status.iter().flat_map(|status| &status.units).filter(|unit| unit.run > 0) {
            if let Some(runs) = runs.get_mut(&unit.unit) {
                runs.insert(unit.run);
            }
        }
        let chosen =
            |(unit, runs): (String, BTreeSet<u64>)| Some((unit, *runs.iter().rev().nth(back)?));
        Ok(runs.into_iter().filter_map(chosen).collect())
    }
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
