//! DNS servers that take updates (RFC 2136), signed with a shared key (TSIG, RFC 8945).
//!
//! ```text
//!  locate: SOA ─▶ zone, primary ─▶ its addresses
//!  read:   A or AAAA ─▶ primary
//!  write:  one message: prerequisite (as read) · delete the set · add all of it
//! ```
//!
//! The server does all of a message or nothing, so nobody ever sees the name without an address.
//! Addresses that somebody else has put there are put there again.

mod locate;
mod update;
mod verdict;

use std::{net::SocketAddr, sync::Arc};

use domain::tsig::{Algorithm, Key, KeyName};
use serde_json::json;

use crate::{
    base64,
    dns::{self, Kind, Question},
    failure::{Class, Failure},
    provider::{
        Attempt, Entry, Floors, Limits, Nature, Need, Parameter, ParameterError, Parameters,
        Provider, Reading,
    },
    record::{Change, Changed, Found, Record, Written},
    wire::{Carrier, Exchange, NetworkError, Wire},
};

use super::pair;
use locate::{Located, Server};
use update::Replacement;

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "rfc2136",
    aliases: &["nsupdate", "tsig"],
    title: "A DNS server of one's own (RFC 2136)",
    title_zh: "自建 DNS 服务器（RFC 2136）",
    documents: "https://www.rfc-editor.org/rfc/rfc2136",
    parameters: &[
        optional(
            "server",
            "the primary server as `HOST` or `HOST:PORT`; usually whom the zone's SOA names",
            "主服务器，`HOST` 或 `HOST:PORT`；默认取 zone 的 SOA 中的主服务器",
        ),
        optional(
            "zone",
            "the zone; usually the one that the SOA of the name belongs to",
            "zone；默认由名称的 SOA 确定",
        ),
        optional(
            "key-name",
            "the name of the key, as the server knows it",
            "密钥名称，须与服务器一致",
        ),
        Parameter {
            nature: Nature::Secret,
            ..optional("key", "the key itself, in base64", "密钥内容（base64）")
        },
        optional(
            "algorithm",
            "`hmac-sha256` (usual), `hmac-sha384`, `hmac-sha512` or `hmac-sha1`",
            "`hmac-sha256`（默认）、`hmac-sha384`、`hmac-sha512` 或 `hmac-sha1`",
        ),
        optional(
            "transport",
            "`udp` (usual; by TCP when an answer is cut short) or `tcp`",
            "`udp`（默认；应答被截断时改用 TCP）或 `tcp`",
        ),
    ],
    extras: &[],
    reading: Reading::Possible,
    floors: Floors::OWN,
    limits: Limits::ZONE,
    open,
};

/// The time to live of a record that is new, unless the configuration names another.
const TTL: u32 = 60;

const fn optional(key: &'static str, help: &'static str, help_zh: &'static str) -> Parameter {
    Parameter { key, need: Need::Optional, nature: Nature::Plain, help, help_zh }
}

#[derive(Debug)]
struct Rfc2136 {
    server: Option<Server>,
    zone: Option<String>,
    key: Option<Arc<Key>>,
    carrier: Carrier,
}

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    let server = parameters.text("server")?.map(Server::parse).transpose()?;
    let zone = parameters.text("zone")?.map(locate::parse_zone).transpose()?;
    let carrier = match parameters.text("transport")? {
        None | Some("udp") => Carrier::UdpThenTcp,
        Some("tcp") => Carrier::Tcp,
        Some(_) => return Err(ParameterError::new("transport", "it must be `udp` or `tcp`")),
    };
    Ok(Box::new(Rfc2136 { server, zone, key: key(parameters)?, carrier }))
}

/// Returns the key, if there is one: without it the server may know us by our address.
fn key(parameters: &Parameters) -> Result<Option<Arc<Key>>, ParameterError> {
    let algorithm = algorithm(parameters.text("algorithm")?)?;
    let (name, secret) = match (parameters.text("key-name")?, parameters.optional_secret("key")) {
        (None, None) => return Ok(None),
        (Some(_), None) => {
            return Err(ParameterError::new("key", "it is missing: `key-name` is there"));
        }
        (None, Some(_)) => {
            return Err(ParameterError::new("key-name", "it is missing: `key` is there"));
        }
        (Some(name), Some(secret)) => (name, secret),
    };
    let name: KeyName = name
        .parse()
        .map_err(|_| ParameterError::new("key-name", "it cannot be the name of a key"))?;
    let bare: String = secret.reveal().split_whitespace().collect();
    let octets =
        base64::decode(&bare).ok_or_else(|| ParameterError::new("key", "it is no base64"))?;
    let key = Key::new(algorithm, &octets, name, None, None)
        .map_err(|error| ParameterError::new("key", format!("it cannot be used: {error}")))?;
    Ok(Some(Arc::new(key)))
}

