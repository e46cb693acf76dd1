//! The life of a service as its manager sees it: orders and results in, reports and calls out.
//!
//! ```text
//! starting ──started──▶ running ◀──▶ reloading
//!     │                    │ ▲──cannot── leaving ──stopped──▶ ended
//!     └───────stop─────────┴──▶ stopping ──stopped──▶ ended
//!     start failed, or it ended by itself ─────────────▲
//! ```
//!
//! A stop that comes while `start` still runs is carried out after it. What comes too late is
//! ignored. It reads no clock: moments are arguments.

use std::time::Duration;

use mainstay_platform::desk::{Exit, Order, Report, Stage};

use crate::{Failure, StopReason};

/// How often something that takes its time says that it goes on.
pub(crate) const TICK: Duration = Duration::from_secs(1);
/// More than a tick, so that a late one is none too late.
const SLACK: Duration = Duration::from_secs(2);

/// Something that happened.
#[derive(Debug)]
pub(crate) enum Input {
    /// The system asks for something.
    Order(Order),
    /// [`Call::Start`] is done.
    Started(Result<(), Failure>),
    /// [`Call::Reload`] is done.
    Reloaded(Result<(), Failure>),
    /// [`Call::Stop`] is done.
    Stopped(Result<(), Failure>),
    /// The service ended by itself.
    Ended(Result<(), Failure>),
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// The manager is to be told.
    Report(Report),
    /// A method of the service is to be called, after those before it.
    Call(Call),
    /// Somebody is to read what went wrong, and why.
    Tell(&'static str, Failure),
}

/// A method of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Start,
    Reload,
    Resume,
    Stop(StopReason),
}

/// Where the service is.
#[derive(Debug)]
pub(crate) struct Life {
    stage: Stage,
    checkpoint: u32,
    /// When the next sign of life is due, while something is pending.
    tick_at: Option<Duration>,
    /// How long a stop may take.
    patience: Duration,
    /// When the stop should be over.
    until: Duration,
}

impl Life {
    /// Begins a life, and says what to do first.
    pub(crate) fn begin(now: Duration, patience: Duration) -> (Self, Vec<Action>) {
        let mut life =
            Self { stage: Stage::Starting, checkpoint: 0, tick_at: None, patience, until: now };
        let actions = vec![life.enter(now, Stage::Starting), Action::Call(Call::Start)];
        (life, actions)
    }

    /// Returns when [`tick`](Self::tick) is due.
    pub(crate) const fn tick_at(&self) -> Option<Duration> {
        self.tick_at
    }

    /// Returns how it ended.
    pub(crate) const fn ended(&self) -> Option<Exit> {
        match self.stage {
            Stage::Ended(exit) => Some(exit),
            Stage::Starting
            | Stage::Running
            | Stage::Reloading
            | Stage::Stopping
            | Stage::Leaving => None,
        }
    }

    /// Says that what is pending goes on.
    pub(crate) fn tick(&mut self, now: Duration) -> Vec<Action> {
        if self.tick_at.is_none_or(|at| now < at) {
            return Vec::new();
        }
        self.checkpoint += 1;
        self.tick_at = Some(now + TICK);
        vec![Action::Report(self.report(now))]
    }

    /// Takes note of something that happened.
    pub(crate) fn handle(&mut self, now: Duration, input: Input) -> Vec<Action> {
        match (self.stage, input) {
            (Stage::Ended(_), _) => Vec::new(),
            (_, Input::Order(order)) => self.obey(now, order),
            (Stage::Starting, Input::Started(Ok(()))) => vec![self.enter(now, Stage::Running)],
            (_, Input::Started(Err(failure))) => self.fail(now, "it does not start", failure),
            (_, Input::Ended(Err(failure))) => self.fail(now, "it has ended", failure),
            (_, Input::Ended(Ok(()))) => vec![self.enter(now, Stage::Ended(Exit::Done))],
            (Stage::Reloading, Input::Reloaded(result)) => {
                let running = self.enter(now, Stage::Running);
                let told = result.err().map(|why| Action::Tell("it runs on as it was", why));
                told.into_iter().chain([running]).collect()
            }
            (Stage::Stopping | Stage::Leaving, Input::Stopped(Ok(()))) => {
                vec![self.enter(now, Stage::Ended(Exit::Done))]
            }
            (Stage::Leaving, Input::Stopped(Err(why))) => {
                let running = self.enter(now, Stage::Running);
                vec![Action::Tell("it does not leave", why), running]
            }
            (Stage::Stopping, Input::Stopped(Err(failure))) => {
                self.fail(now, "it does not stop as it should", failure)
            }
            // It was told to stop meanwhile, and will say so when it has.
            (Stage::Stopping | Stage::Leaving, Input::Started(Ok(())) | Input::Reloaded(_)) => {
                Vec::new()
            }
            // Answers to calls that were not made.
            (Stage::Running | Stage::Reloading, Input::Started(Ok(())))
            | (Stage::Starting | Stage::Running, Input::Reloaded(_))
            | (Stage::Starting | Stage::Running | Stage::Reloading, Input::Stopped(_)) => {
                Vec::new()
            }
        }
    }

