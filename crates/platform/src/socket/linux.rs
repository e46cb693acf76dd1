//! Flags that take effect with the call, `SO_PEERCRED`, and addresses by way of `/proc`.

use std::{
    fs::File,
    io,
    os::fd::{AsRawFd as _, OwnedFd},
    path::Path,
};

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, accept_with,
    bind, socket_with, sockopt,
};

use super::{Blocking, Credentials};

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

pub(super) const fn settle(descriptor: OwnedFd) -> OwnedFd {
    descriptor
}

pub(super) fn short_address(folder: &File, name: &Path) -> io::Result<SocketAddrUnix> {
    let short = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
    Ok(SocketAddrUnix::new(short)?)
}
