//! The kernel's main table of routes.

#[cfg(test)]
#[path = "linux/tests.rs"]
mod tests;

use std::{io, net::IpAddr};

use super::Route;
use crate::netlink::{
    self, Message, NEXT_HOP_BYTES, ROUTE_BYTES, Table, address_in, attributes, number_at, short_at,
};

const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;
const RTA_MULTIPATH: u16 = 9;
const RTA_TABLE: u16 = 15;
/// The gateway is of another family than the route: family and address.
const RTA_VIA: u16 = 18;

const UNICAST: u8 = 1;
const TABLE_MAIN: u32 = 254;
/// `RTNH_F_DEAD | RTNH_F_LINKDOWN`.
const LEADS_NOWHERE: u32 = 0x01 | 0x10;
/// `RTM_F_CLONED`: an exception of some route.
const CLONED: u32 = 0x200;

pub(super) fn routes() -> io::Result<Vec<Route>> {
    let all = netlink::rows(Table::Routes, |message| {
        default_routes(message).filter(|it| !it.is_empty())
    })?;
    Ok(all.into_iter().flatten().collect())
}

/// Reads a row: one route for each router that it leads to.
fn default_routes(message: &Message<'_>) -> Option<Vec<Route>> {
    let body = message.body;
    let (prefix_length, kind) = (*body.get(1)?, *body.get(7)?);
    let flags = number_at(body, 8)?;
    let is_default = message.kind == libc::RTM_NEWROUTE && prefix_length == 0 && kind == UNICAST;
    if !is_default || flags & CLONED != 0 {
        return None;
    }
    let mut hop = Hop { flags, ..Hop::default() };
    let (mut metric, mut table, mut hops) = (0, u32::from(*body.get(4)?), Vec::new());
    for (kind, value) in attributes(body.get(ROUTE_BYTES..)?) {
        match kind {
            RTA_PRIORITY => metric = number_at(value, 0)?,
            RTA_TABLE => table = number_at(value, 0)?,
            RTA_MULTIPATH => hops = several(value),
            _ => hop.take(kind, value),
        }
    }
    hops.push(hop);
    (table == TABLE_MAIN).then(|| hops.iter().filter_map(|it| it.route(metric)).collect())
}

/// Where a route leads to.
#[derive(Debug, Default)]
struct Hop {
    interface: Option<u32>,
    gateway: Option<IpAddr>,
    flags: u32,
}

impl Hop {
    fn take(&mut self, kind: u16, value: &[u8]) {
        match kind {
            RTA_OIF => self.interface = number_at(value, 0),
            RTA_GATEWAY => self.gateway = address_in(value),
            RTA_VIA => self.gateway = value.get(2..).and_then(address_in),
            _ => {}
        }
    }

    fn route(&self, metric: u32) -> Option<Route> {
        if self.flags & LEADS_NOWHERE != 0 {
            return None;
        }
        Some(Route { interface: self.interface?, gateway: self.gateway?, metric })
    }
}

/// `rtnexthop`: length, flags, weight, interface; then attributes.
fn several(mut rest: &[u8]) -> Vec<Hop> {
    let mut all = Vec::new();
    while let Some(hop) = short_at(rest, 0).and_then(|size| rest.get(..size.into())) {
        let Some(own) = hop.get(NEXT_HOP_BYTES..) else { break };
        let flags = hop.get(2).copied().unwrap_or_default().into();
        let mut next = Hop { interface: number_at(hop, 4), gateway: None, flags };
        attributes(own).for_each(|(kind, value)| next.take(kind, value));
        all.push(next);
        rest = rest.get(netlink::aligned(hop.len())..).unwrap_or_default();
    }
    all
}
