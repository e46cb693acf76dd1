//! Commands beside programs: each cause has its own once, and nothing starts before it may.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_core::{
    Exit, Hook, Memo, Moment, ServiceName, UnitName,
    check::{About, CheckAction},
};

use super::{Checker, limits::SLACK};
use crate::{
    beside,
    disk::Disk,
    machine::{Machine, Process},
    wire::{Key, Signal},
};

/// What was seen of commands beside programs.
#[derive(Debug, Default)]
pub(super) struct Hooks {
    /// Orders that a keeper has taken, by the run they are about; of `on-failure` by number.
    taken: BTreeSet<Key>,
    /// All that ever ran, of whatever boot and service.
    ran: BTreeSet<Key>,
    /// What follows from ends that were met, and the rule that says so.
    owed: BTreeMap<Key, &'static str>,
    /// The last failure of each unit.
    failed: BTreeMap<UnitName, u64>,
    /// The command for a failure that an agent waits for.
    failing: BTreeMap<UnitName, u64>,
    /// Units whose last failure comes behind another one, whose command still runs.
    behind: BTreeSet<UnitName>,
    /// What has happened to units, and when last: no command was ordered for it yet.
    occurred: BTreeMap<(UnitName, Hook), Moment>,
    /// How they ended that had to come first.
    prepared: BTreeMap<Key, Exit>,
    /// Since when services have them.
    since: BTreeMap<(ServiceName, Hook), Moment>,
    /// Runs that were told to end by other means than a request, or before they were known to run.
    cut_short: BTreeSet<Key>,
    /// Runs that an agent has told to end.
    told: BTreeSet<Key>,
    /// Runs that a signal has reached.
    reached: BTreeSet<Key>,
}

impl Hooks {
    /// Returns since when a service has a hook.
    pub(super) fn since(&self, service: &ServiceName, hook: Hook) -> Option<Moment> {
        self.since.get(&(service.clone(), hook)).copied()
    }
}

impl Checker {
    /// Another configuration is on the disk: what no service has any more is owed by nobody.
    pub(super) fn hooks_configured(&mut self, disk: &Disk, now: Moment) {
        let all = disk.services.iter().flat_map(|service| {
            service.care.hooks.keys().map(|hook| (service.name.clone(), *hook))
        });
        let all: BTreeSet<(ServiceName, Hook)> = all.collect();
        self.hooks.since.retain(|own, _| all.contains(own));
        for own in all {
            self.hooks.since.entry(own).or_insert(now);
        }
        let Hooks { owed, failed, occurred, since, .. } = &mut self.hooks;
        let has = |unit: &UnitName, hook| since.contains_key(&(unit.service.clone(), hook));
        owed.retain(|(name, _), _| {
            beside::owner(name).is_some_and(|(unit, hook)| has(&unit, hook))
        });
        failed.retain(|unit, _| has(unit, Hook::OnFailure));
        occurred.retain(|(unit, hook), _| has(unit, *hook));
    }

    /// Returns whether a run has had a hook from the moment on when it was ordered.
    fn has_hook(&self, (unit, run): &Key, hook: Hook) -> bool {
        let since = self.hooks.since.get(&(unit.service.clone(), hook));
        let ordered = self.ordered.get(&(unit.clone(), *run));
        since.zip(ordered).is_some_and(|(since, ordered)| since < ordered)
    }

    fn is_taken(&self, (unit, run): &Key, hook: Hook) -> bool {
        beside::beside(unit, hook).is_some_and(|name| self.hooks.taken.contains(&(name, *run)))
    }

    /// A keeper takes an order for a hook: of each cause there is one.
    pub(crate) fn note_hook(&mut self, key: &Key, memo: Option<Memo>, decided_at: Moment) {
        let Some((unit, hook)) = beside::owner(&key.0) else { return };
        let own = (unit.clone(), hook);
        self.hooks.occurred.retain(|it, last| *it != own || *last > decided_at);
        let is_last = self.hooks.failed.get(&unit).is_none_or(|last| *last <= key.1);
        if hook == Hook::OnFailure && is_last {
            self.hooks.behind.remove(&unit);
        }
        if hook == Hook::BeforeReload {
            self.prepares_reload(key, memo.map_or(0, |memo| memo.restarts));
        }
        if hook.run_of(key.1).is_none() {
            return;
        }
        self.after_a_stop(&unit, hook, key.1);
        let run = memo.map_or(0, |memo| memo.restarts);
        let cause = if hook == Hook::OnFailure { key.1 } else { run };
        if !self.hooks.taken.insert((key.0.clone(), cause)) {
            let details = format!("{} {}, {hook}", key.0, key.1);
            self.broken("no hook is run twice for one cause", details);
        }
    }

    /// The hook after a stop is for a run that somebody asked to end, or was about to.
    fn after_a_stop(&mut self, unit: &UnitName, hook: Hook, run: u64) {
        let key = (unit.clone(), run);
        let was_told = self.hooks.told.contains(&key) || self.is_taken(&key, Hook::BeforeStop);
        if hook == Hook::AfterStop && !was_told && self.is_left_alone(&key) {
            let details = format!("{unit} run {run}");
            self.broken("nothing follows a stop that nobody asked for", details);
        }
    }

