//! The commands that run beside a program: which are under way, which come next, which are late.
//!
//! ```text
//!   begin ──► under way ──ended──► (its number is known)        begin, while under way ──► once more
//!                │ late, or nobody needs it: asked to leave, killed, killed again
//! ```
//!
//! A number is used once: whoever asks for it again is told that it is known.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use crate::{
    effect::{Action, Rung, Situation},
    hook::{Hook, HookPolicy},
    input::{HookEnd, Memo},
    time::Moment,
};

/// One that was asked to leave is killed after this long: what Windows has for asking takes 4.5 s.
const LEAVE_WITHIN: Duration = Duration::from_secs(10);
/// One that survives its kill is killed again after this long.
const KILL_AGAIN: Duration = Duration::from_secs(5);

/// The commands beside one unit's program.
#[derive(Debug, Clone, Default)]
pub(crate) struct Beside {
    sides: BTreeMap<Hook, Side>,
    /// What follows the end of a run, one after the other.
    next: VecDeque<Call>,
}

/// What there is of one hook.
#[derive(Debug, Clone, Default)]
struct Side {
    /// The highest number that was ever used.
    highest: u64,
    under_way: Option<UnderWay>,
    /// What it is to run for next: the last that has come meanwhile.
    again: Option<Call>,
}

#[derive(Debug, Clone)]
struct UnderWay {
    call: Call,
    /// When it is ended, or ended more firmly.
    deadline: Moment,
    /// How it was ended last, if it was.
    ended_by: Option<Rung>,
    /// It took too long.
    is_late: bool,
}

/// A command to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) hook: Hook,
    pub(crate) number: u64,
    /// The run it is about.
    pub(crate) run: u64,
    /// What the unit has come to.
    pub(crate) memo: Memo,
    pub(crate) situation: Situation,
    pub(crate) timeout: Duration,
}

/// Whether a command is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Began {
    /// It is under way.
    Now,
    /// It is once the one before it has ended.
    Later,
    /// It was run before.
    Known,
}

/// The end of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Over {
    /// It took too long.
    pub(crate) late: bool,
}

impl Call {
    /// Returns the order, of the run that it is about.
    fn order(self) -> Action {
        let Self { hook, number, run, memo, situation, .. } = self;
        Action::Hook { run, hook, number, memo, situation }
    }
}

impl UnderWay {
    const fn new(call: Call, deadline: Moment) -> Self {
        Self { call, deadline, ended_by: None, is_late: false }
    }

    /// Ends it, and more firmly when its deadline comes.
    fn end(&mut self, now: Moment, rung: Rung) -> Action {
        self.ended_by = Some(rung);
        self.deadline = match rung {
            Rung::Ask => now + LEAVE_WITHIN,
            Rung::Kill => now + KILL_AGAIN,
        };
        let Call { hook, number, .. } = self.call;
        Action::EndHook { hook, number, rung }
    }
}

impl Beside {
    /// Runs a command, unless its number was used; one of a name at a time.
    pub(crate) fn begin(&mut self, now: Moment, call: Call, deeds: &mut Vec<Action>) -> Began {
        let side = self.sides.entry(call.hook).or_default();
        match &side.under_way {
            Some(under_way) if under_way.call.number == call.number => return Began::Now,
            _ if call.number <= side.highest => return Began::Known,
            Some(_) => {
                side.again = Some(call);
                return Began::Later;
            }
            None => {}
        }
        side.highest = call.number;
        let deadline = now + call.timeout;
        deeds.push(call.clone().order());
        side.under_way = Some(UnderWay::new(call, deadline));
        Began::Now
    }

    /// Runs a command for something that may happen again within a run, and returns its number.
    pub(crate) fn occur(&mut self, now: Moment, call: Call, deeds: &mut Vec<Action>) -> u64 {
        let number = 1 + self.sides.get(&call.hook).map_or(0, |side| side.highest);
        self.begin(now, Call { number, ..call }, deeds);
        number
    }

