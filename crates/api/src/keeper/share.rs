//! How much of the processors a program gets.

use serde::{Deserialize, Serialize};

/// How much of the processors a program gets; what is absent is as its keeper has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Whether others come first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// On which of the first 64 processors it may run, the lowest bit for the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processors: Option<u64>,
}

impl Share {
    /// Returns whether nothing is asked for.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether a program comes before others or after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Priority {
    /// When nobody else wants to run; nice 19.
    Idle,
    /// After others; nice 10.
    BelowNormal,
    /// As everybody; nice 0.
    Normal,
    /// Before others; nice -5.
    AboveNormal,
    /// Well before others; nice -10.
    High,
    /// Before everything, the system's own work included; nice -20.
    Realtime,
}
