//! `mainstay status`: what runs, since when, and why not.

pub(super) mod usage;

use std::process::ExitCode;

use clap::Args as ClapArgs;
use mainstay_api::control::{FilesRefused, Status, Unit};
use mainstay_platform::scm::State;
use mainstay_words::{padded, width as columns_of};
use serde::Serialize;

use self::usage::{Sort, Used};
use super::service::{self, status::Report};
use crate::{
    client::Client,
    errors::CliError,
    instance::{self, Located},
    names, place, print, words,
};

/// What stands above the columns behind the name.
const HEADINGS: [&str; 4] = words::known(["STATE", "SINCE", "PID", "RESTARTS"]);
/// The columns between the name and the note, with the space around them.
const FIXED: usize = 2 + 9 + 2 + 6 + 2 + 7 + 2 + 8 + 2;

/// Show all units, or some
///
/// Outside of a project: those of the machine, and every service of Mainstay beside them.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay status\n  mainstay status web --json\n  mainstay status --usage --sort memory"
)]
pub(super) struct Args {
    /// Only these units, services, or groups such as `@web`; `*` and `?` match
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// Watch for half a second what they use: processors, memory, tasks, descriptors, storage
    #[arg(long)]
    usage: bool,

    /// By what to sort
    #[arg(long, requires = "usage", default_value = "name")]
    sort: Sort,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The machine's own instance, where there is one, and the services beside it.
#[derive(Debug, Serialize)]
struct Machine {
    #[serde(flatten)]
    status: Option<Status>,
    services: Vec<Report>,
}

pub(super) async fn run(args: &Args, instance: Option<&str>) -> Result<ExitCode, CliError> {
    if args.names.is_empty() && instance::said(instance).is_none() && !args.usage {
        return everything(args).await;
    }
    let (mut client, asked) = super::connect_for(instance, &args.names).await?;
    let mut status: Status = client.get("/v1/status").await?;
    let names = names::expanded(&asked, &status.groups)?;
    status.units = names::meant(&names, &status.units)?.into_iter().cloned().collect();
    if args.usage {
        let usages = usage::ask(&mut client, &asked, None).await?;
        let used = Used::new(status, usages, args.sort);
        if args.json { print::json(&used) } else { print::data(&used.table()) }
    } else {
        show(args, &status);
    }
    Ok(ExitCode::SUCCESS)
}

fn show(args: &Args, status: &Status) {
    if args.json {
        print::json(status);
    } else {
        print::data(&table(status, print::columns()));
    }
}

/// Whoever stands in a project sees its instance; everybody else the machine's, and each service
/// beside it.
async fn everything(args: &Args) -> Result<ExitCode, CliError> {
    let located = instance::choose(None);
    if let Ok(project @ Located { service: None, .. }) = &located {
        show(args, &asked(project).await?);
        return Ok(ExitCode::SUCCESS);
    }
    let own = located.as_ref().ok().and_then(|located| located.service.clone());
    let mut services = service::status::all().await;
    services
        .retain(|report| own.as_ref().is_none_or(|own| !place::is_same_name(report.name(), own)));
    let status = match located {
        Ok(located) => asked(&located).await,
        Err(error) => Err(error),
    };
    let code = match &status {
        // Services of their own need no instance of the machine.
        Err(_) if own.is_none() && !services.is_empty() => ExitCode::SUCCESS,
        Err(error) if services.is_empty() => return Err(error.clone()),
        Err(error) => {
            print::talk(&error.to_string());
            error.code()
        }
        Ok(_) => ExitCode::SUCCESS,
    };
    show_all(args, &Machine { status: status.ok(), services });
    Ok(code)
}

async fn asked(located: &Located) -> Result<Status, CliError> {
    Client::connect(located).await?.get("/v1/status").await
}

fn show_all(args: &Args, machine: &Machine) {
    if args.json {
        return print::json(machine);
    }
    let columns = print::columns();
    let mut parts: Vec<String> =
        machine.status.iter().map(|status| table(status, columns)).collect();
    if !machine.services.is_empty() {
        let rows = machine.services.iter().map(Row::of_service).collect();
        parts.push(lines(&words::of("SERVICE"), rows, columns));
    }
    print::data(&parts.join("\n"));
}

/// Lays the units out, those that need somebody first.
fn table(status: &Status, columns: Option<usize>) -> String {
    let mut units: Vec<&Unit> = status.units.iter().collect();
    units.sort_by_key(|unit| (urgency(unit), unit.unit.clone()));
    let rows: Vec<Row> = units.iter().map(|unit| Row::of(unit)).collect();
    let (keeper, agent) = (status.keeper.pid, status.agent.pid);
    format!(
        "{}  {}\n{}\n{}",
        status.instance,
        words::told(&format!("(keeper {keeper}, agent {agent})")),
        refusal(status.files.refused.as_ref()),
        lines(&words::of("UNIT"), rows, columns)
    )
}

/// Returns why what is in the files is not what runs, in a line; `check` tells all of it.
fn refusal(refused: Option<&FilesRefused>) -> String {
    let Some(refused) = refused else { return String::new() };
    let first = refused.why.lines().next().unwrap_or_default();
    let why = print::harmless(first.strip_prefix("error: ").unwrap_or(first));
    // Told by itself: it has clauses of its own.
    let why = words::told(&why);
    let line = format!("the files are not applied: {why}; `mainstay check` tells more");
    format!("{}\n", words::told(&line))
}

/// Returns a table, no line of which is longer than the terminal is wide.
fn lines(title: &str, rows: Vec<Row>, columns: Option<usize>) -> String {
    let widest = rows.iter().map(|row| columns_of(&row.unit)).max().unwrap_or(0);
    let width = widest.max(columns_of(title));
    let title = padded(title, width);
    let [state, since, pid, restarts] = HEADINGS.map(words::told);
    let mut text = format!(
        "{title}  {}  {}  {}  {}\n",
        padded(&state, 9),
        right(&since, 6),
        right(&pid, 7),
        right(&restarts, 8)
    );
    for row in rows {
        let state = print::coloured(&padded(&words::told(&row.state), 9), &row.state);
        let Row { unit, since, pid, restarts, note, .. } = row;
        let note = words::told(&note).into_owned();
        let note = within(columns.map(|columns| columns.saturating_sub(width + FIXED)), note);
        let unit = padded(&unit, width);
        let line = format!("{unit}  {state}  {since:>6}  {pid:>7}  {restarts:>8}  {note}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Returns a heading over numbers, which stand at the right.
fn right(text: &str, columns: usize) -> String {
    " ".repeat(columns.saturating_sub(columns_of(text))) + text
}

/// Returns as much of a note as fits, with `…` for the rest: `why` tells all of it.
fn within(room: Option<usize>, note: String) -> String {
    match room {
        Some(0) => String::new(),
        Some(room) if columns_of(&note) > room => {
            mainstay_words::within(&note, room - 1).to_owned() + "…"
        }
        Some(_) | None => note,
    }
}

struct Row {
    unit: String,
    state: String,
    since: String,
    pid: String,
    restarts: u64,
    note: String,
}

impl Row {
    /// A service is called by its own name, whatever its unit is called.
    fn of_service(report: &Report) -> Self {
        let unit = report.name().to_owned();
        if let Some(program) = &report.program {
            return Self { unit, ..Self::of(program) };
        }
        let state = report.state();
        let note = if state == State::Running {
            "no agent answers (yet)".to_owned()
        } else {
            report.end_in_words()
        };
        let state = state.to_string().to_lowercase();
        let dash = || "-".to_owned();
        Self { unit, state, since: dash(), pid: dash(), restarts: 0, note }
    }

    fn of(unit: &Unit) -> Self {
        Self {
            unit: unit.unit.clone(),
            state: unit.state.clone(),
            since: print::span(unit.since_seconds),
            pid: unit.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string()),
            restarts: unit.restarts,
            note: note(unit),
        }
    }
}

/// Returns what there is to say of a unit, in one line.
pub(super) fn in_a_line(unit: &Unit) -> String {
    let pid = unit.pid.map(|pid| format!("pid {pid}"));
    let since = format!("since {}", print::span(unit.since_seconds));
    let restarts = (unit.restarts > 0).then(|| format!("{} restarts", unit.restarts));
    let note = Some(note(unit)).filter(|note| !note.is_empty());
    let parts = [Some(print::phrase(&unit.state)), pid, Some(since), restarts, note];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Returns why a unit is not simply running, and what comes next.
fn note(unit: &Unit) -> String {
    let mut parts = Vec::new();
    if unit.state != "running" {
        parts.push(print::harmless(&unit.why));
    }
    if let Some(status) = &unit.status_text {
        parts.push(format!("says of itself: {}", print::harmless(status)));
    }
    if let Some(next) = &unit.next {
        let span = milliseconds(next.in_ms);
        parts.push(match next.what.as_str() {
            "start" => format!("start in {span}"),
            "stop" => format!("stop in {span}"),
            _ => format!("kill in {span}"),
        });
    }
    if unit.unready {
        parts.push("not ready: nobody may rely on it".to_owned());
    }
    if !unit.unhealthy.is_empty() {
        parts.push(format!("unhealthy: {}", unit.unhealthy.join(", ")));
    }
    if unit.degraded {
        parts.push("degraded: its last runs were all short".to_owned());
    }
    if let Some(pressure) = &unit.pressure {
        parts.push(print::harmless(pressure));
    }
    if unit.orphaned {
        parts.push("orphaned: it left the configuration".to_owned());
    }
    if unit.outdated {
        parts.push("outdated: `mainstay restart` applies all of its configuration".to_owned());
    }
    parts.join("; ")
}

/// Returns a short time span as people say it.
pub(super) fn milliseconds(count: u64) -> String {
    if count < 1000 { format!("{count}ms") } else { print::span(count.div_ceil(1000)) }
}

/// Returns whether a unit runs and somebody should look at it.
const fn is_unwell(unit: &Unit) -> bool {
    unit.degraded || unit.pressure.is_some() || unit.unready || !unit.unhealthy.is_empty()
}

fn urgency(unit: &Unit) -> u8 {
    match unit.state.as_str() {
        "failed" => 0,
        "backoff" => 1,
        "waiting" | "stopping" | "starting" | "paused" => 2,
        "running" if is_unwell(unit) => 2,
        "running" => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_as_long_as_there_is_room() {
        let check = |room: Option<usize>, expected: &str| {
            assert_eq!(within(room, "été à Köln".to_owned()), expected, "{room:?}");
        };
        check(None, "été à Köln");
        check(Some(10), "été à Köln");
        check(Some(9), "été à Kö…");
        check(Some(1), "…");
        check(Some(0), "");
    }
}
