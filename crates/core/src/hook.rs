//! Commands that run beside a program when something happens to its unit.

use std::{fmt, time::Duration};

use crate::check::CheckId;

/// How long most commands may take of which nothing else is written.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// When a command runs beside a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hook {
    /// Before each run; a run whose hook fails is not started.
    BeforeStart,
    /// Once a run is ready.
    AfterStart,
    /// Before a run is asked to leave.
    BeforeStop,
    /// After a run has ended that was asked to.
    AfterStop,
    /// After every end of a run.
    AfterExit,
    /// Before a run reads its configuration anew; one that fails forbids it.
    BeforeReload,
    /// Has a run read its configuration anew.
    Reload,
    /// After a segment of the log was closed.
    AfterRotate,
    /// After a run has failed or could not be started, or when its unit gave up.
    OnFailure,
    /// When a check or the watchdog turned bad.
    OnUnhealthy,
    /// When a check on memory turned bad.
    OnMemory,
    /// When the machine woke up.
    OnPowerResume,
    /// What a check has for itself. Its numbers are those of its name: they count on wherever it
    /// stands among the checks, and when it comes back.
    OfCheck(CheckId),
}

/// Names of hooks in the configuration, in events and in the names of logs.
const NAMES: [(&str, Hook); 12] = [
    ("before-start", Hook::BeforeStart),
    ("after-start", Hook::AfterStart),
    ("before-stop", Hook::BeforeStop),
    ("after-stop", Hook::AfterStop),
    ("after-exit", Hook::AfterExit),
    ("before-reload", Hook::BeforeReload),
    ("reload", Hook::Reload),
    ("after-rotate", Hook::AfterRotate),
    ("on-failure", Hook::OnFailure),
    ("on-unhealthy", Hook::OnUnhealthy),
    ("on-memory", Hook::OnMemory),
    ("on-power-resume", Hook::OnPowerResume),
];

impl Hook {
    /// Returns the hook of this name; hooks of checks have none.
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(own, _)| *own == name).map(|(_, hook)| *hook)
    }

    /// Returns all names.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// Returns how long one may take of which nothing else is written. What prepares a start may
    /// have a database to migrate: it is ended only when it hangs, and not because it works.
    pub const fn timeout(self) -> Duration {
        match self {
            Self::BeforeStart => Duration::from_hours(1),
            Self::AfterStart
            | Self::BeforeStop
            | Self::AfterStop
            | Self::AfterExit
            | Self::BeforeReload
            | Self::Reload
            | Self::AfterRotate
            | Self::OnFailure
            | Self::OnUnhealthy
            | Self::OnMemory
            | Self::OnPowerResume
            | Self::OfCheck(_) => TIMEOUT,
        }
    }

    /// Returns whether it is part of how a run ends.
    pub(crate) const fn is_of_an_end(self) -> bool {
        matches!(self, Self::BeforeStop | Self::AfterExit | Self::AfterStop)
    }

    /// Returns the run that one of this number belongs to; nothing when it may come again within a
    /// run, and is counted for itself. Of a failed run there are two at most: the other says that it
    /// was the last.
    pub const fn run_of(self, number: u64) -> Option<u64> {
        match self {
            Self::BeforeStart
            | Self::AfterStart
            | Self::BeforeStop
            | Self::AfterStop
            | Self::AfterExit => Some(number),
            Self::OnFailure => Some(number / 2),
            Self::BeforeReload
            | Self::Reload
            | Self::AfterRotate
            | Self::OnUnhealthy
            | Self::OnMemory
            | Self::OnPowerResume
            | Self::OfCheck(_) => None,
        }
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(_, hook)| hook == self) {
            Some((name, _)) => f.write_str(name),
            None => f.write_str("action"),
        }
    }
}

/// What the core needs to know of a hook; its command stays with the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HookPolicy {
    /// One that takes longer is ended: asked to leave, and killed when it does not.
    pub timeout: Duration,
}

impl Default for HookPolicy {
    fn default() -> Self {
        Self { timeout: TIMEOUT }
    }
}