    /// Runs these one after the other.
    pub(crate) fn follow(&mut self, now: Moment, calls: Vec<Call>, deeds: &mut Vec<Action>) {
        let is_idle = self.next.is_empty() && !self.is_after_exit();
        self.next.extend(calls);
        if is_idle {
            self.go_on(now, deeds);
        }
    }

    /// Runs the next of those that follow the end of a run.
    fn go_on(&mut self, now: Moment, deeds: &mut Vec<Action>) {
        while let Some(call) = self.next.pop_front() {
            if self.begin(now, call, deeds) == Began::Now {
                return;
            }
        }
    }

    /// Notes an end; nothing when that number is not under way.
    pub(crate) fn ended(&mut self, hook: Hook, number: u64) -> Option<Over> {
        let side = self.sides.get_mut(&hook)?;
        let under_way = side.under_way.take_if(|it| it.call.number == number)?;
        Some(Over { late: under_way.is_late })
    }

    /// Does what had to wait for an end.
    pub(crate) fn after(&mut self, now: Moment, hook: Hook, deeds: &mut Vec<Action>) {
        if matches!(hook, Hook::AfterExit | Hook::AfterStop) {
            self.go_on(now, deeds);
        }
        let again = self.sides.get_mut(&hook).and_then(|side| side.again.take());
        if let Some(call) = again {
            self.begin(now, call, deeds);
        }
    }

    /// Ends a command that nobody needs any more, and runs it no other time.
    pub(crate) fn dismiss(&mut self, now: Moment, hook: Hook, deeds: &mut Vec<Action>) {
        let Some(side) = self.sides.get_mut(&hook) else { return };
        side.again = None;
        if let Some(under_way) = side.under_way.as_mut().filter(|it| it.ended_by.is_none()) {
            deeds.push(under_way.end(now, Rung::Ask));
        }
    }

    /// Ends a command for which nobody waits any longer, without asking.
    pub(crate) fn kill(&mut self, now: Moment, hook: Hook, deeds: &mut Vec<Action>) {
        let Some(side) = self.sides.get_mut(&hook) else { return };
        side.again = None;
        deeds.extend(side.under_way.as_mut().map(|it| it.end(now, Rung::Kill)));
    }

    /// Gives what belongs to no end of a run at most this long from now.
    pub(crate) fn hurry(&mut self, now: Moment, limit: Duration) {
        for side in self.sides.values_mut() {
            let under_way = side.under_way.as_mut().filter(|it| !it.call.hook.is_of_an_end());
            if let Some(under_way) = under_way {
                under_way.deadline = under_way.deadline.min(now + limit);
            }
        }
    }

    /// Ends what is late, and more firmly what was to end; returns the former.
    pub(crate) fn due(&mut self, now: Moment, deeds: &mut Vec<Action>) -> Vec<Hook> {
        let mut late = Vec::new();
        for (hook, side) in &mut self.sides {
            let Some(under_way) = side.under_way.as_mut().filter(|it| it.deadline <= now) else {
                continue;
            };
            let rung = if under_way.ended_by.is_some() { Rung::Kill } else { Rung::Ask };
            if rung == Rung::Ask {
                under_way.is_late = true;
                late.push(*hook);
            }
            deeds.push(under_way.end(now, rung));
        }
        late
    }

    /// Takes over what an earlier agent has begun; it has as much time as if it began now.
    pub(crate) fn recall(&mut self, call: Call, until: Option<Moment>) {
        let side = self.sides.entry(call.hook).or_default();
        let is_known = call.number == side.highest && side.under_way.is_some();
        if call.number < side.highest || is_known {
            return;
        }
        side.highest = call.number;
        side.under_way = until.map(|deadline| UnderWay::new(call, deadline));
    }

    /// Returns whether a later number of a hook was used.
    pub(crate) fn is_beyond(&self, hook: Hook, number: u64) -> bool {
        self.sides.get(&hook).is_some_and(|side| side.highest > number)
    }

