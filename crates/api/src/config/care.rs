//! How a service is looked after: `ready`, `checks`, `watchdog`, `hooks`, `reload`, `notify`.
//!
//! What the core decides with is beside what the host needs to do its part: to a
//! [`Check`] belongs a [`Look`], to a hook a command.

mod address;
mod checks;
mod commands;
mod http;
mod look;
mod names;
mod notify;
mod pattern;
mod ready;
mod url;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, ops::Range, time::Duration};

use mainstay_core::{
    check::{About, Check, Ready, ReadyBy, Watchdog},
    hook::{Hook, HookPolicy},
    service::{Care, Nature, ReloadBy},
};

pub use address::Address;
pub use http::{HttpLook, Method, Statuses, TlsLook};
pub use look::{FileLook, Look};
pub(super) use names::{KINDS, Names};
pub use pattern::Pattern;
pub use url::{Scheme, Url};

use super::fields::{Fields, Reading};
use crate::keeper::{SignalName, Streams};

/// How a service is looked after, with every default filled in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CareConfig {
    /// When a run is ready.
    pub ready: ReadyConfig,
    /// How it is looked at from then on.
    pub checks: Vec<CheckConfig>,
    /// How a hang is noticed, if at all.
    pub watchdog: Option<Watchdog>,
    /// The commands beside it; also the one of `reload` and those of checks.
    pub hooks: BTreeMap<Hook, HookConfig>,
    /// How it reads its configuration anew, if it can.
    pub reload: Option<ReloadConfig>,
    /// Who may speak for it, when the configuration says so.
    pub notify: Option<NotifyConfig>,
}

/// When a run is ready.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadyConfig {
    /// What the core decides with.
    pub policy: Ready,
    /// What is looked at, when somebody has to look.
    pub look: Option<Look>,
}

/// How a service is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckConfig {
    /// What the core decides with.
    pub policy: Check,
    /// What is looked at.
    pub look: Look,
}

/// A command beside a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookConfig {
    /// The command and its arguments.
    pub command: Vec<String>,
    /// It is ended when it takes longer.
    pub timeout: Duration,
}

/// How a program is told to read its configuration anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReloadConfig {
    /// By a signal, and nobody knows when it has done so.
    Signal(SignalName),
    /// By a signal; it answers `RELOADING=1`, and `READY=1` when it has done so.
    Notify(SignalName),
    /// By the command of [`Hook::Reload`].
    Command,
}

/// Who may speak for a service, and what is kept for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NotifyConfig {
    /// Whose notifications count.
    pub access: NotifyAccess,
    /// So many descriptors are kept for its next runs, at most.
    pub store: u32,
}

/// Whose notifications count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NotifyAccess {
    /// Those of every process of the run.
    #[default]
    All,
    /// Those of its main process.
    Main,
    /// Nobody's.
    None,
}

/// What else of a service matters here.
#[derive(Debug, Clone)]
pub(super) struct Scene<'s> {
    /// Where its relative paths begin.
    pub(super) directory: &'s str,
    pub(super) nature: Nature,
    /// When a run is ready, where `ready` says nothing.
    pub(super) usual_ready: Ready,
    pub(super) streams: Streams,
}

/// Reads every key of this kind.
pub(super) fn read(
    fields: &mut Fields<'_, '_>,
    scene: &Scene<'_>,
    r: &mut Reading<'_>,
) -> CareConfig {
    let before = r.found.len();
    let mut care = CareConfig {
        watchdog: notify::watchdog(fields, r),
        notify: notify::read(fields, r),
        ..CareConfig::default()
    };
    commands::hooks(fields, &mut care.hooks, r);
    care.reload = commands::reload(fields, &mut care.hooks, r);
    checks::read(fields, scene, &mut care, r);
    care.ready = ready::read(fields, scene, &care.checks, r);
    if r.found.len() == before {
        check_rules(fields, &care, r);
    }
    care
}

const READY: &str = "`ready`";

/// Notes what never happens, because something it needs is not there.
fn check_rules(fields: &mut Fields<'_, '_>, care: &CareConfig, r: &mut Reading<'_>) {
    let is_there = |hook| care.hooks.contains_key(&hook);
    if is_there(Hook::OnMemory) && !care.looks_at(About::Memory) {
        let message = "`on-memory` never runs: no check is on memory".to_owned();
        let help = "add `[[services.NAME.checks]]` with `memory = \"512MiB\"`, or remove the hook";
        r.wrong(inside(fields, "hooks", "on-memory"), "never", message, help);
    }
    if is_there(Hook::BeforeReload) && care.reload.is_none() {
        let message = "`before-reload` never runs: without `reload` nothing is reloaded".to_owned();
        let help = "add `reload = { signal = \"HUP\" }`, or remove the hook";
        r.wrong(inside(fields, "hooks", "before-reload"), "never", message, help);
    }
    let is_closed = care.notify.is_some_and(|notify| notify.access == NotifyAccess::None);
    if let Some(who) = care.listener().filter(|_| is_closed) {
        let is_implied = who == READY && fields.value("ready").is_none();
        let who = if is_implied { "`kind`" } else { who };
        let message = format!("nobody may notify, and {who} waits for a notification");
        let help = "write `access = \"all\"` or `\"main\"`";
        r.wrong(inside(fields, "notify", "access"), "never", message, help);
    }
}

