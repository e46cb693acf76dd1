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
