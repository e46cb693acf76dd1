//! Route 53 against a script: what is sent, and what comes of each answer.

use serde_json::json;

use super::{
    super::trial::{account as open_account, change, check, check_failure, record},
    *,
};
use crate::{
    failure::Reach,
    wire::script::{Expected, Script},
};

const API: &str = "https://route53.amazonaws.com/2013-04-01";
const XMLNS: &str = "xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"";

fn route53() -> Box<dyn Provider> {
    open_account(&ENTRY, &json!({ "access-key-id": "AKIDEXAMPLE", "secret-access-key": "SK" }))
}

/// Identifier, name, whether it is private.
type Hosted = (&'static str, &'static str, bool);

fn zones(list: &[Hosted]) -> String {
    let zones = list.iter().map(|(id, name, private)| {
        format!(
            "<HostedZone><Id>/hostedzone/{id}</Id><Name>{name}</Name><CallerReference>r\
             </CallerReference><Config><PrivateZone>{private}</PrivateZone></Config></HostedZone>"
        )
    });
    let zones: String = zones.collect();
    format!(
        "<?xml version=\"1.0\"?>\n<ListHostedZonesByNameResponse {XMLNS}><HostedZones>{zones}\
         </HostedZones><IsTruncated>false</IsTruncated></ListHostedZonesByNameResponse>"
    )
}

fn set_of(name: &str, kind: &str, ttl: u32, inner: &str) -> String {
    format!(
        "<ResourceRecordSet><Name>{name}</Name><Type>{kind}</Type><TTL>{ttl}</TTL>{inner}\
         </ResourceRecordSet>"
    )
}

fn values(values: &[&str]) -> String {
    let values = values
        .iter()
        .map(|value| format!("<ResourceRecord><Value>{value}</Value></ResourceRecord>"));
    format!("<ResourceRecords>{}</ResourceRecords>", values.collect::<String>())
}

fn refusal(code: &str, message: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><ErrorResponse {XMLNS}><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error><RequestId>R</RequestId>\
         </ErrorResponse>"
    )
}

fn zone_search(name: &str) -> Expected {
    Expected::get(&format!("{API}/hostedzonesbyname?dnsname={name}.&maxitems=10"))
        .header("x-amz-date", "20231114T221320Z")
}

fn until_set(name: &str, sets: &str) -> Script {
    let record = record(name);
    let mut script = Script::new();
    // A search begins at the name and goes on with whatever comes behind it.
    let behind = zones(&[("Z9", "example.other.", false)]);
    for above in record.name.ancestry().take_while(|name| name.as_str() != "example.org") {
        script = script.on(zone_search(above.as_str())).answer_text(200, &behind);
    }
    let both = [("Z0", "example.org.", true), ("Z1", "example.org.", false)];
    script
        .on(zone_search("example.org"))
        .answer_text(200, &zones(&both))
        .on(Expected::get(&format!(
            "{API}/hostedzone/Z1/rrset?maxitems=10&name={}&type=A",
            answer::encoded(&record.name.absolute())
        )))
        .answer_text(
            200,
            &format!(
                "<ListResourceRecordSetsResponse {XMLNS}><ResourceRecordSets>{sets}\
                 </ResourceRecordSets></ListResourceRecordSetsResponse>"
            ),
        )
}

fn upserted(name: &str, ttl: u32, inner: &str) -> Expected {
    let set = set_of(name, "A", ttl, inner);
    Expected::post(&format!("{API}/hostedzone/Z1/rrset/")).text(&format!(
        "<ChangeResourceRecordSetsRequest {XMLNS}><ChangeBatch><Changes><Change>\
         <Action>UPSERT</Action>{set}</Change></Changes></ChangeBatch>\
         </ChangeResourceRecordSetsRequest>"
    ))
}

fn pending() -> String {
    format!(
        "<ChangeResourceRecordSetsResponse {XMLNS}><ChangeInfo><Id>/change/C1</Id>\
         <Status>PENDING</Status></ChangeInfo></ChangeResourceRecordSetsResponse>"
    )
}

#[test]
fn a_missing_set_is_created() {
    for name in ["home.example.org", "example.org", "*.example.org"] {
        let behind = set_of("zzz.example.org.", "A", 60, &values(&["1.0.0.1"]));
        let wire = until_set(name, &behind)
            .on(upserted(&format!("{name}."), 300, &values(&["81.2.69.142"])))
            .answer_text(200, &pending());
        let change = change(&record(name), &["81.2.69.142"], &[]);
        check(&*route53(), &wire, &change, (Changed::Yes, "created"));
    }
}

#[test]
fn the_time_to_live_survives_and_a_star_is_found_again() {
    let there = set_of("\\052.example.org.", "A", 77, &values(&["1.0.0.1"]));
    let wire = until_set("*.example.org", &there)
        .on(upserted("*.example.org.", 77, &values(&["81.2.69.142"])))
        .answer_text(200, &pending());
    let change = change(&record("*.example.org"), &["81.2.69.142"], &["1.0.0.1"]);
    check(&*route53(), &wire, &change, (Changed::Yes, "updated"));
}

