//! A record that is kept, what a provider has of it, and what it shall become.

use std::net::IpAddr;

use serde_json::Value;

use crate::{address::Family, name::Fqdn};

/// A set of records of one name and type, in one line of resolution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its name.
    pub name: Fqdn,
    /// `A` or `AAAA`.
    pub family: Family,
    /// Which line of resolution, for providers that have such: `默认`, `telecom`, `oversea`.
    pub line: Option<String>,
    /// Its time to live in seconds; nothing leaves what is there, or takes the provider's own.
    pub ttl: Option<u32>,
    /// What else the configuration says of this name, for the provider alone: `proxied`, `comment`.
    pub extra: serde_json::Map<String, Value>,
}

impl Record {
    /// Returns its line of resolution, or the one that answers whoever has no line of his own.
    pub fn line_or<'a>(&'a self, usual: &'a str) -> &'a str {
        self.line.as_deref().unwrap_or(usual)
    }
}

/// What a provider has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The addresses, in the provider's order; none when there is no such record.
    pub values: Vec<IpAddr>,
    /// The time to live in seconds, where the provider tells.
    pub ttl: Option<u32>,
    /// What the provider needs to change it in place: identifiers, etags, whatever must survive.
    pub handle: Value,
}

/// What a record shall become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which record.
    pub record: Record,
    /// The addresses it shall have, in order of address; never empty.
    pub want: Vec<IpAddr>,
    /// Which addresses of it we put there ourselves, as far as that is known: what was published
    /// last, and what a write was begun with whose end is not known. Others may be somebody else's.
    pub ours: Vec<IpAddr>,
    /// What was there a moment ago, where the provider can read.
    pub found: Option<Found>,
    /// The prefix of the network, for providers that take one (`dynv6`).
    pub prefix: Option<(IpAddr, u8)>,
    /// The addresses that the same name shall have in the other family, where the same account
    /// keeps that too: some services take both in one request, and delete what is not told again.
    pub beside: Vec<IpAddr>,
}

/// What came of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Whether the provider says that something changed; it was so already otherwise.
    pub change: Changed,
    /// The provider's own words, short: `good`, `nochg`, `200`.
    pub code: String,
}

/// Whether a write changed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// It did.
    Yes,
    /// It was so already.
    No,
}
