//! Signals, numbers and statuses, which all Unix systems spell alike.

use std::io;

use rustix::{
    io::Errno,
    process::{Pid, Signal, WaitIdStatus},
};

use super::{Ended, SignalKind};

pub(super) fn number(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

pub(super) fn unless_gone(result: rustix::io::Result<()>) -> io::Result<()> {
    match result {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

pub(super) const fn native(kind: SignalKind) -> Signal {
    match kind {
        SignalKind::Term => Signal::TERM,
        SignalKind::Interrupt => Signal::INT,
        SignalKind::Hangup => Signal::HUP,
        SignalKind::Quit => Signal::QUIT,
        SignalKind::User1 => Signal::USR1,
        SignalKind::User2 => Signal::USR2,
        SignalKind::Kill => Signal::KILL,
        SignalKind::Stop => Signal::STOP,
        SignalKind::Continue => Signal::CONT,
        SignalKind::Abort => Signal::ABORT,
    }
}

pub(super) fn ended(status: &WaitIdStatus) -> Option<Ended> {
    if let Some(signal) = status.terminating_signal() {
        return Some(Ended::Signal(signal));
    }
    status.exit_status().map(|code| Ended::Code(u32::try_from(code).unwrap_or_default()))
}
