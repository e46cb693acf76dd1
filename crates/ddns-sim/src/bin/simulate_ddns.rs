//! `simulate-ddns --seeds N [--from S]`, `--seed S`, `--plant NAME`, `--plants`: lives by number.

use std::{
    io::{self, Write as _},
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Instant,
};

use mainstay_ddns_sim::{Plant, live, tell};

const HELP: &str = "\
simulate-ddns [--seeds N] [--from S] [--plant NAME]   lives of N seeds, from S on
simulate-ddns --plants [--seeds N]                    all mistakes, one after the other
simulate-ddns --seed S [--plant NAME]                 tells one life
A planted mistake must be found, else that is a failure. Mistakes:";

/// What was asked for.
#[derive(Debug, Default)]
struct Options {
    seeds: u64,
    from: u64,
    seed: Option<u64>,
    wants_plants: bool,
    plant: Option<Plant>,
    wants_help: bool,
}

fn main() -> ExitCode {
    match options(std::env::args().skip(1)) {
        Ok(options) => run(&options),
        Err(message) => {
            say(&format!("error: {message}\n{}", help()));
            ExitCode::FAILURE
        }
    }
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options { seeds: 1000, ..Options::default() };
    while let Some(name) = arguments.next() {
        if matches!(name.as_str(), "-h" | "--help") {
            options.wants_help = true;
            return Ok(options);
        }
        if name == "--plants" {
            options.wants_plants = true;
            continue;
        }
        let value = arguments.next().ok_or_else(|| format!("`{name}` needs a value"))?;
        let number = || value.parse().map_err(|_| format!("`{value}` is no number"));
        match name.as_str() {
            "--seeds" => options.seeds = number()?,
            "--from" => options.from = number()?,
            "--seed" => options.seed = Some(number()?),
            "--plant" => {
                let plant = Plant::named(&value);
                options.plant = Some(plant.ok_or_else(|| format!("no mistake is `{value}`"))?);
            }
            _ => return Err(format!("there is no option `{name}`")),
        }
    }
    Ok(options)
}

fn help() -> String {
    let names: Vec<&str> = Plant::ALL.into_iter().map(Plant::name).collect();
    format!("{HELP}\n  {}", names.join(", "))
}

fn run(options: &Options) -> ExitCode {
    if options.wants_help {
        say(&help());
        return ExitCode::SUCCESS;
    }
    if options.wants_plants {
        return plant_all(options);
    }
    match options.seed {
        Some(seed) => tell_one(seed, options.plant),
        None => live_many(options),
    }
}

/// Plants every mistake, one after the other.
fn plant_all(options: &Options) -> ExitCode {
    let mut verdict = ExitCode::SUCCESS;
    for plant in Plant::ALL {
        let (seeds, from) = (options.seeds, options.from);
        let options = Options { seeds, from, plant: Some(plant), ..Options::default() };
        if live_many(&options) != ExitCode::SUCCESS {
            verdict = ExitCode::FAILURE;
        }
    }
    verdict
}

fn tell_one(seed: u64, plant: Option<Plant>) -> ExitCode {
    let life = tell(seed, plant);
    for line in &life.story {
        say(line);
    }
    if let Some(violation) = life.violation {
        say(&format!("seed {seed}: BROKEN: {}\n  {}", violation.rule, violation.details));
        return ExitCode::FAILURE;
    }
    say(&format!("seed {seed}: all rules held, {} steps", life.steps));
    ExitCode::SUCCESS
}

#[expect(clippy::disallowed_methods, reason = "a life does not see how long it takes us")]
fn live_many(options: &Options) -> ExitCode {
    let began = Instant::now();
    let end = options.from.saturating_add(options.seeds);
    let (next, steps) = (AtomicU64::new(options.from), AtomicU64::new(0));
    let worst = AtomicU64::new(u64::MAX);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end || seed > worst.load(Ordering::Relaxed) {
                return;
            }
            let life = live(seed, options.plant);
            steps.fetch_add(life.steps, Ordering::Relaxed);
            if life.violation.is_some() {
                worst.fetch_min(seed, Ordering::Relaxed);
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let (seconds, steps) = (began.elapsed().as_secs_f64(), steps.into_inner());
    match (worst.into_inner(), options.plant) {
        (u64::MAX, None) => {
            say(&format!("{} lives, {steps} steps, {seconds:.1} s: all rules held", options.seeds));
            ExitCode::SUCCESS
        }
        (u64::MAX, Some(plant)) => {
            say(&format!("NOT FOUND in {} lives: {}", options.seeds, plant.name()));
            ExitCode::FAILURE
        }
        (seed, None) => tell_short(seed, None),
        (seed, Some(plant)) => {
            let rule = live(seed, Some(plant)).violation.map_or("", |violation| violation.rule);
            say(&format!("found {} with seed {seed}: {rule}", plant.name()));
            ExitCode::SUCCESS
        }
    }
}

/// Names the first bad seed and how to see its life.
fn tell_short(seed: u64, plant: Option<Plant>) -> ExitCode {
    if let Some(violation) = live(seed, plant).violation {
        say(&format!("seed {seed}: BROKEN: {}\n  {}", violation.rule, violation.details));
    }
    say(&format!("its life: cargo xtask simulate-ddns --seed {seed}"));
    ExitCode::FAILURE
}

/// Whoever closes our output does not want to hear more.
fn say(line: &str) {
    drop(writeln!(io::stdout(), "{line}"));
}
