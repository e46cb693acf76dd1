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

use std::{io, process::ExitCode};

use mainstay_api::control::Event;
use mainstay_storage::instance::Instance;

/// Returns what the last agents of an instance have told after an event, as it is on the disk: for
/// whoever has not heard the end of one that is gone.
pub fn events_after(instance: &Instance, sequence: u64) -> io::Result<Vec<Event>> {
    events::recorded_after(instance, sequence)
}

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
