//! Which services a life has, and how their programs behave.

use std::{collections::BTreeMap, time::Duration};

use mainstay_core::{
    Exit, Hook, Notice, Probe, ProbeOf, Service, ServiceName,
    chance::Chance,
    check::{About, Check, CheckAction, CheckRole, Ready, ReadyBy, Watchdog},
    hook::HookPolicy,
    service::{
        Bonds, Care, Delays, ExitAction, ExitKey, Nature, ReloadBy, RestartPolicy, RestartWhen,
        StartType, StopPolicy,
    },
};

use crate::{
    beside::{CHECKS, HOOKS, of_check},
    ground::Ground,
    machine::Manner,
};

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
    /// One in so many runs does not work.
    sick_one_in: u64,
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
        let (binds_to, mut part_of) = (earlier(12), earlier(12));
        // Files that say both are refused.
        part_of.retain(|other| !conflicts.contains(other));
        let bonds = Bonds { binds_to, part_of, network: chance.below(8) == 0 };
        let nature = if chance.below(6) == 0 { Nature::Task } else { Nature::Daemon };
        Service {
            name,
            nature,
            start: start_type(chance),
            instances: if chance.below(4) == 0 { 2 } else { 1 },
            requires,
            wants,
            after,
            conflicts,
            bonds,
            restart: restart(chance),
            stop: StopPolicy {
                timeout: seconds(1 + chance.below(10)),
                kill_again: seconds(1 + chance.below(5)),
            },
            care: care(nature, chance),
            spec_hash: 1,
        }
    }

    /// Returns what a new process will say, and when for the first time.
    pub(crate) fn words(
        &self,
        name: &ServiceName,
        manner: Manner,
        ground: &mut Ground,
    ) -> Vec<(Duration, Notice)> {
        let Some(care) = self.care_of(name).filter(|_| !manner.is_sick) else { return Vec::new() };
        let ready = (care.ready.by == ReadyBy::Notice).then_some(Notice::Ready);
        let Ground { chance, weather, disk, .. } = ground;
        let is_asked_to = speaks(care) || disk.watched.contains(name);
        let alive = is_asked_to.then_some(Notice::Alive);
        let all = ready.into_iter().chain(alive);
        let mut words: Vec<_> = all.map(|notice| (share(seconds(2), chance), notice)).collect();
        if *weather == Weather::Storm {
            words.extend(rare_words(care, chance));
        }
        words
    }

    pub(crate) fn care_of(&self, name: &ServiceName) -> Option<&Care> {
        let service = self.services.iter().find(|service| service.name == *name)?;
        Some(&service.care)
    }

    /// Decides how a new process of a service will behave; in the calm nobody makes trouble.
    pub(crate) fn manner(
        &self,
        name: &ServiceName,
        weather: Weather,
        chance: &mut Chance,
    ) -> Manner {
        let Some(service) = self.services.iter().find(|service| service.name == *name) else {
            return hook(weather, chance);
        };
        let is_task = service.nature == Nature::Task;
        let habit = self.habits.get(name).filter(|_| weather == Weather::Storm);
        let Some(habit) = habit else {
            let ends = is_task.then_some((Duration::from_millis(10), Exit::Code(0)));
            return Manner { ends, ..polite() };
        };
        let mut is_one_in = |count: u64| count > 0 && chance.below(count) == 0;
        let (ends, deaf) = (is_one_in(habit.ends_one_in) || is_task, is_one_in(habit.deaf_one_in));
        let (leaves_stray, is_sick) =
            (is_one_in(habit.strays_one_in), is_one_in(habit.sick_one_in));
        let sickens = is_one_in(if is_looked_at(&service.care) { 6 } else { 0 });
        let is_stuck = is_one_in(12);
        let lives = Duration::from_millis(100) + share(habit.lives, chance);
        Manner {
            ends: ends.then(|| (lives, exit(chance))),
            leaves_after: (!deaf).then(|| share(seconds(2), chance)),
            dies_after: if is_stuck { seconds(20) } else { Duration::from_millis(1) },
            leaves_stray,
            is_sick,
            sickens_after: sickens.then(|| share(seconds(90), chance)),
        }
    }
}

