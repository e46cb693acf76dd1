//! Reads the history and counts exits: each known, each told once.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mainstay_api::control::Event;
use mainstay_storage::journal;

use crate::{ground::Ground, trial::Broken};

/// The event that tells an exit.
const EXITED: &str = "UnitExited";

/// What is told of a hook of which nobody knows whether it ran.
const UNSURE: [&str; 2] = ["how it ended is not known any more", "nobody could learn how"];

/// A unit and the number of its run.
type Run = (String, u64);

/// The exits of all runs, as they were told.
#[derive(Debug, Default)]
pub(crate) struct Exits {
    told: BTreeMap<Run, Vec<String>>,
    /// When each run came into each state, in seconds of the day.
    states: BTreeMap<Run, BTreeMap<String, f64>>,
    /// Hooks whose keeper died over their start: whether they ran was told to be unknown.
    unsure: BTreeSet<(Run, String)>,
}

impl Exits {
    /// Reads the event chain of an instance.
    pub(crate) fn read(ground: &Ground) -> Result<Self, Broken> {
        let contents = journal::read(&ground.instance().events_directory())?;
        let mut exits = Self::default();
        for record in &contents.records {
            let event: Event = serde_json::from_slice(record)
                .map_err(|error| Broken::Rule(format!("an event is unreadable: {error}")))?;
            exits.note_state(&event);
            exits.note_hook(&event);
            if event.event == EXITED
                && let (Some(unit), Some(run)) = (event.unit, event.run)
            {
                exits.told.entry((unit, run)).or_default().push(event.message);
            }
        }
        Ok(exits)
    }

    fn note_state(&mut self, event: &Event) {
        let Event { unit: Some(unit), run: Some(run), facts, timestamp, .. } = event else {
            return;
        };
        let state = if event.event == EXITED { Some(EXITED) } else { facts.state.as_deref() };
        if let Some((state, at)) = state.zip(seconds_of(timestamp)) {
            let states = self.states.entry((unit.clone(), *run)).or_default();
            states.entry(state.to_owned()).or_insert(at);
        }
    }

    fn note_hook(&mut self, event: &Event) {
        let is_unsure =
            event.event == "HookFailed" && UNSURE.iter().any(|text| event.message.contains(text));
        if let Event { unit: Some(unit), run: Some(run), facts, .. } = event
            && let Some(hook) = facts.hook.as_ref().filter(|_| is_unsure)
        {
            self.unsure.insert(((unit.clone(), *run), hook.clone()));
        }
    }

    /// Returns whether it was told of a hook that nobody knows whether it ran.
    pub(crate) fn is_unsure(&self, unit: &str, hook: &str, run: u64) -> bool {
        self.unsure.contains(&((unit.to_owned(), run), hook.to_owned()))
    }

    /// Returns the runs of a unit that were told to be on their way down before they ended.
    pub(crate) fn stopped(&self, unit: &str) -> impl Iterator<Item = u64> {
        self.runs_of(unit).filter(|(_, at)| at.contains_key("stopping")).map(|(run, _)| run)
    }

    /// Returns the runs of a unit that were told to be ready and were left alone for a while.
    pub(crate) fn ready_for(&self, unit: &str, least: Duration) -> impl Iterator<Item = u64> {
        let is_it = move |at: &BTreeMap<String, f64>| {
            let end = ["stopping", EXITED].iter().filter_map(|state| at.get(*state).copied());
            let end = end.fold(f64::INFINITY, f64::min);
            at.get("running").is_some_and(|ready| end - ready >= least.as_secs_f64())
        };
        self.runs_of(unit).filter(move |(_, at)| is_it(at)).map(|(run, _)| run)
    }

    /// Returns the runs of a unit that have ended, with their states.
    fn runs_of(&self, unit: &str) -> impl Iterator<Item = (u64, &BTreeMap<String, f64>)> {
        let unit = unit.to_owned();
        let of_unit = self.states.iter().filter(move |((own, _), _)| *own == unit);
        of_unit.filter(|(_, at)| at.contains_key(EXITED)).map(|((_, run), at)| (*run, at))
    }

    /// Returns how many runs have ended.
    pub(crate) fn count(&self) -> usize {
        self.told.len()
    }

    /// Returns the runs that have ended.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (&str, u64)> {
        self.told.keys().map(|(unit, run)| (unit.as_str(), *run))
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

/// Returns the second of the day that a stamp names: `2026-01-31T23:59:59.123456Z`.
fn seconds_of(timestamp: &str) -> Option<f64> {
    let (_, clock) = timestamp.split_once('T')?;
    let mut parts = clock.trim_end_matches('Z').splitn(3, ':');
    let [hours, minutes] = [parts.next()?, parts.next()?].map(|part| part.parse::<f64>().ok());
    let seconds = parts.next()?.split(['+', '-']).next()?.parse::<f64>().ok()?;
    Some(hours? * 3600.0 + minutes? * 60.0 + seconds)
}