    /// An agent orders a hook, or takes one over.
    pub(crate) fn awaits_hook(&mut self, unit: &UnitName, hook: Hook, number: u64) {
        if hook == Hook::OnFailure {
            self.hooks.failing.insert(unit.clone(), number);
        }
    }

    /// It has heard of its end.
    pub(super) fn hears_of_hook(&mut self, unit: &UnitName, hook: Hook) {
        if hook == Hook::OnFailure {
            self.hooks.failing.remove(unit);
        }
    }

    /// A hook begins: its number was never used before, in whatever boot.
    pub(super) fn hook_begins(&mut self, key: &Key) {
        self.reload_is_prepared(key);
        if beside::is_hook(key) && !self.hooks.ran.insert(key.clone()) {
            let details = format!("{} {}", key.0, key.1);
            self.broken("no number of a hook is used twice", details);
        }
    }

    /// Returns whether a start has begun with the hook before it, whatever the files say by now.
    pub(crate) fn is_begun(&self, (unit, run): &Key) -> bool {
        let hook = beside::beside(unit, Hook::BeforeStart);
        hook.is_some_and(|name| self.hooks.ran.contains(&(name, *run)))
    }

    /// It left no trace: its number is free again once its unit is forgotten.
    pub(super) fn unnoticed_hook(&mut self, key: &Key) {
        self.hooks.ran.remove(key);
    }

    /// A program was started: what has to come first has come, and what follows the last end has.
    pub(super) fn hooks_before(&mut self, machine: &Machine, (unit, run): &Key) {
        let key = (unit.clone(), *run);
        let prepared = beside::beside(unit, Hook::BeforeStart)
            .and_then(|name| self.hooks.prepared.get(&(name, *run)).copied());
        if self.has_hook(&key, Hook::BeforeStart) && prepared != Some(Exit::Code(0)) {
            let details = format!("{unit} run {run} was started after {prepared:?}");
            self.broken("nothing starts before its hook has allowed it", details);
        }
        for hook in [Hook::AfterExit, Hook::BeforeStop] {
            let name = beside::beside(unit, hook);
            if name.is_some_and(|name| machine.of_unit(&name).next().is_some()) {
                let details = format!("{unit} run {run} was started beside {hook}");
                self.broken("nothing starts while a hook of the last end runs", details);
            }
        }
    }

    /// A core decided to end a run: a request comes after the hook before it.
    pub(super) fn hook_before(&mut self, key: &Key, signal: Signal) {
        self.hooks.told.insert(key.clone());
        if signal != Signal::Ask || !self.is_told_up(key) {
            self.hooks.cut_short.insert(key.clone());
        }
        // Who leaves by itself was past it when somebody asked.
        let is_past = self.hooks.cut_short.contains(key) || self.is_leaving(key);
        let is_owed = self.has_hook(key, Hook::BeforeStop) && !is_past;
        if is_owed && !self.is_taken(key, Hook::BeforeStop) {
            let details = format!("{} run {} is asked to leave", key.0, key.1);
            self.broken("nobody is asked to leave before its hook has run", details);
        }
    }

    /// A signal has reached a run.
    pub(crate) fn reached(&mut self, key: &Key) {
        self.hooks.reached.insert(key.clone());
    }

    /// A program ends: if it was ready for a while in which nobody died, the hook for that has run.
    pub(super) fn hooks_of_ready(&mut self, process: &Process, now: Moment) {
        let Some(service) = self.services.get(&process.key.0.service) else { return };
        let ready_at = self.readiness.ready_at(&process.key, &service.care, now);
        let since = ready_at.map(|at| at.max(self.disturbed) + 4 * SLACK);
        let is_well = !process.manner.is_sick && !process.is_excused && !process.is_doomed;
        let is_well = is_well && !self.is_leaving(&process.key);
        let had_time = since.is_some_and(|since| since < now);
        if had_time && is_well && self.is_left_alone(&process.key) {
            self.expect_after_start(&process.key);
        }
    }

    /// A run is ready, and everybody knows.
    pub(super) fn expect_after_start(&mut self, key: &Key) {
        if self.has_hook(key, Hook::AfterStart) && !self.is_taken(key, Hook::AfterStart) {
            let details = format!("{} run {}", key.0, key.1);
            self.broken("who is ready has had its hook", details);
        }
    }

    /// An agent meets the end of a run: what follows from it will come, whoever dies.
    pub(crate) fn met_end(&mut self, key: &Key, exit: Exit) {
        self.owe(key, Hook::AfterExit, "no end is without its hook");
        let was_asked = self.hooks.reached.contains(key) && !self.is_leaving(key);
        if was_asked {
            self.owe(key, Hook::AfterStop, "no end that was asked for is without its hook");
        }
        let is_ill = was_asked || !exit.is_success();
        if is_ill && self.is_of_account(key) && self.has_hook(key, Hook::OnFailure) {
            self.hooks.failed.insert(key.0.clone(), 2 * key.1);
            if self.hooks.failing.get(&key.0).is_some_and(|number| *number < 2 * key.1) {
                self.hooks.behind.insert(key.0.clone());
            }
        }
    }

