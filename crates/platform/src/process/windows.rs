//! Process handles, jobs and Ctrl-C.
//!
//! A handle keeps the exit code readable for everybody who holds one, so nothing is ever reaped.

#![expect(
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "the contract is that of systems where this can fail"
)]

#[path = "windows/freeze.rs"]
mod freeze;
#[path = "windows/interrupt.rs"]
pub(crate) mod interrupt;
#[path = "windows/job.rs"]
mod job;

use std::{
    collections::BTreeSet,
    io,
    os::windows::io::{AsRawHandle as _, OwnedHandle, RawHandle},
    time::Duration,
};

use windows_sys::Win32::{
    Foundation::{ERROR_INVALID_PARAMETER, FILETIME},
    System::Threading::{
        GetExitCodeProcess, GetProcessTimes, OpenProcess, PROCESS_DUP_HANDLE,
        PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SYNCHRONIZE, PROCESS_TERMINATE,
        TerminateProcess,
    },
};

use super::{Carrier, Ended, EndedChild, Identity, Orphans, SignalKind, Ties};
use crate::{
    port::{Sight, Watchable},
    usage::{Total, total_of},
    windows::{Inherit, duplicate, is, is_signalled, own, succeed, threads},
};

pub(crate) use job::{Job, MEMBERS_MAX};

/// The exit code of what we kill; Unix shells say 128 + SIGKILL.
const KILLED: u32 = 137;

const ACCESS: u32 = PROCESS_QUERY_LIMITED_INFORMATION
    | PROCESS_SYNCHRONIZE
    | PROCESS_TERMINATE
    | PROCESS_DUP_HANDLE;

/// A process, held by its handle, with its job when we started it.
#[derive(Debug)]
pub struct Process {
    handle: OwnedHandle,
    /// The first thread of a program that we started.
    thread: Option<OwnedHandle>,
    job: Option<Job>,
    identity: Identity,
}

impl Process {
    pub(crate) fn from_child(
        pid: u32,
        [handle, thread]: [OwnedHandle; 2],
        job: Option<Job>,
    ) -> Self {
        let identity = identity_of(pid, &handle);
        Self { handle, thread: Some(thread), job, identity }
    }

    /// Takes a process over by a handle that somebody else held.
    pub const fn from_descriptor(handle: OwnedHandle, identity: Identity) -> Self {
        Self { handle, thread: None, job: None, identity }
    }

