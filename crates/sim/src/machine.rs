//! Processes that do as they were told at birth, or worse. Their numbers are used again soon.

use std::{collections::BTreeMap, time::Duration};

use mainstay_core::{Exit, Moment, UnitName};

use crate::wire::{Key, Signal};

/// Which process: its number, and what tells it from others of that number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) pid: u32,
    pub(crate) serial: u64,
}

/// Whether a program stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frozen {
    Yes,
    No,
}

/// How a program behaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// When it ends by itself, and how.
    pub(crate) ends: Option<(Duration, Exit)>,
    /// How long it takes to leave when it is asked; nothing when it does not listen.
    pub(crate) leaves_after: Option<Duration>,
    /// How long the system takes to kill it.
    pub(crate) dies_after: Duration,
    /// It leaves a process behind.
    pub(crate) leaves_stray: bool,
    /// It does not work: it never says that it is ready or alive, and fails all looks.
    pub(crate) is_sick: bool,
    /// When it turns so.
    pub(crate) sickens_after: Option<Duration>,
}

#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Process {
    pub(crate) key: Key,
    pub(crate) who: Identity,
    pub(crate) manner: Manner,
    pub(crate) since: Moment,
    /// The life of the keeper that started it.
    pub(crate) parent: u64,
    /// It was asked to leave or killed.
    pub(crate) is_doomed: bool,
    /// It worked at first.
    pub(crate) has_sickened: bool,
    /// What it said was lost: it may be taken for sick.
    pub(crate) is_excused: bool,
    pub(crate) is_frozen: bool,
}

/// All processes of the machine.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    pub(crate) boot: u64,
    processes: BTreeMap<u32, Process>,
    strays: BTreeMap<Key, u32>,
    /// Processes that are none of ours, by number.
    strangers: BTreeMap<u32, Identity>,
    serial: u64,
    /// There is no way out.
    pub(crate) is_alone: bool,
}

impl Machine {
    pub(crate) fn start(
        &mut self,
        key: &Key,
        manner: Manner,
        parent: u64,
        now: Moment,
    ) -> Identity {
        self.serial += 1;
        let who = Identity { pid: self.free_pid(), serial: self.serial };
        let (key, since) = (key.clone(), now);
        let process = Process {
            key,
            who,
            manner,
            since,
            parent,
            is_doomed: false,
            has_sickened: false,
            is_excused: false,
            is_frozen: false,
        };
        self.processes.insert(who.pid, process);
        who
    }

    /// Returns the lowest free number: what has ended is soon mistaken for somebody else.
    fn free_pid(&self) -> u32 {
        let is_free =
            |pid: &u32| !self.processes.contains_key(pid) && !self.strangers.contains_key(pid);
        (1..=u32::MAX).find(is_free).unwrap_or_default()
    }

    /// Lets somebody else have a process, under the first free number.
    pub(crate) fn start_stranger(&mut self) {
        self.serial += 1;
        let who = Identity { pid: self.free_pid(), serial: self.serial };
        self.strangers.insert(who.pid, who);
    }

    /// Ends a process; nothing when it has ended before.
    pub(crate) fn end(&mut self, who: Identity) -> Option<Process> {
        self.processes.get(&who.pid).filter(|process| process.who == who)?;
        let process = self.processes.remove(&who.pid)?;
        if process.manner.leaves_stray {
            self.strays.insert(process.key.clone(), 1);
        }
        Some(process)
    }

    pub(crate) fn find(&self, who: Identity) -> Option<&Process> {
        self.processes.get(&who.pid).filter(|process| process.who == who)
    }

    /// Returns whoever has a number now.
    pub(crate) fn at(&self, pid: u32) -> Option<Identity> {
        let stranger = self.strangers.get(&pid).copied();
        self.processes.get(&pid).map(|process| process.who).or(stranger)
    }

    /// Returns a live process that carries the mark of a run.
    pub(crate) fn carrier(&self, key: &Key) -> Option<&Process> {
        self.processes.values().find(|process| process.key == *key)
    }

    /// Nobody heard what a process said: what follows is not its keepers' fault.
    pub(crate) fn excuse(&mut self, key: &Key) {
        let of_run = self.processes.values_mut().filter(|process| process.key == *key);
        of_run.for_each(|process| process.is_excused = true);
    }

    /// Has a program stand still, or lets it go on.
    pub(crate) fn set_frozen(&mut self, who: Identity, is_frozen: Frozen) {
        if let Some(process) = self.processes.get_mut(&who.pid).filter(|it| it.who == who) {
            process.is_frozen = is_frozen == Frozen::Yes;
        }
    }

    /// Returns whether a program stands still.
    pub(crate) fn is_frozen(&self, who: Identity) -> bool {
        self.find(who).is_some_and(|process| process.is_frozen)
    }

    /// A program stops working.
    pub(crate) fn sicken(&mut self, who: Identity) {
        if let Some(process) = self.processes.get_mut(&who.pid).filter(|it| it.who == who) {
            (process.manner.is_sick, process.has_sickened) = (true, true);
        }
    }

    pub(crate) fn of_unit(&self, unit: &UnitName) -> impl Iterator<Item = &Process> {
        self.processes.values().filter(move |process| process.key.0 == *unit)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Process> {
        self.processes.values()
    }

    pub(crate) fn has_strays(&self, key: &Key) -> bool {
        self.strays.contains_key(key)
    }

    pub(crate) fn strays_of(&self, unit: &UnitName) -> impl Iterator<Item = &Key> {
        self.strays.keys().filter(move |key| key.0 == *unit)
    }

    pub(crate) fn sweep(&mut self, key: &Key) {
        self.strays.remove(key);
    }

    /// Returns when and how a process ends of a signal.
    pub(crate) fn signal(&mut self, who: Identity, signal: Signal) -> Option<(Duration, Exit)> {
        let process = self.processes.get_mut(&who.pid).filter(|process| process.who == who)?;
        process.is_doomed = true;
        match signal {
            Signal::Kill => Some((process.manner.dies_after, Exit::Signal(9))),
            Signal::Abort => {
                process.manner.leaves_after.map(|_| (process.manner.dies_after, Exit::Signal(6)))
            }
            Signal::Ask => process.manner.leaves_after.map(|after| (after, Exit::Signal(15))),
        }
    }

    /// Switches the machine off and on again.
    pub(crate) fn reboot(&mut self) {
        self.boot += 1;
        self.processes.clear();
        self.strays.clear();
        self.strangers.clear();
    }
}
