//! `mainstay reload`: have programs read their configuration anew.

use std::{collections::BTreeMap, process::ExitCode, time::Duration};

use clap::Args as ClapArgs;
use mainstay_api::{
    config::parse_duration,
    control::{CommandAnswer, CommandName, CommandRequest, Event, Events, Status, UnitAnswer},
};

use super::command::{Outcome, Outcomes};
use crate::{
    client::{Client, escaped},
    errors::CliError,
    print,
};

/// The events that tell how a reload has come out.
const RELOADED: &str = "UnitReloaded";
const NOT_RELOADED: &str = "UnitNotReloaded";

/// Have programs read their configuration anew
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  mainstay reload web\n  mainstay reload 'web*' --timeout 10s\n\nA service says how it is done: reload = { signal = \"HUP\" }"
)]
pub(super) struct Args {
    /// Units, services, or groups such as `@web`; `*` and `?` match
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

/// How a reload has come out, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    Reloaded(String),
    Not(String),
}

/// The last word on each unit.
type Words = BTreeMap<String, Word>;

pub(super) async fn run(args: Args, instance: Option<&str>) -> Result<ExitCode, CliError> {
    let (mut client, names) = super::connect_for(instance, &args.names).await?;
    let before: Events = client.get("/v1/events?limit=1").await?;
    let request = CommandRequest { command: CommandName::Reload, names };
    let answer: CommandAnswer = client.post("/v1/command", &request).await?;
    let mut words = Words::new();
    if !args.no_wait {
        let asked = answer.units.iter().filter(|unit| unit.refused.is_none());
        let open = asked.map(|unit| unit.unit.clone()).collect();
        let hearing = hear(&mut client, open, before.last, &mut words);
        // Who has not said a word by then is told as such.
        if let Ok(heard) = tokio::time::timeout(args.timeout, hearing).await {
            heard?;
        }
    }
    if args.json {
        let after: Status = client.get("/v1/status").await?;
        print::json(&outcomes(&answer, &words, &after));
    }
    for unit in &answer.units {
        tell(&args, unit, words.get(&unit.unit));
    }
    let is_done = |unit: &UnitAnswer| match words.get(&unit.unit) {
        Some(word) => matches!(word, Word::Reloaded(_)),
        None => args.no_wait && unit.refused.is_none(),
    };
    Ok(if answer.units.iter().all(is_done) { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Waits for the word on each unit.
async fn hear(
    client: &mut Client,
    mut open: Vec<String>,
    mut after: u64,
    words: &mut Words,
) -> Result<(), CliError> {
    while !open.is_empty() {
        let names = escaped(&open.join(","));
        let path = format!("/v1/events?limit=5000&names={names}&after={after}&wait=true");
        let events: Events = client.get(&path).await?;
        after = events.last;
        for (unit, word) in events.events.iter().filter_map(word_of) {
            open.retain(|name| name != unit);
            words.entry(unit.to_owned()).or_insert(word);
        }
    }
    Ok(())
}

fn word_of(event: &Event) -> Option<(&str, Word)> {
    let text = print::harmless(&event.message);
    let word = match event.event.as_str() {
        RELOADED => Word::Reloaded(text),
        NOT_RELOADED => Word::Not(text),
        _ => return None,
    };
    Some((event.unit.as_deref()?, word))
}

/// Says what came of it for one unit.
fn tell(args: &Args, unit: &UnitAnswer, word: Option<&Word>) {
    let refuse = |what: &str, hint: &str| print::talk(&CliError::refused(what, hint).to_string());
    match (&unit.refused, word) {
        (Some(reason), _) => refuse(reason, ""),
        (None, Some(Word::Not(text))) => refuse(text, ""),
        (None, Some(Word::Reloaded(text))) if !args.json => print::told(&format!("{text}\n")),
        (None, None) if !args.no_wait => {
            let what = format!("`{}` has not said so far whether it has reloaded", unit.unit);
            refuse(&what, &format!("`mainstay events {} -f` tells when it does", unit.unit));
        }
        (None, Some(Word::Reloaded(_)) | None) => {}
    }
}

fn outcomes<'a>(answer: &'a CommandAnswer, words: &'a Words, after: &'a Status) -> Outcomes<'a> {
    let outcome = |answer: &'a UnitAnswer| {
        let (unit, word) = (after.unit(&answer.unit), words.get(&answer.unit));
        let why = match word {
            Some(Word::Reloaded(text) | Word::Not(text)) => Some(text.as_str()),
            None => unit.map(|unit| unit.why.as_str()),
        };
        let done = matches!(word, Some(Word::Reloaded(_)));
        Outcome { answer, done, state: unit.map(|unit| unit.state.as_str()), why }
    };
    Outcomes { trace_id: &answer.trace_id, units: answer.units.iter().map(outcome).collect() }
}
