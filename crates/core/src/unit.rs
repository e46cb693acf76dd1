//! One supervised copy of a service, from start to rest.
//!
//! ```text
//!              Start             Started
//!   Stopped ──────────► Starting ────────► Running ──Stop──► Leaving ──dependants gone──┐
//!      ▲  │ Blocked      │  ▲  │ Exited,     │ Exited          │ Exited                 ▼
//!      │  ▼              │  │  │ NotStarted  ▼                 │          ┌──────── Stopping ◄─┐
//!      │ Waiting ─Start──┘  │  └────────► Backoff              │          │ Exited     │ Timeout│
//!      │                    └──Timeout──────┘ │ limit          ▼          ▼            └────────┘
//!      └────────────────────────────────── Failed, Completed, Stopped, Waiting     (kill, kill again)
//! ```
//!
//! `Unit::handle` is the only way in. Every arrow is an arm; a fact that comes late changes nothing,
//! and a wish that does not fit never gets here: the supervisor refuses it.

mod arrows;

use std::{collections::VecDeque, fmt, time::Duration};

use crate::{
    effect::TraceId, exit::Exit, input::Memo, name::UnitName, supervisor::Obstacle, time::Moment,
    view::LastExit,
};

/// More starts than this are not recalled from a memo.
const STARTS_RECALLED_MAX: usize = 10_000;
/// So many runs in a row that were too short make a unit degraded.
const DEGRADED_AFTER: u32 = 3;

/// Where a unit is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing runs and nothing should.
    Stopped,
    /// It should run, and something is in the way.
    Waiting,
    /// Its program is being started.
    Starting,
    /// Its program runs.
    Running,
    /// It is to stop once nobody requires it any more.
    Leaving {
        /// What follows.
        then: Then,
    },
    /// It was asked to leave.
    Stopping {
        /// When it is killed, for the first time or again.
        deadline: Moment,
        /// How often it was killed.
        kills: u32,
        /// What follows.
        then: Then,
    },
    /// It failed; the next attempt comes later.
    Backoff {
        /// When.
        until: Moment,
    },
    /// It failed for good.
    Failed,
    /// It has done its work.
    Completed,
}

/// What follows a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Nothing.
    Rest,
    /// Another run.
    Start,
    /// Another run when what it requires is back.
    Wait,
}

/// Whether a unit should be up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// It should.
    Up,
    /// Nobody wants it; whoever requires it may.
    Down,
    /// An operator stopped it: nobody but an operator starts it again.
    Held,
}

/// Where a unit stands in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// It is configured.
    Configured,
    /// It vanished from the files and runs on; it is forgotten once it is at rest.
    Orphaned,
    /// It is being removed: stopped, and forgotten once it is at rest.
    Pruned,
}

/// What happens to a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// Nothing is in its way.
    Start,
    /// It should run, but this is in its way.
    Blocked(Obstacle),
    /// It is to stop, for this reason.
    Stop(Then, String),
    /// Nobody requires it any more.
    Free,
    /// It is to be killed at once.
    Kill,
    /// Its program runs.
    Started(u32),
    /// Its program could not be started.
    NotStarted(String),
    /// Its program has ended.
    Exited(Exit),
    /// Its deadline has come.
    Timeout,
}

/// What the supervisor must do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Spawn,
    Ask,
    Kill,
    /// It wants to run: see what is in its way.
    Revive,
    /// The whole instance is to end as its run has.
    Exit(Exit),
}

/// One supervised copy of a service.
#[derive(Debug, Clone)]
pub struct Unit {
    pub(crate) name: UnitName,
    pub(crate) state: State,
    pub(crate) since: Moment,
    pub(crate) why: String,
    /// While it waits: who is at the bottom of it, if that does not come of itself.
    pub(crate) in_vain: Option<String>,
    pub(crate) wanted: Wanted,
    /// A start was wished for when this run had ended: see [`Wish`](crate::Wish).
    pub(crate) beyond: u64,
    pub(crate) run: u64,
    /// The highest number that a run of this name ever had; none is used twice.
    pub(crate) highest: u64,
    pub(crate) pid: Option<u32>,
    pub(crate) started_at: Moment,
    /// The hash its current run was started with.
    pub(crate) spec_hash: u64,
    /// The run of which something is left.
    pub(crate) strays_of: Option<u64>,
    pub(crate) failures: u32,
    pub(crate) restarts: u64,
    pub(crate) short_runs: u32,
    pub(crate) last_exit: Option<LastExit>,
    pub(crate) place: Place,
    /// The chain that brought it into its state.
    pub(crate) trace: TraceId,
    starts: VecDeque<Moment>,
}

impl State {
    /// Returns the state's name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Waiting => "waiting",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Leaving { .. } | Self::Stopping { .. } => "stopping",
            Self::Backoff { .. } => "backoff",
            Self::Failed => "failed",
            Self::Completed => "completed",
        }
    }

    /// Returns the state as it stands in a sentence, after the name of the unit.
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::Stopped => "is stopped",
            Self::Waiting => "is waiting",
            Self::Starting => "is starting",
            Self::Running => "is running",
            Self::Leaving { .. } | Self::Stopping { .. } => "is stopping",
            Self::Backoff { .. } => "is between two attempts",
            Self::Failed => "has failed",
            Self::Completed => "has completed",
        }
    }

    /// Returns whether a process exists or is being made.
    pub const fn is_active(self) -> bool {
        matches!(
            self,
            Self::Starting | Self::Running | Self::Leaving { .. } | Self::Stopping { .. }
        )
    }
}

