//! `AliDNS` against a script: what is sent, and what comes of each answer.

use super::{
    super::trial::{account as open_account, change, check, check_failure, record},
    *,
};
use crate::{
    failure::{Class, Reach},
    wire::script::{Expected, Script},
};

fn alidns() -> Box<dyn Provider> {
    open_account(&ENTRY, &json!({ "access-key-id": "testid", "access-key-secret": "s" }))
}

fn action(query: &str) -> Expected {
    Expected::get(&format!(
        "https://alidns.aliyuncs.com/?{query}&Format=JSON&Version=2015-01-09&AccessKeyId=testid\
         &SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&Timestamp=2023-11-14T22%3A13%3A20Z"
    ))
    .and_more()
}

fn refusal(code: &str) -> Value {
    json!({ "RequestId": "R", "HostId": "h", "Code": code, "Message": "no such luck" })
}

fn row_of(id: &str, value: &str, line: &str) -> Value {
    json!({ "DomainName": "example.org", "RecordId": id, "RR": "home", "Type": "A",
            "Value": value, "TTL": 1200, "Line": line, "Weight": 2, "Status": "ENABLE" })
}

fn until_list(label: &str, rows: &Value) -> Script {
    let name = format!("{label}.example.org");
    let record = record(name.trim_start_matches("@."));
    let mut script = Script::new();
    for above in record.name.ancestry().take_while(|name| name.as_str() != "example.org") {
        script = script
            .on(action(&format!("Action=DescribeDomainRecords&DomainName={above}&PageSize=1")))
            .answer(400, &refusal("InvalidDomainName.NoExist"));
    }
    script
        .on(action("Action=DescribeDomainRecords&DomainName=example.org&PageSize=1"))
        .answer(200, &json!({ "TotalCount": 0 }))
        .on(action(&format!(
            "Action=DescribeSubDomainRecords&DomainName=example.org&SubDomain={}&Type=A\
             &Line=default&PageSize=500",
            answer::encoded(&name)
        )))
        .answer(200, &json!({ "TotalCount": 1, "DomainRecords": { "Record": rows } }))
}

#[test]
fn a_missing_record_is_created_with_the_providers_own_time_to_live() {
    for label in ["home", "@", "*", "*.a"] {
        let wire = until_list(label, &json!([]))
            .on(action(&format!(
                "Action=AddDomainRecord&DomainName=example.org&RR={}&Type=A&Value=81.2.69.142\
                 &Line=default",
                answer::encoded(label)
            )))
            .answer(200, &json!({ "RecordId": "1" }));
        let name = format!("{label}.example.org");
        let change = change(&record(name.trim_start_matches("@.")), &["81.2.69.142"], &[]);
        check(&*alidns(), &wire, &change, (Changed::Yes, "created"));
    }
}

#[test]
fn the_line_and_the_time_to_live_survive_an_update() {
    let wire = until_list("home", &json!([row_of("7", "1.0.0.1", "default")]))
        .on(action(
            "Action=UpdateDomainRecord&RecordId=7&RR=home&Type=A&Value=81.2.69.142&Line=default\
             &TTL=1200",
        ))
        .answer(200, &json!({ "RecordId": "7" }));
    let change = change(&record("home.example.org"), &["81.2.69.142"], &["1.0.0.1"]);
    check(&*alidns(), &wire, &change, (Changed::Yes, "updated"));
}

#[test]
fn records_of_other_lines_are_not_touched() {
    let rows = json!([row_of("7", "1.0.0.1", "oversea"), row_of("8", "81.2.69.142", "default")]);
    let wire = until_list("home", &rows);
    let change = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    check(&*alidns(), &wire, &change, (Changed::No, "unchanged"));
}

#[test]
fn of_two_records_only_ours_changes() {
    let rows = json!([row_of("7", "1.0.0.1", "default"), row_of("8", "1.0.0.2", "default")]);
    let wire = until_list("home", &rows)
        .on(action("Action=UpdateDomainRecord&RecordId=8&Value=81.2.69.142&TTL=1200&Line=default"))
        .answer(200, &json!({ "RecordId": "8" }));
    let ours = change(&record("home.example.org"), &["81.2.69.142"], &["1.0.0.2"]);
    check(&*alidns(), &wire, &ours, (Changed::Yes, "updated"));
    let unknown = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    let expected = (Class::Parked, Reach::Binding, "ambiguous");
    check_failure(&*alidns(), &until_list("home", &rows), &unknown, expected);
}

#[test]
fn a_duplicate_is_a_success() {
    let wire = until_list("home", &json!([]))
        .on(action("Action=AddDomainRecord&RR=home"))
        .answer(400, &refusal("DomainRecordDuplicate"));
    let change = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    check(&*alidns(), &wire, &change, (Changed::No, "unchanged"));
}

#[test]
fn every_refusal_has_its_meaning() {
    let check = |status, code, class, reach| {
        let wire = Script::new()
            .on(action("Action=DescribeDomainRecords&DomainName=home.example.org"))
            .answer(status, &refusal(code))
            .with_header("date", "Tue, 14 Nov 2023 22:33:20 GMT");
        let change = change(&record("home.example.org"), &["1.0.0.1"], &[]);
        check_failure(&*alidns(), &wire, &change, (class, reach, code))
    };
    check(404, "InvalidAccessKeyId.NotFound", Class::Parked, Reach::Account);
    check(400, "SignatureDoesNotMatch", Class::Parked, Reach::Account);
    check(403, "Forbidden.RAM", Class::Parked, Reach::Binding);
    check(400, "Throttling.User", Class::RateLimited, Reach::Account);
    check(400, "SignatureNonceUsed", Class::Transient, Reach::Binding);
    check(400, "QuotaExceeded.TTL", Class::Parked, Reach::Binding);
    check(503, "ServiceUnavailable", Class::Transient, Reach::Binding);
    let late = check(400, "InvalidTimeStamp.Expired", Class::Clock, Reach::Account);
    assert!(late.words.ends_with("our clock is 20m 0s behind its own"), "{}", late.words);
}
