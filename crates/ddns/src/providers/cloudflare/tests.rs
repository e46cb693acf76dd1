//! Cloudflare against a script: what is sent, and what comes of each answer.

use super::{
    super::trial::{account, change, check, check_failure, reconcile, record},
    *,
};
use crate::{
    failure::Reach,
    wire::script::{Expected, Script},
};

const API: &str = "https://api.cloudflare.com/client/v4";

fn cloudflare() -> Box<dyn Provider> {
    account(&ENTRY, &json!({ "token": "t0ken" }))
}

fn zone_search(name: &str) -> Expected {
    Expected::get(&format!("{API}/zones?name={name}&status=active&per_page=50"))
        .header("authorization", "Bearer t0ken")
}

fn result(result: &Value) -> Value {
    json!({ "success": true, "errors": [], "messages": [], "result": result })
}

fn refusal(code: u32, message: &str) -> Value {
    json!({ "success": false, "errors": [{ "code": code, "message": message }], "result": null })
}

/// The zone `example.org` is found, and then the records of a name are asked for.
fn until_list(name: &str, records: &Value) -> Script {
    let mut script = Script::new();
    let record = record(name);
    for above in record.name.ancestry().take_while(|name| name.as_str() != "example.org") {
        script = script.on(zone_search(above.as_str())).answer(200, &result(&json!([])));
    }
    script
        .on(zone_search("example.org"))
        .answer(200, &result(&json!([{ "id": "z1", "name": "example.org" }])))
        .on(Expected::get(&format!(
            "{API}/zones/z1/dns_records?type=A&name={}&per_page=100",
            answer::encoded(record.name.as_str())
        )))
        .answer(200, &result(records))
}

fn home(id: &str, content: &str) -> Value {
    json!({ "id": id, "type": "A", "name": "home.example.org", "content": content,
            "proxied": true, "ttl": 1, "comment": "mine", "tags": ["a:b"] })
}

#[test]
fn a_missing_record_is_created() {
    let wire = until_list("home.example.org", &json!([]))
        .on(Expected::post(&format!("{API}/zones/z1/dns_records")).json(&json!({
            "type": "A", "name": "home.example.org", "content": "81.2.69.142",
            "ttl": 1, "proxied": false
        })))
        .answer(200, &result(&home("r1", "81.2.69.142")));
    let change = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    check(&*cloudflare(), &wire, &change, (Changed::Yes, "created"));
}

#[test]
fn a_zone_is_looked_for_once_for_all_names_in_it() {
    let cloudflare = cloudflare();
    let done = |name: &str, wire: Script| {
        let change = change(&record(name), &["81.2.69.142"], &[]);
        check(&*cloudflare, &wire, &change, (Changed::No, "unchanged"));
    };
    let list = |script: Script, name: &str| {
        let asked = format!("{API}/zones/z1/dns_records?type=A&name={name}&per_page=100");
        let mut row = home("r2", "81.2.69.142");
        row["name"] = json!(name);
        script.on(Expected::get(&asked)).answer(200, &result(&json!([row])))
    };
    done("home.example.org", until_list("home.example.org", &json!([home("r1", "81.2.69.142")])));
    let own = Script::new().on(zone_search("nas.example.org")).answer(200, &result(&json!([])));
    done("nas.example.org", list(own, "nas.example.org"));
    done("nas.example.org", list(Script::new(), "nas.example.org"));
}

#[test]
fn only_the_address_is_patched_so_that_everything_else_survives() {
    let wire = until_list("home.example.org", &json!([home("r1", "1.0.0.1")]))
        .on(Expected::patch(&format!("{API}/zones/z1/dns_records/r1"))
            .json(&json!({ "content": "81.2.69.142" })))
        .answer(200, &result(&home("r1", "81.2.69.142")));
    let change = change(&record("home.example.org"), &["81.2.69.142"], &["1.0.0.1"]);
    let (found, written) = reconcile(&*cloudflare(), &wire, &change).unwrap();
    assert_eq!((found.values, found.ttl), (vec!["1.0.0.1".parse().unwrap()], Some(1)));
    assert_eq!(written.code, "updated");
}

