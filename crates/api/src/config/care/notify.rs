//! What a program says of itself: `watchdog = "30s"`, `notify = { access = "main" }`.

use mainstay_core::check::{CheckAction, Watchdog};
use toml::de::DeValue;

use super::{NotifyAccess, NotifyConfig, checks::ACTIONS, look};
use crate::config::{
    catalogue,
    fields::{Fields, Reading},
};

const ACCESS: &[(&str, NotifyAccess)] =
    &[("all", NotifyAccess::All), ("main", NotifyAccess::Main), ("none", NotifyAccess::None)];

/// Reads `watchdog`.
pub(super) fn watchdog(fields: &mut Fields<'_, '_>, r: &mut Reading<'_>) -> Option<Watchdog> {
    let value = fields.value("watchdog")?;
    if matches!(value.get_ref(), DeValue::String(_)) {
        let every = fields.duration("watchdog", r)?;
        return Some(Watchdog { every, action: CheckAction::Restart });
    }
    let expected = "a duration as text, such as \"30s\", or a table";
    let table = look::table_of(value, "watchdog", expected, r)?;
    let mut fields = Fields::new(table, "`watchdog`", &catalogue::WATCHDOG);
    let every = fields.duration("every", r);
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
    let mut fields = Fields::new(table, "`notify`", &catalogue::NOTIFY);
    let config = NotifyConfig {
        access: fields.word("access", ACCESS, r).unwrap_or_default(),
        store: fields.number("store", r).unwrap_or_default(),
    };
    fields.finish(&[], r);
    Some(config)
}
