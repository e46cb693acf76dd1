//! `DNSPod` against a script: what is sent, and what comes of each answer.

use super::{
    super::trial::{account as open_account, change, check, check_failure, record},
    *,
};
use crate::{
    failure::{Class, Reach},
    wire::script::{Expected, Script},
};

fn dnspod() -> Box<dyn Provider> {
    open_account(&ENTRY, &json!({ "id": "12345", "token": "abc" }))
}

fn to(action: &str, form: &str) -> Expected {
    Expected::post(&format!("https://dnsapi.cn/{action}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .form(&format!("login_token=12345%2Cabc&format=json&lang=en&{form}"))
}

fn status(code: &str) -> Value {
    json!({ "status": { "code": code, "message": "words", "created_at": "2015-01-18" } })
}

fn row_of(id: &str, value: &str, line: &str) -> Value {
    json!({ "id": id, "name": "home", "type": "A", "value": value, "ttl": "1200", "line": line,
            "line_id": "0", "enabled": "0", "weight": 20, "remark": "mine" })
}

fn until_list(label: &str, rows: &Value) -> Script {
    let name = format!("{label}.example.org");
    let record = record(name.trim_start_matches("@."));
    let mut script = Script::new();
    for above in record.name.ancestry().take_while(|name| name.as_str() != "example.org") {
        let form = format!("domain={above}&length=1");
        script = script.on(to("Record.List", &form)).answer(200, &status("6"));
    }
    let found = match rows.as_array() {
        Some(rows) if rows.is_empty() => status("10"),
        _ => json!({ "status": { "code": "1" }, "records": rows }),
    };
    let form = format!("domain=example.org&sub_domain={label}&record_type=A");
    script
        .on(to("Record.List", "domain=example.org&length=1"))
        .answer(200, &status("10"))
        .on(to("Record.List", &form))
        .answer(200, &found)
}

#[test]
fn a_missing_record_is_created() {
    for label in ["home", "@", "*"] {
        let form = format!(
            "domain=example.org&sub_domain={label}&record_type=A&record_line=默认\
             &value=81.2.69.142"
        );
        let wire =
            until_list(label, &json!([])).on(to("Record.Create", &form)).answer(200, &status("1"));
        let name = format!("{label}.example.org");
        let change = change(&record(name.trim_start_matches("@.")), &["81.2.69.142"], &[]);
        check(&*dnspod(), &wire, &change, (Changed::Yes, "created"));
    }
}

#[test]
fn line_weight_status_and_time_to_live_survive_an_update() {
    let wire = until_list("home", &json!([row_of("7", "1.0.0.1", "默认")]))
        .on(to(
            "Record.Modify",
            "domain=example.org&record_id=7&sub_domain=home&record_type=A&value=81.2.69.142\
             &record_line=默认&record_line_id=0&weight=20&status=disable&ttl=1200",
        ))
        .answer(200, &status("1"));
    let change = change(&record("home.example.org"), &["81.2.69.142"], &["1.0.0.1"]);
    check(&*dnspod(), &wire, &change, (Changed::Yes, "updated"));
}

#[test]
fn of_two_records_only_ours_changes_and_other_lines_are_not_touched() {
    let rows = json!([
        row_of("7", "1.0.0.1", "默认"),
        row_of("8", "1.0.0.2", "默认"),
        row_of("9", "81.2.69.142", "境外"),
    ]);
    let wire = until_list("home", &rows)
        .on(Expected::post("https://dnsapi.cn/Record.Modify"))
        .answer(200, &status("1"));
    let ours = change(&record("home.example.org"), &["81.2.69.142"], &["1.0.0.2"]);
    check(&*dnspod(), &wire, &ours, (Changed::Yes, "updated"));
    let unknown = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    let expected = (Class::Parked, Reach::Binding, "ambiguous");
    check_failure(&*dnspod(), &until_list("home", &rows), &unknown, expected);
}

#[test]
fn what_is_right_is_never_written_again() {
    let wire = until_list("home", &json!([row_of("7", "81.2.69.142", "默认")]));
    let change = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    check(&*dnspod(), &wire, &change, (Changed::No, "unchanged"));
}

#[test]
fn what_is_too_many_of_ours_goes() {
    let rows = json!([row_of("7", "1.0.0.1", "默认"), row_of("8", "1.0.0.2", "默认")]);
    let wire = until_list("home", &rows)
        .on(to("Record.Remove", "domain=example.org&record_id=8"))
        .answer(200, &status("1"));
    let change = change(&record("home.example.org"), &["1.0.0.1"], &["1.0.0.1", "1.0.0.2"]);
    check(&*dnspod(), &wire, &change, (Changed::Yes, "deleted"));
}

#[test]
fn a_record_that_is_there_already_is_a_success() {
    let wire = until_list("home", &json!([]))
        .on(Expected::post("https://dnsapi.cn/Record.Create"))
        .answer(200, &status("104"));
    let change = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    check(&*dnspod(), &wire, &change, (Changed::No, "unchanged"));
}

#[test]
fn every_refusal_has_its_meaning() {
    let check = |code, class, reach| {
        let wire = until_list("home", &json!([]))
            .on(Expected::post("https://dnsapi.cn/Record.Create"))
            .answer(200, &status(code));
        let change = change(&record("home.example.org"), &["1.0.0.1"], &[]);
        check_failure(&*dnspod(), &wire, &change, (class, reach, code));
    };
    check("-1", Class::Parked, Reach::Account);
    check("85", Class::Parked, Reach::Account);
    check("-2", Class::RateLimited, Reach::Account);
    check("-8", Class::RateLimited, Reach::Account);
    check("-99", Class::Transient, Reach::Binding);
    check("8", Class::Transient, Reach::Binding);
    check("32", Class::Parked, Reach::Binding);
    check("987", Class::Transient, Reach::Binding);
}

#[test]
fn a_token_without_its_number_is_refused_before_anything_is_sent() {
    let open = |given: Value| {
        let checked = Parameters::check(&ENTRY, given.as_object().cloned().unwrap()).unwrap();
        (ENTRY.open)(&checked).map_err(|error| error.key)
    };
    assert_eq!(open(json!({ "token": "0123456789abcdef" })).unwrap_err(), "token");
    assert_eq!(open(json!({ "token": "abc,def" })).unwrap_err(), "token");
    assert_eq!(open(json!({ "id": "me", "token": "abc" })).unwrap_err(), "id");
    open(json!({ "token": "12345,abc" })).unwrap();
    open(json!({ "id": "12345", "token": "abc" })).unwrap();
}
