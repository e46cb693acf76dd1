//! `mainstay start|stop|restart|kill|reset|pause|resume`: ask units for something, and say what came of it.

mod goal;
mod progress;

use std::{process::ExitCode, time::Duration};

use clap::Args as ClapArgs;
use mainstay_api::{
    config::parse_duration,
    control::{CommandAnswer, CommandName, CommandRequest, Status, Unit, UnitAnswer, UnitDetail},
};
use mainstay_platform::clock;
use serde::Serialize;

use self::{
    goal::{Goal, Patience, Standing},
    progress::Progress,
};
use super::verdict;
use crate::{
    client::{Client, escaped},
    errors::CliError,
    print,
};

const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The agent has other things to do than to answer: looks take no more than this part of its time.
const SHARE_OF_TIME: u32 = 4;
/// However long it took to answer once, what comes after that is seen in this time.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Which units, and whether to wait for them.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Units, services, or groups such as `@web`; `*` and `?` match
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,

    /// Wait until it is so, through failed attempts and whatever is in the way
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

impl Args {
    /// Returns what is meant by names alone.
    pub(super) const fn of(names: Vec<String>) -> Self {
        Self { names, wait: false, no_wait: false, timeout: Duration::from_mins(1), json: false }
    }
}

/// What came of it for all units.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Outcomes<'a> {
    pub(super) trace_id: &'a str,
    pub(super) units: Vec<Outcome<'a>>,
}

