//! Huawei Cloud against a script: what is sent, and what comes of each answer.

use super::{
    super::trial::{account as open_account, change, check, check_failure, record},
    *,
};
use crate::wire::script::{Expected, Script};

const API: &str = "https://dns.myhuaweicloud.com";

fn huawei() -> Box<dyn Provider> {
    open_account(&ENTRY, &json!({ "access-key-id": "AKtest", "secret-access-key": "SKtest" }))
}

fn zones_named(name: &str) -> Expected {
    Expected::get(&format!("{API}/v2/zones?limit=500&name={name}.&search_mode=equal&type=public"))
        .header("x-sdk-date", "20231114T221320Z")
}

fn zone() -> Value {
    // A search may find more than what was asked for.
    json!({ "zones": [
        { "id": "z0", "name": "my-example.org." }, { "id": "z1", "name": "example.org." }
    ] })
}

fn set_of(id: &str, name: &str, line: &str, values: &Value) -> Value {
    json!({ "id": id, "name": name, "zone_id": "z1", "type": "A", "ttl": 600, "records": values,
            "line": line, "weight": 3, "description": "mine", "status": "ACTIVE" })
}

fn until_set(name: &str, sets: &Value) -> Script {
    let record = record(name);
    let mut script = Script::new();
    for above in record.name.ancestry().take_while(|name| name.as_str() != "example.org") {
        script = script.on(zones_named(above.as_str())).answer(200, &json!({ "zones": [] }));
    }
    script
        .on(zones_named("example.org"))
        .answer(200, &zone())
        .on(Expected::get(&format!(
            "{API}/v2.1/recordsets?limit=500&name={}&search_mode=equal&type=A",
            answer::encoded(&record.name.absolute())
        )))
        .answer(200, &json!({ "recordsets": sets }))
}

fn put(values: &Value) -> Expected {
    Expected::put(&format!("{API}/v2.1/zones/z1/recordsets/s1")).json(&json!({
        "name": "home.example.org.", "type": "A", "ttl": 600, "records": values,
        "weight": 3, "description": "mine"
    }))
}

#[test]
fn a_missing_set_is_created() {
    for name in ["home.example.org", "example.org", "*.example.org"] {
        // What merely looks alike is somebody else's.
        let other = set_of("s0", "home.example.org.example.org.", "default_view", &json!([]));
        let wire = until_set(name, &json!([other]))
            .on(Expected::post(&format!("{API}/v2.1/zones/z1/recordsets")).json(&json!({
                "name": format!("{name}."), "type": "A", "records": ["81.2.69.142"],
                "line": "default_view"
            })))
            .answer(202, &json!({ "id": "s1", "status": "PENDING_CREATE" }));
        let change = change(&record(name), &["81.2.69.142"], &[]);
        check(&*huawei(), &wire, &change, (Changed::Yes, "created"));
    }
}

#[test]
fn what_else_there_is_survives_an_update() {
    let sets = json!([
        set_of("s9", "home.example.org.", "Abroad", &json!(["81.2.69.142"])),
        set_of("s1", "home.example.org.", "default_view", &json!(["1.0.0.1"])),
    ]);
    let wire = until_set("home.example.org", &sets)
        .on(put(&json!(["81.2.69.142"])))
        .answer(202, &json!({ "id": "s1", "status": "PENDING_UPDATE" }));
    let change = change(&record("home.example.org"), &["81.2.69.142"], &["1.0.0.1"]);
    check(&*huawei(), &wire, &change, (Changed::Yes, "updated"));
}

#[test]
fn of_two_addresses_only_ours_changes() {
    let values = json!(["1.0.0.1", "1.0.0.2"]);
    let sets = json!([set_of("s1", "home.example.org.", "default_view", &values)]);
    let wire = until_set("home.example.org", &sets)
        .on(put(&json!(["1.0.0.1", "81.2.69.142"])))
        .answer(202, &json!({ "id": "s1" }));
    let ours = change(&record("home.example.org"), &["81.2.69.142"], &["1.0.0.2"]);
    check(&*huawei(), &wire, &ours, (Changed::Yes, "updated"));
    let unknown = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    let expected = (Class::Parked, Reach::Binding, "ambiguous");
    check_failure(&*huawei(), &until_set("home.example.org", &sets), &unknown, expected);
}

#[test]
fn what_is_right_is_not_written_and_weights_are_not_guessed_at() {
    let one = set_of("s1", "home.example.org.", "default_view", &json!(["81.2.69.142"]));
    let change = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    let wire = until_set("home.example.org", &json!([one]));
    check(&*huawei(), &wire, &change, (Changed::No, "unchanged"));
    let wire = until_set("home.example.org", &json!([one, one]));
    check_failure(&*huawei(), &wire, &change, (Class::Parked, Reach::Binding, "ambiguous"));
}

#[test]
fn every_refusal_has_its_meaning() {
    let check = |status, body, expected| {
        let wire = Script::new()
            .on(zones_named("home.example.org"))
            .answer(status, &body)
            .with_header("date", "Tue, 14 Nov 2023 22:03:20 GMT");
        let change = change(&record("home.example.org"), &["1.0.0.1"], &[]);
        check_failure(&*huawei(), &wire, &change, expected)
    };
    let gateway = |code: &str, message: &str| json!({ "error_code": code, "error_msg": message });
    let own = |code: &str| json!({ "code": code, "message": "no" });
    let key = (Class::Parked, Reach::Account, "APIGW.0301");
    check(401, gateway("APIGW.0301", "verify aksk signature fail"), key);
    let clock = (Class::Clock, Reach::Account, "APIGW.0303");
    let failure = check(401, gateway("APIGW.0303", "client time: x, server time: y"), clock);
    assert!(failure.words.ends_with("our clock is 10m 0s ahead of its own"), "{}", failure.words);
    let clock = (Class::Clock, Reach::Account, "APIGW.0301");
    check(401, gateway("APIGW.0301", "Incorrect: signature expired"), clock);
    check(429, gateway("APIGW.0308", "slow"), (Class::RateLimited, Reach::Account, "APIGW.0308"));
    check(403, own("DNS.0014"), (Class::RateLimited, Reach::Account, "DNS.0014"));
    check(403, own("DNS.0013"), (Class::Parked, Reach::Binding, "DNS.0013"));
    check(500, own("DNS.0001"), (Class::Transient, Reach::Binding, "DNS.0001"));
    check(400, own("DNS.0319"), (Class::Parked, Reach::Binding, "DNS.0319"));
}
