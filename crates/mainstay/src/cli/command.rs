//! `mainstay start|stop|restart|kill|reset`: ask units for something.

use std::{process::ExitCode, time::Duration};

use clap::Args as ClapArgs;
use mainstay_api::{
    config::parse_duration,
    control::{CommandAnswer, CommandName, CommandRequest, Status, Unit},
};
use mainstay_platform::clock;

use crate::{
    client::{Client, TALK_AFTER},
    errors::CliError,
    print,
};

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Which units, and whether to wait for them.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Units or services; `*` and `?` match
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,

    /// Return at once, without waiting for the result
    #[arg(long)]
    no_wait: bool,

    /// How long to wait
    #[arg(long, default_value = "60s", value_parser = parse_duration)]
    timeout: Duration,

    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(
    args: Args,
    command: CommandName,
    instance: Option<&str>,
) -> Result<ExitCode, CliError> {
    let (mut client, names) = super::connect_for(instance, &args.names).await?;
    let before: Status = client.get("/v1/status").await?;
    let request = CommandRequest { command, names };
    let answer: CommandAnswer = client.post("/v1/command", &request).await?;
    let accepted: Vec<&str> = answer
        .units
        .iter()
        .filter(|unit| unit.refused.is_none())
        .map(|unit| unit.unit.as_str())
        .collect();
    let late = if args.no_wait {
        None
    } else {
        wait(&mut client, command, &accepted, &before, args.timeout).await?
    };
    let after: Status = client.get("/v1/status").await?;
    if args.json {
        print::json(&answer);
    }
    let mut code = ExitCode::SUCCESS;
    for unit in &answer.units {
        if let Some(reason) = &unit.refused {
            print::talk(&CliError::refused(reason.clone(), "").to_string());
            code = ExitCode::from(1);
        }
    }
    if !args.json {
        tell(&after, &accepted);
    }
    if let Some(late) = late {
        print::talk(&late.to_string());
        code = ExitCode::from(1);
    }
    if !args.no_wait && !accepted.iter().all(|name| has_come(&after, name, command)) {
        code = ExitCode::from(1);
    }
    Ok(code)
}

/// Returns whether what was asked for is what has come.
fn has_come(after: &Status, name: &str, command: CommandName) -> bool {
    let unit = after.units.iter().find(|unit| unit.unit == name);
    unit.is_none_or(|unit| match command {
        CommandName::Start | CommandName::Restart => {
            matches!(unit.state.as_str(), "running" | "completed")
        }
        CommandName::Stop | CommandName::Kill | CommandName::Reset => true,
    })
}

/// Waits until every unit has come to rest in the way that was asked for; returns what has not in
/// time.
async fn wait(
    client: &mut Client,
    command: CommandName,
    units: &[&str],
    before: &Status,
    timeout: Duration,
) -> Result<Option<CliError>, CliError> {
    let (began, mut is_told) = (clock::monotonic(), false);
    loop {
        let status: Status = client.get("/v1/status").await?;
        let open = status.units.iter().filter(|unit| units.contains(&unit.unit.as_str()));
        let open: Vec<&Unit> = open
            .filter(|unit| !is_there(unit, command, before) || may_go_on(unit, &status))
            .collect();
        let Some(first) = open.first() else { return Ok(None) };
        let waited = clock::monotonic().saturating_sub(began);
        if waited > timeout {
            let state = print::words(&first.state);
            let what = format!("`{}` is still {state}: {}", first.unit, first.why);
            let hint = "`mainstay why` tells more; it goes on by itself";
            return Ok(Some(CliError::refused(what, hint)));
        }
        if waited > TALK_AFTER && !is_told {
            is_told = true;
            let (unit, state) = (&first.unit, print::words(&first.state));
            let why = print::harmless(&first.why);
            print::talk(&format!("still waiting for `{unit}`, which is {state}: {why}"));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn is_there(unit: &Unit, command: CommandName, before: &Status) -> bool {
    let state = unit.state.as_str();
    let former = before.units.iter().find(|former| former.unit == unit.unit);
    let is_new = former.is_none_or(|former| former.run < unit.run);
    match command {
        CommandName::Stop | CommandName::Kill => {
            matches!(state, "stopped" | "failed" | "completed")
        }
        CommandName::Start | CommandName::Reset => !matches!(state, "starting" | "stopping"),
        // Its limit forbade another run.
        CommandName::Restart if state == "failed" => true,
        CommandName::Restart => is_new && !matches!(state, "starting" | "stopping"),
    }
}

/// Returns whether a unit that waits may soon do so no more: something else is about to change.
fn may_go_on(unit: &Unit, status: &Status) -> bool {
    let is_moving = |other: &Unit| matches!(other.state.as_str(), "starting" | "stopping");
    unit.state == "waiting" && status.units.iter().any(is_moving)
}

fn tell(status: &Status, units: &[&str]) {
    for name in units {
        match status.units.iter().find(|unit| unit.unit == *name) {
            Some(unit) => print::data(&in_words(unit)),
            None => print::data(&format!("{name} is gone: it is not configured any more\n")),
        }
    }
}

/// Says in a line what a unit has come to.
pub(super) fn in_words(unit: &Unit) -> String {
    let state = print::phrase(&unit.state);
    let more = match (unit.pid, unit.state.as_str()) {
        (Some(pid), _) => format!(" (pid {pid})"),
        (None, "stopped" | "completed") => String::new(),
        (None, _) => format!(": {}", print::harmless(&unit.why)),
    };
    format!("{} is {state}{more}\n", unit.unit)
}