#[test]
fn what_is_configured_is_patched_even_when_the_address_is_right() {
    let wire = until_list("home.example.org", &json!([home("r1", "81.2.69.142")]))
        .on(Expected::patch(&format!("{API}/zones/z1/dns_records/r1"))
            .json(&json!({ "proxied": false, "comment": "ours", "ttl": 120 })))
        .answer(200, &result(&json!({})));
    let extra = json!({ "proxied": false, "comment": "ours" });
    let extra = extra.as_object().cloned().unwrap();
    let record = Record { ttl: Some(120), extra, ..record("home.example.org") };
    check(
        &*cloudflare(),
        &wire,
        &change(&record, &["81.2.69.142"], &[]),
        (Changed::Yes, "updated"),
    );
}

#[test]
fn a_proxied_record_is_not_written_for_its_time_to_live() {
    let wire = until_list("home.example.org", &json!([home("r1", "81.2.69.142")]));
    let record = Record { ttl: Some(120), ..record("home.example.org") };
    check(
        &*cloudflare(),
        &wire,
        &change(&record, &["81.2.69.142"], &[]),
        (Changed::No, "unchanged"),
    );
}

#[test]
fn of_two_records_only_ours_changes() {
    let both = json!([home("r1", "1.0.0.1"), home("r2", "1.0.0.2")]);
    let wire = until_list("home.example.org", &both)
        .on(Expected::patch(&format!("{API}/zones/z1/dns_records/r2"))
            .json(&json!({ "content": "81.2.69.142" })))
        .answer(200, &result(&json!({})));
    let ours = change(&record("home.example.org"), &["81.2.69.142"], &["1.0.0.2"]);
    check(&*cloudflare(), &wire, &ours, (Changed::Yes, "updated"));

    let unknown = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    let wire = until_list("home.example.org", &both);
    check_failure(&*cloudflare(), &wire, &unknown, (Class::Parked, Reach::Binding, "ambiguous"));
}

#[test]
fn several_addresses_are_kept_patched_created_and_taken_away() {
    let three = json!([home("r1", "1.0.0.1"), home("r2", "1.0.0.2"), home("r3", "1.0.0.3")]);
    let wire = until_list("home.example.org", &three)
        .on(Expected::patch(&format!("{API}/zones/z1/dns_records/r1"))
            .json(&json!({ "content": "1.0.0.4" })))
        .answer(200, &result(&json!({})))
        .on(Expected::delete(&format!("{API}/zones/z1/dns_records/r3")))
        .answer(200, &result(&json!({ "id": "r3" })));
    let ours = &["1.0.0.1", "1.0.0.2", "1.0.0.3"];
    let change = change(&record("home.example.org"), &["1.0.0.2", "1.0.0.4"], ours);
    check(&*cloudflare(), &wire, &change, (Changed::Yes, "updated"));
}

#[test]
fn the_zone_itself_wildcards_and_other_scripts_are_names_like_others() {
    for name in ["example.org", "*.example.org", "家.example.org"] {
        let name = record(name).name;
        let wire = until_list(name.as_str(), &json!([]))
            .on(Expected::post(&format!("{API}/zones/z1/dns_records")).json(&json!({
                "type": "A", "name": name.as_str(), "content": "81.2.69.142",
                "ttl": 1, "proxied": false
            })))
            .answer(200, &result(&json!({})));
        let change = change(&record(name.as_str()), &["81.2.69.142"], &[]);
        check(&*cloudflare(), &wire, &change, (Changed::Yes, "created"));
    }
}

#[test]
fn a_zone_is_looked_for_once_or_told() {
    let provider = cloudflare();
    let change = change(&record("home.example.org"), &["1.0.0.1"], &[]);
    let wire = until_list("home.example.org", &json!([home("r1", "1.0.0.1")]));
    check(&*provider, &wire, &change, (Changed::No, "unchanged"));
    let list = format!("{API}/zones/z1/dns_records?type=A&name=home.example.org&per_page=100");
    let again = || {
        let answer = result(&json!([home("r1", "1.0.0.1")]));
        Script::new().on(Expected::get(&list)).answer(200, &answer)
    };
    check(&*provider, &again(), &change, (Changed::No, "unchanged"));
    let told = account(&ENTRY, &json!({ "token": "t0ken", "zone-id": "z1" }));
    check(&*told, &again(), &change, (Changed::No, "unchanged"));
}

