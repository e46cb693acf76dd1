//! What an instance says of its configuration files.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How the configuration files and what runs stand to each other.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct FilesStatus {
    /// Whether changes of the files are applied by themselves.
    #[serde(default)]
    pub hot_reload: bool,
    /// Why what is in the files is not what runs; nothing when they were applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<FilesRefused>,
}

/// Files that were not applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FilesRefused {
    /// Since when, as RFC 3339.
    pub since: String,
    /// Why, in words, each mistake with its place.
    pub why: String,
}

/// When a change of a key takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeyEffect {
    /// At once; what runs is not touched.
    Live,
    /// With the next run; what runs keeps what it was started with.
    NextRun,
    /// What runs is restarted.
    Restart,
}

/// A key of which the configuration says something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChangedKey {
    /// Its name, as it is written in the file.
    pub key: String,
    /// When the change takes effect.
    pub effect: KeyEffect,
}

/// What `POST /v1/diff` takes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiffRequest {
    /// A text that would stand in the main file; without it, the files are meant as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// How that text is called where it is wrong; without it, it is called as the main file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What it answers: what would change if the files were applied now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DiffAnswer {
    /// Whether anything would change.
    pub differs: bool,
    /// What would change.
    pub changes: super::ConfigChanges,
    /// Services that no file has any more and that are still there: pruning would stop them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orphaned: Vec<String>,
    /// The files hold no service, though there are some: they are applied only where that is allowed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub empty: bool,
}

/// What `PATCH /v1/services/NAME` takes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditKeys {
    /// Keys that are set.
    #[serde(default)]
    pub set: Vec<KeyValue>,
    /// Keys that are taken out; one that is not there is as good.
    #[serde(default)]
    pub unset: Vec<String>,
}

/// A key, and what it is set to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyValue {
    /// The key; those of tables have dots: `restart.delay`.
    pub key: String,
    /// A value of TOML; anything else is text.
    pub value: String,
}

/// What `GET /v1/services/NAME` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceText {
    /// The service.
    pub service: String,
    /// The file in which it stands.
    pub file: String,
    /// What stands there: its tables, or the value of the key that was asked for; nothing when that
    /// is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What `GET /v1/files` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Files {
    /// The configuration files in the order in which they are read, the main file first.
    pub files: Vec<FileText>,
}

/// A configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileText {
    /// Its path.
    pub file: String,
    /// What it holds.
    pub text: String,
}

/// What `PUT /v1/files` takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ReplaceFile {
    /// The path of one of the configuration files; without it, the main file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// What it is to hold.
    pub text: String,
    /// What it must hold still; without it, it is replaced whatever it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<String>,
    /// Whether services are stopped and forgotten that no file has any more.
    #[serde(default)]
    pub prune: bool,
    /// Whether the files may hold no service then, though there are some.
    #[serde(default)]
    pub allow_empty: bool,
    /// How the text is called where it is wrong; without it, it is called as the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}
