//! `SO_BINDTODEVICE`.

#[cfg(test)]
#[path = "linux/tests.rs"]
mod tests;

use std::{
    io,
    os::fd::{AsFd, AsRawFd as _},
};

use crate::addresses::Interface;

#[expect(unsafe_code, reason = "setsockopt")]
pub(super) fn bind(socket: &impl AsFd, interface: &Interface) -> io::Result<()> {
    let name = interface.name.as_bytes();
    let size = libc::socklen_t::try_from(name.len()).map_err(io::Error::other)?;
    let (socket, option) = (socket.as_fd().as_raw_fd(), libc::SO_BINDTODEVICE);
    // SAFETY: the value is valid for reads of its length.
    match unsafe { libc::setsockopt(socket, libc::SOL_SOCKET, option, name.as_ptr().cast(), size) }
    {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
