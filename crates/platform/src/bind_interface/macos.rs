//! `IP_BOUND_IF` and `IPV6_BOUND_IF`.

use std::{
    io,
    os::fd::{AsFd, AsRawFd as _, BorrowedFd},
};

use rustix::net::{AddressFamily, getsockname};

use crate::addresses::Interface;

pub(super) fn bind(socket: &impl AsFd, interface: &Interface) -> io::Result<()> {
    let socket = socket.as_fd();
    match getsockname(socket)?.address_family() {
        AddressFamily::INET6 => set(socket, [libc::IPPROTO_IPV6, libc::IPV6_BOUND_IF], interface),
        _ => set(socket, [libc::IPPROTO_IP, libc::IP_BOUND_IF], interface),
    }
}

#[expect(unsafe_code, reason = "setsockopt")]
fn set(socket: BorrowedFd<'_>, option: [libc::c_int; 2], to: &Interface) -> io::Result<()> {
    let [level, option] = option;
    let value = (&raw const to.index).cast();
    let size = libc::socklen_t::try_from(size_of_val(&to.index)).map_err(io::Error::other)?;
    // SAFETY: the value is valid for reads of its length.
    match unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, value, size) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