/// Returns what few processes say, and when.
fn rare_words(care: &Care, chance: &mut Chance) -> Vec<(Duration, Notice)> {
    let mut words = Vec::new();
    let mut say = |one_in: u64, within: u64, notice: Notice| {
        if chance.below(one_in) == 0 {
            words.push((share(seconds(within), chance), notice));
        }
    };
    say(10, 30, Notice::Stopping);
    say(12, 30, Notice::Reloading);
    say(12, 4, Notice::Extend(seconds(10)));
    say(12, 30, Notice::Extend(seconds(40)));
    if care.watchdog.is_some() {
        say(4, 10, Notice::AliveEvery(seconds(30)));
        say(4, 10, Notice::AliveEvery(seconds(90)));
        say(8, 60, Notice::Ailing);
    }
    words
}

const IDEAL: Manner = Manner {
    ends: None,
    leaves_after: None,
    dies_after: Duration::from_millis(1),
    leaves_stray: false,
    is_sick: false,
    sickens_after: None,
};

/// Decides how a command beside a program behaves; in a storm some fail, and some never end.
fn hook(weather: Weather, chance: &mut Chance) -> Manner {
    let after = Duration::from_millis(1 << chance.below(13));
    let code = |code| Some((after, Exit::Code(code)));
    let ends = match (weather, chance.below(12)) {
        (Weather::Storm, 0) => None,
        (Weather::Storm, 1) => code(1),
        (Weather::Storm | Weather::Calm, _) => code(0),
    };
    Manner { ends, leaves_stray: weather == Weather::Storm && chance.below(12) == 0, ..IDEAL }
}

const fn polite() -> Manner {
    let brief = Duration::from_millis(5);
    Manner { ends: None, leaves_after: Some(brief), dies_after: brief, ..IDEAL }
}

fn habit(service: &Service, chance: &mut Chance) -> Habit {
    let is_limited = service.restart.limit > 0;
    Habit {
        ends_one_in: if is_limited { 1 } else { chance.below(4) },
        lives: Duration::from_millis(1 << chance.below(15)),
        deaf_one_in: chance.below(5),
        strays_one_in: chance.below(5),
        sick_one_in: if is_looked_at(&service.care) { chance.below(4) } else { 0 },
    }
}

/// Returns whether a program that does not work from its beginning is found out; readiness checks
/// tell of what is behind it.
pub(crate) fn is_looked_after(care: &Care) -> bool {
    let gates = matches!(care.ready.by, ReadyBy::Notice | ReadyBy::Probe { .. });
    let has_own = care.checks.iter().any(|check| check.role == CheckRole::Startup);
    gates || has_own || lives_are_watched(care)
}

/// Returns whether a look is at what is behind a program, which comes back in the calm, be its
/// service not configured any more.
pub(crate) fn is_behind(service: Option<&Service>, probe: Probe) -> bool {
    let ProbeOf::Check(place) = probe.of else { return false };
    let check = service.and_then(|service| service.care.checks.get(usize::from(place)));
    check.is_some_and(|check| check.role == CheckRole::Readiness)
}

/// Returns whether a program that stops working later on is found out.
pub(crate) fn lives_are_watched(care: &Care) -> bool {
    let ends = |check: &Check| check.role == CheckRole::Liveness && ends_runs(check.action);
    let has_watchdog = care.watchdog.is_some_and(|watchdog| ends_runs(watchdog.action));
    has_watchdog || care.checks.iter().any(ends)
}

/// Returns whether it is noticed, if nothing more, that a program does not work.
fn is_looked_at(care: &Care) -> bool {
    let is_watched = care.watchdog.is_some();
    is_looked_after(care)
        || is_watched
        || care.checks.iter().any(|it| it.role == CheckRole::Liveness)
}

/// Returns whether programs of a service say again and again that they are alive.
fn speaks(care: &Care) -> bool {
    care.watchdog.is_some() || care.checks.iter().any(|it| it.about == About::Heartbeat)
}

const fn ends_runs(action: CheckAction) -> bool {
    matches!(action, CheckAction::Restart | CheckAction::Stop)
}

fn care(nature: Nature, chance: &mut Chance) -> Care {
    let hooks = HOOKS.into_iter().filter(|_| chance.below(4) == 0);
    let hooks =
        hooks.map(|hook| (hook, HookPolicy { timeout: seconds(10) })).collect::<BTreeMap<_, _>>();
    if nature == Nature::Task {
        return Care { hooks, ..Care::default() };
    }
    let by = match chance.below(8) {
        0 | 1 => ReadyBy::Notice,
        2 => ReadyBy::Probe { every: seconds(1), timeout: seconds(5) },
        3 => ReadyBy::Delay(seconds(1)),
        _ => ReadyBy::Started,
    };
    let checks = (0..chance.below(6).saturating_sub(3)).map(|at| check(at, chance)).collect();
    let watchdog = (chance.below(5) == 0).then(|| watchdog(chance));
    let (ready, reload) = (Ready { by, timeout: seconds(30) }, reload(chance));
    let mut care = Care { ready, checks, watchdog, hooks, reload };
    equip(&mut care);
    care
}

