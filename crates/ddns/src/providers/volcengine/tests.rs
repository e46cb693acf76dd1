//! Volcengine against a script: what is sent, and what comes of each answer.

use super::{
    super::trial::{account as open_account, change, check, check_failure, record},
    *,
};
use crate::{
    failure::{Class, Reach},
    wire::script::{Expected, Script},
};

const API: &str = "https://dns.volcengineapi.com/";

fn volcengine() -> Box<dyn Provider> {
    open_account(&ENTRY, &json!({ "access-key-id": "AKtest", "secret-access-key": "SKtest" }))
}

fn result(value: &Value) -> Value {
    json!({ "ResponseMetadata": { "RequestId": "1" }, "Result": value })
}

fn refusal(code: &str) -> Value {
    json!({ "ResponseMetadata": { "Error": { "Code": code, "Message": "no" } } })
}

fn until_zone() -> Script {
    let search = |name: &str| {
        let query = format!("Action=ListZones&Key={name}&SearchMode=exact&Version=2018-08-01");
        Expected::get(&format!("{API}?{query}"))
    };
    let zone = json!({ "Zones": [{ "ZID": 1234, "ZoneName": "example.org" }], "Total": 1 });
    Script::new()
        .on(search("home.example.org"))
        .answer(200, &result(&json!({ "Zones": [], "Total": 0 })))
        .on(search("example.org"))
        .answer(200, &result(&zone))
}

fn until_list(rows: &Value) -> Script {
    let query = "Action=ListRecords&Host=home&PageSize=500&SearchMode=exact&Type=A&ZID=1234\
                 &Version=2018-08-01";
    until_zone()
        .on(Expected::get(&format!("{API}?{query}")))
        .answer(200, &result(&json!({ "Records": rows, "TotalCount": 1 })))
}

fn row_of(id: &str, line: &str, value: &str) -> Value {
    json!({
        "RecordID": id, "Host": "home", "Type": "A", "Line": line, "Value": value, "TTL": 600,
        "Weight": 1, "Remark": "mine", "Enable": true,
    })
}

fn action(name: &str, body: &Value) -> Expected {
    Expected::post(&format!("{API}?Action={name}&Version=2018-08-01"))
        .header("content-type", "application/json")
        .json(body)
}

#[test]
fn a_missing_record_is_created() {
    let body = json!({
        "ZID": 1234, "Host": "home", "Type": "A", "Line": "default", "Value": "81.2.69.142",
    });
    let wire = until_list(&json!([]))
        .on(action("CreateRecord", &body))
        .answer(200, &result(&json!({ "RecordID": "7" })));
    let change = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    check(&*volcengine(), &wire, &change, (Changed::Yes, "created"));
}

#[test]
fn a_record_keeps_all_but_its_address_and_other_lines_stay() {
    let body = json!({
        "RecordID": "7", "Host": "home", "Type": "A", "Line": "default", "Value": "81.2.69.142",
        "TTL": 600, "Weight": 1, "Remark": "mine",
    });
    let rows = json!([row_of("6", "telecom", "1.0.0.1"), row_of("7", "default", "1.0.0.2")]);
    let wire = until_list(&rows).on(action("UpdateRecord", &body)).answer(200, &result(&json!({})));
    let change = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    check(&*volcengine(), &wire, &change, (Changed::Yes, "updated"));
}

#[test]
fn what_is_there_already_is_a_success() {
    let wire = until_list(&json!([]))
        .on(Expected::post(&format!("{API}?Action=CreateRecord&Version=2018-08-01")))
        .answer(400, &refusal(THERE));
    let change = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    check(&*volcengine(), &wire, &change, (Changed::No, "unchanged"));
}

#[test]
fn every_refusal_has_its_meaning() {
    let refused = |status, code: &str, expected| {
        let query = "Action=ListZones&Key=home.example.org&SearchMode=exact&Version=2018-08-01";
        let wire = Script::new()
            .on(Expected::get(&format!("{API}?{query}")))
            .answer(status, &refusal(code));
        let change = change(&record("home.example.org"), &["81.2.69.142"], &[]);
        check_failure(&*volcengine(), &wire, &change, expected);
    };
    let (binding, account) = (Reach::Binding, Reach::Account);
    let code = "SignatureDoesNotMatch";
    refused(401, code, (Class::Parked, account, code));
    refused(401, "InvalidAccessKey", (Class::Parked, account, "InvalidAccessKey"));
    refused(403, "AccessDenied", (Class::Parked, account, "AccessDenied"));
    refused(400, "InvalidTimestamp", (Class::Clock, account, "InvalidTimestamp"));
    refused(429, "FlowLimitExceeded", (Class::RateLimited, account, "FlowLimitExceeded"));
    refused(500, "InternalError", (Class::Transient, binding, "InternalError"));
    refused(500, "ErrInternalServer", (Class::Transient, binding, "ErrInternalServer"));
    refused(400, "ErrDBNotFound", (Class::Transient, binding, "ErrDBNotFound"));
    refused(400, "ErrParamInvalid", (Class::Parked, binding, "ErrParamInvalid"));
}

#[test]
fn what_is_no_answer_of_it_is_tried_again() {
    let query = "Action=ListZones&Key=home.example.org&SearchMode=exact&Version=2018-08-01";
    for (status, body) in [(200, "<html>"), (200, "{}"), (502, "")] {
        let wire =
            Script::new().on(Expected::get(&format!("{API}?{query}"))).answer_text(status, body);
        let change = change(&record("home.example.org"), &["81.2.69.142"], &[]);
        let failure = super::super::trial::reconcile(&*volcengine(), &wire, &change).unwrap_err();
        assert_eq!(failure.class, Class::Transient, "{status} {body}");
    }
}

#[test]
fn nothing_secret_is_printed() {
    assert!(!format!("{:?}", volcengine()).contains("SKtest"));
}
