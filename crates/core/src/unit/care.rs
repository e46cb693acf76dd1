//! What happens to a unit beside its program's start and end: hooks end, looks answer, it speaks.

use std::time::Duration;

use super::{
    Act, Aside, Event, State, Then, Unit,
    beside::{self, Call},
    look::{Means, stretched},
    reload::Reload,
    vitals::{Finding, Vitals},
};
use crate::{
    check::{About, CheckAction, CheckId, ReadyBy},
    effect::{Action, Health, Situation},
    hook::Hook,
    input::{HookEnd, Notice, Outcome, Probe},
    service::{Care, Service},
    supervisor::Surroundings,
    time::Moment,
};

/// A program may ask for so much more time at once; it may ask again.
const EXTENSION_MAX: Duration = Duration::from_hours(1);
/// A stop takes no longer than this, whatever its program asks for.
const EXTENDED_STOP_MAX: Duration = Duration::from_hours(1);

/// What an event meets: the time, what is configured, and what is around.
pub(super) struct Given<'a> {
    pub(super) now: Moment,
    pub(super) service: &'a Service,
    pub(super) around: &'a mut Surroundings,
}

/// How a run came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It was asked to.
    Asked,
    /// Nobody asked.
    Itself,
}

impl Given<'_> {
    pub(super) fn has(&self, hook: Hook) -> bool {
        self.service.care.hooks.contains_key(&hook)
    }

    /// Returns what the check at this place has for itself.
    fn action_at(&self, place: u8) -> Option<Hook> {
        let check = self.service.care.checks.get(usize::from(place))?;
        Some(Hook::OfCheck(CheckId::of(&check.name)))
    }

    pub(super) fn means(&mut self) -> Means<'_> {
        let Surroundings { chance, crowding, deeds } = &mut *self.around;
        let care = &self.service.care;
        Means { now: self.now, care, chance, crowding: *crowding, deeds }
    }
}

impl Unit {
    /// Returns the order of a hook; the number counts for hooks of a run alone.
    pub(super) fn call(&self, hook: Hook, given: &Given<'_>) -> Call {
        let policy = given.service.care.hooks.get(&hook);
        let timeout = beside::timeout_of(hook, policy);
        let (memo, situation) = (self.memo(given.service), self.situation());
        Call { hook, number: self.run, run: self.run, memo, situation, timeout }
    }

    /// Returns what a command is told of it.
    pub(crate) fn situation(&self) -> Situation {
        let exit = self.last_exit.filter(|last| last.run == self.run).map(|last| last.exit);
        Situation { state: self.state.word(), exit, why: self.why.clone() }
    }

    /// Takes what happens beside its state.
    pub(super) fn hear(&mut self, aside: Aside, mut given: Given<'_>) -> Option<Act> {
        match aside {
            Aside::Noticed(notice) => self.noticed(notice, given),
            Aside::Probed(probe, outcome) => self.probed(probe, outcome, given),
            Aside::HookEnded(hook, number, end) => self.hook_ended((hook, number), &end, given),
            Aside::Rotated => {
                self.run_again(Hook::AfterRotate, &mut given);
                None
            }
            Aside::Woke => {
                self.run_again(Hook::OnPowerResume, &mut given);
                None
            }
        }
    }

    /// A deadline has come: of its hooks, of its looks, or of its state.
    pub(super) fn timeout(&mut self, mut given: Given<'_>) -> Option<Act> {
        let late = self.beside.due(given.now, &mut given.around.deeds);
        if late.contains(&Hook::BeforeStop)
            && let State::Parting { then } = self.state
        {
            return Some(self.ask(&given, then));
        }
        if self.state == State::Paused {
            return None;
        }
        let found = self.look(&mut given);
        if let Some(act) = self.judge(found, &mut given) {
            return Some(act);
        }
        self.settle(&mut given);
        if self.state_deadline().is_some_and(|at| at <= given.now) {
            return self.step(Event::Timeout, given);
        }
        None
    }

    fn look(&mut self, given: &mut Given<'_>) -> Vec<Finding> {
        self.vitals.as_mut().map(|vitals| vitals.due(&mut given.means())).unwrap_or_default()
    }

    fn probed(&mut self, probe: Probe, outcome: Outcome, mut given: Given<'_>) -> Option<Act> {
        let vitals = self.vitals.as_mut()?;
        let found = vitals.hear(probe, outcome, &mut given.means());
        let act = self.judge(found.into_iter().collect(), &mut given);
        if act.is_none() {
            self.settle(&mut given);
        }
        act
    }

