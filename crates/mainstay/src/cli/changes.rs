//! What a configuration changes about what runs, for people; and waiting until it is so.

use std::time::Duration;

use clap::Args as ClapArgs;
use mainstay_api::{
    config::parse_duration,
    control::{ChangedKey, ChangedService, CommandName, ConfigChanges, KeyEffect, Status, Unit},
};

use super::command::{self, Wanted};
use crate::{client::Client, errors::CliError, words};

/// How long to wait for what changes.
#[derive(Debug, ClapArgs)]
pub(super) struct WaitArgs {
    /// Wait until it is so, through failed attempts and whatever is in the way
    #[arg(long, conflicts_with = "no_wait")]
    wait: bool,

    /// Return at once, without waiting for the result
    #[arg(long)]
    no_wait: bool,

    /// How long to wait, such as `10s` or `2m`
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = parse_duration)]
    timeout: Duration,
}

/// Returns what changes, one line a service.
pub(super) fn lines(changes: &ConfigChanges) -> String {
    let mut lines: Vec<String> = changes
        .added
        .iter()
        .map(|service| words::told(&format!("  + {service}: new")).into())
        .collect();
    lines.extend(changes.changed.iter().map(changed));
    for service in changes.removed.iter().filter(|it| !changes.pruned.contains(it)) {
        let line = format!(
            "  - {service}: not configured any more; what runs of it runs on, `mainstay apply --prune` ends it"
        );
        lines.push(words::told(&line).into());
    }
    for service in &changes.pruned {
        lines.push(words::told(&format!("  - {service}: stopped and forgotten")).into());
    }
    let others = [
        (changes.groups, "  ~ groups: changed, and hold at once"),
        (changes.access, "  ~ access: changed, and holds at once"),
        (changes.hot_reload, "  ~ hot-reload: changed, and holds at once"),
        (changes.parallel_starts, "  ~ parallel-starts: changed, and holds at once"),
    ];
    let others = others.iter().filter(|(is, _)| *is);
    lines.extend(others.map(|(_, line)| words::told(line).into_owned()));
    lines.join("\n")
}

fn changed(one: &ChangedService) -> String {
    let ChangedService { service, keys, restarts, later } = one;
    let named = |one: &ChangedKey| one.key.clone() + &words::in_brackets(word(one.effect));
    let keys = keys.iter().map(named).collect::<Vec<_>>().join(words::between_items());
    let line = match (*restarts, *later) {
        (true, _) => format!("  ~ {service}: {keys} changed; its programs are started anew"),
        (false, false) => format!("  ~ {service}: {keys} changed; its programs run on"),
        (false, true) => format!(
            "  ~ {service}: {keys} changed; its programs run on, with some of it only after `mainstay restart {service}`"
        ),
    };
    words::told(&line).into_owned()
}

fn word(effect: KeyEffect) -> &'static str {
    match effect {
        KeyEffect::Live => words::label("live"),
        KeyEffect::NextRun => words::label("next run"),
        KeyEffect::Restart => words::label("restart"),
    }
}

/// Waits until what changes is so; returns whether it is.
pub(super) async fn follow(
    client: &mut Client,
    before: Status,
    changes: &ConfigChanges,
    args: &WaitArgs,
) -> Result<bool, CliError> {
    if args.no_wait {
        return Ok(true);
    }
    let now: Status = client.get("/v1/status").await?;
    let started =
        names(&now.units, |unit| changes.added.contains(&unit.service) && unit.state != "stopped");
    let restarted = names(&before.units, |unit| {
        let is_meant = |one: &ChangedService| one.restarts && one.service == unit.service;
        unit.pid.is_some() && changes.changed.iter().any(is_meant)
    });
    let pruned = names(&before.units, |unit| changes.pruned.contains(&unit.service));
    let mut is_done = true;
    for (command, units) in [
        (CommandName::Restart, restarted),
        (CommandName::Start, started),
        (CommandName::Stop, pruned),
    ] {
        let wanted = Wanted { command, units, before: before.clone() };
        is_done &= command::follow(client, wanted, args.wait, args.timeout).await?;
    }
    Ok(is_done)
}

fn names(units: &[Unit], is_meant: impl Fn(&Unit) -> bool) -> Vec<String> {
    units.iter().filter(|unit| is_meant(unit)).map(|unit| unit.unit.clone()).collect()
}
