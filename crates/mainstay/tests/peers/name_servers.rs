//! Name servers of one's own, written to by signed messages or by an API: what they understand, and
//! that each refusal means what the server has said.

use std::net::SocketAddr;

use mainstay_ddns::failure::{Class, Reach};
use serde_json::{Value, json};

use crate::{
    account::Account,
    bind9::{Bind9, CLOSED, KEY, KEYS, SECRET, TEXT_KEY, ZONE},
    dns::{Kind, Server},
    knot::Knot,
    peer,
    powerdns::{API_KEY, PowerDns},
};

const NAME: &str = "home.example.test";

fn account_at(server: SocketAddr) -> Value {
    let key = json!({ "key-name": KEY, "key": SECRET });
    with(json!({ "provider": "rfc2136", "names": NAME, "server": server.to_string() }), &key)
}

fn with(mut account: Value, more: &Value) -> Value {
    let more = more.as_object().unwrap().clone();
    account.as_object_mut().unwrap().extend(more);
    account
}

#[test]
fn each_algorithm_and_carrier_is_understood() {
    let (bind, knot) = (Bind9::start(), Knot::start());
    let mut number = 0;
    let mut check = |server: SocketAddr, dns: &Server, more: &Value| {
        number += 1;
        let address = format!("81.2.69.{number}");
        let kept = Account::open(&with(account_at(server), more)).keep(&address);
        assert!(kept.is_ok(), "{more}: {kept:?}");
        assert_eq!(dns.values(NAME, Kind::A), [address], "{more}");
    };
    for (name, algorithm) in KEYS.into_iter().filter(|(name, _)| *name != TEXT_KEY) {
        check(bind.address, &bind.dns, &json!({ "key-name": name, "algorithm": algorithm }));
    }
    for transport in ["udp", "tcp"] {
        check(bind.address, &bind.dns, &json!({ "transport": transport, "zone": ZONE }));
        check(knot.address, &knot.dns, &json!({ "transport": transport }));
    }
    let both = Account::open(&account_at(knot.address));
    both.keep("2001:db8::7").unwrap().unwrap();
    assert_eq!(knot.dns.values(NAME, Kind::Aaaa), ["2001:db8::7"]);
    assert_eq!(knot.dns.values(NAME, Kind::A).len(), 1, "the other family stays");
    assert_eq!(bind.dns.values("mail.example.test", Kind::A), ["192.0.2.25"]);
}

#[test]
fn each_refusal_of_a_name_server_means_what_it_says() {
    let bind = Bind9::start();
    let knot = Knot::start();
    for (who, server) in [("bind", bind.address), ("knot", knot.address)] {
        let check = |more: &Value, expected: (Class, Reach, &str)| {
            let failure =
                Account::open(&with(account_at(server), more)).keep("81.2.69.1").unwrap_err();
            let told = (failure.class, failure.reach, failure.code.as_str());
            assert_eq!(told, expected, "{who}: {more}: {failure:?}");
        };
        let wrong = json!({ "key": "d3Jvbmc=" });
        check(&wrong, (Class::Parked, Reach::Account, "BADSIG"));
        check(&json!({ "key-name": "nobody" }), (Class::Parked, Reach::Account, "BADKEY"));
        check(&json!({ "zone": "nobody.test" }), (Class::Parked, Reach::Binding, "NOTAUTH"));
    }
    let denied = with(account_at(bind.address), &json!({ "key-name": TEXT_KEY }));
    let failure = Account::open(&denied).keep("81.2.69.1").unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (Class::Parked, "REFUSED"), "{failure:?}");
    let mut nobody = account_at(bind.address);
    nobody.as_object_mut().unwrap().retain(|key, _| !key.starts_with("key"));
    let failure = Account::open(&nobody).keep("81.2.69.1").unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (Class::Parked, "REFUSED"), "{failure:?}");
    let outside =
        with(account_at(bind.address), &json!({ "names": "home.other.test", "zone": ZONE }));
    // Even to questions of such names it says no.
    let failure = Account::open(&outside).write("81.2.69.1", &[], None).unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (Class::Parked, "NOTZONE"), "{failure:?}");
    assert_eq!(bind.dns.values(NAME, Kind::A), [""; 0]);
}

