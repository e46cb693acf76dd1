//! Messages without a sender: credentials come with streams only.

use std::{
    io::{self, IoSliceMut},
    mem::MaybeUninit,
    os::fd::OwnedFd,
    sync::Arc,
};

use rustix::{
    io::{FdFlags, fcntl_setfd, ioctl_fionbio},
    net::{
        AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
        SocketAddrUnix, SocketType, recvmsg, sockopt,
    },
};

use super::DESCRIPTORS_AT_ONCE;
use crate::{
    datagram::Datagram,
    port::{Port, Token, Watched},
    socket::{Blocking, settle},
};

pub(super) fn socket(blocking: Blocking) -> io::Result<OwnedFd> {
    let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::DGRAM, None)?;
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    sockopt::set_socket_nosigpipe(&socket, true)?;
    ioctl_fionbio(&socket, blocking == Blocking::No)?;
    Ok(socket)
}

/// Does nothing: the system does not tell.
#[expect(clippy::unnecessary_wraps, reason = "one contract for every system")]
pub(super) const fn ask_for_senders(_socket: &OwnedFd) -> io::Result<()> {
    Ok(())
}

pub(super) fn address(text: &str) -> io::Result<SocketAddrUnix> {
    Ok(SocketAddrUnix::new(text)?)
}

/// The system does not tell the end of a descriptor from something to read.
#[expect(clippy::unnecessary_wraps, reason = "one contract for every system")]
pub(super) const fn watch_end(
    _port: &Port,
    _descriptor: &Arc<OwnedFd>,
    _token: Token,
) -> io::Result<Option<Watched<Arc<OwnedFd>>>> {
    Ok(None)
}

pub(super) fn look(socket: &OwnedFd, bytes_max: usize) -> io::Result<Datagram> {
    let mut bytes = vec![0_u8; bytes_max];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_AT_ONCE))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
    let mut parts = [IoSliceMut::new(&mut bytes)];
    let message = recvmsg(socket, &mut parts, &mut ancillary, flags)?;
    let mut riders = Vec::new();
    for beside in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = beside {
            riders.extend(rights.map(settle));
        }
    }
    let is_cut = message.flags.contains(ReturnFlags::TRUNC);
    let are_riders_withheld = message.flags.contains(ReturnFlags::CTRUNC);
    if are_riders_withheld {
        // As long as these are held, another one shows whether it is for want of numbers.
        drop(socket.try_clone()?);
    }
    bytes.truncate(message.bytes);
    bytes.shrink_to_fit();
    Ok(Datagram { bytes, is_cut, sender: None, riders, are_riders_withheld })
}
