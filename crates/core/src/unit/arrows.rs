//! The arrows of a unit's life: which event leads where from each state, and what must be done.
//!
//! A function for each group of states, an arm for each arrow. The last arm of each names what comes
//! late, is repeated or is fulfilled already, and changes nothing.

use std::time::Duration;

use super::{Act, Event, Span, State, Then, Unit, end_of};
use crate::{
    exit::Exit,
    policy::{self, Follow},
    service::Service,
    supervisor::{Chances, Obstacle},
    time::Moment,
    view::LastExit,
};

/// What an event meets: the time, what is configured, and chance.
struct Given<'a> {
    now: Moment,
    service: &'a Service,
    chances: &'a mut Chances,
}

/// A stop that is under way.
#[derive(Debug, Clone, Copy)]
struct Stop {
    deadline: Moment,
    kills: u32,
    then: Then,
}

impl Unit {
    /// Moves to the next state and returns what must be done.
    pub(crate) fn handle(
        &mut self,
        now: Moment,
        event: Event,
        service: &Service,
        chances: &mut Chances,
    ) -> Option<Act> {
        let given = Given { now, service, chances };
        match self.state {
            State::Stopped | State::Waiting | State::Failed | State::Completed => {
                self.resting(event, &given)
            }
            State::Backoff { .. } => self.between_attempts(event, &given),
            State::Starting => self.starting(event, given),
            State::Running => self.running(event, given),
            State::Leaving { then } => self.leaving(event, then, &given),
            State::Stopping { deadline, kills, then } => {
                let stop = Stop { deadline, kills, then };
                self.stopping(event, stop, &given)
            }
        }
    }

    fn resting(&mut self, event: Event, given: &Given<'_>) -> Option<Act> {
        let now = given.now;
        match (self.state, event) {
            (_, Event::Start) => self.start(now, given.service),
            (State::Waiting, Event::Blocked(obstacle)) => self.wait(self.since, obstacle),
            (_, Event::Blocked(obstacle)) => self.wait(now, obstacle),
            (State::Waiting | State::Failed, Event::Stop(Then::Rest, why)) => {
                self.enter(now, State::Stopped, why)
            }
            (State::Stopped | State::Completed | State::Failed, Event::Stop(Then::Start, _)) => {
                Some(Act::Revive)
            }
            (
                _,
                Event::Stop(Then::Rest | Then::Start | Then::Wait, _)
                | Event::Free
                | Event::Kill
                | Event::Started(_)
                | Event::NotStarted(_)
                | Event::Exited(_)
                | Event::Timeout,
            ) => None,
        }
    }

    fn between_attempts(&mut self, event: Event, given: &Given<'_>) -> Option<Act> {
        match event {
            Event::Start | Event::Timeout => {
                self.enter(given.now, State::Waiting, "it is about to start".to_owned());
                Some(Act::Revive)
            }
            Event::Stop(Then::Rest, why) => self.enter(given.now, State::Stopped, why),
            Event::Stop(Then::Start, _) => Some(Act::Revive),
            Event::Stop(Then::Wait, _)
            | Event::Blocked(_)
            | Event::Free
            | Event::Kill
            | Event::Started(_)
            | Event::NotStarted(_)
            | Event::Exited(_) => None,
        }
    }

    fn starting(&mut self, event: Event, given: Given<'_>) -> Option<Act> {
        let now = given.now;
        match event {
            Event::Started(pid) => {
                self.pid = Some(pid);
                self.enter(now, State::Running, "its program was started".to_owned())
            }
            Event::NotStarted(why) => self.not_started(&why, given),
            Event::Exited(exit) => self.ended(exit, given),
            Event::Stop(then, why) => self.enter(now, State::Leaving { then }, why),
            Event::Kill => Some(self.kill(now, 1, Then::Rest, given.service)),
            Event::Start | Event::Blocked(_) | Event::Free | Event::Timeout => None,
        }
    }

    fn running(&mut self, event: Event, given: Given<'_>) -> Option<Act> {
        let now = given.now;
        match event {
            Event::Exited(exit) => self.ended(exit, given),
            Event::Stop(then, why) => self.enter(now, State::Leaving { then }, why),
            Event::Kill => Some(self.kill(now, 1, Then::Rest, given.service)),
            Event::Start
            | Event::Blocked(_)
            | Event::Free
            | Event::Started(_)
            | Event::NotStarted(_)
            | Event::Timeout => None,
        }
    }

    fn leaving(&mut self, event: Event, then: Then, given: &Given<'_>) -> Option<Act> {
        let now = given.now;
        match event {
            Event::Start => {
                self.state = State::Leaving { then: Then::Start };
                None
            }
            Event::Stop(then, why) => self.enter(now, State::Leaving { then }, why),
            Event::Free => Some(self.ask(now, then, given.service)),
            Event::Kill => Some(self.kill(now, 1, then, given.service)),
            Event::Started(pid) => {
                self.pid = Some(pid);
                None
            }
            Event::NotStarted(why) => self.gone(now, then, why),
            Event::Exited(exit) => self.left(now, exit, then),
            Event::Blocked(_) | Event::Timeout => None,
        }
    }

