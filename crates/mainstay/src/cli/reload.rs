//! `mainstay reload`: have programs read their configuration anew.

use std::{collections::BTreeMap, process::ExitCode, time::Duration};

use clap::Args as ClapArgs;
use mainstay_api::{
    config::parse_duration,
    control::{CommandAnswer, CommandName, CommandRequest, Event, Events, Status, UnitAnswer},
};
use mainstay_platform::clock;

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
    after_help = "Examples:\n  mainstay reload web\n  mainstay reload 'web*' --timeout 10s\n  mainstay reload @backend --wait --json\n\nA service says how it is done: reload = { signal = \"HUP\" }"
)]
pub(super) struct Args {
    /// Units, services, or groups such as `@web`; `*` and `?` match
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,

    /// Wait for those, too, that are still to run
    #[arg(long, conflicts_with = "no_wait")]
    wait: bool,

    /// Return at once, without waiting for the result
    #[arg(long)]
    no_wait: bool,

    /// How long to wait, such as `10s` or `2m`
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = parse_duration)]
    timeout: Duration,

    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

/// States from which a unit comes to run by itself.
const ON_THE_WAY: [&str; 4] = ["waiting", "starting", "stopping", "backoff"];
const LOOK_EVERY: Duration = Duration::from_millis(50);

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
    let began = clock::monotonic();
    let mut answer = ask(&mut client, names).await?;
    if args.wait {
        ask_later(&mut client, &mut answer, began + args.timeout).await?;
    }
    let mut words = Words::new();
    if !args.no_wait {
        let asked = answer.units.iter().filter(|unit| unit.refused.is_none());
        let open = asked.map(|unit| unit.unit.clone()).collect();
        let hearing = hear(&mut client, open, before.last, &mut words);
        // Who has not said a word by then is told as such.
        let left = args.timeout.saturating_sub(clock::monotonic().saturating_sub(began));
        if let Ok(heard) = tokio::time::timeout(left, hearing).await {
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

async fn ask(client: &mut Client, names: Vec<String>) -> Result<CommandAnswer, CliError> {
    let request = CommandRequest { command: CommandName::Reload, names };
    client.post("/v1/command", &request).await
}

/// Asks those again that were on their way, as soon as they run; whoever comes to rest elsewhere, or
/// takes too long, stays refused.
async fn ask_later(
    client: &mut Client,
    answer: &mut CommandAnswer,
    until: Duration,
) -> Result<(), CliError> {
    let refused = answer.units.iter().filter(|unit| unit.refused.is_some());
    let mut open: Vec<String> = refused.map(|unit| unit.unit.clone()).collect();
    loop {
        let status: Status = client.get("/v1/status").await?;
        let state = |name: &String| status.unit(name).map(|unit| unit.state.as_str());
        let ready: Vec<String> =
            open.iter().filter(|name| state(name) == Some("running")).cloned().collect();
        open.retain(|name| state(name).is_some_and(|state| ON_THE_WAY.contains(&state)));
        if !ready.is_empty() {
            let again = ask(client, ready).await?;
            for unit in again.units {
                let mut former = answer.units.iter_mut();
                if let Some(former) = former.find(|former| former.unit == unit.unit) {
                    *former = unit;
                }
            }
        }
        if open.is_empty() || clock::monotonic() > until {
            return Ok(());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
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
