//! What passes on of a run that is looked after: to the next agent, and to another configuration.

use std::time::Duration;

use super::{Said, State, Then, Unit, care::Given, vitals::Vitals};
use crate::{
    check::{About, Check, CheckAction, CheckRole},
    input::{Memo, Reached},
    service::{Care, Service},
    supervisor::Surroundings,
    time::Moment,
};

/// A run that was not ready when its agent was replaced has this part of its time-out at least.
const LEFT_AT_LEAST: u32 = 3;

impl Unit {
    /// Goes on from what an earlier agent wrote on its run, which runs.
    pub(crate) fn take_over(
        &mut self,
        now: Moment,
        service: &Service,
        memo: Memo,
        around: &mut Surroundings,
    ) {
        let mut given = Given { now, service, around };
        let (ready, alive_every) = (memo.said_ready, memo.alive_every);
        self.said = Said { ready, alive_every, ..Said::default() };
        self.ready_at = memo.reached.ready_at(self.started_at, &service.care);
        if let Reached::Leaving { after, within, .. } = memo.reached {
            return self.leave_on(after, within, &mut given);
        }
        self.vitals = Vitals::begin(self.run, self.started_at, &mut given.means());
        if let Some(vitals) = &mut self.vitals {
            vitals.recall(self.said);
            vitals.mark(memo, &service.care);
        }
        match (memo.reached, self.ready_at, &mut self.vitals) {
            (Reached::Settling { within }, None, _) => return self.settle_on(within, &given),
            (_, _, Some(vitals)) => vitals.ready(&mut given.means()),
            (_, _, None) => {}
        }
        let least = now + service.care.ready.timeout / LEFT_AT_LEAST;
        self.reload_on(memo, least);
        if let Some(after) = memo.paused_after {
            self.pause_on(after, &mut given);
        }
    }

    /// Goes on with a run that is not ready. It has what is left of its time, and some at least:
    /// nobody looked at it while there was no agent.
    fn settle_on(&mut self, within: Duration, given: &Given<'_>) {
        let timeout = given.service.care.ready.timeout;
        let said = (within > timeout).then(|| self.since + within);
        let least = given.now + word_within(&given.service.care).max(timeout / LEFT_AT_LEAST);
        let is_late = self.since + timeout < least;
        self.said.settles_until = said.max(is_late.then_some(least));
        let until = self.settles_until(self.since, &given.service.care);
        self.state = State::Settling { until: Some(until) };
    }

    /// Goes on with a run that leaves by itself, which may have asked for more time meanwhile.
    fn leave_on(&mut self, after: Duration, within: Duration, given: &mut Given<'_>) {
        self.leaves_by_itself(given);
        self.since = self.started_at + after;
        let least = given.now + given.service.stop.timeout / LEFT_AT_LEAST;
        let deadline = (self.since + within).max(least);
        self.state = State::Stopping { deadline, kills: 0, then: Then::Itself };
    }

    /// Makes up for the hook after its start, when an earlier agent owed it and it is ready.
    pub(crate) fn make_up(&mut self, now: Moment, service: &Service, around: &mut Surroundings) {
        let is_up = matches!(self.state, State::Running | State::Paused);
        if self.owes_after_start && is_up {
            self.follow_up(&mut Given { now, service, around });
        }
    }

    /// Returns the bad check for which its run has to end, and what follows.
    pub(crate) fn doom<'a>(&self, service: &'a Service) -> Option<(&'a str, Then)> {
        let bad = self.bad();
        let mut places = service.care.checks.iter().zip(0_u32..);
        places.find_map(|(check, place)| {
            let is_bad = bad & 1_u64.checked_shl(place).unwrap_or(0) != 0;
            let then = match check.action {
                CheckAction::Restart => Then::Retry,
                CheckAction::Stop => Then::Fail,
                CheckAction::Mark | CheckAction::Run => return None,
            };
            is_bad.then_some((check.name.as_str(), then))
        })
    }

    /// Goes by another configuration of how it is looked after.
    pub(crate) fn refit(
        &mut self,
        now: Moment,
        former: &Care,
        service: &Service,
        around: &mut Surroundings,
    ) {
        let mut given = Given { now, service, around };
        match (&mut self.vitals, self.state) {
            (Some(vitals), _) => {
                vitals.refit(former, &mut given.means());
                self.recall_said();
            }
            (None, State::Running | State::Paused) => {
                self.vitals = Vitals::begin(self.run, now, &mut given.means());
                if let Some(vitals) = &mut self.vitals {
                    vitals.ready(&mut given.means());
                }
            }
            (None, _) => {}
        }
        if let State::Settling { until } = self.state {
            let waits = until.is_none() && self.waits_for_others(&service.care);
            if until.is_none() {
                // What it has to reach by itself now has the whole of its time.
                self.said.settles_until = Some(now + service.care.ready.timeout);
            }
            let until = (!waits).then(|| self.settles_until(self.since, &service.care));
            self.state = State::Settling { until };
        }
        self.settle(&mut given);
        if self.vitals.is_some() {
            given.around.deeds.push(self.remember(service));
        }
    }
}

/// Returns how long it may take until a run that is not ready is heard, which may have spoken to
/// the earlier agent alone.
fn word_within(care: &Care) -> Duration {
    let is_awaited =
        |check: &&Check| check.about == About::Heartbeat && check.role != CheckRole::Liveness;
    care.checks.iter().filter(is_awaited).map(|check| check.every).max().unwrap_or_default()
}

impl Reached {
    /// Returns when a run was ready that has come so far; nothing when it was not, although that
    /// takes more than its start.
    pub(crate) fn ready_at(self, started_at: Moment, care: &Care) -> Option<Moment> {
        match self {
            Self::Ready { after } => Some(started_at + after),
            Self::Leaving { ready_after, .. } => ready_after.map(|after| started_at + after),
            Self::Settling { .. } if super::vitals::settles(care) => None,
            Self::Started | Self::Settling { .. } => Some(started_at),
        }
    }
}