    fn stopping(&mut self, event: Event, stop: Stop, given: &Given<'_>) -> Option<Act> {
        let (now, Stop { deadline, kills, then }) = (given.now, stop);
        match event {
            Event::Start => {
                self.state = State::Stopping { deadline, kills, then: Then::Start };
                None
            }
            Event::Stop(then, _) => {
                self.state = State::Stopping { deadline, kills, then };
                None
            }
            Event::Kill | Event::Timeout => Some(self.kill(now, kills + 1, then, given.service)),
            // The start was under way when the stop came: what there is now gets what was meant.
            Event::Started(pid) => {
                self.pid = Some(pid);
                Some(if kills == 0 { Act::Ask } else { Act::Kill })
            }
            Event::NotStarted(why) => self.gone(now, then, why),
            Event::Exited(exit) => self.left(now, exit, then),
            Event::Blocked(_) | Event::Free => None,
        }
    }

    fn enter(&mut self, now: Moment, state: State, why: String) -> Option<Act> {
        (self.state, self.since, self.why) = (state, now, why);
        None
    }

    fn wait(&mut self, since: Moment, obstacle: Obstacle) -> Option<Act> {
        self.in_vain = obstacle.in_vain;
        self.enter(since, State::Waiting, obstacle.why)
    }

    fn start(&mut self, now: Moment, service: &Service) -> Option<Act> {
        let window = service.restart.within;
        while self.starts.front().is_some_and(|start| now.since(*start) > window) {
            self.starts.pop_front();
        }
        if let Some(spent) = self.spent(now, service) {
            return self.enter(now, State::Failed, format!("{spent}; `reset` tries again"));
        }
        if service.restart.limit > 0 {
            self.starts.push_back(now);
        }
        self.run = self.run.max(self.highest) + 1;
        self.highest = self.run;
        (self.started_at, self.spec_hash, self.pid) = (now, service.spec_hash, None);
        self.enter(now, State::Starting, "its program is being started".to_owned());
        Some(Act::Spawn)
    }

    /// Returns how often it was started, when its limit allows no other start.
    pub(crate) fn spent(&self, now: Moment, service: &Service) -> Option<String> {
        let window = service.restart.within;
        let limit = usize::try_from(service.restart.limit).unwrap_or(usize::MAX);
        let counts = |start: &&Moment| now.since(**start) <= window;
        if limit == 0 || self.starts.iter().filter(counts).count() < limit {
            return None;
        }
        let often = if limit == 1 { "once".to_owned() } else { format!("{limit} times") };
        Some(format!("it was started {often} within {}", Span(window)))
    }

    fn note_exit(&mut self, now: Moment, exit: Exit) -> Duration {
        let lived = now.since(self.started_at);
        self.last_exit = Some(LastExit { run: self.run, exit, at: now, lived });
        self.pid = None;
        lived
    }

    fn ended(&mut self, exit: Exit, given: Given<'_>) -> Option<Act> {
        let (now, service) = (given.now, given.service);
        let lived = self.note_exit(now, exit);
        if lived >= service.restart.reset_after {
            self.reset_after_good_run();
        } else {
            self.short_runs = self.short_runs.saturating_add(1);
        }
        let told = end_of(self.run, exit, lived);
        match policy::follow(service, exit) {
            Follow::Restart => self.retry(told, given),
            Follow::Rest => {
                self.want_no_more();
                self.enter(now, State::Stopped, told)
            }
            Follow::Complete => self.enter(now, State::Completed, told),
            Follow::Fail => self.enter(now, State::Failed, told),
            Follow::Exit => {
                self.want_no_more();
                self.enter(now, State::Stopped, format!("{told}, and the instance ends with it"));
                Some(Act::Exit(exit))
            }
        }
    }

    fn reset_after_good_run(&mut self) {
        (self.failures, self.short_runs) = (0, 0);
        self.starts.clear();
    }

    fn not_started(&mut self, why: &str, given: Given<'_>) -> Option<Act> {
        self.pid = None;
        self.short_runs = self.short_runs.saturating_add(1);
        let told = format!("run {} was not started: {why}", self.run);
        self.retry(told, given)
    }

    fn retry(&mut self, why: String, given: Given<'_>) -> Option<Act> {
        let Given { now, service, chances } = given;
        let delay = service.restart.delay(self.failures, chances.jitter());
        self.failures = self.failures.saturating_add(1);
        self.restarts = self.restarts.saturating_add(1);
        if delay.is_zero() {
            self.enter(now, State::Waiting, why);
            return Some(Act::Revive);
        }
        self.enter(now, State::Backoff { until: now + delay }, why)
    }

    fn ask(&mut self, now: Moment, then: Then, service: &Service) -> Act {
        let deadline = now + service.stop.timeout;
        self.state = State::Stopping { deadline, kills: 0, then };
        self.since = now;
        Act::Ask
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
        let told = format!("{}; {}", self.why, end_of(self.run, exit, lived));
        self.gone(now, then, told)
    }

    fn gone(&mut self, now: Moment, then: Then, told: String) -> Option<Act> {
        self.pid = None;
        match then {
            // Nothing but an operator's wish brings back what an operator stopped.
            Then::Start | Then::Wait if !self.is_wanted() => self.enter(now, State::Stopped, told),
            Then::Rest => self.enter(now, State::Stopped, told),
            Then::Start | Then::Wait => {
                self.enter(now, State::Waiting, told);
                Some(Act::Revive)
            }
        }
    }
}
