//! `mainstay up`: run an instance here, in the foreground.
//!
//! A client that starts a keeper in a session of its own, or attaches to the one that runs. The
//! first Ctrl-C stops everything in order and waits; the second kills. A kill of this process stops
//! nothing.
//!
//! The first process of a container becomes the keeper itself: its end is the container's end, and
//! all orphans are its children.

use std::{ffi::OsString, path::PathBuf, process::ExitCode, time::Duration};

use clap::Args as ClapArgs;
use mainstay_agent::{AgentOptions, configuration, descriptors};
use mainstay_api::{
    config,
    control::{CommandAnswer, CommandName, CommandRequest, Event, Events, Status},
};
use mainstay_platform::{
    clock, daemon, interrupt::Interrupts, lock::FileLock, machine, memory, paths, replace,
};

use super::changes;
use crate::{
    card,
    client::Client,
    errors::CliError,
    instance::{self, Located},
    print,
};

const START_WITHIN: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Only Windows knows such a thing: a job that is ended when its last holder closes it.
const ENDED_FROM_ABOVE: &str = "warning: this terminal belongs to somebody who ends everything \
                                that was started in it; `mainstay doctor` tells more";
/// So many events are asked for at a time.
const EVENTS_MAX: usize = 5000;

/// Run the services of a configuration file here; Ctrl-C stops them
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  mainstay up\n  mainstay up path/to/mainstay.toml")]
pub(super) struct Args {
    /// The configuration file; else the nearest `mainstay.toml`
    #[arg(value_name = "FILE")]
    path: Option<PathBuf>,
}

pub(super) async fn run(args: Args, named: Option<&str>) -> Result<ExitCode, CliError> {
    let located = instance::to_start(args.path.as_deref(), named)?;
    hold(&located, args.path.and(named)).await
}

/// Runs an instance in the foreground: starts its keeper unless one runs, and shows what happens
/// until it has ended.
pub(super) async fn hold(located: &Located, name: Option<&str>) -> Result<ExitCode, CliError> {
    memory::be_thrifty();
    // A mistake is shown before anything is started or touched.
    let good = configuration::load(&located.file)
        .and_then(|config| descriptors::check(&config, &located.file));
    if let Err(found) = good {
        print::talk(config::render(&found).trim_end());
        return Ok(ExitCode::from(1));
    }
    let mut interrupts = Interrupts::new().map_err(|error| CliError::bug(error.to_string()))?;
    let (mut client, keeper) = start(located, name).await?;
    greet(located, &mut client, keeper).await?;
    let after = begin(&mut client, keeper).await?;
    // From here on it only waits.
    memory::give_back();
    follow(&mut client, &mut interrupts, after).await
}

/// Whose keeper runs the instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeper {
    /// We have started it.
    Ours,
    /// It ran before.
    Found,
}

/// Starts a keeper unless one runs.
fn start_keeper(located: &Located, name: Option<&str>) -> Result<Keeper, CliError> {
    let failed = |what: &str, error: std::io::Error| {
        CliError::refused(format!("cannot {what}: {error}"), "")
    };
    let instance = &located.instance;
    paths::create_private(&instance.runtime)
        .map_err(|error| failed("create the runtime folder", error))?;
    prepare_state(located).map_err(|error| failed("create the state folder", error))?;
    let lock = FileLock::try_take(&instance.keeper_lock());
    if lock.map_err(|error| failed("look for a keeper", error))?.is_none() {
        return Ok(Keeper::Found);
    }
    card::write(located, name).map_err(|error| failed("name the instance", error))?;
    let program = daemon::own_program().map_err(|error| failed("find our own binary", error))?;
    let arguments: Vec<OsString> = ["keeper".to_owned()]
        .into_iter()
        .chain(keeper_arguments(located, None))
        .map(Into::into)
        .collect();
    if daemon::is_init() {
        let file = located.file.display();
        print::talk(&format!("{file} runs in this container; `mainstay status` shows it"));
        return match replace::replace(&program, &arguments, &[]) {
            Ok(never) => match never {},
            Err(error) => Err(failed("become the keeper", error)),
        };
    }
    let mut options = std::fs::OpenOptions::new();
    let log = paths::open_log(options.append(true), &instance.keeper_log());
    let log = log.map_err(|error| failed("open the keeper's log", error))?;
    daemon::start_detached(&program, &arguments, log)
        .map_err(|error| failed("start a keeper", error))?;
    Ok(Keeper::Ours)
}

