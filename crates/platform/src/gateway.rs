//! The routers that everything goes to which is not attached.
//!
//! Linux: those of the main table of routes, each of them where there are several at once. Windows:
//! those of interfaces that are up. macOS: those of the kernel's table, the first choice with the
//! metric 0 and all others with 1. A way out without a router, such as a tunnel's, is none of them.

#[cfg(target_os = "linux")]
#[path = "gateway/linux.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "gateway/macos.rs"]
mod imp;
#[cfg(windows)]
#[path = "gateway/windows.rs"]
mod imp;
#[cfg(any(target_os = "macos", test))]
mod rows;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket},
};

use crate::{
    addresses::{self, Interface},
    bind_interface,
};

/// The port of "discard"; nothing is sent there.
const PORT: u16 = 9;

/// A router, and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// The interface it is behind.
    pub interface: Interface,
    /// Its address; one of IPv6 is most often the link's own.
    pub address: IpAddr,
    /// Which of our own addresses talks to it, or nothing where none does.
    pub own_address: Option<IpAddr>,
    /// The smaller, the sooner it is taken.
    pub metric: u32,
}

impl Gateway {
    /// Returns where to send what is for the router itself.
    pub fn socket_address(&self, port: u16) -> SocketAddr {
        at(self.address, port, self.interface.index)
    }
}

/// Returns all gateways of both families, those first that are taken first.
pub fn list() -> io::Result<Vec<Gateway>> {
    let routes = imp::routes()?;
    let interfaces = addresses::interfaces()?;
    let mut all = Vec::new();
    for route in routes {
        let interface = interfaces.iter().find(|it| it.index == route.interface);
        all.extend(interface.map(|interface| route.by(interface)));
    }
    all.sort_by_key(|it| it.metric);
    Ok(all)
}

/// A default route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Route {
    /// The number of its interface.
    interface: u32,
    gateway: IpAddr,
    metric: u32,
}

impl Route {
    fn by(self, interface: &Interface) -> Gateway {
        Gateway {
            interface: interface.clone(),
            address: self.gateway,
            own_address: own_address(self.gateway, interface),
            metric: self.metric,
        }
    }
}

fn at(address: IpAddr, port: u16, interface: u32) -> SocketAddr {
    match address {
        IpAddr::V6(address) if address.is_unicast_link_local() => {
            SocketAddrV6::new(address, port, 0, interface).into()
        }
        IpAddr::V4(_) | IpAddr::V6(_) => SocketAddr::new(address, port),
    }
}

/// Connecting a socket for datagrams chooses an address, and sends nothing.
fn own_address(gateway: IpAddr, interface: &Interface) -> Option<IpAddr> {
    let any = match gateway {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    // Where two interfaces lead to networks of the same numbers, only this tells them apart; where
    // it is refused, there is most often one.
    drop(bind_interface::bind_to(&socket, interface));
    socket.connect(at(gateway, PORT, interface.index)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_reached_from_an_address_of_ours() {
        let ours = addresses::list().unwrap();
        for gateway in list().unwrap() {
            assert!(!gateway.address.is_unspecified(), "{gateway:?}");
            let Some(own) = gateway.own_address else { continue };
            assert_eq!(own.is_ipv4(), gateway.address.is_ipv4(), "{gateway:?}");
            assert!(ours.iter().any(|it| it.address == own), "{gateway:?}");
        }
    }

    #[test]
    fn only_an_address_of_a_link_needs_its_interface() {
        let check = |address: &str, expected: &str| {
            assert_eq!(at(address.parse().unwrap(), 5351, 7), expected.parse().unwrap());
        };
        check("fe80::1", "[fe80::1%7]:5351");
        check("2001:db8::1", "[2001:db8::1]:5351");
        check("192.0.2.1", "192.0.2.1:5351");
    }
}
