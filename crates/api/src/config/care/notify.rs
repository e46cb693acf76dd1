//! What a program says of itself: `watchdog = "30s"`, `notify = { access = "main" }`.

use std::time::Duration;

use mainstay_core::check::{CheckAction, Watchdog};
use toml::de::DeValue;

use super::{NotifyAccess, NotifyConfig, checks::ACTIONS, look};
use crate::config::fields::{Fields, Reading};

/// The shortest interval of a watchdog.
const EVERY_MIN: Duration = Duration::from_millis(100);
/// The most descriptors that are kept for one unit.
const STORE_MAX: u32 = 64;

const ACCESS: &[(&str, NotifyAccess)] =
    &[("all", NotifyAccess::All), ("main", NotifyAccess::Main), ("none", NotifyAccess::None)];

/// Reads `watchdog`.
pub(super) fn watchdog(fields: &mut Fields<'_, '_>, r: &mut Reading<'_>) -> Option<Watchdog> {
    let value = fields.value("watchdog")?;
    if matches!(value.get_ref(), DeValue::String(_)) {
        let every = look::at_least(fields, "watchdog", EVERY_MIN, r)?;
        return Some(Watchdog { every, action: CheckAction::Restart });
    }
    let expected = "a duration as text, such as \"30s\", or a table";
    let table = look::table_of(value, "watchdog", expected, r)?;
    let mut fields = Fields::new(table, "`watchdog`");
    let every = look::at_least(&mut fields, "every", EVERY_MIN, r);
    let action = action(&mut fields, r);
    if fields.value("every").is_none() {
        let message = "`watchdog` names no time".to_owned();
        r.wrong(value.span(), "no-duration", message, "add `every = \"30s\"`");
    }
    fields.finish(&[], r);
    Some(Watchdog { every: every?, action })
}

fn action(fields: &mut Fields<'_, '_>, r: &mut Reading<'_>) -> CheckAction {
    let value = fields.value("action");
    if let Some(value) = value.filter(|value| matches!(value.get_ref(), DeValue::Table(_))) {
        let message = "a watchdog has no command of its own".to_owned();
        r.wrong(value.span(), "misplaced", message, "name it in `hooks` as `on-unhealthy`");
        return CheckAction::Restart;
    }
    fields.word("action", ACTIONS, r).unwrap_or_default()
}

/// Reads `notify`.
pub(super) fn read(fields: &mut Fields<'_, '_>, r: &mut Reading<'_>) -> Option<NotifyConfig> {
    let table = fields.table("notify", r)?;
    let mut fields = Fields::new(table, "`notify`");
    let config = NotifyConfig {
        access: fields.word("access", ACCESS, r).unwrap_or_default(),
        store: fields.number_within("store", 0..=STORE_MAX, r).unwrap_or_default(),
    };
    fields.finish(&[], r);
    Some(config)
}
