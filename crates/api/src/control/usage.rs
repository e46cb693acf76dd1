//! What units use of the machine.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What `GET /v1/usage` answers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Usages {
    /// How long was watched for `cpu-percent`, in milliseconds; 0 when nothing was.
    pub window_ms: u64,
    /// The units that were asked for and whose programs run, by name.
    pub units: Vec<UnitUsage>,
}

/// What the programs of a unit use: its main process with everything that it has started. What the
/// system does not tell is left out.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct UnitUsage {
    /// The unit.
    pub unit: String,
    /// The run.
    pub run: u64,
    /// How many processes there are.
    pub processes: u64,
    /// On Windows: its job could not be asked; whoever has lost its parent or has ended is left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_descent: bool,
    /// How many threads they have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threads: Option<u64>,
    /// Their time on processors in milliseconds, with that of children that have ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_ms: Option<u64>,
    /// How much of one processor they used while it was watched: 200 is two of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_percent: Option<f64>,
    /// The memory that they occupy; what two of them share counts twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// The memory that they occupy, what is shared divided among those who share it (PSS).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_share_bytes: Option<u64>,
    /// The most that each of them has occupied so far, added up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_peak_bytes: Option<u64>,
    /// Open descriptors, or handles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub descriptors: Option<u64>,
    /// What was read from storage; on Windows, by any call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_bytes: Option<u64>,
    /// What was written to storage; on Windows, by any call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_bytes: Option<u64>,
}
