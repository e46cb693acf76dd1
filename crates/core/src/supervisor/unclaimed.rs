//! Hooks that an earlier agent has begun, of units that nobody knows any more: they are killed
//! until they are gone, and a unit that takes the name again waits for that.

use super::Supervisor;
use crate::{
    hook::Hook,
    name::UnitName,
    time::Moment,
    unit::{Beside, Call},
};

/// What was counted under a name: no number is used twice.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// The highest run.
    pub(super) highest: u64,
    /// The commands beside them.
    pub(super) beside: Beside,
    /// When what is left of them is killed again.
    pub(super) scheduled: Option<Moment>,
}

impl Supervisor {
    /// Ends a command for which nobody is left who would wait.
    pub(super) fn end_unclaimed(&mut self, now: Moment, name: &UnitName, call: Call) {
        let hook = call.hook;
        let numbers = self.numbers.entry(name.clone()).or_default();
        numbers.beside.recall(call, Some(now));
        numbers.beside.kill(now, hook, &mut self.around.deeds);
        self.do_besides(name);
        self.schedule_unclaimed(name);
    }

    /// Kills again what has survived it: it may not have been born when it was killed first.
    pub(super) fn kill_unclaimed(&mut self, now: Moment, name: &UnitName) {
        let Some(numbers) = self.numbers.get_mut(name) else { return };
        numbers.scheduled = None;
        numbers.beside.due(now, &mut self.around.deeds);
        self.do_besides(name);
        self.schedule_unclaimed(name);
    }

    /// One of them is gone.
    pub(super) fn unclaimed_ended(&mut self, name: &UnitName, hook: Hook, number: u64) {
        let numbers = self.numbers.get_mut(name);
        let over = numbers.and_then(|numbers| numbers.beside.ended(hook, number));
        if over.is_some() {
            self.schedule_unclaimed(name);
        }
    }

    fn schedule_unclaimed(&mut self, name: &UnitName) {
        let Some(numbers) = self.numbers.get_mut(name) else { return };
        let next = numbers.beside.deadline();
        let former = std::mem::replace(&mut numbers.scheduled, next);
        former.map(|at| self.deadlines.remove(&(at, name.clone())));
        next.map(|at| self.deadlines.insert((at, name.clone())));
    }
}
