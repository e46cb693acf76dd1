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
use crate::{client::Client, errors::CliError, print, words};

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
        || words::told(&format!("none: {DISCARDED}")).into_owned(),
        |folder| Path::new(folder).join(format!("{}.log", unit.unit)).display().to_string(),
    );
    let fields = [
        (words::label("unit"), unit.unit.clone()),
        (words::label("state"), words::of(&unit.state).into_owned()),
        (words::label("since"), unit.since.clone()),
        (words::label("why"), words::told(&print::harmless(&unit.why)).into_owned()),
        (words::label("pid"), pid),
        (words::label("run"), unit.run.to_string()),
        (words::label("restarts"), unit.restarts.to_string()),
    ];
    show_fields(&fields);
    // What a program may say it does not have to.
    let said =
        [(words::label("says"), &unit.status_text), (words::label("error"), &unit.error_text)];
    for (name, text) in said {
        let text = text.as_deref().map(print::harmless).filter(|text| !text.is_empty());
        if let Some(text) = text {
            print::data(&print::fact(name, &text));
        }
    }
    let fields = [
        (words::label("command"), detail.command.join(" ")),
        (words::label("directory"), detail.directory.clone().unwrap_or_default()),
        (words::label("log"), live),
    ];
    show_fields(&fields);
    show_beside(detail);
}

fn show_fields(fields: &[(&str, String)]) {
    for (name, value) in fields {
        print::data(&print::fact(name, value));
    }
}

/// Shows facts, checks and hooks.
fn show_beside(detail: &UnitDetail) {
    for (name, value) in &detail.unit.facts {
        let value = format!("{name}={}", print::harmless(value));
        print::data(&print::fact(words::label("fact"), &value));
    }
    for CheckState { check, verdict, seen, .. } in &detail.checks {
        let mut told = words::told(&format!("{check} is {verdict}")).into_owned();
        if !seen.is_empty() {
            told += words::before_reason();
            told += &words::told(&print::harmless(seen));
        }
        print::data(&print::fact(words::label("check"), &told));
    }
    for HookLast { hook, at, message, .. } in &detail.hooks {
        let told = format!("{hook} at {at}: {}", print::harmless(message));
        print::data(&print::fact(words::label("hook"), &words::told(&told)));
    }
}

/// Shows what the programs of a unit use, as far as the system tells.
fn show_usage(usage: &UnitUsage) {
    let io = usage.read_bytes.zip(usage.written_bytes);
    let fields = [
        (words::label("cpu"), usage.cpu_ms.map(time)),
        (words::label("memory"), usage.memory_bytes.map(|bytes| memory(usage, bytes))),
        (words::label("tasks"), usage.threads.map(|threads| tasks(usage.processes, threads))),
        (words::label("fds"), usage.descriptors.map(|count| count.to_string())),
        (
            words::label("io"),
            io.map(|(read, put)| format!("{} read, {} written", size(read), size(put))),
        ),
    ];
    for (name, value) in fields {
        let value = value.unwrap_or_else(|| "- (the system does not tell)".to_owned());
        print::data(&print::fact(name, &words::told(&value)));
    }
}

fn memory(usage: &UnitUsage, bytes: u64) -> String {
    let (now, share) = (size(bytes), usage.memory_share_bytes.map(size));
    match (share, usage.memory_peak_bytes.map(size)) {
        (Some(share), Some(peak)) => format!("{now}, {share} its share, {peak} at most"),
        (Some(share), None) => format!("{now}, {share} its share"),
        (None, Some(peak)) => format!("{now}, {peak} at most"),
        (None, None) => now,
    }
}

fn tasks(processes: u64, threads: u64) -> String {
    let count =
        |number: u64, thing| print::count(usize::try_from(number).unwrap_or(usize::MAX), thing);
    format!("{}, {}", count(processes, "process"), count(threads, "thread"))
}
