//! `mainstay events`: what happened.

use std::process::ExitCode;

use clap::Args as ClapArgs;
use mainstay_api::control::{Event, Events, Status};
use mainstay_api::pattern::is_meant;

use crate::{client::escaped, errors::CliError, names, print};

/// An agent keeps no more, and tells no more at a time.
const EVENTS_MAX: usize = 5_000;

/// Show what happened, to all units or some
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay events\n  mainstay events web -f\n  mainstay events --trace 1899f3a1c2b4d5e6"
)]
pub(super) struct Args {
    /// Only of these units, services, or groups such as `@web`; `*` and `?` match
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// Go on as things happen
    #[arg(short, long)]
    follow: bool,

    /// Only of this chain of causes, as `--json` names it
    #[arg(long, value_name = "ID", value_parser = parse_trace)]
    trace: Option<String>,

    /// How many of the past
    #[arg(short = 'n', long, default_value_t = 50, value_name = "COUNT")]
    lines: usize,

    /// Print JSON, one event a line
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, instance: Option<&str>) -> Result<ExitCode, CliError> {
    let (_, mut client) = super::connect(instance).await?;
    let status: Status = client.get("/v1/status").await?;
    let names = names::expanded(&args.names, &status.groups)?;
    let filter = filter(&args);
    let mut path = format!("/v1/events?limit={}&{filter}", args.lines.min(EVENTS_MAX));
    let mut events: Events = client.get(&path).await?;
    if let Some(name) = names.iter().find(|name| !is_known(name, &status, &events)) {
        return Err(names::unknown(name, &names::known(&status.units)));
    }
    loop {
        for event in &events.events {
            print::data(&if args.json { object(event) } else { line(event) });
        }
        if !args.follow {
            return Ok(ExitCode::SUCCESS);
        }
        path = format!("/v1/events?limit={EVENTS_MAX}&{filter}&after={}&wait=true", events.last);
        events = client.get(&path).await?;
    }
}

/// Returns what the agent is to look for.
fn filter(args: &Args) -> String {
    let names = escaped(&args.names.join(","));
    match &args.trace {
        Some(trace) => format!("names={names}&trace={trace}"),
        None => format!("names={names}"),
    }
}

/// What has left the configuration is known by what happened to it.
fn is_known(name: &str, status: &Status, events: &Events) -> bool {
    let had = |event: &Event| event.unit.as_ref().is_some_and(|unit| is_meant(name, unit));
    status.units.iter().any(|unit| is_meant(name, &unit.unit)) || events.events.iter().any(had)
}

fn parse_trace(text: &str) -> Result<String, String> {
    let trace = u64::from_str_radix(text, 16);
    trace.map(|trace| format!("{trace:016x}")).map_err(|_| "it is 16 digits of 0 to f".to_owned())
}

fn object(event: &Event) -> String {
    // Strings and numbers only: nothing of it can fail.
    serde_json::to_string(event).unwrap_or_default() + "\n"
}

fn line(event: &Event) -> String {
    let Event { timestamp, level, event, message, .. } = event;
    format!("{timestamp}  {level:5}  {event:16}  {}\n", print::harmless(message).trim_end())
}
