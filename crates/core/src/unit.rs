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
//! [`Unit::handle`] is the only way in. All arrows are arms of one `match`; a fact that comes late
//! changes nothing, and a wish that does not fit never gets here: the supervisor refuses it.

use std::{collections::VecDeque, time::Duration};

use crate::{
    effect::TraceId,
    exit::Exit,
    input::Memo,
    name::UnitName,
    policy::{self, Follow},
    service::Service,
    supervisor::{Chances, Obstacle},
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
}

/// One supervised copy of a service.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, none a hidden state")]
pub struct Unit {
    pub(crate) name: UnitName,
    pub(crate) state: State,
    pub(crate) since: Moment,
    pub(crate) why: String,
    /// While it waits: who is at the bottom of it, if that does not come of itself.
    pub(crate) in_vain: Option<String>,
    /// It should be up.
    pub(crate) wanted: bool,
    /// An operator stopped it: nobody but an operator starts it again.
    pub(crate) is_held: bool,
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
    pub(crate) is_orphaned: bool,
    pub(crate) is_pruned: bool,
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
            wanted: false,
            is_held: false,
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
            is_orphaned: false,
            is_pruned: false,
            trace: TraceId::default(),
            starts: VecDeque::new(),
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
            self.why = self.why.replace(&end_of(run, former), &end_of(run, exit));
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

    /// Moves to the next state and returns what must be done.
    #[expect(clippy::too_many_lines, reason = "one arrow of the picture, one arm")]
    #[expect(clippy::unnested_or_patterns, reason = "each line names states of one kind")]
    pub(crate) fn handle(
        &mut self,
        now: Moment,
        event: Event,
        service: &Service,
        chances: &mut Chances,
    ) -> Option<Act> {
        match (self.state, event) {
            (State::Stopped | State::Waiting | State::Failed | State::Completed, Event::Start) => {
                self.start(now, service)
            }
            (State::Backoff { .. }, Event::Start | Event::Timeout) => {
                Some(Act::Revive).filter(|_| self.to(now, State::Waiting, "it is about to start"))
            }
            (State::Stopped | State::Failed | State::Completed, Event::Blocked(obstacle)) => {
                self.wait(now, obstacle)
            }
            (State::Waiting, Event::Blocked(obstacle)) => self.wait(self.since, obstacle),

            (State::Starting, Event::Started(pid)) => {
                self.pid = Some(pid);
                self.rest(now, State::Running, "its program was started".to_owned())
            }
            (State::Starting, Event::NotStarted(why)) => {
                self.not_started(now, &why, service, chances)
            }
            (State::Starting | State::Running, Event::Exited(exit)) => {
                self.ended(now, exit, service, chances)
            }

            (State::Starting | State::Running, Event::Stop(then, why)) => {
                self.rest(now, State::Leaving { then }, why)
            }
            (
                State::Waiting | State::Backoff { .. } | State::Failed,
                Event::Stop(Then::Rest, why),
            ) => self.rest(now, State::Stopped, why),
            (
                State::Stopped | State::Completed | State::Failed | State::Backoff { .. },
                Event::Stop(Then::Start, _),
            ) => Some(Act::Revive),
            (State::Leaving { .. }, Event::Stop(then, why)) => {
                self.rest(now, State::Leaving { then }, why)
            }
            (State::Stopping { deadline, kills, .. }, Event::Stop(then, _)) => {
                self.state = State::Stopping { deadline, kills, then };
                None
            }
            (State::Stopping { deadline, kills, .. }, Event::Start) => {
                self.state = State::Stopping { deadline, kills, then: Then::Start };
                None
            }
            (State::Leaving { .. }, Event::Start) => {
                self.state = State::Leaving { then: Then::Start };
                None
            }

            (State::Leaving { then }, Event::Free) => Some(self.ask(now, then, service)),
            (State::Leaving { then } | State::Stopping { then, .. }, Event::Exited(exit)) => {
                self.left(now, exit, then)
            }
            (State::Leaving { then } | State::Stopping { then, .. }, Event::NotStarted(why)) => {
                self.gone(now, then, why)
            }
            (State::Stopping { kills, then, .. }, Event::Timeout) => {
                Some(self.kill(now, kills + 1, then, service))
            }
            (State::Stopping { kills, then, .. }, Event::Kill) => {
                Some(self.kill(now, kills + 1, then, service))
            }
            (State::Starting | State::Running, Event::Kill) => {
                Some(self.kill(now, 1, Then::Rest, service))
            }
            (State::Leaving { then }, Event::Kill) => Some(self.kill(now, 1, then, service)),
            (State::Leaving { .. } | State::Stopping { .. }, Event::Started(pid)) => {
                // The start was under way when the stop came: ask whom there is now.
                self.pid = Some(pid);
                self.repeat()
            }

            // Late or repeated facts, and wishes that are fulfilled already.
            (
                State::Stopped
                | State::Waiting
                | State::Failed
                | State::Completed
                | State::Backoff { .. },
                _,
            )
            | (State::Starting | State::Running | State::Leaving { .. }, _)
            | (State::Stopping { .. }, _) => None,
        }
    }

    /// Enters a state; always true, so that it can stand in a condition.
    fn to(&mut self, now: Moment, state: State, why: &str) -> bool {
        (self.state, self.since) = (state, now);
        why.clone_into(&mut self.why);
        true
    }

    fn rest(&mut self, now: Moment, state: State, why: String) -> Option<Act> {
        (self.state, self.since, self.why) = (state, now, why);
        None
    }

