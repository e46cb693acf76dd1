//! The promise, tested with real processes: agents and keepers are killed at random moments and at
//! named instants while programs write at full speed; then every line and every exit is counted.
//!
//! ```text
//! driver ──starts, kills, upgrades──► keeper ──► agent
//!    │                                   └─────► programs ──lines──► segments
//!    └──────────────reads, counts, judges────────────────────────────────┘
//! ```
//!
//! The same binary plays all roles: keeper and agent are the shipped ones, with named instants
//! ([`mainstay_platform::fail`]) at which they die when a file says so.

mod chance;
mod churn;
mod client;
mod ground;
mod hooks;
mod judge;
mod line;
mod options;
mod points;
mod program;
mod reckoning;
mod roles;
mod trial;
mod wait;
mod writers;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use options::{Mode, Options};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["keeper", ..] => roles::keeper(&arguments),
        ["agent", ..] => roles::agent(&arguments),
        ["program", folder, unit, habit] => program::run(folder.as_ref(), unit, habit),
        ["hook", folder] => hooks::note(folder.as_ref()),
        ["hang"] => hooks::hang(),
        _ => drive(&words),
    }
}

fn drive(words: &[&str]) -> ExitCode {
    match Options::parse(words) {
        Ok(options) if options.wants_help => {
            say(options::HELP);
            ExitCode::SUCCESS
        }
        Ok(options) => run(&options),
        Err(message) => {
            say(&format!("error: {message}\n\n{}", options::HELP));
            ExitCode::from(2)
        }
    }
}

/// Runs what was asked for, everything else after a failure too, and says how it ended.
fn run(options: &Options) -> ExitCode {
    let mut verdict = ExitCode::SUCCESS;
    for mode in &options.modes {
        say(&format!("{}: {}; seed {}", mode.name(), mode.purpose(), options.seed));
        let result = match mode {
            Mode::Agents | Mode::Keepers | Mode::Both => writers::run(*mode, options),
            Mode::Lossy => writers::run_lossy(options),
            Mode::Points => points::run(options),
        };
        match result {
            Ok(summary) => say(&format!("{}: held\n{summary}", mode.name())),
            Err(error) => {
                say(&format!("{}: BROKEN: {error}", mode.name()));
                verdict = ExitCode::FAILURE;
            }
        }
    }
    verdict
}

/// Whoever closes our output does not want to hear more.
pub(crate) fn say(text: &str) {
    drop(writeln!(io::stdout(), "{text}"));
}
