//! The labels of the jobs that runs are in, as the keeper tells them: on Windows, where a job says
//! who is of a run.
//!
//! Nothing is kept of them: each keeper tells them to each agent.

use std::collections::BTreeMap;

use mainstay_api::keeper::{Entry, Phase};
use mainstay_core::UnitName;

/// The label of the job of each unit's last run, where there is one.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    last: BTreeMap<UnitName, (u64, String)>,
}

impl Jobs {
    /// A run has started, or was found.
    pub(crate) fn note(&mut self, unit: &UnitName, run: u64, job: Option<&String>) {
        if let Some(job) = job {
            self.last.insert(unit.clone(), (run, job.clone()));
        }
    }

    /// Takes what a keeper knows in the place of what the one before it knew.
    pub(crate) fn take_over(&mut self, entries: &[Entry]) {
        self.last.clear();
        for entry in entries {
            let Phase::Running { job, .. } = &entry.phase else { continue };
            let Ok(unit) = UnitName::parse(&entry.unit) else { continue };
            self.note(&unit, entry.run, job.as_ref());
        }
    }

    /// A run has ended, and nothing of it is left to be counted.
    pub(crate) fn forget(&mut self, unit: &UnitName, run: u64) {
        if self.of(unit, run).is_some() {
            self.last.remove(unit);
        }
    }

    /// Returns the label of a run's job.
    pub(crate) fn of(&self, unit: &UnitName, run: u64) -> Option<&String> {
        self.last.get(unit).filter(|(of, _)| *of == run).map(|(_, job)| job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(unit: &str, run: u64, job: Option<&str>) -> Entry {
        Entry {
            unit: unit.to_owned(),
            run,
            spec_hash: String::new(),
            memo: String::new(),
            phase: Phase::Running { pid: 7, since_us: 1, job: job.map(ToOwned::to_owned) },
        }
    }

    #[test]
    fn a_job_is_of_one_run_and_of_the_keeper_that_named_it() {
        let [web, db] = ["web", "db"].map(|name| UnitName::parse(name).unwrap());
        let mut jobs = Jobs::default();
        jobs.note(&db, 1, Some(&"a-1".to_owned()));
        jobs.take_over(&[entry("web", 3, Some("b-1")), entry("db", 1, None)]);
        assert_eq!(jobs.of(&web, 3).map(String::as_str), Some("b-1"));
        assert_eq!((jobs.of(&web, 4), jobs.of(&db, 1)), (None, None));

        jobs.note(&web, 4, Some(&"b-2".to_owned()));
        jobs.forget(&web, 3);
        assert_eq!(jobs.of(&web, 4).map(String::as_str), Some("b-2"));
        jobs.forget(&web, 4);
        assert_eq!(jobs.of(&web, 4), None);
    }
}