/// Returns where a key of a table stands, else the table, for a mistake that is found later.
fn inside(fields: &mut Fields<'_, '_>, table: &'static str, key: &'static str) -> Range<usize> {
    let Some(value) = fields.value(table) else { return 0..0 };
    let entry = value.get_ref().as_table().and_then(|table| table.get_key_value(key));
    entry.map_or_else(|| value.span(), |(name, _)| name.span())
}

impl CareConfig {
    /// Returns what the core decides with.
    pub fn core(&self) -> Care {
        let policy = |hook: &HookConfig| HookPolicy { timeout: hook.timeout };
        Care {
            ready: self.ready.policy,
            checks: self.checks.iter().map(|check| check.policy.clone()).collect(),
            watchdog: self.watchdog,
            hooks: self.hooks.iter().map(|(hook, config)| (*hook, policy(config))).collect(),
            reload: self.reload.map(|reload| match reload {
                ReloadConfig::Signal(_) => ReloadBy::Signal,
                ReloadConfig::Notify(_) => ReloadBy::Notice,
                ReloadConfig::Command => ReloadBy::Command,
            }),
        }
    }

    /// Returns whether a run finds a socket, or a pipe, to send notifications to.
    ///
    /// A running program cannot be given one later, so this is part of what it was started with.
    pub fn has_socket(&self) -> bool {
        match self.notify {
            Some(notify) => notify.access != NotifyAccess::None,
            None => self.listener().is_some(),
        }
    }

    /// Returns how often a program is asked to say that it is alive: as often as whoever is the
    /// least patient wants to hear it, its watchdog or a check on heartbeats.
    ///
    /// A program is told so once, at its start (`WATCHDOG_USEC`); one that was told otherwise would
    /// be taken for hung.
    pub fn alive_every(&self) -> Option<Duration> {
        let checks = self.checks.iter().map(|check| &check.policy);
        let heartbeats = checks.filter(|check| check.about == About::Heartbeat);
        let watchdog = self.watchdog.map(|watchdog| watchdog.every);
        heartbeats.map(|check| check.every).chain(watchdog).min()
    }

    /// Takes over what another one says by `checks`: the checks, and what is run for them.
    pub(super) fn take_checks(&mut self, from: &Self) {
        self.checks.clone_from(&from.checks);
        self.take_commands(from, |hook| matches!(hook, Hook::OfCheck(_)));
    }

    /// Takes over what another one says by `hooks`.
    pub(super) fn take_hooks(&mut self, from: &Self) {
        self.take_commands(from, |hook| !matches!(hook, Hook::OfCheck(_) | Hook::Reload));
    }

    /// Takes over what another one says by `reload`: the way, and the command where it is one.
    pub(super) fn take_reload(&mut self, from: &Self) {
        self.reload = from.reload;
        self.take_commands(from, |hook| *hook == Hook::Reload);
    }

    fn take_commands(&mut self, from: &Self, is_meant: fn(&Hook) -> bool) {
        self.hooks.retain(|hook, _| !is_meant(hook));
        let meant = from.hooks.iter().filter(|(hook, _)| is_meant(hook));
        self.hooks.extend(meant.map(|(hook, config)| (*hook, config.clone())));
    }

    /// Returns who waits for notifications.
    fn listener(&self) -> Option<&'static str> {
        let is_reload = matches!(self.reload, Some(ReloadConfig::Notify(_)));
        let listeners = [
            (READY, self.ready.policy.by == ReadyBy::Notice),
            ("`watchdog`", self.watchdog.is_some()),
            ("a check on heartbeats", self.looks_at(About::Heartbeat)),
            ("`reload`", is_reload),
            ("`store`", self.notify.is_some_and(|notify| notify.store > 0)),
        ];
        listeners.into_iter().find(|(_, is)| *is).map(|(who, _)| who)
    }

    fn looks_at(&self, about: About) -> bool {
        self.checks.iter().any(|check| check.policy.about == about)
    }
}
