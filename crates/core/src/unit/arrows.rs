//! The arrows of a unit's life: which event leads where from each state, and what must be done.
//!
//! A function for each group of states, an arm for each arrow. The last arm of each names what comes
//! late, is repeated or is fulfilled already, and changes nothing.

use std::time::Duration;

use super::{
    Act, Event, Met, Said, Span, State, Then, Unit,
    care::{End, Given},
    end_of,
};
use crate::{
    exit::Exit,
    hook::Hook,
    policy::{self, Follow},
    service::Service,
    supervisor::{Haste, Obstacle, Surroundings},
    time::Moment,
    view::LastExit,
};

/// A stop that is under way.
#[derive(Debug, Clone, Copy)]
struct Stop {
    deadline: Moment,
    kills: u32,
    then: Then,
}

impl Unit {
    /// Moves to the next state and returns what must be done; what is to be done beside that is
    /// left with what is around.
    pub(crate) fn handle(
        &mut self,
        now: Moment,
        met: Met,
        service: &Service,
        around: &mut Surroundings,
    ) -> Option<Act> {
        let before = self.state.then();
        let given = Given { now, service, around: &mut *around };
        let act = match met {
            Met::Event(Event::Timeout) => self.timeout(given),
            Met::Event(event) => self.step(event, given),
            Met::Aside(aside) => self.hear(aside, given),
        };
        if before.is_some() && self.state.then().is_some_and(|then| before != Some(then)) {
            around.deeds.push(self.remember(service));
        }
        act
    }

    /// Takes what its state has an arrow for.
    pub(super) fn step(&mut self, event: Event, mut given: Given<'_>) -> Option<Act> {
        match self.state {
            State::Stopped | State::Waiting | State::Failed | State::Completed => {
                self.resting(event, &mut given)
            }
            State::Backoff { .. } => self.between_attempts(event, &given),
            State::Preparing => self.preparing(event, given),
            State::Starting => self.starting(event, given),
            State::Settling { .. } => self.settling(event, given),
            State::Running => self.running(event, given),
            State::Paused => self.paused(event, given),
            State::Leaving { then } => self.leaving(event, then, given),
            State::Parting { then } => self.parting(event, then, given),
            State::Stopping { deadline, kills, then } => {
                let stop = Stop { deadline, kills, then };
                self.stopping(event, stop, given)
            }
        }
    }

    fn resting(&mut self, event: Event, given: &mut Given<'_>) -> Option<Act> {
        let now = given.now;
        match (self.state, event) {
            (_, Event::Start) => self.start(given),
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
                Event::Stop(..)
                | Event::Free
                | Event::Kill
                | Event::Started(_)
                | Event::NotStarted(_)
                | Event::Exited(_)
                | Event::Timeout
                | Event::Reload
                | Event::Pause
                | Event::Resume(_),
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
            Event::Stop(
                Then::Wait
                | Then::Retry
                | Then::Hang
                | Then::Fail
                | Then::Itself
                | Then::ItselfThenStart,
                _,
            )
            | Event::Blocked(_)
            | Event::Free
            | Event::Kill
            | Event::Started(_)
            | Event::NotStarted(_)
            | Event::Exited(_)
            | Event::Reload
            | Event::Pause
            | Event::Resume(_) => None,
        }
    }

    /// There is no process yet: a stop has nobody to ask, and what prepares the start is ended.
    fn preparing(&mut self, event: Event, given: Given<'_>) -> Option<Act> {
        let (then, why) = match event {
            Event::Stop(then, why) => (then, why),
            Event::Kill => {
                self.beside.kill(given.now, Hook::BeforeStart, &mut given.around.deeds);
                (Then::Rest, std::mem::take(&mut self.why))
            }
            Event::Start
            | Event::Blocked(_)
            | Event::Free
            | Event::Started(_)
            | Event::NotStarted(_)
            | Event::Exited(_)
            | Event::Timeout
            | Event::Reload
            | Event::Pause
            | Event::Resume(_) => return None,
        };
        self.beside.dismiss(given.now, Hook::BeforeStart, &mut given.around.deeds);
        self.gone(then, why, given)
    }

