//! pidfds, process groups and `/proc`.

#[path = "linux/end.rs"]
mod end;
#[path = "linux/text.rs"]
mod text;
#[path = "linux/ties.rs"]
mod ties;

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read as _},
    os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd},
    time::Duration,
};

use rustix::{
    io::Errno,
    process::{
        PidfdFlags, Signal, WaitId, WaitIdOptions, getsid, kill_process_group, pidfd_open,
        pidfd_send_signal, waitid,
    },
};

use super::{
    Carrier, Ended, EndedChild, Identity, Orphans, SignalKind,
    unix::{ended, native, number, unless_gone},
};
use crate::shortage::is_shortage;

use crate::usage::Total;

pub(crate) use text::text_of;
pub(super) use ties::ties_of;

/// `PIDFS_MAGIC`: pidfds have serial numbers of their own from Linux 6.9 on.
const PIDFS_MAGIC: u64 = 0x5049_4446;
/// Fields of `/proc/PID/stat` by their numbers in proc(5).
const STATE: usize = 3;
const PARENT: usize = 4;
const GROUP: usize = 5;
const SESSION: usize = 6;
const STARTED: usize = 22;
/// Whoever has no environment is asked so often again, and so often while it executes.
const EMPTY_LOOKS: usize = 5;
const EXEC_LOOKS_MAX: usize = 50;
const EXEC_LOOK_EVERY: Duration = Duration::from_millis(1);
/// Room for an environment of usual size, and for the largest the kernel allows.
const ENVIRONMENT_BYTES: usize = 32 * 1024;
const ENVIRONMENT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// `__WNOTHREAD`: only children of the calling thread.
const OWN_THREAD: WaitIdOptions = WaitIdOptions::from_bits_retain(0x2000_0000);

/// A process, held by its pidfd.
#[derive(Debug)]
pub struct Process {
    pidfd: OwnedFd,
    identity: Identity,
}

impl Process {
    pub(crate) fn from_child(pid: u32, pidfd: OwnedFd) -> Self {
        let identity = identity_of(pid, &pidfd);
        Self { pidfd, identity }
    }

    /// Takes a process over by a descriptor that somebody else held.
    pub const fn from_descriptor(pidfd: OwnedFd, identity: Identity) -> Self {
        Self { pidfd, identity }
    }

    /// Returns whoever has this number, or nothing when it is free.
    pub fn open_pid(pid: u32) -> io::Result<Option<Self>> {
        let Some(number) = number(pid) else { return Ok(None) };
        match pidfd_open(number, PidfdFlags::empty()) {
            Ok(pidfd) => Ok(Some(Self::from_child(pid, pidfd))),
            Err(Errno::SRCH | Errno::INVAL) => Ok(None),
            Err(errno) => Err(errno.into()),
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

    /// Returns whether it leads a process group, as programs do and their children do not.
    pub fn leads_group(&self) -> bool {
        let number = number(self.identity.pid);
        number.is_some_and(|me| rustix::process::getpgid(Some(me)).is_ok_and(|group| group == me))
    }

    /// Returns another descriptor of the same process.
    pub fn duplicate(&self) -> io::Result<OwnedFd> {
        self.pidfd.try_clone()
    }

    /// Does nothing: programs begin by themselves here.
    #[expect(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "the contract is that of a system where they are held"
    )]
    pub const fn release(&self) -> io::Result<()> {
        Ok(())
    }

    /// Sends a signal to the process; one that is gone already is a success.
    pub fn signal(&self, kind: SignalKind) -> io::Result<()> {
        unless_gone(pidfd_send_signal(&self.pidfd, native(kind)))
    }

    /// Sends a signal to the group that the process leads; it must not have been reaped yet.
    ///
    /// Exact on Linux 6.9 and later; before, by the group's number, which a process that has not
    /// been reaped still holds.
    pub fn signal_group(&self, kind: SignalKind) -> io::Result<()> {
        match signal_group_of(&self.pidfd, native(kind)) {
            Err(Errno::INVAL) => {}
            sent => return unless_gone(sent),
        }
        let Some(group) = number(self.identity.pid) else { return Ok(()) };
        unless_gone(kill_process_group(group, native(kind)))
    }

