//! `mainstay drill`: do the bad thing on purpose, and report what it cost.

use std::{process::ExitCode, time::Duration};

use clap::{Args as ClapArgs, Subcommand};
use mainstay_api::control::{Status, Unit};
use mainstay_platform::{
    boot, clock,
    process::{Process, SignalKind},
};
use serde::Serialize;

use crate::{
    client::Client,
    cost::{Before, Cost, milliseconds},
    errors::CliError,
    instance::Located,
    print, words,
};

const RECOVER_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Do the bad thing on purpose, here and now, and report what it cost
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  mainstay drill agent\n  mainstay drill crash web --json")]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,

    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Clone, Subcommand)]
enum What {
    /// Kill the agent with SIGKILL
    #[command(after_help = "Example:\n  mainstay drill agent")]
    Agent,
    /// Kill the keeper with SIGKILL
    #[command(after_help = "Example:\n  mainstay drill keeper --json")]
    Keeper,
    /// Kill the program of a unit with SIGKILL
    #[command(after_help = "Example:\n  mainstay drill crash web")]
    Crash {
        /// The unit
        name: String,
    },
    /// Freeze the agent, then kill the program of a unit, and see who notices
    #[command(after_help = "Example:\n  mainstay drill hang web")]
    Hang {
        /// The unit
        name: String,
    },
}

/// What was done and what it cost.
#[derive(Debug, Serialize)]
struct Report {
    drill: &'static str,
    /// The process that was hit.
    hit: u32,
    #[serde(flatten)]
    cost: Cost,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced: Option<Replaced>,
}

/// A program that was killed, and the one that took its place.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Replaced {
    unit: String,
    before: Life,
    after: Life,
    took_ms: f64,
}

/// One life of a program.
#[derive(Debug, Serialize)]
struct Life {
    pid: u32,
    run: u64,
}

pub(super) async fn run(args: Args, instance: Option<&str>) -> Result<ExitCode, CliError> {
    let (located, mut client) = super::connect(instance).await?;
    let status: Status = client.get("/v1/status").await?;
    refuse_elsewhere(&status)?;
    let report = match &args.what {
        What::Agent => role(&located, status, Role::Agent).await?,
        What::Keeper => role(&located, status, Role::Keeper).await?,
        What::Hang { name } => hang(&located, status, name).await?,
        What::Crash { name } => crash(&located, &mut client, status, name).await?,
    };
    if args.json {
        print::json(&report);
    } else {
        print::data(&report.told());
    }
    Ok(if report.cost.is_nothing() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Refuses to drill in another container: the numbers of its processes mean others here.
fn refuse_elsewhere(status: &Status) -> Result<(), CliError> {
    match boot::identity() {
        Ok(boot) if boot == status.boot => Ok(()),
        _ => Err(CliError::refused(
            "cannot drill from here: the agent runs in another container, where processes have other numbers",
            "run `mainstay drill` in that container",
        )),
    }
}

#[derive(Debug, Clone, Copy)]
enum Role {
    Agent,
    Keeper,
}

/// Kills one of our own processes.
async fn role(located: &Located, status: Status, role: Role) -> Result<Report, CliError> {
    let (drill, hit) = match role {
        Role::Agent => ("agent", status.agent.pid),
        Role::Keeper => ("keeper", status.keeper.pid),
    };
    let mut before = Before::look(located, status)?;
    before.begin();
    send(hit, SignalKind::Kill)?;
    Ok(Report { drill, hit, cost: before.account(hit).await?, replaced: None })
}

/// Freezes the agent. The keeper notices when something is owed, so a program is killed as well.
async fn hang(located: &Located, status: Status, name: &str) -> Result<Report, CliError> {
    let life = life_of(&status, name)?;
    let hit = status.agent.pid;
    let mut before = Before::look(located, status)?;
    before.leave_out(name);
    before.begin();
    let began = clock::monotonic();
    send(hit, SignalKind::Stop)?;
    print::talk("the agent is frozen; its keeper notices when an answer is owed for five seconds");
    let result = match send(life.pid, SignalKind::Kill) {
        Ok(()) => before.account(hit).await,
        Err(error) => Err(error),
    };
    if result.is_err() {
        // Nobody replaced it: it must not stay frozen.
        drop(send(hit, SignalKind::Continue));
    }
    let cost = result?;
    let (_, replaced) =
        replacement(&mut Client::connect(located).await?, name, life, began).await?;
    Ok(Report { drill: "hang", hit, cost, replaced: Some(replaced) })
}

/// Kills a program and waits for its replacement.
async fn crash(
    located: &Located,
    client: &mut Client,
    status: Status,
    name: &str,
) -> Result<Report, CliError> {
    let life = life_of(&status, name)?;
    let hit = life.pid;
    let mut before = Before::look(located, status)?;
    before.leave_out(name);
    let began = clock::monotonic();
    send(hit, SignalKind::Kill)?;
    let (after, replaced) = replacement(client, name, life, began).await?;
    let took = clock::monotonic().saturating_sub(began);
    let cost = before.account_since(&after, took).await?;
    Ok(Report { drill: "crash", hit, cost, replaced: Some(replaced) })
}

fn life_of(status: &Status, name: &str) -> Result<Life, CliError> {
    let unit = status.units.iter().find(|unit| unit.unit == name);
    let life = |unit: &Unit| Some(Life { pid: unit.pid?, run: unit.run });
    unit.and_then(life).ok_or_else(|| {
        CliError::refused(format!("`{name}` does not run"), "`mainstay status` lists all")
    })
}

fn send(pid: u32, signal: SignalKind) -> Result<(), CliError> {
    let failed =
        |error: std::io::Error| CliError::refused(format!("cannot hit process {pid}: {error}"), "");
    let process = Process::open_pid(pid).map_err(failed)?;
    let gone = || CliError::refused(format!("process {pid} is gone already"), "");
    process.ok_or_else(gone)?.signal(signal).map_err(failed)
}

/// Waits until a killed program has a successor.
async fn replacement(
    client: &mut Client,
    name: &str,
    before: Life,
    began: Duration,
) -> Result<(Status, Replaced), CliError> {
    loop {
        let status: Status = client.get("/v1/status").await?;
        let took = clock::monotonic().saturating_sub(began);
        let now = status.units.iter().find(|other| other.unit == name);
        if let Some(unit) = now.filter(|now| now.run > before.run)
            && let Some(pid) = unit.pid
        {
            let after = Life { pid, run: unit.run };
            let unit = name.to_owned();
            return Ok((status, Replaced { unit, before, after, took_ms: milliseconds(took) }));
        }
        if took > RECOVER_WITHIN {
            let why = now.map(|now| now.why.clone()).unwrap_or_default();
            let hint = format!("`mainstay why {name}` tells more");
            return Err(CliError::refused(format!("`{name}` is not back: {why}"), hint));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

impl Report {
    /// Returns it for people, in their language.
    fn told(&self) -> String {
        let pid = self.hit;
        let mut lines = vec![if self.drill == "hang" {
            format!("froze process {pid}")
        } else {
            format!("killed process {pid}")
        }];
        if let Some(Replaced { unit, before, after, took_ms }) = &self.replaced {
            let (Life { pid: old, run: first }, Life { pid: new, run: next }) = (before, after);
            lines.push(format!(
                "{unit}: process {old} (run {first}) -> {new} (run {next}) after {took_ms} ms, back-off included"
            ));
        }
        let lines: Vec<String> = lines.iter().map(|line| words::told(line).into_owned()).collect();
        format!("{}\n{}", lines.join("\n"), self.cost.told())
    }
}
