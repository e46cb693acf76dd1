//! `mainstay kind list`.

use std::process::ExitCode;

use clap::Args as ClapArgs;
use mainstay_agent::kinds::{self, FoundKind, KindError};

use crate::{
    conformance::about::{self, About},
    errors::CliError,
    instance, print, words,
};

/// List the kinds that services can run
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:\n  mainstay kind list --json")]
pub(super) struct Args {
    /// Print JSON, a list with an object a kind
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, instance: Option<&str>) -> ExitCode {
    // Nobody needs an instance for the kinds of the machine.
    let state = instance::choose(instance).map(|located| located.instance.state);
    let folders = kinds::folders(&state.unwrap_or_default());
    let all = kinds::all(&folders);
    for error in all.iter().filter_map(|found| found.as_ref().err()) {
        print::talk(&error.to_string());
    }
    let found = all.iter().flatten();
    if args.json {
        print::json(&found.map(json).collect::<Vec<_>>());
    } else {
        print::data(&print::harmless(&found.map(line).collect::<String>()));
    }
    if all.is_empty() {
        let places: Vec<String> =
            folders.iter().map(|folder| format!("  {}", folder.display())).collect();
        print::talk(&format!("there are no kinds in\n{}", places.join("\n")));
    }
    let is_well = all.iter().all(Result::is_ok);
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn line(kind: &FoundKind) -> String {
    let FoundKind { name, command } = kind;
    let path = command.join(" ");
    match fault_or_about(kind) {
        Ok(About { version, summary, .. }) => {
            let summary = print::harmless(&summary);
            format!("{name}  {version}  {}  ({path})\n", words::told(&summary))
        }
        Err(why) => {
            let told = format!("cannot be run: {}", print::harmless(&why));
            format!("{name}  {}  ({path})\n", words::told(&told))
        }
    }
}

fn json(kind: &FoundKind) -> serde_json::Value {
    let FoundKind { name, command } = kind;
    match fault_or_about(kind) {
        Ok(about) => serde_json::json!({ "name": name, "command": command, "about": about }),
        Err(why) => serde_json::json!({ "name": name, "command": command, "fault": why }),
    }
}

fn fault_or_about(kind: &FoundKind) -> Result<About, String> {
    let about = about::ask(&kind.command).map_err(|error| error.to_string())?;
    about.fault(&kind.name).map_or(Ok(about), Err)
}

/// Refuses a kind that cannot be run.
pub(super) fn refused(error: &KindError) -> CliError {
    CliError::refused(error.to_string(), "`mainstay kind list` lists those that there are")
}