    /// Sends a signal to the group that the process is in, whoever leads it; returns its number. A
    /// process that has joined our own group is signalled alone.
    pub fn signal_group_around(&self, kind: SignalKind) -> io::Result<u32> {
        let Some(me) = number(self.identity.pid) else { return Ok(0) };
        let group = match rustix::process::getpgid(Some(me)) {
            Err(Errno::SRCH) => return Ok(0),
            found => found?,
        };
        if group == rustix::process::getpgrp() {
            return self.signal(kind).map(|()| 0);
        }
        unless_gone(kill_process_group(group, native(kind)))?;
        Ok(group.as_raw_nonzero().get().unsigned_abs())
    }

    /// Returns how our own child ended, without reaping it; nothing while it runs.
    pub fn ended(&self) -> io::Result<Option<Ended>> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(waitid(WaitId::PidFd(self.pidfd.as_fd()), options)?.as_ref().and_then(ended))
    }

    /// Returns how our own child ended and what it has used, without reaping it; nothing while it
    /// runs.
    pub fn ended_and_used(&self) -> io::Result<Option<(Ended, Option<Total>)>> {
        Ok(end::of(&self.pidfd)?.map(|(ended, total)| (ended, Some(total))))
    }

    /// Reaps our own child, after which its number may be used again.
    pub fn reap(&self) {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        let _ = waitid(WaitId::PidFd(self.pidfd.as_fd()), options);
    }

    /// Returns whether the process has ended, be it our child or not.
    pub fn has_ended(&self) -> bool {
        let mut poll = [rustix::event::PollFd::new(&self.pidfd, rustix::event::PollFlags::IN)];
        let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        rustix::event::poll(&mut poll, Some(&now)).is_ok_and(|ready| ready > 0)
    }

    /// Returns how somebody else's child ended, once its parent has reaped it.
    ///
    /// Needs Linux 6.15; returns nothing before and on older kernels.
    pub fn ended_elsewhere(&self) -> Option<Ended> {
        exit_info(&self.pidfd).map(decode)
    }
}

