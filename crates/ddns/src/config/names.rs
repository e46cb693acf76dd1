//! The names of an account: a text, or a table that says more.

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use serde_json::{Map, Value};

use crate::{
    address::Family,
    engine::plan::{Compose, Verify},
    name::Fqdn,
    provider::{Entry, Need, Parameter},
};

use super::{
    sources::Sources,
    table::{ConfigError, Item, Read, Table},
};

/// What a name takes whatever its provider is, and what that means.
pub const NAME_KEYS: &[(&str, &str)] = &[
    ("name", "the whole name"),
    ("families", "which addresses it has; both that the provider has otherwise"),
    ("ttl", "how long others may remember it; what is there, or the provider's own, otherwise"),
    ("line", "which line of resolution, for providers that have such"),
    ("suffix", "another machine of the network: the end of its IPv6 address, or its MAC address"),
    ("prefix-length", "how many leading bits come from this network, with `suffix`"),
    ("max-addresses", "how many addresses it may have"),
    ("sources", "where its addresses come from"),
    ("verify", "whether the authoritative servers are asked for what was written"),
];
/// A prefix of a network at home has usually so many bits.
const PREFIX_LENGTH: u8 = 64;
/// The longest time to live (RFC 2181, section 8).
const TTL_MAX: Duration = Duration::from_secs(i32::MAX as u64);
/// The longest name of a line.
const LINE_BYTES_MAX: usize = 64;
const FAMILIES: &[(&str, Family)] = &[("ipv4", Family::V4), ("ipv6", Family::V6)];

/// The end of an address, and how long the prefix before it is.
pub(super) type Suffix = (IpAddr, u8);

/// A name and all that is said of it.
#[derive(Debug)]
pub(super) struct Name {
    pub(super) path: String,
    pub(super) fqdn: Fqdn,
    pub(super) families: Vec<Family>,
    pub(super) ttl: Option<u32>,
    pub(super) line: Option<String>,
    pub(super) suffix: Option<Suffix>,
    pub(super) values_max: usize,
    pub(super) sources: Sources,
    pub(super) verify: Verify,
    pub(super) extra: Map<String, Value>,
}

impl Name {
    /// Reads a text or a table.
    pub(super) fn read(item: &Item<'_>, entry: &Entry, above: &Sources) -> Read<Self> {
        let map;
        let (item, at) = if item.value.is_string() {
            map = Value::Object(Map::from_iter([("name".to_owned(), item.value.clone())]));
            (Item { path: item.path.clone(), value: &map }, Some(item.path.clone()))
        } else {
            (item.clone(), None)
        };
        let read = Self::of_table(item.table()?, entry, above);
        read.map_err(|error| match at {
            // A bare text has no keys: the mistake is the text itself.
            Some(path) if error.path == format!("{path}.name") => ConfigError { path, ..error },
            _ => error,
        })
    }

    fn of_table(mut table: Table<'_>, entry: &Entry, above: &Sources) -> Read<Self> {
        let path = table.path.clone();
        let Some(fqdn) = table.read("name", fqdn)? else {
            return table
                .wrong("name", "it is missing: the whole name, such as `home.example.org`");
        };
        let suffix = suffix(&mut table)?;
        let sources = Sources::read(&mut table, above)?;
        let families = families(&mut table, entry, &sources, suffix)?;
        let ttl = table.read("ttl", |item| ttl(item, entry))?;
        let line = table.read("line", line)?;
        let most = u64::try_from(entry.limits.values).unwrap_or(u64::MAX);
        let values_max = table.read("max-addresses", |item| item.number(1..=most))?.unwrap_or(1);
        let verify = table.read("verify", Item::flag)?;
        let extra = extra(&mut table, entry)?;
        let verify = match verify {
            Some(true) => Verify::Authoritative,
            Some(false) => Verify::Never,
            // A proxied name answers with the proxy's addresses, and which line answers us is
            // nobody's promise.
            None if line.is_some() || extra.get("proxied") == Some(&Value::Bool(true)) => {
                Verify::Never
            }
            None => Verify::Authoritative,
        };
        let values_max = usize::try_from(values_max).unwrap_or(1);
        Ok(Self { path, fqdn, families, ttl, line, suffix, values_max, sources, verify, extra })
    }

    /// Returns how addresses of a family become this name's.
    pub(super) fn compose(&self, family: Family) -> Compose {
        match (self.suffix, family) {
            (Some((host, prefix_length)), Family::V6) => Compose::Suffix { prefix_length, host },
            (None, _) | (Some(_), Family::V4) => Compose::Observed,
        }
    }
}

