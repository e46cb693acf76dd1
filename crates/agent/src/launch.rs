//! From a decision to start a run to the order that the keeper gets.

use std::{collections::BTreeMap, time::Duration};

use mainstay_api::{
    config::{Config, ServiceConfig},
    keeper::{Environment, Logs, Lost, Spawn},
};
use mainstay_core::{Blame, Memo, Reached, UnitName};
use mainstay_storage::instance::Instance;
use serde::{Deserialize, Serialize};

use crate::notices::Said;

/// What is written on a run, so that the next agent can go on from there.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each stands in the text by its own name")]
struct StoredMemo {
    failures: u32,
    restarts: u64,
    short_runs: u32,
    starts: u32,
    stopping: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pardoned: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    settling: bool,
    /// While it settles or leaves: how long it may take for that.
    #[serde(default, skip_serializing_if = "is_zero")]
    within_us: u64,
    /// When it said that it leaves, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    leaves_after_us: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ready_after_us: Option<u64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    said_ready: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    blame: Option<StoredBlame>,
    /// Beside a blame of `retry`, which is all that earlier agents know.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    hangs: bool,
    #[serde(default, skip_serializing_if = "is_zero")]
    bad: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    checks: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    hung: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    owes_after_start: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    paused_after_us: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reloads_within_us: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alive_every_us: Option<u64>,
    /// The hash of what the run was given and keeps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    given: Option<u64>,
    /// What the run has said of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    said: Option<Said>,
}

/// What follows the end of a run that is stopped because it is not well.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StoredBlame {
    Retry,
    Fail,
}

impl From<Blame> for StoredBlame {
    fn from(blame: Blame) -> Self {
        match blame {
            Blame::Retry | Blame::Hang => Self::Retry,
            Blame::Fail => Self::Fail,
        }
    }
}

impl From<StoredBlame> for Blame {
    fn from(blame: StoredBlame) -> Self {
        match blame {
            StoredBlame::Retry => Self::Retry,
            StoredBlame::Fail => Self::Fail,
        }
    }
}

/// Returns the order to start a run; nothing when its service is not configured any more.
pub(crate) fn order(
    config: &Config,
    instance: &Instance,
    unit: &UnitName,
    run: u64,
    memo: Memo,
) -> Option<Spawn> {
    let service = config.services.get(&unit.service)?;
    Some(Spawn {
        unit: unit.to_string(),
        run,
        spec_hash: format!("{:016x}", service.spec_hash()),
        memo: write_memo(memo, Some(service.given_hash()), None),
        command: service.command.clone(),
        directory: service.directory.clone(),
        environment: environment(service, instance, unit, run),
        logs: logs(service, instance, unit),
        scope: service.stop.scope,
        files: service.files,
        session: service.session,
        share: service.share,
        listen: Vec::new(),
        input: None,
        lost: Lost::Forgotten,
    })
}

/// What a service manager may have told the keeper, and nobody else: programs would speak to it in
/// the keeper's place, or take its watchdog for theirs.
const OF_MANAGERS: [&str; 6] = [
    "LISTEN_FDNAMES",
    "LISTEN_FDS",
    "LISTEN_PID",
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
];

/// Returns what every program of a unit finds in its environment.
pub(crate) fn environment(
    service: &ServiceConfig,
    instance: &Instance,
    unit: &UnitName,
    run: u64,
) -> Environment {
    let mut set: BTreeMap<String, String> = service.environment.clone();
    let own = own_variables(instance, unit, run);
    set.extend(own.map(|(name, value)| (name.to_owned(), value)));
    let unset = OF_MANAGERS.iter().map(|name| (*name).to_owned()).collect();
    Environment { set, unset }
}

