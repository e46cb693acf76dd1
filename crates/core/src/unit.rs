//! One supervised copy of a service, from start to rest.
//!
//! ```text
//!             Start             hook ended           Started             ready
//!   Stopped ─────────► Preparing ────────► Starting ────────► Settling ───────► Running
//!      ▲  │ Blocked        │                  │ Exited,          │ Exited, late,    │ Exited, unwell
//!      │  ▼                │ hook failed      │ NotStarted       │ unwell           │
//!      │ Waiting ─Start─┐  └──────────► Backoff ◄────────────────┴──────────────────┘
//!      │                ▼                  │ limit               (what is unwell is stopped first)
//!      │          Preparing, Starting    Failed
//!      │
//!      │   Stop             dependants gone          hook ended          Exited
//!   Settling, Running ──► Leaving ──► Parting ──────────────► Stopping ────────► Stopped, Waiting,
//!                                     (before-stop)             ▲  │ Timeout     Failed, Completed
//!                                                               └──┘ (kill, kill again)
//!
//!   Running ──Pause──► Paused ──Resume──► Running             (a stop lets its program go on first)
//! ```
//!
//! States without their hook or condition are passed in the same step. `Unit::handle` is the only
//! way in. Every arrow is an arm; a fact that comes late changes nothing, and a wish that does not
//! fit never gets here: the supervisor refuses it.

mod arrows;
mod beside;
mod care;
mod handover;
mod look;
mod pause;
mod reload;
mod vitals;

use std::{collections::VecDeque, fmt, time::Duration};

pub(crate) use self::beside::{Beside, Call, timeout_of};
pub use self::look::Verdict;
pub(crate) use self::vitals::settles;
use self::{reload::Reload, vitals::Vitals};
use crate::{
    effect::TraceId,
    exit::Exit,
    hook::Hook,
    input::{Blame, HookEnd, Memo, Notice, Outcome, Probe, Reached},
    name::{ServiceName, UnitName},
    service::{Care, Service},
    supervisor::{Haste, Obstacle},
    time::Moment,
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
    /// What has to be done before its program starts is being done.
    Preparing,
    /// Its program is being started.
    Starting,
    /// Its program runs and is not ready yet.
    Settling {
        /// When it is stopped for that, unless it waits for what is behind it alone. That has no
        /// limit; nobody waits for it any more who need not.
        until: Option<Moment>,
    },
    /// Its program runs and is ready.
    Running,
    /// Its program is frozen, because an operator wants that.
    Paused,
    /// It is to stop once nobody requires it any more.
    Leaving {
        /// What follows.
        then: Then,
    },
    /// What has to be done before it is asked to leave is being done.
    Parting {
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
    /// Another attempt, because it was not well.
    Retry,
    /// Another attempt, because it hung.
    Hang,
    /// Nothing: it was not well, and is given up.
    Fail,
    /// Whatever its exit says: nobody asked it to leave.
    Itself,
    /// Whatever its exit says, and another run even if that says to rest: it was wished for.
    ItselfThenStart,
}

impl Then {
    /// Returns whether nobody asked for the end.
    pub(crate) const fn is_by_itself(self) -> bool {
        matches!(self, Self::Itself | Self::ItselfThenStart)
    }
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
    /// It is to read its configuration anew.
    Reload,
    /// Its program is to be frozen.
    Pause,
    /// Its program is to go on, for this reason.
    Resume(String),
}

/// What happens beside its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Aside {
    /// It says something of itself.
    Noticed(Notice),
    /// A look came to its end.
    Probed(Probe, Outcome),
    /// A command beside it came to its end.
    HookEnded(Hook, u64, HookEnd),
    /// A segment of its log was closed.
    Rotated,
    /// The machine woke up.
    Woke,
}

/// Something that a unit meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Met {
    Event(Event),
    Aside(Aside),
}

impl From<Event> for Met {
    fn from(event: Event) -> Self {
        Self::Event(event)
    }
}

impl From<Aside> for Met {
    fn from(aside: Aside) -> Self {
        Self::Aside(aside)
    }
}

/// What the supervisor must do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Spawn,
    Ask,
    Abort,
    Kill,
    /// It wants to run: see what is in its way.
    Revive,
    /// The whole instance is to end as its run has.
    Exit(Exit),
}

