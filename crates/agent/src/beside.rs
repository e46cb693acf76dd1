//! Commands beside programs: hooks, and checks that are commands. They are runs of the keeper, so
//! that they outlive agents: see `name` for what they are called there.
//!
//! ```text
//!  Hook  ──► order ──► keeper ──► exited ──► HookEnded ──► SettleHook ──► event ──► acknowledged
//!  Probe ──► order ──► keeper ──► exited, acknowledged ──► Probed
//! ```
//!
//! A hook is acknowledged once it is told, as a run is; of a check nobody needs to know but the
//! core, so it is acknowledged at once. What failed is told with its last words.

mod checks;
mod find;
mod hooks;
mod lines;
mod looks;
mod name;
mod order;
mod recipe;
mod values;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mainstay_api::keeper::{Exited, Reach, Rotated, RunRef, Signal, SignalName, Spawned};
use mainstay_core::{Exit, Health, Hook, UnitName};
use mainstay_platform::{clock, random};
use mainstay_storage::segment::ChainFiles;

use self::{checks::Verdict, hooks::Told, lines::LastWords, looks::Looks};
pub(crate) use self::{
    checks::part_of_look,
    hooks::{About, EndedHook, HookRef},
    lines::read_last,
    name::{BesideName, RunOf},
    recipe::is_looked_at,
};
use crate::{clerk::Job, daemon::Agent, effects::Later, world::exit_of};

/// Closed segments of a command's log beyond this count are deleted.
pub(crate) const SEGMENTS_KEPT: usize = 2;

/// What is known of commands beside programs.
#[derive(Debug)]
pub(crate) struct Besides {
    looks: Looks,
    /// Hooks that the core waits for.
    hooks: BTreeMap<HookKey, BesideName>,
    /// Hooks that have ended and are not acknowledged: the keeper does not tell it again.
    ended: BTreeMap<RunRef, Exit>,
    /// Hooks of which something is still alive: they end with it.
    sweeping: BTreeMap<RunRef, Exit>,
    words: LastWords<WhatFor>,
    /// Every name that a keeper may know, to have it forgotten with its unit.
    names: BTreeSet<BesideName>,
    /// What is bad about units, the latest last.
    ailments: BTreeMap<UnitName, Vec<Ailment>>,
    /// The segments of units that were closed last.
    closed: BTreeMap<UnitName, String>,
}

/// How the core names a hook.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct HookKey {
    unit: UnitName,
    hook: Hook,
    number: u64,
}

/// What is bad about a unit.
#[derive(Debug)]
struct Ailment {
    /// A check, or the watchdog.
    check: String,
    reason: String,
}

/// What the last words of a command are for.
#[derive(Debug)]
enum WhatFor {
    Verdict(Verdict),
    Event(Told),
}

/// The watchdog as an ailment.
const WATCHDOG: &str = "watchdog";

impl Besides {
    /// Returns what is known when nothing is.
    pub(crate) fn new() -> Self {
        Self {
            looks: Looks::numbered_from(random::number() >> u32::BITS),
            hooks: BTreeMap::new(),
            ended: BTreeMap::new(),
            sweeping: BTreeMap::new(),
            words: LastWords::default(),
            names: BTreeSet::new(),
            ailments: BTreeMap::new(),
            closed: BTreeMap::new(),
        }
    }

    /// Returns when something is due.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.words.next_deadline().into_iter().chain(self.looks.next_deadline()).min()
    }

    /// Notes what is bad about a unit, for the commands that are told of it.
    pub(crate) fn note_health(&mut self, unit: &UnitName, health: &Health) {
        let (check, reason) = match health {
            Health::Bad { check, reason, .. } => (check.clone(), Some(reason.clone())),
            Health::Good { check } => (check.clone(), None),
            Health::Hangs { silent } => {
                (WATCHDOG.to_owned(), Some(format!("it has said nothing for {silent:?}")))
            }
            Health::Unknown { .. }
            | Health::Patient { .. }
            | Health::Reloaded
            | Health::NotReloaded { .. } => return,
        };
        let ailments = self.ailments.entry(unit.clone()).or_default();
        ailments.retain(|ailment| ailment.check != check);
        ailments.extend(reason.map(|reason| Ailment { check, reason }));
    }

    /// Notes which segment of a unit's log was closed last.
    pub(crate) fn note_closed(&mut self, unit: &UnitName, chain: &ChainFiles, rotated: &Rotated) {
        let path = chain.closed(rotated.segment).display().to_string();
        self.closed.insert(unit.clone(), path);
    }
}

impl Agent {
    /// A command was started, or was not.
    pub(crate) fn beside_spawned(&mut self, name: &BesideName, spawned: &Spawned) {
        if name.part.is_look() {
            self.look_spawned(name, spawned);
        } else {
            self.hook_spawned(name, spawned);
        }
        self.take_afterwards();
    }

