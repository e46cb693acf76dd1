//! `mainstay events`: what happened.

use std::{collections::BTreeSet, process::ExitCode};

use clap::{Args as ClapArgs, ValueEnum};
use jiff::Timestamp;
use mainstay_api::{
    control::{Event, Events, Status},
    pattern::{fits, is_meant},
};

use super::logs::{Count, parse_count};
use crate::{
    client::{Client, escaped},
    errors::CliError,
    names,
    paging::Paging,
    print,
    when::{self, Nanoseconds, Span},
    words,
};

/// So many are asked for when nobody says how many.
const USUAL: usize = 50;
/// An agent tells no more at a time.
const MAX: usize = 5_000;

/// Show what happened, to all units or some
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay events\n  mainstay events web 'worker-*' -f\n  mainstay events --since today --level warn\n  mainstay events web --type UnitExited,HookFailed -n all\n  mainstay events --trace 1899f3a1c2b4d5e6\n  mainstay events --json | jq -r .message"
)]
pub(super) struct Args {
    /// Only of these units, services, or groups such as `@web`; `*` and `?` match
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// The same as NAME
    #[arg(short, long = "unit", value_name = "NAME", value_delimiter = ',')]
    units: Vec<String>,

    /// Go on as things happen
    #[arg(short, long)]
    follow: bool,

    /// How many of the past, or `all`; 50, or all that a time asks for
    #[arg(short = 'n', long, value_name = "COUNT", value_parser = parse_count)]
    lines: Option<Count>,

    #[command(flatten)]
    span: Span,

    /// Only of these types, such as `UnitExited,HookFailed`; `*` and `?` match
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    types: Vec<String>,

    /// Only those that matter so much at least
    #[arg(long, value_name = "LEVEL")]
    level: Option<Level>,

    /// Only of this chain of causes, as `--json` names it
    #[arg(long, value_name = "ID", value_parser = parse_trace)]
    trace: Option<String>,

    /// Only of the run with this number
    #[arg(long, value_name = "NUMBER")]
    run: Option<u64>,

    /// Print JSON, one event a line
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    paging: Paging,
}

/// How much an event matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Level {
    Info,
    Warn,
    Error,
}

impl Level {
    const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

pub(super) async fn run(mut args: Args, instance: Option<&str>) -> Result<ExitCode, CliError> {
    args.names.append(&mut args.units);
    let (_, mut client) = super::connect(instance).await?;
    let status: Status = client.get("/v1/status").await?;
    let names = names::expanded(&args.names, &status.groups)?;
    let filter = filter(&args);
    let mut events = past(&mut client, &filter, args.count()).await?;
    if let Some(name) = names.iter().find(|name| !is_known(name, &status, &events)) {
        return Err(names::unknown(name, &names::known(&status.units)));
    }
    tell_missing(&args, &events);
    if events.events.is_empty() {
        tell_types(&args, &mut client).await?;
    }
    if !args.follow {
        args.paging.start().await;
    }
    loop {
        for event in &events.events {
            print::data(&if args.json { object(event) } else { line(event) });
        }
        if !args.follow {
            return Ok(ExitCode::SUCCESS);
        }
        let path = format!("/v1/events?limit={MAX}{filter}&after={}&wait=true", events.last);
        events = client.get(&path).await?;
    }
}

impl Args {
    /// Returns how many of the past are asked for.
    fn count(&self) -> usize {
        self.lines.unwrap_or(if self.span.is_bounded() { usize::MAX } else { USUAL })
    }
}

/// Returns the newest events, page by page; the agent's journal has a limit, and so has this.
async fn past(client: &mut Client, filter: &str, count: usize) -> Result<Events, CliError> {
    let page = |limit: usize| format!("/v1/events?limit={}{filter}", limit.min(MAX));
    let mut all: Events = client.get(&page(count)).await?;
    while let Some(before) = all.older.filter(|_| all.events.len() < count) {
        let path = format!("{}&before={before}", page(count - all.events.len()));
        let Events { mut events, older, kept_since, unread, .. } = client.get(&path).await?;
        events.append(&mut all.events);
        all = Events { events, older, kept_since, unread, ..all };
    }
    Ok(all)
}

/// Returns what the agent is to look for.
fn filter(args: &Args) -> String {
    let time = |time: Option<Nanoseconds>| time.and_then(when::utc_text);
    let list = |words: &[String]| Some(words.join(",")).filter(|text| !text.is_empty());
    let said = [
        ("names", list(&args.names)),
        ("trace", args.trace.clone()),
        ("run", args.run.map(|run| run.to_string())),
        ("types", list(&args.types)),
        ("level", args.level.map(|level| level.word().to_owned())),
        ("since", time(args.span.since)),
        ("until", time(args.span.until)),
    ];
    let said = said.into_iter().filter_map(|(key, value)| Some((key, escaped(&value?))));
    said.flat_map(|(key, value)| ["&".to_owned(), key.to_owned(), "=".to_owned(), value]).collect()
}

/// Says from when on events are kept, where older ones were asked for.
fn tell_missing(args: &Args, events: &Events) {
    if let Some(why) = &events.unread {
        print::talk(&format!("note: older events cannot be read: {why}"));
    }
    let Some(kept) = &events.kept_since else { return };
    let oldest: Option<Timestamp> = kept.parse().ok();
    let since = args.span.since.and_then(|since| Timestamp::from_nanosecond(since.into()).ok());
    let is_before = since.is_none_or(|since| oldest.is_some_and(|oldest| since < oldest));
    if is_before && events.events.len() < args.count() {
        print::talk(&format!("note: events from before {kept} are not kept any more"));
    }
}

/// Says which types there are, where none is of one that was asked for.
async fn tell_types(args: &Args, client: &mut Client) -> Result<(), CliError> {
    if args.types.is_empty() {
        return Ok(());
    }
    let all = past(client, "", usize::MAX).await?;
    let types: BTreeSet<&str> = all.events.iter().map(|event| event.event.as_str()).collect();
    for wanted in &args.types {
        if !types.iter().any(|name| fits(wanted, name)) {
            let names: Vec<&str> = types.iter().copied().collect();
            let names = names.join(", ");
            print::talk(&format!("note: nothing was of the type `{wanted}`; there is {names}"));
        }
    }
    Ok(())
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
    let shown = format!("{level:5}");
    let shown = match level.as_str() {
        "error" => print::coloured(&shown, "failed"),
        "warn" => print::coloured(&shown, "waiting"),
        _ => shown,
    };
    let message = print::harmless(message);
    format!("{timestamp}  {shown}  {event:16}  {}\n", words::told(message.trim_end()))
}
