//! When a unit is ready, and how it is looked at from then on.

use std::time::Duration;

/// The most checks that one service may have.
pub const CHECKS_MAX: usize = 64;

/// When a run is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// What has to come first.
    pub by: ReadyBy,
    /// A run for which that, or a startup check, has not come so long after its start is stopped,
    /// and has failed. For its readiness checks it waits without a limit.
    pub timeout: Duration,
}

/// What makes a run ready, before its checks are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReadyBy {
    /// It executes.
    #[default]
    Started,
    /// It has run for so long.
    Delay(Duration),
    /// It says so.
    Notice,
    /// The host looks, again and again.
    Probe {
        /// How long after each look the next one follows.
        every: Duration,
        /// How long one look may take.
        timeout: Duration,
    },
}

/// How a unit is looked at; what is looked at stays with the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name, unique within the service.
    pub name: String,
    /// What its verdict is for.
    pub role: CheckRole,
    /// What it looks at, as far as that matters here.
    pub about: About,
    /// From the ready unit (of `startup`: from the program's start) to the first look.
    pub delay: Duration,
    /// From one look's beginning to the next; up to a twentieth more or less.
    pub every: Duration,
    /// How long a look may take.
    pub timeout: Duration,
    /// So many failures in a row make it bad.
    pub failures: u32,
    /// So many successes in a row make it good again.
    pub successes: u32,
    /// What follows when it turns bad.
    pub action: CheckAction,
}

/// Says which check of a service is meant, wherever it stands among the others: made of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckId(u64);

impl CheckId {
    /// Returns that of the check of this name (FNV-1a, 64 bits: the few names of a service meet
    /// by no accident).
    pub fn of(name: &str) -> Self {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(name.bytes().fold(0xcbf2_9ce4_8422_2325, step))
    }
}

/// What the verdict of a check is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CheckRole {
    /// The unit is not ready before it has passed; it is not looked at afterwards.
    Startup,
    /// Whether the program lives.
    #[default]
    Liveness,
    /// Whether others may rely on it.
    Readiness,
}

/// What a check looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum About {
    /// Something the host looks at.
    #[default]
    Answer,
    /// How much memory it takes: the host looks, and has a hook of its own.
    Memory,
    /// Whether it has said in time that it is alive: nobody has to look.
    Heartbeat,
}

/// What follows when a check turns bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CheckAction {
    /// The run is stopped by the ladder, has failed, and is followed by another.
    #[default]
    Restart,
    /// The unit is stopped, and has failed for good.
    Stop,
    /// Nothing but the mark.
    Mark,
    /// A command of the check's own.
    Run,
}

/// How a hang is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watchdog {
    /// A program that has not said for so long that it is alive hangs.
    pub every: Duration,
    /// What follows.
    pub action: CheckAction,
}

impl Default for Ready {
    fn default() -> Self {
        Self { by: ReadyBy::Started, timeout: Duration::from_secs(90) }
    }
}
