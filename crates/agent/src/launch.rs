//! From a decision to start a run to the order that the keeper gets.

use std::collections::BTreeMap;

use mainstay_api::{
    config::{Config, ServiceConfig},
    keeper::{Environment, Logs, Spawn},
};
use mainstay_core::{Memo, UnitName};
use mainstay_storage::instance::Instance;
use serde::{Deserialize, Serialize};

/// What is written on a run, so that the next agent can go on from there.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct StoredMemo {
    failures: u32,
    restarts: u64,
    short_runs: u32,
    starts: u32,
    stopping: bool,
    /// The hash of what the run was given and keeps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    given: Option<u64>,
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
        memo: write_memo(memo, Some(service.given_hash())),
        command: service.command.clone(),
        directory: service.directory.clone(),
        environment: environment(service, instance, unit, run),
        logs: logs(service, instance, unit),
        scope: service.stop.scope,
        files: service.files,
        session: service.session,
        share: service.share,
    })
}

fn environment(
    service: &ServiceConfig,
    instance: &Instance,
    unit: &UnitName,
    run: u64,
) -> Environment {
    let mut set: BTreeMap<String, String> = service.environment.clone();
    let own = [
        ("MAINSTAY_SERVICE", unit.service.to_string()),
        ("MAINSTAY_UNIT", unit.to_string()),
        ("MAINSTAY_RUN", run.to_string()),
        ("MAINSTAY_INSTANCE", instance.runtime.display().to_string()),
    ];
    set.extend(own.map(|(name, value)| (name.to_owned(), value)));
    Environment { set, unset: Vec::new() }
}

fn logs(service: &ServiceConfig, instance: &Instance, unit: &UnitName) -> Logs {
    Logs {
        directory: instance.logs_of(&unit.to_string()).display().to_string(),
        streams: service.logs.streams,
        max_size: service.logs.max_size,
        on_full: service.logs.on_full,
    }
}

/// Returns a memo as text, with what the run was given.
pub(crate) fn write_memo(memo: Memo, given: Option<u64>) -> String {
    let Memo { failures, restarts, short_runs, starts, stopping } = memo;
    let stored = StoredMemo { failures, restarts, short_runs, starts, stopping, given };
    serde_json::to_string(&stored).unwrap_or_default()
}

/// Reads a memo; one that makes no sense counts as none.
pub(crate) fn read_memo(text: &str) -> Memo {
    let Ok(stored) = serde_json::from_str::<StoredMemo>(text) else { return Memo::default() };
    let StoredMemo { failures, restarts, short_runs, starts, stopping, .. } = stored;
    Memo { failures, restarts, short_runs, starts, stopping }
}

/// Returns what a memo says that its run was given.
pub(crate) fn given_in(text: &str) -> Option<u64> {
    serde_json::from_str::<StoredMemo>(text).ok()?.given
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMO: Memo = Memo { failures: 3, restarts: 40, short_runs: 2, starts: 5, stopping: true };

    #[test]
    fn a_memo_comes_back_whatever_a_later_version_has_added() {
        let text = write_memo(MEMO, Some(u64::MAX));
        assert_eq!((read_memo(&text), given_in(&text)), (MEMO, Some(u64::MAX)));
        let later = text.replace('{', "{\"health\":{\"failed\":[1]},");
        assert_eq!((read_memo(&later), given_in(&later)), (MEMO, Some(u64::MAX)));
    }

    #[test]
    fn a_memo_that_makes_no_sense_counts_as_none() {
        let text = write_memo(MEMO, None);
        let mut damaged: Vec<String> =
            (0..text.len()).filter_map(|end| text.get(..end)).map(str::to_owned).collect();
        damaged.push("\0".repeat(text.len()));
        damaged.push(text.replace("restarts", "restartz"));
        for text in damaged {
            assert_eq!((read_memo(&text), given_in(&text)), (Memo::default(), None), "{text}");
        }
    }
}
