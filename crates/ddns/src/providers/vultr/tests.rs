//! Vultr against a script: what is sent, and what comes of each answer.

use serde_json::Value;

use super::{
    super::trial::{account as open_account, change, check, check_failure, record},
    *,
};
use crate::{
    failure::{Class, Reach},
    wire::script::{Expected, Script},
};

const API: &str = "https://api.vultr.com/v2/domains";

fn vultr() -> Box<dyn Provider> {
    open_account(&ENTRY, &json!({ "token": "t0ken" }))
}

fn refusal(status: u16, error: &str) -> Value {
    json!({ "error": error, "status": status })
}

fn row_of(id: &str, name: &str, value: &str) -> Value {
    json!({ "id": id, "type": "A", "name": name, "data": value, "ttl": 300, "priority": -1 })
}

fn until_zone(name: &str) -> Script {
    let mut script = Script::new();
    for above in record(name).name.ancestry().take_while(|name| name.as_str() != "example.org") {
        script = script
            .on(Expected::get(&format!("{API}/{above}")))
            .answer(404, &refusal(404, "Invalid domain."));
    }
    script
        .on(Expected::get(&format!("{API}/example.org")).header("authorization", "Bearer t0ken"))
        .answer(200, &json!({ "domain": { "domain": "example.org" } }))
}

fn page(rows: &Value, next: &str) -> Value {
    json!({ "records": rows, "meta": { "total": 1, "links": { "next": next, "prev": "" } } })
}

fn until_list(name: &str, rows: &Value) -> Script {
    until_zone(name)
        .on(Expected::get(&format!("{API}/example.org/records?per_page=100")))
        .answer(200, &page(rows, ""))
}

#[test]
fn a_missing_record_is_created() {
    for (name, label) in [("home.example.org", "home"), ("example.org", ""), ("*.example.org", "*")]
    {
        let other = row_of("r0", "www", "1.0.0.1");
        let wire = until_list(name, &json!([other]))
            .on(Expected::post(&format!("{API}/example.org/records"))
                .json(&json!({ "type": "A", "name": label, "data": "81.2.69.142" })))
            .answer(201, &json!({ "record": { "id": "r1" } }));
        let change = change(&record(name), &["81.2.69.142"], &[]);
        check(&*vultr(), &wire, &change, (Changed::Yes, "created"));
    }
}

#[test]
fn of_two_records_only_ours_changes_and_only_its_address() {
    let both = json!([row_of("r1", "home", "1.0.0.1"), row_of("r2", "home", "1.0.0.2")]);
    let wire = until_list("home.example.org", &both)
        .on(Expected::patch(&format!("{API}/example.org/records/r2"))
            .json(&json!({ "data": "81.2.69.142" })))
        .answer_text(204, "");
    let ours = change(&record("home.example.org"), &["81.2.69.142"], &["1.0.0.2"]);
    check(&*vultr(), &wire, &ours, (Changed::Yes, "updated"));
    let unknown = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    let wire = until_list("home.example.org", &both);
    check_failure(&*vultr(), &wire, &unknown, (Class::Parked, Reach::Binding, "ambiguous"));
}

#[test]
fn a_zone_is_read_to_its_last_page() {
    let wire = until_zone("home.example.org")
        .on(Expected::get(&format!("{API}/example.org/records?per_page=100")))
        .answer(200, &page(&json!([row_of("r0", "www", "1.0.0.1")]), "bmV4dA=="))
        .on(Expected::get(&format!("{API}/example.org/records?per_page=100&cursor=bmV4dA%3D%3D")))
        .answer(200, &page(&json!([row_of("r1", "home", "81.2.69.142")]), ""));
    let change = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    check(&*vultr(), &wire, &change, (Changed::No, "unchanged"));
}

#[test]
fn what_is_too_many_of_ours_goes() {
    let both = json!([row_of("r1", "home", "1.0.0.1"), row_of("r2", "home", "1.0.0.2")]);
    let wire = until_list("home.example.org", &both)
        .on(Expected::delete(&format!("{API}/example.org/records/r2")))
        .answer_text(204, "");
    let change = change(&record("home.example.org"), &["1.0.0.1"], &["1.0.0.1", "1.0.0.2"]);
    check(&*vultr(), &wire, &change, (Changed::Yes, "deleted"));
}

#[test]
fn every_refusal_has_its_meaning() {
    let check = |status: u16, error: &str, class, reach| {
        let wire = until_list("home.example.org", &json!([]))
            .on(Expected::post(&format!("{API}/example.org/records")))
            .answer(status, &refusal(status, error));
        let change = change(&record("home.example.org"), &["1.0.0.1"], &[]);
        let code = status.to_string();
        check_failure(&*vultr(), &wire, &change, (class, reach, &code))
    };
    let told = "Unauthorized IP address: 81.2.69.142";
    let failure = check(401, told, Class::Parked, Reach::Account);
    assert!(failure.words.contains(told), "{}", failure.words);
    check(400, "Invalid data", Class::Parked, Reach::Binding);
    check(429, "Too many requests", Class::RateLimited, Reach::Account);
    check(503, "Please try again", Class::Transient, Reach::Binding);
}