    /// Takes a number for used, for a hook that has no cause under it.
    pub(crate) fn pass_over(&mut self, hook: Hook, number: u64) {
        let side = self.sides.entry(hook).or_default();
        side.highest = side.highest.max(number);
    }

    /// Orders a command again whose order never arrived.
    pub(crate) fn repeat(&self, hook: Hook, memo: Memo, deeds: &mut Vec<Action>) {
        let under_way = self.sides.get(&hook).and_then(|side| side.under_way.clone());
        deeds.extend(under_way.map(|it| Call { memo, ..it.call }.order()));
    }

    /// Returns the number under which a hook is under way.
    pub(crate) fn number_of(&self, hook: Hook) -> Option<u64> {
        Some(self.sides.get(&hook)?.under_way.as_ref()?.call.number)
    }

    /// Returns the number under which a hook is under way that is about this run.
    pub(crate) fn number_about(&self, hook: Hook, run: u64) -> Option<u64> {
        let call = &self.sides.get(&hook)?.under_way.as_ref()?.call;
        (call.run == run).then_some(call.number)
    }

    /// Returns whether a hook is to run once the one before it has ended.
    pub(crate) fn is_to_come(&self, hook: Hook) -> bool {
        self.sides.get(&hook).is_some_and(|side| side.again.is_some())
    }

    /// Returns all that are under way.
    pub(crate) fn under_way(&self) -> impl Iterator<Item = (Hook, u64)> {
        let sides = self.sides.iter();
        sides.filter_map(|(hook, side)| Some((*hook, side.under_way.as_ref()?.call.number)))
    }

    /// Returns when [`due`](Self::due) has something to do.
    pub(crate) fn deadline(&self) -> Option<Moment> {
        self.sides.values().filter_map(|side| Some(side.under_way.as_ref()?.deadline)).min()
    }

    /// Returns the hook that the next run has to wait for.
    pub(crate) fn in_the_way(&self) -> Option<Hook> {
        const BETWEEN: [Hook; 4] =
            [Hook::BeforeStop, Hook::AfterExit, Hook::AfterStop, Hook::BeforeStart];
        BETWEEN.into_iter().find(|hook| self.number_of(*hook).is_some())
    }

    fn is_after_exit(&self) -> bool {
        self.number_of(Hook::AfterExit).or_else(|| self.number_of(Hook::AfterStop)).is_some()
    }

    /// Returns whether a command that follows the end of a run has not come to its own end yet.
    pub(crate) fn is_to_follow(&self, hook: Hook, run: u64) -> bool {
        let highest = self.sides.get(&hook).map_or(0, |side| side.highest);
        let is_it = |call: &Call| call.hook == hook && call.run == run && call.number > highest;
        self.next.iter().any(is_it) || self.number_about(hook, run).is_some()
    }

    /// Returns whether anything is under way.
    pub(crate) fn is_busy(&self) -> bool {
        self.under_way().next().is_some()
    }
}

/// Returns a hook's time.
pub(crate) fn timeout_of(hook: Hook, policy: Option<&HookPolicy>) -> Duration {
    policy.map_or_else(|| hook.timeout(), |policy| policy.timeout)
}

/// Says how a command has failed, if it has.
pub(crate) fn failure_of(
    hook: Hook,
    end: &HookEnd,
    over: Over,
    timeout: Duration,
) -> Option<String> {
    match end {
        HookEnd::Exited(_) if over.late => {
            Some(format!("its hook `{hook}` took longer than {}", super::Span(timeout)))
        }
        HookEnd::Exited(exit) if exit.is_success() => None,
        HookEnd::Exited(exit) => Some(format!("its hook `{hook}` {exit}")),
        HookEnd::NotStarted(reason) => Some(format!("its hook `{hook}` was not started: {reason}")),
        HookEnd::Known => {
            Some(format!("its hook `{hook}` was run before, and nobody knows how it ended"))
        }
    }
}