    fn starting(&mut self, event: Event, mut given: Given<'_>) -> Option<Act> {
        match event {
            Event::Started(pid) => {
                self.arrived(pid, &mut given);
                self.settle(&mut given);
                None
            }
            Event::NotStarted(why) => self.not_started(&why, given),
            Event::Exited(exit) => self.ended(exit, Then::Itself, given),
            Event::Stop(then, why) => self.leave(then, why, &mut given),
            Event::Kill => Some(self.kill(1, Then::Rest, &mut given)),
            Event::Start
            | Event::Blocked(_)
            | Event::Free
            | Event::Timeout
            | Event::Reload
            | Event::Pause
            | Event::Resume(_) => None,
        }
    }

    fn settling(&mut self, event: Event, mut given: Given<'_>) -> Option<Act> {
        match event {
            Event::Timeout => self.not_ready(&mut given),
            Event::Start
            | Event::Blocked(_)
            | Event::Stop(..)
            | Event::Free
            | Event::Kill
            | Event::Started(_)
            | Event::NotStarted(_)
            | Event::Exited(_)
            | Event::Reload
            | Event::Resume(_) => self.running(event, given),
            // Refused: who is paused goes on as ready.
            Event::Pause => None,
        }
    }

    pub(super) fn running(&mut self, event: Event, mut given: Given<'_>) -> Option<Act> {
        match event {
            // Another process has become the main one.
            Event::Started(pid) => {
                self.pid = Some(pid);
                None
            }
            Event::Exited(exit) => self.ended(exit, Then::Itself, given),
            Event::Stop(then @ (Then::Retry | Then::Fail), why) => self.fall(then, why, &mut given),
            Event::Stop(Then::Hang, why) => Some(self.abort(why, &mut given)),
            Event::Stop(then, why) => self.leave(then, why, &mut given),
            Event::Kill => Some(self.kill(1, Then::Rest, &mut given)),
            Event::Reload => {
                self.begin_reload(&mut given);
                None
            }
            Event::Timeout => {
                self.not_reloaded("it has not said that it is done".to_owned(), &mut given);
                None
            }
            Event::Pause => self.pause(&mut given),
            Event::Start
            | Event::Blocked(_)
            | Event::Free
            | Event::NotStarted(_)
            | Event::Resume(_) => None,
        }
    }

    fn leave(&mut self, then: Then, why: String, given: &mut Given<'_>) -> Option<Act> {
        self.end_care(given);
        self.enter(given.now, State::Leaving { then }, why)
    }

    fn leaving(&mut self, event: Event, then: Then, mut given: Given<'_>) -> Option<Act> {
        let now = given.now;
        match event {
            Event::Start => {
                self.state = State::Leaving { then: Then::Start };
                None
            }
            Event::Stop(then, why) => self.enter(now, State::Leaving { then }, why),
            Event::Free => {
                self.since = now;
                self.part(then, &mut given)
            }
            Event::Kill => Some(self.kill(1, then, &mut given)),
            Event::Started(pid) => {
                self.pid = Some(pid);
                None
            }
            Event::NotStarted(why) => self.gone(then, why, given),
            Event::Exited(exit) => self.left(exit, then, given),
            Event::Blocked(_)
            | Event::Timeout
            | Event::Reload
            | Event::Pause
            | Event::Resume(_) => None,
        }
    }

    /// Its hook has the word until it ends or is late.
    fn parting(&mut self, event: Event, then: Then, mut given: Given<'_>) -> Option<Act> {
        match event {
            Event::Start => {
                self.state = State::Parting { then: Then::Start };
                None
            }
            Event::Stop(then, _) => {
                self.state = State::Parting { then };
                None
            }
            Event::Kill => Some(self.kill(1, then, &mut given)),
            Event::Started(pid) => {
                self.pid = Some(pid);
                None
            }
            Event::NotStarted(why) => self.gone(then, why, given),
            Event::Exited(exit) => self.left(exit, then, given),
            Event::Blocked(_)
            | Event::Free
            | Event::Timeout
            | Event::Reload
            | Event::Pause
            | Event::Resume(_) => None,
        }
    }

