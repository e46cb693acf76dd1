//! The peers are what they are taken for: each does for its own client what ours will ask of it.

use crate::{
    bind9::{Bind9, KEY, TEXT_KEY, ZONE},
    coturn::{self, Coturn},
    dns::Kind,
    home::is_root,
    knot::Knot,
    moto::Moto,
    peer,
    powerdns::PowerDns,
    processes::wait_until,
    python,
    router::{GATEWAY, Router},
};

/// One message that takes what there is and puts another address there.
const REPLACE: &str =
    "update delete home.example.test. A\nupdate add home.example.test. 60 A 198.51.100.7";

#[test]
fn bind_takes_what_is_signed_and_allowed_and_nothing_else() {
    let bind = Bind9::start();
    bind.update(&bind.key(KEY), REPLACE).unwrap();
    assert_eq!(bind.dns.values("home.example.test", Kind::A), ["198.51.100.7"]);
    let answer = bind.dns.ask("home.example.test", Kind::A).unwrap();
    assert_eq!((answer.code, answer.ttl), (0, Some(60)));
    assert_eq!(bind.dns.ask("nobody.example.test", Kind::A).unwrap().code, 3);
    assert_eq!(bind.dns.values(ZONE, Kind::Soa), ["2"]);

    let refused = |key: &std::path::Path, why: &str| {
        let said = bind.update(key, REPLACE).unwrap_err();
        assert!(said.contains(why), "{said}");
    };
    refused(&bind.key(TEXT_KEY), "REFUSED");
    refused(&bind.forge("wrong", "d3Jvbmc="), "NOTAUTH(BADKEY)");
    let text = "update add note.example.test. 60 TXT hello";
    bind.update(&bind.key(TEXT_KEY), text).unwrap();
    assert_eq!(bind.dns.values("note.example.test", Kind::Txt), ["hello"]);
    assert_eq!(bind.dns.values("mail.example.test", Kind::A), ["192.0.2.25"]);
    assert!(bind.said().contains("adding an RR at 'home.example.test' A 198.51.100.7"));
}

#[test]
fn knot_takes_the_same_message() {
    let knot = Knot::start();
    knot.update(REPLACE).unwrap();
    assert_eq!(knot.dns.values("home.example.test", Kind::A), ["198.51.100.7"]);
    knot.update("update add home.example.test. 60 AAAA 2001:db8::7").unwrap();
    assert_eq!(knot.dns.values("home.example.test", Kind::Aaaa), ["2001:db8::7"]);
}

#[test]
fn powerdns_replaces_a_set_of_records_at_once() {
    let server = PowerDns::start();
    let body = serde_json::json!({ "rrsets": [{
        "name": "home.example.test.", "type": "A", "ttl": 60, "changetype": "REPLACE",
        "records": [{ "content": "198.51.100.7", "disabled": false }],
    }] });
    let path = format!("/zones/{ZONE}.");
    assert_eq!(server.ask("PATCH", &path, &body.to_string()).0, 204);
    assert_eq!(server.dns.values("home.example.test", Kind::A), ["198.51.100.7"]);
    let wrong = body.to_string().replace("198.51.100.7", "nonsense");
    assert_eq!(server.ask("PATCH", &path, &wrong).0, 422);
    assert_eq!(server.dns.values("mail.example.test", Kind::A), ["192.0.2.25"]);
}

#[test]
fn route_53_takes_what_its_own_client_sends() {
    let moto = Moto::start();
    let account = r#"{"key": "AKIDEXAMPLE", "secret": "SK"}"#;
    peer::run(python::script("oracle.py").args(["route53", &moto.url, account])).unwrap();
    assert!(moto.records().contains("<Value>198.51.100.8</Value>"), "{}", moto.zone);
}

#[test]
fn coturn_sees_from_where_one_comes() {
    let coturn = Coturn::start();
    let mut seen = None;
    // A datagram may be answered too late.
    wait_until("it answers", || {
        seen = coturn::reflexive(coturn.address);
        seen.is_some()
    });
    let (seen, own) = seen.unwrap();
    assert_eq!(seen, own);
}

#[test]
fn a_router_tells_its_outer_address_and_none_that_is_of_no_use() {
    if !is_root() {
        return;
    }
    let router = Router::start("81.2.69.142");
    let natpmp = format!("timeout 10 natpmpc -g {GATEWAY} || true");
    let upnp = "timeout 10 upnpc -s || true";
    assert!(router.machine().shell(upnp).contains("ExternalIPAddress = 81.2.69.142"));
    assert!(router.machine().shell(&natpmp).contains("Public IP address : 81.2.69.142"));
    router.move_to("81.2.69.143");
    assert!(router.machine().shell(&natpmp).contains("Public IP address : 81.2.69.143"));

    // What a router says that stands behind another one.
    router.move_to("10.20.30.40");
    assert!(router.machine().shell(&natpmp).contains("network failure"));
    assert!(!router.machine().shell(upnp).contains("10.20.30.40"));
    assert!(router.said().contains("private/reserved address 10.20.30.40"));
}
