//! When a run is ready: `ready = { http = "http://127.0.0.1:8080/ready", timeout = "30s" }`.

use std::time::Duration;

use mainstay_core::{
    check::{Check, CheckRole, Ready, ReadyBy},
    service::Nature,
};
use toml::de::DeValue;

use super::{CheckConfig, ReadyConfig, Scene, look};
use crate::{
    config::{
        catalogue,
        fields::{Fields, Reading, listed},
    },
    keeper::Streams,
};

/// Why nothing else makes a task ready.
pub(super) const TASK_IS_READY: &str =
    "a task is ready when it has ended well, and not while it runs";
/// What makes a run ready.
const KINDS: &[&str] = &["http", "tcp", "log", "file", "exec", "notify", "delay"];
/// The longest time-out that follows from startup checks, as long as the longest that can be written.
const TIMEOUT_MAX: Duration = Duration::from_hours(366 * 24);
/// A look follows the one before it up to such a part of its time later.
const JITTER_PART: u32 = 20;

/// Reads `ready`; how long a run may take goes by its startup checks, where it is not written.
pub(super) fn read(
    fields: &mut Fields<'_, '_>,
    scene: &Scene<'_>,
    checks: &[CheckConfig],
    r: &mut Reading<'_>,
) -> ReadyConfig {
    let usual = Ready { timeout: patience(scene.usual_ready.timeout, checks), ..scene.usual_ready };
    let Some(value) = fields.value("ready") else { return by(usual.by, usual.timeout) };
    if scene.nature == Nature::Task {
        let help = "remove `ready`, or `type = \"task\"`";
        r.wrong(value.span(), "never", TASK_IS_READY.to_owned(), help);
    }
    if matches!(value.get_ref(), DeValue::String(_)) {
        fields.word("ready", &[("notify", ())], r);
        return by(ReadyBy::Notice, usual.timeout);
    }
    let expected = "\"notify\" or a table, such as { tcp = 8080 }";
    let Some(table) = look::table_of(value, "ready", expected, r) else {
        return ReadyConfig::default();
    };
    let mut fields = Fields::new(table, "`ready`", &catalogue::READY);
    let config = match look::kind(&mut fields, KINDS, r) {
        Some(kind) => of_kind(&mut fields, (kind, usual.timeout), scene, r),
        None if fields.value("timeout").is_some() && is_limited(usual, checks) => {
            limit(&mut fields, usual, r)
        }
        None => {
            let (message, help) = nothing(&mut fields, checks);
            r.wrong(value.span(), "no-look", message, &help);
            None
        }
    };
    for key in ["timeout", "every", "probe-timeout"] {
        fields.value(key);
    }
    fields.finish(&[], r);
    config.unwrap_or_default()
}

/// Returns how long a run may take: long enough for each startup check to have its say.
fn patience(usual: Duration, checks: &[CheckConfig]) -> Duration {
    let of_check = |check: &Check| {
        let every = check.every + check.every / JITTER_PART;
        let looks = every.checked_mul(check.failures)?;
        check.delay.checked_add(looks)?.checked_add(check.timeout)
    };
    let startup = gating(checks, CheckRole::Startup);
    let longest = startup.map(|check| of_check(check).unwrap_or(TIMEOUT_MAX)).max();
    longest.unwrap_or_default().min(TIMEOUT_MAX).max(usual)
}

fn gating(checks: &[CheckConfig], role: CheckRole) -> impl Iterator<Item = &Check> {
    checks.iter().map(|check| &check.policy).filter(move |check| check.role == role)
}

/// Returns whether there is anything that a time-out alone could be for.
fn is_limited(usual: Ready, checks: &[CheckConfig]) -> bool {
    usual.by != ReadyBy::Started || gating(checks, CheckRole::Startup).next().is_some()
}

