//! `mainstay drill`: do the bad thing on purpose, and report what it cost.

use std::{path::Path, process::ExitCode, time::Duration};

use clap::{Args as ClapArgs, Subcommand};
use mainstay_api::control::{Status, Unit};
use mainstay_platform::{
    clock,
    process::{Process, SignalKind},
};

use crate::{client::Client, errors::CliError, instance::Located, print};

const RECOVER_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Do the bad thing on purpose, here and now, and report what it cost
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  mainstay drill agent\n  mainstay drill crash web")]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Clone, Subcommand)]
enum What {
    /// Kill the agent with SIGKILL
    Agent,
    /// Kill the keeper with SIGKILL
    Keeper,
    /// Kill the program of a unit with SIGKILL
    Crash {
        /// The unit
        name: String,
    },
    /// Freeze the agent, then crash a unit, and see who notices
    Hang {
        /// The unit
        name: String,
    },
}

pub(super) async fn run(args: Args, file: Option<&Path>) -> Result<ExitCode, CliError> {
    let (located, mut client) = super::connect(file).await?;
    let before: Status = client.get("/v1/status").await?;
    match args.what {
        What::Agent => role(&located, &before, before.agent.pid, SignalKind::Kill).await,
        What::Keeper => role(&located, &before, before.keeper.pid, SignalKind::Kill).await,
        What::Hang { name } => hang(&located, before, &name).await,
        What::Crash { name } => crash(&mut client, &before, &name).await,
    }
}

/// Hits one of our own processes and compares the programs before and after.
async fn role(
    located: &Located,
    before: &Status,
    pid: u32,
    signal: SignalKind,
) -> Result<ExitCode, CliError> {
    let began = clock::monotonic();
    send(pid, signal)?;
    compare(located, before, pid, began).await
}

/// Waits until somebody else has the role of `pid`, and compares the programs before and after.
async fn compare(
    located: &Located,
    before: &Status,
    pid: u32,
    began: Duration,
) -> Result<ExitCode, CliError> {
    let after = wait_for_change(located, before, pid).await?;
    let took = clock::monotonic().saturating_sub(began);
    let kept = before.units.iter().filter(|unit| runs_on(unit, &after)).count();
    let running = before.units.iter().filter(|unit| unit.pid.is_some()).count();
    print::data(&format!(
        "hit process {pid}; back after {:.1} ms\nkeeper {} -> {}, agent {} -> {}\n{kept} of {running} programs run on with the same pid\n",
        took.as_secs_f64() * 1000.0,
        before.keeper.pid,
        after.keeper.pid,
        before.agent.pid,
        after.agent.pid,
    ));
    Ok(if kept == running { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Freezes the agent. The keeper notices when something is owed, so a unit is crashed as well.
async fn hang(located: &Located, mut before: Status, name: &str) -> Result<ExitCode, CliError> {
    let unit = before.units.iter().find(|unit| unit.unit == name);
    let Some(program) = unit.and_then(|unit| unit.pid) else { return Err(runs_not(name)) };
    let agent = before.agent.pid;
    send(agent, SignalKind::Stop)?;
    print::talk("the agent is frozen; its keeper notices when an answer is owed for five seconds");
    send(program, SignalKind::Kill)?;
    before.units.retain(|unit| unit.unit != name);
    let result = compare(located, &before, agent, clock::monotonic()).await;
    if result.is_err() {
        // Nobody replaced it: it must not stay frozen.
        send(agent, SignalKind::Continue)?;
    }
    result
}

fn runs_not(name: &str) -> CliError {
    CliError::refused(format!("`{name}` does not run"), "`mainstay status` lists all")
}

fn runs_on(unit: &Unit, after: &Status) -> bool {
    let now = after.units.iter().find(|other| other.unit == unit.unit);
    unit.pid.is_some() && now.is_some_and(|now| now.pid == unit.pid && now.run == unit.run)
}

fn send(pid: u32, signal: SignalKind) -> Result<(), CliError> {
    let failed =
        |error: std::io::Error| CliError::refused(format!("cannot hit process {pid}: {error}"), "");
    let process = Process::open_pid(pid).map_err(failed)?;
    let gone = || CliError::refused(format!("process {pid} is gone already"), "");
    process.ok_or_else(gone)?.signal(signal).map_err(failed)
}

async fn wait_for_change(located: &Located, before: &Status, pid: u32) -> Result<Status, CliError> {
    let until = clock::monotonic() + RECOVER_WITHIN;
    loop {
        if let Ok(mut client) = Client::connect(located).await
            && let Ok(Ok(status)) =
                tokio::time::timeout(RECOVER_WITHIN, client.get::<Status>("/v1/status")).await
        {
            let is_new = ![status.keeper.pid, status.agent.pid].contains(&pid);
            let is_settled =
                before.units.iter().all(|unit| runs_on(unit, &status) || unit.pid.is_none());
            let is_late = clock::monotonic() > until.saturating_sub(RECOVER_WITHIN / 2);
            if is_new && (is_settled || is_late) {
                return Ok(status);
            }
        }
        if clock::monotonic() > until {
            return Err(CliError::refused(
                "nobody took over in time",
                "`mainstay doctor` looks for reasons",
            ));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Kills a program and waits for its replacement.
async fn crash(client: &mut Client, before: &Status, name: &str) -> Result<ExitCode, CliError> {
    let unit = before.units.iter().find(|unit| unit.unit == name);
    let pid = unit.and_then(|unit| unit.pid);
    let (Some(unit), Some(pid)) = (unit, pid) else {
        return Err(runs_not(name));
    };
    let began = clock::monotonic();
    send(pid, SignalKind::Kill)?;
    let until = began + RECOVER_WITHIN;
    loop {
        let status: Status = client.get("/v1/status").await?;
        let now = status.units.iter().find(|other| other.unit == name);
        if let Some(fresh) = now.filter(|now| now.run > unit.run && now.pid.is_some()) {
            let took = clock::monotonic().saturating_sub(began).as_secs_f64() * 1000.0;
            let new = fresh.pid.unwrap_or_default();
            print::data(&format!(
                "killed {pid}; {new} runs after {took:.1} ms (back-off included)\n"
            ));
            return Ok(ExitCode::SUCCESS);
        }
        if clock::monotonic() > until {
            let why = now.map(|now| now.why.clone()).unwrap_or_default();
            return Err(CliError::refused(format!("`{name}` is not back: {why}"), ""));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
