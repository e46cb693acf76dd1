//! `mainstay upgrade` where the manager of services runs our program: the new one takes its name,
//! whether services run or not, then each one that runs is handed over.

use std::{path::Path, process::ExitCode, time::Duration};

use mainstay_platform::{
    clock,
    scm::{Database, Intent, Purpose, State},
};
use serde::Serialize;

use super::handover::{self, Outcome};
use crate::{
    cli::service::{
        self, control, demand_elevation,
        install::own::{self, Found, Placed, Swept},
        list::{self, Seen},
    },
    cost::Cost,
    errors::CliError,
    foreign::split_line,
    place, print,
};

/// How long agents that have made room may still run the former program.
const SWEPT_WITHIN: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What it has cost one service.
#[derive(Debug, Serialize)]
struct HandedOver {
    service: String,
    #[serde(flatten)]
    cost: Cost,
}

/// Returns the services that are meant: the named one, or all of ours. None are meant where there
/// is no manager, or by the name of an instance that is no service.
pub(super) fn meant(named: Option<&str>) -> Result<Vec<Seen>, CliError> {
    let Ok(database) = Database::open(Purpose::Look) else { return Ok(Vec::new()) };
    let mut ours = list::ours(&database)?;
    ours.retain(|(row, _)| named.is_none_or(|named| place::is_same_name(named, &row.name)));
    Ok(ours)
}

pub(super) async fn run(program: &str, ours: Vec<Seen>, json: Json) -> Result<ExitCode, CliError> {
    let was_missing = own::is_missing();
    demand_elevation("upgrading services")?;
    let refused = |why: String| CliError::refused(why, "nothing has changed");
    let version = mainstay_keeper::version_of(Path::new(program))
        .map_err(|error| refused(format!("cannot upgrade: {error}")))?;
    let mut placed = own::replace_by(Path::new(program))
        .map_err(|error| refused(format!("cannot put `{program}` in its place: {error}")))?;
    if was_missing {
        placed.found = Found::Nothing;
    }
    if json == Json::No {
        print::told(&told(&placed, &version));
    }
    let count = ours.len();
    let (running, resting) = sorted(ours, &placed);
    let handed = hand_over_all(&running, placed, json).await?;
    forget_former().await;
    if json == Json::Yes {
        print::json(&handed);
    }
    let is_nothing = handed.iter().all(|one| one.cost.is_nothing());
    let is_all = handed.len() + resting == count;
    Ok(ExitCode::from(u8::from(!is_nothing || !is_all)))
}

/// Whether JSON is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Json {
    Yes,
    No,
}

fn told(placed: &Placed, version: &str) -> String {
    let program = placed.target.display();
    let former = placed.former.as_ref().and_then(|former| former.file_name()).unwrap_or_default();
    let former = former.to_string_lossy();
    match placed.found {
        Found::Same => format!("{program} is this program already, version {version}\n"),
        Found::Other => format!("{program} is version {version}; the former one is `{former}`\n"),
        Found::Nothing => format!("{program} was not there, and is version {version}\n"),
    }
}

/// Returns the names of services that run this program, and how many are well without being
/// handed over.
fn sorted(ours: Vec<Seen>, placed: &Placed) -> (Vec<String>, usize) {
    let (mut running, mut resting) = (Vec::new(), 0);
    for (row, status) in ours {
        let program = split_line(&row.command_line).into_iter().next().unwrap_or_default();
        if !is_same_path(&program, &placed.target) {
            let target = placed.target.display();
            let name = row.name;
            let told = format!("`{name}` is not upgraded: it runs `{program}`, not `{target}`");
            print::talk(&told);
        } else if status.state == State::Stopped {
            resting += rest(&row, placed.found);
        } else {
            running.push(row.name);
        }
    }
    (running, resting)
}

fn is_same_path(program: &str, target: &Path) -> bool {
    target.to_str().is_some_and(|target| place::is_same_name(program, target))
}

/// Whoever does not run needs nothing. But nobody could be started while there was no program.
fn rest(row: &list::Row, found: Found) -> usize {
    let name = &row.name;
    if found != Found::Nothing || row.start == "demand" || row.start == "disabled" {
        print::talk(&format!("`{name}` does not run; its next start is of this program"));
        return 1;
    }
    let started =
        service::service(name, Intent::Control).and_then(|one| control::begin(&one, name));
    match started {
        Ok(()) => {
            print::talk(&format!("`{name}` could not be started without a program; it starts"));
            1
        }
        Err(error) => {
            print::talk(&error.to_string());
            0
        }
    }
}

/// One after the other: what fails with the first one would fail with the others.
async fn hand_over_all(
    names: &[String],
    placed: Placed,
    json: Json,
) -> Result<Vec<HandedOver>, CliError> {
    let mut handed = Vec::new();
    for (index, name) in names.iter().enumerate() {
        match handover::hand_over(name).await {
            Outcome::HandedOver(cost) => {
                if json == Json::No {
                    print::data(&format!("{name}\n{}", cost.told()));
                }
                handed.push(HandedOver { service: name.clone(), cost: *cost });
            }
            Outcome::LeftOut(error) => {
                print::talk(&format!("`{name}` is not handed over, and goes on as it is"));
                print::talk(&error.to_string());
            }
            Outcome::Broken(error) => {
                let begun = names.iter().take(index + 1);
                let is_handed = |name: &&String| handed.iter().any(|one| one.service == **name);
                let back = begun.filter(|one| *one == name || is_handed(one));
                return Err(go_back(back, placed, error).await);
            }
        }
    }
    Ok(handed)
}

/// The former program gets its place back, and the services that were handed over with it.
async fn go_back(
    names: impl Iterator<Item = &String>,
    placed: Placed,
    error: CliError,
) -> CliError {
    if placed.former.is_none() {
        return error;
    }
    let mut told = vec![error.hint];
    match placed.undo() {
        Ok(()) => {
            told.push("the former program has its place again".to_owned());
            for name in names {
                told.push(match handover::hand_back(name).await {
                    Ok(()) => format!("`{name}` runs it"),
                    Err(error) => format!("{} (`{name}`)", error.what),
                });
            }
        }
        Err(error) => {
            told.push(format!("the former program could not take its place again: {error}"));
        }
    }
    CliError { kind: error.kind, what: error.what, hint: told.join("; ") }
}

/// Everybody has left it; what somebody still runs goes with the next upgrade.
async fn forget_former() {
    let until = clock::monotonic() + SWEPT_WITHIN;
    while matches!(own::sweep(), Ok(Swept::NotAll)) && clock::monotonic() < until {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
