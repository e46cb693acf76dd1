//! A routing socket says that something has changed.

use std::io;

use rustix::{
    io::{FdFlags, fcntl_setfd, ioctl_fionbio},
    net::{AddressFamily, SocketType, socket},
};

use super::outside;
pub(super) use super::unix::Watch;

/// `PF_ROUTE` of `sys/socket.h`.
const ROUTE: AddressFamily = AddressFamily::from_raw(17);

pub(super) fn begin() -> io::Result<Watch> {
    let socket = socket(ROUTE, SocketType::RAW, None)?;
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    ioctl_fionbio(&socket, true)?;
    Watch::of(socket)
}

#[expect(clippy::unnecessary_wraps, reason = "tables of other systems may be refused")]
pub(super) fn is_up() -> io::Result<bool> {
    Ok(outside::is_reachable())
}
