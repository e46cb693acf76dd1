//! `mainstay show`: everything about one unit.

use std::{path::Path, process::ExitCode};

use clap::Args as ClapArgs;
use mainstay_api::control::{CheckState, HookLast, UnitDetail, UnitUsage};
use serde::Serialize;

use super::{
    logs::DISCARDED,
    status::usage::{self, size, time},
    subject::Subject,
};
use crate::{client::Client, errors::CliError, print};

/// Show everything about one unit, or each of some
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  mainstay show web@2\n  mainstay show 'w*' --json")]
pub(super) struct Args {
    #[command(flatten)]
    subject: Subject,
}

/// Everything about a unit, and what it uses.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    detail: &'a UnitDetail,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<&'a UnitUsage>,
}

pub(super) async fn run(args: &Args, instance: Option<&str>) -> Result<ExitCode, CliError> {
    let (located, details) = args.subject.ask_there(instance).await?;
    let mut client = Client::connect(&located).await?;
    let names = match details.as_slice() {
        [one] => vec![one.unit.unit.clone()],
        _ => Vec::new(),
    };
    // What is not told is left out: the rest is worth showing.
    let usages = usage::ask(&mut client, &names, Some(0)).await.unwrap_or_default();
    for (count, detail) in details.iter().enumerate() {
        let usage = usages.units.iter().find(|usage| usage.unit == detail.unit.unit);
        if args.subject.json {
            print::json(&Shown { detail, usage });
            continue;
        }
        print::data(if count > 0 { "\n" } else { "" });
        show(detail);
        usage.into_iter().for_each(show_usage);
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

fn processes(count: u64) -> String {
    if count == 1 { "1 process".to_owned() } else { format!("{count} processes") }
}

/// Shows what the programs of a unit use, as far as the system tells.
fn show_usage(usage: &UnitUsage) {
    let memory = usage.memory_bytes.map(|bytes| {
        let share = usage.memory_share_bytes.map(|share| format!(", {} its share", size(share)));
        let peak = usage.memory_peak_bytes.map(|peak| format!(", {} at most", size(peak)));
        [Some(size(bytes)), share, peak].into_iter().flatten().collect::<String>()
    });
    let tasks =
        usage.threads.map(|threads| format!("{}, {threads} threads", processes(usage.processes)));
    let io = usage.read_bytes.zip(usage.written_bytes);
    let fields = [
        ("cpu", usage.cpu_ms.map(time)),
        ("memory", memory),
        ("tasks", tasks),
        ("fds", usage.descriptors.map(|count| count.to_string())),
        ("io", io.map(|(read, put)| format!("{} read, {} written", size(read), size(put)))),
    ];
    for (name, value) in fields {
        let value = value.unwrap_or_else(|| "- (the system does not tell)".to_owned());
        print::data(&format!("{name:10} {value}\n"));
    }
}
