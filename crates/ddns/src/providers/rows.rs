//! Zone APIs whose records have identifiers: read, paired with what is wanted, changed in place.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::{
    failure::Failure,
    provider::{Attempt, Provider},
    record::{Change, Changed, Found, Record, Written},
    wire::Wire,
};

use super::{
    pair,
    zones::{Outcome, Spot, Zoned, forgetting, refused, zone_of},
};

/// One record at the provider.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// Its identifier.
    pub(super) id: String,
    /// Its address.
    pub(super) value: IpAddr,
    /// Its time to live in seconds.
    pub(super) ttl: Option<u32>,
    /// What else must survive, or be compared; the provider's own affair.
    pub(super) rest: Value,
}

/// A provider whose records have identifiers.
pub(super) trait Rows: Zoned {
    /// Returns the record's rows, of exactly its name, type and line.
    fn list(&self, spot: Spot<'_, Self::Zone>) -> impl Future<Output = Outcome<Vec<Row>>> + Send;

    /// Creates one.
    fn create(
        &self,
        spot: Spot<'_, Self::Zone>,
        value: IpAddr,
    ) -> impl Future<Output = Outcome<Changed>> + Send;

    /// Gives one another address, and what else the configuration asks for.
    fn patch(
        &self,
        spot: Spot<'_, Self::Zone>,
        row: &Row,
        value: IpAddr,
    ) -> impl Future<Output = Outcome<Changed>> + Send;

    /// Takes one away.
    fn delete(
        &self,
        spot: Spot<'_, Self::Zone>,
        row: &Row,
    ) -> impl Future<Output = Outcome<Changed>> + Send;

    /// Returns whether a row is as the configuration wants it, its address left out.
    fn suits(&self, record: &Record, row: &Row) -> bool {
        record.ttl.is_none_or(|ttl| row.ttl == Some(ttl))
    }
}

/// Returns the provider that such a service is.
pub(super) fn provider(service: impl Rows + 'static) -> Box<dyn Provider> {
    Box::new(ByRow(service))
}

/// Takes what came of a change; a record that is there already, which the service says by this code,
/// is as it shall be.
pub(super) fn changed(outcome: Outcome<Value>, there: &str) -> Outcome<Changed> {
    match outcome {
        Ok(_) => Ok(Changed::Yes),
        Err(failure) if failure.code == there => Ok(Changed::No),
        Err(failure) => Err(failure),
    }
}

/// Returns the failure of a zone that does not come to its end.
pub(super) fn endless() -> Failure {
    refused("the zone has more records than are read")
}

impl Row {
    /// Returns its identifier, where that is a number.
    pub(super) fn number(&self) -> Outcome<u64> {
        self.id.parse().map_err(|_| refused("an identifier is no number"))
    }
}

/// A service whose records are changed one by one.
#[derive(Debug)]
struct ByRow<P>(P);

impl<P: Rows> Provider for ByRow<P> {
    fn read<'a>(&'a self, wire: &'a dyn Wire, record: &'a Record) -> Attempt<'a, Found> {
        Box::pin(read(&self.0, wire, record))
    }

    fn write<'a>(&'a self, wire: &'a dyn Wire, change: &'a Change) -> Attempt<'a, Written> {
        Box::pin(write(&self.0, wire, change))
    }
}

async fn read<P: Rows>(provider: &P, wire: &dyn Wire, record: &Record) -> Outcome<Found> {
    let zone = zone_of(provider, wire, record).await?;
    let rows = provider.list(Spot { wire, record, zone: &zone }).await;
    let rows = forgetting(provider, record, rows)?;
    let values = rows.iter().map(|row| row.value).collect();
    let ttl = rows.first().and_then(|row| row.ttl);
    Ok(Found { values, ttl, handle: rows.iter().map(to_value).collect() })
}

async fn write<P: Rows>(provider: &P, wire: &dyn Wire, change: &Change) -> Outcome<Written> {
    let record = &change.record;
    let zone = zone_of(provider, wire, record).await?;
    let spot = Spot { wire, record, zone: &zone };
    let rows = match change.found.as_ref().and_then(|found| from_handle(&found.handle)) {
        Some(rows) => rows,
        None => forgetting(provider, record, provider.list(spot).await)?,
    };
    let written = apply(provider, spot, change, &rows).await;
    forgetting(provider, record, written)
}

async fn apply<P: Rows>(
    provider: &P,
    spot: Spot<'_, P::Zone>,
    change: &Change,
    rows: &[Row],
) -> Outcome<Written> {
    let existing: Vec<IpAddr> = rows.iter().map(|row| row.value).collect();
    let pairs = pair::pair(&existing, &change.want, &change.ours)?;
    let mut tally = Tally::default();
    let kept = pairs.keep.iter().filter_map(|index| rows.get(*index));
    for row in kept.filter(|row| !provider.suits(spot.record, row)) {
        tally.add("updated", provider.patch(spot, row, row.value).await?);
    }
    for (index, value) in &pairs.patch {
        if let Some(row) = rows.get(*index) {
            tally.add("updated", provider.patch(spot, row, *value).await?);
        }
    }
    for value in pairs.create {
        tally.add("created", provider.create(spot, value).await?);
    }
    for row in pairs.delete.iter().filter_map(|index| rows.get(*index)) {
        tally.add("deleted", provider.delete(spot, row).await?);
    }
    Ok(tally.written())
}

/// What was done, told by the first thing that changed something.
#[derive(Debug, Default)]
struct Tally {
    word: Option<&'static str>,
}

impl Tally {
    fn add(&mut self, word: &'static str, changed: Changed) {
        if changed == Changed::Yes {
            self.word = self.word.or(Some(word));
        }
    }

    fn written(&self) -> Written {
        match self.word {
            Some(word) => Written { change: Changed::Yes, code: word.to_owned() },
            None => Written { change: Changed::No, code: "unchanged".to_owned() },
        }
    }
}

fn to_value(row: &Row) -> Value {
    json!({ "id": row.id, "value": row.value.to_string(), "ttl": row.ttl, "rest": row.rest })
}

fn from_handle(handle: &Value) -> Option<Vec<Row>> {
    handle.as_array()?.iter().map(from_value).collect()
}

fn from_value(value: &Value) -> Option<Row> {
    Some(Row {
        id: value.get("id")?.as_str()?.to_owned(),
        value: value.get("value")?.as_str()?.parse().ok()?,
        ttl: value.get("ttl")?.as_u64().and_then(|ttl| ttl.try_into().ok()),
        rest: value.get("rest")?.clone(),
    })
}
