//! Rows of the kernel's tables of links and addresses, byte by byte.

use std::{net::IpAddr, time::Duration};

use super::super::{Interface, InterfaceAddress, Origin, State};
use crate::netlink::{ADDRESS_BYTES, LINK_BYTES, Message, address_in, attributes, number_at};

const IFLA_IFNAME: u16 = 3;
const IFLA_PROP_LIST: u16 = 52;
const IFLA_ALT_IFNAME: u16 = 53;
/// An attribute that holds attributes may say so in its kind.
const NESTED: u16 = 0x8000;

const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_CACHEINFO: u16 = 6;
const IFA_FLAGS: u16 = 8;
const IFA_PROTO: u16 = 11;

/// The same bit of an address of IPv4 means that it is not the first of its network.
const TEMPORARY: u32 = 0x01;
const DUPLICATE: u32 = 0x08;
const DEPRECATED: u32 = 0x20;
const TENTATIVE: u32 = 0x40;
/// Temporary addresses are made beside it.
const MANAGES_TEMPORARY: u32 = 0x100;
const STABLE_PRIVACY: u32 = 0x800;

/// `IFAPROT_KERNEL_RA` and `IFAPROT_KERNEL_LL` (Linux 5.18).
const MADE_BY_KERNEL: [u8; 2] = [2, 3];

/// `INFINITY_LIFE_TIME`.
const FOR_EVER: u32 = u32::MAX;

/// An address whose interface is known by its number alone.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) address: IpAddr,
    prefix_length: u8,
    peer: Option<IpAddr>,
    origin: Origin,
    state: State,
    preferred_lifetime: Option<Duration>,
    valid_lifetime: Option<Duration>,
}

impl Row {
    pub(super) fn on(self, interface: Interface) -> InterfaceAddress {
        InterfaceAddress {
            interface,
            address: self.address,
            prefix_length: self.prefix_length,
            peer: self.peer,
            origin: self.origin,
            state: self.state,
            preferred_lifetime: self.preferred_lifetime,
            valid_lifetime: self.valid_lifetime,
        }
    }
}

/// Reads a link.
pub(super) fn interface(message: &Message<'_>) -> Option<Interface> {
    if message.kind != libc::RTM_NEWLINK {
        return None;
    }
    let (index, flags) = (number_at(message.body, 4)?, number_at(message.body, 8)?);
    let has = |flag: libc::c_int| flags & flag.unsigned_abs() != 0;
    let (mut name, mut aliases) = (None, Vec::new());
    for (kind, value) in attributes(message.body.get(LINK_BYTES..)?) {
        match kind & !NESTED {
            IFLA_IFNAME => name = Some(text(value)),
            IFLA_PROP_LIST => aliases.extend(alternative_names(value)),
            _ => {}
        }
    }
    Some(Interface {
        index,
        name: name?,
        aliases,
        is_up: has(libc::IFF_UP) && has(libc::IFF_RUNNING),
        is_loopback: has(libc::IFF_LOOPBACK),
        is_point_to_point: has(libc::IFF_POINTOPOINT),
    })
}

/// Reads an address and the number of its interface.
pub(super) fn address(message: &Message<'_>) -> Option<(u32, Row)> {
    if message.kind != libc::RTM_NEWADDR {
        return None;
    }
    let body = message.body;
    let told = Told::of(body)?;
    // Without another end both are the same, and IPv6 tells only one then.
    let address = told.local.or(told.remote)?;
    let [preferred, valid] = told.seconds;
    let row = Row {
        address,
        prefix_length: *body.get(1)?,
        peer: told.remote.filter(|it| *it != address),
        origin: told.origin(address),
        state: told.state(),
        preferred_lifetime: lifetime(preferred),
        valid_lifetime: lifetime(valid),
    };
    Some((number_at(body, 4)?, row))
}

/// The attributes of an address.
struct Told {
    local: Option<IpAddr>,
    remote: Option<IpAddr>,
    flags: u32,
    /// How much longer it is preferred and valid.
    seconds: [u32; 2],
    protocol: Option<u8>,
}

impl Told {
    fn of(body: &[u8]) -> Option<Self> {
        let flags = u32::from(*body.get(2)?);
        let seconds = [FOR_EVER; 2];
        let mut told = Self { local: None, remote: None, flags, seconds, protocol: None };
        for (kind, value) in attributes(body.get(ADDRESS_BYTES..)?) {
            match kind {
                IFA_LOCAL => told.local = address_in(value),
                IFA_ADDRESS => told.remote = address_in(value),
                IFA_FLAGS => told.flags = number_at(value, 0)?,
                IFA_CACHEINFO => told.seconds = [number_at(value, 0)?, number_at(value, 4)?],
                IFA_PROTO => told.protocol = value.first().copied(),
                _ => {}
            }
        }
        Some(told)
    }

    fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    fn origin(&self, address: IpAddr) -> Origin {
        if address.is_ipv4() {
            return Origin::Unknown;
        }
        if self.has(TEMPORARY) {
            return Origin::Temporary;
        }
        if self.has(STABLE_PRIVACY) {
            return Origin::StablePrivacy;
        }
        let is_made = self.protocol.is_some_and(|it| MADE_BY_KERNEL.contains(&it));
        if is_made || self.has(MANAGES_TEMPORARY) {
            return Origin::Autoconfigured;
        }
        Origin::Unknown
    }

    fn state(&self) -> State {
        if self.has(DUPLICATE) {
            State::Duplicate
        } else if self.has(TENTATIVE) {
            State::Tentative
        } else if self.has(DEPRECATED) || self.seconds[0] == 0 {
            State::Deprecated
        } else {
            State::Preferred
        }
    }
}

fn lifetime(seconds: u32) -> Option<Duration> {
    (seconds != FOR_EVER).then(|| Duration::from_secs(seconds.into()))
}

fn alternative_names(properties: &[u8]) -> impl Iterator<Item = String> {
    let names = attributes(properties).filter(|(kind, _)| kind & !NESTED == IFLA_ALT_IFNAME);
    names.map(|(_, value)| text(value))
}

fn text(value: &[u8]) -> String {
    let name = value.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(name).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::{message, messages};

    const V4: [u8; 4] = [192, 0, 2, 7];
    const V6: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];

    /// Reads an address on interface 3, with flags of eight bits.
    fn read(flags: u8, attributes: &[(u16, &[u8])]) -> Option<Row> {
        let bytes = message(libc::RTM_NEWADDR, vec![10, 64, flags, 0, 3, 0, 0, 0], attributes);
        let (index, row) = messages(&bytes).next().and_then(|message| address(&message))?;
        assert_eq!((index, row.prefix_length), (3, 64));
        Some(row)
    }

    fn flagged(flags: u32, more: &[(u16, &[u8])]) -> (Origin, State) {
        let flags = flags.to_ne_bytes();
        let all = [&[(IFA_ADDRESS, &V6[..]), (IFA_FLAGS, &flags[..])], more].concat();
        let row = read(0, &all).unwrap();
        (row.origin, row.state)
    }

    #[test]
    fn the_worst_that_is_said_of_an_address_counts() {
        assert_eq!(flagged(0, &[]).1, State::Preferred);
        assert_eq!(flagged(DEPRECATED, &[]).1, State::Deprecated);
        assert_eq!(flagged(DEPRECATED | TENTATIVE, &[]).1, State::Tentative);
        assert_eq!(flagged(DUPLICATE | TENTATIVE, &[]).1, State::Duplicate);
        let over = [0_u32, 60].map(u32::to_ne_bytes).concat();
        assert_eq!(flagged(0, &[(IFA_CACHEINFO, &over)]).1, State::Deprecated, "not yet swept");
    }

    #[test]
    fn an_address_is_of_whoever_has_made_it() {
        assert_eq!(flagged(0, &[]).0, Origin::Unknown);
        assert_eq!(flagged(TEMPORARY, &[]).0, Origin::Temporary);
        assert_eq!(flagged(STABLE_PRIVACY | MANAGES_TEMPORARY, &[]).0, Origin::StablePrivacy);
        assert_eq!(flagged(MANAGES_TEMPORARY, &[]).0, Origin::Autoconfigured);
        assert_eq!(flagged(0, &[(IFA_PROTO, &[2])]).0, Origin::Autoconfigured);
        assert_eq!(flagged(0, &[(IFA_PROTO, &[1])]).0, Origin::Unknown);
    }

    #[test]
    fn flags_of_eight_bits_are_those_of_a_kernel_without_more() {
        let row = read(TEMPORARY.to_le_bytes()[0], &[(IFA_ADDRESS, &V6)]).unwrap();
        assert_eq!(row.origin, Origin::Temporary);
        let second =
            read(TEMPORARY.to_le_bytes()[0], &[(IFA_ADDRESS, &V4), (IFA_LOCAL, &V4)]).unwrap();
        assert_eq!((second.origin, second.peer), (Origin::Unknown, None));
        assert_eq!((second.preferred_lifetime, second.valid_lifetime), (None, None));
    }

    #[test]
    fn what_is_cut_off_is_passed_over() {
        assert!(read(0, &[]).is_none(), "no address at all");
        assert!(read(0, &[(IFA_ADDRESS, &V6[..9])]).is_none());
        assert!(read(0, &[(IFA_ADDRESS, &V6), (IFA_FLAGS, &[0; 3])]).is_none());
        for size in 0..LINK_BYTES {
            let bytes = message(libc::RTM_NEWLINK, vec![0; size], &[]);
            let found = messages(&bytes).next().and_then(|message| interface(&message));
            assert_eq!(found, None);
        }
    }
}
