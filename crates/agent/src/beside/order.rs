//! From a command beside a program to the order that the keeper gets.

use std::path::PathBuf;

use mainstay_api::{
    config::ServiceConfig,
    keeper::{Logs, Lost, OnFull, Scope, Spawn, Streams},
};
use mainstay_core::Memo;
use mainstay_storage::instance::Instance;
use serde::{Deserialize, Serialize};

use super::{name::BesideName, recipe::Recipe};
use crate::launch;

/// A segment of a command's log is closed past this size.
const LOG_BYTES_MAX: u64 = 1024 * 1024;
/// The same for all: a number is never used for two commands, whatever they are.
const SPEC_HASH: &str = "beside";

/// What is ordered, and when.
#[derive(Debug)]
pub(super) struct Occasion<'a> {
    pub(super) name: &'a BesideName,
    pub(super) number: u64,
    /// The run that it is about.
    pub(super) run: u64,
    /// What its unit has come to.
    pub(super) memo: Memo,
    /// What it is told, besides what every program of the service is told.
    pub(super) facts: Vec<(&'static str, String)>,
}

/// What is written on a command, for the next agent.
#[derive(Debug, Default, Serialize, Deserialize)]
struct StoredMemo {
    /// The run that it is about; 0 when nobody knows.
    run: u64,
    /// What the unit had come to, as it is written on a run.
    #[serde(default)]
    unit: String,
}

/// Returns the order to start a command.
pub(super) fn order(
    service: &ServiceConfig,
    instance: &Instance,
    recipe: Recipe<'_>,
    occasion: Occasion<'_>,
) -> Spawn {
    let Occasion { name, number, run, memo, facts } = occasion;
    let mut environment = launch::environment(service, instance, &name.unit, run);
    let timeout = ("MAINSTAY_DEADLINE", recipe.timeout.as_secs_f64().to_string());
    let facts = facts.into_iter().chain([timeout]);
    environment.set.extend(facts.map(|(name, value)| (name.to_owned(), value)));
    Spawn {
        unit: name.to_string(),
        run: number,
        spec_hash: SPEC_HASH.to_owned(),
        memo: write_memo(run, memo),
        command: recipe.command.to_vec(),
        directory: service.directory.clone(),
        environment,
        logs: logs(instance, name),
        scope: Scope::Tree,
        files: service.files,
        session: false,
        share: service.share,
        listen: Vec::new(),
        input: None,
        // Whether it ran or not: the next agent has to tell of it.
        lost: if name.part.is_look() { Lost::Forgotten } else { Lost::Ended },
    }
}

/// Returns the folder of a command's log.
pub(super) fn folder(instance: &Instance, name: &BesideName) -> PathBuf {
    instance.logs_of(&name.unit.to_string()).join(name.part.log_folder())
}

/// A disk that is full stops neither a hook nor a check.
fn logs(instance: &Instance, name: &BesideName) -> Logs {
    Logs {
        directory: folder(instance, name).display().to_string(),
        streams: Streams::Joined,
        max_size: LOG_BYTES_MAX,
        every_s: 0,
        on_full: OnFull::DropNew,
    }
}

/// Returns the run that a command is about, and what its unit had come to; nothing of what makes no
/// sense.
pub(super) fn read_memo(memo: &str) -> (u64, Memo) {
    let StoredMemo { run, unit } = serde_json::from_str(memo).unwrap_or_default();
    (run, launch::read_memo(&unit))
}

fn write_memo(run: u64, memo: Memo) -> String {
    let stored = StoredMemo { run, unit: launch::write_memo(memo, None, None) };
    serde_json::to_string(&stored).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_on_a_command_comes_back() {
        let memo = Memo { failures: 3, stopping: true, bad: 1 << 63, ..Memo::default() };
        assert_eq!(read_memo(&write_memo(7, memo)), (7, memo));
        assert_eq!(read_memo("{\"run\":7}"), (7, Memo::default()));
        assert_eq!(read_memo("no memo"), (0, Memo::default()));
    }
}