#[test]
fn a_name_server_that_answers_no_question_is_not_asked_again_and_again() {
    let (bind, knot) = (Bind9::start(), Knot::start());
    let check = |server: SocketAddr, zone: &str| {
        let names = json!({ "names": format!("home.{zone}") });
        let told = with(account_at(server), &names);
        for account in [with(told.clone(), &json!({ "zone": zone })), told] {
            let failure = Account::open(&account).keep("81.2.69.1").unwrap_err();
            let told = (failure.class, failure.reach, failure.code.as_str());
            assert_eq!(told, (Class::Parked, Reach::Binding, "REFUSED"), "{account}: {failure:?}");
        }
    };
    check(bind.address, CLOSED);
    check(bind.address, "nobody.test");
    check(knot.address, "nobody.test");
}

#[test]
fn a_wrong_clock_is_measured_and_right_again_at_once() {
    let (bind, knot) = (Bind9::start(), Knot::start());
    for (server, is_told) in [(bind.address, true), (knot.address, true)] {
        let account = Account::open(&account_at(server));
        for (seconds, words) in [(600, "ahead of"), (-600, "behind")] {
            account.set_clock_ahead(seconds);
            let failure = account.keep("81.2.69.1").unwrap_err();
            let told = (failure.class, failure.code.as_str());
            assert_eq!(told, (Class::Clock, "BADTIME"), "{failure:?}");
            assert_eq!(failure.words.contains(words), is_told, "{failure:?}");
        }
        account.set_clock_ahead(0);
        account.keep("81.2.69.1").unwrap().unwrap();
    }
}

#[test]
fn what_somebody_else_has_changed_is_read_again() {
    let bind = Bind9::start();
    let account = Account::open(&account_at(bind.address));
    account.keep("81.2.69.1").unwrap();
    let found = account.read("81.2.69.2").unwrap();
    let theirs = "update delete home.example.test. A\nupdate add home.example.test. 60 A 192.0.2.9";
    bind.update(&bind.key(KEY), theirs).unwrap();
    let failure = account.write("81.2.69.2", &["81.2.69.1"], Some(found)).unwrap_err();
    assert_eq!(
        (failure.class, failure.code.as_str()),
        (Class::Transient, "changed"),
        "{failure:?}"
    );
    assert_eq!(bind.dns.values(NAME, Kind::A), ["192.0.2.9"], "nothing was written");
}

#[test]
fn a_server_that_is_gone_is_not_the_configurations_fault() {
    let nobody = SocketAddr::from(([127, 0, 0, 1], peer::free_port()));
    let failure = Account::open(&account_at(nobody)).keep("81.2.69.1").unwrap_err();
    assert_eq!(failure.class, Class::Transient, "{failure:?}");
}

#[test]
fn powerdns_refuses_a_key_and_a_zone_that_it_does_not_know() {
    let server = PowerDns::start();
    let account = json!({ "provider": "powerdns", "names": NAME, "endpoint": server.url,
        "api-key": API_KEY });
    Account::open(&account).keep("81.2.69.1").unwrap().unwrap();
    Account::open(&account).keep("2001:db8::1").unwrap().unwrap();
    assert_eq!(server.dns.values(NAME, Kind::A), ["81.2.69.1"]);
    assert_eq!(server.dns.values(NAME, Kind::Aaaa), ["2001:db8::1"]);
    assert_eq!(server.dns.values("mail.example.test", Kind::A), ["192.0.2.25"]);

    let refused =
        |more: &Value| Account::open(&with(account.clone(), more)).keep("81.2.69.2").unwrap_err();
    let failure = refused(&json!({ "api-key": "wrong" }));
    assert_eq!((failure.class, failure.reach), (Class::Parked, Reach::Account), "{failure:?}");
    let failure = refused(&json!({ "names": "home.nobody.test" }));
    assert_eq!((failure.class, failure.reach), (Class::Parked, Reach::Binding), "{failure:?}");
}
