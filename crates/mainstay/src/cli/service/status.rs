//! `mainstay service status`: what the manager says of a service, and what its agent says of the
//! program.

use std::{process::ExitCode, time::Duration};

use clap::Args as ClapArgs;
use mainstay_api::control::Unit;
use mainstay_platform::scm::{Intent, Purpose, State, Status, code};
use mainstay_words::padded;
use serde::Serialize;
use tokio::task::JoinSet;

use super::{
    database,
    list::{self, Row},
    program_of, service,
};
use crate::{
    cli::status,
    errors::CliError,
    explain::{self, Explanation},
    hosted::BAD_CONFIGURATION,
    place::Place,
    print, words,
};

/// What has ended a service before it began.
const WRONG: &str =
    "its configuration is missing or wrong; `mainstay check FILE` says what is wrong with it";
/// How long an agent may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Show what the manager and the service say of a service
///
/// Succeeds when the service runs and its program is up.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:\n  mainstay service status web")]
pub(super) struct Args {
    /// The service's name
    name: String,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A service with its program.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct Report {
    #[serde(flatten)]
    row: Row,
    /// What the agent says; nothing when none answers.
    pub(in crate::cli) program: Option<Unit>,
    #[serde(skip)]
    status: Status,
}

impl Report {
    pub(in crate::cli) fn name(&self) -> &str {
        &self.row.name
    }

    pub(in crate::cli) fn state(&self) -> State {
        self.status.state
    }

    /// Returns how it ended; nothing where it ended well.
    pub(in crate::cli) fn end_in_words(&self) -> String {
        let told = in_words(&self.status);
        told.split_once(": ").map_or_else(String::new, |(_, end)| end.to_owned())
    }
}

/// Returns all services of ours with their programs; none where there is no manager to ask.
pub(in crate::cli) async fn all() -> Vec<Report> {
    let rows = database(Purpose::Look).and_then(|database| list::ours(&database));
    let mut asking = JoinSet::new();
    for (row, status) in rows.unwrap_or_default() {
        asking.spawn(async move {
            let runs = status.state == State::Running;
            let program = if runs { program(&row.name).await } else { None };
            Report { row, program, status }
        });
    }
    let mut all = asking.join_all().await;
    all.sort_by(|one, other| one.row.name.cmp(&other.row.name));
    all
}

pub(super) async fn run(args: &Args) -> Result<ExitCode, CliError> {
    let found = service(&args.name, Intent::Look)?;
    let (row, status) = list::row(&found, &args.name)?;
    let program = if status.state == State::Running { program(&args.name).await } else { None };
    let is_up = program.as_ref().is_some_and(is_up);
    if args.json {
        print::json(&Report { row, program, status });
    } else {
        print::data(&card(&row, &status, program.as_ref()));
    }
    Ok(if is_up { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

async fn program(name: &str) -> Option<Unit> {
    let place = Place::of(name).ok()?;
    let answer = tokio::time::timeout(PATIENCE, program_of(&place)).await.ok()?;
    answer.ok().map(|detail| detail.unit)
}

fn is_up(unit: &Unit) -> bool {
    ["running", "completed"].contains(&unit.state.as_str())
}

fn card(row: &Row, status: &Status, program: Option<&Unit>) -> String {
    let program = match program {
        Some(unit) => status::in_a_line(unit),
        None if status.state == State::Running => "no agent answers (yet)".to_owned(),
        None => "-".to_owned(),
    };
    let program = words::told(&program);
    let lines = [
        (words::label("program"), &*program),
        (words::label("account"), &row.account),
        (words::label("start"), &row.start),
        (words::label("runs"), &row.command_line),
        (words::label("config"), &row.configuration),
        (words::label("logs"), &row.logs),
    ];
    let lines = lines.map(|(name, value)| format!("  {} {value}\n", padded(name, 9)));
    let title = format!("{} is {}\n", row.name, in_words(status));
    words::told(&title).into_owned() + &lines.concat()
}

/// Returns where a service is, and how it ended, as it stands behind `is`.
pub(in crate::cli) fn in_words(status: &Status) -> String {
    told(status)
}

/// Returns what the manager says of a service of ours that has ended: there is nobody else to ask.
pub(in crate::cli) fn of_ended(name: &str) -> Option<String> {
    let found = service(name, Intent::Look).ok()?;
    let (row, status) = list::row(&found, name).ok()?;
    let is_ours = list::is_ours(&row.command_line);
    (is_ours && status.state == State::Stopped)
        .then(|| format!("`{name}` is {}", in_words(&status)))
}

fn told(status: &Status) -> String {
    let state = status.state.to_string();
    match (status.state, i32::try_from(status.exit_code).unwrap_or_default()) {
        (State::Stopped, 0) => state,
        (State::Stopped, code::OWN_CODE) if status.own_code == BAD_CONFIGURATION => {
            format!("{state}: {WRONG} ({BAD_CONFIGURATION})")
        }
        (State::Stopped, code::OWN_CODE) => format!("{state}: it ended with {}", status.own_code),
        (State::Stopped, number) => match explain::number(number) {
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
            assert_eq!(told(&status), expected);
        };
        check(0, 0, "STOPPED");
        let configuration = "STOPPED: its configuration is missing or wrong; \
                             `mainstay check FILE` says what is wrong with it (78)";
        check(1066, 78, configuration);
        check(1066, 79, "STOPPED: it ended with 79");
        check(4711, 0, "STOPPED: error 4711 of the system");
        let missing = "STOPPED: the program is not there (2); \
                       look at its path with `mainstay service status NAME`";
        check(2, 0, missing);
    }
}
