//! `mainstay add` and `mainstay remove`: change the configuration file, comments stay.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Args as ClapArgs;
use mainstay_api::control::{AddService, CommandAnswer, Status, Unit};
use mainstay_platform::clock;

use crate::{
    client::{Client, escaped},
    errors::CliError,
    print,
};

/// How long a program may take to start or to leave before nobody waits any more.
const SETTLED_WITHIN: Duration = Duration::from_mins(1);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Add a service to the configuration and start it
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay add api --requires db -- ./api --port 8080\n  mainstay add api --wait -- ./api"
)]
pub(super) struct Args {
    /// Its name
    name: String,

    /// Where it starts; else in this folder
    #[arg(long, value_name = "DIR")]
    directory: Option<String>,

    /// A variable that it gets; may be given several times
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = parse_variable)]
    environment: Vec<Variable>,

    /// When it is started: auto, delayed, manual or disabled
    #[arg(long, value_name = "TYPE")]
    start: Option<String>,

    /// A service that must be ready first; may be given several times
    #[arg(long, value_name = "NAME")]
    requires: Vec<String>,

    /// Fail if it cannot be started, or ends badly at once; it stays in the configuration
    #[arg(long)]
    wait: bool,

    /// Print the answer as JSON
    #[arg(long)]
    json: bool,

    /// The program and its arguments, behind `--`
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// A variable's name and value.
pub(super) type Variable = (String, String);

/// Refuses what no system passes to a program.
pub(super) fn parse_variable(text: &str) -> Result<Variable, &'static str> {
    let (name, value) = text.split_once('=').ok_or("it sets no variable; write `NAME=VALUE`")?;
    if name.is_empty() {
        return Err("the variable has no name; write `NAME=VALUE`");
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// Which service to remove.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:\n  mainstay remove api")]
pub(super) struct RemoveArgs {
    /// Its name
    name: String,

    /// Remove what its kind has kept, too
    #[arg(long)]
    purge: bool,

    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, instance: Option<&str>) -> Result<ExitCode, CliError> {
    let (located, mut client) = super::connect(instance).await?;
    let directory = directory(&located.file, args.directory)?;
    let service = AddService {
        name: args.name.clone(),
        command: args.command,
        directory,
        environment: args.environment,
        start: args.start,
        requires: args.requires,
    };
    let answer: CommandAnswer = client.post("/v1/services", &service).await?;
    let place = service.directory.map_or_else(String::new, |folder| format!(", in {folder}"));
    if !args.json {
        print::told(&format!("added `{}` to {}{place}\n", args.name, located.file.display()));
    }
    let units = settled(&mut client, &args.name, |unit| unit.state != "starting").await?;
    if args.json {
        print::json(&answer);
    } else {
        for unit in &units {
            print::told(&super::command::in_words(unit));
        }
    }
    let is_bad = |unit: &&Unit| matches!(unit.state.as_str(), "backoff" | "failed");
    let bad: Vec<&Unit> = units.iter().filter(is_bad).collect();
    for unit in &bad {
        warn(unit);
    }
    Ok(if args.wait && !bad.is_empty() { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// It may come up later, when its program is there: nobody takes it out again.
fn warn(unit: &Unit) {
    let Unit { unit, service, .. } = unit;
    print::talk(&format!(
        "warning: `{unit}` has not come up and stays in the configuration; `mainstay why {unit}` tells more, `mainstay set {service} command=…` mends it, `mainstay remove {service}` takes it out"
    ));
}

/// Returns where the program starts, as the configuration says it: its own folder needs no word,
/// and whoever stands elsewhere means where they stand.
fn directory(config: &Path, said: Option<String>) -> Result<Option<String>, CliError> {
    if said.as_ref().is_some_and(|said| Path::new(said).is_absolute()) {
        return Ok(said);
    }
    let nowhere = |why: String| {
        let what = format!("cannot tell the current folder: {why}");
        CliError::refused(what, "go to another one, or name one with `--directory`")
    };
    let here = env::current_dir().map_err(|error| nowhere(error.to_string()))?;
    if is_same(&here, config.parent().unwrap_or(config)) {
        return Ok(said);
    }
    let path = said.map_or_else(|| here.clone(), |said| here.join(said));
    let text = path.to_str().ok_or_else(|| nowhere("its name is no UTF-8".to_owned()))?;
    Ok(Some(text.to_owned()))
}

fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| PathBuf::from(path));
    real(one) == real(other)
}

pub(super) async fn remove(args: RemoveArgs, instance: Option<&str>) -> Result<ExitCode, CliError> {
    let (located, mut client) = super::connect(instance).await?;
    let purge = if args.purge { "?purge=true" } else { "" };
    let answer: CommandAnswer =
        client.delete(&format!("/v1/services/{}{purge}", escaped(&args.name))).await?;
    if args.json {
        print::json(&answer);
    } else {
        print::told(&format!("removed `{}` from {}\n", args.name, located.file.display()));
    }
    for unit in settled(&mut client, &args.name, |_| false).await? {
        let state = print::wording(&unit.state);
        print::talk(&format!("{} is still {state}; it goes on by itself", unit.unit));
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits until all units of a service are as they should be, or gone, and returns those there are.
async fn settled(
    client: &mut Client,
    service: &str,
    is_settled: impl Fn(&Unit) -> bool,
) -> Result<Vec<Unit>, CliError> {
    let until = clock::monotonic() + SETTLED_WITHIN;
    loop {
        let status: Status = client.get("/v1/status").await?;
        let units = status.units.into_iter().filter(|unit| unit.service == service);
        let units: Vec<Unit> = units.collect();
        if units.iter().all(&is_settled) || clock::monotonic() > until {
            return Ok(units);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
