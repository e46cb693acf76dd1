//! What macOS writes about routes (`route(4)`): a head, and the addresses that the head names.

use std::net::IpAddr;

use super::Route;
use crate::socket_address::address_in;

/// `rt_msghdr` with its metrics.
pub(super) const HEAD_BYTES: usize = 92;
/// `RTF_UP | RTF_GATEWAY`.
const LEADS_ON: u32 = 0x1 | 0x2;
/// `RTF_IFSCOPE`: for sockets alone that are bound to the interface.
const SCOPED: u32 = 0x100_0000;
/// The addresses, each of which a bit of the head stands for.
const DESTINATION: usize = 0;
const GATEWAY: usize = 1;
const MASK: usize = 2;
/// Everything begins at a multiple of this.
const ALIGNED_TO: usize = 4;

/// Returns the routes that lead anywhere by a router.
pub(super) fn default_routes(mut rest: &[u8]) -> Vec<Route> {
    let mut all = Vec::new();
    while let Some(size) = short_at(rest, 0).filter(|size| *size > 0) {
        let Some(row) = rest.get(..size.into()) else { break };
        all.extend(default_route(row));
        rest = rest.get(size.into()..).unwrap_or_default();
    }
    all
}

/// A scoped route counts: a second interface has no other.
fn default_route(row: &[u8]) -> Option<Route> {
    let (interface, flags, names) = (short_at(row, 4)?, number_at(row, 8)?, number_at(row, 12)?);
    let [to, by, mask] = addresses(row.get(HEAD_BYTES..)?, names);
    // The mask of a default route is empty, and one without a mask is to a single machine.
    let is_default = address_in(to?)?.is_unspecified() && mask?.iter().skip(1).all(|it| *it == 0);
    if flags & LEADS_ON != LEADS_ON || !is_default {
        return None;
    }
    let gateway = address_in(by?).filter(|it: &IpAddr| !it.is_unspecified())?;
    let metric = u32::from(flags & SCOPED != 0);
    Some(Route { interface: interface.into(), gateway, metric })
}

/// Returns destination, gateway and mask.
fn addresses(mut rest: &[u8], names: u32) -> [Option<&[u8]>; 3] {
    let mut all = [None; 3];
    for (bit, place) in [DESTINATION, GATEWAY, MASK].into_iter().zip(&mut all) {
        if names & (1 << bit) == 0 {
            continue;
        }
        let size = usize::from(rest.first().copied().unwrap_or_default());
        *place = rest.get(..size);
        // One of no length takes as much room as a number.
        let room = size.max(1).next_multiple_of(ALIGNED_TO);
        rest = rest.get(room..).unwrap_or_default();
    }
    all
}

fn number_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes)
}

fn short_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP_BY_GATEWAY: u32 = 0x803;

    fn row(flags: u32, names: u32, addresses: &[&[u8]]) -> Vec<u8> {
        let mut row = vec![0; HEAD_BYTES];
        row[4..6].copy_from_slice(&7_u16.to_ne_bytes());
        row[8..12].copy_from_slice(&flags.to_ne_bytes());
        row[12..16].copy_from_slice(&names.to_ne_bytes());
        for address in addresses {
            row.extend(*address);
            row.resize(row.len().next_multiple_of(ALIGNED_TO), 0);
        }
        let size = u16::try_from(row.len()).unwrap();
        row[0..2].copy_from_slice(&size.to_ne_bytes());
        row
    }

    fn v4(address: [u8; 4]) -> Vec<u8> {
        [&[16, 2, 0, 0][..], &address, &[0; 8]].concat()
    }

    fn v6(address: &str) -> Vec<u8> {
        let address: std::net::Ipv6Addr = address.parse().unwrap();
        [&[28, 30, 0, 0, 0, 0, 0, 0][..], &address.octets(), &[0; 4]].concat()
    }

    fn check(bytes: &[u8], expected: &[(&str, u32)]) {
        let route = |(gateway, metric): &(&str, u32)| Route {
            interface: 7,
            gateway: gateway.parse().unwrap(),
            metric: *metric,
        };
        assert_eq!(default_routes(bytes), expected.iter().map(route).collect::<Vec<_>>());
    }

    #[test]
    fn default_routes_of_both_families_are_read() {
        let (any, router) = (v4([0; 4]), v4([192, 0, 2, 1]));
        let first = row(UP_BY_GATEWAY, 7, &[&any, &router, &[0, 0, 0, 0]]);
        let second = row(UP_BY_GATEWAY, 7, &[&v6("::"), &v6("fe80:7::1"), &[0; 4]]);
        check(&first, &[("192.0.2.1", 0)]);
        check(&[first, second].concat(), &[("192.0.2.1", 0), ("fe80::1", 0)]);
        let scoped = row(UP_BY_GATEWAY | SCOPED, 7, &[&any, &router, &[0; 4]]);
        check(&scoped, &[("192.0.2.1", 1)]);
    }

    #[test]
    fn what_leads_elsewhere_or_by_nobody_is_no_default_route() {
        let (any, router) = (v4([0; 4]), v4([192, 0, 2, 1]));
        let mask: &[u8] = &[5, 0, 0, 0, 128, 0, 0, 0];
        check(&row(UP_BY_GATEWAY, 7, &[&any, &router, mask]), &[]);
        check(&row(UP_BY_GATEWAY, 7, &[&v4([10, 0, 0, 0]), &router, mask]), &[]);
        check(&row(UP_BY_GATEWAY, 3, &[&any, &router]), &[]);
        check(&row(1, 7, &[&any, &router, &[0; 4]]), &[]);
        let link: &[u8] = &[8, 18, 7, 0, 0, 0, 0, 0];
        check(&row(UP_BY_GATEWAY, 7, &[&any, link, &[0; 4]]), &[]);
    }

    #[test]
    fn what_is_cut_off_is_passed_over() {
        let whole = row(UP_BY_GATEWAY, 7, &[&v4([0; 4]), &v4([192, 0, 2, 1]), &[0; 4]]);
        for size in 0..whole.len() {
            check(&whole[..size], &[]);
        }
        check(&[0; 200], &[]);
    }
}
