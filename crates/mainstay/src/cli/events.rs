//! `mainstay events`: what happened.

use std::process::ExitCode;

use clap::Args as ClapArgs;
use mainstay_api::control::{Event, Events};

use crate::{client::escaped, errors::CliError, print};

/// Show what happened, to all units or some
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay events\n  mainstay events web -f\n  mainstay events --trace 1899f3a1c2b4d5e6"
)]
pub(super) struct Args {
    /// Only of these units; `*` and `?` match
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
    let mut filter = format!("names={}", escaped(&args.names.join(",")));
    if let Some(trace) = &args.trace {
        filter = format!("{filter}&trace={trace}");
    }
    let mut path = format!("/v1/events?limit={}&{filter}", args.lines);
    loop {
        let events: Events = client.get(&path).await?;
        for event in &events.events {
            print::data(&line(event, args.json));
        }
        if !args.follow {
            return Ok(ExitCode::SUCCESS);
        }
        path = format!("/v1/events?limit=5000&{filter}&after={}&wait=true", events.last);
    }
}

fn parse_trace(text: &str) -> Result<String, String> {
    let trace = u64::from_str_radix(text, 16);
    trace.map(|trace| format!("{trace:016x}")).map_err(|_| "it is 16 digits of 0 to f".to_owned())
}

fn line(event: &Event, json: bool) -> String {
    if json {
        return serde_json::to_string(event).unwrap_or_default() + "\n";
    }
    let Event { timestamp, level, event, message, .. } = event;
    format!("{timestamp}  {level:5}  {event:16}  {}\n", print::harmless(message).trim_end())
}