    fn stopping(&mut self, event: Event, stop: Stop, mut given: Given<'_>) -> Option<Act> {
        let Stop { deadline, kills, then } = stop;
        match event {
            Event::Start => {
                let by_itself = then.is_by_itself();
                let then = if by_itself { Then::ItselfThenStart } else { Then::Start };
                self.state = State::Stopping { deadline, kills, then };
                None
            }
            Event::Stop(then, _) => {
                self.state = State::Stopping { deadline, kills, then };
                None
            }
            // Whoever has it killed does not want it any more.
            Event::Kill if then.is_by_itself() => {
                Some(self.kill(kills + 1, Then::Rest, &mut given))
            }
            Event::Kill | Event::Timeout => Some(self.kill(kills + 1, then, &mut given)),
            // The start was under way when the stop came: what there is now gets what was meant.
            Event::Started(pid) => {
                self.pid = Some(pid);
                match (kills, then) {
                    (0, Then::Itself | Then::ItselfThenStart) => None,
                    (0, Then::Hang) => Some(Act::Abort),
                    (0, _) => Some(Act::Ask),
                    _ => Some(Act::Kill),
                }
            }
            Event::Exited(exit) if then.is_by_itself() => self.ended(exit, then, given),
            Event::NotStarted(why) => self.gone(then, why, given),
            Event::Exited(exit) => self.left(exit, then, given),
            Event::Blocked(_) | Event::Free | Event::Reload | Event::Pause | Event::Resume(_) => {
                None
            }
        }
    }

    fn enter(&mut self, now: Moment, state: State, why: String) -> Option<Act> {
        (self.state, self.since, self.why) = (state, now, why);
        self.retries &= state != State::Stopped;
        None
    }

    fn wait(&mut self, since: Moment, obstacle: Obstacle) -> Option<Act> {
        (self.in_vain, self.waits_for) = (obstacle.in_vain, obstacle.of);
        self.enter(since, State::Waiting, obstacle.why)
    }

    fn start(&mut self, given: &mut Given<'_>) -> Option<Act> {
        let (now, service) = (given.now, given.service);
        let window = service.restart.within;
        while self.starts.front().is_some_and(|start| now.since(*start) > window) {
            self.starts.pop_front();
        }
        if let Some(spent) = self.spent(now, service) {
            self.enter(now, State::Failed, format!("{spent}; `reset` tries again"));
            self.on_failure(given);
            return None;
        }
        if service.restart.limit > 0 {
            self.starts.push_back(now);
        }
        self.restarts = self.restarts.saturating_add(std::mem::take(&mut self.retries).into());
        self.begin(self.run.max(self.highest) + 1, now, service);
        self.enter(now, State::Preparing, "its hook `before-start` runs".to_owned());
        if self.run_once(Hook::BeforeStart, given) {
            return None;
        }
        Some(self.prepared(given))
    }

    /// A run of this number begins; nothing is known of it yet.
    pub(crate) fn begin(&mut self, run: u64, now: Moment, service: &Service) {
        (self.run, self.highest, self.haste) = (run, run, Haste::Some);
        (self.started_at, self.spec_hash, self.pid) = (now, service.spec_hash, None);
        (self.ready_at, self.vitals, self.said) = (None, None, Said::default());
        self.owes_after_start = service.care.hooks.contains_key(&Hook::AfterStart);
    }

