//! An agent without a keeper: how the next one comes about. Decisions only.
//!
//! ```text
//! of an instance:  lost ──nobody has the lock──▶ starts a keeper ──20 s──▶ gives up
//! of a service:    lost ──2 s──▶ asks the manager ──started, or not now──▶ asks again
//!                                     │ refused, disabled, removed           │ 60 s
//!                                     ▼                                      ▼
//!                                  stops its programs under a keeper of its own
//! ```
//!
//! A keeper that is no process of the service's manager cannot be told to stop by it: nobody could
//! end the programs any more. Therefore the manager starts the keeper, or the programs end. Its own
//! failure actions come first, so that both do not race.

use std::time::Duration;

use mainstay_platform::scm::code;

/// How long a keeper may be gone before the agent gives up.
const KEEPER_WITHIN: Duration = Duration::from_secs(20);
/// The manager's first failure action comes after a second; later ones take longer than programs
/// should wait for somebody who reads what they write.
const ACTIONS_WITHIN: Duration = Duration::from_secs(2);
/// How long a service that was started may take before it is asked for again.
const STARTED_WITHIN: Duration = Duration::from_secs(5);
/// When a manager that cannot say is asked again.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How long a service may be without a keeper before its programs are stopped.
const SERVICE_WITHIN: Duration = Duration::from_mins(1);

/// Who starts keepers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Starter {
    /// The agent.
    Agent,
    /// The manager of services.
    Manager,
}

/// What is to be done now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing: a keeper may come.
    Wait,
    /// A keeper is to be started.
    StartKeeper,
    /// The manager is to be asked for the service.
    AskManager,
    /// The programs are to be stopped, under a keeper that is started here.
    StopPrograms(String),
    /// There is nothing left to try.
    GiveUp,
}

/// What the manager has said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The service starts.
    Comes,
    /// It cannot say now.
    Later,
    /// It will never start it, and why.
    Never(String),
}

/// An agent without a keeper.
#[derive(Debug)]
pub(crate) struct Orphan {
    since: Duration,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nobody is asked before this.
    Looking { starter: Starter, ask_at: Duration },
    /// The manager was asked and has not answered.
    Asked,
    /// The manager has refused.
    Refused(String),
    /// A keeper was started, and should be here by then.
    Started { until: Duration },
}

impl Orphan {
    pub(crate) fn new(now: Duration, starter: Starter) -> Self {
        let patience = match starter {
            Starter::Agent => Duration::ZERO,
            Starter::Manager => ACTIONS_WITHIN,
        };
        Self { since: now, state: State::Looking { starter, ask_at: now + patience } }
    }

    /// Says what to do; `is_free` says whether nobody has the keeper's lock.
    pub(crate) fn step(&mut self, now: Duration, is_free: impl Fn() -> bool) -> Step {
        let age = now.saturating_sub(self.since);
        match &self.state {
            State::Looking { starter: Starter::Agent, .. } if is_free() => {
                self.started(now);
                Step::StartKeeper
            }
            State::Looking { starter: Starter::Agent, .. } if age > KEEPER_WITHIN => Step::GiveUp,
            State::Looking { starter: Starter::Manager, .. } | State::Asked
                if age > SERVICE_WITHIN =>
            {
                self.too_late(now, is_free)
            }
            State::Looking { starter: Starter::Manager, ask_at } if now >= *ask_at && is_free() => {
                self.state = State::Asked;
                Step::AskManager
            }
            State::Refused(reason) => {
                let reason = reason.clone();
                self.started(now);
                Step::StopPrograms(reason)
            }
            State::Started { until } if now > *until => Step::GiveUp,
            State::Looking { .. } | State::Asked | State::Started { .. } => Step::Wait,
        }
    }

    /// Takes note of what the manager says to [`Step::AskManager`].
    pub(crate) fn answered(&mut self, now: Duration, answer: Answer) {
        let State::Asked = self.state else { return };
        let after = |wait| State::Looking { starter: Starter::Manager, ask_at: now + wait };
        self.state = match answer {
            Answer::Comes => after(STARTED_WITHIN),
            Answer::Later => after(ASK_AGAIN_AFTER),
            Answer::Never(reason) => State::Refused(reason),
        };
    }

    /// A keeper that is there and does not answer can still be ended by the manager.
    fn too_late(&mut self, now: Duration, is_free: impl Fn() -> bool) -> Step {
        if !is_free() {
            return Step::GiveUp;
        }
        self.started(now);
        Step::StopPrograms("no keeper has come within a minute".to_owned())
    }

