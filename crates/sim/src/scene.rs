//! Which services a life has, and how their programs behave.

use std::{collections::BTreeMap, time::Duration};

use mainstay_core::{
    Exit, Service, ServiceName,
    chance::Chance,
    service::{
        Delays, ExitAction, ExitKey, Nature, RestartPolicy, RestartWhen, StartType, StopPolicy,
    },
};

use crate::machine::Manner;

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

/// Whether there is trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weather {
    /// Programs end, and actors die.
    Storm,
    /// Nobody makes trouble any more.
    Calm,
}

/// How the programs of a service behave while there is a storm.
#[derive(Debug, Clone, Copy)]
struct Habit {
    /// One in so many runs ends by itself; 0 means none.
    ends_one_in: u64,
    lives: Duration,
    /// One in so many runs does not listen.
    deaf_one_in: u64,
    /// One in so many runs leaves something behind.
    strays_one_in: u64,
}

/// All services there ever are in a life.
#[derive(Debug, Default)]
pub(crate) struct Scene {
    pub(crate) services: Vec<Service>,
    habits: BTreeMap<ServiceName, Habit>,
}

impl Scene {
    pub(crate) fn new(chance: &mut Chance) -> Self {
        let mut scene = Self::default();
        let count = 1 + chance.below(5);
        for text in NAMES.iter().take(usize::try_from(count).unwrap_or(1)) {
            let Ok(name) = ServiceName::new(text) else { continue };
            let service = scene.service(name.clone(), chance);
            let habit = habit(&service, chance);
            scene.habits.insert(name, habit);
            scene.services.push(service);
        }
        scene
    }

    fn service(&self, name: ServiceName, chance: &mut Chance) -> Service {
        let mut earlier = |one_in: u64| -> Vec<ServiceName> {
            let names = self.services.iter().map(|service| service.name.clone());
            names.filter(|_| chance.below(one_in) == 0).collect()
        };
        let (requires, wants, after, conflicts) =
            (earlier(4), earlier(10), earlier(8), earlier(16));
        Service {
            name,
            nature: if chance.below(6) == 0 { Nature::Task } else { Nature::Daemon },
            start: start_type(chance),
            instances: if chance.below(4) == 0 { 2 } else { 1 },
            requires,
            wants,
            after,
            conflicts,
            restart: restart(chance),
            stop: StopPolicy {
                timeout: seconds(1 + chance.below(10)),
                kill_again: seconds(1 + chance.below(5)),
            },
            spec_hash: 1,
        }
    }

    /// Decides how a new process of a service will behave; in the calm nobody makes trouble.
    pub(crate) fn manner(
        &self,
        name: &ServiceName,
        weather: Weather,
        chance: &mut Chance,
    ) -> Manner {
        let service = self.services.iter().find(|service| service.name == *name);
        let is_task = service.is_some_and(|service| service.nature == Nature::Task);
        let habit = self.habits.get(name).filter(|_| weather == Weather::Storm);
        let Some(habit) = habit else {
            let ends = is_task.then_some((Duration::from_millis(10), Exit::Code(0)));
            return Manner { ends, ..polite() };
        };
        let mut is_one_in = |count: u64| count > 0 && chance.below(count) == 0;
        let (ends, deaf) = (is_one_in(habit.ends_one_in) || is_task, is_one_in(habit.deaf_one_in));
        let leaves_stray = is_one_in(habit.strays_one_in);
        let is_stuck = is_one_in(12);
        let lives = Duration::from_millis(100) + share(habit.lives, chance);
        Manner {
            ends: ends.then(|| (lives, exit(chance))),
            leaves_after: (!deaf).then(|| share(seconds(2), chance)),
            dies_after: if is_stuck { seconds(20) } else { Duration::from_millis(1) },
            leaves_stray,
        }
    }
}

const fn polite() -> Manner {
    let brief = Duration::from_millis(5);
    Manner { ends: None, leaves_after: Some(brief), dies_after: brief, leaves_stray: false }
}

fn habit(service: &Service, chance: &mut Chance) -> Habit {
    let is_limited = service.restart.limit > 0;
    Habit {
        ends_one_in: if is_limited { 1 } else { chance.below(4) },
        lives: Duration::from_millis(1 << chance.below(15)),
        deaf_one_in: chance.below(5),
        strays_one_in: chance.below(5),
    }
}

fn start_type(chance: &mut Chance) -> StartType {
    match chance.below(12) {
        0 | 1 => StartType::Manual,
        2 => StartType::Delayed,
        3 => StartType::Disabled,
        _ => StartType::Auto,
    }
}

fn restart(chance: &mut Chance) -> RestartPolicy {
    let mut exits = BTreeMap::new();
    if chance.below(3) == 0 {
        exits.insert(ExitKey::Code(42), ExitAction::Fail);
    }
    if chance.below(4) == 0 {
        exits.insert(ExitKey::Code(0), ExitAction::Stop);
    }
    RestartPolicy {
        when: match chance.below(5) {
            0 => RestartWhen::OnFailure,
            1 => RestartWhen::Never,
            _ => RestartWhen::Always,
        },
        exits,
        delays: delays(chance),
        reset_after: seconds(1 + chance.below(30)),
        limit: if chance.below(3) == 0 { 2 + u32::from(chance.below(2) == 0) } else { 0 },
        within: seconds(if chance.below(2) == 0 { 60 } else { 600 }),
    }
}

fn delays(chance: &mut Chance) -> Delays {
    match chance.below(4) {
        0 => Delays::List(vec![Duration::ZERO]),
        1 => Delays::List(vec![seconds(1), seconds(5), seconds(20)]),
        _ => Delays::Exponential {
            first: Duration::from_millis(200),
            max: seconds(1 + chance.below(60)),
        },
    }
}

fn exit(chance: &mut Chance) -> Exit {
    match chance.below(6) {
        0 | 1 => Exit::Code(0),
        2 => Exit::Code(42),
        3 => Exit::Signal(11),
        _ => Exit::Code(1),
    }
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Returns a time up to `most`.
fn share(most: Duration, chance: &mut Chance) -> Duration {
    let most = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(chance.below(most.saturating_add(1)))
}
