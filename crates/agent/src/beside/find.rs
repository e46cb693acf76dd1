//! What a keeper's list tells of commands beside programs.

use std::collections::BTreeSet;

use mainstay_api::keeper::{Entry, Exited, Phase, RunRef};
use mainstay_core::{AdoptedHook, AdoptedPhase, Hook, HookEnd, Memo, Moment, UnitName, UnitView};

use super::{
    HookKey,
    looks::Found,
    name::{BesideName, Part, RunOf},
    order, recipe, run_of,
};
use crate::{
    daemon::Agent,
    world::{exit_of, moment, phase_of},
};

impl Agent {
    /// Takes over the commands that a keeper knows; returns those that the core has to know.
    pub(crate) fn find_besides(&mut self, entries: &[Entry]) -> Vec<AdoptedHook> {
        let mut hooks = Vec::new();
        for entry in entries {
            let Some(RunOf::Beside(name)) = RunOf::parse(&entry.unit) else { continue };
            self.besides.names.insert(name.clone());
            if name.part.is_look() {
                self.find_look(&name, entry);
            } else {
                hooks.extend(self.find_hook(&name, entry));
            }
        }
        hooks
    }

    /// Returns the hooks that the history tells of: the keeper of another boot has forgotten them,
    /// and their numbers are not used again. Those of a run have its number anyway.
    pub(crate) fn told_hooks(&self) -> Vec<AdoptedHook> {
        let hook = |(name, number): (BesideName, u64)| {
            let hook = recipe::hook_of(&name.part).filter(|hook| hook.run_of(number).is_none())?;
            Some(only_number(name.unit, hook, number))
        };
        self.events.hooks().filter_map(hook).collect()
    }

    /// Returns the numbers of hooks that may have been given and of which the keeper does not know.
    pub(crate) fn passed_hooks(&mut self) -> Vec<AdoptedHook> {
        let mut passed = Vec::new();
        for (name, hook) in self.counted_hooks() {
            let unit = name.unit.to_string();
            if let Some(number) = self.numbers.passed(&name.to_string(), &unit) {
                passed.push(only_number(name.unit, hook, number));
            }
        }
        passed
    }

    /// Returns the hooks that are counted for themselves, without those that this keeper counts.
    fn counted_hooks(&self) -> Vec<(BesideName, Hook)> {
        let is_sound = self.welcome.damage.is_none();
        let mut found = Vec::new();
        for unit in self.supervisor.units().map(UnitView::name) {
            let Some(service) = self.config.services.get(&unit.service) else { continue };
            let hooks = service.care.hooks.keys().filter(|hook| hook.run_of(0).is_none());
            let names = hooks.filter_map(|hook| {
                let part = recipe::part_of(service, *hook)?;
                Some((BesideName { unit: unit.clone(), part }, *hook))
            });
            found.extend(names.filter(|(name, _)| !is_sound || !self.besides.names.contains(name)));
        }
        found
    }

    /// Compares the commands that we believe to run with what another keeper knows.
    pub(crate) fn compare_besides(&mut self, entries: &[Entry]) -> Vec<AdoptedHook> {
        let alive = |entry: &&Entry| !matches!(entry.phase, Phase::Remembered);
        let known: BTreeSet<RunRef> =
            entries.iter().filter(alive).map(crate::world::run_of).collect();
        for (name, number) in self.besides.looks.under_way() {
            if !known.contains(&run_of(&name, number)) {
                self.look_lost(&name, number);
            }
        }
        self.besides.sweeping.clear();
        self.find_besides(entries)
    }

    fn find_look(&mut self, name: &BesideName, entry: &Entry) {
        let found = Found { number: entry.run, run: order::read_memo(&entry.memo).0 };
        match &entry.phase {
            Phase::Starting | Phase::Running { .. } => {
                self.besides.looks.find_running(name, found);
                self.look_is_there(name, entry.run);
            }
            Phase::Ended(exited) => {
                if self.besides.looks.running(name) == Some(entry.run) {
                    return self.look_ended(name, entry.run, exit_of(exited.status));
                }
                let (exit, at) = (exit_of(exited.status), moment(exited.at_us));
                self.besides.looks.find_ended(name, found, exit, at);
                self.outbox.acks.push(run_of(name, entry.run));
            }
            Phase::Remembered => self.besides.looks.remember(name, entry.run),
        }
    }

    fn find_hook(&mut self, name: &BesideName, entry: &Entry) -> Option<AdoptedHook> {
        let hook = recipe::hook_of(&name.part)?;
        let (unit, number) = (name.unit.clone(), entry.run);
        let command = run_of(name, number);
        let phase = match &entry.phase {
            _ if self.is_stray(name) => {
                // Its number counts all the same: its check may come back.
                self.end_stray(name, entry);
                AdoptedPhase::Remembered
            }
            Phase::Ended(exited) if exited.strays => {
                self.besides.sweeping.insert(command, exit_of(exited.status));
                still_running(exited)
            }
            Phase::Ended(exited) => {
                self.besides.ended.insert(command, exit_of(exited.status));
                phase_of(&entry.phase)
            }
            Phase::Starting | Phase::Running { .. } | Phase::Remembered => phase_of(&entry.phase),
        };
        if phase != AdoptedPhase::Remembered {
            let key = HookKey { unit: unit.clone(), hook, number };
            self.besides.hooks.insert(key, name.clone());
        }
        let (run, memo) = order::read_memo(&entry.memo);
        Some(AdoptedHook { unit, hook, number, run, memo, phase })
    }

    /// Returns whether it is the action of a check that nobody has configured any more.
    fn is_stray(&self, name: &BesideName) -> bool {
        let service = self.config.services.get(&name.unit.service);
        let is_there = service.is_some_and(|service| recipe::of(service, &name.part).is_some());
        matches!(name.part, Part::Action(_)) && !is_there
    }

    /// Ends what nobody has configured any more.
    fn end_stray(&mut self, name: &BesideName, entry: &Entry) {
        match &entry.phase {
            Phase::Starting | Phase::Running { .. } => self.kill_beside(name, entry.run),
            Phase::Ended(_) => self.outbox.acks.push(run_of(name, entry.run)),
            Phase::Remembered => {}
        }
    }

    /// Ends and forgets what is beside units that nobody knows.
    pub(crate) fn end_lone_besides(&mut self) {
        let is_lone = |name: &&BesideName| self.supervisor.unit(&name.unit).is_none();
        let lone: Vec<BesideName> = self.besides.names.iter().filter(is_lone).cloned().collect();
        for name in lone {
            let all: Vec<u64> = self.besides.hooks_of(&name).collect();
            for number in all {
                if self.besides.ended.contains_key(&run_of(&name, number)) {
                    self.end_hook(&name, number, HookEnd::Known);
                }
            }
            self.forget_beside(&name);
        }
    }
}

/// Of a hook nothing is left but its number.
fn only_number(unit: UnitName, hook: Hook, number: u64) -> AdoptedHook {
    let (memo, phase) = (Memo::default(), AdoptedPhase::Remembered);
    AdoptedHook { unit, hook, number, run: 0, memo, phase }
}

/// Its main process has ended, and it lasts as long as what it has left behind.
fn still_running(exited: &Exited) -> AdoptedPhase {
    let since: Moment = moment(exited.at_us.saturating_sub(exited.lived_us));
    AdoptedPhase::Running { pid: exited.pid, since }
}