/// Returns what is wrong about a `ready` that has nothing to wait for, and the remedy.
fn nothing(fields: &mut Fields<'_, '_>, checks: &[CheckConfig]) -> (String, String) {
    let kinds = format!("add one of {}", listed(KINDS));
    match gating(checks, CheckRole::Readiness).next() {
        Some(check) if fields.value("timeout").is_some() => (
            "`timeout` limits nothing: a readiness check ends no run".to_owned(),
            format!("write `role = \"startup\"` for `{}`, or {kinds}", check.name),
        ),
        Some(_) | None => ("`ready` waits for nothing".to_owned(), kinds),
    }
}

/// Reads a time-out that stands alone.
fn limit(fields: &mut Fields<'_, '_>, usual: Ready, r: &mut Reading<'_>) -> Option<ReadyConfig> {
    look::unfit(fields, &["every", "probe-timeout"], ("what is looked at", "timeout"), r);
    let timeout = fields.duration("timeout", r)?;
    Some(by(usual.by, timeout))
}

fn of_kind(
    fields: &mut Fields<'_, '_>,
    (kind, usual): (&'static str, Duration),
    scene: &Scene<'_>,
    r: &mut Reading<'_>,
) -> Option<ReadyConfig> {
    let timeout = fields.duration("timeout", r).unwrap_or(usual);
    look::misplaced(fields, kind, r);
    match kind {
        "notify" => {
            look::unfit(fields, &["every", "probe-timeout"], ("what is looked at", kind), r);
            look::is_true(fields, kind, r).then(|| by(ReadyBy::Notice, timeout))
        }
        "delay" => {
            look::unfit(fields, &["every", "probe-timeout"], ("what is looked at", kind), r);
            delay(fields, timeout, r)
        }
        _ => probe(fields, (kind, timeout), scene, r),
    }
}

const fn by(by: ReadyBy, timeout: Duration) -> ReadyConfig {
    ReadyConfig { policy: Ready { by, timeout }, look: None }
}

fn delay(
    fields: &mut Fields<'_, '_>,
    timeout: Duration,
    r: &mut Reading<'_>,
) -> Option<ReadyConfig> {
    let span = fields.value("delay")?.span();
    let delay = fields.duration("delay", r)?;
    if delay >= timeout {
        let message = format!("`delay` is not less than the time-out, {timeout:?}");
        r.wrong(span, "out-of-range", message, "give a longer `timeout`, too");
    }
    Some(by(ReadyBy::Delay(delay), timeout))
}

/// Reads something that is looked at again and again.
fn probe(
    fields: &mut Fields<'_, '_>,
    (kind, timeout): (&'static str, Duration),
    scene: &Scene<'_>,
    r: &mut Reading<'_>,
) -> Option<ReadyConfig> {
    if let ("log", Streams::Off, Some(value)) = (kind, scene.streams, fields.value("log")) {
        let message = "there is no log to look at: `logs` is \"off\"".to_owned();
        r.wrong(value.span(), "never", message, "remove `logs`, or look at something else");
    }
    let (every, patience) = usual(kind, timeout);
    let every = fields.duration("every", r).unwrap_or(every);
    if kind == "log" {
        look::unfit(fields, &["probe-timeout"], ("looks that are made anew", kind), r);
    }
    let patience = fields.duration("probe-timeout", r).unwrap_or(patience);
    let found = look::read(fields, kind, scene, r)?;
    let by = ReadyBy::Probe { every, timeout: patience };
    Some(ReadyConfig { policy: Ready { by, timeout }, look: Some(found) })
}

/// Returns how often one looks, and how long one look may take.
///
/// A log is followed from the run's beginning until the line comes: that is one look.
fn usual(kind: &str, timeout: Duration) -> (Duration, Duration) {
    match kind {
        "http" => (Duration::from_secs(1), Duration::from_secs(2)),
        "exec" => (Duration::from_secs(1), Duration::from_secs(10)),
        "log" => (Duration::from_millis(200), timeout),
        _ => (Duration::from_millis(200), Duration::from_secs(2)),
    }
}