    fn wait(&mut self, since: Moment, obstacle: Obstacle) -> Option<Act> {
        self.in_vain = obstacle.in_vain;
        self.rest(since, State::Waiting, obstacle.why)
    }

    fn start(&mut self, now: Moment, service: &Service) -> Option<Act> {
        let window = service.restart.within;
        while self.starts.front().is_some_and(|start| now.since(*start) > window) {
            self.starts.pop_front();
        }
        let limit = usize::try_from(service.restart.limit).unwrap_or(usize::MAX);
        if limit > 0 && self.starts.len() >= limit {
            let seconds = window.as_secs();
            let why =
                format!("it was started {limit} times within {seconds} s; `reset` tries again");
            return self.rest(now, State::Failed, why);
        }
        if limit > 0 {
            self.starts.push_back(now);
        }
        self.run = self.run.max(self.highest) + 1;
        self.highest = self.run;
        (self.started_at, self.spec_hash, self.pid) = (now, service.spec_hash, None);
        self.to(now, State::Starting, "its program is being started");
        Some(Act::Spawn)
    }

    fn note_exit(&mut self, now: Moment, exit: Exit) -> Duration {
        let lived = now.since(self.started_at);
        self.last_exit = Some(LastExit { run: self.run, exit, at: now, lived });
        self.pid = None;
        lived
    }

    fn ended(
        &mut self,
        now: Moment,
        exit: Exit,
        service: &Service,
        chances: &mut Chances,
    ) -> Option<Act> {
        let lived = self.note_exit(now, exit);
        if lived >= service.restart.reset_after {
            self.reset_after_good_run();
        } else {
            self.short_runs = self.short_runs.saturating_add(1);
        }
        let told = format!("{} after {}", end_of(self.run, exit), Lived(lived));
        match policy::follow(service, exit) {
            Follow::Restart => self.retry(now, told, service, chances),
            Follow::Rest => {
                self.wanted = false;
                self.rest(now, State::Stopped, told)
            }
            Follow::Complete => self.rest(now, State::Completed, told),
            Follow::Fail => self.rest(now, State::Failed, told),
        }
    }

    fn reset_after_good_run(&mut self) {
        (self.failures, self.short_runs) = (0, 0);
        self.starts.clear();
    }

    fn not_started(
        &mut self,
        now: Moment,
        why: &str,
        service: &Service,
        chances: &mut Chances,
    ) -> Option<Act> {
        self.pid = None;
        self.short_runs = self.short_runs.saturating_add(1);
        let told = format!("run {} was not started: {why}", self.run);
        self.retry(now, told, service, chances)
    }

    fn retry(
        &mut self,
        now: Moment,
        why: String,
        service: &Service,
        chances: &mut Chances,
    ) -> Option<Act> {
        let delay = service.restart.delay(self.failures, chances.jitter());
        self.failures = self.failures.saturating_add(1);
        self.restarts = self.restarts.saturating_add(1);
        if delay.is_zero() {
            self.rest(now, State::Waiting, why);
            return Some(Act::Revive);
        }
        self.rest(now, State::Backoff { until: now + delay }, why)
    }

    fn ask(&mut self, now: Moment, then: Then, service: &Service) -> Act {
        let deadline = now + service.stop.timeout;
        self.state = State::Stopping { deadline, kills: 0, then };
        self.since = now;
        Act::Ask
    }

    /// Returns what the process that is there now was meant to get before it was there.
    const fn repeat(&self) -> Option<Act> {
        match self.state {
            State::Stopping { kills: 0, .. } => Some(Act::Ask),
            State::Stopping { .. } => Some(Act::Kill),
            State::Leaving { .. }
            | State::Stopped
            | State::Waiting
            | State::Starting
            | State::Running
            | State::Backoff { .. }
            | State::Failed
            | State::Completed => None,
        }
    }

    /// Kills, and keeps killing: a program in uninterruptible sleep survives the first attempt.
    fn kill(&mut self, now: Moment, kills: u32, then: Then, service: &Service) -> Act {
        let deadline = now + service.stop.kill_again;
        if kills == 2 {
            self.why.push_str("; it survives SIGKILL, so the system holds it");
        }
        self.state = State::Stopping { deadline, kills, then };
        Act::Kill
    }

    fn left(&mut self, now: Moment, exit: Exit, then: Then) -> Option<Act> {
        let lived = self.note_exit(now, exit);
        let told = format!("{}; {} after {}", self.why, end_of(self.run, exit), Lived(lived));
        self.gone(now, then, told)
    }

    fn gone(&mut self, now: Moment, then: Then, told: String) -> Option<Act> {
        self.pid = None;
        match then {
            // Nothing but an operator's wish brings back what an operator stopped.
            Then::Start | Then::Wait if !self.wanted => self.rest(now, State::Stopped, told),
            Then::Rest => self.rest(now, State::Stopped, told),
            Then::Start | Then::Wait => {
                self.rest(now, State::Waiting, told);
                Some(Act::Revive)
            }
        }
    }
}

/// Returns how a run ended, in words for people.
fn end_of(run: u64, exit: Exit) -> String {
    format!("run {run} {exit}")
}

/// Writes how long a run lived, as people say it.
pub(crate) struct Lived(pub(crate) Duration);

impl std::fmt::Display for Lived {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.as_secs() {
            0 => write!(f, "{} ms", self.0.as_millis()),
            seconds @ 1..120 => write!(f, "{seconds} s"),
            seconds @ 120..7200 => write!(f, "{} min", seconds / 60),
            seconds @ 7200..172_800 => write!(f, "{} h", seconds / 3600),
            seconds => write!(f, "{} days", seconds / 86_400),
        }
    }
}
