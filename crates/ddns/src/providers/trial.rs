//! What the tests of all providers begin with: records, changes, accounts.

use std::net::IpAddr;

use serde_json::{Map, Value};

use crate::{
    address::Family,
    failure::{Class, Failure, Reach},
    name::Fqdn,
    provider::{Entry, Parameters, Provider},
    record::{Change, Changed, Found, Record, Written},
    wire::script::{Script, run},
};

/// Opens an account.
pub(super) fn account(entry: &Entry, given: &Value) -> Box<dyn Provider> {
    let given = given.as_object().cloned().unwrap_or_default();
    (entry.open)(&Parameters::check(entry, given).unwrap()).unwrap()
}

/// Returns a record of IPv4 addresses for which the configuration says nothing else.
pub(super) fn record(name: &str) -> Record {
    let name = Fqdn::parse(name).unwrap();
    Record { name, family: Family::V4, line: None, ttl: None, extra: Map::new() }
}

/// Returns addresses.
pub(super) fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// Returns a change to these addresses, of which we have put those there.
pub(super) fn change(record: &Record, want: &[&str], ours: &[&str]) -> Change {
    Change {
        record: record.clone(),
        want: addresses(want),
        ours: addresses(ours),
        found: None,
        prefix: None,
        beside: Vec::new(),
    }
}

/// Reads, then writes with what was found, as the engine does; everything expected must come.
pub(super) fn reconcile(
    provider: &dyn Provider,
    wire: &Script,
    change: &Change,
) -> Result<(Found, Written), Failure> {
    let outcome = run(async {
        let found = provider.read(wire, &change.record).await?;
        let change = Change { found: Some(found.clone()), ..change.clone() };
        Ok((found, provider.write(wire, &change).await?))
    });
    wire.done();
    outcome
}

/// Reconciles and makes sure that this came of it.
pub(super) fn check(
    provider: &dyn Provider,
    wire: &Script,
    change: &Change,
    expected: (Changed, &str),
) {
    let (_, written) = reconcile(provider, wire, change).unwrap();
    assert_eq!((written.change, written.code.as_str()), expected);
}

/// Reconciles and makes sure that it fails like this.
pub(super) fn check_failure(
    provider: &dyn Provider,
    wire: &Script,
    change: &Change,
    expected: (Class, Reach, &str),
) -> Failure {
    let failure = reconcile(provider, wire, change).unwrap_err();
    assert_eq!((failure.class, failure.reach, failure.code.as_str()), expected, "{failure:?}");
    failure
}