    /// Does what follows from what was seen; the first that ends the run has the word.
    fn judge(&mut self, found: Vec<Finding>, given: &mut Given<'_>) -> Option<Act> {
        for finding in found {
            given.around.deeds.push(self.remember(given.service));
            let act = match finding {
                Finding::Changed => None,
                Finding::Bad { place, about, action, reason } => {
                    self.run_again(Hook::OnUnhealthy, given);
                    if about == About::Memory {
                        self.run_again(Hook::OnMemory, given);
                    }
                    self.follow(action, given.action_at(place), reason, given)
                }
                Finding::Hangs { action, reason } => self.hangs(action, reason, given),
            };
            if act.is_some() || self.state.then().is_some() {
                return act;
            }
        }
        None
    }

    fn hangs(&mut self, action: CheckAction, reason: String, given: &mut Given<'_>) -> Option<Act> {
        let marks = matches!(action, CheckAction::Mark | CheckAction::Run);
        if let Some(vitals) = self.vitals.as_mut().filter(|_| marks) {
            if !vitals.mark_hang(&reason) {
                return None;
            }
            given.around.deeds.push(self.remember(given.service));
        }
        self.run_again(Hook::OnUnhealthy, given);
        match action {
            CheckAction::Restart => Some(self.abort(reason, given)),
            CheckAction::Stop => self.fall(Then::Fail, reason, given),
            CheckAction::Run | CheckAction::Mark => None,
        }
    }

    fn follow(
        &mut self,
        action: CheckAction,
        own: Option<Hook>,
        reason: String,
        given: &mut Given<'_>,
    ) -> Option<Act> {
        match action {
            CheckAction::Restart => self.fall(Then::Retry, reason, given),
            CheckAction::Stop => self.fall(Then::Fail, reason, given),
            CheckAction::Run => {
                own.and_then(|own| self.run_again(own, given));
                None
            }
            CheckAction::Mark => None,
        }
    }

    /// Stops a run that is not well: whoever requires it is not stopped for that.
    pub(super) fn fall(&mut self, then: Then, why: String, given: &mut Given<'_>) -> Option<Act> {
        self.end_care(given);
        (self.since, self.why) = (given.now, why);
        self.part(then, given)
    }

    /// Ends a run that hangs, with a core dump where there can be one.
    pub(super) fn abort(&mut self, why: String, given: &mut Given<'_>) -> Act {
        self.is_about_to_leave(Then::Hang, why, given);
        Act::Abort
    }

    /// It says that it leaves by itself, as if it had been asked to: its end says what follows, and
    /// there is a time for it.
    pub(super) fn leaves_by_itself(&mut self, given: &mut Given<'_>) {
        self.is_about_to_leave(Then::Itself, "it said that it stops".to_owned(), given);
        given.around.deeds.push(self.remember(given.service));
    }

    fn is_about_to_leave(&mut self, then: Then, why: String, given: &mut Given<'_>) {
        self.end_care(given);
        (self.since, self.why) = (given.now, why);
        let deadline = given.now + given.service.stop.timeout;
        self.state = State::Stopping { deadline, kills: 0, then };
    }

    /// Nobody looks any more at a run that is to end.
    pub(super) fn end_care(&mut self, given: &mut Given<'_>) {
        self.give_reload_up(given);
        if let Some(mut vitals) = self.vitals.take() {
            vitals.end(&mut given.around.deeds);
        }
        self.beside.dismiss(given.now, Hook::AfterStart, &mut given.around.deeds);
    }

    /// Runs what has to come before a run is asked to leave, or asks it. A start that has not come
    /// to its end has nothing that could be prepared for leaving.
    pub(super) fn part(&mut self, then: Then, given: &mut Given<'_>) -> Option<Act> {
        self.state = State::Parting { then };
        if self.pid.is_none() || !self.run_once(Hook::BeforeStop, given) {
            return Some(self.ask(given, then));
        }
        given.around.deeds.push(self.remember(given.service));
        None
    }

    /// A program was started: it is ready, or has to become so.
    pub(super) fn arrived(&mut self, pid: u32, given: &mut Given<'_>) {
        self.pid = Some(pid);
        if self.said.leaves {
            return self.leaves_by_itself(given);
        }
        self.vitals = Vitals::begin(self.run, given.now, &mut given.means());
        self.recall_said();
        if !super::vitals::settles(&given.service.care) {
            return self.ready("its program was started", given);
        }
        let until = self.settles_until(given.now, &given.service.care);
        let why = "its program was started, and is not ready yet".to_owned();
        let until = Some(until);
        (self.state, self.since, self.why) = (State::Settling { until }, given.now, why);
    }