#[test]
fn a_name_without_a_zone_is_parked() {
    let wire = Script::new()
        .on(zone_search("home.example.org"))
        .answer(200, &result(&json!([])))
        .on(zone_search("example.org"))
        .answer(200, &result(&json!([])));
    let change = change(&record("home.example.org"), &["1.0.0.1"], &[]);
    check_failure(&*cloudflare(), &wire, &change, (Class::Parked, Reach::Binding, "no-zone"));
}

#[test]
fn every_refusal_has_its_meaning() {
    let check = |status, code, message, expected| {
        let wire = Script::new()
            .on(zone_search("home.example.org"))
            .answer(status, &refusal(code, message))
            .with_header("retry-after", "77");
        let change = change(&record("home.example.org"), &["1.0.0.1"], &[]);
        check_failure(&*cloudflare(), &wire, &change, expected)
    };
    check(403, 9109, "Invalid access token", (Class::Parked, Reach::Account, "9109"));
    check(400, 6003, "Invalid request headers", (Class::Parked, Reach::Account, "6003"));
    check(403, 10000, "Authentication error", (Class::Parked, Reach::Account, "10000"));
    check(200, 10000, "Authentication error", (Class::Parked, Reach::Account, "10000"));
    check(400, 7003, "Could not route", (Class::Parked, Reach::Binding, "7003"));
    check(500, 1, "Internal", (Class::Transient, Reach::Binding, "1"));
    let limited = check(429, 971, "Throttled", (Class::RateLimited, Reach::Account, "971"));
    assert_eq!(limited.retry_after.map(|wait| wait.as_secs()), Some(77));
}

#[test]
fn a_right_that_is_missing_in_one_zone_does_not_park_the_others() {
    let wire = Script::new()
        .on(zone_search("home.example.org"))
        .answer(200, &result(&json!([{ "id": "z1", "name": "home.example.org" }])))
        .on(Expected::get(&format!(
            "{API}/zones/z1/dns_records?type=A&name=home.example.org&per_page=100"
        )))
        .answer(403, &refusal(10000, "Authentication error"));
    let change = change(&record("home.example.org"), &["1.0.0.1"], &[]);
    check_failure(&*cloudflare(), &wire, &change, (Class::Parked, Reach::Binding, "10000"));
}

#[test]
fn a_record_that_is_there_already_is_a_success() {
    let wire = until_list("home.example.org", &json!([]))
        .on(Expected::post(&format!("{API}/zones/z1/dns_records")))
        .answer(400, &refusal(81058, "An identical record already exists."));
    let change = change(&record("home.example.org"), &["1.0.0.1"], &[]);
    check(&*cloudflare(), &wire, &change, (Changed::No, "unchanged"));
}

#[test]
fn a_page_of_a_portal_is_no_answer() {
    let wire = Script::new()
        .on(zone_search("home.example.org"))
        .answer_text(200, "<html>please log in</html>");
    let change = change(&record("home.example.org"), &["1.0.0.1"], &[]);
    let expected = (Class::Transient, Reach::Binding, "unknown-answer");
    check_failure(&*cloudflare(), &wire, &change, expected);
}

#[test]
fn the_global_key_goes_with_its_address() {
    let open = |given| {
        let given: Value = given;
        let checked = Parameters::check(&ENTRY, given.as_object().cloned().unwrap()).unwrap();
        (ENTRY.open)(&checked).map_err(|error| error.key)
    };
    assert_eq!(open(json!({})).unwrap_err(), "token");
    assert_eq!(open(json!({ "key": "k" })).unwrap_err(), "key");
    assert_eq!(open(json!({ "token": "t", "email": "a@b.test" })).unwrap_err(), "token");
    open(json!({ "email": "a@b.test", "key": "k" })).unwrap();
}