    fn owe(&mut self, key: &Key, hook: Hook, rule: &'static str) {
        let name = beside::beside(&key.0, hook).filter(|_| self.has_hook(key, hook));
        if let Some(name) = name {
            self.hooks.owed.insert((name, key.1), rule);
        }
    }

    /// A check of a unit turns bad, as an agent tells.
    pub(crate) fn turns_bad(&mut self, unit: &UnitName, check: &str, now: Moment) {
        self.occurs(unit, Hook::OnUnhealthy, now);
        let Some(service) = self.services.get(&unit.service) else { return };
        let Some(check) = service.care.checks.iter().find(|it| it.name == check) else { return };
        let (about, action, own) = (check.about, check.action, beside::of_check(&check.name));
        if about == About::Memory {
            self.occurs(unit, Hook::OnMemory, now);
        }
        if action == CheckAction::Run {
            self.occurs(unit, own, now);
        }
    }

    /// An agent knows of something that happened to a unit, perhaps not for the first time.
    pub(crate) fn occurs(&mut self, unit: &UnitName, hook: Hook, now: Moment) {
        if self.hooks.since.contains_key(&(unit.service.clone(), hook)) {
            self.hooks.occurred.insert((unit.clone(), hook), now);
        }
    }

    /// What one agent had still to do about what it saw is not known to the next.
    pub(super) fn nothing_seen(&mut self) {
        self.hooks.occurred.clear();
        // So it is with a failure that comes behind another one, whose command still runs.
        self.hooks.failing.clear();
        let behind = std::mem::take(&mut self.hooks.behind);
        let mut failed = std::mem::take(&mut self.hooks.failed);
        // A newer wish makes an end that is met again one of no account.
        failed.retain(|unit, number| {
            !behind.contains(unit) && self.is_of_account(&(unit.clone(), *number / 2))
        });
        self.hooks.failed = failed;
    }

    /// How a hook ended that had to come first.
    pub(super) fn hook_over(&mut self, key: &Key, exit: Exit) {
        let hook = beside::owner(&key.0).map(|(_, hook)| hook);
        if hook == Some(Hook::BeforeStart) {
            self.hooks.prepared.insert(key.clone(), exit);
        }
        if hook == Some(Hook::BeforeReload) {
            self.reload_prepared(key, exit);
        }
    }

    /// A unit of this name that comes later is another one.
    pub(crate) fn forget_hooks(&mut self, unit: &UnitName) {
        let is_of = |name: &UnitName| beside::owner(name).is_some_and(|(owner, _)| owner == *unit);
        self.pay(is_of);
        self.hooks.taken.retain(|(name, _)| !is_of(name));
    }

    /// Everything has come to rest, or there is no other time for it: what is owed has been done.
    fn pay(&mut self, is_meant: impl Fn(&UnitName) -> bool) {
        let Hooks { taken, owed, failed, .. } = &mut self.hooks;
        let missing = owed.iter().find(|(key, _)| is_meant(&key.0) && !taken.contains(key));
        let missing = missing.map(|((name, run), rule)| (*rule, format!("{name} {run}")));
        let is_told = |(unit, number): (&UnitName, &u64)| {
            let name = beside::beside(unit, Hook::OnFailure).filter(|name| is_meant(name))?;
            let later = (name.clone(), *number)..=(name.clone(), u64::MAX);
            let details = format!("{name} {number}");
            taken
                .range(later)
                .next()
                .is_none()
                .then_some(("no failure is without its hook", details))
        };
        let missing = missing.or_else(|| failed.iter().find_map(is_told));
        owed.retain(|(name, _), _| !is_meant(name));
        failed.retain(|unit, _| {
            beside::beside(unit, Hook::OnFailure).is_none_or(|it| !is_meant(&it))
        });
        if let Some((rule, details)) = missing {
            self.broken(rule, details);
        }
    }

    /// What ran ends unseen; what was told of it, and that alone, is known later.
    pub(super) fn hooks_rebooted(&mut self, told: &BTreeMap<Key, u64>) {
        let Hooks { ran, since, .. } = std::mem::take(&mut self.hooks);
        let ran = ran.into_iter().filter(|key| told.contains_key(key)).collect();
        self.hooks = Hooks { ran, since, ..Hooks::default() };
    }

    pub(super) fn hooks_at_rest(&mut self, machine: &Machine) {
        self.pay(|_| true);
        if let Some(((unit, hook), last)) = self.hooks.occurred.pop_first() {
            let details = format!("{unit}, {hook}, since {:?}", last.elapsed());
            self.broken("nothing happens to a unit without its hook", details);
        }
        let well = machine.all().filter(|it| !it.manner.is_sick && !it.is_excused);
        let ready = well.filter(|it| !beside::is_hook(&it.key));
        for key in ready.map(|process| process.key.clone()).collect::<Vec<_>>() {
            self.expect_after_start(&key);
        }
    }
}
