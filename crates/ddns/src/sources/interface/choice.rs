//! Which addresses of an interface are told, and in which order.
//!
//! Left out is what will not be there for long (temporary, deprecated), what is not there yet or
//! never (tentative, duplicate) and what reaches nobody beyond the link or the house. Of the rest
//! the one that was first last time stays first; otherwise those are first that are stable, have
//! the longest preferred lifetime, and then the lowest address.

use std::{cmp::Reverse, collections::BTreeMap, net::IpAddr, time::Duration};

use mainstay_platform::addresses::{InterfaceAddress, Origin, State};

use crate::{
    address::{Family, Unfit, unfit},
    config::{Choice, Temporary},
};

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// The family.
    pub(super) family: Family,
    /// What the configuration says.
    pub(super) choice: &'a Choice,
    /// What was told first last time.
    pub(super) last: Option<IpAddr>,
}

/// Why an address is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Objection {
    Deprecated,
    LinkLocal,
    Tentative,
    Down,
    Loopback,
    Outside,
    Duplicate,
    Temporary,
    UniqueLocal,
}

impl Objection {
    /// Says it of so many addresses.
    fn told_of(self, count: usize) -> String {
        match self {
            Self::Deprecated => format!("{count} deprecated"),
            Self::LinkLocal => format!("{count} link-local"),
            Self::Tentative => format!("{count} not checked yet (tentative)"),
            Self::Down => format!("{count} of an interface that is down"),
            Self::Loopback => format!("{count} of this machine alone (loopback)"),
            Self::Outside => format!("{count} outside of `within`"),
            Self::Duplicate => format!("{count} somebody else's, too (duplicate)"),
            Self::Temporary => format!("{count} temporary"),
            Self::UniqueLocal => format!("{count} unique local (fc00::/7)"),
        }
    }
}

/// Returns the addresses that may be told, best first, or why there is none.
pub(super) fn choose(all: &[InterfaceAddress], wanted: &Wanted<'_>) -> Result<Vec<IpAddr>, String> {
    let mine = all.iter().filter(|one| Family::of(one.address) == wanted.family);
    let mut fit = Vec::new();
    let mut refused = BTreeMap::new();
    for one in mine {
        match objection(one, wanted.choice) {
            None => fit.push(one),
            Some(why) => *refused.entry(why).or_insert(0_usize) += 1,
        }
    }
    let doubles: Vec<IpAddr> =
        fit.iter().filter(|one| is_double(one, &fit)).map(|one| one.address).collect();
    fit.retain(|one| !doubles.contains(&one.address));
    fit.sort_by_key(|one| rank(one, wanted.last));
    if fit.is_empty() {
        return Err(complaint(wanted.family, &refused));
    }
    let mut told = Vec::new();
    for one in fit {
        // Linux lists an address twice that somebody has given twice, with another length.
        if !told.contains(&one.address) {
            told.push(one.address);
        }
    }
    Ok(told)
}

/// Returns why an address is left out, if it is.
fn objection(one: &InterfaceAddress, choice: &Choice) -> Option<Objection> {
    if !one.interface.is_up {
        return Some(Objection::Down);
    }
    match one.state {
        State::Preferred => (),
        State::Deprecated => return Some(Objection::Deprecated),
        State::Tentative => return Some(Objection::Tentative),
        State::Duplicate => return Some(Objection::Duplicate),
    }
    if one.preferred_lifetime == Some(Duration::ZERO) {
        return Some(Objection::Deprecated);
    }
    if one.origin == Origin::Temporary && choice.temporary == Temporary::Never {
        return Some(Objection::Temporary);
    }
    match choice.within {
        Some(prefix) if !is_within(one.address, prefix) => Some(Objection::Outside),
        Some(_) => near(one.address),
        None => near(one.address).or_else(|| unique_local(one.address)),
    }
}

/// What reaches nobody beyond the link.
fn near(address: IpAddr) -> Option<Objection> {
    match unfit(address) {
        Some(Unfit::LinkLocal) => Some(Objection::LinkLocal),
        Some(Unfit::Loopback) => Some(Objection::Loopback),
        _ => None,
    }
}

/// Private addresses of IPv4 are passed on, because they tell of a NAT; those of IPv6 stand beside
/// others and tell nothing.
fn unique_local(address: IpAddr) -> Option<Objection> {
    let is_ula = address.is_ipv6() && unfit(address) == Some(Unfit::Private);
    is_ula.then_some(Objection::UniqueLocal)
}

