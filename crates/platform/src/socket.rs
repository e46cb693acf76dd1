//! What Unix systems do differently about local sockets.

#[cfg(target_os = "linux")]
#[path = "socket/linux.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "socket/macos.rs"]
mod imp;

use std::{fs::File, io, os::fd::OwnedFd, path::Path};

use rustix::{
    net::{RecvFlags, SendFlags, SocketAddrUnix},
    process::Uid,
};

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

/// Makes sure that a descriptor which rode along is closed on exec.
pub(crate) fn settle(descriptor: OwnedFd) -> OwnedFd {
    imp::settle(descriptor)
}

/// Returns a short address of `name` in an open folder, where the system has one.
pub(crate) fn short_address(folder: &File, name: &Path) -> io::Result<SocketAddrUnix> {
    imp::short_address(folder, name)
}
