//! How a run is looked after: whether it is ready, whether it is well, whether it hangs.
//!
//! ```text
//!   settling ── gate open, startup and readiness checks good ──► ready (liveness checks, watchdog)
//! ```
//!
//! A check has one look under way at most. Nothing here knows what is looked at.

use std::time::Duration;

use super::{
    Said, Span,
    look::{Look, Means, Subject, Verdict, micros, stretched},
};
use crate::{
    check::{About, Check, CheckAction, CheckRole, ReadyBy, Watchdog},
    effect::{Action, Health},
    input::{Memo, Outcome, Probe, ProbeOf},
    service::Care,
    time::Moment,
    view::CheckView,
};

/// The name under which it is told that a run hung and spoke again.
const WATCHDOG: &str = "watchdog";

const SILENT_YET: &str = "it has not said yet that it is alive";

/// How a run is looked after.
#[derive(Debug, Clone)]
pub(crate) struct Vitals {
    run: u64,
    began: Moment,
    attempts: u64,
    gate: Gate,
    /// By the place of the check.
    looks: Vec<Look>,
    /// What the program said of how often it says that it is alive.
    alive_every: Option<Duration>,
    alive_at: Moment,
    /// It has said at least once that it is alive.
    has_spoken: bool,
    /// What was seen when the watchdog struck a run that is only marked for that.
    hang: Option<String>,
    /// The watchdog waits until then, because the machine was crowded.
    patient_until: Moment,
    /// It has done its part: from now on it is looked at whether it lives.
    is_started: bool,
    is_ready: bool,
}

/// What has to come before a run can be ready.
#[derive(Debug, Clone)]
enum Gate {
    Open,
    Until(Moment),
    Notice,
    Look(Look),
}

/// What follows from what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finding {
    /// A check turned bad.
    Bad { place: u8, about: About, action: CheckAction, reason: String },
    /// A check turned good again, or bad without any consequence of its own.
    Changed,
    /// It hangs.
    Hangs { action: CheckAction, reason: String },
}

impl Gate {
    fn new(began: Moment, means: &Means<'_>) -> Self {
        match means.care.ready.by {
            ReadyBy::Started => Self::Open,
            ReadyBy::Delay(delay) => Self::Until(began + delay),
            ReadyBy::Notice => Self::Notice,
            ReadyBy::Probe { .. } => Self::Look(Look::new("ready", Some(means.now))),
        }
    }

    /// Returns whether it is of the kind that is configured.
    const fn is_by(&self, by: ReadyBy) -> bool {
        matches!(
            (self, by),
            (Self::Open, _)
                | (Self::Until(_), ReadyBy::Delay(_))
                | (Self::Notice, ReadyBy::Notice)
                | (Self::Look(_), ReadyBy::Probe { .. })
        )
    }
}

impl Vitals {
    /// Returns how a run is looked after that began at this moment; nothing when nobody has to.
    pub(crate) fn begin(run: u64, began: Moment, means: &mut Means<'_>) -> Option<Box<Self>> {
        if !is_needed(means.care) {
            return None;
        }
        let gate = Gate::new(began, means);
        let settling = |check| Look::settling(check, began, means.now);
        let looks = means.care.checks.iter().map(settling);
        Some(Box::new(Self {
            run,
            began,
            attempts: 0,
            gate,
            looks: looks.collect(),
            alive_every: None,
            alive_at: means.now,
            has_spoken: false,
            hang: None,
            patient_until: means.now,
            is_started: false,
            is_ready: false,
        }))
    }

    /// Goes on from what its run has said before.
    pub(crate) fn recall(&mut self, said: Said) {
        self.alive_every = said.alive_every;
        if said.ready {
            self.said_ready();
        }
    }

    /// These checks were bad, unless it was written of others; and it hung.
    pub(crate) fn mark(&mut self, memo: Memo, care: &Care) {
        // Where it is not only marked any more, it strikes again.
        let marks = |it: Watchdog| matches!(it.action, CheckAction::Mark | CheckAction::Run);
        if memo.hung && care.watchdog.is_some_and(marks) {
            self.hang = Some("it was silent before the agent was replaced".to_owned());
        }
        if memo.checks != 0 && memo.checks != fingerprint(care) {
            return;
        }
        for (place, look) in self.looks.iter_mut().enumerate() {
            if memo.bad & bit(place) != 0 {
                look.verdict = Verdict::Bad;
            }
        }
    }