    /// What had to come before its program has come.
    pub(super) fn prepared(&mut self, given: &Given<'_>) -> Act {
        // What was heard before was said by a hook, or by the run before.
        (self.started_at, self.said) = (given.now, Said::default());
        self.enter(given.now, State::Starting, "its program is being started".to_owned());
        Act::Spawn
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

    fn note_exit(&mut self, exit: Exit, given: &mut Given<'_>) -> Duration {
        let now = given.now;
        self.end_care(given);
        let lived = now.since(self.started_at);
        self.last_exit = Some(LastExit { run: self.run, exit, at: now, lived });
        self.pid = None;
        lived
    }

    /// Notes whether a run was ready for long enough.
    fn count(&mut self, now: Moment, service: &Service) {
        if self.ready_at.is_some_and(|at| now.since(at) >= service.restart.reset_after) {
            (self.failures, self.short_runs) = (0, 0);
            self.starts.clear();
        } else {
            self.short_runs = self.short_runs.saturating_add(1);
        }
    }

    /// It has ended, and nobody had asked for that.
    pub(super) fn ended(&mut self, exit: Exit, then: Then, mut given: Given<'_>) -> Option<Act> {
        let lived = self.note_exit(exit, &mut given);
        self.count(given.now, given.service);
        let told = end_of(self.run, exit, lived);
        let follow = policy::follow(given.service, exit);
        let rests = matches!(follow, Follow::Rest | Follow::Complete);
        let act = if rests && then == Then::ItselfThenStart {
            self.enter(given.now, State::Waiting, told);
            Some(Act::Revive)
        } else {
            self.follow_end(follow, told, &mut given)
        };
        self.after_exit(End::Itself, &mut given);
        if !exit.is_success() || self.state == State::Failed {
            self.on_failure(&mut given);
        }
        act
    }

    /// Does what its service says of such an end.
    fn follow_end(&mut self, follow: Follow, told: String, given: &mut Given<'_>) -> Option<Act> {
        let now = given.now;
        match follow {
            Follow::Restart => self.retry(told, given),
            Follow::Rest => {
                self.want_no_more();
                self.enter(now, State::Stopped, told)
            }
            Follow::Complete => self.enter(now, State::Completed, told),
            Follow::Fail => self.enter(now, State::Failed, told),
            Follow::Exit => {
                self.want_no_more();
                let exit = self.last_exit.map_or(Exit::Unknown, |last| last.exit);
                self.enter(now, State::Stopped, format!("{told}, and the instance ends with it"));
                Some(Act::Exit(exit))
            }
        }
    }

    pub(super) fn not_started(&mut self, why: &str, mut given: Given<'_>) -> Option<Act> {
        self.pid = None;
        self.short_runs = self.short_runs.saturating_add(1);
        let told = format!("run {} was not started: {why}", self.run);
        let act = self.retry(told, &mut given);
        self.on_failure(&mut given);
        act
    }

    fn retry(&mut self, why: String, given: &mut Given<'_>) -> Option<Act> {
        let now = given.now;
        let delay = given.service.restart.delay(self.failures, &mut given.around.chance);
        self.failures = self.failures.saturating_add(1);
        self.retries = true;
        if delay.is_zero() {
            self.enter(now, State::Waiting, why);
            return Some(Act::Revive);
        }
        self.enter(now, State::Backoff { until: now + delay }, why)
    }

    pub(super) fn ask(&mut self, given: &Given<'_>, then: Then) -> Act {
        let deadline = given.now + given.service.stop.timeout;
        self.state = State::Stopping { deadline, kills: 0, then };
        self.since = given.now;
        Act::Ask
    }

    /// Kills, and keeps killing: a program in uninterruptible sleep survives the first attempt.
    pub(super) fn kill(&mut self, kills: u32, then: Then, given: &mut Given<'_>) -> Act {
        self.end_care(given);
        self.beside.kill(given.now, Hook::BeforeStop, &mut given.around.deeds);
        let deadline = given.now + given.service.stop.kill_again;
        if kills == 2 {
            self.why.push_str("; it survives SIGKILL, so the system holds it");
        }
        self.state = State::Stopping { deadline, kills, then };
        Act::Kill
    }

    fn left(&mut self, exit: Exit, then: Then, mut given: Given<'_>) -> Option<Act> {
        let lived = self.note_exit(exit, &mut given);
        let told = format!("{}; {}", self.why, end_of(self.run, exit, lived));
        let act = self.rest(then, told, &mut given);
        self.after_exit(End::Asked, &mut given);
        self.blame(then, &mut given);
        act
    }

    fn gone(&mut self, then: Then, told: String, mut given: Given<'_>) -> Option<Act> {
        let act = self.rest(then, told, &mut given);
        self.blame(then, &mut given);
        act
    }

    /// Whoever was stopped because it was not well has failed.
    fn blame(&mut self, then: Then, given: &mut Given<'_>) {
        if matches!(then, Then::Retry | Then::Hang | Then::Fail) {
            self.on_failure(given);
        }
    }

    fn rest(&mut self, then: Then, told: String, given: &mut Given<'_>) -> Option<Act> {
        let now = given.now;
        self.pid = None;
        if matches!(then, Then::Retry | Then::Hang | Then::Fail) {
            self.count(now, given.service);
        }
        match then {
            // Nothing but an operator's wish brings back what an operator stopped.
            Then::Start
            | Then::Wait
            | Then::Retry
            | Then::Hang
            | Then::Fail
            | Then::Itself
            | Then::ItselfThenStart
                if !self.is_wanted() =>
            {
                self.enter(now, State::Stopped, told)
            }
            Then::Rest => self.enter(now, State::Stopped, told),
            Then::Fail => self.enter(now, State::Failed, told),
            Then::Retry | Then::Hang | Then::Itself | Then::ItselfThenStart => {
                self.retry(told, given)
            }
            Then::Start | Then::Wait => {
                if then == Then::Wait {
                    self.haste = Haste::None;
                }
                self.enter(now, State::Waiting, told);
                Some(Act::Revive)
            }
        }
    }
}
