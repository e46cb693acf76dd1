//! Text with places for values, each encoded for where it stands.

use std::{collections::BTreeMap, fmt, net::IpAddr};

use serde_json::Value;

use crate::{address::Family, provider::ParameterError, providers::answer, secret::Secret};

/// Text with places for values. What is printed of it has no text: people write tokens into URLs.
pub(super) struct Pattern(Vec<Piece>);

enum Piece {
    Text(String),
    Place(Variable),
}

/// What a place is filled with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Variable {
    /// The address that this request is for.
    Ip,
    /// The IPv4 address, if one is known.
    Ipv4,
    /// The IPv6 address, if one is known.
    Ipv6,
    /// The whole name.
    Fqdn,
    /// What stands before the zone; `@` for the zone itself.
    Sub,
    /// The zone.
    Zone,
    /// `A` or `AAAA`.
    Type,
    /// The time to live.
    Ttl,
    /// The prefix of the network, with its length, if one is known.
    Prefix6,
    /// Seconds since 1970.
    Timestamp,
    /// A secret of the account.
    Secret(String),
}

/// The names of the places, as people write them.
const NAMES: &[(&str, Variable)] = &[
    ("ip", Variable::Ip),
    ("ipv4", Variable::Ipv4),
    ("ipv6", Variable::Ipv6),
    ("fqdn", Variable::Fqdn),
    ("sub", Variable::Sub),
    ("zone", Variable::Zone),
    ("type", Variable::Type),
    ("ttl", Variable::Ttl),
    ("prefix6", Variable::Prefix6),
    ("timestamp", Variable::Timestamp),
];

/// How a value is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// For a part of a URL, or for a form.
    Url,
    /// For the inside of a string in JSON.
    Json,
    /// For a header: what breaks lines is left out.
    Header,
    /// Not at all.
    Plain,
}

impl Encoding {
    fn encode(self, value: &str) -> String {
        match self {
            Self::Url => answer::encoded(value),
            Self::Json => {
                let quoted = Value::from(value).to_string();
                let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                inner.unwrap_or_default().to_owned()
            }
            Self::Header => value.chars().filter(|one| !one.is_control()).collect(),
            Self::Plain => value.to_owned(),
        }
    }

    /// Returns what a body with such values is.
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Url => "application/x-www-form-urlencoded",
            Self::Json => "application/json",
            Self::Header | Self::Plain => "text/plain; charset=utf-8",
        }
    }
}

/// What the places are filled with, for one request.
pub(super) struct Values<'a> {
    /// The address.
    pub(super) address: IpAddr,
    /// That of the other family.
    pub(super) beside: Option<IpAddr>,
    /// The whole name.
    pub(super) name: &'a str,
    /// What stands before the zone.
    pub(super) sub: &'a str,
    /// The zone.
    pub(super) zone: &'a str,
    /// The time to live.
    pub(super) ttl: u32,
    /// The prefix of the network.
    pub(super) prefix: Option<(IpAddr, u8)>,
    /// Seconds since 1970.
    pub(super) now: i64,
    /// The account's secrets.
    pub(super) secrets: &'a BTreeMap<String, Secret>,
}

impl Values<'_> {
    fn of(&self, variable: &Variable) -> String {
        match variable {
            Variable::Ip => self.address.to_string(),
            Variable::Ipv4 => self.address_of(Family::V4),
            Variable::Ipv6 => self.address_of(Family::V6),
            Variable::Fqdn => self.name.to_owned(),
            Variable::Sub => self.sub.to_owned(),
            Variable::Zone => self.zone.to_owned(),
            Variable::Type => Family::of(self.address).record_type().to_owned(),
            Variable::Ttl => self.ttl.to_string(),
            Variable::Prefix6 => {
                let prefix = self.prefix.filter(|(network, _)| network.is_ipv6());
                prefix.map(|(network, length)| format!("{network}/{length}")).unwrap_or_default()
            }
            Variable::Timestamp => self.now.to_string(),
            Variable::Secret(name) => {
                self.secrets.get(name).map(|one| one.reveal().to_owned()).unwrap_or_default()
            }
        }
    }

    fn address_of(&self, family: Family) -> String {
        let known = [Some(self.address), self.beside].into_iter().flatten();
        let mut known = known.filter(|one| Family::of(*one) == family);
        known.next().map(|one| one.to_string()).unwrap_or_default()
    }
}

impl Pattern {
    /// Reads a text with places like `{{ip}}` and `{{secret:NAME}}`.
    pub(super) fn parse(
        key: &str,
        text: &str,
        secrets: &BTreeMap<String, Secret>,
    ) -> Result<Self, ParameterError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((place, after)) = after.split_once("}}") else {
                return Err(ParameterError::new(key, "it has `{{` without `}}`"));
            };
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(Piece::Place(variable(key, place.trim(), secrets)?));
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self(pieces))
    }

    /// Returns whether it has such a place.
    pub(super) fn uses(&self, variable: &Variable) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Place(place) if place == variable))
    }

    /// Fills the places.
    pub(super) fn fill(&self, values: &Values<'_>, encoding: Encoding) -> String {
        let filled = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Place(variable) => encoding.encode(&values.of(variable)),
        });
        filled.collect()
    }
}

fn variable(
    key: &str,
    place: &str,
    secrets: &BTreeMap<String, Secret>,
) -> Result<Variable, ParameterError> {
    if let Some(name) = place.strip_prefix("secret:") {
        let name = name.trim().to_owned();
        if secrets.contains_key(&name) {
            return Ok(Variable::Secret(name));
        }
        return Err(ParameterError::new(
            key,
            format!("it wants `{name}`, which is not in `secrets`"),
        ));
    }
    if let Some((_, variable)) = NAMES.iter().find(|(known, _)| *known == place) {
        return Ok(variable.clone());
    }
    let known: Vec<String> = NAMES.iter().map(|(known, _)| format!("`{{{{{known}}}}}`")).collect();
    let why = format!(
        "it has `{{{{{place}}}}}`, which is not known; there are {} and `{{{{secret:NAME}}}}`",
        known.join(", ")
    );
    Err(ParameterError::new(key, why))
}

impl fmt::Debug for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[a pattern]")
    }
}
