//! What a unit has written, as the API tells it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What `GET /v1/units/NAME/logs` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LogLines {
    /// The unit.
    pub unit: String,
    /// The lines, oldest first.
    pub lines: Vec<LogLine>,
    /// Where to go on: pass it as `after`.
    pub next: String,
    /// More lines were there already.
    pub more: bool,
    /// So many segments behind `after` were deleted before they were read.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub missed: u64,
    /// So many bytes among these lines are left out: a compressed segment is damaged.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub damaged: u64,
}

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LogLine {
    /// When it came, as RFC 3339, to about 10 ms; nothing when the index does not say.
    pub time: Option<String>,
    /// The run that wrote it; nothing when the index does not say.
    pub run: Option<u64>,
    /// `joined`, `stdout` or `stderr`.
    pub stream: String,
    /// Its text, as the program wrote it: a terminal may obey what is in it. Bytes that are no
    /// UTF-8 are replaced.
    pub text: String,
    /// There is no line end: it was cut, or interrupted.
    pub partial: bool,
}

/// What a stream says about what it cannot tell any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Missed {
    /// So many events, or segments of a log.
    pub missed: u64,
    /// So many bytes of a log that is damaged.
    #[serde(default, skip_serializing_if = "super::is_zero")]
    pub damaged: u64,
}
