//! `mainstay status`: what runs, since when, and why not.

use std::{fmt::Write as _, process::ExitCode};

use clap::Args as ClapArgs;
use mainstay_api::control::{Status, Unit};

use crate::{errors::CliError, names, print};

/// The columns between the name and the note, with the space around them.
const FIXED: usize = 2 + 9 + 2 + 6 + 2 + 7 + 2 + 8 + 2;

/// Show all units, or some
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  mainstay status\n  mainstay status web --json")]
pub(super) struct Args {
    /// Only these units or services; `*` and `?` match
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &Args, instance: Option<&str>) -> Result<ExitCode, CliError> {
    let (_, mut client) = super::connect(instance).await?;
    let mut status: Status = client.get("/v1/status").await?;
    status.units = names::meant(&args.names, &status.units)?.into_iter().cloned().collect();
    if args.json {
        print::json(&status);
    } else {
        print::data(&table(&status, print::columns()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Lays the units out, those that need somebody first; no line is longer than the terminal is wide.
fn table(status: &Status, columns: Option<usize>) -> String {
    let mut units: Vec<&Unit> = status.units.iter().collect();
    units.sort_by_key(|unit| (urgency(unit), unit.unit.clone()));
    let mut text = format!(
        "{}  (keeper {}, agent {})\n\n",
        status.instance, status.keeper.pid, status.agent.pid
    );
    let rows: Vec<Row> = units.iter().map(|unit| Row::of(unit)).collect();
    let width = rows.iter().map(|row| row.unit.chars().count()).max().unwrap_or(4).max(4);
    let _ = writeln!(
        text,
        "{:width$}  {:9}  {:>6}  {:>7}  {:>8}",
        "UNIT", "STATE", "SINCE", "PID", "RESTARTS"
    );
    for row in rows {
        let state = print::coloured(&format!("{:9}", row.state), &row.state);
        let Row { unit, since, pid, restarts, note, .. } = row;
        let note = within(columns.map(|columns| columns.saturating_sub(width + FIXED)), note);
        let line = format!("{unit:width$}  {state}  {since:>6}  {pid:>7}  {restarts:>8}  {note}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Returns as much of a note as fits, with `…` for the rest: `why` tells all of it.
fn within(room: Option<usize>, note: String) -> String {
    match room {
        Some(room) if note.chars().count() > room => {
            let short: String = note.chars().take(room.saturating_sub(1)).collect();
            if room > 0 { short + "…" } else { short }
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
    if let Some(next) = &unit.next {
        parts.push(format!("{} in {}", next.what, milliseconds(next.in_ms)));
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

fn urgency(unit: &Unit) -> u8 {
    match unit.state.as_str() {
        "failed" => 0,
        "backoff" => 1,
        "waiting" | "stopping" | "starting" => 2,
        "running" if unit.degraded || unit.pressure.is_some() => 2,
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
