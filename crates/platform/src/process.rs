//! Processes that are known exactly: watched, signalled and asked for their end.
//!
//! Linux holds a process by its pidfd, Windows by its handle, both of which travel between
//! processes. macOS holds it by a queue that waits for its end: that does not travel
//! (`Process::duplicate` is `Unsupported`), and signals go by number.

#[cfg(target_os = "linux")]
#[path = "process/linux.rs"]
mod imp;
#[cfg(windows)]
#[path = "process/windows.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "process/macos.rs"]
mod imp;

#[cfg(any(target_os = "macos", test))]
mod arguments;
#[cfg(unix)]
mod unix;

use std::{collections::BTreeSet, io};

use crate::descriptor::Descriptor;
pub use imp::Process;
#[cfg(windows)]
pub(crate) use imp::{Job, MEMBERS_MAX, interrupt};
#[cfg(target_os = "linux")]
pub(crate) use imp::{environment_of, start_ticks_of, text_of};
#[cfg(target_os = "macos")]
pub(crate) use imp::{everybody, variables_of};

/// What tells one process from every other of this boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Identity {
    /// Its number, which the system uses again.
    pub pid: u32,
    /// When it was started, in the system's own unit; 0 where `serial` says more.
    pub started: u64,
    /// A number that is never used again in this boot, or 0 where the system has none.
    pub serial: u64,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It returned this code.
    Code(u32),
    /// This signal killed it.
    Signal(i32),
}

/// What can be sent to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignalKind {
    /// SIGTERM; Ctrl-C on Windows.
    Term,
    /// SIGINT; Ctrl-C on Windows.
    Interrupt,
    /// SIGHUP.
    Hangup,
    /// SIGQUIT.
    Quit,
    /// SIGUSR1.
    User1,
    /// SIGUSR2.
    User2,
    /// SIGKILL; termination on Windows.
    Kill,
    /// SIGSTOP; on Windows all threads are suspended, unless they are already.
    Stop,
    /// SIGCONT; on Windows all threads run again, if all are suspended.
    Continue,
    /// SIGABRT; termination on Windows.
    Abort,
}

impl Process {
    /// Returns the process with this identity, or nothing when it has ended; an error when nobody
    /// can tell.
    pub fn open(identity: Identity) -> io::Result<Option<Self>> {
        let Some(process) = Self::open_pid(identity.pid)? else { return Ok(None) };
        let found = process.identity();
        if found.is_unknown() && !process.has_ended() {
            return Err(io::Error::other("the system does not tell since when a process lives"));
        }
        Ok(found.is_same(identity).then_some(process))
    }
}

impl Identity {
    const fn is_unknown(self) -> bool {
        self.serial == 0 && self.started == 0
    }

    /// Returns whether both are of one process: a serial number decides where both have one.
    fn is_same(self, other: Self) -> bool {
        let is_serial = self.serial != 0 && other.serial != 0;
        self.pid == other.pid
            && if is_serial { self.serial == other.serial } else { self.started == other.started }
    }
}

/// What ties a process to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ties {
    /// The `MAINSTAY_ID` that it was started with.
    pub id: Option<String>,
    /// The number of its process group.
    pub group: u32,
    /// Its ancestors, the nearest first.
    pub ancestors: Vec<u32>,
}

/// Whether [`ties_of`] answers: on Linux, where a process that has lost its parent becomes a child
/// of ours.
pub const HAS_TIES: bool = cfg!(target_os = "linux");

/// Returns what ties a process to others; `Unsupported` where [`HAS_TIES`] says so.
pub fn ties_of(process: &Process) -> io::Result<Ties> {
    imp::ties_of(process)
}

/// Returns whether a descriptor that somebody else held is of this very process. Who cannot tell
/// says no.
pub fn is_of(descriptor: &Descriptor, identity: Identity) -> bool {
    imp::is_of(descriptor, identity)
}

/// Makes orphans of our programs our own children, so that none of them escapes notice.
///
/// Does nothing where the system has no such thing: on Windows jobs keep them together, on macOS
/// they become children of launchd.
pub fn become_subreaper() -> io::Result<()> {
    imp::become_subreaper()
}

/// What a look for orphans found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orphans {
    /// There are none.
    None,
    /// There may be some.
    Some,
}

/// Returns whether anybody but our own programs might have become our child.
///
/// Cheap: one system call. Must be called on the thread that starts no programs itself. Where
/// orphans do not become our children, the answer is always that there may be some.
pub fn orphans() -> Orphans {
    imp::orphans()
}

/// Returns every live process that carries `MAINSTAY_ID=id` in its environment.
///
/// Walks the whole process table; call it only when [`orphans`] says so. macOS hides the
/// environments of programs that are part of the system, such as `/bin/sh`, even from root:
/// [`led_by`] finds those as far as they stay in the run's group.
pub fn carrying(id: &str) -> io::Result<Vec<Process>> {
    imp::carrying(id)
}

/// Returns every live process that carries any of these, as [`carrying`] does for one: in one walk
/// where the process table has to be walked.
pub fn carrying_any(ids: &BTreeSet<&str>) -> io::Result<Vec<Process>> {
    imp::carrying_any(ids)
}

/// A process and the variables it was started with.
#[derive(Debug)]
pub struct Carrier {
    /// The process.
    pub process: Process,
    variables: Vec<Vec<u8>>,
}

impl Carrier {
    /// Returns the value of a variable, if it is text.
    pub fn variable(&self, name: &str) -> Option<&str> {
        let values =
            self.variables.iter().filter_map(|variable| std::str::from_utf8(variable).ok());
        values
            .filter_map(|variable| variable.split_once('='))
            .find(|pair| pair.0 == name)
            .map(|pair| pair.1)
    }
}

/// Returns every other live process of this machine or container that was started with
/// `NAME=value`.
///
/// Walks the whole process table. Returns nothing where the system keeps environments to itself.
pub fn started_with(name: &str, value: &str) -> io::Result<Vec<Carrier>> {
    imp::started_with(name, value)
}

/// Returns every live process in the group that `leader` led before it ended.
///
/// Finds what [`carrying`] cannot see, because the program has overwritten its environment, as
/// nginx does. Only groups of the caller's own session are looked at, and those that are a session
/// of their own: nobody but the caller's programs is there. Returns nothing where the system has
/// no groups.
pub fn led_by(leader: u32) -> io::Result<Vec<Process>> {
    imp::led_by(leader)
}

/// Returns whether a variable says that its process carries one of these.
#[cfg(unix)]
fn names_any(variable: &[u8], ids: &BTreeSet<&str>) -> bool {
    let id = variable.strip_prefix(b"MAINSTAY_ID=").and_then(|id| std::str::from_utf8(id).ok());
    id.is_some_and(|id| ids.contains(id))
}

/// A child that ended, as [`ended_child`] found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedChild {
    /// Its number; still reserved until it is reaped.
    pub pid: u32,
    /// How it ended.
    pub ended: Ended,
}

/// Returns a child of this thread that has ended and was not reaped yet, without reaping it.
///
/// Returns nothing where nobody but our own programs can become our child, Windows and macOS: their
/// ends are seen one by one.
pub fn ended_child() -> Option<EndedChild> {
    imp::ended_child()
}

/// Reaps a child that has ended, whoever it is.
pub fn reap(pid: u32) {
    imp::reap(pid);
}
