//! What simulations have in common: lives by number, and the command line that asks for them.

mod command_line;
mod many;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use command_line::{Asked, Seeds};

/// What became of a life.
#[derive(Debug)]
pub struct Life {
    /// The first rule that was broken.
    pub violation: Option<Violation>,
    /// How many things happened.
    pub steps: u64,
    /// What happened, line by line, when it was asked for.
    pub story: Vec<String>,
}

/// A rule that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// What should have held.
    pub rule: &'static str,
    /// What was seen instead.
    pub details: String,
}

/// What lives the life of a seed, with a mistake or without.
pub type Live<P> = fn(u64, Option<P>) -> Life;

/// A simulation, as its program sees it; `P` is a mistake that can be planted.
#[derive(Debug)]
pub struct Simulation<P: 'static> {
    /// The name of its program, and of the chore that runs it.
    pub name: &'static str,
    /// All mistakes.
    pub plants: &'static [P],
    /// Names a mistake.
    pub plant_name: fn(P) -> &'static str,
    /// Lives the life of a seed.
    pub live: Live<P>,
    /// Lives the life of a seed once more and tells it.
    pub tell: Live<P>,
}

impl<P: Copy + Sync> Simulation<P> {
    /// Does what the command line asks for.
    pub fn run(&self) -> ExitCode {
        match self.asked(std::env::args().skip(1)) {
            Ok(Asked::Help) => {
                say(&self.help());
                ExitCode::SUCCESS
            }
            Ok(Asked::One { seed, plant }) => self.tell_one(seed, plant),
            Ok(Asked::Many { seeds, plant }) => self.live_many(seeds, plant),
            Ok(Asked::Plants(seeds)) => self.plant_all(seeds),
            Err(message) => {
                say(&format!("error: {message}\n{}", self.help()));
                ExitCode::FAILURE
            }
        }
    }

    fn tell_one(&self, seed: u64, plant: Option<P>) -> ExitCode {
        let life = (self.tell)(seed, plant);
        for line in &life.story {
            say(line);
        }
        if let Some(violation) = &life.violation {
            say_broken(seed, violation);
            return ExitCode::FAILURE;
        }
        say(&format!("seed {seed}: all rules held, {} steps", life.steps));
        ExitCode::SUCCESS
    }

    /// Plants every mistake, one after the other.
    fn plant_all(&self, seeds: Seeds) -> ExitCode {
        let mut verdict = ExitCode::SUCCESS;
        for plant in self.plants {
            if self.live_many(seeds, Some(*plant)) != ExitCode::SUCCESS {
                verdict = ExitCode::FAILURE;
            }
        }
        verdict
    }

    fn live_many(&self, seeds: Seeds, plant: Option<P>) -> ExitCode {
        let many = many::live(self.live, seeds, plant);
        match (many.worst, plant) {
            (None, None) => {
                let (steps, seconds) = (many.steps, many.took.as_secs_f64());
                say(&format!(
                    "{} lives, {steps} steps, {seconds:.1} s: all rules held",
                    seeds.count
                ));
                ExitCode::SUCCESS
            }
            (None, Some(plant)) => {
                say(&format!("NOT FOUND in {} lives: {}", seeds.count, (self.plant_name)(plant)));
                ExitCode::FAILURE
            }
            (Some(seed), None) => self.tell_short(seed),
            (Some(seed), Some(plant)) => {
                let rule =
                    (self.live)(seed, Some(plant)).violation.map_or("", |violation| violation.rule);
                say(&format!("found {} with seed {seed}: {rule}", (self.plant_name)(plant)));
                ExitCode::SUCCESS
            }
        }
    }

    /// Names the first bad seed and how to see its life.
    fn tell_short(&self, seed: u64) -> ExitCode {
        if let Some(violation) = (self.live)(seed, None).violation {
            say_broken(seed, &violation);
        }
        say(&format!("its life: cargo xtask {} --seed {seed}", self.name));
        ExitCode::FAILURE
    }
}

fn say_broken(seed: u64, violation: &Violation) {
    say(&format!("seed {seed}: BROKEN: {}\n  {}", violation.rule, violation.details));
}

/// Whoever closes our output does not want to hear more.
fn say(line: &str) {
    drop(writeln!(io::stdout(), "{line}"));
}
