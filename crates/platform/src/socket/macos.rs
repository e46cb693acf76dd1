//! Flags that are set after the call, `getpeereid` and `LOCAL_PEERPID`.
//!
//! Between the two calls another thread may start a program; spawning closes whatever it was not
//! told to pass on.

use std::{
    fs::File,
    io,
    os::fd::{AsRawFd as _, OwnedFd},
    path::Path,
};

use rustix::{
    fs::Mode,
    io::{Errno, FdFlags, fcntl_setfd, ioctl_fionbio},
    net::{AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketType, bind, socket, sockopt},
    process::{Uid, umask},
};

use super::{Blocking, Credentials};
use crate::process::Process;

pub(super) const RECEIVE: RecvFlags = RecvFlags::empty();
pub(super) const SEND: SendFlags = SendFlags::empty();

pub(super) fn stream(blocking: Blocking) -> rustix::io::Result<OwnedFd> {
    let socket = socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
    prepare(&socket, blocking)?;
    Ok(socket)
}

pub(super) fn accept(listener: &OwnedFd) -> rustix::io::Result<OwnedFd> {
    let socket = rustix::net::accept(listener)?;
    match prepare(&socket, Blocking::No) {
        Ok(()) => Ok(socket),
        // Options of a socket whose other end is gone already are refused so.
        Err(Errno::INVAL) => Err(Errno::CONNABORTED),
        Err(errno) => Err(errno),
    }
}

fn prepare(socket: &OwnedFd, blocking: Blocking) -> rustix::io::Result<()> {
    fcntl_setfd(socket, FdFlags::CLOEXEC)?;
    sockopt::set_socket_nosigpipe(socket, true)?;
    ioctl_fionbio(socket, blocking == Blocking::No)
}

pub(super) fn bind_private(socket: &OwnedFd, address: &SocketAddrUnix) -> rustix::io::Result<()> {
    // fchmod refuses sockets.
    let former = umask(Mode::RWXG | Mode::RWXO | Mode::XUSR);
    let bound = bind(socket, address);
    umask(former);
    bound
}

#[expect(unsafe_code, reason = "getpeereid and LOCAL_PEERPID have no safe wrapper")]
pub(super) fn credentials(socket: &OwnedFd) -> io::Result<Credentials> {
    let raw = socket.as_raw_fd();
    let (mut user, mut group, mut pid): (libc::uid_t, libc::gid_t, libc::pid_t) = (0, 0, 0);
    // SAFETY: both numbers are valid for writes; `raw` is open as long as `socket` is borrowed.
    if unsafe { libc::getpeereid(raw, &raw mut user, &raw mut group) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let mut size = libc::socklen_t::try_from(size_of::<libc::pid_t>()).unwrap_or_default();
    let into = (&raw mut pid).cast();
    // SAFETY: `into` is valid for writes of `size` bytes; `size` is valid for writes.
    let result =
        unsafe { libc::getsockopt(raw, libc::SOL_LOCAL, libc::LOCAL_PEERPID, into, &raw mut size) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(Credentials { pid: u32::try_from(pid).unwrap_or_default(), user: Uid::from_raw(user) })
}

pub(super) fn peer_process(socket: &OwnedFd) -> io::Result<Option<Process>> {
    super::peer_by_number(socket)
}

pub(super) fn settle(descriptor: OwnedFd) -> OwnedFd {
    // Fails for a closed descriptor only, and this one is open.
    let _ = fcntl_setfd(&descriptor, FdFlags::CLOEXEC);
    descriptor
}

/// Refuses: no path leads through an open folder.
pub(super) fn short_address(_folder: &File, _name: &Path) -> io::Result<SocketAddrUnix> {
    let text = "the path is too long for a socket on this system";
    Err(io::Error::new(io::ErrorKind::Unsupported, text))
}