    /// Goes by other checks than before. One that is as it was goes on as if nothing had happened;
    /// one that was changed begins anew, and keeps what was thought of it unless that now means
    /// something else.
    pub(crate) fn refit(&mut self, former: &Care, means: &mut Means<'_>) {
        if !self.gate.is_by(means.care.ready.by) {
            self.end_gate(means.deeds);
            self.gate = Gate::new(self.began, means);
        }
        if former.watchdog != means.care.watchdog {
            self.hang = None;
        }
        let mut own: Vec<Option<Look>> = self.looks.drain(..).map(Some).collect();
        for (place, check) in means.care.checks.iter().enumerate() {
            let is_it = |look: &Option<Look>| look.as_ref().is_some_and(|it| it.name == check.name);
            let from = own.iter().position(is_it).unwrap_or(usize::MAX);
            let look = own.get_mut(from).and_then(Option::take);
            let look = match (look, former.checks.get(from)) {
                (Some(look), Some(was)) if was == check => self.moved(look, (from, place), means),
                (Some(look), was) => self.changed(look, from, (was, check), means),
                (None, _) => self.fresh(check, means),
            };
            self.looks.push(look);
        }
        for (place, look) in own.iter_mut().enumerate() {
            if let Some(look) = look {
                look.end(self.run, check_at(place), means.deeds);
            }
        }
    }

    /// A look of a check that is as it was, if at another place: one that is under way would answer
    /// for the former, so another follows.
    fn moved(&self, mut look: Look, (from, to): (usize, usize), means: &mut Means<'_>) -> Look {
        if from != to && look.under_way.is_some() {
            look.end(self.run, check_at(from), means.deeds);
            look.due = Some(means.now);
        }
        look
    }

    fn changed(
        &self,
        mut look: Look,
        from: usize,
        (was, check): (Option<&Check>, &Check),
        means: &mut Means<'_>,
    ) -> Look {
        look.end(self.run, check_at(from), means.deeds);
        let means_the_same =
            was.is_some_and(|was| (was.role, was.action) == (check.role, check.action));
        let verdict = if means_the_same { look.verdict } else { Verdict::Open };
        let (failures, seen) = (look.failures, look.seen);
        Look { failures, verdict, seen, ..self.fresh(check, means) }
    }

    fn fresh(&self, check: &Check, means: &mut Means<'_>) -> Look {
        let mut look = Look::settling(check, self.began, means.now);
        if !self.gates(check) && self.is_started {
            look.due = first_of(check, means);
        }
        look
    }

    /// Returns whether the run waits for this check to be ready.
    fn gates(&self, check: &Check) -> bool {
        !self.is_ready && check.role != CheckRole::Liveness
    }

    /// Looks no more.
    pub(crate) fn end(&mut self, deeds: &mut Vec<Action>) {
        self.end_gate(deeds);
        for (place, look) in self.looks.iter_mut().enumerate() {
            look.end(self.run, check_at(place), deeds);
        }
    }

    /// Nobody looks while the run is frozen.
    pub(crate) fn stand_still(&mut self, deeds: &mut Vec<Action>) {
        for (place, look) in self.looks.iter_mut().enumerate() {
            let due = look.due;
            look.end(self.run, check_at(place), deeds);
            look.due = due;
        }
    }

    /// The run goes on: it has a whole interval before anybody looks again, and what it failed
    /// before is forgiven as far as nothing followed from it.
    pub(crate) fn go_on(&mut self, means: &mut Means<'_>) {
        (self.alive_at, self.patient_until) = (means.now, means.now);
        for (check, look) in means.care.checks.iter().zip(&mut self.looks) {
            look.failures = 0;
            look.due = look.due.map(|_| means.now + check.every);
        }
    }

    fn end_gate(&mut self, deeds: &mut Vec<Action>) {
        if let Gate::Look(look) = &mut self.gate {
            look.end(self.run, ProbeOf::Ready, deeds);
        }
    }

    /// Returns whether everything has come that makes the run ready.
    pub(crate) fn has_settled(&self, care: &Care) -> bool {
        self.has_done_its_part(care) && self.are_good(care, CheckRole::Readiness)
    }

