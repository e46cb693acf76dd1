//! One service of the manager: its keeper leaves its programs, and is started again as another
//! program, whose keeper takes them over.
//!
//! ```text
//! looked at ──control 200──▶ leaves ──stopped, gone──▶ started ──knows all programs──▶ handed over
//!     │                        │                          │
//!     └───── left as it is ◀───┘ runs on                  └──▶ goes back to the former program
//! ```

use std::{io, time::Duration};

use mainstay_api::control::Status;
use mainstay_platform::{
    desk,
    process::Process,
    scm::{Control, Intent, Service, Start, State, Status as Said, code},
};

use crate::{
    cli::service::{self, control, logon, trouble},
    client::Client,
    cost::{Before, Cost},
    errors::CliError,
    place::Place,
};

/// How long a keeper may take to leave without a sign of life: starts that are under way are
/// waited for.
const LEFT_WITHIN: Duration = Duration::from_secs(15);
/// How long the successor may take until it serves.
const SERVES_WITHIN: Duration = Duration::from_secs(30);

/// What became of it.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The successor has everything.
    HandedOver(Box<Cost>),
    /// Nothing has changed, and nothing is at risk.
    LeftOut(CliError),
    /// The keeper has gone, and no successor serves.
    Broken(CliError),
}

/// Lets the keeper of a service leave, and starts its successor.
pub(super) async fn hand_over(name: &str) -> Outcome {
    let ready = match Ready::look(name).await {
        Ok(ready) => ready,
        Err(error) => return Outcome::LeftOut(error),
    };
    if let Err(error) = ready.ask_to_leave() {
        return Outcome::LeftOut(error);
    }
    match ready.left().await {
        Ok(Left::Yes) => {}
        Ok(Left::RunsOn) => {
            let what = format!("the keeper of `{name}` does not leave");
            return Outcome::LeftOut(CliError::refused(what, "`mainstay why` may say why"));
        }
        Err(error) => return Outcome::Broken(error),
    }
    match ready.follow().await {
        Ok(cost) => Outcome::HandedOver(Box::new(cost)),
        Err(error) => Outcome::Broken(error),
    }
}

/// Lets a service run the program that has its place again, whatever has become of it meanwhile.
pub(super) async fn hand_back(name: &str) -> Result<(), CliError> {
    let doing = format!("start `{name}` again");
    let refused = |error: io::Error| trouble::refused(&doing, &error);
    let service = service::service(name, Intent::Control)?;
    let mut now = control::status(&service, name)?;
    if now.state == State::StartPending {
        now = control::settled(&service, State::Running, SERVES_WITHIN).await?;
    }
    let process = control::process_of(&service, name)?;
    if now.state == State::Running {
        service.control(Control::Own(desk::LEAVE)).map_err(refused)?;
    }
    expect(&service, name, State::Stopped).await?;
    control::gone(process, name).await?;
    started(service.start(&[])).map_err(refused)?;
    expect(&service, name, State::Running).await
}

/// Whether the keeper has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Yes,
    RunsOn,
}

/// A service that can be handed over, as far as one can see.
struct Ready<'a> {
    name: &'a str,
    service: Service,
    process: Option<Process>,
    agent: u32,
    before: Before,
}

impl<'a> Ready<'a> {
    /// Looks at everything, and changes nothing: whoever leaves can only hope to be started.
    async fn look(name: &'a str) -> Result<Self, CliError> {
        let service = service::service(name, Intent::Control)?;
        demand_start(name)?;
        let place = Place::of(name).map_err(|error| trouble::refused("find its folder", &error))?;
        let located = place.located();
        let status: Status = Client::connect(&located).await?.get("/v1/status").await?;
        let process = control::process_of(&service, name)?;
        let agent = status.agent.pid;
        let mut before = Before::look(&located, status)?;
        before.begin();
        Ok(Self { name, service, process, agent, before })
    }

    fn ask_to_leave(&self) -> Result<(), CliError> {
        let asked = self.service.control(Control::Own(desk::LEAVE));
        asked.map_err(|error| trouble::refused(&format!("hand over `{}`", self.name), &error))
    }

    async fn left(&self) -> Result<Left, CliError> {
        let status = control::settled(&self.service, State::Stopped, LEFT_WITHIN).await?;
        if status.state == State::Running {
            return Ok(Left::RunsOn);
        }
        let is_left = status.state == State::Stopped;
        is_left.then_some(Left::Yes).ok_or_else(|| is_elsewhere(self.name, &status, State::Stopped))
    }

    async fn follow(self) -> Result<Cost, CliError> {
        let name = self.name;
        control::gone(self.process, name).await?;
        started(self.service.start(&[]))
            .map_err(|error| trouble::refused(&format!("start `{name}` again"), &error))?;
        expect(&self.service, name, State::Running).await?;
        self.before.account(self.agent).await
    }
}

/// Refuses a service that would not be started again, though it runs.
fn demand_start(name: &str) -> Result<(), CliError> {
    let record = service::service(name, Intent::Look)?.record();
    let record = record.map_err(|error| trouble::refused(&format!("look at `{name}`"), &error))?;
    if record.start == Start::Disabled {
        let what = format!("`{name}` is disabled: nobody could start it again");
        return Err(CliError::refused(what, "`mainstay service set NAME start=demand` first"));
    }
    logon::who_lacks(name, &record.account).map_or(Ok(()), |who| {
        let what = format!(
            "`{name}` runs as {}, which may not log on as a service: nobody could start it again",
            record.account
        );
        Err(CliError::refused(what, format!("grant `Log on as a service` to {who} first")))
    })
}

async fn expect(service: &Service, name: &str, wanted: State) -> Result<(), CliError> {
    let patience = if wanted == State::Running { SERVES_WITHIN } else { LEFT_WITHIN };
    let status = control::settled(service, wanted, patience).await?;
    if status.state == wanted { Ok(()) } else { Err(is_elsewhere(name, &status, wanted)) }
}

fn is_elsewhere(name: &str, status: &Said, wanted: State) -> CliError {
    let what = format!("`{name}` is {}, and should be {wanted}", service::status::in_words(status));
    CliError::refused(what, "its programs run on")
}

/// The agent, which holds the programs meanwhile, may have been faster.
fn started(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.raw_os_error() == Some(code::ALREADY_RUNNING) => Ok(()),
        done => done,
    }
}
