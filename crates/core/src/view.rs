//! What can be seen of a unit: its state, since when, why, and what comes next.

use std::time::Duration;

use crate::{
    exit::Exit,
    name::UnitName,
    time::Moment,
    unit::{Place, State, Unit},
};

/// What comes next of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it waits for a wish or a fact.
    Nothing,
    /// Another run is started.
    Start(Moment),
    /// It is killed.
    Kill(Moment),
}

/// How the last run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastExit {
    /// Which run it was.
    pub run: u64,
    /// How it ended.
    pub exit: Exit,
    /// When.
    pub at: Moment,
    /// How long it had run.
    pub lived: Duration,
}

/// What can be seen of a unit.
#[derive(Debug, Clone, Copy)]
pub struct UnitView<'a> {
    unit: &'a Unit,
}

impl<'a> UnitView<'a> {
    pub(crate) const fn new(unit: &'a Unit) -> Self {
        Self { unit }
    }

    /// Returns its name.
    pub const fn name(self) -> &'a UnitName {
        &self.unit.name
    }

    /// Returns its state in one word.
    pub const fn state(self) -> &'static str {
        self.unit.state.word()
    }

    /// Returns its state as it stands in a sentence, after its name: `has failed`.
    pub const fn phrase(self) -> &'static str {
        self.unit.state.phrase()
    }

    /// Returns since when it is in this state.
    pub const fn since(self) -> Moment {
        self.unit.since
    }

    /// Returns why it is in this state, in words for people.
    pub fn why(self) -> &'a str {
        &self.unit.why
    }

    /// Returns what comes next of itself.
    pub const fn next(self) -> Next {
        match self.unit.state {
            State::Backoff { until } => Next::Start(until),
            State::Stopping { deadline, .. } => Next::Kill(deadline),
            State::Stopped
            | State::Waiting
            | State::Starting
            | State::Running
            | State::Leaving { .. }
            | State::Failed
            | State::Completed => Next::Nothing,
        }
    }

    /// Returns the number of its current or last run.
    pub const fn run(self) -> u64 {
        self.unit.run
    }

    /// Returns its process, while there is one.
    pub const fn pid(self) -> Option<u32> {
        self.unit.pid
    }

    /// Returns how often it was started again since it was last reset.
    pub const fn restarts(self) -> u64 {
        self.unit.restarts
    }

    /// Returns how many runs in a row have failed.
    pub const fn failures(self) -> u32 {
        self.unit.failures
    }

    /// Returns whether its last runs were all too short.
    pub const fn is_degraded(self) -> bool {
        self.unit.is_degraded()
    }

    /// Returns whether it should be up.
    pub fn is_wanted(self) -> bool {
        self.unit.is_wanted()
    }

    /// Returns whether it vanished from the configuration and runs on.
    pub const fn is_orphaned(self) -> bool {
        matches!(self.unit.place, Place::Orphaned)
    }

    /// Returns how its last run ended.
    pub const fn last_exit(self) -> Option<LastExit> {
        self.unit.last_exit
    }
}
