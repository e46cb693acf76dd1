//! A pretend keeper: the bookkeeping of the real one, with a chance to die between any two steps.

use std::{collections::BTreeMap, time::Duration};

use mainstay_core::{
    Adopted, AdoptedPhase, Exit, Moment, Notice, Service, UnitName, service::ReloadBy,
};

use crate::{
    agenda::Happening,
    beside,
    ground::{Died, Ground},
    journal::{Journal, Number, Phase, Slot},
    machine::{Frozen, Identity, Process},
    plant::Plant,
    scene::{Scene, Weather},
    wire::{Key, Report, Request, Signal, USED},
};

/// How long what is left of a run is asked before it is killed.
const SWEEP: Duration = Duration::from_secs(1);
/// The pipe of an ended run is held by others for so long at most.
const LINGERING: Duration = Duration::from_secs(30);
/// A start on a hung mount takes so long.
const SLOW_START: Duration = Duration::from_secs(4);

/// What a keeper knows; all of it can be had again from its journal and the machine.
#[derive(Debug)]
pub(crate) struct Keeper {
    pub(crate) life: u64,
    /// The life of the agent that owns it.
    pub(crate) owner: Option<u64>,
    runs: BTreeMap<Key, Slot>,
    numbers: BTreeMap<UnitName, Number>,
}

type Step = Result<(), Died>;

impl Keeper {
    /// Settles everything that a predecessor left, before anything is started.
    pub(crate) fn begin(ground: &mut Ground, life: u64) -> Result<Self, Died> {
        let is_old = ground.journal.boot != ground.machine.boot && !ground.has(Plant::OldBoot);
        if is_old || ground.has(Plant::NothingSettled) {
            ground.journal = Journal::default();
        }
        ground.journal.boot = ground.machine.boot;
        let numbers = ground.journal.numbers.clone();
        let mut keeper = Self { life, owner: None, runs: BTreeMap::new(), numbers };
        for (key, slot) in ground.journal.slots.clone() {
            keeper.settle(ground, &key, slot)?;
        }
        Ok(keeper)
    }

    /// Replaces the keeper in place: children stay its children, the owner stays its owner.
    pub(crate) fn upgrade(&self, ground: &mut Ground) -> Result<Option<Self>, Died> {
        let is_busy = self.runs.values().any(|slot| slot.phase == Phase::Intent);
        if is_busy || ground.has(Plant::NothingSettled) {
            return Ok(None);
        }
        let mut next = Self::begin(ground, self.life)?;
        next.owner = self.owner;
        if next.runs != self.runs {
            let details = format!("before {:?}\nafter {:?}", self.runs, next.runs);
            ground.checker.broken("an upgrade in place changes nothing", details);
        }
        Ok(Some(next))
    }

    fn settle(&mut self, ground: &mut Ground, key: &Key, slot: Slot) -> Step {
        let now = ground.now;
        match slot.phase {
            Phase::Intent => match ground.machine.carrier(key).map(|process| process.who) {
                Some(who) => {
                    let phase = Phase::Started { who, since: now };
                    self.put(ground, key, Slot { phase, ..slot })
                }
                None if ground.machine.has_strays(key) => {
                    self.add(key, slot);
                    self.conclude(ground, key, Exit::Unknown)
                }
                None if beside::is_hook(key) => {
                    ground.checker.lost_hook(key);
                    self.add(key, slot);
                    self.conclude(ground, key, Exit::Unknown)
                }
                None => {
                    ground.checker.unnoticed(key);
                    self.add(key, slot);
                    self.remove(ground, key)
                }
            },
            Phase::Started { who, since } => {
                if let Some(who) = still_there(ground, who) {
                    let phase = Phase::Started { who, since };
                    return self.put(ground, key, Slot { phase, ..slot });
                }
                self.add(key, slot);
                self.conclude(ground, key, Exit::Unknown)
            }
            Phase::Ended { strays, is_acknowledged, .. } => {
                self.add(key, slot);
                if is_acknowledged && !strays {
                    self.linger(ground, key);
                }
                if strays {
                    ground.after(SWEEP, Happening::Swept { life: self.life, key: key.clone() });
                }
                Ok(())
            }
        }
    }

    fn add(&mut self, key: &Key, slot: Slot) {
        let number = self.numbers.entry(key.0.clone()).or_default();
        if key.1 >= number.highest {
            *number = Number { highest: key.1, hash: slot.hash, memo: slot.memo };
        }
        self.runs.insert(key.clone(), slot);
    }

