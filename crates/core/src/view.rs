//! What can be seen of a unit: its state, since when, why, and what comes next.

use std::time::Duration;

use crate::{
    exit::Exit,
    hook::Hook,
    name::UnitName,
    service::{Nature, Service},
    time::Moment,
    unit::{Place, State, Unit, Verdict},
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
    /// It is stopped, unless it is ready by then.
    Stop(Moment),
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

/// What is thought of a unit by one of its checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckView<'a> {
    /// The check's name.
    pub name: &'a str,
    /// The verdict.
    pub verdict: Verdict,
    /// What was seen last, when that was not good; empty otherwise.
    pub seen: &'a str,
    /// How many failures there were in a row.
    pub failures: u32,
}

/// Where a unit is in the line of those that wait for their turn to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InLine {
    /// From 1.
    pub place: usize,
    /// So many may be starting at the same time.
    pub width: usize,
}

/// What can be seen of a unit.
#[derive(Debug, Clone, Copy)]
pub struct UnitView<'a> {
    unit: &'a Unit,
    service: Option<&'a Service>,
    in_line: Option<InLine>,
}

impl<'a> UnitView<'a> {
    pub(crate) const fn new(
        unit: &'a Unit,
        service: Option<&'a Service>,
        in_line: Option<InLine>,
    ) -> Self {
        Self { unit, service, in_line }
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

    /// Returns where it is in the line, while it waits for its turn to start.
    pub const fn in_line(self) -> Option<InLine> {
        self.in_line
    }

    /// Returns what its run, which was started, still lacks to be ready, in words for people.
    pub fn lacks(self) -> Option<String> {
        let (vitals, service) = (self.unit.vitals.as_deref()?, self.service?);
        matches!(self.unit.state, State::Settling { .. }).then(|| vitals.lacks(&service.care))?
    }

    /// Returns whether it is meant to end of itself, and is ready when it has done so.
    pub fn is_task(self) -> bool {
        self.service.is_some_and(|service| service.nature == Nature::Task)
    }

    /// Returns what comes next of itself.
    pub fn next(self) -> Next {
        let waits = self.service.is_some_and(|service| self.unit.waits_for_others(&service.care));
        match self.unit.state {
            State::Settling { until: Some(until) } if !waits => Next::Stop(until),
            State::Backoff { until } => Next::Start(until),
            State::Stopping { deadline, .. } => Next::Kill(deadline),
            State::Stopped
            | State::Waiting
            | State::Preparing
            | State::Starting
            | State::Settling { .. }
            | State::Running
            | State::Paused
            | State::Leaving { .. }
            | State::Parting { .. }
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

    /// Returns how often it was started again of itself since it was last reset; a start that is
    /// still to come does not count.
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

    /// Returns when its current run was ready, if it was.
    pub const fn ready_at(self) -> Option<Moment> {
        self.unit.ready_at
    }

    /// Returns the hook that runs before its program is started.
    pub const fn preparation(self) -> Option<Hook> {
        match self.unit.state {
            State::Preparing => Some(Hook::BeforeStart),
            State::Stopped
            | State::Waiting
            | State::Starting
            | State::Settling { .. }
            | State::Running
            | State::Paused
            | State::Leaving { .. }
            | State::Parting { .. }
            | State::Stopping { .. }
            | State::Backoff { .. }
            | State::Failed
            | State::Completed => None,
        }
    }

    /// Returns whether nobody may rely on it although it runs.
    pub fn is_unready(self) -> bool {
        self.service.is_some_and(|service| self.unit.is_unready(service))
    }

    /// Returns whether it waits for nothing but its own past, the end of what its last run left
    /// behind or of a hook, or for its turn.
    pub fn is_clearing(self) -> bool {
        let Unit { state, in_vain, waits_for, .. } = self.unit;
        *state == State::Waiting && in_vain.is_none() && waits_for.is_none()
    }

    /// Returns what is thought of it by each of its checks, in their order.
    pub fn checks(self) -> impl Iterator<Item = CheckView<'a>> {
        self.unit.vitals.iter().flat_map(|vitals| vitals.verdicts())
    }

    /// Returns the commands beside it that are under way, with their numbers.
    pub fn hooks(self) -> impl Iterator<Item = (Hook, u64)> {
        self.unit.beside.under_way()
    }

    /// Returns whether it is reading its configuration anew.
    pub fn is_reloading(self) -> bool {
        !self.unit.reload.is_idle()
    }

    /// Returns whether it should be up.
    pub fn is_wanted(self) -> bool {
        self.unit.is_wanted()
    }

    /// Returns whether its run is about to end because somebody asked for that.
    pub fn is_asked_to_end(self) -> bool {
        self.unit.state.then().is_some_and(|then| !then.is_by_itself())
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
