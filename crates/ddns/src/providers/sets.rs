//! Zone APIs that know a name's records of one type only as a set, which is written as a whole.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::{
    provider::{Attempt, Provider},
    record::{Change, Changed, Found, Record, Written},
    wire::Wire,
};

use super::{
    pair,
    zones::{Outcome, Spot, Zoned, forgetting, zone_of},
};

/// A set at the provider.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Set {
    /// Its addresses.
    pub(super) values: Vec<IpAddr>,
    /// Its time to live in seconds.
    pub(super) ttl: Option<u32>,
    /// Identifiers, and what else must survive; the provider's own affair.
    pub(super) rest: Value,
}

/// A provider that knows sets.
pub(super) trait Sets: Zoned {
    /// Returns the set of exactly the record's name, type and line, if there is one.
    fn get(&self, spot: Spot<'_, Self::Zone>) -> impl Future<Output = Outcome<Option<Set>>> + Send;

    /// Creates a set, or gives the one that is there other addresses and what else is configured.
    fn put(
        &self,
        spot: Spot<'_, Self::Zone>,
        there: Option<&Set>,
        values: &[IpAddr],
    ) -> impl Future<Output = Outcome<Changed>> + Send;
}

/// Returns the provider that such a service is.
pub(super) fn provider(service: impl Sets + 'static) -> Box<dyn Provider> {
    Box::new(BySet(service))
}

/// A service whose records are changed a set at a time.
#[derive(Debug)]
struct BySet<P>(P);

impl<P: Sets> Provider for BySet<P> {
    fn read<'a>(&'a self, wire: &'a dyn Wire, record: &'a Record) -> Attempt<'a, Found> {
        Box::pin(read(&self.0, wire, record))
    }

    fn write<'a>(&'a self, wire: &'a dyn Wire, change: &'a Change) -> Attempt<'a, Written> {
        Box::pin(write(&self.0, wire, change))
    }
}

async fn read<P: Sets>(provider: &P, wire: &dyn Wire, record: &Record) -> Outcome<Found> {
    let zone = zone_of(provider, wire, record).await?;
    let set = provider.get(Spot { wire, record, zone: &zone }).await;
    Ok(match forgetting(provider, record, set)? {
        None => Found { values: Vec::new(), ttl: None, handle: json!({ "there": false }) },
        Some(set) => Found {
            handle: json!({ "there": true, "rest": set.rest }),
            values: set.values,
            ttl: set.ttl,
        },
    })
}

async fn write<P: Sets>(provider: &P, wire: &dyn Wire, change: &Change) -> Outcome<Written> {
    let record = &change.record;
    let zone = zone_of(provider, wire, record).await?;
    let spot = Spot { wire, record, zone: &zone };
    let there = match &change.found {
        Some(found) => from_found(found),
        None => forgetting(provider, record, provider.get(spot).await)?,
    };
    let existing: &[IpAddr] = there.as_ref().map_or(&[], |set| &set.values);
    let values = pair::merged(existing, &change.want, &change.ours)?;
    if there.as_ref().is_some_and(|set| set.values == values && suits(record, set)) {
        return Ok(written(Changed::No, "unchanged"));
    }
    let changed = forgetting(provider, record, provider.put(spot, there.as_ref(), &values).await)?;
    Ok(match (changed, there) {
        (Changed::No, _) => written(Changed::No, "unchanged"),
        (Changed::Yes, None) => written(Changed::Yes, "created"),
        (Changed::Yes, Some(_)) => written(Changed::Yes, "updated"),
    })
}

fn suits(record: &Record, set: &Set) -> bool {
    record.ttl.is_none_or(|ttl| set.ttl == Some(ttl))
}

fn written(change: Changed, code: &str) -> Written {
    Written { change, code: code.to_owned() }
}

fn from_found(found: &Found) -> Option<Set> {
    if !found.handle.get("there")?.as_bool()? {
        return None;
    }
    let rest = found.handle.get("rest")?.clone();
    Some(Set { values: found.values.clone(), ttl: found.ttl, rest })
}