    /// The main process of a command has ended.
    pub(crate) fn beside_exited(&mut self, name: &BesideName, exited: &Exited) {
        let (number, exit) = (exited.run, exit_of(exited.status));
        if name.part.is_look() {
            self.look_ended(name, number, exit);
        } else if exited.strays {
            // What it has left behind is being ended, and belongs to it.
            self.besides.sweeping.insert(run_of(name, number), exit);
        } else {
            self.hook_ended(name, number, exit);
        }
        self.take_afterwards();
    }

    /// Nothing is left of a command.
    pub(crate) fn beside_cleared(&mut self, name: &BesideName, number: u64) {
        if let Some(exit) = self.besides.sweeping.remove(&run_of(name, number)) {
            self.hook_ended(name, number, exit);
            self.take_afterwards();
        }
    }

    /// Everything that a command has said is in its log.
    pub(crate) fn beside_drained(&mut self, name: &BesideName, number: u64) {
        let command = run_of(name, number);
        if self.besides.words.drained(&command) {
            self.read_words(name, command);
        }
    }

    /// What was waited for is read, or not waited for any longer.
    pub(crate) fn beside_deadline(&mut self) {
        self.looks_due();
        let now = clock::monotonic();
        for command in self.besides.words.due(now) {
            if let Some(RunOf::Beside(name)) = RunOf::parse(&command.unit) {
                self.read_words(&name, command);
            }
        }
        for (_, whatfor) in self.besides.words.late(now) {
            self.has_words(whatfor, None);
        }
        self.take_afterwards();
    }

    /// The clerk has read the last words of a command.
    pub(crate) fn words_read(&mut self, command: &RunRef, words: Option<&str>) {
        if let Some(whatfor) = self.besides.words.take(command) {
            self.has_words(whatfor, words);
            self.take_afterwards();
        }
    }

    fn has_words(&mut self, whatfor: WhatFor, words: Option<&str>) {
        match whatfor {
            WhatFor::Verdict(verdict) => self.judge(verdict, words),
            WhatFor::Event(told) => self.tell_hook(told, words),
        }
    }

    fn read_words(&self, name: &BesideName, command: RunRef) {
        let folder = order::folder(&self.instance, name);
        // A clerk that is too busy is not waited for: it is told without.
        drop(self.clerk.give(Job::LastWords { folder, command }));
    }

    /// Deletes the oldest closed segments of a command's log.
    pub(crate) fn beside_rotated(&self, name: &BesideName, rotated: &Rotated) {
        let chain = ChainFiles::new(&order::folder(&self.instance, name), &rotated.chain);
        drop(self.clerk.give(Job::Thin(chain, SEGMENTS_KEPT)));
    }

    /// Takes a command down, tree and all; one that waits for its values is not ordered.
    fn kill_beside(&mut self, name: &BesideName, number: u64) {
        self.end_beside(name, number, SignalName::Kill);
    }

    /// Ends a command; one that waits for its values is given up.
    fn end_beside(&mut self, name: &BesideName, number: u64, signal: SignalName) {
        if self.give_beside_up(name, number) {
            return;
        }
        let unit = name.to_string();
        self.outbox.signals.push(Signal { unit, run: number, signal, reach: Reach::Group });
    }

    /// The keeper may drop a command whose end is dealt with, once what was told is on the disk.
    fn acknowledge_beside(&mut self, name: &BesideName, number: u64) {
        let command = run_of(name, number);
        self.besides.ended.remove(&command);
        self.outbox.later.push_back((self.events.last(), Later::Exit(command)));
        if self.supervisor.unit(&name.unit).is_none() {
            self.forget_beside(name);
        }
    }

    /// Has the keeper forget everything beside a unit.
    pub(crate) fn forget_besides(&mut self, unit: &UnitName) {
        self.besides.ailments.remove(unit);
        self.besides.closed.remove(unit);
        let names = self.besides.names.iter().filter(|name| name.unit == *unit);
        for name in names.cloned().collect::<Vec<_>>() {
            self.forget_beside(&name);
        }
    }

    /// What still runs is killed, and forgotten when it has ended.
    fn forget_beside(&mut self, name: &BesideName) {
        let running: Vec<u64> =
            self.besides.hooks_of(name).chain(self.besides.looks.running(name)).collect();
        if !running.is_empty() {
            return running.into_iter().for_each(|number| self.kill_beside(name, number));
        }
        self.besides.looks.forget(name);
        self.besides.names.remove(name);
        self.outbox.later.push_back((self.events.last(), Later::Unit(name.to_string())));
    }

    /// Takes facts that were brought about at once.
    fn take_afterwards(&mut self) {
        while let Some(input) = self.afterwards.pop() {
            self.take(input);
        }
    }
}

fn run_of(name: &BesideName, number: u64) -> RunRef {
    RunRef { unit: name.to_string(), run: number }
}
