//! What Unix systems do differently about local sockets.

#[cfg(target_os = "linux")]
#[path = "socket/linux.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "socket/macos.rs"]
mod imp;

use std::{fs::File, io, os::fd::OwnedFd, path::Path};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    net::{RecvFlags, SendFlags, SocketAddrUnix},
    process::Uid,
};

use crate::process::Process;

/// Received descriptors are closed on exec from birth, where the system has a flag for it.
pub(crate) const RECEIVE: RecvFlags = imp::RECEIVE;
/// No SIGPIPE when the other end is gone, where the system has a flag for it.
pub(crate) const SEND: SendFlags = imp::SEND;

/// Who is at the other end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Credentials {
    /// The process that connected.
    pub(crate) pid: u32,
    /// Its user.
    pub(crate) user: Uid,
}

/// Whether calls on a socket wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blocking {
    /// They do.
    Yes,
    /// They return at once.
    No,
}

/// Returns a new stream socket that is closed on exec and never raises SIGPIPE.
pub(crate) fn stream(blocking: Blocking) -> io::Result<OwnedFd> {
    Ok(imp::stream(blocking)?)
}

/// Returns the next caller as a socket that never blocks.
pub(crate) fn accept(listener: &OwnedFd) -> rustix::io::Result<OwnedFd> {
    imp::accept(listener)
}

/// Binds a socket to a path that nobody but this user may reach, from birth.
///
/// Must be called before a second thread creates files: macOS knows the mode of new files only as
/// one setting for the whole process.
pub(crate) fn bind_private(socket: &OwnedFd, address: &SocketAddrUnix) -> io::Result<()> {
    Ok(imp::bind_private(socket, address)?)
}

/// Returns who is at the other end, as the kernel saw it when they connected.
pub(crate) fn credentials(socket: &OwnedFd) -> io::Result<Credentials> {
    imp::credentials(socket)
}

/// Returns the very process that connected; nothing when it is gone.
pub(crate) fn peer_process(socket: &OwnedFd) -> io::Result<Option<Process>> {
    imp::peer_process(socket)
}

/// Finds the caller by its number, where the kernel knows no more.
///
/// Held first, asked then: who has not hung up while we held them is who connected.
fn peer_by_number(socket: &OwnedFd) -> io::Result<Option<Process>> {
    let found = Process::open_pid(credentials(socket)?.pid)?;
    Ok(if has_hung_up(socket)? { None } else { found })
}

fn has_hung_up(socket: &OwnedFd) -> io::Result<bool> {
    let mut polled = [PollFd::new(socket, PollFlags::empty())];
    poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))?;
    Ok(polled.iter().any(|one| one.revents().contains(PollFlags::HUP)))
}

/// Makes sure that a descriptor which rode along is closed on exec.
pub(crate) fn settle(descriptor: OwnedFd) -> OwnedFd {
    imp::settle(descriptor)
}

/// Returns a short address of `name` in an open folder, where the system has one.
pub(crate) fn short_address(folder: &File, name: &Path) -> io::Result<SocketAddrUnix> {
    imp::short_address(folder, name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_caller_is_known_as_a_process_until_it_hangs_up() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let ours = OwnedFd::from(ours);
        for find in [peer_process, peer_by_number] {
            let found = find(&ours).unwrap().unwrap();
            assert_eq!(found.pid(), std::process::id());
        }
        drop(theirs);
        assert!(peer_by_number(&ours).unwrap().is_none());
    }
}
