//! Where programs' output goes, and what becomes of it.

use serde::{Deserialize, Serialize};

/// Where a program's output goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logs {
    /// Folder of the unit's segments; unused with [`Streams::Off`].
    pub directory: String,
    /// How stdout and stderr are captured.
    pub streams: Streams,
    /// A segment is closed at the first line end past this size; 0 means never.
    pub max_size: u64,
    /// A segment holds lines of one such span of time, in seconds since 1970; 0 means of any. A
    /// keeper that does not know it closes by size alone.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub every_s: u64,
    /// What to do when the disk is full.
    pub on_full: OnFull,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// How stdout and stderr are captured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Streams {
    /// One pipe, one chain of segments, exact order.
    #[default]
    Joined,
    /// Two pipes, two chains, merged by time on reading.
    Split,
    /// Output is discarded.
    Off,
}

/// What to do when the log's disk is full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFull {
    /// The program waits until there is room.
    #[default]
    Block,
    /// The unit's oldest closed segments are deleted.
    DropOldest,
    /// What the program writes is discarded and counted.
    DropNew,
}

/// Where the bytes of an ended run stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drained {
    /// The unit's name.
    pub unit: String,
    /// The run.
    pub run: u64,
    /// The segment's number.
    pub segment: u64,
    /// The offset behind its last byte.
    pub offset: u64,
}

/// A segment was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotated {
    /// The unit's name.
    pub unit: String,
    /// The chain's stem, as in the file name.
    pub chain: String,
    /// The number of the closed segment.
    pub segment: u64,
}

/// Something about a unit's logs is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pressure {
    /// The unit's name.
    pub unit: String,
    /// What happened.
    pub kind: PressureKind,
    /// How many bytes or pipes it concerns.
    pub count: u64,
    /// The system's words, for people.
    pub message: String,
}

/// Kinds of pressure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PressureKind {
    /// The disk is full.
    DiskFull,
    /// The disk takes nothing for another reason, which the message names: nothing is dropped for
    /// it.
    DiskFailed,
    /// It takes bytes again.
    DiskRoom,
    /// Old segments were deleted to make room.
    DroppedOldest,
    /// New output was discarded.
    DroppedNew,
    /// The pipe of an old run was closed although somebody still held it.
    LingeringClosed,
}
