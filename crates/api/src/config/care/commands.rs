//! Commands beside a program: `hooks = { before-start = ["./migrate"] }`, and `reload`.

use std::{collections::BTreeMap, ops::Range, time::Duration};

use mainstay_core::hook::Hook;
use toml::{Spanned, de::DeValue};

use super::{HookConfig, ReloadConfig, look};
use crate::{
    config::{
        catalogue,
        fields::{Fields, Reading},
        parse::words,
    },
    keeper::SignalName,
};

/// Signals that programs take for the wish to read their configuration anew.
const SIGNALS: &[(&str, SignalName)] = &[
    ("HUP", SignalName::Hangup),
    ("USR1", SignalName::User1),
    ("USR2", SignalName::User2),
    ("INT", SignalName::Interrupt),
    ("QUIT", SignalName::Quit),
];

type Value<'i> = Spanned<DeValue<'i>>;

/// Reads `hooks`.
pub(super) fn hooks(
    fields: &mut Fields<'_, '_>,
    hooks: &mut BTreeMap<Hook, HookConfig>,
    r: &mut Reading<'_>,
) {
    let Some(table) = fields.table("hooks", r) else { return };
    let own = table.get_key_value("reload").map(|(name, _)| name.span());
    let mut fields = Fields::new(table, "`hooks`", &catalogue::HOOKS);
    for name in Hook::names().filter(|name| *name != "reload") {
        if let Some(hook) = Hook::named(name)
            && let Some(value) = fields.value(name)
            && let Some(config) = command(&mut fields, (name, hook), value, r)
        {
            hooks.insert(hook, config);
        }
    }
    if let Some(span) = own {
        fields.refuse("reload");
        let message = "`reload` is no hook".to_owned();
        let help = "write `reload = { command = … }` beside `hooks`; \
                    `before-reload` and `after-start` are hooks";
        r.wrong(span, "misplaced", message, help);
    }
    fields.finish(&[], r);
}

/// Reads `reload`; its command is a hook.
pub(super) fn reload(
    fields: &mut Fields<'_, '_>,
    hooks: &mut BTreeMap<Hook, HookConfig>,
    r: &mut Reading<'_>,
) -> Option<ReloadConfig> {
    let value = fields.value("reload")?;
    if matches!(value.get_ref(), DeValue::String(_)) {
        fields.word("reload", &[("notify", ())], r)?;
        return Some(ReloadConfig::Notify(SignalName::Hangup));
    }
    let expected = "\"notify\" or a table, such as { signal = \"HUP\" }";
    let table = look::table_of(value, "reload", expected, r)?;
    let mut fields = Fields::new(table, "`reload`", &catalogue::RELOAD);
    let kinds = ["signal", "command"];
    let config = match look::one(&mut fields, &kinds, ("`reload` names no way", value.span()), r) {
        Some("signal") => {
            look::unfit(&mut fields, &["timeout"], ("`command`", "signal"), r);
            let answers = fields.flag("notify", r).unwrap_or_default();
            let by = if answers { ReloadConfig::Notify } else { ReloadConfig::Signal };
            fields.word("signal", SIGNALS, r).map(by)
        }
        Some(_) => {
            look::unfit(&mut fields, &["notify"], ("`signal`", "command"), r);
            let timeout = Hook::Reload.timeout();
            let config = of_table(&mut fields, "command", (value.span(), timeout), r);
            config.map(|config| {
                hooks.insert(Hook::Reload, config);
                ReloadConfig::Command
            })
        }
        None => None,
    };
    fields.finish(&[], r);
    config
}

/// Reads a command by itself, or in a table with its time-out.
fn command(
    fields: &mut Fields<'_, '_>,
    (key, hook): (&'static str, Hook),
    value: &Value<'_>,
    r: &mut Reading<'_>,
) -> Option<HookConfig> {
    let DeValue::Table(table) = value.get_ref() else {
        let command = words(fields, key, value, r)?;
        return Some(HookConfig { command, timeout: hook.timeout() });
    };
    let mut fields = Fields::new(table, format!("`{key}`"), &catalogue::HOOK);
    let config = of_table(&mut fields, "command", (value.span(), hook.timeout()), r);
    fields.finish(&[], r);
    config
}

/// Reads a command and its time-out, or else the usual one, from a table.
pub(super) fn of_table(
    fields: &mut Fields<'_, '_>,
    key: &'static str,
    (place, usual): (Range<usize>, Duration),
    r: &mut Reading<'_>,
) -> Option<HookConfig> {
    let timeout = fields.duration("timeout", r);
    let Some(value) = fields.value(key) else {
        let help = format!("add `{key} = [\"program\", \"argument\"]`");
        r.wrong(place, "no-command", "there is no command".to_owned(), &help);
        return None;
    };
    let command = words(fields, key, value, r)?;
    Some(HookConfig { command, timeout: timeout.unwrap_or(usual) })
}