    /// Notes a run in memory and in the journal.
    fn put(&mut self, ground: &mut Ground, key: &Key, slot: Slot) -> Step {
        self.add(key, slot.clone());
        ground.step()?;
        ground.journal.slots.insert(key.clone(), slot);
        ground.step()
    }

    /// Its owner is gone.
    pub(crate) fn hangs_up(&mut self, from: u64) {
        self.owner.take_if(|owner| *owner == from);
    }

    /// Obeys its owner.
    pub(crate) fn hear(&mut self, ground: &mut Ground, from: u64, request: Request) -> Step {
        if let Request::Hello = request {
            self.owner = Some(from);
            self.say(ground, Report::Welcome(self.entries()));
            return Ok(());
        }
        if self.owner != Some(from) {
            return Ok(());
        }
        match request {
            Request::Hello => Ok(()),
            Request::Spawn { key, hash, memo, decided_at } => {
                let slot = Slot { hash, memo, phase: Phase::Intent };
                self.spawn(ground, &key, slot, decided_at)
            }
            Request::Memo { key, memo } => {
                let Some(slot) = self.runs.get(&key).cloned() else { return Ok(()) };
                ground.writes(&key);
                self.put(ground, &key, Slot { memo, ..slot })?;
                ground.has_written(&key);
                Ok(())
            }
            Request::Signal { key, signal } => {
                self.signal(ground, &key, signal);
                Ok(())
            }
            Request::Reload(key) => {
                self.reload(ground, &key);
                Ok(())
            }
            Request::Freeze(key) => {
                self.freeze(ground, &key, Frozen::Yes);
                Ok(())
            }
            Request::Thaw(key) => {
                self.freeze(ground, &key, Frozen::No);
                Ok(())
            }
            Request::Ack(key) => self.acknowledge(ground, &key),
            Request::Forget(unit) => {
                if !self.runs.keys().any(|key| key.0 == unit) {
                    self.numbers.remove(&unit);
                    ground.journal.numbers.remove(&unit);
                }
                Ok(())
            }
        }
    }

    fn spawn(&mut self, ground: &mut Ground, key: &Key, slot: Slot, decided_at: Moment) -> Step {
        let number = self.numbers.get(&key.0).copied().unwrap_or_default();
        let is_known = key.1 == number.highest && slot.hash == number.hash;
        if let Some(slot) = self.runs.get(key).filter(|_| is_known).cloned() {
            if let Phase::Started { who, .. } = slot.phase {
                self.say(ground, Report::Started { key: key.clone(), pid: who.pid });
            }
            return Ok(());
        }
        if key.1 <= number.highest {
            self.say(ground, Report::NotStarted { key: key.clone(), why: USED });
            return Ok(());
        }
        self.intend(ground, key, slot, decided_at)?;
        let is_slow = ground.once_in(30);
        let delay = ground.up_to(if is_slow { SLOW_START } else { Duration::from_micros(500) });
        ground.after(delay, Happening::Cloned { life: self.life, key: key.clone() });
        Ok(())
    }

    /// The intent is in the journal before anything can run.
    fn intend(&mut self, ground: &mut Ground, key: &Key, slot: Slot, decided_at: Moment) -> Step {
        self.add(key, slot.clone());
        ground.step()?;
        if !ground.has(Plant::NoIntent) {
            ground.journal.slots.insert(key.clone(), slot);
        }
        ground.checker.note_start(key, decided_at);
        let memo = self.runs.get(key).map(|slot| slot.memo);
        ground.checker.note_hook(key, memo, decided_at);
        ground.step()
    }

