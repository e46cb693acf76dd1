//! What is sent, and what is made of answers.

use serde_json::json;

use super::*;
use crate::{
    providers::trial,
    record::Changed,
    wire::script::{Expected, Script, run},
};

const V4: &str = "81.2.69.142";
const V6: &str = "2a02:b18::7";

fn opened(given: &Value) -> Box<dyn Provider> {
    trial::account(&ENTRY, given)
}

fn refused(given: &Value) -> String {
    let given = given.as_object().cloned().unwrap();
    let error = match Parameters::check(&ENTRY, given) {
        Ok(parameters) => (ENTRY.open)(&parameters).unwrap_err(),
        Err(error) => error,
    };
    error.to_string()
}

fn change(name: &str, address: &str) -> Change {
    let mut record = trial::record(name);
    let family = crate::address::Family::of(address.parse().unwrap());
    record.family = family;
    trial::change(&record, &[address], &[])
}

fn sent(given: &Value, change: &Change, expected: Expected) {
    let wire = Script::new().on(expected).answer_text(200, "");
    run(opened(given).write(&wire, change)).unwrap();
    wire.done();
}

#[test]
fn every_place_is_filled() {
    let given = json!({
        "url": "https://d.test/{{zone}}/{{sub}}/{{type}}?ip={{ip}}&4={{ipv4}}&6={{ ipv6 }}\
                &p={{prefix6}}&ttl={{ttl}}&t={{timestamp}}&n={{fqdn}}&k={{secret:key}}",
        "zone": "example.org",
        "secrets": {"key": "a&b"},
    });
    let v4 = Change { beside: trial::addresses(&[V6]), ..change("home.example.org", V4) };
    let url = "https://d.test/example.org/home/A?ip=81.2.69.142&4=81.2.69.142&6=2a02:b18::7\
               &p=&ttl=300&t=1700000000&n=home.example.org&k=a%26b";
    sent(&given, &v4, Expected::get(url));
    let prefix = Some(("2a02:b18::".parse().unwrap(), 56));
    let mut v6 = Change { prefix, ..change("example.org", V6) };
    v6.record.ttl = Some(60);
    let url = "https://d.test/example.org/%40/AAAA?ip=2a02:b18::7&4=&6=2a02:b18::7\
               &p=2a02:b18::/56&ttl=60&t=1700000000&n=example.org&k=a%26b";
    sent(&given, &v6, Expected::get(url));
}

#[test]
fn values_are_encoded_for_where_they_stand() {
    let secrets = json!({"key": "q\"\\&\r\n"});
    let given = |body: &str, format: Option<&str>| {
        let mut given = json!({
            "url": "https://d.test/u", "body": body, "secrets": secrets,
            "headers": {"Authorization": "Bearer {{secret:key}}"},
        });
        if let Some(format) = format {
            given["body-format"] = json!(format);
        }
        given
    };
    let expected = |content_type: &str, body: &str| {
        Expected::post("https://d.test/u")
            .header("content-type", content_type)
            .header("authorization", "Bearer q\"\\&")
            .text(body)
    };
    let change = change("home.example.org", V4);
    let body = r#"{"k": "{{secret:key}}", "ttl": {{ttl}}, "deep": {"a": {"b": 1}}}"#;
    let filled = r#"{"k": "q\"\\&\r\n", "ttl": 300, "deep": {"a": {"b": 1}}}"#;
    sent(&given(body, None), &change, expected("application/json", filled));
    let form = expected("application/x-www-form-urlencoded", "k=q%22%5C%26%0D%0A&ip=81.2.69.142");
    sent(&given("k={{secret:key}}&ip={{ip}}", None), &change, form);
    let text = expected("text/plain; charset=utf-8", "81.2.69.142 q\"\\&\r\n");
    sent(&given("{{ip}} {{secret:key}}", Some("text")), &change, text);
}

#[test]
fn a_method_and_a_type_that_are_named_are_taken() {
    let given = json!({
        "url": "https://d.test/u", "method": "put", "body": "<ip>{{ip}}</ip>",
        "body-format": "text", "headers": {"content-type": "application/xml"},
    });
    let expected = Expected::put("https://d.test/u")
        .header("content-type", "application/xml")
        .text("<ip>81.2.69.142</ip>");
    sent(&given, &change("home.example.org", V4), expected);
}

#[test]
fn a_user_and_a_password_are_told_in_the_header() {
    let given = json!({"url": "https://d.test/u", "user": "me", "password": "hunter2"});
    let expected =
        Expected::get("https://d.test/u").header("authorization", "Basic bWU6aHVudGVyMg==");
    sent(&given, &change("home.example.org", V4), expected);
    assert!(!format!("{:?}", opened(&given)).contains("hunter2"));
}

