//! `mainstay show`: everything about one unit.

use std::{path::Path, process::ExitCode};

use clap::Args as ClapArgs;

use super::subject::Subject;
use crate::{errors::CliError, print};

/// Show everything about one unit
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:\n  mainstay show web@2")]
pub(super) struct Args {
    #[command(flatten)]
    subject: Subject,
}

pub(super) async fn run(args: &Args, instance: Option<&str>) -> Result<ExitCode, CliError> {
    let detail = args.subject.ask(instance).await?;
    if args.subject.json {
        print::json(&detail);
        return Ok(ExitCode::SUCCESS);
    }
    let unit = &detail.unit;
    let pid = unit.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
    let live = Path::new(&detail.logs).join(format!("{}.log", unit.unit));
    let fields = [
        ("unit", unit.unit.clone()),
        ("state", unit.state.clone()),
        ("since", unit.since.clone()),
        ("why", print::harmless(&unit.why)),
        ("pid", pid),
        ("run", unit.run.to_string()),
        ("restarts", unit.restarts.to_string()),
        ("command", detail.command.join(" ")),
        ("directory", detail.directory.clone().unwrap_or_default()),
        ("log", live.display().to_string()),
    ];
    for (name, value) in fields {
        print::data(&format!("{name:10} {value}\n"));
    }
    Ok(ExitCode::SUCCESS)
}