    fn obey(&mut self, now: Duration, order: Order) -> Vec<Action> {
        match (self.stage, order) {
            (Stage::Running, Order::Reload) => {
                vec![self.enter(now, Stage::Reloading), Action::Call(Call::Reload)]
            }
            (Stage::Running, Order::Resumed) => vec![Action::Call(Call::Resume)],
            (Stage::Stopping | Stage::Leaving | Stage::Ended(_), _) => Vec::new(),
            (_, Order::Stop) => self.stop(now, StopReason::Asked),
            (_, Order::ShutDown) => self.stop(now, StopReason::ShutDown),
            (_, Order::Leave) => self.stop(now, StopReason::Left),
            // It reads its configuration and opens its connections anyway.
            (Stage::Starting | Stage::Reloading, Order::Reload | Order::Resumed) => Vec::new(),
        }
    }

    fn stop(&mut self, now: Duration, reason: StopReason) -> Vec<Action> {
        self.until = now + self.patience;
        let stage = match reason {
            StopReason::Left => Stage::Leaving,
            StopReason::Asked | StopReason::ShutDown => Stage::Stopping,
        };
        vec![self.enter(now, stage), Action::Call(Call::Stop(reason))]
    }

    fn fail(&mut self, now: Duration, what: &'static str, failure: Failure) -> Vec<Action> {
        let end = self.enter(now, Stage::Ended(failure.exit()));
        vec![Action::Tell(what, failure), end]
    }

    fn enter(&mut self, now: Duration, stage: Stage) -> Action {
        self.stage = stage;
        let is_pending = matches!(stage, Stage::Starting | Stage::Stopping | Stage::Leaving);
        self.checkpoint = u32::from(is_pending);
        self.tick_at = is_pending.then_some(now + TICK);
        Action::Report(self.report(now))
    }