    /// A start comes to its end: there is a process, or the system refused.
    pub(crate) fn cloned(&mut self, ground: &mut Ground, scene: &Scene, key: &Key) -> Step {
        let Some(slot) = self.runs.get(key).cloned() else { return Ok(()) };
        if slot.phase != Phase::Intent {
            return Ok(());
        }
        if ground.weather == Weather::Storm && ground.once_in(25) {
            self.remove(ground, key)?;
            let why = "the system refused";
            self.say(ground, Report::NotStarted { key: key.clone(), why });
            return Ok(());
        }
        let manner = scene.manner(&key.0.service, ground.weather, &mut ground.chance);
        let who = ground.machine.start(key, manner, self.life, ground.now);
        ground.tell(|| format!("machine: {} run {} is process {}", key.0, key.1, who.pid));
        ground.checker.process_started(&ground.machine, key, ground.now);
        if let Some((after, exit)) = manner.ends {
            ground.after(after, Happening::Ends { who, exit });
        }
        if let Some(after) = manner.sickens_after {
            ground.after(after, Happening::Sickens { who });
        }
        let words = scene.words(&key.0.service, manner, ground);
        for (after, notice) in words {
            ground.after(after, Happening::Says { who, key: key.clone(), notice });
        }
        ground.step()?;
        let phase = Phase::Started { who, since: ground.now };
        self.put(ground, key, Slot { phase, ..slot })?;
        self.say(ground, Report::Started { key: key.clone(), pid: who.pid });
        Ok(())
    }

    fn signal(&self, ground: &mut Ground, key: &Key, signal: Signal) {
        let Some(Phase::Started { who, .. }) = self.runs.get(key).map(|slot| slot.phase) else {
            return;
        };
        if ground.machine.find(who).is_some() {
            ground.checker.reached(key);
        }
        if let Some((after, exit)) = ground.machine.signal(who, signal) {
            ground.after(after, Happening::Ends { who, exit });
        }
    }

    /// Has a program stand still, or lets it go on. Whoever asked for that is answered now: what
    /// was written on the run came before.
    fn freeze(&self, ground: &mut Ground, key: &Key, frozen: Frozen) {
        let Some(Phase::Started { who, .. }) = self.runs.get(key).map(|slot| slot.phase) else {
            return;
        };
        ground.machine.set_frozen(who, frozen);
        if frozen == Frozen::Yes && ground.machine.find(who).is_some() {
            ground.checker.frozen(key);
        }
    }

    /// Has a program read its configuration anew; some say when they begin with it.
    fn reload(&self, ground: &mut Ground, key: &Key) {
        let Some(Phase::Started { who, .. }) = self.runs.get(key).map(|slot| slot.phase) else {
            return;
        };
        let says =
            |it: &Service| it.name == key.0.service && it.care.reload == Some(ReloadBy::Notice);
        if ground.disk.services.iter().any(says) {
            let (delay, key) = (ground.up_to(Duration::from_secs(1)), key.clone());
            ground.after(delay, Happening::Says { who, key, notice: Notice::Reloading });
        }
    }

    /// A process ended; only its parent is told how.
    pub(crate) fn ended(&mut self, ground: &mut Ground, process: &Process, exit: Exit) -> Step {
        let is_it =
            |slot: &Slot| matches!(slot.phase, Phase::Started { who, .. } if who == process.who);
        let Some(key) = self.runs.iter().find(|(_, slot)| is_it(slot)).map(|(key, _)| key.clone())
        else {
            return Ok(());
        };
        if process.parent == self.life {
            return self.conclude(ground, &key, exit);
        }
        if ground.once_in(2) {
            let delay = ground.up_to(Duration::from_secs(2));
            ground.after(delay, Happening::Amended { life: self.life, key: key.clone(), exit });
        }
        self.conclude(ground, &key, Exit::Unknown)
    }

    fn conclude(&mut self, ground: &mut Ground, key: &Key, exit: Exit) -> Step {
        let Some(slot) = self.runs.get(key).cloned() else { return Ok(()) };
        let since = if let Phase::Started { since, .. } = slot.phase { since } else { ground.now };
        let strays = ground.machine.has_strays(key) && !ground.has(Plant::StraysIgnored);
        if strays {
            let after = ground.up_to(SWEEP);
            ground.after(after, Happening::Swept { life: self.life, key: key.clone() });
        }
        let phase = Phase::Ended { exit, at: ground.now, since, strays, is_acknowledged: false };
        self.put(ground, key, Slot { phase, ..slot })?;
        if self.owner.is_none() && ground.has(Plant::ExitLost) {
            return self.remove(ground, key);
        }
        self.say(ground, Report::Exited { key: key.clone(), exit, strays });
        Ok(())
    }

    /// What a run left behind is gone.
    pub(crate) fn swept(&mut self, ground: &mut Ground, key: &Key) -> Step {
        ground.machine.sweep(key);
        let Some(slot) = self.runs.get(key).cloned() else { return Ok(()) };
        let Phase::Ended { exit, at, since, is_acknowledged, .. } = slot.phase else {
            return Ok(());
        };
        let phase = Phase::Ended { exit, at, since, strays: false, is_acknowledged };
        self.put(ground, key, Slot { phase, ..slot })?;
        self.say(ground, Report::Cleared(key.clone()));
        if is_acknowledged { self.remove(ground, key) } else { Ok(()) }
    }

