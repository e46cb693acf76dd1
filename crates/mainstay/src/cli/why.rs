//! `mainstay why`: the story of one unit, in sentences.

mod bundle;

use std::{fmt::Write as _, path::Path, process::ExitCode};

use clap::Args as ClapArgs;
use mainstay_api::control::{CheckState, Event, HookLast, Unit, UnitDetail};
use mainstay_storage::{
    read,
    segment::{self, ChainFiles},
};

use super::{logs::DISCARDED, service, status::milliseconds, subject::Subject, verdict};
use crate::{
    errors::{CliError, Kind},
    explain, print, words,
};

/// Why a unit that runs is not well, although it was ready once.
const UNREADY: &str = "nobody may rely on it, because a readiness check is bad";
const EXITS_SHOWN: usize = 5;
/// A start that takes so long waits for storage.
const HANGS_AFTER_SECONDS: u64 = 1;
const LINES_SHOWN: usize = 10;
/// A program may write megabytes without a line end.
const LETTERS_SHOWN: usize = 1_000;

/// Tell why a unit is as it is, and what comes next
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay why web\n  mainstay why web --bundle\n  mainstay why web --bundle 3 --json"
)]
pub(super) struct Args {
    #[command(flatten)]
    subject: Subject,

    /// Show all that is known of a run that crashed: the last one, or this one; needs no agent
    #[arg(long, value_name = "RUN", num_args = 0..=1, default_missing_value = "last")]
    #[arg(value_parser = bundle::Which::parse)]
    bundle: Option<bundle::Which>,

    /// List the runs that crashed and have a bundle; needs no agent
    #[arg(long, conflicts_with = "bundle")]
    list: bool,
}

