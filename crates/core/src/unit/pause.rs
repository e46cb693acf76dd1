//! How a program is frozen on request, and goes on.
//!
//! While it is frozen nobody looks at it and nobody blames it: its watchdog and its checks stand
//! still, and begin anew when it goes on. Who relies on it stays as it is; who has yet to start
//! waits. What ends the state otherwise lets the program go on first, because a frozen one cannot
//! answer, and is written on the run after that: an agent that finds the run marked freezes it
//! again, and one that does not need not doubt that it runs.
//!
//! ```text
//!   Pause:  mark, freeze        Resume, Stop, STOPPING=1:  let go on, unmark        Kill:  kill
//! ```

use std::time::Duration;

use super::{Act, Event, State, Then, Unit, care::Given, reload::Reload};
use crate::effect::Action;

/// Why a unit is paused.
const PAUSED: &str = "an operator paused it";

impl Unit {
    /// Returns why it cannot be paused, and the remedy.
    pub(crate) fn forbids_pause(&self) -> Option<String> {
        let (name, phrase) = (&self.name, self.state.phrase());
        match self.state {
            State::Paused => None,
            State::Running if self.reload.is_idle() => None,
            State::Running => Some(format!("`{name}` is reloading; pause it once it has")),
            State::Preparing | State::Starting | State::Settling { .. } => {
                Some(format!("`{name}` {phrase}; pause it once it runs"))
            }
            State::Stopped
            | State::Waiting
            | State::Leaving { .. }
            | State::Parting { .. }
            | State::Stopping { .. }
            | State::Backoff { .. }
            | State::Failed
            | State::Completed => Some(format!("`{name}` {phrase}; there is nothing to pause")),
        }
    }

    /// Returns why it cannot go on, and the remedy; what runs goes on already.
    pub(crate) fn forbids_resume(&self) -> Option<String> {
        let (name, phrase) = (&self.name, self.state.phrase());
        match self.state {
            State::Paused | State::Running | State::Settling { .. } => None,
            State::Preparing
            | State::Starting
            | State::Leaving { .. }
            | State::Parting { .. }
            | State::Stopping { .. } => {
                Some(format!("`{name}` {phrase}; there is nothing to resume"))
            }
            State::Stopped
            | State::Waiting
            | State::Backoff { .. }
            | State::Failed
            | State::Completed => {
                Some(format!("`{name}` {phrase}; `mainstay start {name}` starts it"))
            }
        }
    }

    /// Returns how long after its start its run was paused, while it is.
    pub(super) fn paused_after(&self) -> Option<Duration> {
        (self.state == State::Paused).then(|| self.since.since(self.started_at))
    }

    pub(super) fn pause(&mut self, given: &mut Given<'_>) -> Option<Act> {
        (self.state, self.since, self.why) = (State::Paused, given.now, PAUSED.to_owned());
        self.stand_still(given);
        given.around.deeds.push(self.remember(given.service));
        given.around.deeds.push(Action::Freeze { run: self.run });
        None
    }

    /// Goes on with what an earlier agent wrote on its run. That agent may have died before it
    /// froze anything.
    pub(super) fn pause_on(&mut self, after: Duration, given: &mut Given<'_>) {
        (self.state, self.since) = (State::Paused, self.started_at + after);
        if !self.is_held() {
            PAUSED.clone_into(&mut self.why);
        }
        self.stand_still(given);
        given.around.deeds.push(Action::Freeze { run: self.run });
    }

    fn stand_still(&mut self, given: &mut Given<'_>) {
        if let Some(vitals) = &mut self.vitals {
            vitals.stand_still(given.means().deeds);
        }
    }

    /// Its program is frozen, unless it has ended or somebody wants it to end.
    pub(super) fn paused(&mut self, event: Event, mut given: Given<'_>) -> Option<Act> {
        match event {
            Event::Resume(why) => {
                self.resume(why, &mut given);
                None
            }
            // Another process has become the main one, or another keeper tells of it.
            Event::Started(pid) => {
                self.pid = Some(pid);
                given.around.deeds.push(Action::Freeze { run: self.run });
                None
            }
            Event::Exited(exit) => self.ended(exit, Then::Itself, given),
            Event::Kill => Some(self.kill(1, Then::Rest, &mut given)),
            Event::Stop(..) => {
                let why = std::mem::take(&mut self.why);
                self.resume(why, &mut given);
                self.running(event, given)
            }
            Event::Start
            | Event::Blocked(_)
            | Event::Free
            | Event::NotStarted(_)
            | Event::Timeout
            | Event::Reload
            | Event::Pause => None,
        }
    }

    fn resume(&mut self, why: String, given: &mut Given<'_>) {
        given.around.deeds.push(Action::Thaw { run: self.run });
        (self.state, self.since, self.why) = (State::Running, given.now, why);
        if let Some(vitals) = &mut self.vitals {
            vitals.go_on(&mut given.means());
        }
        if let Reload::Awaited { until } = &mut self.reload {
            *until = given.now + given.service.care.ready.timeout;
        }
        given.around.deeds.push(self.remember(given.service));
    }
}
