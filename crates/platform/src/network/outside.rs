//! Which address the system would choose to reach the outside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Addresses that belong to nobody (RFC 5737, RFC 3849): nothing is ever sent to them.
const OUTSIDE: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
];

/// The port of "discard".
const PORT: u16 = 9;

/// Returns whether the system has an address and a route for the outside.
pub(super) fn is_reachable() -> bool {
    OUTSIDE.into_iter().filter_map(source_for).any(is_of_use)
}

/// Connecting a socket for datagrams chooses a route, and sends nothing.
fn source_for(outside: IpAddr) -> Option<IpAddr> {
    let any = match outside {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).ok()?;
    socket.connect(SocketAddr::new(outside, PORT)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

fn is_of_use(address: IpAddr) -> bool {
    let is_near = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    !is_near && !address.is_loopback() && !address.is_unspecified()
}