    /// Returns when a run is stopped that is not ready and was started at this moment.
    pub(super) fn settles_until(&self, since: Moment, care: &Care) -> Moment {
        let own = since + care.ready.timeout;
        self.said.settles_until.map_or(own, |said| said.max(own))
    }

    /// What it said before anybody looked after it counts.
    pub(super) fn recall_said(&mut self) {
        if let Some(vitals) = &mut self.vitals {
            vitals.recall(self.said);
        }
    }

    /// Becomes ready once all has come that it takes.
    pub(super) fn settle(&mut self, given: &mut Given<'_>) {
        let care = &given.service.care;
        let has_settled = self.vitals.as_ref().is_some_and(|vitals| vitals.has_settled(care));
        if self.waits_for_others(care)
            && let Some(vitals) = &mut self.vitals
        {
            vitals.started(&mut given.means());
        }
        if matches!(self.state, State::Settling { .. }) && has_settled {
            self.ready("it is ready", given);
            given.around.deeds.push(self.remember(given.service));
        }
    }

    fn ready(&mut self, why: &str, given: &mut Given<'_>) {
        self.ready_at = Some(given.now);
        if let Some(vitals) = &mut self.vitals {
            vitals.ready(&mut given.means());
        }
        (self.state, self.since, self.why) = (State::Running, given.now, why.to_owned());
        self.follow_up(given);
    }

    /// Runs what follows its start, and owes it no more.
    pub(super) fn follow_up(&mut self, given: &mut Given<'_>) {
        self.owes_after_start = false;
        self.run_once(Hook::AfterStart, given);
    }

    /// It was not ready in time, unless the machine let nobody be. Who has done what there was to
    /// do by itself is not stopped for what is behind it.
    pub(super) fn not_ready(&mut self, given: &mut Given<'_>) -> Option<Act> {
        if self.waits_for_others(&given.service.care) {
            self.state = State::Settling { until: None };
            return None;
        }
        let crowding = given.around.crowding;
        let patience = stretched(given.service.care.ready.timeout, crowding);
        if crowding > 0 && self.since + patience > given.now {
            let (what, permille) = ("readiness".to_owned(), crowding);
            given.around.deeds.push(Action::Health(Health::Patient { what, permille }));
            self.state = State::Settling { until: Some(self.since + patience) };
            return None;
        }
        let lacks = self.vitals.as_ref().and_then(|vitals| vitals.lacks(&given.service.care));
        let span = super::Span(given.now.since(self.since));
        let why = format!("it was not ready within {span}: {}", lacks.unwrap_or_default());
        self.fall(Then::Retry, why, given)
    }

    fn noticed(&mut self, notice: Notice, mut given: Given<'_>) -> Option<Act> {
        let now = given.now;
        match notice {
            Notice::Ready => self.said_ready(&mut given),
            Notice::Reloading if matches!(self.state, State::Running | State::Paused) => {
                self.said_reloading(&mut given);
            }
            Notice::Extend(span) => self.extend(span, &mut given),
            Notice::Stopping => self.said_stopping(&mut given),
            Notice::Alive => return self.said_alive(&mut given),
            Notice::AliveEvery(every) => {
                self.said.alive_every = Some(every);
                if let Some(vitals) = &mut self.vitals {
                    vitals.said_alive_every(now, every);
                }
                given.around.deeds.push(self.remember(given.service));
            }
            Notice::Ailing => return self.said_ailing(&mut given),
            Notice::Reloading => {}
        }
        None
    }

    fn said_ready(&mut self, given: &mut Given<'_>) {
        let is_news = !std::mem::replace(&mut self.said.ready, true);
        if let Some(vitals) = &mut self.vitals {
            vitals.said_ready();
        }
        if is_news && given.service.care.ready.by == ReadyBy::Notice {
            given.around.deeds.push(self.remember(given.service));
        }
        if matches!(self.reload, Reload::Awaited { .. }) {
            self.reloaded(given);
        }
        self.settle(given);
    }

    fn said_alive(&mut self, given: &mut Given<'_>) -> Option<Act> {
        let vitals = self.vitals.as_mut()?;
        let was_hung = vitals.is_hung();
        vitals.said_alive(&mut given.means());
        if was_hung {
            given.around.deeds.push(self.remember(given.service));
        }
        if !matches!(self.state, State::Settling { .. }) {
            return None;
        }
        // What it makes ready is written before the word is taken: it may not speak again for long.
        let found = self.look(given);
        let act = self.judge(found, given);
        if act.is_none() {
            self.settle(given);
        }
        act
    }