/// What came of it for one unit.
#[derive(Debug, Serialize)]
pub(super) struct Outcome<'a> {
    #[serde(flatten)]
    pub(super) answer: &'a UnitAnswer,
    /// Whether what was asked for is so.
    pub(super) done: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<&'a str>,
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
    let accepted = answer.units.iter().filter(|unit| unit.refused.is_none());
    let units = accepted.map(|unit| unit.unit.clone()).collect();
    let patience = if args.wait { Patience::UntilDone } else { Patience::UntilSettled };
    let goal = Goal { command, before, units, patience };
    let mut after = if args.no_wait {
        client.get("/v1/status").await?
    } else {
        wait(&mut client, &goal, args.timeout).await?
    };
    explain_unready(&mut client, &goal, &mut after).await?;
    tell(&args, &answer, &goal, &after);
    let all_accepted = answer.units.iter().all(|unit| unit.refused.is_none());
    let is_done = args.no_wait || goal.open(&after).is_empty() && goal.missed(&after).is_empty();
    Ok(if all_accepted && is_done { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// What somebody has set going, other than by a command to units.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) command: CommandName,
    pub(super) units: Vec<String>,
    pub(super) before: Status,
}

/// Waits for it, and says how each unit is then; returns whether it is so.
pub(super) async fn follow(
    client: &mut Client,
    wanted: Wanted,
    until_done: bool,
    timeout: Duration,
) -> Result<bool, CliError> {
    let Wanted { command, units, before } = wanted;
    if units.is_empty() {
        return Ok(true);
    }
    let patience = if until_done { Patience::UntilDone } else { Patience::UntilSettled };
    let goal = Goal { command, before, units, patience };
    let after = wait(client, &goal, timeout).await?;
    let missed = goal.missed(&after);
    for unit in &missed {
        print::talk(in_words(unit).trim_end());
    }
    let open = goal.open(&after);
    tell_late(&open);
    Ok(open.is_empty() && missed.is_empty())
}

/// Waits until every unit has come to rest in the way that was asked for, or the time is up; returns
/// how all is then.
async fn wait(client: &mut Client, goal: &Goal, timeout: Duration) -> Result<Status, CliError> {
    let (began, mut progress) = (clock::monotonic(), Progress::new(goal));
    loop {
        let asked = clock::monotonic();
        let status: Status = client.get("/v1/status").await?;
        let now = clock::monotonic();
        let open = goal.open(&status);
        progress.show(goal.reached(&status), &open, now.saturating_sub(began));
        if open.is_empty() || now.saturating_sub(began) > timeout {
            progress.finish(goal.reached(&status));
            return Ok(status);
        }
        tokio::time::sleep(pause_after(now.saturating_sub(asked))).await;
    }
}

/// Returns how long to wait after a look that took so long.
fn pause_after(look: Duration) -> Duration {
    look.saturating_mul(SHARE_OF_TIME).clamp(LOOK_EVERY, PAUSE_MAX)
}

/// Lets units that run, and that nobody may rely on, say why not: in the words of their checks.
async fn explain_unready(
    client: &mut Client,
    goal: &Goal,
    status: &mut Status,
) -> Result<(), CliError> {
    let meant = status.units.iter_mut().filter(|unit| goal.units.contains(&unit.unit));
    for unit in meant.filter(|unit| unit.unready) {
        let detail: UnitDetail = client.get(&format!("/v1/units/{}", escaped(&unit.unit))).await?;
        let bad = detail.checks.iter().filter(|check| check.verdict == verdict::BAD);
        let told: Vec<String> = bad.filter_map(verdict::in_words).collect();
        unit.why = format!("its {}", told.join("; its "));
    }
    Ok(())
}

/// Says what came of it: refusals, then how each unit is, then whom nobody waits for any more.
fn tell(args: &Args, answer: &CommandAnswer, goal: &Goal, after: &Status) {
    if args.json {
        print::json(&outcomes(answer, goal, after));
    }
    for unit in &answer.units {
        if let Some(reason) = &unit.refused {
            print::talk(&CliError::refused(reason.clone(), "").to_string());
        }
    }
    if !args.json {
        for name in &goal.units {
            match after.unit(name) {
                Some(unit) => print::told(&in_words(unit)),
                None => print::told(&format!("{name} is gone: it is not configured any more\n")),
            }
        }
        for unit in goal.others_stopped(after) {
            print::told(&with_why(unit));
        }
        for unit in goal.had_nothing_to_reset() {
            print::talk(&format!("note: `{unit}` had nothing to reset"));
        }
    }
    if !args.no_wait {
        tell_late(&goal.open(after));
    }
}

fn tell_late(late: &[&Unit]) {
    for (count, unit) in late.iter().enumerate() {
        let state = state_of(unit);
        let what = format!("`{}` is still {state}: {}", unit.unit, print::harmless(&unit.why));
        let is_last = count + 1 == late.len();
        let hint = format!("`mainstay why {}` tells more; it goes on by itself", unit.unit);
        let hint = if is_last { hint } else { String::new() };
        print::talk(&CliError::refused(what, hint).to_string());
    }
}

fn outcomes<'a>(answer: &'a CommandAnswer, goal: &Goal, after: &'a Status) -> Outcomes<'a> {
    let outcome = |answer: &'a UnitAnswer| {
        let unit = after.unit(&answer.unit);
        let is_there = unit.is_none_or(|unit| goal.standing(unit, after) == Standing::There);
        Outcome {
            answer,
            done: answer.refused.is_none() && is_there,
            state: unit.map(|unit| unit.state.as_str()),
            why: unit.map(|unit| unit.why.as_str()),
        }
    };
    Outcomes { trace_id: &answer.trace_id, units: answer.units.iter().map(outcome).collect() }
}

/// Returns how a unit is that somebody waits for, as it stands behind `is`.
fn state_of(unit: &Unit) -> &str {
    if unit.unready { "not ready" } else { print::wording(&unit.state) }
}

/// Says in a line that a unit was stopped that nobody has named, and why.
fn with_why(unit: &Unit) -> String {
    format!("{} was stopped, too: {}\n", unit.unit, print::harmless(&unit.why))
}

/// Says in a line what a unit has come to.
pub(super) fn in_words(unit: &Unit) -> String {
    let state = print::phrase(&unit.state);
    let pid = unit.pid.map_or_else(String::new, |pid| format!(" (pid {pid})"));
    let why = match unit.state.as_str() {
        "running" if unit.unready => {
            format!(", and nobody may rely on it: {}", print::harmless(&unit.why))
        }
        "running" | "stopped" | "completed" | "paused" => String::new(),
        _ => format!(": {}", print::harmless(&unit.why)),
    };
    format!("{} is {state}{pid}{why}\n", unit.unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_apart_by_what_they_cost_and_one_that_took_long_holds_up_no_other() {
        let check = |look: u64, pause: u64| {
            let told = pause_after(Duration::from_millis(look));
            assert_eq!(told, Duration::from_millis(pause), "{look} ms");
        };
        check(0, 20);
        check(50, 200);
        check(2_500, 1_000);
    }
}
