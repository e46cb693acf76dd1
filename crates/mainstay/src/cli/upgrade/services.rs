//! `mainstay upgrade` where the manager of services runs our program: the new one takes its name,
//! then each service leaves its programs and is started again, and its successor takes them over.

use std::{io, path::Path, process::ExitCode, time::Duration};

use mainstay_api::control::Status;
use mainstay_platform::{
    desk,
    scm::{Control, Database, Intent, Purpose, Service, Start, State, code},
};
use serde::Serialize;

use crate::{
    cli::service::{
        self, control, demand_elevation,
        install::own::{self, Placed},
        list, trouble,
    },
    client::Client,
    cost::{Before, Cost},
    errors::CliError,
    instance::Located,
    place::Place,
    print,
};

/// How long a keeper may take to leave: starts that are under way are waited for.
const LEFT_WITHIN: Duration = Duration::from_secs(15);
/// How long the successor may take until it serves.
const SERVES_WITHIN: Duration = Duration::from_secs(30);

/// What it has cost one service.
#[derive(Debug, Serialize)]
struct HandedOver {
    service: String,
    #[serde(flatten)]
    cost: Cost,
}

/// Returns the services that are meant: the named one, or all of ours that run. None are meant
/// where there is no manager, or by the name of an instance that is no service.
pub(super) fn meant(named: Option<&str>) -> Result<Vec<String>, CliError> {
    let Ok(database) = Database::open(Purpose::Look) else { return Ok(Vec::new()) };
    let running = list::running(&database)?;
    Ok(match named {
        Some(named) => running.into_iter().filter(|name| name == named).collect(),
        None => running,
    })
}

pub(super) async fn run(program: &str, names: &[String], json: Json) -> Result<ExitCode, CliError> {
    demand_elevation("upgrading services")?;
    let refused = |why: String| CliError::refused(why, "nothing has changed");
    let version = mainstay_keeper::version_of(Path::new(program))
        .map_err(|error| refused(format!("cannot upgrade: {error}")))?;
    let placed = own::replace_by(Path::new(program))
        .map_err(|error| refused(format!("cannot put `{program}` in its place: {error}")))?;
    if json == Json::No {
        print::data(&told(&placed, &version));
    }
    let handed = hand_over_all(names, placed, json).await?;
    own::sweep();
    if json == Json::Yes {
        print::json(&handed);
    }
    let is_nothing = handed.iter().all(|one| one.cost.is_nothing());
    let is_all = handed.len() == names.len();
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
    match &placed.former {
        Some(former) => {
            let former = former.file_name().unwrap_or_default().to_string_lossy();
            format!("{program} is version {version}; the former one is `{former}`\n")
        }
        None => format!("{program} is this program already, version {version}\n"),
    }
}

/// One after the other: what fails with the first one would fail with the others.
async fn hand_over_all(
    names: &[String],
    placed: Placed,
    json: Json,
) -> Result<Vec<HandedOver>, CliError> {
    let mut handed = Vec::new();
    for name in names {
        let asked = match ask(name).await {
            Ok(asked) => asked,
            Err(error) => {
                leave_out(name, &error);
                continue;
            }
        };
        match hand_over(name, asked).await {
            Ok(cost) => {
                if json == Json::No {
                    print::data(&format!("{name}\n{cost}"));
                }
                handed.push(HandedOver { service: name.clone(), cost });
            }
            Err(error) => return Err(go_back(name, placed, error)),
        }
    }
    Ok(handed)
}

/// The former program gets its place back, and serves.
fn go_back(name: &str, placed: Placed, error: CliError) -> CliError {
    if placed.former.is_none() {
        return error;
    }
    let hint = match placed.undo().map(|()| start_again(name)) {
        Ok(Ok(())) => "the former program has its place again, and serves".to_owned(),
        Ok(Err(error)) => format!("the former program has its place again, but: {error}"),
        Err(error) => format!("the former program could not take its place again: {error}"),
    };
    CliError { hint, ..error }
}

fn start_again(name: &str) -> io::Result<()> {
    started(Database::open(Purpose::Look)?.service(name, Intent::Control)?.start(&[]))
}

/// Whoever cannot be asked now goes on as it is: what is wrong with it is no affair of the others.
fn leave_out(name: &str, error: &CliError) {
    print::talk(&format!("`{name}` is not handed over, and goes on with the former program"));
    print::talk(&error.to_string());
}

async fn ask(name: &str) -> Result<(Located, Status), CliError> {
    let record = service::service(name, Intent::Look)?.record();
    let record = record.map_err(|error| trouble::refused(&format!("look at `{name}`"), &error))?;
    if record.start == Start::Disabled {
        let what = format!("`{name}` is disabled: nobody could start it again");
        return Err(CliError::refused(what, "`mainstay service set NAME start=demand` first"));
    }
    let place = Place::of(name).map_err(|error| trouble::refused("find its folder", &error))?;
    let located = place.located();
    let status = Client::connect(&located).await?.get("/v1/status").await?;
    Ok((located, status))
}

/// Lets the keeper of a service leave, and starts its successor.
async fn hand_over(name: &str, (located, status): (Located, Status)) -> Result<Cost, CliError> {
    let doing = format!("hand over `{name}`");
    let refused = |error: io::Error| trouble::refused(&doing, &error);
    let service = service::service(name, Intent::Control)?;
    let agent = status.agent.pid;
    let mut before = Before::look(&located, status)?;
    let process = control::process_of(&service, name)?;
    before.begin();
    service.control(Control::Own(desk::LEAVE)).map_err(refused)?;
    expect(&service, name, State::Stopped).await?;
    control::gone(process, name).await?;
    started(service.start(&[])).map_err(refused)?;
    expect(&service, name, State::Running).await?;
    before.account(agent).await
}

async fn expect(service: &Service, name: &str, wanted: State) -> Result<(), CliError> {
    let patience = if wanted == State::Running { SERVES_WITHIN } else { LEFT_WITHIN };
    let status = control::settled(service, wanted, patience).await?;
    if status.state == wanted {
        return Ok(());
    }
    let what =
        format!("`{name}` is {}, and should be {wanted}", service::status::in_words(&status));
    Err(CliError::refused(what, "its programs run on"))
}

/// The agent, which holds the programs meanwhile, may have been faster.
fn started(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.raw_os_error() == Some(code::ALREADY_RUNNING) => Ok(()),
        done => done,
    }
}
