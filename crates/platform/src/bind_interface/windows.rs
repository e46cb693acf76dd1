//! `IP_UNICAST_IF` and `IPV6_UNICAST_IF`.

use std::{
    io,
    os::windows::io::{AsRawSocket as _, AsSocket, BorrowedSocket},
};

use windows_sys::Win32::Networking::WinSock::{
    AF_INET6, IP_UNICAST_IF, IPPROTO_IP, IPPROTO_IPV6, IPV6_UNICAST_IF, SO_PROTOCOL_INFOW, SOCKET,
    SOL_SOCKET, WSAPROTOCOL_INFOW, getsockopt, setsockopt,
};

use crate::addresses::Interface;

/// The number is taken in network order for IPv4, and as it is for IPv6.
pub(super) fn bind(socket: &impl AsSocket, interface: &Interface) -> io::Result<()> {
    let socket = socket.as_socket();
    let v4 = || set(socket, [IPPROTO_IP, IP_UNICAST_IF], interface.index.to_be());
    if family(socket)? != i32::from(AF_INET6) {
        return v4();
    }
    set(socket, [IPPROTO_IPV6, IPV6_UNICAST_IF], interface.index)?;
    // Only a socket of both families takes this one, too.
    drop(v4());
    Ok(())
}

/// A socket tells its own address only once it has one.
#[expect(unsafe_code, reason = "getsockopt")]
fn family(socket: BorrowedSocket<'_>) -> io::Result<i32> {
    let raw = SOCKET::try_from(socket.as_raw_socket()).map_err(io::Error::other)?;
    let mut protocol = WSAPROTOCOL_INFOW::default();
    let mut size = i32::try_from(size_of_val(&protocol)).map_err(io::Error::other)?;
    let to = (&raw mut protocol).cast();
    // SAFETY: both are valid for writes, the first one of as many bytes as the second one says.
    match unsafe { getsockopt(raw, SOL_SOCKET, SO_PROTOCOL_INFOW, to, &raw mut size) } {
        0 => Ok(protocol.iAddressFamily),
        _ => Err(io::Error::last_os_error()),
    }
}

#[expect(unsafe_code, reason = "setsockopt")]
fn set(socket: BorrowedSocket<'_>, option: [i32; 2], value: u32) -> io::Result<()> {
    let raw = SOCKET::try_from(socket.as_raw_socket()).map_err(io::Error::other)?;
    let ([level, option], bytes) = (option, value.to_ne_bytes());
    let size = i32::try_from(bytes.len()).map_err(io::Error::other)?;
    // SAFETY: the value is valid for reads of its length.
    match unsafe { setsockopt(raw, level, option, bytes.as_ptr(), size) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
