//! What programs say of themselves, what looks have shown, and how the commands beside them ended.

use std::collections::BTreeMap;

use super::Supervisor;
use crate::{
    effect::Action,
    hook::{Hook, TIMEOUT},
    input::{AdoptedHook, AdoptedPhase, HookEnd, Memo},
    name::UnitName,
    service::{Care, Service},
    time::Moment,
    unit::{Aside, Call, Event, State, Unit, timeout_of},
};

/// What others go by of a unit, beside its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    is_unready: bool,
    /// It may be ready, or not be, for any time to come.
    is_overdue: bool,
    /// The command beside it that is in the way of its next start.
    in_the_way: Option<Hook>,
    /// A command beside it is in the way of being forgotten.
    is_busy: bool,
}

impl Seen {
    pub(super) fn of(unit: &Unit, service: &Service) -> Self {
        Self {
            is_unready: unit.is_unready(service),
            is_overdue: matches!(unit.state, State::Settling { until: None }),
            in_the_way: unit.beside.in_the_way(),
            is_busy: unit.beside.is_busy(),
        }
    }
}

impl Supervisor {
    /// Returns whether something is about to be judged for which it matters how crowded the
    /// machine is.
    pub fn judges_at(&self, now: Moment) -> bool {
        let due = self.deadlines.iter().take_while(|(at, _)| *at <= now);
        let mut units = due.filter_map(|(_, name)| self.units.get(name));
        units.any(|unit| unit.vitals.is_some())
    }

    /// Passes on what concerns a run, unless it is about another run than the current one.
    pub(super) fn tell_aside(&mut self, now: Moment, name: &UnitName, run: u64, aside: Aside) {
        if self.units.get(name).is_some_and(|unit| unit.run == run) {
            self.go_on(name);
            self.apply(now, name, aside);
        }
    }

    /// A command beside a unit has ended; one whose unit is gone is only settled.
    pub(super) fn hook_ended(
        &mut self,
        now: Moment,
        name: &UnitName,
        (hook, number): (Hook, u64),
        end: HookEnd,
    ) {
        if self.units.contains_key(name) {
            self.go_on(name);
            return self.apply(now, name, Aside::HookEnded(hook, number, end));
        }
        self.unclaimed_ended(name, hook, number);
        let settled = Action::SettleHook { hook, number, end, late: false };
        self.effect(Some(name), settled);
    }

    pub(super) fn woke(&mut self, now: Moment) {
        let running = self.units.values().filter(|unit| unit.state == State::Running);
        let names: Vec<UnitName> = running.map(|unit| unit.name.clone()).collect();
        for name in names {
            self.apply(now, &name, Aside::Woke);
        }
    }

    /// Lets those look again who go by more than the state of a unit.
    pub(super) fn looks_otherwise(&mut self, name: &UnitName) {
        self.queue.push_back(name.clone());
        self.wake_related(name);
    }

    /// Looks after a run of an earlier agent from now on.
    pub(super) fn care_for(&mut self, now: Moment, name: &UnitName, memo: Memo) {
        let service = self.services.get(&name.service).or_else(|| self.retired.get(&name.service));
        let (Some(unit), Some(service)) = (self.units.get_mut(name), service) else { return };
        unit.take_over(now, service, memo, &mut self.around);
        self.reschedule(name);
        self.do_besides(name);
    }

    /// Goes by another configuration of how units are looked after.
    pub(super) fn refit(&mut self, now: Moment, name: &UnitName, former: &Care) {
        let Some(service) = self.services.get(&name.service) else { return };
        let Some(unit) = self.units.get_mut(name) else { return };
        let before = unit.state.word();
        unit.refit(now, former, service, &mut self.around);
        let state = unit.state;
        self.reschedule(name);
        self.do_besides(name);
        self.keep_gate(name);
        if state.word() != before {
            self.go_on(name);
            self.changed(now, name, state);
        }
    }

    /// Does for a run what an earlier agent owed it.
    pub(super) fn make_up(&mut self, now: Moment, name: &UnitName) {
        let service = self.services.get(&name.service).or_else(|| self.retired.get(&name.service));
        let (Some(unit), Some(service)) = (self.units.get_mut(name), service) else { return };
        unit.make_up(now, service, &mut self.around);
        self.reschedule(name);
        self.do_besides(name);
    }

    /// Learns which numbers of hooks were used, before anything is decided again that led to them.
    pub(super) fn recall_hooks(&mut self, now: Moment, hooks: &[AdoptedHook]) {
        for adopted in hooks {
            self.recall_hook(now, adopted);
        }
    }

    fn recall_hook(&mut self, now: Moment, adopted: &AdoptedHook) {
        let call = self.call_of(adopted);
        let is_under_way = !matches!(adopted.phase, AdoptedPhase::Remembered);
        let until = is_under_way.then(|| now + call.timeout);
        let Some(unit) = self.units.get_mut(&adopted.unit) else {
            let numbers = self.numbers.entry(adopted.unit.clone()).or_default();
            return numbers.beside.recall(call, None);
        };
        unit.beside.recall(call, until);
        self.reschedule(&adopted.unit);
    }

    /// Returns the command that an earlier agent ordered.
    fn call_of(&self, adopted: &AdoptedHook) -> Call {
        let AdoptedHook { hook, number, run, memo, .. } = *adopted;
        let service = self.service(&adopted.unit.service);
        let policy = service.and_then(|service| service.care.hooks.get(&hook));
        let timeout = match policy {
            // It was taken out of the files: nobody has written that it may take longer.
            None if self.services.contains_key(&adopted.unit.service) => TIMEOUT,
            policy => timeout_of(hook, policy),
        };
        let situation = self.units.get(&adopted.unit).map(Unit::situation).unwrap_or_default();
        Call { hook, number, run, memo, situation, timeout }
    }

