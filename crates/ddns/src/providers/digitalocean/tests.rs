//! `DigitalOcean` against a script: what is sent, and what comes of each answer.

use serde_json::Value;

use super::{
    super::trial::{account as open_account, change, check, check_failure, record},
    *,
};
use crate::{
    failure::{Class, Reach},
    wire::script::{Expected, Script},
};

const API: &str = "https://api.digitalocean.com/v2/domains";

fn digitalocean() -> Box<dyn Provider> {
    open_account(&ENTRY, &json!({ "token": "t0ken" }))
}

fn refusal(code: &str) -> Value {
    json!({ "id": code, "message": "no" })
}

fn row_of(id: u64, value: &str) -> Value {
    json!({ "id": id, "type": "A", "name": "home", "data": value, "ttl": 1800, "priority": null })
}

fn until_list(name: &str, rows: &Value) -> Script {
    let mut script = Script::new();
    let record = record(name);
    for above in record.name.ancestry().take_while(|name| name.as_str() != "example.org") {
        script =
            script.on(Expected::get(&format!("{API}/{above}"))).answer(404, &refusal("not_found"));
    }
    let query = format!("type=A&name={}&per_page=200", answer::encoded(record.name.as_str()));
    script
        .on(Expected::get(&format!("{API}/example.org")).header("authorization", "Bearer t0ken"))
        .answer(200, &json!({ "domain": { "name": "example.org" } }))
        .on(Expected::get(&format!("{API}/example.org/records?{query}")))
        .answer(200, &json!({ "domain_records": rows, "links": {}, "meta": { "total": 1 } }))
}

#[test]
fn a_missing_record_is_created() {
    for (name, label) in
        [("home.example.org", "home"), ("example.org", "@"), ("*.example.org", "*")]
    {
        let wire = until_list(name, &json!([]))
            .on(Expected::post(&format!("{API}/example.org/records"))
                .json(&json!({ "type": "A", "name": label, "data": "81.2.69.142" })))
            .answer(201, &json!({ "domain_record": { "id": 7 } }));
        let change = change(&record(name), &["81.2.69.142"], &[]);
        check(&*digitalocean(), &wire, &change, (Changed::Yes, "created"));
    }
}

#[test]
fn of_two_records_only_ours_changes_and_only_its_address() {
    let both = json!([row_of(7, "1.0.0.1"), row_of(8, "1.0.0.2")]);
    let wire = until_list("home.example.org", &both)
        .on(Expected::patch(&format!("{API}/example.org/records/8"))
            .json(&json!({ "type": "A", "data": "81.2.69.142" })))
        .answer(200, &json!({ "domain_record": { "id": 8 } }));
    let ours = change(&record("home.example.org"), &["81.2.69.142"], &["1.0.0.2"]);
    check(&*digitalocean(), &wire, &ours, (Changed::Yes, "updated"));
    let unknown = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    let wire = until_list("home.example.org", &both);
    check_failure(&*digitalocean(), &wire, &unknown, (Class::Parked, Reach::Binding, "ambiguous"));
    let right = until_list("home.example.org", &json!([row_of(7, "81.2.69.142")]));
    check(&*digitalocean(), &right, &unknown, (Changed::No, "unchanged"));
}

#[test]
fn what_is_too_many_of_ours_goes() {
    let both = json!([row_of(7, "1.0.0.1"), row_of(8, "1.0.0.2")]);
    let wire = until_list("home.example.org", &both)
        .on(Expected::delete(&format!("{API}/example.org/records/8")))
        .answer_text(204, "");
    let change = change(&record("home.example.org"), &["1.0.0.1"], &["1.0.0.1", "1.0.0.2"]);
    check(&*digitalocean(), &wire, &change, (Changed::Yes, "deleted"));
}

#[test]
fn every_refusal_has_its_meaning() {
    let check = |status, code, class, reach| {
        let wire = until_list("home.example.org", &json!([]))
            .on(Expected::post(&format!("{API}/example.org/records")))
            .answer(status, &refusal(code));
        let change = change(&record("home.example.org"), &["1.0.0.1"], &[]);
        check_failure(&*digitalocean(), &wire, &change, (class, reach, code));
    };
    check(401, "unauthorized", Class::Parked, Reach::Account);
    check(403, "forbidden", Class::Parked, Reach::Binding);
    check(429, "too_many_requests", Class::RateLimited, Reach::Account);
    check(422, "unprocessable_entity", Class::Parked, Reach::Binding);
    check(500, "server_error", Class::Transient, Reach::Binding);
}