pub(super) async fn run(args: &Args, instance: Option<&str>) -> Result<ExitCode, CliError> {
    if args.list {
        return bundle::list(args, instance).await;
    }
    if let Some(which) = args.bundle {
        return bundle::show(args, which, instance).await;
    }
    let asked = args.subject.ask_there(instance).await;
    let (located, details) = asked.map_err(|error| of_manager(args, instance, error))?;
    for (count, detail) in details.iter().enumerate() {
        let lines = last_lines(detail);
        let bundles = bundle::shelf(&located, &detail.unit.unit).numbers().unwrap_or_default();
        if args.subject.json {
            print::json(
                &serde_json::json!({ "unit": detail.unit, "events": detail.events, "lines": lines, "bundles": bundles }),
            );
            continue;
        }
        print::data(if count > 0 { "\n" } else { "" });
        print::data(&story(detail, &lines));
        if let Some(run) = bundles.last() {
            let unit = &detail.unit.unit;
            let command = format!("mainstay why {unit} --bundle {run}");
            print::told(&format!("\nAll that is known of the crash of run {run}: `{command}`.\n"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A service that has ended has no agent to tell why; its manager knows with which number.
fn of_manager(args: &Args, instance: Option<&str>, error: CliError) -> CliError {
    if error.kind != Kind::Unreachable {
        return error;
    }
    let names = instance.into_iter().chain([args.subject.name()]);
    let Some(what) = names.into_iter().find_map(service::status::of_ended) else { return error };
    CliError { what, ..error }
}

fn story(detail: &UnitDetail, lines: &[String]) -> String {
    let unit = &detail.unit;
    let why = if unit.unready { UNREADY.to_owned() } else { print::harmless(&unit.why) };
    let mut text = format!(
        "`{}` is {} since {} ({}): {why}.\n",
        unit.unit,
        print::phrase(&unit.state),
        unit.since,
        print::span(unit.since_seconds),
    );
    if is_unanswered(unit) && unit.since_seconds >= HANGS_AFTER_SECONDS {
        text.push_str(&what_hangs(detail));
    }
    text.push_str(&what_start_means(unit));
    text.push_str(&where_paths_begin(detail));
    text.push_str(&now_and_next(detail));
    text.push_str(&ailing_checks(detail));
    let exits = ends(&detail.events);
    if !exits.is_empty() {
        text.push_str("\nIts last ends:\n");
        for event in exits.iter().rev().take(EXITS_SHOWN) {
            let told = event.message.clone() + &why_it_was_to_end(event, &detail.events);
            let _ = writeln!(text, "  {}  {}", event.timestamp, print::harmless(&told));
        }
        let code = unit.last_exit.as_ref().and_then(|last| last.code);
        text.push_str(&what_end_means(code));
    }
    if !detail.hooks.is_empty() {
        text.push_str("\nThe last ends of its hooks:\n");
        for HookLast { at, message, .. } in &detail.hooks {
            let _ = writeln!(text, "  {at}  {}", print::harmless(message));
        }
    }
    if detail.logs.is_none() {
        let _ = writeln!(text, "\nIt has no log: {DISCARDED}.");
    }
    let mut text = words::told(&text).into_owned();
    if !lines.is_empty() {
        text.push_str(&words::told("\nThe last lines of its log:\n"));
        for line in lines {
            let _ = writeln!(text, "  {line}");
        }
    }
    text
}

/// Explains the last exit code, when it is one that everybody looks up.
fn what_end_means(code: Option<u32>) -> String {
    let Some((code, found)) = code.and_then(|code| Some((code, explain::exit(code)?))) else {
        return String::new();
    };
    format!("  {}: {}.\n  {}\n", explain::shown(code), found.meaning, found.remedy)
}

/// Explains why a program could not be started, where the system's numbers are those of Windows.
fn what_start_means(unit: &Unit) -> String {
    if std::env::consts::FAMILY != "windows" {
        return String::new();
    }
    let number = os_error(&unit.why).and_then(explain::number);
    number.map_or_else(String::new, |found| {
        format!("That is: {}.\n  {}\n", found.meaning, found.remedy)
    })
}

/// Whoever wrote a relative path may have meant another folder.
fn where_paths_begin(detail: &UnitDetail) -> String {
    let is_relative = |word: &str| word.starts_with("./") || word.starts_with("../");
    let has_any = detail.unit.why.split('`').any(is_relative);
    let directory = detail.directory.as_deref().filter(|_| has_any);
    directory.map_or_else(String::new, |directory| {
        format!("Relative paths begin at its directory, `{directory}`.\n")
    })
}

/// Returns the number behind an error of the system.
fn os_error(text: &str) -> Option<i32> {
    let (_, behind) = text.split_once("(os error ")?;
    behind.split_once(')')?.0.parse().ok()
}

/// Returns the events that tell how runs ended, the last word on each run.
fn ends(events: &[Event]) -> Vec<&Event> {
    let is_amended = |end: &Event| {
        let mut later = events.iter().filter(|event| event.event == "ExitAmended");
        end.event == "UnitExited" && later.any(|event| event.run == end.run)
    };
    let tells_end = |event: &&Event| matches!(event.event.as_str(), "UnitExited" | "ExitAmended");
    events.iter().filter(tells_end).filter(|event| !is_amended(event)).collect()
}

/// Tells why a run was stopping before its end, where it was: a hang is no longer seen by then.
fn why_it_was_to_end(end: &Event, events: &[Event]) -> String {
    let is_stopping =
        |event: &&Event| event.run == end.run && event.facts.state.as_deref() == Some("stopping");
    let stopping = events.iter().find(is_stopping).and_then(|it| it.message.split_once(": "));
    stopping.map_or_else(String::new, |(_, reason)| format!("; it was stopping: {reason}"))
}

/// Returns whether the system has been asked for the program and it is not there. One that is there
/// and not ready has had its answer; for one that waits for a hook or a secret nobody has asked yet.
fn is_unanswered(unit: &Unit) -> bool {
    unit.state == "starting" && unit.pid.is_none() && unit.starts_after.is_none()
}

/// A start takes milliseconds, unless storage does not answer.
fn what_hangs(detail: &UnitDetail) -> String {
    let program = detail.command.first().map_or("", String::as_str);
    let directory = detail.directory.as_deref().unwrap_or("/");
    let log = detail.logs.as_ref().map_or_else(String::new, |logs| format!(" or its log `{logs}`"));
    let places = format!("its directory `{directory}`, its program `{program}`{log}");
    let span = print::span(detail.unit.since_seconds);
    let text = format!(
        "The system has not answered for {span}: {places} may lie on storage that hangs.\n"
    );
    print::harmless(text.trim_end()) + "\n"
}

/// Tells what is not well about a unit, in the words of its checks, as far as that was not told.
fn ailing_checks(detail: &UnitDetail) -> String {
    let is_told = |it: &CheckState| !it.seen.is_empty() && detail.unit.why.ends_with(&it.seen);
    let told = detail.checks.iter().filter(|check| !is_told(check)).filter_map(verdict::in_words);
    told.fold(String::new(), |text, told| text + "Its " + &told + ".\n")
}

fn now_and_next(detail: &UnitDetail) -> String {
    let unit = &detail.unit;
    let mut text = String::new();
    if let Some(what) = &unit.starts_after {
        let _ = writeln!(text, "Its program is started after {what}.");
    }
    if let Some(pid) = unit.pid {
        let _ = writeln!(text, "Its process is {pid}, in run {}.", unit.run);
    }
    if unit.restarts > 0 {
        let _ = writeln!(text, "Restarts so far: {}.", unit.restarts);
    }
    if unit.outdated {
        let hint = format!("`mainstay restart {}` applies all of it", unit.unit);
        let _ = writeln!(text, "Its run goes on with some of its former configuration: {hint}.");
    }
    if unit.degraded {
        text.push_str("It is degraded: its last runs were all too short.\n");
    }
    if let Some(pressure) = &unit.pressure {
        let _ = writeln!(text, "Beware: {}.", print::harmless(pressure));
    }
    match &unit.next {
        Some(next) if next.what == "start" => {
            let _ = writeln!(text, "Its next start is in {}.", milliseconds(next.in_ms));
        }
        Some(next) if next.what == "stop" => {
            let _ = writeln!(
                text,
                "It is stopped in {} unless it is ready by then.",
                milliseconds(next.in_ms)
            );
        }
        Some(next) => {
            let _ =
                writeln!(text, "It is killed in {} unless it leaves.", milliseconds(next.in_ms));
        }
        None => text.push_str(&remedy(detail)),
    }
    text
}

/// Returns what helps a unit for which nothing comes next.
fn remedy(detail: &UnitDetail) -> String {
    let Unit { unit, service, state, task, why, .. } = &detail.unit;
    match state.as_str() {
        "failed" | "stopped" if detail.disabled => format!(
            "Nothing comes next: it is disabled; `mainstay set {service} start=manual` allows it to be started.\n"
        ),
        // A limit of starts that is spent is forgotten by a reset alone.
        "failed" if *task && !why.contains("`reset`") => {
            format!("Nothing comes next: `mainstay start {unit}` runs it again.\n")
        }
        "failed" => format!("Nothing comes next: `mainstay reset {unit}` tries again.\n"),
        "stopped" => format!("Nothing comes next: `mainstay start {unit}` starts it.\n"),
        _ => String::new(),
    }
}

/// Returns the last lines of a unit's log: of stderr, where the streams are split.
pub(super) fn last_lines(detail: &UnitDetail) -> Vec<String> {
    let Some(folder) = detail.logs.as_ref().map(Path::new) else { return Vec::new() };
    let stems = segment::stems(folder).unwrap_or_default();
    let stem = stems.iter().find(|stem| stem.ends_with(".stderr")).or_else(|| stems.first());
    let Some(stem) = stem else { return Vec::new() };
    let lines = read::last_lines(&ChainFiles::new(folder, stem), LINES_SHOWN).unwrap_or_default();
    lines.iter().map(|line| shortened(&line.bytes)).collect()
}

/// Returns the beginning of a line, harmless, with `…` for the rest.
fn shortened(line: &[u8]) -> String {
    let enough = line.get(..4 * LETTERS_SHOWN).unwrap_or(line);
    let text = print::harmless(&String::from_utf8_lossy(enough));
    let mut short: String = text.chars().take(LETTERS_SHOWN).collect();
    if short.len() < text.len() || enough.len() < line.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_code_that_everybody_looks_up_is_explained() {
        let text = what_end_means(Some(0xC000_0135));
        assert!(text.starts_with("  0xC0000135: a library that it needs is not there.\n  install"));
        let text = words::told_in(&text, words::Language::Chinese);
        assert!(text.starts_with("  0xC0000135：缺少它需要的 DLL"), "{text}");
        assert_eq!(what_end_means(Some(1)), "");
    }

    #[test]
    fn the_number_of_an_error_is_found_in_its_sentence() {
        assert_eq!(os_error("cannot start `x`: no program (os error 193)"), Some(193));
        assert_eq!(os_error("cannot start `x`: it is gone"), None);
    }
}
