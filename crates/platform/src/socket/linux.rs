//! Flags that take effect with the call, `SO_PEERCRED`, `SO_PEERPIDFD`, and addresses by way of
//! `/proc`.

use std::{
    fs::File,
    io,
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
    path::Path,
};

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, accept_with,
    bind, socket_with, sockopt,
};

use super::{Blocking, Credentials};
use crate::process::Process;

/// `SO_PEERPIDFD` of `asm-generic/socket.h`, from Linux 6.5 on.
const PEER_PIDFD: libc::c_int = 77;

pub(super) const RECEIVE: RecvFlags = RecvFlags::CMSG_CLOEXEC;
pub(super) const SEND: SendFlags = SendFlags::NOSIGNAL;

pub(super) fn stream(blocking: Blocking) -> rustix::io::Result<OwnedFd> {
    let flags = match blocking {
        Blocking::Yes => SocketFlags::CLOEXEC,
        Blocking::No => SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
    };
    socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
}

pub(super) fn accept(listener: &OwnedFd) -> rustix::io::Result<OwnedFd> {
    accept_with(listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)
}

pub(super) fn bind_private(socket: &OwnedFd, address: &SocketAddrUnix) -> rustix::io::Result<()> {
    // fchmod before bind sets the mode of the path.
    rustix::fs::fchmod(socket, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR)?;
    bind(socket, address)
}

pub(super) fn credentials(socket: &OwnedFd) -> io::Result<Credentials> {
    let found = sockopt::socket_peercred(socket)?;
    let pid = u32::try_from(found.pid.as_raw_nonzero().get()).unwrap_or_default();
    Ok(Credentials { pid, user: found.uid })
}

pub(super) fn peer_process(socket: &OwnedFd) -> io::Result<Option<Process>> {
    match peer_pidfd(socket) {
        Ok(pidfd) => Ok(Some(Process::from_child(credentials(socket)?.pid, pidfd))),
        Err(error) => match error.raw_os_error() {
            Some(libc::ENOPROTOOPT) => super::peer_by_number(socket),
            // It was reaped.
            Some(libc::ESRCH | libc::EINVAL | libc::ENODATA) => Ok(None),
            _ => Err(error),
        },
    }
}

#[expect(unsafe_code, reason = "SO_PEERPIDFD has no safe wrapper")]
fn peer_pidfd(socket: &OwnedFd) -> io::Result<OwnedFd> {
    let mut raw: libc::c_int = -1;
    let mut size = libc::socklen_t::try_from(size_of::<libc::c_int>()).unwrap_or_default();
    let (from, into) = (socket.as_raw_fd(), (&raw mut raw).cast());
    // SAFETY: `into` is valid for writes of `size` bytes; `size` is valid for writes.
    let result =
        unsafe { libc::getsockopt(from, libc::SOL_SOCKET, PEER_PIDFD, into, &raw mut size) };
    if result != 0 || raw < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel made this descriptor for us; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

pub(super) const fn settle(descriptor: OwnedFd) -> OwnedFd {
    descriptor
}

pub(super) fn short_address(folder: &File, name: &Path) -> io::Result<SocketAddrUnix> {
    let short = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
    Ok(SocketAddrUnix::new(short)?)
}
