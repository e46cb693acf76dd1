//! Where a service's answers tell what of a record, and which records of a list are meant.

use serde_json::Value;

use crate::record::Record;

use super::{answer, rows::Row, zones};

/// Paths into the JSON of one record.
#[derive(Debug)]
pub(super) struct Columns {
    /// Its identifier.
    pub(super) id: &'static str,
    /// Its name, or what stands of it before the zone.
    pub(super) name: &'static str,
    /// Its type.
    pub(super) kind: &'static str,
    /// Its address.
    pub(super) value: &'static str,
    /// Its time to live in seconds.
    pub(super) ttl: &'static str,
}

impl Columns {
    /// Picks the records of the record's type and of this name, as the service writes it.
    pub(super) fn pick<'a>(
        &self,
        found: &'a [Value],
        record: &Record,
        name: &str,
    ) -> impl Iterator<Item = &'a Value> {
        found.iter().filter(move |found| {
            zones::is_same(answer::text_at(found, self.name), name)
                && answer::text_at(found, self.kind) == record.family.record_type()
        })
    }

    /// Takes a record apart, all but what else must survive of it; one with another value than an
    /// address is none of ours.
    pub(super) fn row(&self, found: &Value) -> Option<Row> {
        Some(Row {
            id: answer::id_at(found, self.id)?,
            value: answer::text_at(found, self.value).parse().ok()?,
            ttl: answer::number_at(found, self.ttl),
            rest: Value::Null,
        })
    }
}
