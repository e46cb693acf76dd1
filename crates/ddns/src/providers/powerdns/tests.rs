//! `PowerDNS` against a script: what is sent, and what comes of each answer.

use super::{
    super::trial::{account, change, check, check_failure, record},
    *,
};
use crate::{
    record::Record,
    wire::script::{Expected, Script},
};

const ZONES: &str = "http://127.0.0.1:8081/api/v1/servers/localhost/zones";

fn powerdns() -> Box<dyn Provider> {
    account(&ENTRY, &json!({ "endpoint": "http://127.0.0.1:8081/", "api-key": "k3y" }))
}

fn until_set(name: &str, sets: &Value) -> Script {
    let record = record(name);
    let mut script = Script::new();
    for above in record.name.ancestry().take_while(|name| name.as_str() != "example.org") {
        script = script
            .on(Expected::get(&format!("{ZONES}/{above}.?rrsets=false")))
            .answer(404, &json!({ "error": "Not Found" }));
    }
    let query = format!("rrset_name={}&rrset_type=A", answer::encoded(&record.name.absolute()));
    script
        .on(Expected::get(&format!("{ZONES}/example.org.?rrsets=false")).header("x-api-key", "k3y"))
        .answer(200, &json!({ "name": "example.org." }))
        .on(Expected::get(&format!("{ZONES}/example.org.?{query}")))
        .answer(200, &json!({ "rrsets": sets }))
}

fn replaced(name: &str, ttl: u32, records: &Value) -> Expected {
    Expected::patch(&format!("{ZONES}/example.org.")).json(&json!({ "rrsets": [{
        "name": name, "type": "A", "ttl": ttl, "changetype": "REPLACE", "records": records
    }] }))
}

fn on(value: &str) -> Value {
    json!({ "content": value, "disabled": false })
}

fn home(records: &Value) -> Value {
    json!([{ "name": "home.example.org.", "type": "A", "ttl": 60, "records": records,
             "comments": [{ "content": "mine" }] }])
}

#[test]
fn a_missing_set_is_created() {
    for name in ["home.example.org", "example.org", "*.example.org"] {
        let wire = until_set(name, &json!([]))
            .on(replaced(&format!("{name}."), 300, &json!([on("81.2.69.142")])))
            .answer_text(204, "");
        let change = change(&record(name), &["81.2.69.142"], &[]);
        check(&*powerdns(), &wire, &change, (Changed::Yes, "created"));
    }
}

#[test]
fn the_time_to_live_and_what_is_switched_off_survive_an_update() {
    let off = json!({ "content": "1.0.0.9", "disabled": true });
    let wire = until_set("home.example.org", &home(&json!([off, on("1.0.0.1")])))
        .on(replaced("home.example.org.", 60, &json!([on("81.2.69.142"), off])))
        .answer_text(204, "");
    let change = change(&record("home.example.org"), &["81.2.69.142"], &["1.0.0.1"]);
    check(&*powerdns(), &wire, &change, (Changed::Yes, "updated"));
}

#[test]
fn what_is_right_is_not_written() {
    let wire = until_set("home.example.org", &home(&json!([on("81.2.69.142")])));
    let same = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    check(&*powerdns(), &wire, &same, (Changed::No, "unchanged"));
    let record = Record { ttl: Some(30), ..record("home.example.org") };
    let wire = until_set("home.example.org", &home(&json!([on("81.2.69.142")])))
        .on(replaced("home.example.org.", 30, &json!([on("81.2.69.142")])))
        .answer_text(204, "");
    let other = change(&record, &["81.2.69.142"], &[]);
    check(&*powerdns(), &wire, &other, (Changed::Yes, "updated"));
}

#[test]
fn of_two_addresses_only_ours_changes() {
    let both = home(&json!([on("1.0.0.1"), on("1.0.0.2")]));
    let wire = until_set("home.example.org", &both)
        .on(replaced("home.example.org.", 60, &json!([on("1.0.0.1"), on("81.2.69.142")])))
        .answer_text(204, "");
    let ours = change(&record("home.example.org"), &["81.2.69.142"], &["1.0.0.2"]);
    check(&*powerdns(), &wire, &ours, (Changed::Yes, "updated"));
    let unknown = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    let expected = (Class::Parked, Reach::Binding, "ambiguous");
    check_failure(&*powerdns(), &until_set("home.example.org", &both), &unknown, expected);
}

#[test]
fn every_refusal_has_its_meaning() {
    let check = |status, body, expected| {
        let wire = until_set("home.example.org", &json!([]))
            .on(Expected::patch(&format!("{ZONES}/example.org.")))
            .answer_text(status, body);
        let change = change(&record("home.example.org"), &["1.0.0.1"], &[]);
        check_failure(&*powerdns(), &wire, &change, expected)
    };
    let account = |code| (Class::Parked, Reach::Account, code);
    let binding = |class, code| (class, Reach::Binding, code);
    check(401, "Unauthorized", account("HTTP 401"));
    let told = r#"{ "error": "RRset home.example.org. IN A: Conflicts with CNAME" }"#;
    let failure = check(422, told, binding(Class::Parked, "HTTP 422"));
    assert!(failure.words.contains("Conflicts with CNAME"), "{}", failure.words);
    check(500, r#"{ "error": "backend" }"#, binding(Class::Transient, "HTTP 500"));
    let limited = (Class::RateLimited, Reach::Account, "HTTP 429");
    check(429, "", limited);
}
