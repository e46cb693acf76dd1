//! What no crash of an actor takes away: time, chance, the machine, the disk, and the rules.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use mainstay_core::{Hook, Moment, Notice, chance::Chance};

use crate::{
    agenda::{Agenda, Happening},
    checker::Checker,
    disk::Disk,
    journal::Journal,
    machine::Machine,
    plant::Plant,
    scene::Weather,
    wire::{Key, Report, Request},
};

/// Whether what happens is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Telling {
    Yes,
    No,
}

/// An actor died between two steps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Died;

/// The ground on which the actors stand.
#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) now: Moment,
    pub(crate) chance: Chance,
    /// Out of so many steps an actor dies in one; 0 means never.
    pub(crate) danger: u64,
    pub(crate) weather: Weather,
    /// So many units may be starting at the same time; 0: any number.
    pub(crate) width: usize,
    pub(crate) plant: Option<Plant>,
    pub(crate) machine: Machine,
    pub(crate) journal: Journal,
    pub(crate) disk: Disk,
    pub(crate) agenda: Agenda,
    pub(crate) checker: Checker,
    /// What programs have said and nobody has taken yet; the keeper or the agent holds it.
    pub(crate) said: VecDeque<(Key, Notice)>,
    /// What an agent has sent up to this has left it, even if it dies.
    pub(crate) flushed: u64,
    /// Runs on which something was to be written when the keeper died.
    unwritten: BTreeSet<Key>,
    telling: Telling,
    story: Vec<String>,
    /// Frames of one direction arrive in the order in which they were sent.
    last_to_keeper: Moment,
    last_to_agent: Moment,
}

impl Ground {
    pub(crate) fn new(seed: u64, plant: Option<Plant>, telling: Telling) -> Self {
        Self {
            now: Moment::default(),
            chance: Chance::new(seed),
            danger: 0,
            weather: Weather::Storm,
            width: 0,
            plant,
            machine: Machine::default(),
            journal: Journal::default(),
            disk: Disk::default(),
            agenda: Agenda::default(),
            checker: Checker::default(),
            said: VecDeque::new(),
            flushed: 0,
            unwritten: BTreeSet::new(),
            telling,
            story: Vec::new(),
            last_to_keeper: Moment::default(),
            last_to_agent: Moment::default(),
        }
    }

    pub(crate) fn has(&self, plant: Plant) -> bool {
        self.plant == Some(plant)
    }

    /// Returns whether the mistake is to forget this hook now and then.
    pub(crate) fn drops(&self, hook: Hook) -> bool {
        self.plant.is_some_and(|plant| plant.drops(hook))
    }

    /// Every step of an actor may be its last.
    pub(crate) fn step(&mut self) -> Result<(), Died> {
        if self.danger > 0 && self.weather == Weather::Storm && self.chance.below(self.danger) == 0
        {
            return Err(Died);
        }
        Ok(())
    }

    /// Returns true once in `of` times.
    pub(crate) fn once_in(&mut self, of: u64) -> bool {
        self.chance.below(of) == 0
    }

    /// Returns a time up to `most`.
    pub(crate) fn up_to(&mut self, most: Duration) -> Duration {
        let most = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.chance.below(most.saturating_add(1)))
    }

    pub(crate) fn after(&mut self, delay: Duration, happening: Happening) {
        self.agenda.plan(self.now + delay, happening);
    }

    pub(crate) fn send_to_keeper(&mut self, from: u64, to: u64, request: Request) {
        let at = self.arrival().max(self.last_to_keeper);
        self.last_to_keeper = at;
        self.agenda.plan(at, Happening::ToKeeper { from, to, request });
    }

    pub(crate) fn send_to_agent(&mut self, from: u64, to: u64, report: Report) {
        let at = self.arrival().max(self.last_to_agent);
        self.last_to_agent = at;
        self.agenda.plan(at, Happening::ToAgent { from, to, report });
    }

    /// Frames take microseconds, now and then a second.
    fn arrival(&mut self) -> Moment {
        let most =
            if self.once_in(40) { Duration::from_secs(1) } else { Duration::from_micros(50) };
        self.now + self.up_to(most)
    }

    /// A keeper dies with what was to be written on runs; an agent that lives writes it again.
    pub(crate) fn lose_memos(&mut self) {
        self.unwritten.extend(self.agenda.memos().cloned());
    }

    /// A keeper writes on a run; it may die over that.
    pub(crate) fn writes(&mut self, key: &Key) {
        self.unwritten.insert(key.clone());
    }

    pub(crate) fn has_written(&mut self, key: &Key) {
        self.unwritten.remove(key);
    }

    /// A keeper has begun, and the agent has written again what was lost.
    pub(crate) fn memos_repeated(&mut self) {
        self.unwritten.clear();
    }

    /// An agent dies with what it had to write again.
    pub(crate) fn lose_unwritten(&mut self) {
        for key in std::mem::take(&mut self.unwritten) {
            self.machine.excuse(&key);
        }
    }

    /// Nobody is left who held what programs have said.
    pub(crate) fn lose_what_was_said(&mut self) {
        self.lose_unwritten();
        for (key, _) in std::mem::take(&mut self.said) {
            self.machine.excuse(&key);
        }
    }

    /// Another configuration is on the disk.
    pub(crate) fn configured(&mut self) {
        self.checker.configured(&self.disk, self.now);
    }

    pub(crate) fn tell(&mut self, line: impl FnOnce() -> String) {
        if self.telling == Telling::Yes {
            let at = self.now.elapsed().as_secs_f64();
            self.story.push(format!("{at:12.6}  {}", line()));
        }
    }

    pub(crate) fn into_story(self) -> Vec<String> {
        self.story
    }
}
