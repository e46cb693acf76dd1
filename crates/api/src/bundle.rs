//! A crash bundle: all that is known of one run that ended though nobody had asked for it.
//!
//! The agent writes one as a file of JSON; whoever reads it needs no agent. It holds no secret that
//! the configuration could tell from a setting: see [`Variable`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What this version writes. Readers pass over keys that they do not know.
pub const BUNDLE_FORMAT: u32 = 1;

/// All that is known of a run that ended though nobody had asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Bundle {
    /// See [`BUNDLE_FORMAT`].
    pub format: u32,
    /// The service.
    pub service: String,
    /// The unit.
    pub unit: String,
    /// The run.
    pub run: u64,
    /// Its process.
    pub pid: u32,
    /// How it ended.
    pub exit: Ending,
    /// What came next.
    pub then: Sequel,
    /// So many runs before this one ended as badly and have no bundle, because they came too fast.
    pub left_out: u64,
    /// The program and its arguments; what looks like a secret is withheld.
    pub command: Vec<String>,
    /// Where it was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// What it was given, by name.
    pub environment: Vec<Variable>,
    /// What it was allowed.
    pub limits: Limits,
    /// What it used, where the system tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Consumption>,
    /// How its hooks and checks went lately, oldest first.
    pub results: Vec<Outcome>,
    /// What it said last, oldest first.
    pub lines: Vec<Words>,
    /// What it left of its memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dump: Option<Dump>,
    /// What could not be learned, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<String>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Ending {
    /// In words: `ended with code 3`.
    pub how: String,
    /// The code, if it returned one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u32>,
    /// The signal, if one killed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// When it was started, as RFC 3339.
    pub started: String,
    /// When it ended, as RFC 3339.
    pub ended: String,
    /// How long it had run, in milliseconds.
    pub lived_ms: u64,
}

/// What the unit did next.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Sequel {
    /// The state that it went to.
    pub state: String,
    /// Why, in words.
    pub why: String,
    /// When it is started again, as RFC 3339; nothing when that is at once or never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts: Option<String>,
    /// How often it was started again so far.
    pub restarts: u64,
    /// How many runs in a row have failed.
    pub failures: u32,
}

/// One variable of the environment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value: only where the configuration sets it in plain text, and neither its name nor the
    /// value looks like a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a variable comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The keeper's own environment.
    #[default]
    Inherited,
    /// The configuration.
    Configured,
    /// Mainstay.
    Mainstay,
}

/// What a run was allowed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Limits {
    /// What the configuration says, by its keys.
    pub configured: BTreeMap<String, String>,
    /// What the system says of the keeper, from which programs inherit.
    pub system: Vec<SystemLimit>,
}

/// A limit of the system.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct SystemLimit {
    /// Its name, as the system writes it.
    pub name: String,
    /// What holds.
    pub soft: String,
    /// What a program may ask for.
    pub hard: String,
}

/// What a run used.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Consumption {
    /// Time on processors in its own code, in milliseconds.
    pub user_ms: u64,
    /// Time on processors in the system, in milliseconds.
    pub system_ms: u64,
    /// The most memory it occupied, where the system tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_peak_bytes: Option<u64>,
}

/// How a hook or a check went.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Outcome {
    /// Which: `hook before-start`, `check disk`.
    pub what: String,
    /// How, in words.
    pub how: String,
    /// When, as RFC 3339.
    pub at: String,
}

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Words {
    /// When it came, as RFC 3339; nothing where the index does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// `stdout`, `stderr`, or nothing where the streams are joined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// What it says.
    pub text: String,
}

/// What a program left of its memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dump {
    /// A file.
    File(String),
    /// What shows it: a command.
    Command(String),
    /// Who has it, in words.
    Elsewhere(String),
}
