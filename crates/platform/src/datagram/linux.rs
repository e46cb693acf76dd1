//! `SO_PASSCRED`, `MSG_PEEK` and `MSG_CMSG_CLOEXEC`.
//!
//! A sender outside of our pid namespace has the number 0, which the types of rustix cannot say, so
//! the call is made by hand.

use std::{
    io,
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
    sync::Arc,
};

use rustix::{
    net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with, sockopt},
    process::geteuid,
};

use super::DESCRIPTORS_AT_ONCE;
use crate::{
    datagram::{Datagram, Sender},
    port::{Port, Token, Watched},
    socket::Blocking,
};

/// Room for 253 descriptors and one sender, with their headers.
const CONTROL_WORDS: usize = (DESCRIPTORS_AT_ONCE * 4 + 96) / 8;
const FLAGS: libc::c_int = libc::MSG_PEEK | libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;

pub(super) fn socket(blocking: Blocking) -> io::Result<OwnedFd> {
    let flags = match blocking {
        Blocking::Yes => SocketFlags::CLOEXEC,
        Blocking::No => SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
    };
    Ok(socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?)
}

pub(super) fn ask_for_senders(socket: &OwnedFd) -> io::Result<()> {
    Ok(sockopt::set_socket_passcred(socket, true)?)
}

pub(super) fn address(text: &str) -> io::Result<SocketAddrUnix> {
    match text.strip_prefix('@') {
        Some(name) => Ok(SocketAddrUnix::new_abstract_name(name.as_bytes())?),
        None => Ok(SocketAddrUnix::new(text)?),
    }
}

/// Looks at a message; refuses while there are too few numbers for the descriptors that came along.
#[expect(unsafe_code, reason = "recvmsg")]
pub(super) fn look(socket: &OwnedFd, bytes_max: usize) -> io::Result<Datagram> {
    let mut bytes = vec![0_u8; bytes_max];
    let mut control = [0_u64; CONTROL_WORDS];
    let mut part = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    // SAFETY: all-zero is a valid msghdr.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_iov = &raw mut part;
    header.msg_iovlen = 1;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = as_length(size_of_val(&control));
    // SAFETY: the header points to one part and to the room for what comes beside it, which live
    // until the call returns.
    let length = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, FLAGS) };
    let Ok(length) = usize::try_from(length) else { return Err(io::Error::last_os_error()) };
    let (sender, riders) = beside(&header);
    let is = |flag| header.msg_flags & flag != 0;
    let (is_cut, are_riders_withheld) = (is(libc::MSG_TRUNC), is(libc::MSG_CTRUNC));
    if are_riders_withheld {
        // As long as these are held, another one shows whether it is for want of numbers.
        drop(socket.try_clone()?);
    }
    bytes.truncate(length);
    bytes.shrink_to_fit();
    Ok(Datagram { bytes, is_cut, sender, riders, are_riders_withheld })
}

/// What is not armed reports its end, and nothing else. What lies on a disk has none.
pub(super) fn watch_end(
    port: &Port,
    descriptor: &Arc<OwnedFd>,
    token: Token,
) -> io::Result<Option<Watched<Arc<OwnedFd>>>> {
    port.watch_once(Arc::clone(descriptor), token).map(Some)
}

/// Returns a length as the C library at hand has it: glibc in 64 bits, musl in 32.
fn as_length<T: TryFrom<usize> + Default>(bytes: usize) -> T {
    T::try_from(bytes).unwrap_or_default()
}

/// Returns the number in such a length.
fn of_length(length: impl TryInto<usize>) -> usize {
    length.try_into().unwrap_or_default()
}

/// Takes what came beside the bytes.
#[expect(unsafe_code, reason = "CMSG_FIRSTHDR, CMSG_NXTHDR")]
fn beside(header: &libc::msghdr) -> (Option<Sender>, Vec<OwnedFd>) {
    let (mut sender, mut riders) = (None, Vec::new());
    // SAFETY: the kernel has filled in the header and its room.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(header) };
    while !next.is_null() {
        // SAFETY: it points to a whole record in that room.
        let record = unsafe { &*next };
        match (record.cmsg_level, record.cmsg_type) {
            (libc::SOL_SOCKET, libc::SCM_CREDENTIALS) => sender = Some(sender_in(next)),
            (libc::SOL_SOCKET, libc::SCM_RIGHTS) => riders.extend(riders_in(next)),
            _ => {}
        }
        // SAFETY: as above.
        next = unsafe { libc::CMSG_NXTHDR(header, next) };
    }
    (sender, riders)
}

#[expect(unsafe_code, reason = "CMSG_DATA")]
fn sender_in(record: *const libc::cmsghdr) -> Sender {
    // SAFETY: `record` is a whole record of credentials.
    let data = unsafe { libc::CMSG_DATA(record) };
    // SAFETY: it holds a `ucred`, at whatever address.
    let found = unsafe { data.cast::<libc::ucred>().read_unaligned() };
    let is_trusted = found.uid == 0 || found.uid == geteuid().as_raw();
    Sender { pid: u32::try_from(found.pid).unwrap_or_default(), is_trusted }
}

#[expect(unsafe_code, reason = "CMSG_DATA, CMSG_LEN")]
fn riders_in(record: *const libc::cmsghdr) -> Vec<OwnedFd> {
    // SAFETY: `record` is a whole record of descriptors.
    let data = unsafe { libc::CMSG_DATA(record) };
    // SAFETY: as above.
    let length = of_length(unsafe { (*record).cmsg_len });
    // SAFETY: the macro only computes.
    let head = of_length(unsafe { libc::CMSG_LEN(0) });
    let count = length.saturating_sub(head) / size_of::<libc::c_int>();
    let mut riders = Vec::with_capacity(count);
    for index in 0..count {
        // SAFETY: there are `count` numbers, at whatever address.
        let place = unsafe { data.cast::<[u8; size_of::<libc::c_int>()]>().add(index) };
        // SAFETY: as above.
        let number = libc::c_int::from_ne_bytes(unsafe { place.read() });
        // SAFETY: the kernel made this descriptor for us; nobody else owns it.
        riders.push(unsafe { OwnedFd::from_raw_fd(number) });
    }
    riders
}
