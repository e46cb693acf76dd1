//! What the core needs to know of a service; everything else about it stays with the host.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    check::{Check, Ready, Watchdog},
    exit::Exit,
    hook::{Hook, HookPolicy},
    name::ServiceName,
};

/// A service as the core sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: ServiceName,
    /// Whether it is meant to run for ever.
    pub nature: Nature,
    /// When it is started without being asked.
    pub start: StartType,
    /// How many units it has, from 1.
    pub instances: u32,
    /// Must be ready before this starts; their stop stops this.
    pub requires: Vec<ServiceName>,
    /// Are started with this and ordered before it, but may fail.
    pub wants: Vec<ServiceName>,
    /// Are ready before this starts, if they are started at all.
    pub after: Vec<ServiceName>,
    /// Never run at the same time as this; starting one stops the other.
    pub conflicts: Vec<ServiceName>,
    /// What binds it to others beyond an order.
    pub bonds: Bonds,
    /// What follows an exit.
    pub restart: RestartPolicy,
    /// How it is stopped.
    pub stop: StopPolicy,
    /// How it is looked after while it runs.
    pub care: Care,
    /// Opaque: units whose run was started with another hash are restarted on change.
    pub spec_hash: u64,
}

/// What binds a service to others, and to the machine, beyond an order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bonds {
    /// Are required; when nothing of one is ready any more, for whatever reason, this stops, too, and
    /// comes back with it.
    pub binds_to: Vec<ServiceName>,
    /// An operator who stops or restarts one of them stops or restarts this as well.
    pub part_of: Vec<ServiceName>,
    /// It is started only while the machine is on a network.
    pub network: bool,
}

/// How a service is looked after: of it, nothing needs another run when it changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Care {
    /// When a run is ready.
    pub ready: Ready,
    /// How it is looked at, in the order of the configuration; at most
    /// [`CHECKS_MAX`](crate::check::CHECKS_MAX).
    pub checks: Vec<Check>,
    /// How a hang is noticed, if at all.
    pub watchdog: Option<Watchdog>,
    /// Which commands run beside it.
    pub hooks: BTreeMap<Hook, HookPolicy>,
    /// How it reads its configuration anew, if it can.
    pub reload: Option<ReloadBy>,
}

/// How a program is told to read its configuration anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReloadBy {
    /// By a signal; that it has arrived is all one knows.
    Signal,
    /// By a signal; it says when it is done.
    Notice,
    /// By a command: the hook [`Hook::Reload`].
    Command,
}

/// Whether a service is meant to run for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Nature {
    /// It is meant to run for ever.
    #[default]
    Daemon,
    /// It does its work and ends; it is ready when it is `completed`, and not while it runs.
    Task,
}

/// When a service is started without being asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StartType {
    /// With the agent.
    #[default]
    Auto,
    /// With the agent, after everything of `Auto` has come to rest or this long has passed.
    Delayed,
    /// On request or when required.
    Manual,
    /// Never; a request is refused.
    Disabled,
}

/// What follows an exit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestartPolicy {
    /// Which exits are followed by another run, unless `exits` says otherwise.
    pub when: RestartWhen,
    /// Exceptions by exit.
    pub exits: BTreeMap<ExitKey, ExitAction>,
    /// How long to wait before each attempt.
    pub delays: Delays,
    /// A run at least this long wipes out earlier failures.
    pub reset_after: Duration,
    /// How many starts within `within` lead to `failed`; 0 means never give up.
    pub limit: u32,
    /// The window of `limit`.
    pub within: Duration,
}

/// Which exits are followed by another run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RestartWhen {
    /// Every exit.
    #[default]
    Always,
    /// Exits that are no success.
    OnFailure,
    /// None.
    Never,
}

/// An exit that has an action of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExitKey {
    /// This code.
    Code(u32),
    /// This signal.
    Signal(i32),
    /// Every exit that is no success and has no entry of its own.
    Failure,
}

/// What an exit of the table leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitAction {
    /// Another run.
    Restart,
    /// Rest: `stopped`, or `completed` for a task.
    Stop,
    /// `failed`, without further attempts.
    Fail,
    /// The end of the whole instance, which ends as this run has.
    Exit,
}

/// How long to wait before each attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delays {
    /// `min(max, first · 2ⁿ)` with half jitter: uniform in `[d/2, d]`. Zero stays zero.
    Exponential {
        /// The delay after the first failure, before jitter.
        first: Duration,
        /// No delay is longer.
        max: Duration,
    },
    /// One after the other, without jitter; the last repeats.
    List(Vec<Duration>),
}

/// How a unit is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StopPolicy {
    /// How long after the polite request the unit is killed.
    pub timeout: Duration,
    /// How long after a kill it is killed again.
    pub kill_again: Duration,
}

impl Service {
    /// Returns what is left of a service that vanished from the configuration: its units run on,
    /// and are not started again.
    #[must_use]
    pub fn retire(self) -> Self {
        let restart = RestartPolicy { when: RestartWhen::Never, ..RestartPolicy::default() };
        let (requires, wants, after, conflicts) = Default::default();
        let bonds = Bonds::default();
        Self { requires, wants, after, conflicts, bonds, restart, ..self }
    }
}

impl RestartPolicy {
    /// Returns the entry of the table for `exit`.
    pub fn action_of(&self, exit: Exit) -> Option<ExitAction> {
        let key = match exit {
            Exit::Code(code) => Some(ExitKey::Code(code)),
            Exit::Signal(signal) => Some(ExitKey::Signal(signal)),
            Exit::Unknown => None,
        };
        let own = key.and_then(|key| self.exits.get(&key));
        let of_failures = || self.exits.get(&ExitKey::Failure).filter(|_| !exit.is_success());
        own.or_else(of_failures).copied()
    }
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            when: RestartWhen::Always,
            exits: BTreeMap::new(),
            delays: Delays::Exponential {
                first: Duration::from_millis(200),
                max: Duration::from_mins(1),
            },
            reset_after: Duration::from_secs(30),
            limit: 0,
            within: Duration::from_mins(10),
        }
    }
}

impl Default for StopPolicy {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(30), kill_again: Duration::from_secs(5) }
    }
}
