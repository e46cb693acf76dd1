//! Children that are no runs: they are killed, and reaped once they have ended.
//!
//! Nobody watches them, so that they are looked at again and again. Each has its number until it
//! is reaped, which nobody else does: orphans are told apart by their thread.

use std::time::Duration;

use mainstay_platform::process::{Process, SignalKind};

use crate::note::complain;

/// How often they are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Discarded {
    children: Vec<Child>,
    next_at: Option<Duration>,
}

#[derive(Debug)]
enum Child {
    /// It is known by its number only, for want of a descriptor.
    Numbered(u32),
    /// It was killed.
    Killed(Process),
}

impl Discarded {
    /// Kills a child that we hold.
    pub(crate) fn add(&mut self, process: Process, now: Duration) {
        self.children.push(Child::killed(process));
        self.next_at = Some(now + LOOK_EVERY);
    }

    /// Kills a child by its number, which nobody has reaped.
    pub(crate) fn add_number(&mut self, pid: u32, now: Duration) {
        self.children.push(Child::Numbered(pid));
        self.look(now);
    }

    /// Reaps those that have ended.
    pub(crate) fn look(&mut self, now: Duration) {
        if self.children.is_empty() {
            return;
        }
        let children = std::mem::take(&mut self.children);
        self.children = children.into_iter().filter_map(Child::look).collect();
        self.next_at = (!self.children.is_empty()).then_some(now + LOOK_EVERY);
    }

    /// Returns when to look again.
    pub(crate) const fn next_deadline(&self) -> Option<Duration> {
        self.next_at
    }
}

impl Child {
    fn killed(process: Process) -> Self {
        if let Err(error) = process.signal_group(SignalKind::Kill) {
            complain("cannot kill a program that nobody watches", &error);
        }
        Self::Killed(process)
    }

    /// Returns the child as long as there is something left to do.
    fn look(self) -> Option<Self> {
        match self {
            Self::Killed(process) if process.has_ended() => {
                process.reap();
                None
            }
            Self::Killed(process) => Some(Self::Killed(process)),
            Self::Numbered(pid) => match Process::open_pid(pid) {
                Ok(process) => process.map(Self::killed),
                Err(_) => Some(Self::Numbered(pid)),
            },
        }
    }
}
