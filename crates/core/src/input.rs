//! Wishes and facts: everything that the core can be told.

use std::time::Duration;

use crate::{
    exit::Exit,
    hook::Hook,
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
    /// Numbers that runs may have had of which nobody knows any more: they are not given again.
    Passed {
        /// The highest of each unit, be it configured or not.
        numbers: Vec<(UnitName, u64)>,
    },
    /// What a keeper reported of runs from an earlier agent life, all at once, before anything
    /// else is started; also names the wishes that were persisted.
    Adopt {
        /// The runs.
        runs: Vec<Adopted>,
        /// Services that an operator stopped, or started although not `auto`.
        wishes: Vec<Wish>,
        /// The commands beside them.
        hooks: Vec<AdoptedHook>,
    },
    /// What another keeper knows, whole: the former one died, and what was said last may be lost.
    Reconcile {
        /// The runs.
        runs: Vec<Adopted>,
        /// The commands beside them.
        hooks: Vec<AdoptedHook>,
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
    /// A run could not be frozen.
    NotPaused {
        /// The unit.
        unit: UnitName,
        /// The run.
        run: u64,
        /// Why not, for people.
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
    /// A program says something of itself.
    Noticed {
        /// The unit.
        unit: UnitName,
        /// The run.
        run: u64,
        /// What.
        notice: Notice,
    },
    /// A look at a unit came to its end.
    Probed {
        /// The unit.
        unit: UnitName,
        /// The run.
        run: u64,
        /// The look, as it was asked for.
        probe: Probe,
        /// What was seen.
        outcome: Outcome,
    },
    /// A command beside a program came to its end.
    HookEnded {
        /// The unit.
        unit: UnitName,
        /// Which.
        hook: Hook,
        /// Its number.
        number: u64,
        /// How it ended.
        end: HookEnd,
    },
    /// A segment of a unit's log was closed.
    Rotated {
        /// The unit.
        unit: UnitName,
    },
    /// The machine woke up from a suspend.
    Woke,
    /// Whether the machine is on a network; until that is said, it is not.
    Network {
        /// True when it has an address with a route.
        up: bool,
    },
    /// How many units may be starting at the same time, by themselves; 0 for any number.
    Gate {
        /// So many.
        width: usize,
    },
    /// How much of the time programs lately had to wait for a processor.
    Crowded {
        /// In thousandths.
        permille: u16,
    },
    /// The moment of [`Supervisor::next_deadline`](crate::Supervisor::next_deadline) has come.
    Deadline,
    /// The whole instance goes down: everything stops, in order; nothing starts again.
    ShutDown,
}

/// What a program can say of itself, as far as decisions depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// It is ready, for the first time or after a reload.
    Ready,
    /// It reads its configuration anew; [`Ready`](Self::Ready) follows.
    Reloading,
    /// It is about to leave by itself.
    Stopping,
    /// It is alive.
    Alive,
    /// It is alive and knows that it does not work: as if its watchdog had struck.
    Ailing,
    /// From now on it says so often that it is alive.
    AliveEvery(Duration),
    /// What it is at takes so much longer, from now.
    Extend(Duration),
}

/// One look at a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Probe {
    /// What is looked at.
    pub of: ProbeOf,
    /// Counts the looks of a run.
    pub attempt: u64,
}

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProbeOf {
    /// Whether the unit is ready.
    Ready,
    /// The check at this place.
    Check(u8),
}

/// What a look has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All is well.
    Passed,
    /// It is not, for this reason.
    Failed(String),
    /// One could not look, for this reason: no verdict.
    Unknown(String),
}

/// How a command beside a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookEnd {
    /// As a program does.
    Exited(Exit),
    /// It was never started, for this reason.
    NotStarted(String),
    /// Its number was used already: it has run before, and how it ended is not known any more.
    Known,
}

/// A command beside a program from an earlier agent life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdoptedHook {
    /// The unit.
    pub unit: UnitName,
    /// Which.
    pub hook: Hook,
    /// Its number.
    pub number: u64,
    /// The run it is about.
    pub run: u64,
    /// What the unit had come to when it was ordered; nothing when it could not be read.
    pub memo: Memo,
    /// Where it is.
    pub phase: AdoptedPhase,
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
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
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
    /// True once its unit was reset after its end, which decides nothing any more.
    pub pardoned: bool,
    /// How far the run has come.
    pub reached: Reached,
    /// True once the run has said that it is ready, which may not be all it takes.
    pub said_ready: bool,
    /// Why it is being stopped, when that is its own fault.
    pub blame: Option<Blame>,
    /// The checks that are bad, a bit for each place.
    pub bad: u64,
    /// A fingerprint of the checks, without which the bits mean nothing; zero where an earlier
    /// version wrote none.
    pub checks: u64,
    /// True while the run is marked for that it hangs.
    pub hung: bool,
    /// How often the run says that it is alive, when it has said so itself.
    pub alive_every: Option<Duration>,
    /// True until the hook that follows its start was ordered, where it has one.
    pub owes_after_start: bool,
    /// While it is paused: since so long after its start.
    pub paused_after: Option<Duration>,
    /// While it is to say that it has reloaded: so long after its start it must have.
    pub reloads_within: Option<Duration>,
}

/// How far a run has come on its way, beyond that it was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reached {
    /// Its start, which is all it takes.
    #[default]
    Started,
    /// It is not ready yet.
    Settling {
        /// It is stopped when it is not ready so long after its start.
        within: Duration,
    },
    /// It is ready.
    Ready {
        /// Since so long after its start.
        after: Duration,
    },
    /// It said that it leaves by itself.
    Leaving {
        /// So long after its start it had been ready, if it was.
        ready_after: Option<Duration>,
        /// So long after its start it said so.
        after: Duration,
        /// It is killed when it has not left so long after that.
        within: Duration,
    },
}

/// What follows the end of a run that is stopped because it is not well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// Another attempt.
    Retry,
    /// Another attempt; it hangs, so that it is no use to ask it.
    Hang,
    /// None.
    Fail,
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
    /// Reads its configuration anew.
    Reload,
    /// Its program is frozen.
    Pause,
    /// Its program goes on.
    Resume,
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
