//! Routes of all sorts, in a network of the tests' own.

use super::super::{Gateway, list};
use crate::namespace::{apart, cable, ip};

const ADDRESSES: &str = "addr add 192.0.2.7/24 dev one
    addr add 198.51.100.7/24 dev two
    addr add 2001:db8:1::7/64 dev one nodad";

/// Lays two cables and gives their near ends addresses.
fn two_lines() {
    cable("one", "one-far");
    cable("two", "two-far");
    ip(ADDRESSES);
}

/// Tells each gateway as interface, address, own address and metric.
fn told() -> Vec<String> {
    let tell = |it: &Gateway| {
        let own = it.own_address.map_or_else(|| "-".into(), |it| it.to_string());
        format!("{} {} {own} {}", it.interface.name, it.address, it.metric)
    };
    list().unwrap().iter().map(tell).collect()
}

#[test]
fn gateways_are_told_with_our_own_address_and_in_their_order() {
    apart(|| {
        two_lines();
        assert_eq!(told(), [""; 0], "what is attached needs no gateway");
        ip("route add default via 198.51.100.1 metric 200
            route add default via 192.0.2.1 metric 100
            route add 203.0.113.0/24 via 192.0.2.2");
        let expected = ["one 192.0.2.1 192.0.2.7 100", "two 198.51.100.1 198.51.100.7 200"];
        assert_eq!(told(), expected);
        ip("route del default via 192.0.2.1");
        assert_eq!(told(), expected[1..]);
    });
}

#[test]
fn a_gateway_of_the_younger_family_is_known_by_the_address_of_its_link() {
    apart(|| {
        two_lines();
        ip("addr add fe80::7/64 dev one nodad
            route add default via fe80::1 dev one metric 1024");
        assert_eq!(told(), ["one fe80::1 fe80::7 1024"]);
        let gateway = list().unwrap().remove(0);
        let expected = format!("[fe80::1%{}]:5351", gateway.interface.index);
        assert_eq!(gateway.socket_address(5351), expected.parse().unwrap());
    });
}

#[test]
fn routers_that_share_the_work_are_all_told() {
    apart(|| {
        two_lines();
        ip("route add default nexthop via 192.0.2.1 dev one nexthop via 198.51.100.1 dev two
            route add default nexthop via 2001:db8:1::1 nexthop via 2001:db8:1::2");
        let mut all = told();
        all.sort();
        let expected = [
            "one 192.0.2.1 192.0.2.7 0",
            "one 2001:db8:1::1 2001:db8:1::7 1024",
            "one 2001:db8:1::2 2001:db8:1::7 1024",
            "two 198.51.100.1 198.51.100.7 0",
        ];
        assert_eq!(all, expected);
    });
}

#[test]
fn what_is_no_router_or_of_another_table_is_none() {
    apart(|| {
        two_lines();
        ip("route add default dev two metric 50
            route add default via 192.0.2.1 table 51820
            route add unreachable default metric 4000
            route add 0.0.0.0/1 via 192.0.2.9");
        assert_eq!(told(), [""; 0]);
    });
}

/// Two providers whose boxes come with the same network.
#[test]
fn gateways_of_the_same_address_are_told_apart_by_their_interfaces() {
    apart(|| {
        two_lines();
        ip("addr add 10.0.0.7/24 dev one
            addr add 10.0.0.8/24 dev two
            route add default via 10.0.0.1 dev one metric 100
            route add default via 10.0.0.1 dev two metric 200");
        assert_eq!(told(), ["one 10.0.0.1 10.0.0.7 100", "two 10.0.0.1 10.0.0.8 200"]);
    });
}

#[test]
fn a_router_may_be_of_the_other_family() {
    apart(|| {
        two_lines();
        ip("route add default via inet6 2001:db8:1::1 dev one");
        let gateway = list().unwrap().remove(0);
        assert_eq!(gateway.address.to_string(), "2001:db8:1::1");
    });
}
