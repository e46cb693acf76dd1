//! The control API: what clients and the agent say to each other, as JSON over HTTP.
//!
//! Times are RFC 3339 text for people and microseconds of the machine's monotonic clock for
//! machines. Every error is a [`Problem`].

mod environment;
mod files;
mod log;
mod problem;
mod tree;
mod usage;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{
    ToSchema,
    openapi::{Array, ArrayBuilder, Object, Type},
};

pub use environment::{EnvironmentOf, EnvironmentVariable, UnitEnvironment, VariableOrigin};
pub use files::{
    ChangedKey, DiffAnswer, DiffRequest, EditKeys, FileText, Files, FilesRefused, FilesStatus,
    KeyEffect, KeyValue, ReplaceFile, ServiceText,
};
pub use log::{LogLine, LogLines, Missed};
pub use problem::{Problem, ProblemCode};
pub use tree::{Edge, Group, Node, NodeUnit, Tree};
pub use usage::{UnitUsage, Usages};

/// What `GET /v1/status` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Status {
    /// The instance's name or the path of its configuration file.
    pub instance: String,
    /// Which boot of which machine or container this is: numbers of processes mean nothing in another.
    #[serde(default)]
    pub boot: String,
    /// The keeper.
    pub keeper: Role,
    /// The agent.
    pub agent: Role,
    /// The configuration files.
    #[serde(default)]
    pub files: FilesStatus,
    /// All units, by name.
    pub units: Vec<Unit>,
    /// All groups, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
}

impl Status {
    /// Returns a unit by its name.
    pub fn unit(&self, name: &str) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.unit == name)
    }
}

/// One of our own processes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Role {
    /// Its process id.
    pub pid: u32,
    /// Its version.
    pub version: String,
}

/// One unit.
#[expect(clippy::struct_field_names, reason = "the JSON says `unit`")]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own in the JSON")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Unit {
    /// Its name.
    pub unit: String,
    /// Its service.
    pub service: String,
    /// It is meant to end of itself: it is ready when it is `completed`, not while it runs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub task: bool,
    /// One word.
    pub state: String,
    /// Since when, as RFC 3339.
    pub since: String,
    /// For how many seconds.
    pub since_seconds: u64,
    /// Why, in words.
    pub why: String,
    /// What comes next of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Next>,
    /// Its process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// The number of its current or last run.
    pub run: u64,
    /// How often it was started again of itself; a start that is still to come does not count.
    pub restarts: u64,
    /// Its last runs were all too short.
    pub degraded: bool,
    /// It vanished from the configuration and runs on.
    pub orphaned: bool,
    /// Its run goes on with some of a former configuration; a restart applies the new one.
    #[serde(default)]
    pub outdated: bool,
    /// Since when its run has been ready, as RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_since: Option<String>,
    /// Nobody may rely on it, although it runs: a readiness check is bad.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unready: bool,
    /// It waits for nothing but the end of what its last run left behind, or of a hook.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub clearing: bool,
    /// The names of its checks that are bad.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unhealthy: Vec<String>,
    /// What is wrong with its log at this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pressure: Option<String>,
    /// What its start waits for before the system is asked for its program: a hook, or values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_after: Option<String>,
    /// How its last run ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_exit: Option<LastExit>,
    /// What its run says that it is at (`STATUS=`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_text: Option<String>,
    /// What its run says about why it fails (`ERRNO=` and the like).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_text: Option<String>,
    /// What else its run says of itself, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
}

/// What a unit does next of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Next {
    /// `start`, `kill`, or `stop` for a run that is not ready in time.
    pub what: String,
    /// In how many milliseconds.
    pub in_ms: u64,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LastExit {
    /// Which run.
    pub run: u64,
    /// In words: `ended with code 3`.
    pub how: String,
    /// The code, if it returned one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    /// The signal, if one killed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// When, as RFC 3339.
    pub at: String,
    /// How long it had run, in milliseconds.
    pub lived_ms: u64,
}

/// What `POST /v1/command` takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CommandRequest {
    /// What is asked.
    pub command: CommandName,
    /// Names of units, services or, with `@` in front, groups; `*` and `?` match.
    pub names: Vec<String>,
}

/// What can be asked of units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CommandName {
    /// Up.
    Start,
    /// Down.
    Stop,
    /// Down, then up.
    Restart,
    /// Down at once.
    Kill,
    /// Counters to zero.
    Reset,
    /// Reads its configuration anew.
    Reload,
    /// Its program is frozen.
    Pause,
    /// Its program goes on.
    Resume,
}

/// What it answers: one entry for each unit that was meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CommandAnswer {
    /// The chain of causes that began with the command; the events that follow carry it.
    pub trace_id: String,
    /// The units.
    pub units: Vec<UnitAnswer>,
    /// What a new configuration has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<ConfigChanges>,
}

/// What one configuration changes about another.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct ConfigChanges {
    /// Services that are new.
    pub added: Vec<String>,
    /// Services that say something else.
    pub changed: Vec<ChangedService>,
    /// Services that are not there any more.
    pub removed: Vec<String>,
    /// Other services stand in `[groups]` than before, or under other names.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub groups: bool,
    /// Other groups have rights than before, or other rights.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub access: bool,
    /// Whether changes of the files are applied by themselves is said in another way.
    #[serde(rename = "hot-reload", default, skip_serializing_if = "std::ops::Not::not")]
    pub hot_reload: bool,
    /// Another number of units may be starting at the same time.
    #[serde(rename = "parallel-starts", default, skip_serializing_if = "std::ops::Not::not")]
    pub parallel_starts: bool,
    /// Services that no file has any more, and that were stopped and forgotten for that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pruned: Vec<String>,
}

