//! The fakes are proved before our client meets them: the clouds' own clients take their answers,
//! and they take the clients' signatures.

use std::process::Command;

use serde_json::{Value, json};

use crate::{fake::Fake, http, peer, python};

/// Lets the official client create a record, find it and change it; returns what is left of it.
fn judge(fake: &Fake, provider: &str) -> Vec<Value> {
    let account = fake.account(provider).to_string();
    let mut oracle: Command = python::script("oracle.py");
    oracle.args([provider, &fake.url(provider), &account]);
    let said = peer::run(&mut oracle).unwrap_or_else(|said| panic!("{provider}: {said}"));
    assert_eq!(said, "", "{provider}");
    let name = json!("home.example.com");
    fake.records(provider).into_iter().filter(|record| record["name"] == name).collect()
}

#[test]
fn known_signatures_are_computed_right() {
    let said = peer::run(python::script("fake.py").arg("--self-test")).unwrap();
    assert_eq!(said, "7 signatures are right\n");
}

#[test]
fn the_clients_of_the_clouds_take_the_fakes_for_real() {
    let fake = Fake::start();
    let other = json!({ "provider": "cloudflare", "name": "mail.example.com", "type": "A",
        "value": "192.0.2.25", "proxied": true, "ttl": 1, "comment": "not ours" });
    let other = fake.add(&other);
    let expected = [
        ("cloudflare", json!("198.51.100.8")),
        ("alidns", json!("198.51.100.8")),
        ("tencent", json!("198.51.100.7")),
        ("huawei", json!(["198.51.100.8"])),
        ("baidu", json!("198.51.100.8")),
    ];
    for (provider, value) in expected {
        let records = judge(&fake, provider);
        assert_eq!(records.len(), 1, "{provider}: {records:?}");
        assert_eq!(records[0]["value"], value, "{provider}");
    }
    assert!(fake.records("cloudflare").contains(&other), "nobody asked for that one");
}

#[test]
fn a_fake_does_what_the_test_plans_and_masks_what_is_secret() {
    let fake = Fake::start();
    let update = |address: &str| {
        let query = format!("domains=home&token=duckdns-token&ip={address}&verbose=true");
        http::ask("GET", &format!("{}/update?{query}", fake.url("duckdns")), "", "").unwrap()
    };
    fake.plan(&json!({ "provider": "duckdns", "status": 429, "body": "slow down",
        "headers": { "Retry-After": "7" } }));
    assert_eq!(update("198.51.100.7"), (429, "slow down".into()));
    assert_eq!(update("198.51.100.7").1, "OK\n198.51.100.7\n\nUPDATED");
    fake.plan(&json!({ "provider": "duckdns", "drop": true, "apply": true }));
    let query = "domains=home&token=duckdns-token&ip=198.51.100.8";
    let lost = http::ask("GET", &format!("{}/update?{query}", fake.url("duckdns")), "", "");
    assert_eq!(lost, None, "the answer is lost, the work is done");
    assert_eq!(update("198.51.100.8").1, "OK\n198.51.100.8\n\nNOCHANGE");

    let records = fake.records("duckdns");
    assert_eq!((records.len(), &records[0]["writes"]), (1, &json!(1)), "{records:?}");
    let log = fake.log("duckdns");
    let wrote: Vec<usize> = log.iter().map(|one| one["wrote"].as_array().unwrap().len()).collect();
    assert_eq!(wrote, [0, 1, 1, 0]);
    assert!(!json!(log).to_string().contains("duckdns-token"), "{log:?}");
}

#[test]
fn echoes_say_what_the_test_wants() {
    let fake = Fake::start();
    let read = |provider: &str, path: &str| {
        http::ask("GET", &format!("{}{path}", fake.url(provider)), "", "").unwrap().1
    };
    assert_eq!(read("echo4", "/ip"), "81.2.69.142\n");
    fake.set(&json!({ "address": { "v4": "81.2.69.143" } }));
    assert_eq!(read("echo4", "/ip"), "81.2.69.143\n");
    assert_eq!(read("echo6", "/ip"), "2a02:c7d:1::142\n");
    fake.plan(&json!({ "provider": "echo4", "match": "^/two", "times": null, "body": "1.2.1.1" }));
    assert_eq!(
        (read("echo4", "/two").as_str(), read("echo4", "/one").as_str()),
        ("1.2.1.1", "81.2.69.143\n")
    );
}
