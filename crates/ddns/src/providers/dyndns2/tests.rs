//! What is sent, and what every preset sends.

use serde_json::{Map, Value, json};

use crate::{
    address::Family,
    failure::{Class, Failure},
    name::Fqdn,
    provider::{Entry, Parameters, Provider},
    providers::find,
    record::{Change, Changed, Record, Written},
    wire::script::{Expected, Script, run},
};

pub(in crate::providers) const V4: &str = "81.2.69.142";
pub(in crate::providers) const V6: &str = "2a02:b18::7";

/// Opens an account as the configuration would.
pub(in crate::providers) fn opened(provider: &str, given: Value) -> Box<dyn Provider> {
    let (entry, parameters) = checked(provider, given);
    (entry.open)(&parameters).unwrap()
}

fn checked(provider: &str, given: Value) -> (&'static Entry, Parameters) {
    let entry = find(provider).unwrap();
    let Value::Object(given) = given else { panic!("tests give tables") };
    (entry, Parameters::check(entry, given).unwrap())
}

fn refused(given: Value) -> String {
    let (entry, parameters) = checked("dyndns2", given);
    (entry.open)(&parameters).unwrap_err().to_string()
}

/// Returns a change of a name to one address, with the other family's beside it.
pub(in crate::providers) fn change(name: &str, address: &str, beside: &[&str]) -> Change {
    let want = vec![address.parse().unwrap()];
    let family = Family::of(*want.first().unwrap());
    let name = Fqdn::parse(name).unwrap();
    let record = Record { name, family, line: None, ttl: None, extra: Map::new() };
    let beside = beside.iter().map(|one| one.parse().unwrap()).collect();
    let (found, prefix, ours) = (None, None, Vec::new());
    Change { record, want, ours, found, prefix, beside }
}

/// Writes once, against one request that must look like this and is answered like that.
pub(in crate::providers) fn written(
    provider: &dyn Provider,
    change: &Change,
    (expected, body): (Expected, &str),
) -> Result<Written, Failure> {
    let wire = Script::new().on(expected).answer_text(200, body);
    let result = run(provider.write(&wire, change));
    wire.done();
    result
}

#[test]
fn a_request_has_the_name_the_address_and_the_credentials() {
    let provider = opened(
        "dyndns2",
        json!({"url": "https://d.test/nic/update", "user": "me", "password": "pä:ss"}),
    );
    let url = "https://d.test/nic/update?hostname=h.example.org&myip=81.2.69.142";
    let expected = Expected::get(url).header("authorization", "Basic bWU6cMOkOnNz");
    let result = written(&*provider, &change("h.example.org", V4, &[]), (expected, "good"));
    assert_eq!(result.unwrap().change, Changed::Yes);
}

#[test]
fn ipv6_goes_where_the_service_expects_it() {
    let check = |ipv6: &str, address: &str, beside: &[&str], query: &str| {
        let provider = opened("dyndns2", json!({"url": "https://d.test/?a=b", "ipv6": ipv6}));
        let url = format!("https://d.test/?a=b&hostname=h.example.org&{query}");
        let change = change("h.example.org", address, beside);
        written(&*provider, &change, (Expected::get(&url), "good")).unwrap();
    };
    check("together", V6, &[V4], "myip=81.2.69.142,2a02:b18::7");
    check("together", V4, &[V6], "myip=81.2.69.142,2a02:b18::7");
    check("together", V6, &[], "myip=2a02:b18::7");
    check("alone", V6, &[V4], "myip=2a02:b18::7");
    check("myipv6", V6, &[V4], "myipv6=2a02:b18::7");
    check("myipv6", V4, &[V6], "myip=81.2.69.142");
}

#[test]
fn a_service_that_is_described_badly_is_refused() {
    assert!(refused(json!({"url": "d.test"})).contains("`url`: it must begin"));
    assert!(refused(json!({"url": "https://d.test", "ipv6": "both"})).contains("`together`"));
    assert!(refused(json!({"url": "https://d.test", "user": "me"})).contains("`password`"));
    assert!(refused(json!({"url": "https://d.test", "password": "x"})).contains("`user`"));
}

#[test]
fn nothing_secret_of_an_account_is_printed() {
    let given = json!({"url": "https://d.test", "user": "me", "password": "hunter2"});
    assert!(!format!("{:?}", opened("dyndns2", given)).contains("hunter2"));
}

#[test]
fn it_can_not_be_read() {
    let provider = opened("dyndns2", json!({"url": "https://d.test"}));
    let record = change("h.example.org", V4, &[]).record;
    let failure = run(provider.read(&Script::new(), &record)).unwrap_err();
    assert_eq!(failure.class, Class::Parked);
}

/// Checks what a preset sends for either family when both are kept.
pub(in crate::providers) fn check_preset(
    (provider, given): (&str, Value),
    (url, (v4, v6)): (&str, (&str, &str)),
    authorization: &str,
) {
    let provider = opened(provider, given);
    for (address, beside, told) in [(V4, V6, v4), (V6, V4, v6)] {
        let change = change("home.example.org", address, &[beside]);
        let url = format!("{url}&{told}");
        let expected = Expected::get(&url).header("authorization", authorization);
        let body = format!("good {address}");
        let written = written(&*provider, &change, (expected, &body)).unwrap();
        assert_eq!(written.change, Changed::Yes, "{url}");
    }
}
