//! Kernel queues that wait for one process, libproc, and process groups.
//!
//! A [`Process`] is a queue in which nothing but the end of one process is registered. It can be
//! read from that moment on, so it is watched and polled like a pidfd; but it does not travel to
//! other processes, and signals go by number, after a look whether the number is still the same
//! process.

#![expect(clippy::unused_self, reason = "the contract is that of systems with pidfds")]

#[path = "macos/table.rs"]
mod table;

use std::{
    collections::BTreeSet,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::{
    event::kqueue::{EventFilter, EventFlags, ProcessEvents},
    io::Errno,
    process::{
        Pid, WaitId, WaitIdOptions, getpgid, getsid, kill_process, kill_process_group, waitid,
    },
};

use self::table::Environments;
pub(crate) use self::table::everybody;
use super::{
    Carrier, Ended, EndedChild, Identity, Orphans, SignalKind, Ties,
    unix::{ended, native, number, unless_gone},
};
use crate::macos::{add_trigger, change, queue, trigger};
use crate::usage::Total;

/// A process, held by a queue that waits for its end.
#[derive(Debug)]
pub struct Process {
    queue: OwnedFd,
    identity: Identity,
}

/// Waits for the end of a process in `queue`; returns whether it has come already.
fn await_end(queue: &OwnedFd, number: Pid) -> io::Result<bool> {
    let end = EventFilter::Proc { pid: number, flags: ProcessEvents::EXIT };
    match change(queue, end, EventFlags::ADD, 0) {
        Ok(()) => Ok(false),
        Err(Errno::SRCH) => {
            add_trigger(queue, EventFlags::empty())?;
            trigger(queue)?;
            Ok(true)
        }
        Err(errno) => Err(errno.into()),
    }
}

/// Returns the variables that a process was started with; none where the system hides them.
pub(crate) fn variables_of(pid: u32) -> Vec<Vec<u8>> {
    Environments::new().of(pid)
}

fn identity_of(pid: u32) -> Identity {
    Identity { pid, started: table::started(pid).unwrap_or_default(), serial: 0 }
}

impl Process {
    /// Takes a child that has just been started; `queue` is empty and was made before it, so that
    /// a lack of descriptors is noticed while nothing has begun.
    pub(crate) fn from_child(pid: u32, queue: OwnedFd) -> io::Result<Self> {
        if let Some(number) = number(pid) {
            await_end(&queue, number)?;
        }
        Ok(Self { queue, identity: identity_of(pid) })
    }

    /// Takes a process over by a descriptor that somebody else held.
    ///
    /// Nobody has one to give, because [`duplicate`](Self::duplicate) refuses.
    pub const fn from_descriptor(queue: OwnedFd, identity: Identity) -> Self {
        Self { queue, identity }
    }

    /// Returns whoever has this number, or nothing when it is free.
    pub fn open_pid(pid: u32) -> io::Result<Option<Self>> {
        let Some(number) = number(pid) else { return Ok(None) };
        let queue = queue()?;
        let has_ended = await_end(&queue, number)?;
        // Asked after the registration: a number that is used again cannot be mistaken.
        let identity = identity_of(pid);
        let is_free = has_ended && identity.started == 0;
        Ok((!is_free).then_some(Self { queue, identity }))
    }

    /// Returns what tells this process from every other.
    pub const fn identity(&self) -> Identity {
        self.identity
    }

    /// Returns the process's number.
    pub const fn pid(&self) -> u32 {
        self.identity.pid
    }

    /// Returns whether it leads a process group, as programs do and their children do not.
    pub fn leads_group(&self) -> bool {
        let number = number(self.identity.pid);
        number.is_some_and(|me| getpgid(Some(me)).is_ok_and(|group| group == me))
    }

    /// Refuses: queues stay in the process that made them.
    pub fn duplicate(&self) -> io::Result<OwnedFd> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Does nothing: programs begin by themselves here.
    #[expect(clippy::unnecessary_wraps, reason = "one contract for every system")]
    pub const fn release(&self) -> io::Result<()> {
        Ok(())
    }

    /// Sends a signal to the process; one that is gone already is a success.
    ///
    /// By its number: one that is reaped by somebody else and used again between the look and the
    /// signal would be hit.
    pub fn signal(&self, kind: SignalKind) -> io::Result<()> {
        match number(self.identity.pid) {
            Some(number) if !self.has_ended() => unless_gone(kill_process(number, native(kind))),
            _ => Ok(()),
        }
    }

    /// Sends a signal to the group that the process leads; it must not have been reaped yet.
    pub fn signal_group(&self, kind: SignalKind) -> io::Result<()> {
        let Some(group) = number(self.identity.pid).filter(|_| self.is_current()) else {
            return Ok(());
        };
        match kill_process_group(group, native(kind)) {
            // The answer for a group of which only the dead leader is left.
            Err(Errno::PERM) if self.has_ended() => Ok(()),
            sent => unless_gone(sent),
        }
    }

    /// Returns whether the number has not become another process's, as far as can be seen: those
    /// of other users cannot.
    fn is_current(&self) -> bool {
        let started = table::started(self.identity.pid);
        started.is_none_or(|started| started == self.identity.started)
    }

    /// Returns how our own child ended, without reaping it; nothing while it runs.
    pub fn ended(&self) -> io::Result<Option<Ended>> {
        let Some(number) = number(self.identity.pid) else { return Ok(None) };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | self.patience();
        Ok(waitid(WaitId::Pid(number), options)?.as_ref().and_then(ended))
    }

    /// Returns how our own child ended; what it has used, nobody tells here.
    pub fn ended_and_used(&self) -> io::Result<Option<(Ended, Option<Total>)>> {
        Ok(self.ended()?.map(|ended| (ended, None)))
    }

    /// Does as [`signal_group`](Self::signal_group): programs are followed nowhere here.
    pub fn signal_group_around(&self, kind: SignalKind) -> io::Result<u32> {
        self.signal_group(kind).map(|()| 0)
    }

    /// Reaps our own child, after which its number may be used again.
    pub fn reap(&self) {
        let Some(number) = number(self.identity.pid) else { return };
        let _ = waitid(WaitId::Pid(number), WaitIdOptions::EXITED | self.patience());
    }

    /// The end is announced a moment before the status can be fetched: that moment is waited for,
    /// and nothing else.
    fn patience(&self) -> WaitIdOptions {
        let is_about_to = self.is_announced() && self.is_current();
        if is_about_to { WaitIdOptions::empty() } else { WaitIdOptions::NOHANG }
    }

    /// Returns whether the process has ended, be it our child or not.
    pub fn has_ended(&self) -> bool {
        self.is_announced() || self.is_waited_for()
    }

    fn is_announced(&self) -> bool {
        let mut poll = [rustix::event::PollFd::new(&self.queue, rustix::event::PollFlags::IN)];
        let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        rustix::event::poll(&mut poll, Some(&now)).is_ok_and(|ready| ready > 0)
    }

    /// Returns whether it is our own child and can be reaped.
    fn is_waited_for(&self) -> bool {
        let Some(number) = number(self.identity.pid) else { return false };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        matches!(waitid(WaitId::Pid(number), options), Ok(Some(_)))
    }

    /// Returns nothing: a status is its parent's alone.
    pub const fn ended_elsewhere(&self) -> Option<Ended> {
        None
    }
}

impl AsFd for Process {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.queue.as_fd()
    }
}

