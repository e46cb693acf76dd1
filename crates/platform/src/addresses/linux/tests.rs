//! Addresses of all sorts, in a network of the tests' own.

use std::{net::IpAddr, time::Duration};

use super::super::{InterfaceAddress, Origin, State, list};
use crate::namespace::{PATIENCE, apart, cable, ip, many, wait_until};

fn find(address: &str) -> Option<InterfaceAddress> {
    let address: IpAddr = address.parse().unwrap();
    list().unwrap().into_iter().find(|it| it.address == address)
}

fn known(address: &str) -> InterfaceAddress {
    find(address).unwrap_or_else(|| panic!("{address} is not in {:#?}", list().unwrap()))
}

#[test]
fn an_address_is_told_with_its_interface_its_network_and_its_times() {
    apart(|| {
        cable("one", "two");
        ip("addr add 192.0.2.7/24 dev one
            addr add 192.0.2.8/24 dev one valid_lft 900 preferred_lft 600
            addr add 2001:db8:1::7/64 dev one nodad");
        let first = known("192.0.2.7");
        let interface = &first.interface;
        assert_eq!((interface.name.as_str(), first.prefix_length), ("one", 24));
        assert!(interface.is_up && !interface.is_loopback && !interface.is_point_to_point);
        assert_eq!((first.preferred_lifetime, first.valid_lifetime), (None, None));
        assert_eq!((first.peer, first.state), (None, State::Preferred));

        let leased = known("192.0.2.8");
        assert_eq!(leased.origin, Origin::Unknown, "the second of a network is not temporary");
        let times = [leased.preferred_lifetime.unwrap(), leased.valid_lifetime.unwrap()];
        let most = [600, 900].map(Duration::from_secs);
        assert!(times[0] <= most[0] && times[0] + PATIENCE > most[0], "{times:?}");
        assert!(times[1] <= most[1] && times[1] + PATIENCE > most[1], "{times:?}");

        let other = known("2001:db8:1::7");
        assert_eq!((other.prefix_length, other.state), (64, State::Preferred));
        assert_eq!((&other.interface, other.origin), (interface, Origin::Unknown));
    });
}

#[test]
fn an_address_that_is_to_be_replaced_is_deprecated() {
    apart(|| {
        cable("one", "two");
        ip("addr add 2001:db8:1::9/64 dev one nodad preferred_lft 0 valid_lft 3600
            addr add 192.0.2.9/24 dev one preferred_lft 0 valid_lft 3600
            addr add 2001:db8:1::a/64 dev one nodad preferred_lft 1 valid_lft 3600");
        for address in ["2001:db8:1::9", "192.0.2.9"] {
            let old = known(address);
            assert_eq!(old.state, State::Deprecated, "{old:?}");
            assert_eq!(old.preferred_lifetime, Some(Duration::ZERO));
            assert!(old.valid_lifetime.unwrap() + PATIENCE > Duration::from_hours(1));
        }
        wait_until("it is deprecated", || known("2001:db8:1::a").state == State::Deprecated);
    });
}

#[test]
fn an_address_is_tentative_until_nobody_has_answered_and_duplicate_when_somebody_has() {
    apart(|| {
        // Nobody is asked on a link that is down, so that the address stays what it is.
        ip("link add one type veth peer name two
            addr add 2001:db8:1::7/64 dev one");
        assert_eq!(known("2001:db8:1::7").state, State::Tentative);
        assert!(!known("2001:db8:1::7").interface.is_up);
        ip("link set two up
            addr add 2001:db8:1::7/64 dev two nodad
            link set one up");
        let is_refused =
            |it: &InterfaceAddress| it.interface.name == "one" && it.state == State::Duplicate;
        wait_until("somebody has it", || list().unwrap().iter().any(is_refused));
        ip("addr add 2001:db8:1::8/64 dev one");
        wait_until("nobody has it", || known("2001:db8:1::8").state == State::Preferred);
    });
}

#[test]
fn a_temporary_address_is_told_from_the_one_that_it_was_made_beside() {
    apart(|| {
        cable("one", "two");
        std::fs::write("/proc/sys/net/ipv6/conf/one/use_tempaddr", "2").unwrap();
        ip("addr add 2001:db8:1:0:0:ff:fe00:7/64 dev one nodad mngtmpaddr");
        assert_eq!(known("2001:db8:1:0:0:ff:fe00:7").origin, Origin::Autoconfigured);
        let temporary = || list().unwrap().into_iter().find(|it| it.origin == Origin::Temporary);
        wait_until("a temporary address is there", || temporary().is_some());
        let temporary = temporary().unwrap();
        assert!(temporary.address.to_string().starts_with("2001:db8:1:0:"), "{temporary:?}");
        assert!(temporary.preferred_lifetime.is_some() && temporary.prefix_length == 64);
    });
}

#[test]
fn addresses_that_the_machine_makes_for_a_link_are_of_its_own_making() {
    apart(|| {
        ip("link add one type veth peer name two
            link set one addrgenmode random
            link set one up
            link set two up");
        let of = |name: &str| {
            let all = list().unwrap();
            all.into_iter().find(|it| it.interface.name == name).map(|it| it.origin)
        };
        wait_until("both links are there", || of("one").is_some() && of("two").is_some());
        assert_eq!(of("one"), Some(Origin::StablePrivacy));
        let before_linux_5_18 = Origin::Unknown;
        assert!([Origin::Autoconfigured, before_linux_5_18].map(Some).contains(&of("two")));
    });
}

#[test]
fn an_interface_has_more_names_than_one() {
    apart(|| {
        cable("one", "two");
        ip("link property add dev one altname a-name-of-more-than-sixteen-letters
            link property add dev one altname eins
            addr add 192.0.2.7/24 dev one");
        let interface = known("192.0.2.7").interface;
        assert_eq!(interface.aliases, ["a-name-of-more-than-sixteen-letters", "eins"]);
        assert!(interface.is_called("one") && interface.is_called("eins"));
        assert!(!interface.is_called("ONE") && !interface.is_called("two"));
    });
}

#[test]
fn the_other_end_of_a_link_is_not_our_own_address() {
    apart(|| {
        cable("one", "two");
        ip("addr add 192.0.2.7 peer 198.51.100.1/32 dev one
            addr add 2001:db8:1::7 peer 2001:db8:2::1/128 dev one nodad");
        let ours = [known("192.0.2.7"), known("2001:db8:1::7")];
        assert_eq!(ours[0].peer, Some("198.51.100.1".parse().unwrap()));
        assert_eq!(ours[1].peer, Some("2001:db8:2::1".parse().unwrap()));
        assert_eq!(ours.map(|it| it.prefix_length), [32, 128]);
        assert_eq!([find("198.51.100.1"), find("2001:db8:2::1")], [None, None]);
    });
}

/// An address that is missing from a list for a moment would be taken out of the DNS.
#[test]
fn an_address_that_stays_is_in_every_list_while_others_come_and_go() {
    apart(|| {
        cable("one", "two");
        ip(&(many("add") + "\naddr add 192.0.2.7/24 dev one"));
        let (out, back) = (many("del"), many("add"));
        std::thread::scope(|scope| {
            let others = scope.spawn(|| [&out, &back, &out].map(|lines| ip(lines)));
            while !others.is_finished() {
                // Whoever cannot read the whole table says so.
                let Ok(found) = list() else { continue };
                assert!(found.iter().any(|it| it.address.to_string() == "192.0.2.7"));
            }
        });
        known("192.0.2.7");
    });
}