    /// Returns whoever has this number, or nothing when it is free.
    #[expect(unsafe_code, reason = "OpenProcess")]
    pub fn open_pid(pid: u32) -> io::Result<Option<Self>> {
        // SAFETY: no memory is involved.
        let raw = unsafe { OpenProcess(ACCESS, 0, pid) };
        // SAFETY: the handle is new or null.
        match unsafe { own(raw) } {
            Ok(handle) => {
                let identity = identity_of(pid, &handle);
                Ok(Some(Self { handle, thread: None, job: None, identity }))
            }
            Err(error) if is(&error, ERROR_INVALID_PARAMETER) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns what tells this process from every other.
    pub const fn identity(&self) -> Identity {
        self.identity
    }

    /// Returns the process's number.
    pub const fn pid(&self) -> u32 {
        self.identity.pid
    }

    /// Returns true: there are no groups, and the first member of a job is its program.
    pub const fn leads_group(&self) -> bool {
        true
    }

    /// Returns another handle of the same process.
    pub fn duplicate(&self) -> io::Result<OwnedHandle> {
        duplicate(self.raw(), Inherit::No)
    }

    pub(crate) fn raw(&self) -> RawHandle {
        self.handle.as_raw_handle()
    }

    /// Sends a signal to the process; one that is gone already is a success.
    ///
    /// Ctrl-C reaches everything on the program's console, which is its own.
    pub fn signal(&self, kind: SignalKind) -> io::Result<()> {
        if self.has_ended() {
            return Ok(());
        }
        match kind {
            SignalKind::Kill | SignalKind::Abort => self.terminate(),
            SignalKind::Term | SignalKind::Interrupt => {
                interrupt::interrupt(self.pid(), self.age())
            }
            SignalKind::Stop => freeze::freeze(self.pid()),
            SignalKind::Continue => freeze::thaw(self.pid()),
            SignalKind::Hangup | SignalKind::Quit | SignalKind::User1 | SignalKind::User2 => {
                Err(io::ErrorKind::Unsupported.into())
            }
        }
    }

    /// Lets a program run that was born suspended; one that runs already is left alone.
    pub fn release(&self) -> io::Result<()> {
        match &self.thread {
            Some(thread) => threads::resume(thread.as_raw_handle()),
            None => threads::resume_all(self.pid()),
        }
    }

    pub(crate) fn age(&self) -> Duration {
        let ticks = filetime_now().saturating_sub(self.identity.started);
        Duration::from_nanos(ticks.saturating_mul(100))
    }

    #[expect(unsafe_code, reason = "TerminateProcess")]
    fn terminate(&self) -> io::Result<()> {
        // SAFETY: the handle is ours and open for it.
        let done = succeed(unsafe { TerminateProcess(self.raw(), KILLED) });
        // It may have ended between the question and the call.
        if self.has_ended() { Ok(()) } else { done }
    }

    /// Sends a signal to the process and everything in its job.
    ///
    /// The job of a process that somebody else started is not known: only the process is killed.
    pub fn signal_group(&self, kind: SignalKind) -> io::Result<()> {
        match (&self.job, kind) {
            (Some(job), SignalKind::Kill | SignalKind::Abort) => job.terminate(KILLED),
            _ => self.signal(kind),
        }
    }

    /// Does as [`signal_group`](Self::signal_group), which knows no groups; returns no number.
    pub fn signal_group_around(&self, kind: SignalKind) -> io::Result<u32> {
        self.signal_group(kind).map(|()| 0)
    }

    /// Returns how the process ended; nothing while it runs.
    #[expect(unsafe_code, reason = "GetExitCodeProcess")]
    pub fn ended(&self) -> io::Result<Option<Ended>> {
        if !self.has_ended() {
            return Ok(None);
        }
        let mut code = 0;
        // SAFETY: the handle is open for it; `code` is valid for writes.
        succeed(unsafe { GetExitCodeProcess(self.raw(), &raw mut code) })?;
        Ok(Some(Ended::Code(code)))
    }

    /// Returns how the process ended and what it has used; nothing while it runs.
    pub fn ended_and_used(&self) -> io::Result<Option<(Ended, Option<Total>)>> {
        Ok(self.ended()?.map(|ended| (ended, total_of(self).ok())))
    }

    /// Does nothing: the number is free when the last handle is closed.
    pub const fn reap(&self) {}

    /// Returns whether the process has ended, be it our child or not.
    pub fn has_ended(&self) -> bool {
        is_signalled(self.raw())
    }

    /// Returns how somebody else's child ended.
    pub fn ended_elsewhere(&self) -> Option<Ended> {
        self.ended().ok().flatten()
    }
}

impl Watchable for Process {
    fn reading(&self) -> io::Result<Sight> {
        Ok(Sight(self.raw()))
    }
}

/// Says that nobody can tell.
pub(super) fn ties_of(_process: &Process) -> io::Result<Ties> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Says that nobody can tell.
pub(super) const fn is_of(_descriptor: &OwnedHandle, _identity: Identity) -> bool {
    false
}

/// Does nothing: jobs keep programs and their descendants together.
pub(super) const fn become_subreaper() -> io::Result<()> {
    Ok(())
}

/// Says that a job has to be asked.
pub(super) const fn orphans() -> Orphans {
    Orphans::Some
}

/// Does nothing: ends are seen by handles.
pub(super) const fn ended_child() -> Option<EndedChild> {
    None
}

pub(super) const fn reap(_pid: u32) {}

/// Returns what lives in the job of this name, but for the consoles that the system adds.
pub(super) fn carrying(id: &str) -> io::Result<Vec<Process>> {
    let Some(job) = Job::open(id)? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for pid in job.members()? {
        let Ok(Some(process)) = Process::open_pid(pid) else { continue };
        if !process.has_ended() && !job::is_console_host(process.raw()) {
            found.push(process);
        }
    }
    Ok(found)
}

pub(super) fn carrying_any(ids: &BTreeSet<&str>) -> io::Result<Vec<Process>> {
    let mut found = Vec::new();
    for id in ids {
        found.extend(carrying(id)?);
    }
    Ok(found)
}

#[expect(clippy::unnecessary_wraps, reason = "one contract for every system")]
pub(super) const fn started_with(_name: &str, _value: &str) -> io::Result<Vec<Carrier>> {
    Ok(Vec::new())
}

#[expect(clippy::unnecessary_wraps, reason = "one contract for every system")]
pub(super) const fn led_by(_leader: u32) -> io::Result<Vec<Process>> {
    Ok(Vec::new())
}

#[expect(unsafe_code, reason = "GetProcessTimes")]
fn identity_of(pid: u32, handle: &OwnedHandle) -> Identity {
    let mut times = [FILETIME::default(); 4];
    let [created, ended, kernel, user] = &mut times;
    // SAFETY: the handle is open for it; all four are valid for writes.
    unsafe { GetProcessTimes(handle.as_raw_handle(), created, ended, kernel, user) };
    let started = u64::from(created.dwHighDateTime) << 32 | u64::from(created.dwLowDateTime);
    Identity { pid, started, serial: 0 }
}

/// Returns the time of day in the unit of creation times.
fn filetime_now() -> u64 {
    /// Between 1601 and 1970, in units of 100 ns.
    const UNIX_EPOCH: u64 = 116_444_736_000_000_000;
    crate::clock::realtime_nanos() / 100 + UNIX_EPOCH
}
