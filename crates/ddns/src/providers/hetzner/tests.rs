//! Hetzner against a script: what is sent, and what comes of each answer.

use super::{
    super::trial::{account as open_account, change, check, check_failure, record},
    *,
};
use crate::{
    failure::Reach,
    record::{Change, Record},
    wire::script::{Expected, Script},
};

const API: &str = "https://api.hetzner.cloud/v1/zones";

fn hetzner() -> Box<dyn Provider> {
    open_account(&ENTRY, &json!({ "token": "t0ken" }))
}

fn refusal(code: &str) -> Value {
    json!({ "error": { "code": code, "message": "no", "details": {} } })
}

fn action(status: &str) -> Value {
    json!({ "action": { "id": 17, "command": "x", "status": status, "error": null } })
}

/// The request named last has begun something that is looked at until it has this status.
fn followed(script: Script, status: u16, end: &Value) -> Script {
    script
        .answer(201, &action("running"))
        .on(Expected::get(&format!("{API}/actions/17")).header("authorization", "Bearer t0ken"))
        .answer(200, &action("running"))
        .on(Expected::get(&format!("{API}/actions/17")))
        .answer(status, end)
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
            })));
        let wire = followed(wire, 200, &action("success"));
        let change = change(&record(name), &["81.2.69.142"], &[]);
        check(&*hetzner(), &wire, &change, (Changed::Yes, "created"));
    }
}

#[test]
fn of_two_addresses_only_ours_changes_and_comments_survive() {
    let wire = until_set(&both()).on(Expected::post(&format!(
        "{API}/example.org/rrsets/home/A/actions/set_records"
    ))
    .json(&json!({ "records": [
                { "value": "1.0.0.1", "comment": "theirs" },
                { "value": "81.2.69.142", "comment": "mine" }
            ] })));
    let wire = followed(wire, 200, &action("success"));
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
        .answer(201, &action("success"));
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

fn until_write() -> (Script, Change) {
    let path = format!("{API}/example.org/rrsets/home/A/actions/set_records");
    let script = until_set(&json!([])).on(Expected::post(&path));
    (script, change(&record("home.example.org"), &["1.0.0.1"], &[]))
}

#[test]
fn what_was_begun_and_given_up_is_a_failure() {
    let failed = json!({ "action": { "status": "error",
        "error": { "code": "action_failed", "message": "Action failed" } } });
    let expected = (Class::Transient, Reach::Binding, "action_failed");
    let (script, change) = until_write();
    check_failure(&*hetzner(), &script.answer(201, &failed), &change, expected);
    let (script, change) = until_write();
    check_failure(&*hetzner(), &followed(script, 200, &failed), &change, expected);
}

#[test]
fn an_action_that_is_not_known_any_more_has_come_to_its_end() {
    let (script, change) = until_write();
    let wire = followed(script, 404, &refusal("not_found"));
    check(&*hetzner(), &wire, &change, (Changed::Yes, "updated"));
}

#[test]
fn nobody_waits_for_ever_for_what_was_begun() {
    let (script, change) = until_write();
    let mut wire = script.answer(201, &action("running"));
    for _look in 0..LOOKS_MAX {
        wire = wire.on(Expected::get(&format!("{API}/actions/17"))).answer(200, &action("running"));
    }
    let expected = (Class::Transient, Reach::Binding, "running");
    check_failure(&*hetzner(), &wire, &change, expected);
}