    /// Returns whether everything has come that the run has to reach by itself, and within its time:
    /// readiness checks tell of what is behind it, which does not come sooner for another run.
    pub(crate) fn has_done_its_part(&self, care: &Care) -> bool {
        matches!(self.gate, Gate::Open) && self.are_good(care, CheckRole::Startup)
    }

    fn are_good(&self, care: &Care, role: CheckRole) -> bool {
        let mut pairs = care.checks.iter().zip(&self.looks);
        pairs.all(|(check, look)| check.role != role || look.verdict == Verdict::Good)
    }

    /// The run is ready.
    pub(crate) fn ready(&mut self, means: &mut Means<'_>) {
        self.gate = Gate::Open;
        self.started(means);
        self.is_ready = true;
    }

    /// The run has done its part, though it may wait for others: it is looked at whether it lives.
    pub(crate) fn started(&mut self, means: &mut Means<'_>) {
        if std::mem::replace(&mut self.is_started, true) {
            return;
        }
        self.alive_at = means.now;
        for (check, look) in means.care.checks.iter().zip(&mut self.looks) {
            match check.role {
                CheckRole::Startup => look.due = None,
                CheckRole::Liveness => look.due = first_of(check, means),
                CheckRole::Readiness => {}
            }
        }
    }

    /// The program says that it is ready.
    pub(crate) fn said_ready(&mut self) {
        if matches!(self.gate, Gate::Notice) {
            self.gate = Gate::Open;
        }
    }

    /// The program says that it is alive.
    pub(crate) fn said_alive(&mut self, means: &mut Means<'_>) {
        let is_first = !std::mem::replace(&mut self.has_spoken, true);
        self.alive_at = means.now;
        if self.hang.take().is_some() {
            means.deeds.push(Action::Health(Health::Good { check: WATCHDOG.to_owned() }));
        }
        if is_first && !self.is_ready {
            self.look_at_heartbeats(means);
        }
    }

    /// What waited for the first word looks at once.
    fn look_at_heartbeats(&mut self, means: &Means<'_>) {
        let is_awaited =
            |check: &Check| check.about == About::Heartbeat && check.role != CheckRole::Liveness;
        let pairs = means.care.checks.iter().zip(&mut self.looks);
        for (_, look) in pairs.filter(|(check, _)| is_awaited(check)) {
            look.due = Some(means.now);
        }
    }

    /// The program is only marked for that it hangs; returns whether that is news.
    pub(crate) fn mark_hang(&mut self, reason: &str) -> bool {
        self.hang.replace(reason.to_owned()).is_none()
    }

    /// Returns whether it is marked for that it hangs.
    pub(crate) const fn is_hung(&self) -> bool {
        self.hang.is_some()
    }

    /// The program says how often it will say that it is alive; zero ends that.
    pub(crate) fn said_alive_every(&mut self, now: Moment, every: Duration) {
        (self.alive_every, self.alive_at) = (Some(every), now);
    }

    /// Returns when the watchdog strikes, unless the machine is crowded.
    fn strikes_at(&self, care: &Care) -> Option<Moment> {
        let watchdog = care.watchdog.filter(|_| self.is_started && self.hang.is_none())?;
        let every = self.alive_every.unwrap_or(watchdog.every);
        (!every.is_zero()).then(|| (self.alive_at + every).max(self.patient_until))
    }

    /// Returns when [`due`](Self::due) has something to do.
    pub(crate) fn deadline(&self, care: &Care) -> Option<Moment> {
        let gate = match &self.gate {
            Gate::Look(look) => look.deadline(),
            Gate::Until(at) => Some(*at),
            Gate::Open | Gate::Notice => None,
        };
        let pairs = care.checks.iter().zip(&self.looks);
        let looks = pairs.filter_map(|(_, look)| look.deadline());
        gate.into_iter().chain(looks).chain(self.strikes_at(care)).min()
    }