fn fqdn(item: &Item<'_>) -> Read<Fqdn> {
    Fqdn::parse(item.text()?).or_else(|error| item.wrong(error.to_string()))
}

/// Returns the families that it is kept for: those that were asked for, else all that the provider
/// has and a source tells; with a suffix, which is IPv6's, that one alone.
fn families(
    table: &mut Table<'_>,
    entry: &Entry,
    sources: &Sources,
    suffix: Option<Suffix>,
) -> Read<Vec<Family>> {
    let is_kept = |family| match family {
        Family::V4 => entry.limits.ipv4,
        Family::V6 => entry.limits.ipv6,
    };
    let is_told = |family| !sources.of(family).sources.is_empty();
    let Some(item) = table.item("families") else {
        let wished =
            Family::ALL.into_iter().filter(|family| suffix.is_none() || *family == Family::V6);
        let found: Vec<Family> =
            wished.filter(|family| is_kept(*family) && is_told(*family)).collect();
        if found.is_empty() {
            return table.wrong("", "no source tells an address that it could have");
        }
        return Ok(found);
    };
    let mut found = Vec::new();
    for item in item.one_or_more()? {
        let family = item.word(FAMILIES)?;
        if !is_kept(family) {
            return item.wrong(format!("`{}` has no records of {family}", entry.name));
        }
        if !is_told(family) {
            return item.wrong(format!("there is no source of {family}; see `sources`"));
        }
        if found.contains(&family) {
            return item.wrong("it stands there twice");
        }
        found.push(family);
    }
    if suffix.is_some() && !found.contains(&Family::V6) {
        return item.wrong("`suffix` is for `ipv6`");
    }
    Ok(found)
}

fn ttl(item: &Item<'_>, entry: &Entry) -> Read<u32> {
    let Some((least, most)) = entry.limits.ttl else {
        return item.wrong(format!("`{}` has a time to live of its own; remove it", entry.name));
    };
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    let read = item.duration(seconds(least)..=seconds(most).min(TTL_MAX))?;
    Ok(u32::try_from(read.as_secs()).unwrap_or(most))
}

fn line(item: &Item<'_>) -> Read<String> {
    let text = item.text()?;
    if text.len() > LINE_BYTES_MAX || text.contains('/') {
        return item.wrong(format!("`{text}` is no line: at most 64 bytes, and no `/`"));
    }
    Ok(text.to_owned())
}

fn suffix(table: &mut Table<'_>) -> Read<Option<Suffix>> {
    let length = table.read("prefix-length", |item| item.number(1..=127))?;
    let Some(item) = table.item("suffix") else {
        return match length {
            Some(_) => table.wrong("prefix-length", "it belongs to a `suffix`"),
            None => Ok(None),
        };
    };
    let length = length.and_then(|length| u8::try_from(length).ok()).unwrap_or(PREFIX_LENGTH);
    let text = item.text()?;
    let Some(host) = text.parse().ok().or_else(|| of_mac(text)) else {
        let why = format!(
            "`{text}` is neither the end of an IPv6 address, such as `::1234`, nor a MAC address"
        );
        return item.wrong(why);
    };
    if u128::from(host) >> (128 - u32::from(length)) != 0 {
        let why = format!("`{text}` has bits among the first {length}, which are the network's");
        return item.wrong(why);
    }
    Ok(Some((IpAddr::V6(host), length)))
}

/// Returns the interface identifier of a MAC address (RFC 4291, appendix A).
fn of_mac(text: &str) -> Option<Ipv6Addr> {
    let parts: Vec<&str> = text.split([':', '-']).collect();
    let byte = |part: &&str| (part.len() == 2).then(|| u8::from_str_radix(part, 16).ok()).flatten();
    let bytes: Vec<u8> = parts.iter().map(byte).collect::<Option<_>>()?;
    let [first, second, third, rest @ ..] = <[u8; 6]>::try_from(bytes).ok()?;
    let low = [&[first ^ 2, second, third, 0xff, 0xfe], rest.as_slice()].concat();
    let low = low.iter().fold(0, |sum, byte| sum << 8 | u128::from(*byte));
    Some(Ipv6Addr::from(low))
}

/// Takes what the provider knows of a name beside what every name knows.
fn extra(table: &mut Table<'_>, entry: &Entry) -> Read<Map<String, Value>> {
    let known: Vec<&str> = entry.extras.iter().map(|parameter| parameter.key).collect();
    table.finish(&known)?;
    let extra = table.rest();
    let is_missing = |one: &&Parameter| one.need == Need::Required && !extra.contains_key(one.key);
    match entry.extras.iter().find(is_missing) {
        Some(one) => table.wrong(one.key, format!("it is missing: {}", one.help)),
        None => Ok(extra),
    }
}
