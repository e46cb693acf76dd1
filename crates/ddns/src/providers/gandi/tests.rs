//! Gandi against a script: what is sent, and what comes of each answer.

use super::{
    super::trial::{account, change, check, check_failure, record},
    *,
};
use crate::{
    failure::{Class, Reach},
    wire::script::{Expected, Script},
};

const API: &str = "https://api.gandi.net/v5/livedns/domains";

fn gandi() -> Box<dyn Provider> {
    account(&ENTRY, &json!({ "token": "t0ken" }))
}

fn refusal(code: u16) -> Value {
    json!({ "code": code, "message": "no", "object": "HTTP", "cause": "why" })
}

fn until_zone(name: &str) -> Script {
    let mut script = Script::new();
    for above in record(name).name.ancestry().take_while(|name| name.as_str() != "example.org") {
        script = script.on(Expected::get(&format!("{API}/{above}"))).answer(403, &refusal(403));
    }
    script
        .on(Expected::get(&format!("{API}/example.org")).header("authorization", "Bearer t0ken"))
        .answer(200, &json!({ "fqdn": "example.org" }))
}

fn until_set(values: &Value) -> Script {
    until_zone("home.example.org")
        .on(Expected::get(&format!("{API}/example.org/records/home/A")))
        .answer(200, &json!({ "rrset_name": "home", "rrset_ttl": 1800, "rrset_values": values }))
}

#[test]
fn a_missing_set_is_created() {
    for (name, label) in
        [("home.example.org", "home"), ("example.org", "%40"), ("*.example.org", "%2A")]
    {
        let wire = until_zone(name)
            .on(Expected::get(&format!("{API}/example.org/records/{label}/A")))
            .answer(404, &refusal(404))
            .on(Expected::put(&format!("{API}/example.org/records/{label}/A"))
                .json(&json!({ "rrset_values": ["81.2.69.142"] })))
            .answer(201, &json!({ "message": "DNS Record Created" }));
        let change = change(&record(name), &["81.2.69.142"], &[]);
        check(&*gandi(), &wire, &change, (Changed::Yes, "created"));
    }
}

#[test]
fn of_two_addresses_only_ours_changes_and_the_time_to_live_survives() {
    let both = json!(["1.0.0.1", "1.0.0.2"]);
    let wire = until_set(&both)
        .on(Expected::put(&format!("{API}/example.org/records/home/A"))
            .json(&json!({ "rrset_values": ["1.0.0.1", "81.2.69.142"], "rrset_ttl": 1800 })))
        .answer(201, &json!({ "message": "DNS Record Created" }));
    let ours = change(&record("home.example.org"), &["81.2.69.142"], &["1.0.0.2"]);
    check(&*gandi(), &wire, &ours, (Changed::Yes, "updated"));
    let unknown = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    let expected = (Class::Parked, Reach::Binding, "ambiguous");
    check_failure(&*gandi(), &until_set(&both), &unknown, expected);
    let right = until_set(&json!(["81.2.69.142"]));
    check(&*gandi(), &right, &unknown, (Changed::No, "unchanged"));
}

#[test]
fn every_refusal_has_its_meaning() {
    let check = |status, class, reach| {
        let wire = until_set(&json!([]))
            .on(Expected::put(&format!("{API}/example.org/records/home/A")))
            .answer(status, &refusal(status));
        let change = change(&record("home.example.org"), &["1.0.0.1"], &[]);
        let code = status.to_string();
        check_failure(&*gandi(), &wire, &change, (class, reach, &code));
    };
    check(401, Class::Parked, Reach::Account);
    check(403, Class::Parked, Reach::Binding);
    check(400, Class::Parked, Reach::Binding);
    check(429, Class::RateLimited, Reach::Account);
    check(500, Class::Transient, Reach::Binding);
}