/// An address of `DHCPv6` has the length 128. Beside one that the machine has made of the same
/// prefix, it is the one that nobody else of the house can be reached by.
fn is_double(one: &InterfaceAddress, fit: &[&InterfaceAddress]) -> bool {
    let is_lone = one.address.is_ipv6() && one.prefix_length == 128;
    is_lone
        && one.origin != Origin::Manual
        && fit.iter().any(|other| {
            other.prefix_length < 128
                && other.origin != Origin::Temporary
                && is_within(other.address, (one.address, 64))
        })
}

/// The smallest comes first.
type Rank = (bool, bool, Reverse<Duration>, IpAddr);

fn rank(one: &InterfaceAddress, last: Option<IpAddr>) -> Rank {
    let lifetime = one.preferred_lifetime.unwrap_or(Duration::MAX);
    let is_another = last != Some(one.address);
    let is_temporary = one.origin == Origin::Temporary;
    (is_another, is_temporary, Reverse(lifetime), one.address)
}

/// Returns whether an address begins with the bits of a prefix.
pub(super) fn is_within(address: IpAddr, (prefix, length): (IpAddr, u8)) -> bool {
    let shifted = |whole: u128, other: u128, bits: u32| {
        let rest = bits.saturating_sub(u32::from(length));
        (whole ^ other).checked_shr(rest).unwrap_or(0) == 0
    };
    match (address, prefix) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            shifted(u128::from(one.to_bits()), u128::from(other.to_bits()), 32)
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => shifted(one.to_bits(), other.to_bits(), 128),
        _ => false,
    }
}