    fn report(&self, now: Duration) -> Report {
        let wait_hint = match self.stage {
            Stage::Starting => TICK + SLACK,
            Stage::Stopping | Stage::Leaving => self.until.saturating_sub(now).max(TICK) + SLACK,
            Stage::Running | Stage::Reloading | Stage::Ended(_) => Duration::ZERO,
        };
        Report { stage: self.stage, checkpoint: self.checkpoint, wait_hint }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn life() -> Life {
        Life::begin(Duration::ZERO, 30 * SECOND).0
    }

    fn running() -> Life {
        let mut life = life();
        life.handle(SECOND, Input::Started(Ok(())));
        life
    }

    /// Stage, checkpoint and hint in seconds of what is reported.
    fn reports(actions: &[Action]) -> Vec<(Stage, u32, u64)> {
        let report = |action: &Action| match action {
            Action::Report(report) => {
                Some((report.stage, report.checkpoint, report.wait_hint.as_secs()))
            }
            Action::Call(_) | Action::Tell(..) => None,
        };
        actions.iter().filter_map(report).collect()
    }

    fn calls(actions: &[Action]) -> Vec<Call> {
        let call = |action: &Action| match action {
            Action::Call(call) => Some(*call),
            Action::Report(_) | Action::Tell(..) => None,
        };
        actions.iter().filter_map(call).collect()
    }

    #[test]
    fn a_slow_start_says_each_second_that_it_goes_on() {
        let (mut life, first) = Life::begin(Duration::ZERO, 30 * SECOND);
        assert_eq!(reports(&first), [(Stage::Starting, 1, 3)]);
        assert_eq!(calls(&first), [Call::Start]);
        assert!(life.tick(SECOND / 2).is_empty());
        assert_eq!(reports(&life.tick(SECOND)), [(Stage::Starting, 2, 3)]);
        assert_eq!(reports(&life.tick(2 * SECOND)), [(Stage::Starting, 3, 3)]);
        let started = life.handle(3 * SECOND, Input::Started(Ok(())));
        assert_eq!(reports(&started), [(Stage::Running, 0, 0)]);
        assert_eq!(life.tick_at(), None);
    }

    #[test]
    fn a_stop_ticks_until_everything_has_ended_however_long_that_takes() {
        let mut life = running();
        let stop = life.handle(10 * SECOND, Input::Order(Order::Stop));
        assert_eq!(reports(&stop), [(Stage::Stopping, 1, 32)]);
        assert_eq!(calls(&stop), [Call::Stop(StopReason::Asked)]);
        assert_eq!(reports(&life.tick(30 * SECOND)), [(Stage::Stopping, 2, 12)]);
        assert_eq!(reports(&life.tick(50 * SECOND)), [(Stage::Stopping, 3, 3)]);
        let ended = life.handle(51 * SECOND, Input::Stopped(Ok(())));
        assert_eq!(reports(&ended), [(Stage::Ended(Exit::Done), 0, 0)]);
        assert_eq!(life.ended(), Some(Exit::Done));
    }

    #[test]
    fn whoever_is_to_leave_ends_without_a_failure() {
        let mut life = running();
        let leave = life.handle(10 * SECOND, Input::Order(Order::Leave));
        assert_eq!(calls(&leave), [Call::Stop(StopReason::Left)]);
        let ended = life.handle(11 * SECOND, Input::Stopped(Ok(())));
        assert_eq!(reports(&ended), [(Stage::Ended(Exit::Done), 0, 0)]);
    }

    #[test]
    fn whoever_cannot_leave_runs_on_and_can_be_stopped() {
        let mut life = running();
        let leave = life.handle(10 * SECOND, Input::Order(Order::Leave));
        assert_eq!(reports(&leave), [(Stage::Leaving, 1, 32)]);
        assert_eq!(reports(&life.tick(11 * SECOND)), [(Stage::Leaving, 2, 31)]);
        let why = Failure::own(1, "there is no agent");
        let refused = life.handle(12 * SECOND, Input::Stopped(Err(why.clone())));
        assert_eq!(refused.first(), Some(&Action::Tell("it does not leave", why)));
        assert_eq!(reports(&refused), [(Stage::Running, 0, 0)]);
        let stop = life.handle(13 * SECOND, Input::Order(Order::Stop));
        assert_eq!(calls(&stop), [Call::Stop(StopReason::Asked)]);
    }

    #[test]
    fn a_stop_during_the_start_comes_after_it_and_only_once() {
        let mut life = life();
        let stop = life.handle(SECOND, Input::Order(Order::ShutDown));
        assert_eq!(calls(&stop), [Call::Stop(StopReason::ShutDown)]);
        assert!(life.handle(2 * SECOND, Input::Order(Order::Stop)).is_empty());
        assert!(life.handle(2 * SECOND, Input::Started(Ok(()))).is_empty());
        let ended = life.handle(3 * SECOND, Input::Stopped(Ok(())));
        assert_eq!(reports(&ended), [(Stage::Ended(Exit::Done), 0, 0)]);
    }

    #[test]
    fn a_failed_start_ends_with_its_own_number_and_says_why() {
        let mut life = life();
        let failed = life.handle(SECOND, Input::Started(Err(Failure::own(78, "no file"))));
        let why = Failure::own(78, "no file");
        assert_eq!(failed.first(), Some(&Action::Tell("it does not start", why)));
        assert_eq!(reports(&failed), [(Stage::Ended(Exit::Own(78)), 0, 0)]);
    }

    #[test]
    fn a_reload_that_fails_is_told_and_the_service_runs_on() {
        let mut life = running();
        let reload = life.handle(SECOND, Input::Order(Order::Reload));
        assert_eq!(calls(&reload), [Call::Reload]);
        assert_eq!(reports(&reload), [(Stage::Reloading, 0, 0)]);
        let failed = life.handle(SECOND, Input::Reloaded(Err(Failure::own(1, "bad line 3"))));
        let why = Failure::own(1, "bad line 3");
        assert_eq!(failed.first(), Some(&Action::Tell("it runs on as it was", why)));
        assert_eq!(reports(&failed), [(Stage::Running, 0, 0)]);
    }

    #[test]
    fn what_ends_by_itself_is_not_stopped_any_more() {
        let mut life = running();
        let ended = life.handle(SECOND, Input::Ended(Err(Failure::own(7, "gone"))));
        assert_eq!(reports(&ended), [(Stage::Ended(Exit::Own(7)), 0, 0)]);
        assert!(life.handle(SECOND, Input::Order(Order::Stop)).is_empty());
        assert!(life.tick(60 * SECOND).is_empty());
    }
}