/// What its current run has said once and for all, perhaps before its start was told.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Said {
    pub(crate) ready: bool,
    /// That it leaves by itself.
    pub(crate) leaves: bool,
    pub(crate) alive_every: Option<Duration>,
    /// That its start takes until then.
    pub(crate) settles_until: Option<Moment>,
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
    /// While it waits: the service that is in its way, if it is one.
    pub(crate) waits_for: Option<ServiceName>,
    pub(crate) wanted: Wanted,
    /// A start was wished for when this run had ended: see [`Wish`](crate::Wish).
    pub(crate) beyond: u64,
    pub(crate) run: u64,
    /// The highest number that a run of this name ever had; none is used twice.
    pub(crate) highest: u64,
    pub(crate) pid: Option<u32>,
    pub(crate) started_at: Moment,
    /// When its current run was ready, if it was.
    pub(crate) ready_at: Option<Moment>,
    /// How its current run is looked after, if anybody has to.
    pub(crate) vitals: Option<Box<Vitals>>,
    pub(crate) said: Said,
    /// The hook after its start was there when its current run began, and was not ordered yet.
    pub(crate) owes_after_start: bool,
    pub(crate) beside: Beside,
    pub(crate) reload: Reload,
    /// When [`Event::Timeout`] is due, as the supervisor has noted it.
    pub(crate) scheduled: Option<Moment>,
    /// The hash its current run was started with.
    pub(crate) spec_hash: u64,
    /// The run of which something is left.
    pub(crate) strays_of: Option<u64>,
    pub(crate) failures: u32,
    pub(crate) restarts: u64,
    /// Its next start is one again, after an end or in vain.
    retries: bool,
    pub(crate) short_runs: u32,
    pub(crate) last_exit: Option<LastExit>,
    pub(crate) place: Place,
    /// Whether its next start waits for those of others.
    pub(crate) haste: Haste,
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
            Self::Preparing | Self::Starting | Self::Settling { .. } => "starting",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Leaving { .. } | Self::Parting { .. } | Self::Stopping { .. } => "stopping",
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
            Self::Preparing | Self::Starting | Self::Settling { .. } => "is starting",
            Self::Running => "is running",
            Self::Paused => "is paused",
            Self::Leaving { .. } | Self::Parting { .. } | Self::Stopping { .. } => "is stopping",
            Self::Backoff { .. } => "is between two attempts",
            Self::Failed => "has failed",
            Self::Completed => "has completed",
        }
    }

    /// Returns whether a process exists or is being made.
    pub const fn is_active(self) -> bool {
        match self {
            Self::Preparing
            | Self::Starting
            | Self::Settling { .. }
            | Self::Running
            | Self::Paused
            | Self::Leaving { .. }
            | Self::Parting { .. }
            | Self::Stopping { .. } => true,
            Self::Stopped
            | Self::Waiting
            | Self::Backoff { .. }
            | Self::Failed
            | Self::Completed => false,
        }
    }

    /// Returns whether it is on its way down, and to what.
    pub(crate) const fn then(self) -> Option<Then> {
        match self {
            Self::Leaving { then } | Self::Parting { then } | Self::Stopping { then, .. } => {
                Some(then)
            }
            Self::Stopped
            | Self::Waiting
            | Self::Preparing
            | Self::Starting
            | Self::Settling { .. }
            | Self::Running
            | Self::Paused
            | Self::Backoff { .. }
            | Self::Failed
            | Self::Completed => None,
        }
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
            waits_for: None,
            wanted: Wanted::Down,
            beyond: 0,
            run: 0,
            highest,
            pid: None,
            started_at: now,
            ready_at: None,
            vitals: None,
            said: Said::default(),
            owes_after_start: false,
            beside: Beside::default(),
            reload: Reload::Idle,
            scheduled: None,
            spec_hash: 0,
            strays_of: None,
            failures: 0,
            restarts: 0,
            retries: false,
            short_runs: 0,
            last_exit: None,
            place: Place::Configured,
            haste: Haste::None,
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
            State::Preparing
            | State::Starting
            | State::Settling { .. }
            | State::Leaving { .. }
            | State::Parting { .. }
            | State::Stopping { .. }
            | State::Backoff { .. } => Some(self.trace),
            State::Stopped
            | State::Waiting
            | State::Running
            | State::Paused
            | State::Failed
            | State::Completed => None,
        }
    }

    /// Returns when [`Event::Timeout`] is due.
    pub(crate) fn deadline(&self, service: &Service) -> Option<Moment> {
        let vitals = self.vitals.as_ref().filter(|_| self.state != State::Paused);
        let vitals = vitals.and_then(|vitals| vitals.deadline(&service.care));
        self.state_deadline().into_iter().chain(vitals).chain(self.beside.deadline()).min()
    }

    /// Returns when its state ends by itself.
    pub(crate) const fn state_deadline(&self) -> Option<Moment> {
        match self.state {
            State::Backoff { until } => Some(until),
            State::Settling { until } => until,
            State::Stopping { deadline, .. } => Some(deadline),
            State::Running => self.reload.deadline(),
            State::Stopped
            | State::Waiting
            | State::Preparing
            | State::Starting
            | State::Paused
            | State::Leaving { .. }
            | State::Parting { .. }
            | State::Failed
            | State::Completed => None,
        }
    }

    /// Returns whether its run is not ready for what is behind it alone.
    pub(crate) fn waits_for_others(&self, care: &Care) -> bool {
        let is_settling = matches!(self.state, State::Settling { .. });
        is_settling && self.vitals.as_ref().is_some_and(|vitals| vitals.has_done_its_part(care))
    }

    /// Returns what an agent writes on the current run.
    pub(crate) fn memo(&self, service: &Service) -> Memo {
        let then = self.state.then();
        let (stopping, blame) = match then {
            Some(Then::Retry) => (false, Some(Blame::Retry)),
            Some(Then::Hang) => (false, Some(Blame::Hang)),
            Some(Then::Fail) => (false, Some(Blame::Fail)),
            Some(Then::Rest | Then::Start | Then::Wait) => (true, None),
            Some(Then::Itself | Then::ItselfThenStart) | None => (false, None),
        };
        let starts = u32::try_from(self.starts.len()).unwrap_or(u32::MAX);
        let Self { failures, restarts, short_runs, .. } = *self;
        let owes_after_start = self.owes_after_start || self.beside.is_to_come(Hook::AfterStart);
        Memo {
            failures,
            restarts,
            short_runs,
            starts,
            stopping,
            pardoned: false,
            reached: self.reached(&service.care),
            blame,
            bad: self.bad(),
            checks: vitals::fingerprint(&service.care),
            hung: self.vitals.as_ref().is_some_and(|vitals| vitals.is_hung()),
            said_ready: self.said.ready,
            alive_every: self.said.alive_every,
            owes_after_start: owes_after_start && then.is_none(),
            paused_after: self.paused_after(),
            reloads_within: self.reload.deadline().map(|until| until.since(self.started_at)),
        }
    }

    fn reached(&self, care: &Care) -> Reached {
        let ready_after = self.ready_at.map(|at| at.since(self.started_at));
        match (self.state, ready_after) {
            (State::Stopping { then, deadline, .. }, ready_after) if then.is_by_itself() => {
                let after = self.since.since(self.started_at);
                Reached::Leaving { ready_after, after, within: deadline.since(self.since) }
            }
            _ if !settles(care) => Reached::Started,
            (_, Some(after)) => Reached::Ready { after },
            (State::Settling { until: Some(until) }, None) => {
                Reached::Settling { within: until.since(self.since) }
            }
            (_, None) => Reached::Settling { within: care.ready.timeout },
        }
    }

    /// Returns the checks that are bad, a bit for each place.
    pub(crate) fn bad(&self) -> u64 {
        self.vitals.as_ref().map_or(0, |vitals| vitals.bad())
    }

    /// Returns whether nobody may rely on it although it runs.
    pub(crate) fn is_unready(&self, service: &Service) -> bool {
        self.vitals.as_ref().is_some_and(|vitals| vitals.is_unready(&service.care))
    }

    /// Goes on from what an earlier agent wrote. Its starts count as if they were of this moment:
    /// a limit may strike early after an agent's death, but never late.
    pub(crate) fn recall(&mut self, now: Moment, memo: Memo) {
        (self.failures, self.restarts) = (memo.failures, memo.restarts);
        (self.short_runs, self.owes_after_start) = (memo.short_runs, memo.owes_after_start);
        let starts = usize::try_from(memo.starts).unwrap_or_default().min(STARTS_RECALLED_MAX);
        self.starts = std::iter::repeat_n(now, starts).collect();
    }

    /// Forgets all failures.
    pub(crate) fn reset(&mut self) {
        (self.failures, self.restarts, self.short_runs) = (0, 0, 0);
        self.retries = false;
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
