//! Tencent Cloud against a script: what is sent, and what comes of each answer.

use super::{
    super::trial::{account as open_account, change, check, check_failure, record},
    *,
};
use crate::{
    failure::{Class, Reach},
    wire::script::{Expected, Script},
};

fn tencent() -> Box<dyn Provider> {
    open_account(&ENTRY, &json!({ "secret-id": "AKIDtest", "secret-key": "SKtest" }))
}

fn action(action: &str, body: &Value) -> Expected {
    Expected::post("https://dnspod.tencentcloudapi.com/")
        .header("x-tc-action", action)
        .header("x-tc-version", "2021-03-23")
        .header("x-tc-timestamp", "1700000000")
        .header("content-type", "application/json")
        .json(body)
}

fn refusal(code: &str) -> Value {
    json!({ "Response": { "Error": { "Code": code, "Message": "no" }, "RequestId": "R" } })
}

fn row_of(id: u64, value: &str, line: &str) -> Value {
    json!({ "RecordId": id, "Name": "home", "Type": "A", "Value": value, "TTL": 1200,
            "Line": line, "LineId": "0", "Weight": 20, "Status": "DISABLE", "Remark": "mine" })
}

fn until_list(label: &str, rows: &Value) -> Script {
    let name = format!("{label}.example.org");
    let record = record(name.trim_start_matches("@."));
    let mut script = Script::new();
    for above in record.name.ancestry().take_while(|name| name.as_str() != "example.org") {
        let body = json!({ "Domain": above.as_str(), "Limit": 1 });
        script = script
            .on(action("DescribeRecordList", &body))
            .answer(200, &refusal("InvalidParameterValue.DomainNotExists"));
    }
    let list = json!({ "Domain": "example.org", "Subdomain": label, "RecordType": "A" });
    let none = refusal("ResourceNotFound.NoDataOfRecord");
    let found = match rows.as_array() {
        Some(rows) if rows.is_empty() => none.clone(),
        _ => json!({ "Response": { "RecordList": rows } }),
    };
    script
        .on(action("DescribeRecordList", &json!({ "Domain": "example.org", "Limit": 1 })))
        .answer(200, &none)
        .on(action("DescribeRecordList", &list))
        .answer(200, &found)
}

#[test]
fn a_missing_record_is_created() {
    for label in ["home", "@", "*"] {
        let wire = until_list(label, &json!([]))
            .on(action(
                "CreateRecord",
                &json!({ "Domain": "example.org", "SubDomain": label, "RecordType": "A",
                         "RecordLine": "默认", "Value": "81.2.69.142" }),
            ))
            .answer(200, &json!({ "Response": { "RecordId": 7 } }));
        let name = format!("{label}.example.org");
        let change = change(&record(name.trim_start_matches("@.")), &["81.2.69.142"], &[]);
        check(&*tencent(), &wire, &change, (Changed::Yes, "created"));
    }
}

#[test]
fn line_weight_status_and_time_to_live_survive_an_update() {
    let wire = until_list("home", &json!([row_of(7, "1.0.0.1", "默认")]))
        .on(action(
            "ModifyRecord",
            &json!({ "Domain": "example.org", "SubDomain": "home", "RecordType": "A",
                     "RecordLine": "默认", "RecordLineId": "0", "Value": "81.2.69.142",
                     "RecordId": 7, "TTL": 1200, "Weight": 20, "Status": "DISABLE" }),
        ))
        .answer(200, &json!({ "Response": { "RecordId": 7 } }));
    let change = change(&record("home.example.org"), &["81.2.69.142"], &["1.0.0.1"]);
    check(&*tencent(), &wire, &change, (Changed::Yes, "updated"));
}

#[test]
fn of_two_records_only_ours_changes_and_other_lines_are_not_touched() {
    let rows = json!([
        row_of(7, "1.0.0.1", "默认"),
        row_of(8, "1.0.0.2", "默认"),
        row_of(9, "81.2.69.142", "境外"),
    ]);
    let wire = until_list("home", &rows)
        .on(action(
            "ModifyRecord",
            &json!({ "Domain": "example.org", "SubDomain": "home", "RecordType": "A",
                     "RecordLine": "默认", "RecordLineId": "0", "Value": "81.2.69.142",
                     "RecordId": 8, "TTL": 1200, "Weight": 20, "Status": "DISABLE" }),
        ))
        .answer(200, &json!({ "Response": { "RecordId": 8 } }));
    let ours = change(&record("home.example.org"), &["81.2.69.142"], &["1.0.0.2"]);
    check(&*tencent(), &wire, &ours, (Changed::Yes, "updated"));
    let unknown = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    let expected = (Class::Parked, Reach::Binding, "ambiguous");
    check_failure(&*tencent(), &until_list("home", &rows), &unknown, expected);
}

#[test]
fn what_is_too_many_of_ours_goes() {
    let rows = json!([row_of(7, "1.0.0.1", "默认"), row_of(8, "1.0.0.2", "默认")]);
    let wire = until_list("home", &rows)
        .on(action("DeleteRecord", &json!({ "Domain": "example.org", "RecordId": 8 })))
        .answer(200, &json!({ "Response": { "RequestId": "R" } }));
    let change = change(&record("home.example.org"), &["1.0.0.1"], &["1.0.0.1", "1.0.0.2"]);
    check(&*tencent(), &wire, &change, (Changed::Yes, "deleted"));
}

#[test]
fn a_record_that_is_there_already_is_a_success() {
    let wire = until_list("home", &json!([]))
        .on(Expected::post("https://dnspod.tencentcloudapi.com/"))
        .answer(200, &refusal("InvalidParameter.DomainRecordExist"));
    let change = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    check(&*tencent(), &wire, &change, (Changed::No, "unchanged"));
}

#[test]
fn every_refusal_has_its_meaning() {
    let check = |code, class, reach| {
        let wire = Script::new()
            .on(Expected::post("https://dnspod.tencentcloudapi.com/"))
            .answer(200, &refusal(code))
            .with_header("date", "Tue, 14 Nov 2023 22:03:20 GMT");
        let change = change(&record("home.example.org"), &["1.0.0.1"], &[]);
        check_failure(&*tencent(), &wire, &change, (class, reach, code))
    };
    check("AuthFailure.SecretIdNotFound", Class::Parked, Reach::Account);
    check("AuthFailure.SignatureFailure", Class::Parked, Reach::Account);
    check("AuthFailure.UnauthorizedOperation", Class::Parked, Reach::Binding);
    check("RequestLimitExceeded.UinLimitExceeded", Class::RateLimited, Reach::Account);
    check("LimitExceeded.SubdomainRollLimit", Class::Parked, Reach::Binding);
    check("InternalError", Class::Transient, Reach::Binding);
    check("SomethingNew", Class::Transient, Reach::Binding);
    let early = check("AuthFailure.SignatureExpire", Class::Clock, Reach::Account);
    assert!(early.words.ends_with("our clock is 10m 0s ahead of its own"), "{}", early.words);
}