impl AsFd for Process {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

pub(super) fn is_of(pidfd: &OwnedFd, identity: Identity) -> bool {
    identity.serial != 0 && serial_of(pidfd) == identity.serial
}

pub(super) fn become_subreaper() -> io::Result<()> {
    let me = rustix::process::getpid();
    Ok(rustix::process::set_child_subreaper(Some(me))?)
}

pub(super) fn orphans() -> Orphans {
    let options =
        WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT | OWN_THREAD;
    match waitid(WaitId::All, options) {
        Err(Errno::CHILD) => Orphans::None,
        Ok(_) | Err(_) => Orphans::Some,
    }
}

#[expect(unsafe_code, reason = "rustix keeps the pid of a waitid result to itself")]
pub(super) fn ended_child() -> Option<EndedChild> {
    let mut info = std::mem::MaybeUninit::<libc::siginfo_t>::zeroed();
    let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT | libc::__WNOTHREAD;
    // SAFETY: `info` is valid for writes of a siginfo_t.
    let result = unsafe { libc::waitid(libc::P_ALL, 0, info.as_mut_ptr(), options) };
    // SAFETY: it was zeroed, and all-zero is a valid siginfo_t.
    let info = unsafe { info.assume_init() };
    // SAFETY: waitid filled the child part of the union, or left it zero.
    let pid = unsafe { info.si_pid() };
    // SAFETY: as above.
    let status = unsafe { info.si_status() };
    let pid = u32::try_from(pid).ok().filter(|pid| result == 0 && *pid > 0)?;
    let ended = match info.si_code {
        libc::CLD_EXITED => Ended::Code(u32::try_from(status).unwrap_or_default()),
        _ => Ended::Signal(status),
    };
    Some(EndedChild { pid, ended })
}

pub(super) fn reap(pid: u32) {
    let Some(number) = number(pid) else { return };
    let _ = waitid(WaitId::Pid(number), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
}

pub(super) fn carrying(id: &str) -> io::Result<Vec<Process>> {
    let wanted = format!("MAINSTAY_ID={id}").into_bytes();
    alive_that(|pid| Ok(environment_of(pid)?.contains(&wanted)))
}

pub(super) fn carrying_any(ids: &BTreeSet<&str>) -> io::Result<Vec<Process>> {
    alive_that(|pid| {
        Ok(environment_of(pid)?.iter().any(|variable| super::names_any(variable, ids)))
    })
}

pub(super) fn started_with(name: &str, value: &str) -> io::Result<Vec<Carrier>> {
    let wanted = format!("{name}={value}").into_bytes();
    let own = std::process::id();
    // A container sees none of our processes, but we may see its own, under the same paths.
    let place = |pid: u32| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
    let here = place(own);
    let found = alive_that(|pid| {
        Ok(pid != own && environment_of(pid)?.contains(&wanted) && place(pid) == here)
    })?;
    let carrier = |process: Process| {
        let variables = environment_of(process.pid())?;
        Ok(Carrier { process, variables })
    };
    found.into_iter().map(carrier).collect()
}

/// Returns what a process was started with; nothing of one that is gone or somebody else's.
///
/// In the middle of an exec a process has no environment for a moment, and one that was opened
/// before it reads as empty from then on: whoever seems to have none is asked again.
pub(crate) fn environment_of(pid: u32) -> io::Result<Vec<Vec<u8>>> {
    let mut bytes = unless_short(read_at_once(pid))?;
    for look in 0..EXEC_LOOKS_MAX {
        if !bytes.is_empty() || !is_program(pid) {
            break;
        }
        // It has no command line either as long as the exec lasts.
        if fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.is_empty()) {
            std::thread::park_timeout(EXEC_LOOK_EVERY);
        } else if look >= EMPTY_LOOKS {
            break;
        }
        bytes = unless_short(read_at_once(pid))?;
    }
    Ok(bytes.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect())
}

/// Reads an environment with a single call: an exec between two calls would tear it.
fn read_at_once(pid: u32) -> io::Result<Vec<u8>> {
    let mut room = vec![0; ENVIRONMENT_BYTES];
    loop {
        let length = fs::File::open(format!("/proc/{pid}/environ"))?.read(&mut room)?;
        if length < room.len() || length >= ENVIRONMENT_BYTES_MAX {
            room.truncate(length);
            return Ok(room);
        }
        room.resize(room.len() * 4, 0);
    }
}

/// Returns whether a process is alive and no thread of the kernel.
fn is_program(pid: u32) -> bool {
    let Ok(stat) = text_of(pid, "stat") else { return false };
    field_of(&stat, STATE).is_some_and(|state| !["Z", "X"].contains(&state))
        && field_of(&stat, PARENT).is_some_and(|parent| !["0", "2"].contains(&parent))
}

/// Whoever lacks descriptors or memory learns nothing about a process: that is no answer.
fn unless_short<T: Default>(found: io::Result<T>) -> io::Result<T> {
    match found {
        Err(error) if is_shortage(&error) => Err(error),
        found => Ok(found.unwrap_or_default()),
    }
}

pub(super) fn led_by(leader: u32) -> io::Result<Vec<Process>> {
    let own = getsid(None)?.as_raw_nonzero().get().unsigned_abs();
    // The number of a group that has members is not used again: whoever lives under it now is a
    // stranger, and the group is gone.
    if Process::open_pid(leader)?.is_some_and(|process| !process.has_ended()) {
        return Ok(Vec::new());
    }
    alive_that(|pid| {
        let stat = unless_short(text_of(pid, "stat"))?;
        let number = |field| field_of(&stat, field)?.parse::<u32>().ok();
        let session = number(SESSION).filter(|session| [own, leader].contains(session));
        Ok(session.is_some() && number(GROUP) == Some(leader))
    })
}

/// Returns every live process for which the question is answered with yes; an error where it
/// cannot be answered for all.
fn alive_that(is_meant: impl Fn(u32) -> io::Result<bool>) -> io::Result<Vec<Process>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // Open first, ask then: a number that is used again cannot be mistaken.
        let Some(process) = unless_short(Process::open_pid(pid))? else { continue };
        if is_meant(pid)? && !process.has_ended() {
            found.push(process);
        }
    }
    Ok(found)
}

/// Returns when a process was started, in ticks since the machine's start.
pub(crate) fn start_ticks_of(pid: u32) -> Option<u64> {
    stat_field(pid, STARTED)?.parse().ok()
}