    /// Begins the looks that are due, and judges those whose patience is over.
    pub(crate) fn due(&mut self, means: &mut Means<'_>) -> Vec<Finding> {
        let mut found = Vec::new();
        if let Gate::Until(at) = self.gate
            && at <= means.now
        {
            self.gate = Gate::Open;
        }
        if let Gate::Look(look) = &mut self.gate
            && let ReadyBy::Probe { every, timeout } = means.care.ready.by
        {
            let gate = Subject { run: self.run, of: ProbeOf::Ready, every, timeout };
            look.advance(gate, &mut self.attempts, means);
        }
        for place in 0..self.looks.len() {
            found.extend(self.due_at(place, means));
        }
        found.extend(self.strike(means));
        found
    }

    fn due_at(&mut self, place: usize, means: &mut Means<'_>) -> Option<Finding> {
        let check = means.care.checks.get(place)?;
        let gates = self.gates(check);
        let look = self.looks.get_mut(place)?;
        if check.about == About::Heartbeat {
            look.due.filter(|due| *due <= means.now)?;
            if gates && !self.has_spoken {
                // What waits for that to be ready waits for the first word.
                (look.due, look.seen) = (None, SILENT_YET.to_owned());
                return None;
            }
            look.due = Some(means.now + check.every);
            let outcome = self.heard(check, means);
            return self.judge(place, outcome, means);
        }
        let subject = Subject {
            run: self.run,
            of: check_at(place),
            every: check.every,
            timeout: check.timeout,
        };
        let late = look.advance(subject, &mut self.attempts, means)?;
        self.judge(place, Outcome::Failed(late), means)
    }

    /// Returns whether the program has said in time that it is alive.
    fn heard(&self, check: &Check, means: &Means<'_>) -> Outcome {
        let silent = means.now.since(self.alive_at);
        let is_in_time = silent <= stretched(check.every, means.crowding);
        if is_in_time { Outcome::Passed } else { silence(silent) }
    }

    fn strike(&mut self, means: &mut Means<'_>) -> Option<Finding> {
        self.strikes_at(means.care).filter(|at| *at <= means.now)?;
        let watchdog = means.care.watchdog?;
        let every = self.alive_every.unwrap_or(watchdog.every);
        let silent = means.now.since(self.alive_at);
        let patience = stretched(every, means.crowding);
        if silent < patience {
            self.patient_until = self.alive_at + patience;
            let (what, permille) = ("watchdog".to_owned(), means.crowding);
            means.deeds.push(Action::Health(Health::Patient { what, permille }));
            return None;
        }
        self.alive_at = means.now;
        means.deeds.push(Action::Health(Health::Hangs { silent }));
        let reason = format!("it has not said for {} that it is alive", Span(silent));
        Some(Finding::Hangs { action: watchdog.action, reason })
    }

    /// Hears what a look has shown; late answers change nothing.
    pub(crate) fn hear(
        &mut self,
        probe: Probe,
        outcome: Outcome,
        means: &mut Means<'_>,
    ) -> Option<Finding> {
        match probe.of {
            ProbeOf::Ready => {
                let Gate::Look(look) = &mut self.gate else { return None };
                look.take(probe.attempt)?;
                match outcome {
                    Outcome::Passed => self.gate = Gate::Open,
                    Outcome::Failed(seen) | Outcome::Unknown(seen) => look.seen = seen,
                }
                None
            }
            ProbeOf::Check(place) => {
                let place = usize::from(place);
                self.looks.get_mut(place)?.take(probe.attempt)?;
                self.judge(place, outcome, means)
            }
        }
    }

    fn judge(&mut self, place: usize, outcome: Outcome, means: &mut Means<'_>) -> Option<Finding> {
        let check = means.care.checks.get(place)?;
        let gates = self.gates(check);
        let look = self.looks.get_mut(place)?;
        match outcome {
            Outcome::Passed => look.passed(check, means.deeds).then_some(Finding::Changed),
            Outcome::Failed(reason) if !self.is_ready && check.role == CheckRole::Readiness => {
                // It is what one waits for.
                look.again_soon(means.now, check, reason);
                None
            }
            Outcome::Failed(reason) => look.failed(check, reason, means.deeds).then(|| {
                let place = u8::try_from(place).unwrap_or(u8::MAX);
                let reason = format!("its check `{}` is bad: {}", check.name, look.seen);
                Finding::Bad { place, about: check.about, action: check.action, reason }
            }),
            Outcome::Unknown(reason) => {
                look.unknown(check, &reason, means.deeds);
                if gates {
                    look.again_soon(means.now, check, reason);
                } else {
                    // It may be for want of what every look takes: no reason to look more often.
                    look.seen = reason;
                }
                None
            }
        }
    }

