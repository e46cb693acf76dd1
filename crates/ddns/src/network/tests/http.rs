//! Requests and answers.

use std::net::{Ipv4Addr, Ipv6Addr};

use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;

use super::{
    fakes::{Then, fine},
    *,
};
use crate::network::pool::IDLE_MAX;

#[test]
fn a_request_is_sent_as_it_is_and_its_answer_comes_whole() {
    run(async {
        let answer = "HTTP/1.1 201 Yes\r\nDate: Sun, 22 Nov 2026 04:00:00 GMT\r\nX-A: b\r\n\
                      transfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n";
        let server = Fake::answering(answer).await;
        let request = Request::new(Method::Patch, server.url("/a%20b?c=d"))
            .header("Authorization", "Bearer hunter2")
            .json(&serde_json::json!({"ip": "192.0.2.1"}));
        let response = direct().http(request).await.unwrap();
        assert_eq!((response.status, response.text().as_str()), (201, "hello"));
        let date = response.header("date").unwrap();
        assert_eq!((date, response.header("x-a")), ("Sun, 22 Nov 2026 04:00:00 GMT", Some("b")));
        let Heard { head, body, .. } = server.heard().remove(0);
        assert!(head.starts_with("PATCH /a%20b?c=d HTTP/1.1\r\n"), "{head}");
        assert_eq!(body, r#"{"ip":"192.0.2.1"}"#);
        let lines: Vec<&str> = head.lines().collect();
        for line in [
            format!("host: {}", server.address).as_str(),
            "authorization: Bearer hunter2",
            "content-type: application/json",
            "content-length: 18",
            concat!("user-agent: mainstay/", env!("CARGO_PKG_VERSION"), " (dynamic DNS)"),
        ] {
            assert!(lines.contains(&line), "{line:?} in {lines:?}");
        }
    });
}

#[test]
fn who_must_have_another_name_says_so_and_an_empty_body_has_a_length() {
    run(async {
        let server = Fake::answering(&fine("")).await;
        let request = Request::new(Method::Post, server.url("/")).header("User-Agent", "A/1.0");
        direct().http(request).await.unwrap();
        let head = server.heard().remove(0).head;
        assert!(head.contains("user-agent: A/1.0\r\n") && !head.contains("mainstay"), "{head}");
        assert!(head.contains("content-length: 0\r\n"), "{head}");
    });
}

#[test]
fn a_redirection_is_an_answer_like_any_other() {
    run(async {
        let other = Fake::answering(&fine("other")).await;
        let answer =
            format!("HTTP/1.1 302 Go\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", other.url("/"));
        let server = Fake::answering(&answer).await;
        let response = direct().http(get(server.url("/"))).await.unwrap();
        assert_eq!((response.status, other.connections()), (302, 0));
    });
}

#[test]
fn a_family_that_is_asked_for_is_the_only_one() {
    run(async {
        let four = Fake::answering(&fine("four")).await;
        let port = four.address.port();
        let sixth = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
        // A machine without IPv6, or a port that somebody else has.
        if std::net::TcpListener::bind(sixth).is_err() {
            return;
        }
        let url = format!("http://localhost:{port}/");
        let of = |family| Request { family: Some(family), way: Way::Direct, ..get(url.clone()) };
        let network = direct();
        let error = network.http(of(Family::V6)).await.unwrap_err();
        assert!(told(&error).starts_with("cannot connect to `localhost:"), "{error}");
        let six = Fake::at(sixth, &fine("six"), Then::Listen).await;
        for (family, expected) in [(Family::V6, "six"), (Family::V4, "four")] {
            let response = network.http(of(family)).await.unwrap();
            assert_eq!(response.text(), expected);
        }
        assert_eq!((four.connections(), six.connections()), (1, 1));
        let literal = Request { family: Some(Family::V6), ..get(four.url("/")) };
        let error = told(&network.http(literal).await.unwrap_err());
        assert_eq!(error, "cannot resolve `127.0.0.1`: there is no address of IPv6");
    });
}

#[test]
fn an_answer_that_is_too_long_is_read_no_further() {
    run(async {
        let network = direct();
        let whole = Fake::closing(&fine(&"x".repeat(64 * 1024))).await;
        assert_eq!(network.http(get(whole.url("/"))).await.unwrap().body.len(), 64 * 1024);
        for begin in [
            "HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nx: ",
        ] {
            let endless = Fake::with(move |mut stream, _| async move {
                fakes::hear(&mut stream).await.unwrap();
                let mut more = stream.write_all(begin.as_bytes()).await;
                while more.is_ok() {
                    more = stream.write_all(&[b'x'; 8192]).await;
                }
            })
            .await;
            let error = network.http(get(endless.url("/"))).await.unwrap_err();
            assert!(matches!(error, NetworkError::Long { .. }), "{begin:?}: {error:?}");
            endless.gone(1).await;
        }
    });
}

#[test]
fn who_does_not_answer_is_left_in_time() {
    run(async {
        let mute = Fake::with(|mut stream, _| async move {
            drop(stream.read_to_end(&mut Vec::new()).await);
        })
        .await;
        let within = Duration::from_millis(50);
        let request = Request { within, ..get(mute.url("/?token=hunter2")) };
        let error = direct().http(request).await.unwrap_err();
        let peer = mute.address.to_string();
        assert_eq!(error, NetworkError::Late { peer, within });
        mute.gone(1).await;
    });
}

#[test]
fn an_answer_that_breaks_off_is_none() {
    run(async {
        let check = async |answer: &str, expected: &str| {
            let server = Fake::closing(answer).await;
            let error = direct().http(get(server.url("/?token=hunter2"))).await.unwrap_err();
            let peer = server.address.to_string();
            let begin = format!("the answer of `{peer}` broke off: ");
            let told = told(&error);
            assert!(told.starts_with(&begin) && told.contains(expected), "{told}");
        };
        check("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n192.0.2.1", "end of file").await;
        check("", "connection closed before message completed").await;
        check("SSH-2.0-x\r\n", "invalid HTTP version").await;
    });
}

#[test]
fn nobody_listens_is_told_with_the_address() {
    run(async {
        let server = Fake::answering("").await;
        let url = server.url("/");
        let address = server.address;
        drop(server);
        let error = told(&direct().http(get(url)).await.unwrap_err());
        let begin = format!("cannot connect to `{address}`: 127.0.0.1: ");
        assert!(error.starts_with(&begin), "{error}");
    });
}

#[test]
fn a_connection_serves_several_requests_but_not_those_who_look_for_themselves() {
    run(async {
        let server = Fake::answering(&fine("")).await;
        let network = direct();
        for _ in 0..3 {
            network.http(get(server.url("/"))).await.unwrap();
        }
        assert_eq!(server.connections(), 1);
        network.forget_connections();
        server.gone(1).await;
        network.http(get(server.url("/"))).await.unwrap();
        assert_eq!(server.connections(), 2);
        for count in [3, 4] {
            let request = Request { way: Way::Direct, ..get(server.url("/")) };
            network.http(request).await.unwrap();
            assert_eq!(server.connections(), count);
            assert!(server.heard().pop().unwrap().head.contains("connection: close\r\n"));
        }
    });
}

#[test]
fn a_connection_that_nobody_needs_is_closed() {
    run(async {
        let server = Fake::answering(&fine("")).await;
        let network = direct();
        network.http(get(server.url("/"))).await.unwrap();
        time::pause();
        time::advance(IDLE_MAX + Duration::from_millis(1)).await;
        time::resume();
        server.gone(1).await;
        network.http(get(server.url("/"))).await.unwrap();
        assert_eq!(server.connections(), 2);
    });
}

#[test]
fn connections_that_are_used_again_and_again_have_one_sweeper() {
    run(async {
        let server = Fake::answering(&fine("")).await;
        let network = direct();
        network.http(get(server.url("/"))).await.unwrap();
        let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
        let before = tasks();
        for _ in 0..50 {
            network.http(get(server.url("/"))).await.unwrap();
        }
        assert_eq!((tasks(), server.connections()), (before, 1));
    });
}

#[test]
fn a_connection_that_was_closed_meanwhile_costs_nothing() {
    run(async {
        let server = Fake::closing(&fine("")).await;
        let network = direct();
        for count in 1..4 {
            network.http(get(server.url("/"))).await.unwrap();
            server.gone(count).await;
        }
        assert_eq!((server.connections(), server.heard().len()), (3, 3));
    });
}

#[test]
fn a_request_that_is_dropped_takes_its_connection_along() {
    run(async {
        let mute = Fake::with(|mut stream, witness| async move {
            fakes::hear(&mut stream).await.unwrap();
            witness.note("asked".to_owned());
            drop(stream.read_to_end(&mut Vec::new()).await);
        })
        .await;
        let network = direct();
        let request = get(mute.url("/"));
        let asking = tokio::spawn(async move { network.http(request).await });
        while mute.heard().is_empty() {
            tokio::task::yield_now().await;
        }
        asking.abort();
        mute.gone(1).await;
    });
}

#[test]
fn a_local_address_is_used_and_one_of_the_other_family_leads_nowhere() {
    run(async {
        let local = Ipv4Addr::new(127, 0, 0, 2);
        // Not every system has all of 127.0.0.0/8.
        if std::net::TcpListener::bind((local, 0)).is_err() {
            return;
        }
        let server = Fake::answering(&fine("")).await;
        let bind = |text: &str| NetworkConfig { bind: Some(text.to_owned()), ..Default::default() };
        way(&bind("127.0.0.2")).http(get(server.url("/"))).await.unwrap();
        assert_eq!(server.heard()[0].from.ip(), IpAddr::from(local));
        let error = way(&bind("::1")).http(get(server.url("/"))).await.unwrap_err();
        assert!(told(&error).ends_with(": nothing of its family is reached from ::1"), "{error}");
    });
}

#[test]
fn an_interface_that_there_is_not_is_named_and_nothing_is_sent() {
    run(async {
        let bind = Some("no such interface".to_owned());
        let network = way(&NetworkConfig { bind, ..NetworkConfig::default() });
        let error = network.http(get("http://192.0.2.1:1/")).await.unwrap_err();
        let why = "192.0.2.1: cannot use interface `no such interface`: there is none of that name";
        assert_eq!(told(&error), format!("cannot connect to `192.0.2.1:1`: {why}"));
    });
}

#[test]
fn what_cannot_be_sent_is_told_without_its_values() {
    run(async {
        let check = async |name: &str, value: &str, expected: &str| {
            let request = get("http://192.0.2.1:1/").header(name, value);
            let error = direct().http(request).await.unwrap_err();
            assert_eq!(told(&error), format!("cannot send the request: {expected}"));
        };
        check("a b", "hunter2", "\"a b\" cannot name a header").await;
        check("Host", "hunter2", "the header `host` cannot be chosen").await;
        let strange = "the header `x` has something in it that no header may have";
        check("x", "hunter2\r\ny: z", strange).await;
    });
}

#[test]
fn the_clock_runs_and_no_nonce_comes_twice() {
    let network = direct();
    assert!(network.now() > "2026-01-01T00:00:00Z".parse().unwrap());
    assert_ne!(network.nonce(), network.nonce());
}