/// A service of which the configuration says something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChangedService {
    /// Its name.
    pub service: String,
    /// The keys that differ.
    pub keys: Vec<ChangedKey>,
    /// Whether its programs are started anew.
    pub restarts: bool,
    /// Whether some of it holds only from their next run on.
    pub later: bool,
}

/// Whether a unit does what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnitAnswer {
    /// The unit.
    pub unit: String,
    /// Why not; nothing when it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// Something that happened.
#[expect(clippy::struct_field_names, reason = "the JSON says `event`")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Event {
    /// Counts all events of the instance.
    pub sequence: u64,
    /// When, as RFC 3339.
    pub timestamp: String,
    /// `info`, `warn` or `error`.
    pub level: String,
    /// What, as a name: `UnitExited`.
    pub event: String,
    /// The unit it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The run it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<u64>,
    /// The chain of causes it belongs to.
    pub trace_id: String,
    /// In words.
    pub message: String,
    /// The same as values.
    #[serde(flatten)]
    pub facts: Facts,
}

/// What an event says, as values for machines.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Facts {
    /// The state that a unit is in since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The process of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// The code that the run returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<u32>,
    /// The signal that killed the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// The hook that has ended, or `action-NAME` for that of a check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<String>,
    /// The number of the hook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Whether the hook took too long and was ended for that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    /// The check that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// What was seen, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What a program calls an event that it has told itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// How long the next attempt waits, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// Whether the last runs of the unit were all too short.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub degraded: bool,
}

/// What `GET /v1/events` answers.
#[expect(clippy::struct_field_names, reason = "the JSON says `events`")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Events {
    /// The events, oldest first.
    pub events: Vec<Event>,
    /// Where to go on: pass it as `after`.
    pub last: u64,
    /// There may be older ones: pass it as `before`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub older: Option<u64>,
    /// When the oldest one happened that is kept, where all were looked through and there were
    /// older ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_since: Option<String>,
    /// Why older ones than those in the agent's memory could not be looked through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
    /// So many events behind `after` are kept no more.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub missed: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What `GET /v1/units/NAME` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct UnitDetail {
    /// What `status` says.
    pub unit: Unit,
    /// Nobody may start it before its `start` says otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    /// Its command.
    pub command: Vec<String>,
    /// Where it starts.
    pub directory: Option<String>,
    /// The folder of its log segments; nothing when its output is discarded.
    pub logs: Option<String>,
    /// What happened to it lately, oldest first.
    pub events: Vec<Event>,
    /// What is thought of it by each of its checks, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckState>,
    /// How each of its hooks ended last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<HookLast>,
}

/// What is thought of a unit by one of its checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CheckState {
    /// Its name.
    pub check: String,
    /// `open` before the first verdict, then `good` or `bad`.
    pub verdict: String,
    /// What was seen last, when that was not good.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub seen: String,
    /// How often it has failed in a row.
    #[serde(default)]
    pub failures: u32,
}

/// How a hook ended last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct HookLast {
    /// Its name, or `action-NAME` for that of a check.
    pub hook: String,
    /// Its number.
    pub number: u64,
    /// When, as RFC 3339.
    pub at: String,
    /// Whether it did not do what it should.
    pub failed: bool,
    /// In words.
    pub message: String,
}

/// What `POST /v1/services` takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AddService {
    /// Its name.
    #[schema(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    pub name: String,
    /// The program and its arguments.
    #[schema(min_items = 1)]
    pub command: Vec<String>,
    /// Where it starts.
    #[serde(default)]
    pub directory: Option<String>,
    /// Variables it gets.
    #[schema(schema_with = pairs)]
    #[serde(default)]
    pub environment: Vec<(String, String)>,
    /// When it is started.
    #[serde(default)]
    pub start: Option<String>,
    /// What it requires.
    #[serde(default)]
    pub requires: Vec<String>,
}

/// Says of a list that each entry is a name and a value.
fn pairs() -> Array {
    let text = || Object::builder().schema_type(Type::String);
    let pair = ArrayBuilder::new().items(text()).min_items(Some(2)).max_items(Some(2));
    ArrayBuilder::new()
        .items(pair)
        .description(Some("Variables it gets, each with its value."))
        .build()
}

/// What `GET /v1/secrets` answers: names, never values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Secrets {
    /// All secrets of the instance, by name.
    pub secrets: Vec<SecretInfo>,
}

/// One secret, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SecretInfo {
    /// Its name.
    pub name: String,
    /// When it was set last, as RFC 3339.
    pub set_at: String,
    /// The services that refer to it.
    pub services: Vec<String>,
}

/// What `POST` and `DELETE /v1/secrets/NAME` answer. The value is the body of the request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SecretAnswer {
    /// The name.
    pub name: String,
    /// Whether there was one of this name before.
    #[serde(default)]
    pub replaced: bool,
    /// The services that refer to it; each gets the new value at its next start.
    #[serde(default)]
    pub services: Vec<String>,
    /// Where the former store lies, which was damaged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aside: Option<String>,
    /// The chain of causes that begins with it.
    #[serde(default)]
    pub trace_id: String,
}

/// Asks the keeper to become another binary; programs notice nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpgradeRequest {
    /// The absolute path of the binary.
    pub program: String,
}

/// The keeper is another one now; the agent follows within a second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UpgradeAnswer {
    /// The keeper; its process is the same.
    pub keeper: Role,
    /// The agent that is about to be replaced.
    pub former_agent: Role,
}