    fn started(&mut self, now: Duration) {
        self.state = State::Started { until: now + KEEPER_WITHIN };
    }
}

impl From<std::io::Result<()>> for Answer {
    fn from(started: std::io::Result<()>) -> Self {
        match started.map_err(|error| (error.raw_os_error(), error)) {
            Ok(()) | Err((Some(code::ALREADY_RUNNING), _)) => Self::Comes,
            Err((Some(number), error)) if FINAL.contains(&number) => Self::Never(error.to_string()),
            Err(_) => Self::Later,
        }
    }
}

/// Refusals that no waiting changes.
const FINAL: [i32; 5] = [
    code::ACCESS_DENIED,
    code::DISABLED,
    code::NO_SUCH_SERVICE,
    code::MARKED_FOR_DELETION,
    code::SHUTDOWN_IN_PROGRESS,
];

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn free() -> bool {
        true
    }

    fn taken() -> bool {
        false
    }

    fn of_service() -> Orphan {
        Orphan::new(Duration::ZERO, Starter::Manager)
    }

    #[test]
    fn an_instance_starts_a_keeper_once_nobody_has_the_lock() {
        let mut orphan = Orphan::new(Duration::ZERO, Starter::Agent);
        assert_eq!(orphan.step(SECOND, taken), Step::Wait);
        assert_eq!(orphan.step(2 * SECOND, free), Step::StartKeeper);
        assert_eq!(orphan.step(22 * SECOND, free), Step::Wait);
        assert_eq!(orphan.step(23 * SECOND, free), Step::GiveUp);
        let mut orphan = Orphan::new(Duration::ZERO, Starter::Agent);
        assert_eq!(orphan.step(21 * SECOND, taken), Step::GiveUp);
    }

    #[test]
    fn the_managers_own_actions_come_first() {
        let mut orphan = of_service();
        assert_eq!(orphan.step(SECOND, free), Step::Wait);
        assert_eq!(orphan.step(2 * SECOND, taken), Step::Wait, "its keeper has begun");
        assert_eq!(orphan.step(3 * SECOND, free), Step::AskManager);
        assert_eq!(orphan.step(4 * SECOND, free), Step::Wait, "one question at a time");
    }

    #[test]
    fn a_manager_that_cannot_say_is_asked_again() {
        let mut orphan = of_service();
        for (asked, answer, again) in [(2, Answer::Later, 3), (3, Answer::Comes, 8)] {
            assert_eq!(orphan.step(asked * SECOND, free), Step::AskManager);
            orphan.answered(asked * SECOND, answer);
            let before = (again * SECOND).saturating_sub(SECOND / 2);
            assert_eq!(orphan.step(before, free), Step::Wait);
        }
        assert_eq!(orphan.step(8 * SECOND, free), Step::AskManager);
    }

    #[test]
    fn programs_of_a_service_that_cannot_be_started_are_stopped() {
        let mut orphan = of_service();
        assert_eq!(orphan.step(2 * SECOND, free), Step::AskManager);
        orphan.answered(2 * SECOND, Answer::Never("disabled".to_owned()));
        assert_eq!(orphan.step(2 * SECOND, free), Step::StopPrograms("disabled".to_owned()));
        assert_eq!(orphan.step(3 * SECOND, taken), Step::Wait);
        assert_eq!(orphan.step(23 * SECOND, taken), Step::GiveUp);
    }

    #[test]
    fn a_minute_without_a_keeper_is_too_long() {
        let mut orphan = of_service();
        assert_eq!(orphan.step(2 * SECOND, free), Step::AskManager);
        let late = "no keeper has come within a minute".to_owned();
        assert_eq!(orphan.step(61 * SECOND, free), Step::StopPrograms(late));
        assert_eq!(of_service().step(61 * SECOND, taken), Step::GiveUp);
    }

    #[test]
    fn what_the_manager_says_is_understood() {
        let check = |number: i32, expected: fn(&Answer) -> bool| {
            let answer = Answer::from(Err(io::Error::from_raw_os_error(number)));
            assert!(expected(&answer), "{number}: {answer:?}");
        };
        assert_eq!(Answer::from(Ok(())), Answer::Comes);
        check(1056, |answer| *answer == Answer::Comes);
        for refused in [5, 1058, 1060, 1072, 1115] {
            check(refused, |answer| matches!(answer, Answer::Never(_)));
        }
        for busy in [1053, 1055, 1722] {
            check(busy, |answer| *answer == Answer::Later);
        }
    }
}