/// Returns what a keeper of this instance is started with, and the service that it is, if any.
pub(crate) fn keeper_arguments(located: &Located, service: Option<&str>) -> Vec<String> {
    let instance = &located.instance;
    let agent = AgentOptions {
        runtime: instance.runtime.clone(),
        state: instance.state.clone(),
        config: located.file.clone(),
        service: service.map(str::to_owned),
        ..AgentOptions::default()
    };
    let runtime = instance.runtime.display().to_string();
    let mut own = vec!["--runtime".to_owned(), runtime];
    if let Some(name) = service {
        own.extend(["--service".to_owned(), name.to_owned()]);
    }
    own.push("--".to_owned());
    own.into_iter().chain(agent.arguments()).collect()
}

/// The state lies beside the file, out of the way of version control.
pub(super) fn prepare_state(located: &Located) -> std::io::Result<()> {
    let state = &located.instance.state;
    paths::create_private(state)?;
    let ignore = state.join(".gitignore");
    if !ignore.exists() {
        use std::io::Write as _;
        paths::create_private_file(&ignore)?.write_all(b"*\n")?;
    }
    Ok(())
}

/// Waits for the agent's answer.
async fn start(located: &Located, name: Option<&str>) -> Result<(Client, Keeper), CliError> {
    let until = clock::monotonic() + START_WITHIN;
    let mut keeper = Keeper::Found;
    loop {
        // A keeper that still has the lock may be about to end.
        if keeper == Keeper::Found {
            keeper = start_keeper(located, name)?;
        }
        let mut error = match Client::connect(located).await {
            Ok(mut client) => match client.get::<Status>("/v1/status").await {
                Ok(_) => return Ok((client, keeper)),
                Err(error) => error,
            },
            Err(error) => error,
        };
        if clock::monotonic() > until {
            let log = located.instance.keeper_log();
            error.hint = format!("its last words are in `{}`", log.display());
            return Err(error);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn greet(located: &Located, client: &mut Client, whose: Keeper) -> Result<(), CliError> {
    let changes = match whose {
        Keeper::Ours => None,
        Keeper::Found => client.post::<CommandAnswer>("/v1/apply", &()).await?.changes,
    };
    let status: Status = client.get("/v1/status").await?;
    let (keeper, agent) = (status.keeper.pid, status.agent.pid);
    let file = located.file.display();
    let units = print::count(status.units.len(), "unit");
    print::talk(&match whose {
        Keeper::Ours => format!("started {file}: {units}, keeper {keeper}, agent {agent}"),
        Keeper::Found => format!(
            "attached to the running instance of {file}: {units}, keeper {keeper}, agent {agent}"
        ),
    });
    if let Some(changes) = changes {
        tell_changes(&changes::lines(&changes));
    }
    print::talk("Ctrl-C stops everything; a second Ctrl-C kills");
    if whose == Keeper::Ours && machine::ends_with_somebody() {
        print::talk(ENDED_FROM_ABOVE);
    }
    Ok(())
}

fn tell_changes(lines: &str) {
    if lines.is_empty() {
        return print::talk("the configuration is the one that runs; nothing to apply");
    }
    print::talk("the configuration has changed; applied:");
    print::raw_talk(lines);
}

/// Returns behind which event to begin: of an instance that we have started, everything is shown.
///
/// Its agent's own words tell where it began; the clock may have been set back since earlier lives.
async fn begin(client: &mut Client, keeper: Keeper) -> Result<u64, CliError> {
    let path = format!("/v1/events?limit={EVENTS_MAX}");
    let Events { events, last, .. } = client.get(&path).await?;
    let begins = |event: &&Event| matches!(event.event.as_str(), "AgentStarted" | "AgentRecovered");
    let first = events.iter().rev().find(begins).filter(|_| keeper == Keeper::Ours);
    Ok(first.map_or(last, |first| first.sequence.saturating_sub(1)))
}

/// Shows what happens until the instance has ended.
async fn follow(
    client: &mut Client,
    interrupts: &mut Interrupts,
    mut after: u64,
) -> Result<ExitCode, CliError> {
    let mut asked = 0_u32;
    let mut code = None;
    let located = client.located().clone();
    loop {
        let answer = next_events(client, interrupts, after, &mut asked).await;
        if let Ok(events) = answer {
            after = events.last;
            tell(&events.events);
            code = code_in(&events.events).or(code);
            continue;
        }
        let Some(successor) = reconnect(&located).await? else {
            // What came last may have been told to nobody: the agent waits for no client.
            let unheard = mainstay_agent::events_after(&located.instance, after);
            let events = unheard.unwrap_or_default();
            tell(&events);
            code = code_in(&events).or(code);
            return code.map_or_else(|| ended(asked), |code| Ok(ended_with(code)));
        };
        *client = successor;
        // An agent that refuses to tell is there at once, and asked again at once.
        tokio::time::sleep(LOOK_EVERY).await;
        if asked > 0 {
            // Whoever took over has not heard of it; who is about to end needs not.
            drop(ask_to_end(&located, asked).await);
        }
    }
}

/// Returns with which code the instance ends, when a program's end is the instance's.
fn code_in(events: &[Event]) -> Option<u32> {
    let end = events.iter().find(|event| event.event == "InstanceEnded")?;
    end.facts.exit_code
}

/// Ends as the program has; elsewhere than on Windows a process has only the last byte.
fn ended_with(code: u32) -> ExitCode {
    print::talk("everything has stopped");
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}

/// Says how it ended: because it was asked to, or because somebody killed keeper and agent.
fn ended(asked: u32) -> Result<ExitCode, CliError> {
    if asked == 0 {
        let what = "keeper and agent are gone; the programs run on";
        return Err(CliError::unreachable(what, "`mainstay up` takes them back"));
    }
    print::talk("everything has stopped");
    Ok(ExitCode::SUCCESS)
}

/// Waits for events; requests to end go over a connection of their own meanwhile.
async fn next_events(
    client: &mut Client,
    interrupts: &mut Interrupts,
    after: u64,
    asked: &mut u32,
) -> Result<Events, CliError> {
    let located = client.located().clone();
    let path = format!("/v1/events?limit={EVENTS_MAX}&after={after}&wait=true");
    let answer = client.get::<Events>(&path);
    tokio::pin!(answer);
    loop {
        tokio::select! {
            events = &mut answer => return events,
            () = interrupts.next() => {
                *asked += 1;
                stop(&located, *asked).await;
            }
        }
    }
}

fn tell(events: &[Event]) {
    let is_told =
        |event: &&Event| matches!(event.event.as_str(), "UnitStateChanged" | "InstanceEnded");
    for event in events.iter().filter(is_told) {
        print::talk(&format!("{}  {}", event.timestamp, print::harmless(&event.message)));
    }
}

/// Returns whether nobody is the keeper any more.
fn is_over(located: &Located) -> bool {
    let lock = located.instance.keeper_lock();
    !lock.exists() || FileLock::try_take(&lock).is_ok_and(|lock| lock.is_some())
}

/// The agent was replaced, and whoever takes over answers on the same socket; or everything has
/// ended, and nobody ever will.
async fn reconnect(located: &Located) -> Result<Option<Client>, CliError> {
    let until = clock::monotonic() + START_WITHIN;
    loop {
        match Client::connect(located).await {
            Ok(client) => return Ok(Some(client)),
            Err(_) if is_over(located) => return Ok(None),
            Err(error) if clock::monotonic() > until => return Err(error),
            Err(_) => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}

async fn stop(located: &Located, asked: u32) {
    if asked == 1 {
        print::talk("stopping everything; Ctrl-C again kills");
    }
    if let Err(error) = ask_to_end(located, asked).await {
        print::talk(&error.to_string());
    }
}

/// The first request stops everything in order, the second kills.
async fn ask_to_end(located: &Located, asked: u32) -> Result<(), CliError> {
    let mut client = Client::connect(located).await?;
    let _answer: CommandAnswer = if asked == 1 {
        client.post("/v1/shutdown", &()).await?
    } else {
        let request = CommandRequest { command: CommandName::Kill, names: vec!["*".to_owned()] };
        client.post("/v1/command", &request).await?
    };
    Ok(())
}
