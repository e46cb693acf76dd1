//! Linode against a script: what is sent, and what comes of each answer.

use super::{
    super::trial::{account as open_account, change, check, check_failure, record},
    *,
};
use crate::{
    failure::{Class, Reach},
    wire::script::{Expected, Script},
};

const API: &str = "https://api.linode.com/v4/domains";

fn linode() -> Box<dyn Provider> {
    open_account(&ENTRY, &json!({ "token": "t0ken" }))
}

fn row_of(id: u64, value: &str, ttl: u32) -> Value {
    json!({ "id": id, "type": "A", "name": "home", "target": value, "ttl_sec": ttl })
}

fn until_zone(name: &str) -> Script {
    let mut script = Script::new();
    let search = |name: &str| {
        let filter = json!({ "domain": name }).to_string();
        Expected::get(API).header("x-filter", &filter).header("authorization", "Bearer t0ken")
    };
    for above in record(name).name.ancestry().take_while(|name| name.as_str() != "example.org") {
        script = script.on(search(above.as_str())).answer(200, &json!({ "data": [], "pages": 1 }));
    }
    script
        .on(search("example.org"))
        .answer(200, &json!({ "data": [{ "id": 12, "domain": "example.org" }], "pages": 1 }))
}

fn until_list(name: &str, rows: &Value) -> Script {
    until_zone(name)
        .on(Expected::get(&format!("{API}/12/records?page=1&page_size=100")))
        .answer(200, &json!({ "data": rows, "page": 1, "pages": 1, "results": 1 }))
}

#[test]
fn a_missing_record_is_created() {
    for (name, label) in [("home.example.org", "home"), ("example.org", ""), ("*.example.org", "*")]
    {
        let wire = until_list(name, &json!([]))
            .on(Expected::post(&format!("{API}/12/records"))
                .json(&json!({ "type": "A", "name": label, "target": "81.2.69.142" })))
            .answer(200, &json!({ "id": 7 }));
        let change = change(&record(name), &["81.2.69.142"], &[]);
        check(&*linode(), &wire, &change, (Changed::Yes, "created"));
    }
}

#[test]
fn of_two_records_only_ours_changes_and_only_its_address() {
    let both = json!([row_of(7, "1.0.0.1", 0), row_of(8, "1.0.0.2", 300)]);
    let wire = until_list("home.example.org", &both)
        .on(Expected::put(&format!("{API}/12/records/8")).json(&json!({ "target": "81.2.69.142" })))
        .answer(200, &json!({ "id": 8 }));
    let ours = change(&record("home.example.org"), &["81.2.69.142"], &["1.0.0.2"]);
    check(&*linode(), &wire, &ours, (Changed::Yes, "updated"));
    let unknown = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    let wire = until_list("home.example.org", &both);
    check_failure(&*linode(), &wire, &unknown, (Class::Parked, Reach::Binding, "ambiguous"));
}

#[test]
fn a_time_to_live_that_was_rounded_is_not_written_again_and_again() {
    assert_eq!(neighbours(60), [Some(30), Some(120)]);
    assert_eq!(neighbours(300), [None, None]);
    let there = json!([row_of(7, "81.2.69.142", 120)]);
    let with = |ttl| Record { ttl: Some(ttl), ..record("home.example.org") };
    let rounded = change(&with(60), &["81.2.69.142"], &[]);
    let wire = until_list("home.example.org", &there);
    check(&*linode(), &wire, &rounded, (Changed::No, "unchanged"));
    let other = change(&with(300), &["81.2.69.142"], &[]);
    let wire = until_list("home.example.org", &there)
        .on(Expected::put(&format!("{API}/12/records/7"))
            .json(&json!({ "target": "81.2.69.142", "ttl_sec": 300 })))
        .answer(200, &json!({ "id": 7 }));
    check(&*linode(), &wire, &other, (Changed::Yes, "updated"));
}

#[test]
fn a_zone_is_read_to_its_last_page_and_what_is_too_many_goes() {
    let page = |rows| json!({ "data": [rows], "pages": 2 });
    let wire = until_zone("home.example.org")
        .on(Expected::get(&format!("{API}/12/records?page=1&page_size=100")))
        .answer(200, &page(row_of(7, "1.0.0.1", 0)))
        .on(Expected::get(&format!("{API}/12/records?page=2&page_size=100")))
        .answer(200, &page(row_of(8, "1.0.0.2", 0)))
        .on(Expected::delete(&format!("{API}/12/records/8")))
        .answer(200, &json!({}));
    let change = change(&record("home.example.org"), &["1.0.0.1"], &["1.0.0.1", "1.0.0.2"]);
    check(&*linode(), &wire, &change, (Changed::Yes, "deleted"));
}

#[test]
fn every_refusal_has_its_meaning() {
    let check = |status: u16, class, reach| {
        let wire = until_list("home.example.org", &json!([]))
            .on(Expected::post(&format!("{API}/12/records")))
            .answer(status, &json!({ "errors": [{ "reason": "no", "field": "target" }] }));
        let change = change(&record("home.example.org"), &["1.0.0.1"], &[]);
        let code = format!("HTTP {status}");
        check_failure(&*linode(), &wire, &change, (class, reach, &code));
    };
    check(401, Class::Parked, Reach::Account);
    check(403, Class::Parked, Reach::Binding);
    check(400, Class::Parked, Reach::Binding);
    check(429, Class::RateLimited, Reach::Account);
    check(503, Class::Transient, Reach::Binding);
}
