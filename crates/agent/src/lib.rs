//! The agent: turns the world into inputs of the core, and the core's effects into deeds.
//!
//! One thread owns the core, its state and the conversation with the keeper; clients are served by
//! a second one, which only sends it questions. The agent may die at any instant: runs go on under
//! the keeper, wishes are on disk before they are answered, and the next agent decides again what
//! the keeper still remembers.

mod api;
mod beside;
mod bundle;
mod calls;
mod clerk;
pub mod configuration;
mod copies;
mod custody;
mod daemon;
pub mod descriptors;
mod editing;
mod effects;
mod errand;
mod events;
mod given;
mod health;
mod inquiry;
mod jobs;
mod keeper;
pub mod kinds;
mod launch;
mod network;
mod notices;
mod numbers;
mod options;
mod orphan;
mod pauses;
mod pressure;
pub mod probe;
mod report;
mod retention;
mod rights;
mod rungs;
pub mod secrets;
mod watch;
mod wishes;
mod world;
pub mod zstd;

pub use options::{AgentOptions, Mode, OptionsError};

use std::process::ExitCode;

/// Runs an agent until its keeper ends or another agent takes over.
pub fn run(arguments: &[String]) -> ExitCode {
    mainstay_platform::memory::be_thrifty();
    // It holds secrets. Who cannot refuse a dump works all the same.
    drop(mainstay_platform::dump::refuse());
    // Each unit may have a socket for what it says. Who cannot have more works with less.
    drop(mainstay_platform::daemon::raise_file_limit());
    let ended =
        AgentOptions::parse(arguments).map_err(daemon::AgentError::from).and_then(daemon::run);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            events::complain("the agent ends", &error);
            ExitCode::FAILURE
        }
    }
}
