//! How a service is looked at: `[[services.web.checks]]`.

use std::{collections::BTreeSet, time::Duration};

use mainstay_core::{
    ServiceName,
    check::{About, CHECKS_MAX, Check, CheckAction, CheckId, CheckRole},
    hook::{self, Hook},
    service::Nature,
};
use toml::{Spanned, de::DeValue};

use super::{
    CareConfig, CheckConfig, HookConfig, Scene, commands, look,
    names::{KINDS, Names},
    ready::TASK_IS_READY,
};
use crate::config::{
    catalogue,
    fields::{Fields, Reading, mistyped},
};

const ROLES: &[(&str, CheckRole)] = &[
    ("liveness", CheckRole::Liveness),
    ("readiness", CheckRole::Readiness),
    ("startup", CheckRole::Startup),
];

/// What follows when a check, or the watchdog, turned bad.
pub(super) const ACTIONS: &[(&str, CheckAction)] =
    &[("restart", CheckAction::Restart), ("stop", CheckAction::Stop), ("mark", CheckAction::Mark)];

type Item<'i> = Spanned<DeValue<'i>>;

/// A check, and the command that it has for itself.
type WithCommand = (CheckConfig, Option<HookConfig>);

/// Reads all checks and the commands that they have for themselves.
pub(super) fn read(
    fields: &mut Fields<'_, '_>,
    scene: &Scene<'_>,
    care: &mut CareConfig,
    r: &mut Reading<'_>,
) {
    let Some(value) = fields.value("checks") else { return };
    let DeValue::Array(items) = value.get_ref() else {
        let found = value.get_ref();
        let _: Option<()> = mistyped(r, value, "checks", "a list of tables", found);
        return;
    };
    if items.len() > CHECKS_MAX {
        let message = format!("there are {} checks, more than {CHECKS_MAX}", items.len());
        r.wrong(value.span(), "too-many", message, "look at several things with one `exec`");
        return;
    }
    let name = |item: &Item<'_>| Some(item.get_ref().get("name")?.get_ref().as_str()?.to_owned());
    let mut names = Names::new(items.iter().filter_map(name));
    let mut given = BTreeSet::new();
    for item in items {
        let Some((check, own)) = check(item, scene, &mut names, r) else { continue };
        if !given.insert(check.policy.name.to_ascii_lowercase()) {
            let message = format!("two checks are called `{}`", check.policy.name);
            r.wrong(item.span(), "duplicate-check", message, "give each a `name` of its own");
        }
        if let Some(own) = own {
            care.hooks.insert(Hook::OfCheck(CheckId::of(&check.policy.name)), own);
        }
        care.checks.push(check);
    }
}

fn check(
    item: &Item<'_>,
    scene: &Scene<'_>,
    names: &mut Names,
    r: &mut Reading<'_>,
) -> Option<WithCommand> {
    let table = look::table_of(item, "checks", "tables only", r)?;
    let mut fields = Fields::new(table, "a check", &catalogue::CHECK);
    let kind = look::one(&mut fields, KINDS, ("a check looks at nothing", item.span()), r);
    let name = name(&mut fields, r).unwrap_or_else(|| names.usual(kind.unwrap_or("check")));
    let found = kind.and_then(|kind| {
        look::misplaced(&mut fields, kind, r);
        look::read(&mut fields, kind, scene, r)
    });
    let (policy, own) = policy(&mut fields, (name, kind.unwrap_or_default()), scene, r);
    fields.finish(&[], r);
    Some((CheckConfig { policy, look: found? }, own))
}

fn name(fields: &mut Fields<'_, '_>, r: &mut Reading<'_>) -> Option<String> {
    let span = fields.value("name")?.span();
    let name = fields.text("name", r)?;
    if let Err(error) = ServiceName::new(&name) {
        r.wrong(span, "bad-name", format!("`{name}` cannot name a check"), error.reason);
    }
    Some(name)
}

/// Reads what the verdict is for: of a task nobody waits for more than its end.
fn role(fields: &mut Fields<'_, '_>, scene: &Scene<'_>, r: &mut Reading<'_>) -> CheckRole {
    let role = fields.word("role", ROLES, r).unwrap_or_default();
    if let (Some(value), Nature::Task) = (fields.value("role"), scene.nature)
        && role != CheckRole::Liveness
    {
        let help = "remove `role`: the check looks at whether it lives; or `type = \"task\"`";
        r.wrong(value.span(), "never", TASK_IS_READY.to_owned(), help);
    }
    role
}

fn policy(
    fields: &mut Fields<'_, '_>,
    (name, kind): (String, &str),
    scene: &Scene<'_>,
    r: &mut Reading<'_>,
) -> (Check, Option<HookConfig>) {
    let role = role(fields, scene, r);
    let (usual_action, usual_failures) = match role {
        CheckRole::Startup => (CheckAction::Restart, 30),
        CheckRole::Liveness => (CheckAction::Restart, 3),
        CheckRole::Readiness => (CheckAction::Mark, 3),
    };
    let about = match kind {
        "memory" => About::Memory,
        "heartbeat" => About::Heartbeat,
        _ => About::Answer,
    };
    if about == About::Heartbeat {
        look::unfit(fields, &["timeout"], ("what is looked at", kind), r);
    }
    let (action, own) = action(fields, usual_action, r);
    let seconds = if kind == "exec" { 10 } else { 2 };
    let mut streak = |key, usual| fields.number(key, r).unwrap_or(usual);
    let (failures, successes) = (streak("failures", usual_failures), streak("successes", 1));
    let every = fields.duration("every", r).unwrap_or(Duration::from_secs(10));
    let timeout = fields.duration("timeout", r);
    let timeout = timeout.unwrap_or(Duration::from_secs(seconds));
    let delay = fields.duration("delay", r).unwrap_or_default();
    (Check { name, role, about, delay, every, timeout, failures, successes, action }, own)
}

/// Reads what follows: a word, or a command of the check's own.
fn action(
    fields: &mut Fields<'_, '_>,
    usual: CheckAction,
    r: &mut Reading<'_>,
) -> (CheckAction, Option<HookConfig>) {
    let Some(value) = fields.value("action") else { return (usual, None) };
    let DeValue::Table(table) = value.get_ref() else {
        return (fields.word("action", ACTIONS, r).unwrap_or(usual), None);
    };
    let mut fields = Fields::new(table, "`action`", &catalogue::ACTION);
    let own = commands::of_table(&mut fields, "run", (value.span(), hook::TIMEOUT), r);
    fields.finish(&[], r);
    (CheckAction::Run, own)
}
