//! What programs say of themselves, on systems where the keeper hears it.

use serde::{Deserialize, Serialize};

use super::RunRef;

/// Agents of this version and later understand [`Report::Notified`](super::Report::Notified).
pub const NOTIFIED_SINCE: u32 = 3;

/// A message of a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notified {
    /// The run that its sender belongs to; nothing for a stranger, or for one that was gone before
    /// anybody could look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunRef>,
    /// Its sender.
    pub pid: u32,
    /// True when that is the run's main process.
    pub main: bool,
    /// What it says: lines of `KEY=VALUE`.
    pub text: String,
}
