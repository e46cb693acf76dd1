//! Wishes and facts: everything that the core can be told.

use std::time::Duration;

use crate::{
    exit::Exit,
    name::{ServiceName, UnitName},
    service::Service,
    time::Moment,
};

/// A wish or a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The configuration, whole: services that are new, changed or gone follow from it.
    Configure {
        /// Every service that should exist.
        services: Vec<Service>,
        /// What becomes of services that are not among them.
        prune: Prune,
    },
    /// What a keeper reported of runs from an earlier agent life, all at once, before anything
    /// else is started; also names the wishes that were persisted.
    Adopt {
        /// The runs.
        runs: Vec<Adopted>,
        /// Services that an operator stopped, or started although not `auto`.
        wishes: Vec<Wish>,
    },
    /// What another keeper knows, whole: the former one died, and what was said last may be lost.
    Reconcile {
        /// The runs.
        runs: Vec<Adopted>,
    },
    /// Everything was adopted: services that should be up are started from now on.
    Open,
    /// An operator asks for something.
    Command {
        /// The units it is meant for; already expanded from globs.
        units: Vec<UnitName>,
        /// What is asked.
        command: Command,
    },
    /// A spawn succeeded.
    Started {
        /// The unit.
        unit: UnitName,
        /// The run.
        run: u64,
        /// The process.
        pid: u32,
    },
    /// A spawn did not succeed.
    NotStarted {
        /// The unit.
        unit: UnitName,
        /// The run.
        run: u64,
        /// What was being done and why it could not be, for people.
        reason: String,
    },
    /// A run ended.
    Exited {
        /// The unit.
        unit: UnitName,
        /// The run.
        run: u64,
        /// How.
        exit: Exit,
        /// True when processes of the run are still alive; `Cleared` will follow.
        strays: bool,
    },
    /// Nothing is left of a run.
    Cleared {
        /// The unit.
        unit: UnitName,
        /// The run.
        run: u64,
    },
    /// An unknown exit became known; only history changes.
    ExitAmended {
        /// The unit.
        unit: UnitName,
        /// The run.
        run: u64,
        /// How it had ended.
        exit: Exit,
    },
    /// The moment of [`Supervisor::next_deadline`](crate::Supervisor::next_deadline) has come.
    Deadline,
    /// The whole instance goes down: everything stops, in order; nothing starts again.
    ShutDown,
}

/// A run from an earlier agent life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted {
    /// The unit.
    pub unit: UnitName,
    /// The run.
    pub run: u64,
    /// The hash it was started with.
    pub spec_hash: u64,
    /// What the memo said; nothing when it could not be read.
    pub memo: Memo,
    /// Where it is.
    pub phase: AdoptedPhase,
}

/// Where an adopted run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdoptedPhase {
    /// Its spawn has not returned; `Started` or `NotStarted` follows.
    Starting,
    /// It runs.
    Running {
        /// The process.
        pid: u32,
        /// Since when.
        since: Moment,
    },
    /// It has ended; its exit was never acknowledged.
    Ended {
        /// How.
        exit: Exit,
        /// When.
        at: Moment,
        /// How long it had run.
        lived: Duration,
        /// True when `Cleared` is still to come.
        strays: bool,
    },
    /// Only its number is remembered.
    Remembered,
}

/// What an agent writes on each run so that the next agent can go on from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Memo {
    /// Failures in a row, for the back-off.
    pub failures: u32,
    /// Restarts since the unit was last reset.
    pub restarts: u64,
    /// Runs in a row that were too short.
    pub short_runs: u32,
    /// Starts that count towards the limit.
    pub starts: u32,
    /// True while the unit is being stopped: its end is no reason to rest or to give up.
    pub stopping: bool,
}

/// An operator's wish that outlives the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The unit it is about.
    pub unit: UnitName,
    /// True: up although the configuration does not start it. False: down although it does.
    pub up: bool,
    /// The last run that had ended, or was about to, when this was wished: its end is no reason to
    /// rest.
    pub beyond: u64,
    /// Why it rests; nothing when it is up.
    pub why: String,
}

/// What an operator can ask of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Up.
    Start,
    /// Down.
    Stop,
    /// Down, then up.
    Restart,
    /// Down at once, without asking.
    Kill,
    /// Counters to zero; starts at once if it should be up.
    Reset,
}

/// What becomes of services that vanished from the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prune {
    /// What runs runs on, shown as orphaned, and is forgotten when it has ended.
    Keep,
    /// They are stopped and forgotten.
    Remove,
    /// This one is stopped and forgotten; the others run on.
    Named(ServiceName),
}