/// Returns a field of `/proc/PID/stat` by its number in proc(5), counted behind the command's
/// closing parenthesis: the command may hold anything.
fn stat_field(pid: u32, field: usize) -> Option<String> {
    let stat = text_of(pid, "stat").ok()?;
    field_of(&stat, field).map(str::to_owned)
}

fn field_of(stat: &str, field: usize) -> Option<&str> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_ascii_whitespace().nth(field.checked_sub(3)?)
}

fn identity_of(pid: u32, pidfd: &OwnedFd) -> Identity {
    let serial = serial_of(pidfd);
    // Not read where it is not needed: `/proc` costs a third of what a start costs.
    let started = if serial == 0 { start_ticks_of(pid).unwrap_or_default() } else { 0 };
    Identity { pid, started, serial }
}

fn serial_of(pidfd: &OwnedFd) -> u64 {
    let magic = rustix::fs::fstatfs(pidfd).map(|fs| u64::from_ne_bytes(fs.f_type.to_ne_bytes()));
    if magic.unwrap_or_default() != PIDFS_MAGIC {
        return 0;
    }
    rustix::fs::fstat(pidfd).map(|stat| stat.st_ino).unwrap_or_default()
}

fn decode(wait_status: i32) -> Ended {
    match wait_status & 0x7f {
        0 => Ended::Code(u32::try_from((wait_status >> 8) & 0xff).unwrap_or_default()),
        signal => Ended::Signal(signal),
    }
}

/// `PIDFD_SIGNAL_PROCESS_GROUP`.
const TO_GROUP: libc::c_uint = 1 << 2;

#[expect(unsafe_code, reason = "pidfd_send_signal with flags has no wrapper")]
fn signal_group_of(pidfd: &OwnedFd, signal: Signal) -> rustix::io::Result<()> {
    let info = std::ptr::null::<libc::siginfo_t>();
    let call = libc::SYS_pidfd_send_signal;
    // SAFETY: no memory is involved; the null siginfo asks for the default one.
    let result = unsafe { libc::syscall(call, pidfd.as_raw_fd(), signal.as_raw(), info, TO_GROUP) };
    if result == 0 {
        return Ok(());
    }
    Err(Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::INVAL))
}

/// `struct pidfd_info` of `linux/pidfd.h`, first version: 64 bytes.
#[repr(C)]
#[derive(Default)]
struct PidfdInfo {
    mask: u64,
    cgroup: u64,
    ids: [u32; 11],
    exit_code: i32,
}

/// `PIDFD_INFO_EXIT`.
const INFO_EXIT: u64 = 1 << 3;
/// `PIDFD_GET_INFO`.
const GET_INFO: libc::Ioctl = libc::_IOWR::<PidfdInfo>(0xFF, 11);

#[expect(unsafe_code, reason = "PIDFD_GET_INFO has no wrapper")]
fn exit_info(pidfd: &OwnedFd) -> Option<i32> {
    let mut info = PidfdInfo { mask: INFO_EXIT, ..PidfdInfo::default() };
    // SAFETY: the request is sized for PidfdInfo, which is plain data and lives on this stack.
    let result = unsafe { libc::ioctl(pidfd.as_raw_fd(), GET_INFO, &raw mut info) };
    (result == 0 && info.mask & INFO_EXIT != 0).then_some(info.exit_code)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_program_that_executes_another_one_is_found_at_every_moment() {
        let id = format!("executing-{}", std::process::id());
        let mut program = Command::new("sh")
            .args(["-c", "[ $1 -gt 0 ] && exec sh -c \"$0\" \"$0\" $(($1 - 1)); exec sleep 1000"])
            .args(["[ $1 -gt 0 ] && exec sh -c \"$0\" \"$0\" $(($1 - 1)); exec sleep 1000", "400"])
            .env("MAINSTAY_ID", &id)
            .spawn()
            .unwrap();
        let is_there = || carrying(&id).unwrap().iter().any(|found| found.pid() == program.id());
        let is_asleep =
            || fs::read(format!("/proc/{}/cmdline", program.id())).unwrap() == b"sleep\x001000\0";
        // The child of this process carries nothing before its first exec.
        while !is_there() {}
        let mut missed = 0;
        while !is_asleep() {
            missed += u32::from(!is_there());
        }
        program.kill().unwrap();
        program.wait().unwrap();
        assert_eq!(missed, 0);
    }
}
