//! Which rows of the kernel's tables make a network.

use std::net::IpAddr;

use crate::netlink::{ADDRESS_BYTES, Message, ROUTE_BYTES, address_in, attributes, number_at};

const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_FLAGS: u16 = 8;
/// `IFA_F_DADFAILED | IFA_F_TENTATIVE`: nobody may use it, perhaps only yet.
const UNUSABLE: u32 = 0x08 | 0x40;

const RTA_DST: u16 = 1;
const RTN_UNICAST: u8 = 1;
const TABLE_LOCAL: u8 = 255;
/// The kernel makes these itself, for what is attached.
const BY_KERNEL: u8 = 2;
/// `RTNH_F_DEAD | RTNH_F_LINKDOWN | RTM_F_CLONED`.
const LEADS_NOWHERE: u32 = 0x01 | 0x10 | 0x200;

/// Of which kind an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

impl Family {
    pub(super) const COUNT: usize = 2;

    fn of(number: u8) -> Option<Self> {
        match i32::from(number) {
            libc::AF_INET => Some(Self::V4),
            libc::AF_INET6 => Some(Self::V6),
            _ => None,
        }
    }
}

/// Returns the family of an address that others can be reached with.
pub(super) fn usable_address(message: &Message<'_>) -> Option<Family> {
    let body = message.body;
    let family = Family::of(*body.first()?).filter(|_| message.kind == libc::RTM_NEWADDR)?;
    let (mut address, mut local) = (None, None);
    let mut flags = u32::from(*body.get(2)?);
    for (kind, value) in attributes(body.get(ADDRESS_BYTES..)?) {
        match kind {
            IFA_ADDRESS => address = address_in(value),
            IFA_LOCAL => local = address_in(value),
            IFA_FLAGS => flags = number_at(value, 0)?,
            _ => {}
        }
    }
    let is_far = local.or(address).is_some_and(is_far);
    (is_far && flags & UNUSABLE == 0).then_some(family)
}

/// Returns the family of a route that leads beyond what is attached.
pub(super) fn leading_route(message: &Message<'_>) -> Option<Family> {
    let body = message.body;
    let family = Family::of(*body.first()?).filter(|_| message.kind == libc::RTM_NEWROUTE)?;
    let (prefix, table) = (*body.get(1)?, *body.get(4)?);
    let (protocol, kind) = (*body.get(5)?, *body.get(7)?);
    if kind != RTN_UNICAST || table == TABLE_LOCAL || number_at(body, 8)? & LEADS_NOWHERE != 0 {
        return None;
    }
    let mut all = attributes(body.get(ROUTE_BYTES..)?);
    let to = all.find(|(kind, _)| *kind == RTA_DST).and_then(|(_, value)| address_in(value));
    let was_set = protocol != BY_KERNEL && to.is_some_and(is_far);
    (prefix == 0 || was_set).then_some(family)
}

fn is_far(address: IpAddr) -> bool {
    let is_near = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    !is_near && !address.is_loopback() && !address.is_multicast() && !address.is_unspecified()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;
    use crate::netlink::{message, messages};

    const V4: u8 = 2;
    const V6: u8 = 10;

    fn address(family: u8, bytes: &[u8], flags: u32) -> Option<Family> {
        let body = vec![family, 24, 0, 0, 1, 0, 0, 0];
        let flags = flags.to_ne_bytes();
        let all = [(IFA_ADDRESS, bytes), (IFA_FLAGS, &flags[..])];
        let bytes = message(libc::RTM_NEWADDR, body, &all);
        messages(&bytes).next().and_then(|message| usable_address(&message))
    }

    /// A route: prefix, table, protocol, kind and flags.
    fn route(family: u8, told: [u8; 5], to: &[u8]) -> Option<Family> {
        let [prefix, table, protocol, kind, flags] = told;
        let body = vec![family, prefix, 0, 0, table, protocol, 0, kind, flags, 0, 0, 0];
        let all = if to.is_empty() { vec![] } else { vec![(RTA_DST, to)] };
        let bytes = message(libc::RTM_NEWROUTE, body, &all);
        messages(&bytes).next().and_then(|message| leading_route(&message))
    }

    #[test]
    fn addresses_that_others_can_be_reached_with_count() {
        let lan = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1).octets();
        let link = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1).octets();
        assert_eq!(address(V4, &[192, 0, 2, 1], 0), Some(Family::V4));
        assert_eq!(address(V4, &[127, 0, 0, 1], 0), None);
        assert_eq!(address(V4, &[169, 254, 3, 4], 0), None);
        assert_eq!(address(V6, &lan, 0), Some(Family::V6));
        assert_eq!(address(V6, &lan, UNUSABLE), None);
        assert_eq!(address(V6, &link, 0), None);
        assert_eq!(address(V6, &Ipv6Addr::LOCALHOST.octets(), 0), None);
        assert_eq!(address(7, &lan, 0), None, "of no family we know");
    }

    #[test]
    fn routes_that_lead_somewhere_count() {
        let (main, by_hand) = (254, 4);
        assert_eq!(route(V4, [0, main, by_hand, 1, 0], &[]), Some(Family::V4));
        assert_eq!(route(V6, [0, main, 9, 1, 0], &[]), Some(Family::V6), "from a router");
        assert_eq!(route(V4, [8, main, by_hand, 1, 0], &[10, 0, 0, 0]), Some(Family::V4));
        assert_eq!(route(V4, [16, main, BY_KERNEL, 1, 0], &[172, 17, 0, 0]), None, "attached");
        assert_eq!(route(V4, [16, main, by_hand, 1, 0], &[169, 254, 0, 0]), None);
        assert_eq!(route(V4, [0, main, by_hand, 1, 16], &[]), None, "its link is down");
        assert_eq!(route(V6, [0, main, BY_KERNEL, 7, 0], &[]), None, "unreachable");
        assert_eq!(route(V4, [32, TABLE_LOCAL, BY_KERNEL, 2, 0], &[192, 0, 2, 1]), None);
    }
}