    /// The system told how somebody else's child ended.
    pub(crate) fn amended(&self, ground: &mut Ground, key: &Key, exit: Exit) {
        self.say(ground, Report::Amended { key: key.clone(), exit });
    }

    fn acknowledge(&mut self, ground: &mut Ground, key: &Key) -> Step {
        let Some(slot) = self.runs.get(key).cloned() else { return Ok(()) };
        let Phase::Ended { exit, at, since, strays, .. } = slot.phase else { return Ok(()) };
        if strays {
            let phase = Phase::Ended { exit, at, since, strays, is_acknowledged: true };
            return self.put(ground, key, Slot { phase, ..slot });
        }
        if ground.once_in(4) {
            // Somebody still holds its pipe.
            let phase = Phase::Ended { exit, at, since, strays, is_acknowledged: true };
            self.linger(ground, key);
            return self.put(ground, key, Slot { phase, ..slot });
        }
        self.remove(ground, key)
    }

    fn linger(&self, ground: &mut Ground, key: &Key) {
        let after = ground.up_to(LINGERING);
        ground.after(after, Happening::Drained { life: self.life, key: key.clone() });
    }

    /// Nobody holds the pipe of an acknowledged run any more.
    pub(crate) fn drained(&mut self, ground: &mut Ground, key: &Key) -> Step {
        let phase = self.runs.get(key).map(|slot| slot.phase);
        match phase {
            Some(Phase::Ended { strays: false, is_acknowledged: true, .. }) => {
                self.remove(ground, key)
            }
            _ => Ok(()),
        }
    }

    /// Drops a run; its number stays remembered, with what an agent wrote on it.
    fn remove(&mut self, ground: &mut Ground, key: &Key) -> Step {
        let Some(slot) = self.runs.remove(key) else { return Ok(()) };
        let number = self.numbers.entry(key.0.clone()).or_default();
        if number.highest == key.1 {
            number.memo = slot.memo;
        }
        ground.journal.numbers.insert(key.0.clone(), *number);
        ground.step()?;
        ground.journal.slots.remove(key);
        ground.step()
    }

    /// A segment of a unit's log is closed.
    pub(crate) fn rotates(&self, ground: &mut Ground, unit: UnitName) {
        self.say(ground, Report::Rotated(unit));
    }

    fn say(&self, ground: &mut Ground, report: Report) {
        if let Some(owner) = self.owner {
            ground.send_to_agent(self.life, owner, report);
        }
    }

    /// Returns everything, as an agent is told.
    pub(crate) fn entries(&self) -> Vec<Adopted> {
        let mut entries: Vec<Adopted> =
            self.runs.iter().map(|(key, slot)| entry(key, slot)).collect();
        let is_beyond = |unit: &UnitName, number: &Number| {
            !self.runs.keys().any(|key| key.0 == *unit && key.1 >= number.highest)
        };
        let idle = self.numbers.iter().filter(|(unit, number)| is_beyond(unit, number));
        entries.extend(idle.map(|(unit, number)| Adopted {
            unit: unit.clone(),
            run: number.highest,
            spec_hash: number.hash,
            memo: number.memo,
            phase: AdoptedPhase::Remembered,
        }));
        entries
    }
}

/// Returns the process that a keeper takes for the one it knew.
fn still_there(ground: &Ground, who: Identity) -> Option<Identity> {
    if ground.has(Plant::PidAlone) {
        return ground.machine.at(who.pid);
    }
    ground.machine.find(who).map(|process| process.who)
}

fn entry((unit, run): &Key, slot: &Slot) -> Adopted {
    let phase = match slot.phase {
        Phase::Intent => AdoptedPhase::Starting,
        Phase::Started { who, since } => AdoptedPhase::Running { pid: who.pid, since },
        Phase::Ended { strays: false, is_acknowledged: true, .. } => AdoptedPhase::Remembered,
        Phase::Ended { exit, at, since, strays, .. } => {
            AdoptedPhase::Ended { exit, at, lived: at.since(since), strays }
        }
    };
    let (spec_hash, memo) = (slot.hash, slot.memo);
    Adopted { unit: unit.clone(), run: *run, spec_hash, memo, phase }
}