/// Says that nobody can tell: who has lost its parent becomes a child of launchd.
pub(super) fn ties_of(_process: &Process) -> io::Result<Ties> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Says that nobody can tell: the end of a process is waited for, not the process held.
pub(super) const fn is_of(_descriptor: &OwnedFd, _identity: Identity) -> bool {
    false
}

/// Does nothing: orphans become children of launchd.
#[expect(clippy::unnecessary_wraps, reason = "one contract for every system")]
pub(super) const fn become_subreaper() -> io::Result<()> {
    Ok(())
}

/// Says that the process table has to be asked.
pub(super) const fn orphans() -> Orphans {
    Orphans::Some
}

/// Does nothing: ends are seen by queues, and no stranger becomes our child.
pub(super) const fn ended_child() -> Option<EndedChild> {
    None
}

pub(super) fn reap(pid: u32) {
    let Some(number) = number(pid) else { return };
    let _ = waitid(WaitId::Pid(number), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
}

pub(super) fn carrying(id: &str) -> io::Result<Vec<Process>> {
    let wanted = format!("MAINSTAY_ID={id}").into_bytes();
    let mut environments = Environments::new();
    Ok(alive(everybody()?, |pid| environments.of(pid).contains(&wanted)))
}

pub(super) fn carrying_any(ids: &BTreeSet<&str>) -> io::Result<Vec<Process>> {
    let mut environments = Environments::new();
    let names_any = |variable: &Vec<u8>| super::names_any(variable, ids);
    Ok(alive(everybody()?, |pid| environments.of(pid).iter().any(names_any)))
}

pub(super) fn started_with(name: &str, value: &str) -> io::Result<Vec<Carrier>> {
    let wanted = format!("{name}={value}").into_bytes();
    let own = std::process::id();
    let mut environments = Environments::new();
    let found = alive(everybody()?, |pid| pid != own && environments.of(pid).contains(&wanted));
    let carrier = |process: Process| {
        let variables = environments.of(process.pid());
        Carrier { process, variables }
    };
    Ok(found.into_iter().map(carrier).collect())
}

pub(super) fn led_by(leader: u32) -> io::Result<Vec<Process>> {
    let Some(group) = number(leader) else { return Ok(Vec::new()) };
    // The number of a group that has members is not used again: whoever lives under it now is a
    // stranger, and the group is gone.
    if Process::open_pid(leader)?.is_some_and(|process| !process.has_ended()) {
        return Ok(Vec::new());
    }
    let own = getsid(None)?;
    Ok(alive(table::members(leader)?, |pid| {
        let member = number(pid);
        let is_in_session = getsid(member).is_ok_and(|session| [own, group].contains(&session));
        member.is_some() && is_in_session && getpgid(member).is_ok_and(|led| led == group)
    }))
}

/// Returns those of whom the question is answered with yes, before they are opened and after: a
/// number that is used again meanwhile is not mistaken.
fn alive(pids: Vec<u32>, mut is_meant: impl FnMut(u32) -> bool) -> Vec<Process> {
    let mut found = Vec::new();
    for pid in pids {
        if !is_meant(pid) {
            continue;
        }
        let Ok(Some(process)) = Process::open_pid(pid) else { continue };
        if is_meant(pid) && !process.has_ended() {
            found.push(process);
        }
    }
    found
}
