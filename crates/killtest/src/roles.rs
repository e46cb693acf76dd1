//! Keeper and agent as they are shipped, told where the files of their named instants lie.

use std::{path::Path, process::ExitCode};

use mainstay_platform::{daemon, fail, paths};

use crate::ground::{Ground, NEWER};

/// Plays the keeper.
pub(crate) fn keeper(arguments: &[String]) -> ExitCode {
    look_for_files(arguments);
    mainstay_keeper::run(arguments.get(1..).unwrap_or_default())
}

/// Plays the agent; the driver kills whoever wrote its process id down last.
pub(crate) fn agent(arguments: &[String]) -> ExitCode {
    if let Some(ground) = look_for_files(arguments) {
        let pid = std::process::id().to_string();
        let noted = paths::open_log(std::fs::OpenOptions::new().append(true), &ground.agents())
            .and_then(|mut file| {
                std::io::Write::write_all(&mut file, format!("{pid}\n").as_bytes())
            });
        if noted.is_err() {
            return ExitCode::FAILURE;
        }
    }
    mainstay_agent::run(arguments.get(1..).unwrap_or_default())
}

/// Pretends to be newer where the binary's name says so, and finds the files of named instants:
/// the runtime folder lies in the ground.
fn look_for_files(arguments: &[String]) -> Option<Ground> {
    let program = daemon::own_program().ok()?;
    if program.file_stem().is_some_and(|name| name == NEWER) {
        fail::raise();
    }
    let at = arguments.iter().position(|word| word == "--runtime")?;
    let ground = Ground::at(Path::new(arguments.get(at + 1)?).parent()?);
    fail::look_in(ground.fail());
    Some(ground)
}
