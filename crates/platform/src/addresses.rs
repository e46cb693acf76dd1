//! The machine's own addresses: on which interface, of which origin, and for how long.
//!
//! What each system tells:
//!
//! * Linux: everything but who has set an address by hand and who has it from a DHCP server; an
//!   interface's alternative names are its aliases.
//! * Windows: everything but the other end of a link. An interface is called as people see it
//!   (`Ethernet`), its GUID is an alias, and capital and small letters are the same.
//! * macOS: origin, state and times of IPv6 addresses alone; an address of IPv4 is valid for ever.
//!
//! A network namespace is a machine of its own here.

#[cfg(target_os = "linux")]
#[path = "addresses/linux.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "addresses/macos.rs"]
mod imp;
#[cfg(windows)]
#[path = "addresses/windows.rs"]
mod imp;

use std::{io, net::IpAddr, time::Duration};

/// What addresses belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its number, which a new interface of the same name does not get again.
    pub index: u32,
    /// What people call it.
    pub name: String,
    /// What else it is called.
    pub aliases: Vec<String>,
    /// Whether it is switched on and its link is there.
    pub is_up: bool,
    /// Whether it leads nowhere but back.
    pub is_loopback: bool,
    /// Whether nobody but one other end is attached.
    pub is_point_to_point: bool,
}

impl Interface {
    /// Returns whether this is one of its names, as this system compares them.
    pub fn is_called(&self, name: &str) -> bool {
        std::iter::once(&self.name).chain(&self.aliases).any(|it| imp::is_same_name(it, name))
    }
}

/// An address of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceAddress {
    /// The interface that has it.
    pub interface: Interface,
    /// Our own address, not that of the other end.
    pub address: IpAddr,
    /// How many bits are the same for everybody who is attached.
    pub prefix_length: u8,
    /// The address of the other end, where there is only one.
    pub peer: Option<IpAddr>,
    /// Where it comes from.
    pub origin: Origin,
    /// Whether it may be used.
    pub state: State,
    /// How much longer new connections may begin with it; nothing means for ever.
    pub preferred_lifetime: Option<Duration>,
    /// How much longer it may be used at all; nothing means for ever.
    pub valid_lifetime: Option<Duration>,
}

/// Where an address comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The machine has invented it and soon invents another one (RFC 8981).
    Temporary,
    /// The machine has invented it, and invents the same again under the same prefix (RFC 7217).
    StablePrivacy,
    /// The machine has made it of a router's prefix, or for the link alone.
    Autoconfigured,
    /// A DHCP server has given it.
    Dhcp,
    /// Somebody has set it.
    Manual,
    /// The system does not tell.
    Unknown,
}

/// Whether an address may be used; where several things are true, the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// For everything.
    Preferred,
    /// For connections that have begun: another address is to take its place.
    Deprecated,
    /// Not yet: whether somebody else has it is being asked.
    Tentative,
    /// Never: somebody else has it.
    Duplicate,
}

/// Returns the addresses of all interfaces.
pub fn list() -> io::Result<Vec<InterfaceAddress>> {
    imp::list()
}

/// Returns all interfaces, those without an address too.
pub fn interfaces() -> io::Result<Vec<Interface>> {
    imp::interfaces()
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    #[test]
    fn a_machine_has_its_own_address_for_itself() {
        let all = list().unwrap();
        let own = all.iter().find(|it| it.address.is_loopback()).unwrap();
        assert!(own.interface.is_loopback && own.interface.is_up, "{own:?}");
        assert!(own.prefix_length > 0 && own.state == State::Preferred, "{own:?}");
        assert!(interfaces().unwrap().contains(&own.interface));
    }

    /// Whoever can be told to send from an address has it.
    #[test]
    fn every_preferred_address_can_be_bound_to() {
        let is_far = |it: &IpAddr| match it {
            IpAddr::V4(_) => true,
            IpAddr::V6(it) => !it.is_unicast_link_local(),
        };
        for it in list().unwrap() {
            if it.state == State::Preferred && it.interface.is_up && is_far(&it.address) {
                UdpSocket::bind((it.address, 0)).unwrap_or_else(|error| panic!("{it:?}: {error}"));
            }
        }
    }

    #[test]
    fn an_interface_is_found_by_each_of_its_names() {
        let all = interfaces().unwrap();
        let loopback = all.iter().find(|it| it.is_loopback).unwrap();
        for name in std::iter::once(&loopback.name).chain(&loopback.aliases) {
            assert!(!name.is_empty() && loopback.is_called(name), "{loopback:?}");
        }
        assert!(!loopback.is_called("") && !loopback.is_called("no such interface"));
    }
}