fn judged(rules: &Value, status: u16, body: &str) -> Result<Changed, Class> {
    let mut given = json!({"url": "https://d.test/u"});
    given.as_object_mut().unwrap().extend(rules.as_object().unwrap().clone());
    let wire = Script::new().on(Expected::get("https://d.test/u")).answer_text(status, body);
    let result = run(opened(&given).write(&wire, &change("home.example.org", V4)));
    result.map(|written| written.change).map_err(|failure| failure.class)
}

#[test]
fn without_a_word_of_the_configuration_the_status_decides() {
    assert_eq!(judged(&json!({}), 204, ""), Ok(Changed::Yes));
    assert_eq!(judged(&json!({}), 302, ""), Err(Class::Transient));
    assert_eq!(judged(&json!({}), 401, ""), Err(Class::Parked));
    assert_eq!(judged(&json!({}), 429, ""), Err(Class::RateLimited));
    assert_eq!(judged(&json!({"ok-status": [302]}), 302, ""), Ok(Changed::Yes));
    assert_eq!(judged(&json!({"ok-status": [302]}), 200, ""), Err(Class::Transient));
}

#[test]
fn the_body_has_to_tell_of_success_where_the_configuration_says_how() {
    let regex = json!({"ok": "^(good|nochg)", "unchanged": "^nochg", "park": "badauth|no such"});
    assert_eq!(judged(&regex, 200, "good 1"), Ok(Changed::Yes));
    assert_eq!(judged(&regex, 200, "nochg"), Ok(Changed::No));
    assert_eq!(judged(&regex, 200, "<html>good"), Err(Class::Transient));
    assert_eq!(judged(&regex, 500, "badauth"), Err(Class::Parked));
    assert_eq!(judged(&regex, 500, "good"), Err(Class::Transient));
    let json = json!({"ok-json": {"/code": 0, "/data/ok": true}});
    assert_eq!(judged(&json, 200, r#"{"code":0,"data":{"ok":true}}"#), Ok(Changed::Yes));
    assert_eq!(judged(&json, 200, r#"{"code":0,"data":{"ok":false}}"#), Err(Class::Transient));
    assert_eq!(judged(&json, 200, "good"), Err(Class::Transient));
    let either = json!({"ok-json": {"/code": 0}, "ok": "^good"});
    assert_eq!(judged(&either, 200, "good"), Ok(Changed::Yes));
    assert_eq!(judged(&either, 200, r#"{"code":0}"#), Ok(Changed::Yes));
}

#[test]
fn nothing_secret_is_printed() {
    let given = json!({
        "url": "https://d.test/u?k={{secret:key}}&literal=hunter3", "secrets": {"key": "hunter2"},
    });
    assert!(!format!("{:?}", opened(&given)).contains("hunter"));
}

#[test]
fn a_name_of_another_zone_is_parked_without_a_request() {
    let provider = opened(&json!({"url": "https://d.test/{{sub}}", "zone": "example.org"}));
    let change = change("home.example.com", V4);
    let failure = run(provider.write(&Script::new(), &change)).unwrap_err();
    assert_eq!(failure.class, Class::Parked);
}

#[test]
fn a_template_that_makes_no_sense_is_refused_with_the_reason() {
    let check = |given: Value, part: &str| {
        let told = refused(&given);
        assert!(told.contains(part), "{told}");
    };
    let url = "https://d.test/";
    check(json!({"url": "ftp://d.test/"}), "`url`: it must begin");
    check(json!({"url": "https://{{fqdn}}/"}), "`url`: it must name its host");
    check(json!({"url": "https://me:pw@d.test/"}), "`url`: it must name its host");
    check(json!({"url": "https://d.test/{{adress}}"}), "`{{adress}}`, which is not known");
    check(json!({"url": "https://d.test/{{ip"}), "without `}}`");
    check(json!({"url": "https://d.test/{{secret:key}}"}), "not in `secrets`");
    check(json!({"url": "https://d.test/{{sub}}"}), "`zone`: it is missing");
    check(json!({"url": url, "user": "me"}), "`password`: it is missing");
    let both = json!({"authorization": "x"});
    check(json!({"url": url, "user": "me", "password": "x", "headers": both}), "`authorization`");
    check(json!({"url": url, "method": "FETCH"}), "`method`");
    check(json!({"url": url, "headers": {"a b": "x"}}), "`a b`");
    check(json!({"url": url, "headers": {"a": "x\ny"}}), "no line");
    check(json!({"url": url, "headers": "a: b"}), "must be a table");
    check(json!({"url": url, "body": "x", "body-format": "xml"}), "`body-format`");
    check(json!({"url": url, "ok": "("}), "no regular expression");
    check(json!({"url": url, "ok-status": 200}), "list of statuses");
    check(json!({"url": url, "ok-json": {"code": 0}}), "no JSON pointer");
}
