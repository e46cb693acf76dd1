//! `mainstay service status` and `list`: what the manager says of our services.

use std::process::ExitCode;

use clap::Args as ClapArgs;
use mainstay_platform::scm::{Database, Intent, Purpose, Record, Service, State, Status, code};
use serde::Serialize;

use super::{database, service, trouble};
use crate::{
    errors::CliError,
    explain::{self, Explanation, Language},
    place::Place,
    print,
};

/// What stands in the command line of each of our services.
pub(in crate::cli) const OURS: &str = " keeper --service ";

/// Show what the manager and the service say of a service
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:\n  mainstay service status web")]
pub(super) struct StatusArgs {
    /// The service's name
    name: String,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// List the services that Mainstay keeps
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:\n  mainstay service list")]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One service of ours.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Row {
    name: String,
    display_name: String,
    state: String,
    pid: Option<u32>,
    exit_code: u32,
    own_code: u32,
    account: String,
    start: String,
    command_line: String,
    configuration: String,
    logs: String,
}

pub(super) fn status(args: &StatusArgs) -> Result<ExitCode, CliError> {
    let found = service(&args.name, Intent::Look)?;
    let row = row(&found, &args.name)?;
    if args.json {
        print::json(&row);
    } else {
        let status = found.status().map_err(|error| look(&args.name, &error))?;
        print::data(&card(&row, &status));
    }
    let runs = row.state == State::Running.to_string();
    Ok(if runs { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

pub(super) fn list(args: &Args) -> Result<ExitCode, CliError> {
    let rows = ours(&database(Purpose::Look)?)?;
    if args.json {
        print::json(&rows);
        return Ok(ExitCode::SUCCESS);
    }
    if rows.is_empty() {
        print::talk(
            "Mainstay keeps no service here; `mainstay service install NAME -- PROGRAM` makes one",
        );
    }
    for row in rows {
        let pid = row.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
        print::data(&format!("{:24} {:14} {pid:>7}  {}\n", row.name, row.state, row.account));
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns how many services are ours.
pub(super) fn count(database: &Database) -> Result<usize, CliError> {
    ours(database).map(|rows| rows.len())
}

/// Returns those services whose command line is one of ours.
fn ours(database: &Database) -> Result<Vec<Row>, CliError> {
    let all = database.list().map_err(|error| trouble::refused("list the services", &error))?;
    let rows = all.iter().filter_map(|listed| {
        // One that vanished meanwhile, or that this account may not look at, is none to show.
        let found = database.service(&listed.name, Intent::Look).ok()?;
        row(&found, &listed.name).ok()
    });
    Ok(rows.filter(|row| row.command_line.contains(OURS)).collect())
}

fn look(name: &str, error: &std::io::Error) -> CliError {
    trouble::refused(&format!("look at `{name}`"), error)
}

fn row(service: &Service, name: &str) -> Result<Row, CliError> {
    let Record { display_name, command_line, start, account, .. } =
        service.record().map_err(|error| look(name, &error))?;
    let status = service.status().map_err(|error| look(name, &error))?;
    let place = Place::of(name).map_err(|error| look(name, &error))?;
    let located = place.located();
    Ok(Row {
        name: name.to_owned(),
        display_name,
        state: status.state.to_string(),
        pid: Some(status.pid).filter(|pid| *pid != 0),
        exit_code: status.exit_code,
        own_code: status.own_code,
        account,
        start: format!("{start:?}").to_lowercase(),
        command_line,
        configuration: located.file.display().to_string(),
        logs: located.instance.logs_of(&place.unit()).display().to_string(),
    })
}

fn card(row: &Row, status: &Status) -> String {
    format!(
        "{} is {}\n  account    {}\n  start      {}\n  runs       {}\n  configured in {}\n  logs       {}\n",
        row.name,
        in_words(status),
        row.account,
        row.start,
        row.command_line,
        row.configuration,
        row.logs
    )
}

/// Returns where a service is, and how it ended, as it stands behind `is`.
pub(in crate::cli) fn in_words(status: &Status) -> String {
    told(status, explain::language())
}

fn told(status: &Status, language: Language) -> String {
    let state = status.state.to_string();
    match (status.state, i32::try_from(status.exit_code).unwrap_or_default()) {
        (State::Stopped, 0) => state,
        (State::Stopped, code::OWN_CODE) => format!("{state}: it ended with {}", status.own_code),
        (State::Stopped, number) => match explain::number(number, language) {
            Some(Explanation { meaning, remedy }) => {
                format!("{state}: {meaning} ({number}); {remedy}")
            }
            None => format!("{state}: error {number} of the system"),
        },
        _ => format!("{state}, pid {}", status.pid),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_end_is_told_with_its_reason() {
        let check = |exit_code: u32, own_code: u32, expected: &str| {
            let status = Status {
                state: State::Stopped,
                pid: 0,
                exit_code,
                own_code,
                checkpoint: 0,
                wait_hint: Duration::ZERO,
            };
            assert_eq!(told(&status, Language::English), expected);
        };
        check(0, 0, "STOPPED");
        check(1066, 78, "STOPPED: it ended with 78");
        check(4711, 0, "STOPPED: error 4711 of the system");
        let missing = "STOPPED: the program is not there (2); \
                       look at its path with `mainstay service status NAME`";
        check(2, 0, missing);
    }
}
