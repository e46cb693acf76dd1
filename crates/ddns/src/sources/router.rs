//! Where the router is, and by which interface.

use std::net::{Ipv4Addr, SocketAddr};

use crate::address::Family;

/// Returns the router that is configured, else the default gateway.
pub(super) fn find(
    configured: Option<SocketAddr>,
    family: Family,
    _port: u16,
) -> Result<SocketAddr, String> {
    let Some(server) = configured else {
        return Err("the default gateway is not known; write `gateway`".to_owned());
    };
    if Family::of(server.ip()) == family {
        return Ok(server);
    }
    Err(format!("`gateway` is {server}, which is no {family} address"))
}

/// Returns the name of the interface by which the default route of a family leads.
pub(super) fn interface(_family: Family) -> Result<String, String> {
    Err("the default route is not known; write `interface`".to_owned())
}

/// A router of IPv4 and our own side of the network that it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Neighbour {
    /// The router.
    pub(super) router: Ipv4Addr,
    /// Our own address towards it.
    pub(super) local: Option<Ipv4Addr>,
}

/// Returns the default gateway of IPv4, as far as it is known.
pub(super) fn neighbour() -> Option<Neighbour> {
    None
}
