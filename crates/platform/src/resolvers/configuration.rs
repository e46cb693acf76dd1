//! `resolv.conf(5)`, as far as it names servers.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

use super::PORT;

/// Returns the servers, each of them once; `index_of` knows the numbers of interfaces.
///
/// What is no address is passed over, as the system does.
pub(super) fn servers(text: &str, index_of: impl Fn(&str) -> Option<u32>) -> Vec<SocketAddr> {
    let mut all = Vec::new();
    for line in text.lines() {
        let mut words = line.split([' ', '\t', '\r']).filter(|word| !word.is_empty());
        // Who indents a line has made no entry of it.
        if !line.starts_with("nameserver") || words.next() != Some("nameserver") {
            continue;
        }
        let server = words.next().and_then(|word| server(word, &index_of));
        all.extend(server.filter(|it| !all.contains(it)));
    }
    all
}

fn server(word: &str, index_of: impl Fn(&str) -> Option<u32>) -> Option<SocketAddr> {
    let Some((address, interface)) = word.split_once('%') else {
        return Some(SocketAddr::new(word.parse::<IpAddr>().ok()?, PORT));
    };
    let index = interface.parse().ok().or_else(|| index_of(interface))?;
    Some(SocketAddrV6::new(address.parse::<Ipv6Addr>().ok()?, PORT, 0, index).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let index_of = |name: &str| (name == "eth0").then_some(7);
        let expected: Vec<SocketAddr> = expected.iter().map(|it| it.parse().unwrap()).collect();
        assert_eq!(servers(text, index_of), expected, "{text:?}");
    }

    #[test]
    fn servers_are_read_in_their_order() {
        check(
            "nameserver 192.0.2.1\nnameserver 2001:db8::1\n",
            &["192.0.2.1:53", "[2001:db8::1]:53"],
        );
        check(
            "# a\nsearch lan\nnameserver\t127.0.0.53 # us\r\noptions ndots:1",
            &["127.0.0.53:53"],
        );
        check("nameserver 192.0.2.1\nnameserver 192.0.2.1", &["192.0.2.1:53"]);
    }

    #[test]
    fn a_server_on_a_link_is_named_with_its_interface() {
        check("nameserver fe80::1%eth0", &["[fe80::1%7]:53"]);
        check("nameserver fe80::1%3", &["[fe80::1%3]:53"]);
        check("nameserver fe80::1%gone", &[]);
    }

    #[test]
    fn what_names_no_server_is_passed_over() {
        check("", &[]);
        check("nameserver\nnameserver dns.example\nnameserver 192.0.2", &[]);
        check("#nameserver 192.0.2.1\n nameserver 192.0.2.2\nnameservers 192.0.2.3", &[]);
    }
}
