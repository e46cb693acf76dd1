//! Baidu AI Cloud against a script: what is sent, and what comes of each answer.

use super::{
    super::trial::{account as open_account, change, check, check_failure, record},
    *,
};
use crate::{
    address::Family,
    record::Record,
    wire::script::{Expected, Script},
};

fn baidu() -> Box<dyn Provider> {
    open_account(&ENTRY, &json!({ "access-key-id": "AKtest", "secret-access-key": "SKtest" }))
}

fn to(what: &str, body: &Value) -> Expected {
    Expected::post(&format!("https://bcd.baidubce.com/v1/domain/resolve/{what}")).json(body)
}

fn page(zone: &str, number: usize, size: usize) -> Expected {
    let body = json!({ "domain": zone, "pageNo": number, "pageNum": number, "pageSize": size });
    to("list", &body)
}

fn refusal(code: &str) -> Value {
    json!({ "requestId": "R", "code": code, "message": "no" })
}

fn row_of(id: u64, kind: &str, value: &str, view: &str) -> Value {
    json!({ "recordId": id, "domain": "home", "view": view, "rdtype": kind, "ttl": 900,
            "rdata": value, "zoneName": "example.org", "status": "RUNNING" })
}

fn until_zone(name: &str) -> Script {
    let mut script = Script::new();
    let record = record(name);
    for above in record.name.ancestry().take_while(|name| name.as_str() != "example.org") {
        script = script.on(page(above.as_str(), 1, 1)).answer(404, &refusal("NoSuchDomain"));
    }
    let first = json!({ "totalCount": 0, "result": [] });
    script.on(page("example.org", 1, 1)).answer(200, &first)
}

fn until_list(name: &str, rows: &Value) -> Script {
    let count = rows.as_array().map_or(0, Vec::len);
    until_zone(name)
        .on(page("example.org", 1, PAGE))
        .answer(200, &json!({ "totalCount": count, "result": rows }))
}

#[test]
fn a_missing_record_is_created() {
    for (name, label) in
        [("home.example.org", "home"), ("example.org", "@"), ("*.example.org", "*")]
    {
        let wire = until_list(name, &json!([]))
            .on(to(
                "add",
                &json!({ "domain": label, "view": "DEFAULT", "rdType": "A", "ttl": 300,
                         "rdata": "81.2.69.142", "zoneName": "example.org" }),
            ))
            .answer_text(200, "");
        let change = change(&record(name), &["81.2.69.142"], &[]);
        check(&*baidu(), &wire, &change, (Changed::Yes, "created"));
    }
}

#[test]
fn records_of_the_other_family_and_of_other_views_are_not_touched() {
    let rows = json!([
        row_of(6, "A", "1.0.0.1", "DEFAULT"),
        row_of(7, "AAAA", "2408:8207::99", "CT"),
        row_of(8, "AAAA", "2408:8207::1", "DEFAULT"),
    ]);
    let wire = until_list("home.example.org", &rows)
        .on(to(
            "edit",
            &json!({ "recordId": 8, "domain": "home", "view": "DEFAULT", "rdType": "AAAA",
                     "ttl": 900, "rdata": "2408:8207::AB", "zoneName": "example.org" }),
        ))
        .answer_text(200, "");
    let record = Record { family: Family::V6, ..record("home.example.org") };
    let change = change(&record, &["2408:8207::ab"], &["2408:8207::1"]);
    check(&*baidu(), &wire, &change, (Changed::Yes, "updated"));
}

#[test]
fn of_two_records_only_ours_changes() {
    let rows = json!([row_of(6, "A", "1.0.0.1", "DEFAULT"), row_of(7, "A", "1.0.0.2", "DEFAULT")]);
    let wire = until_list("home.example.org", &rows)
        .on(to(
            "edit",
            &json!({ "recordId": 7, "domain": "home", "view": "DEFAULT", "rdType": "A",
                     "ttl": 900, "rdata": "81.2.69.142", "zoneName": "example.org" }),
        ))
        .answer_text(200, "");
    let ours = change(&record("home.example.org"), &["81.2.69.142"], &["1.0.0.2"]);
    check(&*baidu(), &wire, &ours, (Changed::Yes, "updated"));
    let unknown = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    let expected = (Class::Parked, Reach::Binding, "ambiguous");
    check_failure(&*baidu(), &until_list("home.example.org", &rows), &unknown, expected);
}

#[test]
fn a_zone_is_read_to_its_last_page() {
    let others: Vec<Value> = (0..200).map(|id| row_of(id, "A", "1.0.0.1", "CT")).collect();
    let last = json!([row_of(900, "A", "81.2.69.142", "DEFAULT")]);
    let wire = until_zone("home.example.org")
        .on(page("example.org", 1, PAGE))
        .answer(200, &json!({ "totalCount": 201, "result": others }))
        .on(page("example.org", 2, PAGE))
        .answer(200, &json!({ "totalCount": 201, "result": last }));
    let change = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    check(&*baidu(), &wire, &change, (Changed::No, "unchanged"));
}

#[test]
fn every_refusal_has_its_meaning() {
    let check = |status, code, class, reach| {
        let wire = until_list("home.example.org", &json!([]))
            .on(Expected::post("https://bcd.baidubce.com/v1/domain/resolve/add"))
            .answer(status, &refusal(code))
            .with_header("date", "Tue, 14 Nov 2023 22:03:20 GMT");
        let change = change(&record("home.example.org"), &["1.0.0.1"], &[]);
        check_failure(&*baidu(), &wire, &change, (class, reach, code))
    };
    check(403, "InvalidAccessKeyId", Class::Parked, Reach::Account);
    check(403, "SignatureDoesNotMatch", Class::Parked, Reach::Account);
    check(403, "AccessDenied", Class::Parked, Reach::Binding);
    check(429, "SomethingNew", Class::RateLimited, Reach::Account);
    check(500, "InternalError", Class::Transient, Reach::Binding);
    let early = check(400, "RequestExpired", Class::Clock, Reach::Account);
    assert!(early.words.ends_with("our clock is 10m 0s ahead of its own"), "{}", early.words);
}