impl Unit {
    pub(crate) fn new(name: UnitName, highest: u64, now: Moment) -> Self {
        Self {
            name,
            state: State::Stopped,
            since: now,
            why: "it was never started".to_owned(),
            in_vain: None,
            wanted: Wanted::Down,
            beyond: 0,
            run: 0,
            highest,
            pid: None,
            started_at: now,
            spec_hash: 0,
            strays_of: None,
            failures: 0,
            restarts: 0,
            short_runs: 0,
            last_exit: None,
            place: Place::Configured,
            trace: TraceId::default(),
            starts: VecDeque::new(),
        }
    }

    /// Returns whether it should be up.
    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted == Wanted::Up
    }

    /// Returns whether an operator stopped it.
    pub(crate) fn is_held(&self) -> bool {
        self.wanted == Wanted::Held
    }

    /// Wants it up, which is no operator's wish.
    pub(crate) fn want_unless_held(&mut self) {
        if self.wanted == Wanted::Down {
            self.wanted = Wanted::Up;
        }
    }

    /// Wants it no more, which does not undo that an operator stopped it.
    pub(crate) fn want_no_more(&mut self) {
        if self.wanted == Wanted::Up {
            self.wanted = Wanted::Down;
        }
    }

    /// Returns whether its last runs were all too short.
    pub const fn is_degraded(&self) -> bool {
        self.short_runs >= DEGRADED_AFTER
    }

    /// Returns the chain that goes on with the next fact: of a start, a stop or a retry that is
    /// under way. What happens to a unit at rest, or to a program that just runs, begins its own.
    pub(crate) const fn chain(&self) -> Option<TraceId> {
        match self.state {
            State::Starting
            | State::Leaving { .. }
            | State::Stopping { .. }
            | State::Backoff { .. } => Some(self.trace),
            State::Stopped | State::Waiting | State::Running | State::Failed | State::Completed => {
                None
            }
        }
    }

    /// Returns when [`Event::Timeout`] is due.
    pub(crate) const fn deadline(&self) -> Option<Moment> {
        match self.state {
            State::Backoff { until } => Some(until),
            State::Stopping { deadline, .. } => Some(deadline),
            State::Stopped
            | State::Waiting
            | State::Starting
            | State::Running
            | State::Leaving { .. }
            | State::Failed
            | State::Completed => None,
        }
    }

    /// Returns what an agent writes on the current run.
    pub(crate) fn memo(&self) -> Memo {
        let stopping = matches!(self.state, State::Leaving { .. } | State::Stopping { .. });
        let starts = u32::try_from(self.starts.len()).unwrap_or(u32::MAX);
        let Self { failures, restarts, short_runs, .. } = *self;
        Memo { failures, restarts, short_runs, starts, stopping }
    }

    /// Goes on from what an earlier agent wrote. Its starts count as if they were of this moment:
    /// a limit may strike early after an agent's death, but never late.
    pub(crate) fn recall(&mut self, now: Moment, memo: Memo) {
        (self.failures, self.restarts) = (memo.failures, memo.restarts);
        self.short_runs = memo.short_runs;
        let starts = usize::try_from(memo.starts).unwrap_or_default().min(STARTS_RECALLED_MAX);
        self.starts = std::iter::repeat_n(now, starts).collect();
    }

    /// Forgets all failures.
    pub(crate) fn reset(&mut self) {
        (self.failures, self.restarts, self.short_runs) = (0, 0, 0);
        self.starts.clear();
    }

    /// Notes how a run ended of which nobody knew, and returns whether that is news. What followed
    /// from not knowing stays as it is.
    pub(crate) fn amend(&mut self, run: u64, exit: Exit) -> bool {
        if let Some(last) = &mut self.last_exit
            && last.run == run
        {
            let former = std::mem::replace(&mut last.exit, exit);
            let lived = last.lived;
            self.why = self.why.replace(&end_of(run, former, lived), &end_of(run, exit, lived));
            return former != exit;
        }
        run <= self.highest
    }

    /// Forgets that it failed for good.
    pub(crate) fn pardon(&mut self, now: Moment, why: &str) {
        self.reset();
        (self.state, self.since) = (State::Stopped, now);
        why.clone_into(&mut self.why);
    }
}

/// Returns how a run ended and how long it had lived, in words for people.
fn end_of(run: u64, exit: Exit, lived: Duration) -> String {
    let span = Span(lived);
    match exit {
        Exit::Code(_) | Exit::Signal(_) => format!("run {run} {exit} after {span}"),
        Exit::Unknown => format!("run {run} ended after {span}, and nobody could learn how"),
    }
}

/// Writes a span of time as people say it.
struct Span(Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() {
            0 => write!(f, "{} ms", self.0.as_millis()),
            seconds @ 1..120 => write!(f, "{seconds} s"),
            seconds @ 120..7200 => write!(f, "{} min", seconds / 60),
            seconds @ 7200..172_800 => write!(f, "{} h", seconds / 3600),
            seconds => write!(f, "{} days", seconds / 86_400),
        }
    }
}
