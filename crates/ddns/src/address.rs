//! Addresses that may be published, and why others may not.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Which of the two protocols an address is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4, in records of the type `A`.
    V4,
    /// IPv6, in records of the type `AAAA`.
    V6,
}

impl Family {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::V4, Self::V6];

    /// Returns an address's family.
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// Returns the type of the records that hold such addresses.
    pub const fn record_type(self) -> &'static str {
        match self {
            Self::V4 => "A",
            Self::V6 => "AAAA",
        }
    }

    /// Returns its name in configuration and status.
    pub const fn word(self) -> &'static str {
        match self {
            Self::V4 => "ipv4",
            Self::V6 => "ipv6",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

/// Why an address reaches nobody from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unfit {
    /// RFC 1918, or `fc00::/7` (RFC 4193).
    Private,
    /// 100.64.0.0/10 (RFC 6598): the provider's own NAT.
    SharedByProvider,
    /// Loopback.
    Loopback,
    /// Link-local.
    LinkLocal,
    /// For documents (RFC 5737, RFC 3849, RFC 9637).
    Documentation,
    /// Multicast, broadcast.
    Multicast,
    /// Everything else of IANA's special-purpose registries that is not globally reachable.
    Reserved,
}

impl Unfit {
    /// Says it as it stands behind `it is`.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Private => "private: a router translates it",
            Self::SharedByProvider => "shared by the provider's customers (CGNAT)",
            Self::Loopback => "this machine itself",
            Self::LinkLocal => "link-local",
            Self::Documentation => "meant for documents",
            Self::Multicast => "a group's",
            Self::Reserved => "reserved",
        }
    }
}

/// Returns why an address may not be published, if it may not (IANA's special-purpose registries).
pub fn unfit(address: IpAddr) -> Option<Unfit> {
    match address {
        IpAddr::V4(address) => unfit_v4(address),
        IpAddr::V6(address) => unfit_v6(address),
    }
}

fn unfit_v4(address: Ipv4Addr) -> Option<Unfit> {
    match address.octets() {
        [127, ..] => Some(Unfit::Loopback),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Some(Unfit::Private),
        [100, 64..=127, ..] => Some(Unfit::SharedByProvider),
        [169, 254, ..] => Some(Unfit::LinkLocal),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Some(Unfit::Documentation),
        [224..=239, ..] | [255, 255, 255, 255] => Some(Unfit::Multicast),
        [0 | 240..=255, ..] | [192, 0, 0, _] | [198, 18..=19, ..] => Some(Unfit::Reserved),
        [192, 88, 99, _] => Some(Unfit::Reserved),
        _ => None,
    }
}

fn unfit_v6(address: Ipv6Addr) -> Option<Unfit> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Some(Unfit::Loopback),
        [0xfe80..=0xfebf, ..] => Some(Unfit::LinkLocal),
        [0xfc00..=0xfdff, ..] => Some(Unfit::Private),
        [0xff00..=0xffff, ..] => Some(Unfit::Multicast),
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Some(Unfit::Documentation),
        // Benchmarks, ORCHID, Teredo and whatever else IETF protocols use; 6to4.
        [0x2001, 0..=0x1ff, ..] | [0x2002, ..] => Some(Unfit::Reserved),
        // Only this eighth of the space is global unicast.
        [0x2000..=0x3fff, ..] => None,
        _ => Some(Unfit::Reserved),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reaches_nobody_from_outside_is_unfit() {
        let check =
            |text: &str, expected| assert_eq!(unfit(text.parse().unwrap()), expected, "{text}");
        check("81.2.69.142", None);
        check("1.1.1.1", None);
        check("10.1.2.3", Some(Unfit::Private));
        check("172.31.0.1", Some(Unfit::Private));
        check("172.32.0.1", None);
        check("100.64.0.1", Some(Unfit::SharedByProvider));
        check("100.128.0.1", None);
        check("198.51.100.7", Some(Unfit::Documentation));
        check("0.0.0.0", Some(Unfit::Reserved));
        check("255.255.255.255", Some(Unfit::Multicast));
        check("2408:8207::1", None);
        check("2a00:1450::1", None);
        check("fd00::1", Some(Unfit::Private));
        check("fe80::1", Some(Unfit::LinkLocal));
        check("2001:db8::1", Some(Unfit::Documentation));
        check("2001:0:1::1", Some(Unfit::Reserved));
        check("2002:102:304::1", Some(Unfit::Reserved));
        check("::ffff:1.2.3.4", Some(Unfit::Reserved));
        check("64:ff9b::1.2.3.4", Some(Unfit::Reserved));
    }
}