    /// Returns the checks that are bad, a bit for each place.
    pub(crate) fn bad(&self) -> u64 {
        let is_bad = |(_, look): &(usize, &Look)| look.verdict == Verdict::Bad;
        self.looks.iter().enumerate().filter(is_bad).fold(0, |all, (at, _)| all | bit(at))
    }

    /// Returns whether a readiness check of a ready run is not good.
    pub(crate) fn is_unready(&self, care: &Care) -> bool {
        let mut pairs = care.checks.iter().zip(&self.looks);
        self.is_ready
            && pairs.any(|(check, look)| {
                check.role == CheckRole::Readiness && look.verdict == Verdict::Bad
            })
    }

    /// Returns what the run still lacks to be ready, in words for people.
    pub(crate) fn lacks(&self, care: &Care) -> Option<String> {
        let gate = match &self.gate {
            Gate::Open => None,
            Gate::Until(_) => Some("its time is not over".to_owned()),
            Gate::Notice => Some("it has not said that it is ready".to_owned()),
            Gate::Look(look) if look.seen.is_empty() => {
                Some("it was not seen to be ready".to_owned())
            }
            Gate::Look(look) => Some(look.seen.clone()),
        };
        gate.or_else(|| {
            let mut pairs = care.checks.iter().zip(&self.looks);
            let (check, look) = pairs.find(|(check, look)| {
                check.role != CheckRole::Liveness && look.verdict != Verdict::Good
            })?;
            let seen = if look.seen.is_empty() { "no answer yet" } else { &look.seen };
            Some(format!("its check `{}` has not passed: {seen}", check.name))
        })
    }

    /// Returns what is thought of each check, and what was seen last when that was not good.
    pub(crate) fn verdicts(&self) -> impl Iterator<Item = CheckView<'_>> {
        let looks = self.looks.iter().map(|look| CheckView {
            name: &look.name,
            verdict: look.verdict,
            seen: &look.seen,
            failures: look.failures,
        });
        let hang = self.hang.as_deref();
        looks.chain(hang.map(|seen| {
            let (name, verdict) = (WATCHDOG, Verdict::Bad);
            CheckView { name, verdict, seen, failures: 1 }
        }))
    }
}

/// Returns whether anybody has to look after a run.
fn is_needed(care: &Care) -> bool {
    care.ready.by != ReadyBy::Started || !care.checks.is_empty() || care.watchdog.is_some()
}

/// Returns whether a run that has started may not be ready.
pub(crate) fn settles(care: &Care) -> bool {
    let is_gating = |check: &Check| check.role != CheckRole::Liveness;
    care.ready.by != ReadyBy::Started || care.checks.iter().any(is_gating)
}

/// Returns when a ready run is looked at first. Runs that are ready at once are spread.
fn first_of(check: &Check, means: &mut Means<'_>) -> Option<Moment> {
    match check.role {
        CheckRole::Startup => None,
        CheckRole::Liveness | CheckRole::Readiness => {
            let spread = means.chance.below(micros(check.every).saturating_add(1));
            Some(means.now + check.delay + Duration::from_micros(spread))
        }
    }
}

fn silence(silent: Duration) -> Outcome {
    Outcome::Failed(format!("it has said nothing for {}", Span(silent)))
}

fn check_at(place: usize) -> ProbeOf {
    ProbeOf::Check(u8::try_from(place).unwrap_or(u8::MAX))
}

/// Returns what tells lists of checks apart by what their marks mean; never zero.
pub(crate) fn fingerprint(care: &Care) -> u64 {
    // FNV-1a.
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let meaning = |check: &Check| [0, check.role as u8, check.action as u8];
    let bytes = care.checks.iter().flat_map(|check| check.name.bytes().chain(meaning(check)));
    bytes.fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME)).max(1)
}

/// Returns the bit of a check; there are as many as checks.
fn bit(place: usize) -> u64 {
    u32::try_from(place).ok().and_then(|place| 1_u64.checked_shl(place)).unwrap_or(0)
}
