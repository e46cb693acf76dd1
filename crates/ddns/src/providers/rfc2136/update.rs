//! The message that replaces a set of records, and its signature.

use std::{fmt::Display, net::IpAddr, str::FromStr as _, sync::Arc};

use domain::{
    base::{
        MessageBuilder, Name,
        iana::{Class as DnsClass, Opcode, Rtype},
        message_builder::{AdditionalBuilder, RecordSectionBuilder},
        rdata::UnknownRecordData,
    },
    rdata::{A, Aaaa, tsig::Time48},
    tsig::{ClientTransaction, Key},
};
use jiff::Timestamp;

use crate::{
    address::Family,
    failure::{Class, Failure},
    record::{Found, Record},
};

/// What a set of records becomes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Replacement<'a> {
    /// Its name and type.
    pub(super) record: &'a Record,
    /// What it must be for that (RFC 2136, section 2.4); without values, it must not be there.
    pub(super) before: &'a Found,
    /// The addresses it has afterwards.
    pub(super) values: &'a [IpAddr],
    /// Its time to live afterwards.
    pub(super) ttl: u32,
}

type Update = AdditionalBuilder<Vec<u8>>;
type NameOf = Name<Vec<u8>>;

/// What checks the answer to a message that is signed.
pub(super) type Transaction = ClientTransaction<Arc<Key>>;

/// Builds the message: the zone, what must be so, the set taken away, the set put there.
pub(super) fn build(number: u16, zone: &str, set: &Replacement<'_>) -> Result<Update, Failure> {
    let name = NameOf::from_str(set.record.name.as_str()).map_err(unbuildable)?;
    let zone = NameOf::from_str(zone).map_err(unbuildable)?;
    let nothing = nothing(set.record.family)?;
    let mut builder = MessageBuilder::new_vec();
    builder.header_mut().set_id(number);
    builder.header_mut().set_opcode(Opcode::UPDATE);
    let mut zones = builder.question();
    zones.push((&zone, Rtype::SOA, DnsClass::IN)).map_err(unbuildable)?;
    let mut must_be = zones.answer();
    match set.before.values.as_slice() {
        [] => must_be.push((&name, DnsClass::NONE, 0, &nothing)).map_err(unbuildable)?,
        values => put(&mut must_be, &name, (0, values))?,
    }
    let mut updates = must_be.authority();
    updates.push((&name, DnsClass::ANY, 0, &nothing)).map_err(unbuildable)?;
    put(&mut updates, &name, (set.ttl, set.values))?;
    Ok(updates.additional())
}

/// Returns the type of a set without any data: the set as a whole.
fn nothing(family: Family) -> Result<UnknownRecordData<[u8; 0]>, Failure> {
    let rtype = match family {
        Family::V4 => Rtype::A,
        Family::V6 => Rtype::AAAA,
    };
    UnknownRecordData::from_octets(rtype, []).map_err(unbuildable)
}

fn put(
    section: &mut impl RecordSectionBuilder<Vec<u8>>,
    name: &NameOf,
    (ttl, values): (u32, &[IpAddr]),
) -> Result<(), Failure> {
    for value in values {
        match value {
            IpAddr::V4(one) => section.push((name, DnsClass::IN, ttl, A::new(*one))),
            IpAddr::V6(one) => section.push((name, DnsClass::IN, ttl, Aaaa::new(*one))),
        }
        .map_err(unbuildable)?;
    }
    Ok(())
}

/// A message on the wire, and what checks its answer where it is signed.
pub(super) type Signed = (Vec<u8>, Option<Transaction>);

/// Signs the message, if there is a key.
pub(super) fn sign(
    mut update: Update,
    key: Option<Arc<Key>>,
    now: Time48,
) -> Result<Signed, Failure> {
    let transaction = match key {
        Some(key) => Some(ClientTransaction::request(key, &mut update, now).map_err(unbuildable)?),
        None => None,
    };
    Ok((update.finish(), transaction))
}

/// Returns the time as signatures have it.
pub(super) fn time(now: Timestamp) -> Time48 {
    Time48::from_u64(u64::try_from(now.as_second()).unwrap_or_default())
}

fn unbuildable(error: impl Display) -> Failure {
    let words = format!("cannot build the update: {error}");
    Failure::new(Class::Parked, "update", words)
}
