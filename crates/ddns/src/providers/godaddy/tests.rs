//! `GoDaddy` against a script: what is sent, and what comes of each answer.

use super::{
    super::trial::{account as open_account, change, check, check_failure, record},
    *,
};
use crate::{
    failure::Reach,
    wire::script::{Expected, Script},
};

const API: &str = "https://api.godaddy.com/v1/domains";

fn godaddy() -> Box<dyn Provider> {
    open_account(&ENTRY, &json!({ "key": "k", "secret": "s" }))
}

fn refusal(code: &str) -> Value {
    json!({ "code": code, "message": "no" })
}

fn until_set(name: &str, label: &str, records: &Value) -> Script {
    let mut script = Script::new();
    for above in record(name).name.ancestry().take_while(|name| name.as_str() != "example.org") {
        script = script
            .on(Expected::get(&format!("{API}/{above}")))
            .answer(404, &refusal("UNKNOWN_DOMAIN"));
    }
    script
        .on(Expected::get(&format!("{API}/example.org")).header("authorization", "sso-key k:s"))
        .answer(200, &json!({ "domain": "example.org" }))
        .on(Expected::get(&format!("{API}/example.org/records/A/{label}")))
        .answer(200, records)
}

fn row_of(value: &str) -> Value {
    json!({ "data": value, "name": "home", "ttl": 1800, "type": "A" })
}

#[test]
fn a_missing_set_is_created() {
    for (name, label) in
        [("home.example.org", "home"), ("example.org", "%40"), ("*.example.org", "%2A")]
    {
        let wire = until_set(name, label, &json!([]))
            .on(Expected::put(&format!("{API}/example.org/records/A/{label}"))
                .json(&json!([{ "data": "81.2.69.142", "ttl": 600 }])))
            .answer_text(200, "");
        let change = change(&record(name), &["81.2.69.142"], &[]);
        check(&*godaddy(), &wire, &change, (Changed::Yes, "created"));
    }
}

#[test]
fn of_two_addresses_only_ours_changes_and_the_time_to_live_survives() {
    let both = json!([row_of("1.0.0.1"), row_of("1.0.0.2")]);
    let wire = until_set("home.example.org", "home", &both)
        .on(Expected::put(&format!("{API}/example.org/records/A/home")).json(&json!([
            { "data": "1.0.0.1", "ttl": 1800 }, { "data": "81.2.69.142", "ttl": 1800 }
        ])))
        .answer_text(200, "");
    let ours = change(&record("home.example.org"), &["81.2.69.142"], &["1.0.0.2"]);
    check(&*godaddy(), &wire, &ours, (Changed::Yes, "updated"));
    let unknown = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    let wire = until_set("home.example.org", "home", &both);
    check_failure(&*godaddy(), &wire, &unknown, (Class::Parked, Reach::Binding, "ambiguous"));
    let right = until_set("home.example.org", "home", &json!([row_of("81.2.69.142")]));
    check(&*godaddy(), &right, &unknown, (Changed::No, "unchanged"));
}

#[test]
fn every_refusal_has_its_meaning() {
    let check = |status, code, class, reach| {
        let wire = until_set("home.example.org", "home", &json!([]))
            .on(Expected::put(&format!("{API}/example.org/records/A/home")))
            .answer(status, &refusal(code));
        let change = change(&record("home.example.org"), &["1.0.0.1"], &[]);
        check_failure(&*godaddy(), &wire, &change, (class, reach, code));
    };
    check(401, "UNABLE_TO_AUTHENTICATE", Class::Parked, Reach::Account);
    check(403, "ACCESS_DENIED", Class::Parked, Reach::Account);
    check(429, "TOO_MANY_REQUESTS", Class::RateLimited, Reach::Account);
    check(422, "INVALID_BODY", Class::Parked, Reach::Binding);
    check(500, "ERROR_INTERNAL", Class::Transient, Reach::Binding);
}

#[test]
fn patience_and_haste_are_told_in_the_body_alone() {
    let fail = |status, body: &Value| {
        let wire = until_set("home.example.org", "home", &json!([]))
            .on(Expected::put(&format!("{API}/example.org/records/A/home")))
            .answer(status, body);
        let change = change(&record("home.example.org"), &["1.0.0.1"], &[]);
        super::super::trial::reconcile(&*godaddy(), &wire, &change).unwrap_err()
    };
    let slowly = json!({ "code": "TOO_MANY_REQUESTS", "message": "Slow.", "retryAfterSec": 30 });
    let failure = fail(429, &slowly);
    let wait = Some(Duration::from_secs(30));
    assert_eq!((failure.class, failure.retry_after), (Class::RateLimited, wait));
    let busy = "Resource is being used in another request";
    let failure = fail(422, &json!({ "code": "INVALID", "message": busy }));
    assert_eq!((failure.class, failure.retry_after), (Class::Transient, None));
}
