//! Another process than the one that was started becomes a run's main process, as `MAINPID` asks.

use serde::{Deserialize, Serialize};

/// Keepers of this version and later understand [`Request::Follow`](super::Request::Follow).
pub const FOLLOW_SINCE: u32 = 3;

/// A process that is to be a run's main process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Follow {
    /// The unit's name.
    pub unit: String,
    /// The run that must still run.
    pub run: u64,
    /// The process: one of this run's.
    pub pid: u32,
}

/// What became of a `Follow`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Followed {
    /// The unit's name.
    pub unit: String,
    /// The run.
    pub run: u64,
    /// The process that was asked for.
    pub pid: u32,
    /// Why it is not the main process, for people; nothing when it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}