    /// Goes on with hooks of an earlier agent.
    pub(super) fn adopt_hooks(&mut self, now: Moment, hooks: &[AdoptedHook]) {
        for adopted in hooks {
            self.adopt_hook(now, adopted);
        }
    }

    fn adopt_hook(&mut self, now: Moment, adopted: &AdoptedHook) {
        let AdoptedHook { unit: name, hook, number, memo, phase, .. } = adopted;
        // Units that vanished from the files are there only now.
        self.recall_hook(now, adopted);
        let lives = matches!(phase, AdoptedPhase::Starting | AdoptedPhase::Running { .. });
        if lives && !self.units.contains_key(name) {
            let call = self.call_of(adopted);
            self.end_unclaimed(now, name, call);
        }
        if *hook == Hook::BeforeStart {
            match phase {
                AdoptedPhase::Remembered => self.remember(now, name, *number, *memo),
                AdoptedPhase::Starting
                | AdoptedPhase::Running { .. }
                | AdoptedPhase::Ended { .. } => {
                    self.adopt_preparation(now, name, *number, *memo);
                    // What it requires may be on its way down already.
                    self.stop_new_requirers(now);
                }
            }
        }
        self.raise(name, hook.run_of(*number));
        if let AdoptedPhase::Ended { exit, .. } = phase {
            self.hook_ended(now, name, (*hook, *number), HookEnd::Exited(*exit));
        }
    }

    /// A check turned bad, and the agent died before what follows was on its way.
    pub(super) fn fall_if_bad(&mut self, now: Moment, name: &UnitName) {
        let service = self.services.get(&name.service).or_else(|| self.retired.get(&name.service));
        let (Some(unit), Some(service)) = (self.units.get(name), service) else { return };
        let is_up = matches!(unit.state, State::Running | State::Settling { .. });
        let Some((check, then)) = unit.doom(service).filter(|_| is_up) else { return };
        let why = format!("its check `{check}` is bad; the agent was replaced meanwhile");
        self.apply(now, name, Event::Stop(then, why));
    }

    /// A number of a run was used, if only for what is beside it.
    pub(super) fn raise(&mut self, name: &UnitName, run: Option<u64>) {
        let Some(run) = run else { return };
        let highest = match self.units.get_mut(name) {
            Some(unit) => &mut unit.highest,
            None => &mut self.numbers.entry(name.clone()).or_default().highest,
        };
        *highest = run.max(*highest);
    }

    /// A run was about to begin: its hook ran, and its program was not ordered yet.
    fn adopt_preparation(&mut self, now: Moment, name: &UnitName, run: u64, memo: Memo) {
        let Some(unit) = self.units.get(name) else { return };
        let is_last = unit.beside.number_of(Hook::BeforeStart) == Some(run);
        if !is_last || run <= unit.run.max(unit.highest) || unit.state.is_active() {
            return;
        }
        let is_wanted = !unit.is_held();
        let service = self.services.get(&name.service).or_else(|| self.retired.get(&name.service));
        let (Some(unit), Some(service)) = (self.units.get_mut(name), service) else { return };
        unit.begin(run, now, service);
        unit.recall(now, memo);
        if is_wanted {
            unit.want_unless_held();
            (unit.state, unit.since) = (State::Preparing, now);
            "its hook `before-start` runs".clone_into(&mut unit.why);
        } else {
            unit.beside.dismiss(now, Hook::BeforeStart, &mut self.around.deeds);
            self.do_besides(name);
        }
        self.reschedule(name);
    }

    /// The keeper died before it took the order: the next one takes it.
    fn repeat_hook(&mut self, name: &UnitName, hook: Hook, number: u64) {
        let Some(unit) = self.units.get(name) else {
            return self.unclaimed_ended(name, hook, number);
        };
        let Some(service) = self.service(&name.service) else { return };
        let memo = unit.memo(service);
        if unit.beside.number_of(hook) == Some(number) {
            unit.beside.repeat(hook, memo, &mut self.around.deeds);
            self.do_besides(name);
        }
    }

    pub(super) fn hooks_under_way(&self) -> Vec<(UnitName, Hook, u64)> {
        let units = self.units.iter().map(|(name, unit)| (name, &unit.beside));
        let gone = self.numbers.iter().map(|(name, numbers)| (name, &numbers.beside));
        let all = units.chain(gone).flat_map(|(name, it)| it.under_way().map(move |of| (name, of)));
        all.map(|(name, (hook, number))| (name.clone(), hook, number)).collect()
    }

    /// Compares which hooks are under way with what another keeper knows.
    pub(super) fn reconcile_hooks(
        &mut self,
        now: Moment,
        hooks: &[AdoptedHook],
        under_way: Vec<(UnitName, Hook, u64)>,
    ) {
        let phases: BTreeMap<(&UnitName, Hook, u64), AdoptedPhase> =
            hooks.iter().map(|it| ((&it.unit, it.hook, it.number), it.phase)).collect();
        for (name, hook, number) in under_way {
            match phases.get(&(&name, hook, number)) {
                Some(AdoptedPhase::Remembered) => {
                    self.hook_ended(now, &name, (hook, number), HookEnd::Known);
                }
                None => self.repeat_hook(&name, hook, number),
                Some(
                    AdoptedPhase::Running { .. }
                    | AdoptedPhase::Starting
                    | AdoptedPhase::Ended { .. },
                ) => {}
            }
        }
        // Of whatever has ended, be its unit gone, somebody has to tell.
        for AdoptedHook { unit, hook, number, phase, .. } in hooks {
            if let AdoptedPhase::Ended { exit, .. } = phase {
                self.hook_ended(now, unit, (*hook, *number), HookEnd::Exited(*exit));
            }
        }
    }
}