/// Returns the variables with which a program finds itself.
pub(crate) fn own_variables(
    instance: &Instance,
    unit: &UnitName,
    run: u64,
) -> [(&'static str, String); 4] {
    [
        ("MAINSTAY_SERVICE", unit.service.to_string()),
        ("MAINSTAY_UNIT", unit.to_string()),
        ("MAINSTAY_RUN", run.to_string()),
        ("MAINSTAY_INSTANCE", instance.runtime.display().to_string()),
    ]
}

fn logs(service: &ServiceConfig, instance: &Instance, unit: &UnitName) -> Logs {
    Logs {
        directory: instance.logs_of(&unit.to_string()).display().to_string(),
        streams: service.logs.streams,
        max_size: service.logs.max_size,
        every_s: service.logs.every.as_secs(),
        on_full: service.logs.on_full,
    }
}

/// Returns a memo as text, with what the run was given and what it has said.
pub(crate) fn write_memo(memo: Memo, given: Option<u64>, said: Option<&Said>) -> String {
    let (within, ready_after, leaves_after) = match memo.reached {
        Reached::Started => (Duration::ZERO, None, None),
        Reached::Settling { within } => (within, None, None),
        Reached::Ready { after } => (Duration::ZERO, Some(after), None),
        Reached::Leaving { ready_after, after, within } => (within, ready_after, Some(after)),
    };
    let stored = StoredMemo {
        failures: memo.failures,
        restarts: memo.restarts,
        short_runs: memo.short_runs,
        starts: memo.starts,
        stopping: memo.stopping,
        pardoned: memo.pardoned,
        settling: matches!(memo.reached, Reached::Settling { .. }),
        within_us: micros(within),
        leaves_after_us: leaves_after.map(micros),
        ready_after_us: ready_after.map(micros),
        said_ready: memo.said_ready,
        blame: memo.blame.map(StoredBlame::from),
        hangs: memo.blame == Some(Blame::Hang),
        bad: memo.bad,
        checks: memo.checks,
        hung: memo.hung,
        owes_after_start: memo.owes_after_start,
        paused_after_us: memo.paused_after.map(micros),
        reloads_within_us: memo.reloads_within.map(micros),
        alive_every_us: memo.alive_every.map(micros),
        given,
        said: said.and_then(Said::for_memo),
    };
    serde_json::to_string(&stored).unwrap_or_default()
}

/// Reads a memo; one that makes no sense counts as none.
pub(crate) fn read_memo(text: &str) -> Memo {
    let Ok(stored) = serde_json::from_str::<StoredMemo>(text) else { return Memo::default() };
    Memo {
        failures: stored.failures,
        restarts: stored.restarts,
        short_runs: stored.short_runs,
        starts: stored.starts,
        stopping: stored.stopping,
        pardoned: stored.pardoned,
        reached: stored.reached(),
        said_ready: stored.said_ready,
        blame: if stored.hangs { Some(Blame::Hang) } else { stored.blame.map(Blame::from) },
        bad: stored.bad,
        checks: stored.checks,
        hung: stored.hung,
        owes_after_start: stored.owes_after_start,
        paused_after: stored.paused_after_us.map(Duration::from_micros),
        reloads_within: stored.reloads_within_us.map(Duration::from_micros),
        alive_every: stored.alive_every_us.map(Duration::from_micros),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

impl StoredMemo {
    fn reached(&self) -> Reached {
        let ready_after = self.ready_after_us.map(Duration::from_micros);
        let within = Duration::from_micros(self.within_us);
        match (self.leaves_after_us.map(Duration::from_micros), ready_after) {
            (Some(after), ready_after) => Reached::Leaving { ready_after, after, within },
            (None, _) if self.settling => Reached::Settling { within },
            (None, Some(after)) => Reached::Ready { after },
            (None, None) => Reached::Started,
        }
    }
}

/// Returns what a memo says that its run has said.
pub(crate) fn said_in(text: &str) -> Said {
    serde_json::from_str::<StoredMemo>(text).ok().and_then(|stored| stored.said).unwrap_or_default()
}

/// Returns what a memo says that its run was given.
pub(crate) fn given_in(text: &str) -> Option<u64> {
    serde_json::from_str::<StoredMemo>(text).ok()?.given
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMO: Memo = Memo {
        failures: 3,
        restarts: 40,
        short_runs: 2,
        starts: 5,
        stopping: true,
        pardoned: true,
        reached: Reached::Settling { within: Duration::from_secs(90) },
        said_ready: true,
        blame: Some(Blame::Hang),
        bad: 1 << 63,
        checks: 7,
        hung: true,
        owes_after_start: true,
        paused_after: Some(Duration::from_secs(8)),
        reloads_within: Some(Duration::from_secs(7)),
        alive_every: Some(Duration::from_millis(1500)),
    };

    #[test]
    fn a_memo_comes_back_whatever_a_later_version_has_added() {
        let text = write_memo(MEMO, Some(u64::MAX), None);
        assert_eq!((read_memo(&text), given_in(&text)), (MEMO, Some(u64::MAX)));
        let later = text.replace('{', "{\"health\":{\"failed\":[1]},");
        assert_eq!((read_memo(&later), given_in(&later)), (MEMO, Some(u64::MAX)));
    }

    #[test]
    fn how_far_a_run_has_come_comes_back() {
        let second = Duration::from_secs(1);
        let all = [
            Reached::Started,
            Reached::Ready { after: Duration::ZERO },
            Reached::Leaving { ready_after: None, after: Duration::ZERO, within: second },
            Reached::Leaving { ready_after: Some(second), after: 2 * second, within: second },
        ];
        for reached in all {
            let text = write_memo(Memo { reached, ..MEMO }, None, None);
            assert_eq!(read_memo(&text).reached, reached);
        }
    }

    #[test]
    fn a_memo_that_makes_no_sense_counts_as_none() {
        let text = write_memo(MEMO, None, None);
        let mut damaged: Vec<String> =
            (0..text.len()).filter_map(|end| text.get(..end)).map(str::to_owned).collect();
        damaged.push("\0".repeat(text.len()));
        damaged.push(text.replace("restarts", "restartz"));
        for text in damaged {
            assert_eq!((read_memo(&text), given_in(&text)), (Memo::default(), None), "{text}");
        }
    }
}
