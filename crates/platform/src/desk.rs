//! Where a service hears what is asked of it and says where it is: the service control manager of
//! Windows, systemd, or a console.
//!
//! ```text
//! manager or signals ──orders──▶ service ──reports──▶ Desk ──▶ manager, notify socket, nobody
//! ```
//!
//! Whoever asks is only ever heard: the handler posts an order and returns at once.

#[cfg(unix)]
#[path = "desk/unix.rs"]
mod imp;
#[cfg(windows)]
#[path = "desk/windows.rs"]
mod imp;

use std::{io, time::Duration};

/// Who has started this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Somebody at a terminal, or a program.
    Console,
    /// The service control manager of Windows.
    Manager,
    /// systemd, or whoever speaks its notify protocol.
    Systemd,
}

/// The number by which the manager of Windows passes [`Order::Leave`] on.
pub const LEAVE: u32 = 200;

/// What is asked of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// To stop.
    Stop,
    /// To stop, because the machine is about to.
    ShutDown,
    /// To read its configuration again.
    Reload,
    /// To go on after the machine has slept: clocks have jumped, connections are gone.
    Resumed,
    /// To end without ending what it has started; a successor takes that over.
    Leave,
}

/// Where a service is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It is about to serve.
    Starting,
    /// It serves.
    Running,
    /// It serves, and reads its configuration again.
    Reloading,
    /// It is about to end.
    Stopping,
    /// It is about to end without ending what it has started, unless it cannot.
    Leaving,
    /// It has ended.
    Ended(Exit),
}

/// How a service ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// As it was asked to.
    Done,
    /// The system has a number for it.
    System(u32),
    /// Only the service knows what the number means.
    Own(u32),
}

/// What a service says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// Where it is.
    pub stage: Stage,
    /// Grows with each sign of life in one stage.
    pub checkpoint: u32,
    /// How long it may take until the next sign of life.
    pub wait_hint: Duration,
}

/// Takes reports.
#[derive(Debug)]
pub struct Desk {
    reporter: imp::Reporter,
    arguments: Vec<String>,
}

impl Desk {
    /// Returns what the service was started with, beside its command line. Only the manager of
    /// Windows has such arguments.
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// Returns whether somebody has asked for this start, who waits for its outcome; else the
    /// system has, at boot, where a failure may pass by itself.
    pub fn was_asked_for(&self) -> bool {
        self.reporter.was_asked_for()
    }

    /// Says where the service is.
    pub fn report(&self, report: &Report) -> io::Result<()> {
        self.reporter.report(report)
    }
}

/// Returns who has started this process.
///
/// The manager of Windows is known by being the parent, never by calling its dispatcher, which
/// blocks for ten seconds where there is no manager yet.
pub fn manner() -> Manner {
    imp::manner()
}

/// Calls `body` with the desk of this process; returns when `body` has.
///
/// Orders go to `post`, in whatever thread they come; it must return at once. Under the manager of
/// Windows `body` runs in a thread of the manager's, `name` is the service's, and after the report
/// of the end this process may be ended at any moment. Must be called from the main thread before
/// any other thread is started: elsewhere signals are turned into orders.
pub fn serve(
    manner: Manner,
    name: &str,
    post: impl Fn(Order) + Send + Sync + 'static,
    body: impl FnOnce(Desk) + Send + 'static,
) -> io::Result<()> {
    imp::serve(manner, name, Box::new(post), Box::new(body))
}

/// What hears orders.
type Post = Box<dyn Fn(Order) + Send + Sync>;
/// What [`serve`] calls.
type Body = Box<dyn FnOnce(Desk) + Send>;
