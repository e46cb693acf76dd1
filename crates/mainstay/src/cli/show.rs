//! `mainstay show`: everything about one unit.

use std::{path::Path, process::ExitCode};

use clap::Args as ClapArgs;
use mainstay_api::control::{CheckState, HookLast, UnitDetail};

use super::{logs::DISCARDED, subject::Subject};
use crate::{errors::CliError, print};

/// Show everything about one unit, or each of some
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  mainstay show web@2\n  mainstay show 'w*' --json")]
pub(super) struct Args {
    #[command(flatten)]
    subject: Subject,
}

pub(super) async fn run(args: &Args, instance: Option<&str>) -> Result<ExitCode, CliError> {
    for (count, detail) in args.subject.ask(instance).await?.iter().enumerate() {
        if args.subject.json {
            print::json(detail);
            continue;
        }
        print::data(if count > 0 { "\n" } else { "" });
        show(detail);
    }
    Ok(ExitCode::SUCCESS)
}

fn show(detail: &UnitDetail) {
    let unit = &detail.unit;
    let pid = unit.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
    let live = detail.logs.as_ref().map_or_else(
        || format!("none: {DISCARDED}"),
        |folder| Path::new(folder).join(format!("{}.log", unit.unit)).display().to_string(),
    );
    let fields = [
        ("unit", unit.unit.clone()),
        ("state", unit.state.clone()),
        ("since", unit.since.clone()),
        ("why", print::harmless(&unit.why)),
        ("pid", pid),
        ("run", unit.run.to_string()),
        ("restarts", unit.restarts.to_string()),
        ("says", unit.status_text.as_deref().map(print::harmless).unwrap_or_default()),
        ("error", unit.error_text.as_deref().map(print::harmless).unwrap_or_default()),
        ("command", detail.command.join(" ")),
        ("directory", detail.directory.clone().unwrap_or_default()),
        ("log", live),
    ];
    for (name, value) in fields {
        // What a program may say it does not have to.
        if !value.is_empty() || !["says", "error"].contains(&name) {
            print::data(&format!("{name:10} {value}\n"));
        }
    }
    for (name, value) in &unit.facts {
        print::data(&format!("{:10} {name}={}\n", "fact", print::harmless(value)));
    }
    for CheckState { check, verdict, seen, .. } in &detail.checks {
        let seen =
            if seen.is_empty() { String::new() } else { format!(": {}", print::harmless(seen)) };
        print::data(&format!("{:10} {check} is {verdict}{seen}\n", "check"));
    }
    for HookLast { hook, at, message, .. } in &detail.hooks {
        print::data(&format!("{:10} {hook} at {at}: {}\n", "hook", print::harmless(message)));
    }
}
