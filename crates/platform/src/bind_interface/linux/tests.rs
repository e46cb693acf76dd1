//! Two ways out, in a network of the test's own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

use super::super::bind;
use crate::namespace::{apart, cable, ip};

const TWO_WAYS: &str = "link property add dev two altname another-name-for-the-second-way
    addr add 10.1.0.1/24 dev one
    addr add 10.2.0.1/24 dev two
    addr add fd00:1::1/64 dev one nodad
    addr add fd00:2::1/64 dev two nodad
    route add default via 10.1.0.254 metric 100
    route add default via 10.2.0.254 metric 200
    route add default via fd00:1::fe metric 100
    route add default via fd00:2::fe metric 200";

/// Returns from which address datagrams would go; none is sent.
fn source(interface: Option<&str>, any: IpAddr, to: &str) -> String {
    let socket = UdpSocket::bind((any, 0)).unwrap();
    if let Some(interface) = interface {
        bind(&socket, interface).unwrap();
    }
    socket.connect((to, 9)).unwrap();
    socket.local_addr().unwrap().ip().to_string()
}

#[test]
fn a_socket_goes_the_way_of_its_interface_and_not_the_shorter_one() {
    apart(|| {
        cable("one", "one-far");
        cable("two", "two-far");
        ip(TWO_WAYS);
        let v4 = |interface| source(interface, Ipv4Addr::UNSPECIFIED.into(), "192.0.2.1");
        let v6 = |interface| source(interface, Ipv6Addr::UNSPECIFIED.into(), "2001:db8::1");
        assert_eq!([v4(None), v6(None)], ["10.1.0.1", "fd00:1::1"]);
        assert_eq!([v4(Some("two")), v6(Some("two"))], ["10.2.0.1", "fd00:2::1"]);
        assert_eq!(v4(Some("another-name-for-the-second-way")), "10.2.0.1");
        assert_eq!(v4(Some("one")), "10.1.0.1");
    });
}

/// Whoever asks for an address over one line must not be answered by way of another.
#[cfg(feature = "async")]
#[test]
fn sockets_of_the_runtime_are_bound_as_well() {
    use tokio::net::TcpSocket;

    apart(|| {
        cable("one", "one-far");
        cable("two", "two-far");
        ip(TWO_WAYS);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let socket = TcpSocket::new_v4().unwrap();
            bind(&socket, "two").unwrap();
            let far = tokio::net::UdpSocket::bind("0.0.0.0:0").await.unwrap();
            bind(&far, "two").unwrap();
            far.connect("192.0.2.1:9").await.unwrap();
            assert_eq!(far.local_addr().unwrap().ip().to_string(), "10.2.0.1");
            let listener = std::net::TcpListener::bind("10.1.0.1:0").unwrap();
            let to = listener.local_addr().unwrap();
            let connected = socket.connect(to);
            let patience = std::time::Duration::from_millis(100);
            let came = tokio::time::timeout(patience, connected).await;
            assert!(!matches!(came, Ok(Ok(_))), "our own other address is behind the far end");
        });
    });
}