fn complaint(family: Family, refused: &BTreeMap<Objection, usize>) -> String {
    if refused.is_empty() {
        return format!("it has no {family} address");
    }
    let parts: Vec<String> = refused.iter().map(|(why, count)| why.told_of(*count)).collect();
    format!("no {family} address of it may be used: {}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use mainstay_platform::addresses::Interface;

    use super::*;

    fn has(address: &str, prefix_length: u8) -> InterfaceAddress {
        InterfaceAddress {
            interface: Interface {
                index: 2,
                name: "eth0".to_owned(),
                aliases: Vec::new(),
                is_up: true,
                is_loopback: false,
                is_point_to_point: false,
            },
            address: address.parse().unwrap(),
            prefix_length,
            peer: None,
            origin: Origin::Autoconfigured,
            state: State::Preferred,
            preferred_lifetime: Some(Duration::from_hours(1)),
            valid_lifetime: Some(Duration::from_hours(2)),
        }
    }

    fn of(origin: Origin, address: &str) -> InterfaceAddress {
        InterfaceAddress { origin, ..has(address, 64) }
    }

    fn in_state(state: State, address: &str) -> InterfaceAddress {
        InterfaceAddress { state, ..has(address, 64) }
    }

    fn lasting(hours: Option<u64>, address: &str) -> InterfaceAddress {
        InterfaceAddress { preferred_lifetime: hours.map(Duration::from_hours), ..has(address, 64) }
    }

    fn chosen(all: &[InterfaceAddress], choice: &Choice, last: Option<&str>) -> String {
        let last = last.map(|text| text.parse().unwrap());
        match choose(all, &Wanted { family: Family::V6, choice, last }) {
            Ok(told) => told.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            Err(why) => why,
        }
    }

    fn check(all: &[InterfaceAddress], expected: &str) {
        assert_eq!(chosen(all, &Choice::default(), None), expected);
        let mut reversed = all.to_vec();
        reversed.reverse();
        assert_eq!(chosen(&reversed, &Choice::default(), None), expected, "in another order");
    }

    #[test]
    fn what_will_not_last_or_reaches_nobody_is_left_out() {
        let fit = has("2408:8207::1", 64);
        check(&[fit.clone(), of(Origin::Temporary, "2408:8207::2")], "2408:8207::1");
        check(&[fit.clone(), in_state(State::Deprecated, "2408:8207::2")], "2408:8207::1");
        check(&[fit.clone(), in_state(State::Tentative, "2408:8207::2")], "2408:8207::1");
        check(&[fit.clone(), in_state(State::Duplicate, "2408:8207::2")], "2408:8207::1");
        check(&[fit.clone(), lasting(Some(0), "2408:8207::2")], "2408:8207::1");
        check(&[fit.clone(), has("fe80::1", 64), has("fd00::1", 64)], "2408:8207::1");
        check(&[fit.clone(), has("192.0.2.1", 24)], "2408:8207::1");
        let mut down = has("2408:8207::2", 64);
        down.interface.is_up = false;
        check(&[fit, down], "2408:8207::1");
    }

    #[test]
    fn the_best_is_stable_lasts_longest_and_is_the_lowest() {
        check(&[has("2408::2", 64), has("2408::1", 64)], "2408::1 2408::2");
        check(&[lasting(Some(2), "2408::2"), lasting(Some(1), "2408::1")], "2408::2 2408::1");
        check(&[lasting(None, "2408::2"), lasting(Some(9), "2408::1")], "2408::2 2408::1");
        check(
            &[of(Origin::StablePrivacy, "2408::2"), of(Origin::Dhcp, "2408::1")],
            "2408::1 2408::2",
        );
        check(&[has("2408:1::1", 64), has("2409:1::1", 64)], "2408:1::1 2409:1::1");
        let again = InterfaceAddress { prefix_length: 56, ..lasting(None, "2408::2") };
        check(&[has("2408::1", 64), again, has("2408::2", 64)], "2408::2 2408::1");
    }

    #[test]
    fn the_lone_address_of_dhcp_gives_way_to_that_of_its_prefix() {
        let lone = |origin, text| InterfaceAddress { origin, ..has(text, 128) };
        check(&[lone(Origin::Dhcp, "2408::5"), has("2408::a:b", 64)], "2408::a:b");
        check(&[lone(Origin::Unknown, "2408::5"), has("2408::a:b", 64)], "2408::a:b");
        check(&[lone(Origin::Dhcp, "2408::5")], "2408::5");
        check(&[lone(Origin::Dhcp, "2408::5"), has("2409::1", 64)], "2408::5 2409::1");
        check(&[lone(Origin::Manual, "2408::5"), has("2408::a:b", 64)], "2408::5 2408::a:b");
        check(&[lone(Origin::Dhcp, "2408::5"), of(Origin::Temporary, "2408::6")], "2408::5");
    }

    #[test]
    fn what_was_first_stays_first_while_it_is_fit() {
        let all = [has("2408::1", 64), lasting(Some(9), "2408::2"), has("2408::3", 64)];
        let told = |last| chosen(&all, &Choice::default(), Some(last));
        assert_eq!(told("2408::3"), "2408::3 2408::2 2408::1");
        assert_eq!(told("2408::9"), "2408::2 2408::1 2408::3");
        let gone = [has("2408::1", 64), in_state(State::Deprecated, "2408::3")];
        assert_eq!(chosen(&gone, &Choice::default(), Some("2408::3")), "2408::1");
    }

    #[test]
    fn temporary_ones_are_the_last_where_they_are_allowed() {
        let choice = Choice { temporary: Temporary::AsLast, ..Choice::default() };
        let temporary =
            InterfaceAddress { preferred_lifetime: None, ..of(Origin::Temporary, "2408::1") };
        let all = [temporary.clone(), has("2408::2", 64)];
        assert_eq!(chosen(&all, &choice, None), "2408::2 2408::1");
        assert_eq!(chosen(&[temporary], &choice, None), "2408::1");
    }

    #[test]
    fn a_prefix_chooses_and_allows_private_ones() {
        let within = |text: &str, length| Choice {
            within: Some((text.parse().unwrap(), length)),
            ..Choice::default()
        };
        let all =
            [has("2408:1::1", 64), has("2409:1::1", 64), has("fd00::1", 64), has("fe80::1", 64)];
        assert_eq!(chosen(&all, &within("2409::", 16), None), "2409:1::1");
        assert_eq!(chosen(&all, &within("fd00::", 8), None), "fd00::1");
        assert_eq!(chosen(&all, &within("::", 0), None), "2408:1::1 2409:1::1 fd00::1");
        assert_eq!(chosen(&all, &within("2409:1::1", 128), None), "2409:1::1");
        assert_eq!(
            chosen(&all, &within("2a00::", 16), None),
            "no IPv6 address of it may be used: 4 outside of `within`"
        );
    }

    #[test]
    fn when_there_is_none_the_reasons_are_told() {
        check(&[], "it has no IPv6 address");
        check(
            &[
                has("fe80::1", 64),
                of(Origin::Temporary, "2408::1"),
                of(Origin::Temporary, "2408::2"),
            ],
            "no IPv6 address of it may be used: 1 link-local, 2 temporary",
        );
    }

    #[test]
    fn private_addresses_of_ipv4_are_passed_on() {
        let all = [has("10.0.0.5", 24), has("169.254.1.1", 16)];
        let choice = Choice::default();
        let wanted = Wanted { family: Family::V4, choice: &choice, last: None };
        assert_eq!(choose(&all, &wanted), Ok(vec!["10.0.0.5".parse().unwrap()]));
    }
}