    fn said_stopping(&mut self, given: &mut Given<'_>) {
        if self.state == State::Paused {
            // It was on its way already: it is let go.
            given.around.deeds.push(Action::Thaw { run: self.run });
            self.leaves_by_itself(given);
        } else if matches!(self.state, State::Running | State::Settling { .. }) {
            self.leaves_by_itself(given);
        } else if self.state == State::Starting {
            self.said.leaves = true;
        }
    }

    fn said_ailing(&mut self, given: &mut Given<'_>) -> Option<Act> {
        let action = given.service.care.watchdog?.action;
        if !matches!(self.state, State::Running | State::Settling { .. }) {
            return None;
        }
        let reason = "it says that it does not work".to_owned();
        self.judge(vec![Finding::Hangs { action, reason }], given)
    }

    /// What it is at may take until then.
    fn extend(&mut self, span: Duration, given: &mut Given<'_>) {
        let at = given.now + span.min(EXTENSION_MAX);
        match &mut self.state {
            State::Starting => self.said.settles_until = self.said.settles_until.max(Some(at)),
            State::Settling { until: Some(until) } => {
                *until = at.max(*until);
                self.said.settles_until = self.said.settles_until.max(Some(at));
                given.around.deeds.push(self.remember(given.service));
            }
            State::Stopping { deadline, kills: 0, then } => {
                let at = at.min(self.since + EXTENDED_STOP_MAX);
                *deadline = at.max(*deadline);
                if then.is_by_itself() {
                    given.around.deeds.push(self.remember(given.service));
                }
            }
            State::Running => {
                if let Reload::Awaited { until } = &mut self.reload {
                    *until = at.max(*until);
                    given.around.deeds.push(self.remember(given.service));
                }
            }
            State::Stopped
            | State::Waiting
            | State::Preparing
            | State::Paused
            | State::Settling { until: None }
            | State::Leaving { .. }
            | State::Parting { .. }
            | State::Stopping { .. }
            | State::Backoff { .. }
            | State::Failed
            | State::Completed => {}
        }
    }

    /// A command beside it has ended: settles that, and goes on with what waited for it.
    fn hook_ended(
        &mut self,
        (hook, number): (Hook, u64),
        end: &HookEnd,
        mut given: Given<'_>,
    ) -> Option<Act> {
        let over = self.beside.ended(hook, number);
        let late = over.is_some_and(|over| over.late);
        let settled = Action::SettleHook { hook, number, end: end.clone(), late };
        given.around.deeds.push(settled);
        let over = over?;
        let policy = given.service.care.hooks.get(&hook);
        let failure = beside::failure_of(hook, end, over, beside::timeout_of(hook, policy));
        self.beside.after(given.now, hook, &mut given.around.deeds);
        match (self.state, hook) {
            (State::Preparing, Hook::BeforeStart) if number == self.run => match failure {
                Some(why) => self.not_started(&why, given),
                None => Some(self.prepared(&given)),
            },
            (State::Parting { then }, Hook::BeforeStop) => Some(self.ask(&given, then)),
            (State::Running, Hook::BeforeReload | Hook::Reload) => {
                self.reload_goes_on((hook, number), failure, &mut given);
                None
            }
            _ => None,
        }
    }

    /// What follows the end of a run beside it.
    pub(super) fn after_exit(&mut self, end: End, given: &mut Given<'_>) {
        let mut calls = Vec::new();
        if given.has(Hook::AfterExit) {
            calls.push(self.call(Hook::AfterExit, given));
        }
        if end == End::Asked && given.has(Hook::AfterStop) {
            calls.push(self.call(Hook::AfterStop, given));
        }
        if !calls.is_empty() {
            self.beside.follow(given.now, calls, &mut given.around.deeds);
        }
    }

    /// Its run has failed, and what follows is decided. Of each run this is told once, and once
    /// that it was the last: in one when both come together.
    pub(super) fn on_failure(&mut self, given: &mut Given<'_>) {
        if given.has(Hook::OnFailure) {
            let call = self.call(Hook::OnFailure, given);
            let number = 2 * self.run + u64::from(self.state == State::Failed);
            self.beside.begin(given.now, Call { number, ..call }, &mut given.around.deeds);
        }
    }

    /// Returns the order to write on the run what it has reached.
    pub(super) fn remember(&self, service: &Service) -> Action {
        Action::Remember { run: self.run, memo: self.memo(service) }
    }
}
