//! Porkbun against a script: what is sent, and what comes of each answer.

use super::{
    super::trial::{account as open_account, change, check, check_failure, record},
    *,
};
use crate::{
    failure::{Class, Reach},
    wire::script::{Expected, Script},
};

const API: &str = "https://api.porkbun.com/api/json/v3/dns";

fn porkbun() -> Box<dyn Provider> {
    open_account(&ENTRY, &json!({ "api-key": "pk1_k", "secret-key": "sk1_s" }))
}

fn to(path: &str, fields: &Value) -> Expected {
    let mut body = fields.clone();
    body["apikey"] = json!("pk1_k");
    body["secretapikey"] = json!("sk1_s");
    Expected::post(&format!("{API}/{path}")).json(&body)
}

fn refusal(message: &str) -> Value {
    json!({ "status": "ERROR", "message": message })
}

fn row_of(id: &str, value: &str) -> Value {
    json!({ "id": id, "name": "home.example.org", "type": "A", "content": value, "ttl": "900",
            "prio": "0", "notes": "mine" })
}

fn until_list(name: &str, label: &str, rows: &Value) -> Script {
    let mut script = Script::new();
    let none = json!({});
    for above in record(name).name.ancestry().take_while(|name| name.as_str() != "example.org") {
        script = script
            .on(to(&format!("retrieveByNameType/{above}/A"), &none))
            .answer(400, &refusal("Invalid domain."));
    }
    script
        .on(to("retrieveByNameType/example.org/A", &none))
        .answer(200, &json!({ "status": "SUCCESS", "records": [] }))
        .on(to(&format!("retrieveByNameType/example.org/A{label}"), &none))
        .answer(200, &json!({ "status": "SUCCESS", "records": rows }))
}

#[test]
fn a_missing_record_is_created() {
    for (name, path, label) in [
        ("home.example.org", "/home", "home"),
        ("example.org", "", ""),
        ("*.example.org", "/%2A", "*"),
    ] {
        let wire = until_list(name, path, &json!([]))
            .on(to(
                "create/example.org",
                &json!({ "name": label, "type": "A", "content": "81.2.69.142" }),
            ))
            .answer(200, &json!({ "status": "SUCCESS", "id": "7" }));
        let change = change(&record(name), &["81.2.69.142"], &[]);
        check(&*porkbun(), &wire, &change, (Changed::Yes, "created"));
    }
}

#[test]
fn of_two_records_only_ours_changes_and_its_note_and_time_to_live_survive() {
    let both = json!([row_of("7", "1.0.0.1"), row_of("8", "1.0.0.2")]);
    let wire = until_list("home.example.org", "/home", &both)
        .on(to(
            "edit/example.org/8",
            &json!({ "name": "home", "type": "A", "content": "81.2.69.142", "ttl": "900",
                     "notes": "mine" }),
        ))
        .answer(200, &json!({ "status": "SUCCESS" }));
    let ours = change(&record("home.example.org"), &["81.2.69.142"], &["1.0.0.2"]);
    check(&*porkbun(), &wire, &ours, (Changed::Yes, "updated"));
    let unknown = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    let wire = until_list("home.example.org", "/home", &both);
    check_failure(&*porkbun(), &wire, &unknown, (Class::Parked, Reach::Binding, "ambiguous"));
    let right = until_list("home.example.org", "/home", &json!([row_of("7", "81.2.69.142")]));
    check(&*porkbun(), &right, &unknown, (Changed::No, "unchanged"));
}

#[test]
fn what_is_too_many_of_ours_goes() {
    let both = json!([row_of("7", "1.0.0.1"), row_of("8", "1.0.0.2")]);
    let wire = until_list("home.example.org", "/home", &both)
        .on(to("delete/example.org/8", &json!({})))
        .answer(200, &json!({ "status": "SUCCESS" }));
    let change = change(&record("home.example.org"), &["1.0.0.1"], &["1.0.0.1", "1.0.0.2"]);
    check(&*porkbun(), &wire, &change, (Changed::Yes, "deleted"));
}

#[test]
fn every_refusal_has_its_meaning() {
    let check = |status, body: &Value, class, reach, code| {
        let wire = until_list("home.example.org", "/home", &json!([]))
            .on(Expected::post(&format!("{API}/create/example.org")))
            .answer(status, body);
        let change = change(&record("home.example.org"), &["1.0.0.1"], &[]);
        check_failure(&*porkbun(), &wire, &change, (class, reach, code));
    };
    let (parked, account, binding) = (Class::Parked, Reach::Account, Reach::Binding);
    let told = refusal("Invalid API key. (002)");
    check(400, &told, parked, account, "INVALID_API_KEYS");
    // A status of success changes nothing about it.
    check(200, &told, parked, account, "INVALID_API_KEYS");
    let told = json!({ "status": "ERROR", "code": "INVALID_API_KEYS_002", "message": "no" });
    check(400, &told, parked, account, "INVALID_API_KEYS_002");
    let told = refusal("Domain is not opted in to API access.");
    check(400, &told, parked, binding, "DOMAIN_IS_NOT_OPTED_IN");
    let code = "DOMAIN_IS_NOT_OPTED_IN_TO_API_ACCESS_YOU_CAN_ENABLE";
    let told = json!({ "status": "ERROR", "code": code, "message": "Not opted in." });
    check(400, &told, parked, binding, code);
    let told = json!({ "status": "ERROR", "code": "INVALID_RECORD_ID", "message": "gone" });
    check(400, &told, Class::Transient, binding, "INVALID_RECORD_ID");
    check(400, &refusal("Edit error: unable."), parked, binding, "HTTP 400");
    check(429, &refusal("Slow"), Class::RateLimited, account, "HTTP 429");
    check(503, &refusal("Busy"), Class::Transient, binding, "HTTP 503");
    check(200, &json!({}), Class::Transient, binding, "unknown-answer");
}