fn algorithm(given: Option<&str>) -> Result<Algorithm, ParameterError> {
    match given.map(|text| text.trim_end_matches('.').to_ascii_lowercase()).as_deref() {
        None | Some("hmac-sha256") => Ok(Algorithm::Sha256),
        Some("hmac-sha384") => Ok(Algorithm::Sha384),
        Some("hmac-sha512") => Ok(Algorithm::Sha512),
        Some("hmac-sha1") => Ok(Algorithm::Sha1),
        Some(_) => {
            let why = "it must be `hmac-sha256`, `hmac-sha384`, `hmac-sha512` or `hmac-sha1`; \
                       hmac-md5 and hmac-sha224 are not spoken here";
            Err(ParameterError::new("algorithm", why))
        }
    }
}

impl Provider for Rfc2136 {
    fn read<'a>(&'a self, wire: &'a dyn Wire, record: &'a Record) -> Attempt<'a, Found> {
        Box::pin(async move {
            let located = self.locate(wire, record).await?;
            let question = Question::to_authority(record.name.as_str(), Kind::of(record.family));
            let asked = dns::ask_first(wire, &located.servers, &question).await;
            let answer = asked.map_err(verdict::unread)?;
            if let Some(alias) = answer.aliases.first() {
                let words = format!(
                    "`{}` is an alias of `{alias}`: a server ignores addresses beside a CNAME",
                    record.name
                );
                return Err(Failure::new(Class::Parked, "alias", words));
            }
            Ok(Found { values: answer.addresses, ttl: answer.ttl, handle: json!(null) })
        })
    }

    fn write<'a>(&'a self, wire: &'a dyn Wire, change: &'a Change) -> Attempt<'a, Written> {
        Box::pin(async move {
            let nothing = Found::default();
            let found = change.found.as_ref().unwrap_or(&nothing);
            let values = pair::merged(&found.values, &change.want, &change.ours)?;
            let ttl = change.record.ttl.or(found.ttl).unwrap_or(TTL);
            if values == found.values && found.ttl == Some(ttl) {
                return Ok(Written { change: Changed::No, code: "unchanged".to_owned() });
            }
            let located = self.locate(wire, &change.record).await?;
            let set = Replacement { record: &change.record, before: found, values: &values, ttl };
            let result = self.update(wire, &located, &set).await;
            if found.values.is_empty() || !result.as_ref().is_err_and(verdict::is_changed) {
                return result;
            }
            // A wildcard of the zone answers for names that have nothing of their own: what was
            // read is not there, then, and saying so is as safe as the first attempt was.
            let set = Replacement { before: &nothing, values: &change.want, ..set };
            self.update(wire, &located, &set).await
        })
    }
}

impl Rfc2136 {
    async fn locate(&self, wire: &dyn Wire, record: &Record) -> Result<Located, Failure> {
        locate::locate(wire, &record.name, self.server.as_ref(), self.zone.as_deref()).await
    }

    async fn update(
        &self,
        wire: &dyn Wire,
        located: &Located,
        set: &Replacement<'_>,
    ) -> Result<Written, Failure> {
        let update = update::build(dns::number(wire.nonce()), &located.zone, set)?;
        let now = update::time(wire.now());
        let (message, transaction) = update::sign(update, self.key.clone(), now)?;
        let answer = self.carry(wire, &located.servers, &message).await?;
        verdict::read(&answer, &message, transaction, update::time(wire.now()))?;
        Ok(Written { change: Changed::Yes, code: "NOERROR".to_owned() })
    }

    /// Sends a message to the first of a server's addresses that answers.
    async fn carry(
        &self,
        wire: &dyn Wire,
        servers: &[SocketAddr],
        message: &[u8],
    ) -> Result<Vec<u8>, Failure> {
        let mut failure = NetworkError::Request { why: "no server is known".to_owned() };
        for server in servers {
            let (message, within) = (message.to_vec(), dns::WITHIN);
            let exchange = Exchange { server: *server, message, carrier: self.carrier, within };
            match wire.dns(exchange).await {
                Ok(answer) => return Ok(answer),
                Err(error) => failure = error,
            }
        }
        Err(failure.into())
    }
}

#[cfg(test)]
mod tests;
