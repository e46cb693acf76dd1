//! How a program was asked to end where there are no signals, and what came of it.

use serde::{Deserialize, Serialize};

/// The first protocol version whose agents understand [`Report::Climbed`](super::Report::Climbed).
pub const CLIMBED_SINCE: u32 = 2;

/// How far a program had to be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Climbed {
    /// The unit's name.
    pub unit: String,
    /// The run.
    pub run: u64,
    /// Each rung that was tried, the first one first.
    pub rungs: Vec<Climb>,
}

/// One rung and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Climb {
    /// How it was asked.
    pub rung: RungName,
    /// What it did.
    pub outcome: RungOutcome,
}

/// A way to ask, from the most polite to the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RungName {
    /// Ctrl-C for everybody on the program's console.
    Interrupt,
    /// `WM_CLOSE` for each of its windows.
    Close,
    /// `WM_QUIT` for each of its message queues.
    Quit,
}

/// What came of a rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RungOutcome {
    /// It ended.
    Ended,
    /// It did not end in time.
    Ignored,
    /// There was nobody to ask: no console, no window, no queue.
    Nobody,
    /// The system refused.
    Refused,
}
