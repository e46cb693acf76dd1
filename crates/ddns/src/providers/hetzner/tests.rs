//! Hetzner against a script: what is sent, and what comes of each answer.

use super::{
    super::trial::{account as open_account, change, check, check_failure, record},
    *,
};
use crate::{
    failure::Reach,
    record::Record,
    wire::script::{Expected, Script},
};

const API: &str = "https://api.hetzner.cloud/v1/zones";

fn hetzner() -> Box<dyn Provider> {
    open_account(&ENTRY, &json!({ "token": "t0ken" }))
}

fn refusal(code: &str) -> Value {
    json!({ "error": { "code": code, "message": "no", "details": {} } })
}

fn begun() -> Value {
    json!({ "action": { "id": 1, "command": "x", "status": "running", "error": null } })
}

fn until_zone(name: &str) -> Script {
    let mut script = Script::new();
    for above in record(name).name.ancestry().take_while(|name| name.as_str() != "example.org") {
        script =
            script.on(Expected::get(&format!("{API}/{above}"))).answer(404, &refusal("not_found"));
    }
    script
        .on(Expected::get(&format!("{API}/example.org")).header("authorization", "Bearer t0ken"))
        .answer(200, &json!({ "zone": { "id": 4, "name": "example.org" } }))
}

fn until_set(records: &Value) -> Script {
    until_zone("home.example.org")
        .on(Expected::get(&format!("{API}/example.org/rrsets/home/A")))
        .answer(200, &json!({ "rrset": { "name": "home", "ttl": 600, "records": records } }))
}

fn both() -> Value {
    json!([{ "value": "1.0.0.1", "comment": "theirs" }, { "value": "1.0.0.2", "comment": "mine" }])
}

#[test]
fn a_missing_set_is_created() {
    for (name, path, label) in [
        ("home.example.org", "home", "home"),
        ("example.org", "%40", "@"),
        ("*.example.org", "%2A", "*"),
    ] {
        let wire = until_zone(name)
            .on(Expected::get(&format!("{API}/example.org/rrsets/{path}/A")))
            .answer(404, &refusal("not_found"))
            .on(Expected::post(&format!("{API}/example.org/rrsets")).json(&json!({
                "name": label, "type": "A", "records": [{ "value": "81.2.69.142" }]
            })))
            .answer(201, &begun());
        let change = change(&record(name), &["81.2.69.142"], &[]);
        check(&*hetzner(), &wire, &change, (Changed::Yes, "created"));
    }
}

#[test]
fn of_two_addresses_only_ours_changes_and_comments_survive() {
    let wire = until_set(&both())
        .on(Expected::post(&format!("{API}/example.org/rrsets/home/A/actions/set_records")).json(
            &json!({ "records": [
                { "value": "1.0.0.1", "comment": "theirs" },
                { "value": "81.2.69.142", "comment": "mine" }
            ] }),
        ))
        .answer(201, &begun());
    let ours = change(&record("home.example.org"), &["81.2.69.142"], &["1.0.0.2"]);
    check(&*hetzner(), &wire, &ours, (Changed::Yes, "updated"));
    let unknown = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    let expected = (Class::Parked, Reach::Binding, "ambiguous");
    check_failure(&*hetzner(), &until_set(&both()), &unknown, expected);
}

#[test]
fn a_time_to_live_is_changed_alone() {
    let right = json!([{ "value": "81.2.69.142" }]);
    let wire = until_set(&right)
        .on(Expected::post(&format!("{API}/example.org/rrsets/home/A/actions/change_ttl"))
            .json(&json!({ "ttl": 60 })))
        .answer(201, &begun());
    let short = Record { ttl: Some(60), ..record("home.example.org") };
    check(&*hetzner(), &wire, &change(&short, &["81.2.69.142"], &[]), (Changed::Yes, "updated"));
    let same = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    check(&*hetzner(), &until_set(&right), &same, (Changed::No, "unchanged"));
}

#[test]
fn every_refusal_has_its_meaning() {
    let check = |status, code, class, reach| {
        let wire = until_set(&json!([]))
            .on(Expected::post(&format!("{API}/example.org/rrsets/home/A/actions/set_records")))
            .answer(status, &refusal(code));
        let change = change(&record("home.example.org"), &["1.0.0.1"], &[]);
        check_failure(&*hetzner(), &wire, &change, (class, reach, code));
    };
    check(401, "unauthorized", Class::Parked, Reach::Account);
    check(403, "token_readonly", Class::Parked, Reach::Account);
    check(429, "rate_limit_exceeded", Class::RateLimited, Reach::Account);
    check(423, "locked", Class::Transient, Reach::Binding);
    check(409, "conflict", Class::Transient, Reach::Binding);
    check(422, "invalid_input", Class::Parked, Reach::Binding);
    check(503, "unavailable", Class::Transient, Reach::Binding);
}

#[test]
fn what_was_begun_and_given_up_is_a_failure() {
    let failed = json!({ "action": { "status": "error",
        "error": { "code": "action_failed", "message": "Action failed" } } });
    let wire = until_set(&json!([]))
        .on(Expected::post(&format!("{API}/example.org/rrsets/home/A/actions/set_records")))
        .answer(201, &failed);
    let change = change(&record("home.example.org"), &["1.0.0.1"], &[]);
    let expected = (Class::Transient, Reach::Binding, "action_failed");
    check_failure(&*hetzner(), &wire, &change, expected);
}
