//! Commands by chance, so that every effect and every note happens again and again.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use mainstay_api::control::{AddService, CommandAnswer, CommandName};

use crate::{
    chance::Chance, client, ground::Ground, hooks, program::Habit, trial::Trial, wait::rest,
    writers::service,
};

/// Units that end and start again.
pub(crate) const SHORT: [&str; 4] = ["f0", "f1", "f2", "f3"];
/// Units that run until they are told to stop.
pub(crate) const SLOW: [&str; 4] = ["s0", "s1", "s2", "s3"];
/// Services that come and go.
const GUESTS: [&str; 3] = ["g0", "g1", "g2"];
const COMMANDS: [CommandName; 6] = [
    CommandName::Start,
    CommandName::Stop,
    CommandName::Restart,
    CommandName::Kill,
    CommandName::Reset,
    CommandName::Reload,
];
/// The longest time between two commands.
const PAUSE_MAX: Duration = Duration::from_millis(30);

/// Commands until it is over; what is refused or lost is no matter.
pub(crate) fn run(trial: &Trial, mut chance: Chance, is_over: &AtomicBool) {
    while !is_over.load(Ordering::SeqCst) {
        match chance.below(10) {
            0 => add(&trial.ground, &mut chance),
            1 => remove(&trial.ground, &mut chance),
            2 => drop(client::post::<CommandAnswer>(&trial.ground, "/v1/apply", &())),
            _ => command(trial, &mut chance),
        }
        rest(chance.moment_below(PAUSE_MAX));
    }
}

fn command(trial: &Trial, chance: &mut Chance) {
    let units: Vec<&str> =
        SHORT.iter().chain(&SLOW).chain(&GUESTS).chain(&hooks::CARED).copied().collect();
    if let (Some(command), Some(unit)) = (chance.one_of(&COMMANDS), chance.one_of(&units)) {
        trial.command(*command, unit);
    }
}

fn add(ground: &Ground, chance: &mut Chance) {
    let Some(name) = chance.one_of(&GUESTS) else { return };
    let [program, _] = ground.binaries();
    let words = [
        program.display().to_string(),
        "program".to_owned(),
        ground.root().display().to_string(),
        (*name).to_owned(),
        Habit::Slow.name().to_owned(),
    ];
    let service = AddService {
        name: (*name).to_owned(),
        command: words.to_vec(),
        directory: None,
        environment: Vec::new(),
        start: None,
        requires: Vec::new(),
    };
    drop(client::post::<CommandAnswer>(ground, "/v1/services", &service));
}

fn remove(ground: &Ground, chance: &mut Chance) {
    if let Some(name) = chance.one_of(&GUESTS) {
        drop(client::delete::<CommandAnswer>(ground, &format!("/v1/services/{name}")));
    }
}

/// Returns the configuration: short lives, slow ones, and one that requires another.
pub(crate) fn config(ground: &Ground) -> String {
    let mut text = String::new();
    for name in SHORT {
        text += &service(ground, name, Habit::Short);
        text += "restart = { delay = \"10ms\", max-delay = \"50ms\" }\nlogs = { keep = 0 }\n\n";
    }
    for name in SLOW {
        text += &service(ground, name, Habit::Slow);
        text += "stop = { timeout = \"1s\" }\nlogs = { keep = 0, max-size = \"64KiB\" }\n";
        text += if name == "s3" { "requires = [\"s2\"]\n\n" } else { "\n" };
    }
    text + &hooks::config(ground)
}
