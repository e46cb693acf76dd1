//! What a program has used of the machine in its life.

use serde::{Deserialize, Serialize};

/// What a program has used, as the system tells its parent at its end.
///
/// On Linux with the children it has waited for; on Windows the main process alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Time on processors in its own code, in microseconds.
    pub user_us: u64,
    /// Time on processors in the system's code, in microseconds.
    pub system_us: u64,
    /// The most memory it occupied at a time; nothing where the system does not tell it from that
    /// of whoever started the program, as for small programs on Linux.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_peak_bytes: Option<u64>,
}