fn watchdog(chance: &mut Chance) -> Watchdog {
    let action = match chance.below(6) {
        0 => CheckAction::Stop,
        1 => CheckAction::Mark,
        _ => CheckAction::Restart,
    };
    Watchdog { every: seconds(60 + 30 * chance.below(2)), action }
}

/// Changes how a hang is noticed: programs are told that as they begin, so it takes other runs.
pub(crate) fn watch_otherwise(service: &mut Service, chance: &mut Chance) {
    let is_taken_away = service.nature == Nature::Task || chance.below(3) == 0;
    service.care.watchdog = (!is_taken_away).then(|| watchdog(chance));
}

fn reload(chance: &mut Chance) -> Option<ReloadBy> {
    match chance.below(8) {
        0 => Some(ReloadBy::Signal),
        1 | 2 => Some(ReloadBy::Notice),
        3 => Some(ReloadBy::Command),
        _ => None,
    }
}

fn check(at: u64, chance: &mut Chance) -> Check {
    let role = match chance.below(4) {
        0 => CheckRole::Startup,
        1 => CheckRole::Readiness,
        _ => CheckRole::Liveness,
    };
    let about = match (role, chance.below(6)) {
        (_, 0) => About::Memory,
        (CheckRole::Startup | CheckRole::Liveness, 1) => About::Heartbeat,
        _ => About::Answer,
    };
    let every = if about == About::Heartbeat { 60 } else { 20 };
    Check {
        name: name_of(at),
        role,
        about,
        delay: seconds(chance.below(5)),
        every: seconds(every + chance.below(60)),
        timeout: seconds(5),
        failures: 1 + u32::from(chance.below(2) == 0),
        successes: 1,
        action: match (role, chance.below(8)) {
            (_, 1) => CheckAction::Run,
            (CheckRole::Readiness, _) | (_, 2) => CheckAction::Mark,
            (CheckRole::Startup | CheckRole::Liveness, 0) => CheckAction::Stop,
            (CheckRole::Startup | CheckRole::Liveness, _) => CheckAction::Restart,
        },
    }
}

/// Gives checks the commands that they have for themselves.
fn equip(care: &mut Care) {
    care.hooks.retain(|hook, _| !matches!(hook, Hook::OfCheck(_)));
    let own = care.checks.iter().filter(|check| check.action == CheckAction::Run);
    let own = own.map(|check| (of_check(&check.name), HookPolicy { timeout: seconds(10) }));
    care.hooks.extend(own);
}

fn name_of(at: u64) -> String {
    let place = usize::try_from(at).unwrap_or(usize::MAX);
    CHECKS.get(place).copied().unwrap_or_default().to_owned()
}

/// Changes how a service is looked after, which takes no other run: so it does not ask its program
/// for words that it does not say.
pub(crate) fn look_otherwise(care: &mut Care, first: &Service, chance: &mut Chance) {
    let place = chance.below(u64::try_from(care.checks.len()).unwrap_or(0).max(1));
    let place = usize::try_from(place).unwrap_or(0);
    match chance.below(9) {
        0 | 1 if place < care.checks.len() => drop(care.checks.remove(place)),
        7 if first.nature == Nature::Daemon => care.reload = reload(chance),
        6 => {
            if let Some(own) = &mut care.watchdog {
                own.action = watchdog(chance).action;
            }
        }
        2 | 8 => care.checks.reverse(),
        3 | 4 if first.nature == Nature::Daemon => {
            let mut fresh = check(chance.below(4), chance);
            if !speaks(&first.care) && fresh.about == About::Heartbeat {
                fresh.about = About::Answer;
            }
            care.checks.retain(|check| check.name != fresh.name);
            care.checks.insert(place.min(care.checks.len()), fresh);
        }
        _ => {
            if let Some(hook) = any_hook(chance).filter(|hook| care.hooks.remove(hook).is_none()) {
                care.hooks.insert(hook, HookPolicy { timeout: seconds(10) });
            }
        }
    }
    equip(care);
}

fn any_hook(chance: &mut Chance) -> Option<Hook> {
    let count = u64::try_from(HOOKS.len()).unwrap_or(1);
    HOOKS.get(usize::try_from(chance.below(count)).unwrap_or(0)).copied()
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

/// Decides how a program ends by itself.
pub(crate) fn exit(chance: &mut Chance) -> Exit {
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
