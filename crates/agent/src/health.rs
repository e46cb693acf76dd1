//! What the core decides about a unit's health: told as events, and done.

use std::time::Duration;

use mainstay_api::{
    config::{CheckConfig, Look, ReloadConfig, ServiceConfig},
    control::Facts,
    keeper::{ABORT_SINCE, Reach, Signal, SignalName},
};
use mainstay_core::{
    Health, Input, Outcome, Probe, ProbeOf, TraceId, UnitName, UnitView, check::ReadyBy,
};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::{
    beside,
    daemon::Agent,
    effects::Subject,
    events::Level,
    probe::{Ask, ProbeKey, Prober, Seen},
};

/// The looks that need no command, and what they have shown.
#[derive(Debug)]
pub(crate) struct Looking {
    prober: Prober,
    seen: UnboundedReceiver<Seen>,
}

impl Default for Looking {
    fn default() -> Self {
        let (prober, seen) = Prober::new();
        Self { prober, seen }
    }
}

impl Looking {
    /// Waits for the next one that has come to its end; nothing is lost when the future is dropped.
    pub(crate) async fn next(&mut self) -> Option<Seen> {
        self.seen.recv().await
    }
}

impl Agent {
    /// Makes a program that hangs end with a core dump, where its keeper can.
    pub(crate) fn abort(&mut self, unit: &UnitName, run: u64) {
        if self.welcome.protocol < ABORT_SINCE {
            return self.signal(unit, run, SignalName::Kill);
        }
        let (unit, signal) = (unit.to_string(), SignalName::Abort);
        self.outbox.signals.push(Signal { unit, run, signal, reach: Reach::Main });
    }

    /// Has a program read its configuration anew: by a signal to the program itself, whose children
    /// it would surprise.
    pub(crate) fn reload(&mut self, unit: &UnitName, run: u64) {
        let service = self.config.services.get(&unit.service);
        let (ReloadConfig::Signal(signal) | ReloadConfig::Notify(signal)) =
            service.and_then(|service| service.care.reload).unwrap_or(ReloadConfig::Command)
        else {
            return;
        };
        let unit = unit.to_string();
        self.outbox.signals.push(Signal { unit, run, signal, reach: Reach::Main });
    }

    /// Returns whether nobody knows what has come of a reload: a signal is not answered.
    fn is_reload_unanswered(&self, unit: &UnitName) -> bool {
        let service = self.config.services.get(&unit.service);
        matches!(service.and_then(|it| it.care.reload), Some(ReloadConfig::Signal(_)))
    }

    /// Looks at a run: by a command beside it, or by ourselves.
    pub(crate) fn begin_look(&mut self, unit: &UnitName, run: u64, probe: Probe) {
        let service = self.config.services.get(&unit.service);
        if let Some(part) = service.and_then(|service| beside::part_of_look(service, probe.of)) {
            return self.look(unit, part, run, probe);
        }
        let key = ProbeKey { unit: unit.clone(), run, probe };
        // Another process may have become the main one since.
        let followed = self.notices.main_of(unit, run);
        let pid = followed.or_else(|| self.supervisor.unit(unit).and_then(UnitView::pid));
        if let Some((service, pid)) = service.zip(pid)
            && let Some(Looked { look, every, patience }) = look_of(service, probe.of)
        {
            let logs = (self.instance.logs_of(&unit.to_string()), service.logs.streams);
            let ask = Ask { look: look.clone(), pid, logs, every, patience };
            return self.looking.prober.begin(key, ask);
        }
        let outcome = Outcome::Unknown("there is nothing to look at".to_owned());
        self.afterwards.push(Input::Probed { unit: unit.clone(), run, probe, outcome });
    }

    /// Nobody waits for a look any more, whoever makes it.
    pub(crate) fn abandon_look(&mut self, unit: &UnitName, run: u64, probe: Probe) {
        self.give_up_look(unit, run, probe);
        self.looking.prober.abandon(ProbeKey { unit: unit.clone(), run, probe });
    }

    /// A look has come to its end.
    pub(crate) fn seen(&mut self, (key, outcome): Seen) {
        let ProbeKey { unit, run, probe } = key;
        self.take(Input::Probed { unit, run, probe, outcome });
    }

    /// Tells what is otherwise than before.
    pub(crate) fn tell_health(&mut self, unit: &UnitName, trace: TraceId, health: &Health) {
        self.besides.note_health(unit, health);
        let run = self.supervisor.unit(unit).map(UnitView::run);
        let Told { level, event, mut message, facts } = Told::of(unit, health);
        if *health == Health::Reloaded && self.is_reload_unanswered(unit) {
            message = format!("`{unit}` was sent the signal to reload, and does not answer it");
        }
        self.tell_with(Subject { unit, run, trace }, level, (event, message), facts);
    }
}

/// What the configuration says of a look.
#[derive(Debug, Clone, Copy)]
struct Looked<'c> {
    look: &'c Look,
    every: Duration,
    patience: Duration,
}

fn look_of(service: &ServiceConfig, of: ProbeOf) -> Option<Looked<'_>> {
    match of {
        ProbeOf::Ready => {
            let ReadyBy::Probe { every, timeout: patience } = service.care.ready.policy.by else {
                return None;
            };
            Some(Looked { look: service.care.ready.look.as_ref()?, every, patience })
        }
        ProbeOf::Check(place) => {
            let CheckConfig { policy, look } = service.care.checks.get(usize::from(place))?;
            Some(Looked { look, every: policy.every, patience: policy.timeout })
        }
    }
}

/// An event about a unit's health.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    level: Level,
    event: &'static str,
    message: String,
    facts: Facts,
}

impl Told {
    fn of(unit: &UnitName, health: &Health) -> Self {
        let of_check = |check: &str, reason: Option<&String>| Facts {
            check: Some(check.to_owned()),
            reason: reason.cloned(),
            ..Facts::default()
        };
        let reason_only =
            |reason: &String| Facts { reason: Some(reason.clone()), ..Facts::default() };
        let (level, event, message, facts) = match health {
            Health::Bad { check, reason, failures } => {
                let times = if *failures == 1 {
                    "once".to_owned()
                } else {
                    format!("{failures} times in a row")
                };
                let text = format!("`{unit}` is unhealthy: `{check}` has failed {times}: {reason}");
                (Level::Warn, "UnitUnhealthy", text, of_check(check, Some(reason)))
            }
            Health::Good { check } => {
                let text = format!("`{check}` of `{unit}` passes again");
                (Level::Info, "UnitHealthy", text, of_check(check, None))
            }
            Health::Unknown { check, reason } => {
                let text = format!(
                    "`{check}` of `{unit}` cannot be made, and says nothing of it: {reason}"
                );
                (Level::Warn, "CheckUnknown", text, of_check(check, Some(reason)))
            }
            Health::Hangs { silent } => {
                let text = format!("`{unit}` hangs: it has said nothing for {silent:?}");
                (Level::Error, "WatchdogStruck", text, Facts::default())
            }
            Health::Patient { what, permille } => {
                let share = f64::from(*permille) / 10.0;
                let text = format!(
                    "{what} of `{unit}` gets more time: programs wait for a processor {share} % of the time"
                );
                (Level::Warn, "TimeoutStretched", text, of_check(what, None))
            }
            Health::Reloaded => {
                (Level::Info, "UnitReloaded", format!("`{unit}` has reloaded"), Facts::default())
            }
            Health::NotReloaded { reason } => {
                let text = format!("`{unit}` has not reloaded: {reason}");
                (Level::Warn, "UnitNotReloaded", text, reason_only(reason))
            }
        };
        Self { level, event, message, facts }
    }
}