#[test]
fn of_two_addresses_only_ours_changes() {
    let both = set_of("home.example.org.", "A", 60, &values(&["1.0.0.1", "1.0.0.2"]));
    let wire = until_set("home.example.org", &both)
        .on(upserted("home.example.org.", 60, &values(&["1.0.0.1", "81.2.69.142"])))
        .answer_text(200, &pending());
    let ours = change(&record("home.example.org"), &["81.2.69.142"], &["1.0.0.2"]);
    check(&*route53(), &wire, &ours, (Changed::Yes, "updated"));
    let unknown = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    let expected = (Class::Parked, Reach::Binding, "ambiguous");
    check_failure(&*route53(), &until_set("home.example.org", &both), &unknown, expected);
}

#[test]
fn what_is_right_is_not_written_and_policies_and_aliases_are_not_replaced() {
    let change = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    let right = set_of("home.example.org.", "A", 60, &values(&["81.2.69.142"]));
    let wire = until_set("home.example.org", &right);
    check(&*route53(), &wire, &change, (Changed::No, "unchanged"));
    let policy = format!("<SetIdentifier>a</SetIdentifier>{}", values(&["1.0.0.1"]));
    let alias = "<AliasTarget><DNSName>x.</DNSName></AliasTarget>";
    for inner in [policy.as_str(), alias] {
        let set = set_of("home.example.org.", "A", 60, inner);
        let expected = (Class::Parked, Reach::Binding, "routing-policy");
        check_failure(&*route53(), &until_set("home.example.org", &set), &change, expected);
    }
}

#[test]
fn a_zone_that_is_told_is_not_looked_for() {
    let given = json!({ "access-key-id": "A", "secret-access-key": "S", "session-token": "T",
                        "zone-id": "/hostedzone/Z1" });
    let provider = open_account(&ENTRY, &given);
    let query = "maxitems=10&name=home.example.org.&type=A";
    let there = set_of("home.example.org.", "A", 60, &values(&["81.2.69.142"]));
    let wire = Script::new()
        .on(Expected::get(&format!("{API}/hostedzone/Z1/rrset?{query}"))
            .header("x-amz-security-token", "T"))
        .answer_text(
            200,
            &format!("<L {XMLNS}><ResourceRecordSets>{there}</ResourceRecordSets></L>"),
        );
    let change = change(&record("home.example.org"), &["81.2.69.142"], &[]);
    check(&*provider, &wire, &change, (Changed::No, "unchanged"));
}

#[test]
fn every_refusal_has_its_meaning() {
    let check = |status, code, message, class, reach| {
        let wire = until_set("home.example.org", "")
            .on(Expected::post(&format!("{API}/hostedzone/Z1/rrset/")))
            .answer_text(status, &refusal(code, message))
            .with_header("date", "Tue, 14 Nov 2023 22:33:20 GMT");
        let change = change(&record("home.example.org"), &["1.0.0.1"], &[]);
        check_failure(&*route53(), &wire, &change, (class, reach, code))
    };
    let (parked, account, binding) = (Class::Parked, Reach::Account, Reach::Binding);
    check(403, "InvalidClientTokenId", "no", parked, account);
    let told = "The request signature does not match. The Canonical String was 'GET …'";
    let failure = check(403, "SignatureDoesNotMatch", told, parked, account);
    assert!(!failure.words.contains("Canonical"), "{}", failure.words);
    check(403, "AccessDenied", "no", parked, binding);
    check(400, "Throttling", "Rate exceeded", Class::RateLimited, account);
    check(400, "PriorRequestNotComplete", "no", Class::Transient, binding);
    check(400, "InvalidChangeBatch", "no", parked, binding);
    check(404, "NoSuchHostedZone", "no", parked, binding);
    check(500, "InternalFailure", "no", Class::Transient, binding);
    let told = "Signature expired: 20231114T221320Z is now earlier than 20231114T222820Z";
    let late = check(403, "SignatureDoesNotMatch", told, Class::Clock, account);
    assert!(late.words.ends_with("our clock is 20m 0s behind its own"), "{}", late.words);
}

#[test]
fn a_page_of_a_portal_is_no_answer() {
    let broken = "<html><p>please log in</html>";
    let cases = [
        (200, broken, "unknown-answer"),
        (200, "<html>please log in</html>", "unknown-answer"),
        (503, broken, "HTTP 503"),
    ];
    for (status, page, code) in cases {
        let wire = Script::new().on(zone_search("home.example.org")).answer_text(status, page);
        let change = change(&record("home.example.org"), &["1.0.0.1"], &[]);
        let expected = (Class::Transient, Reach::Binding, code);
        check_failure(&*route53(), &wire, &change, expected);
    }
}
