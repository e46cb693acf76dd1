//! `PowerDNS` by its own API: sets of records, replaced in one step.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::{
    failure::{Class, Failure, Reach},
    name::Fqdn,
    provider::{
        Entry, Floors, Limits, Nature, Need, Parameter, ParameterError, Parameters, Provider,
        Reading,
    },
    record::Changed,
    secret::Secret,
    wire::{Method, Request, Response, Wire},
};

use super::{
    answer,
    sets::{self, Set, Sets},
    zones::{self, Outcome, Spot, ZONE, Zoned, Zones},
};

#[cfg(test)]
mod tests;

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "powerdns",
    aliases: &["pdns"],
    title: "PowerDNS",
    title_zh: "PowerDNS",
    documents: "https://doc.powerdns.com/authoritative/http-api/zone.html",
    parameters: &[
        Parameter {
            key: "endpoint",
            need: Need::Required,
            nature: Nature::Plain,
            help: "the address of its web server, such as `https://ns1.example.org:8081`",
            help_zh: "PowerDNS Web 服务地址，例如 `https://ns1.example.org:8081`",
        },
        Parameter {
            key: "api-key",
            need: Need::Required,
            nature: Nature::Secret,
            help: "the `api-key` of its configuration",
            help_zh: "PowerDNS 配置中的 `api-key`",
        },
        Parameter {
            key: "server",
            need: Need::Optional,
            nature: Nature::Plain,
            help: "the server's identifier; `localhost` otherwise",
            help_zh: "服务器标识，默认 `localhost`",
        },
        ZONE,
    ],
    extras: &[ZONE],
    reading: Reading::Possible,
    floors: Floors::OWN,
    limits: Limits { ttl: Some((1, 2_147_483_647)), ..Limits::ZONE },
    open,
};

/// The time to live of a set that is created, where nobody says another one.
const TTL: u32 = 300;

#[derive(Debug)]
struct PowerDns {
    /// Up to the server.
    base: String,
    key: Secret,
    zones: Zones<Fqdn>,
}

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    let endpoint = parameters.endpoint("")?;
    let server = answer::encoded(parameters.text("server")?.unwrap_or("localhost"));
    Ok(sets::provider(PowerDns {
        base: format!("{endpoint}/api/v1/servers/{server}"),
        key: parameters.secret("api-key")?,
        zones: Zones::open(parameters)?,
    }))
}

impl Zoned for PowerDns {
    type Zone = Fqdn;

    const WHOM: &'static str = "PowerDNS";

    fn zones(&self) -> &Zones<Fqdn> {
        &self.zones
    }

    async fn zone(&self, wire: &dyn Wire, name: &Fqdn) -> Outcome<Option<Fqdn>> {
        let request = self.request(Method::Get, name, "?rrsets=false");
        let response = wire.http(request).await?;
        match response.status {
            404 | 422 => Ok(None),
            _ => understand(&response).map(|()| Some(name.clone())),
        }
    }
}

impl Sets for PowerDns {
    async fn get(&self, spot: Spot<'_, Fqdn>) -> Outcome<Option<Set>> {
        let (name, kind) = (spot.record.name.absolute(), spot.record.family.record_type());
        let query = answer::query(&[("rrset_name", &name), ("rrset_type", kind)]);
        let request = self.request(Method::Get, spot.zone, &format!("?{query}"));
        let response = spot.wire.http(request).await?;
        understand(&response)?;
        let body = answer::json(&response)?;
        // A server before 4.5 tells the whole zone.
        let found = answer::told_list(&body, "/rrsets")?.iter().find(|set| {
            answer::text_at(set, "/type") == kind
                && zones::is_same(answer::text_at(set, "/name"), &name)
        });
        Ok(found.map(set))
    }

    async fn put(
        &self,
        spot: Spot<'_, Fqdn>,
        there: Option<&Set>,
        values: &[IpAddr],
    ) -> Outcome<Changed> {
        let record = |value: &IpAddr| json!({ "content": value.to_string(), "disabled": false });
        let mut records: Vec<Value> = values.iter().map(record).collect();
        records.extend(there.and_then(|set| set.rest.as_array()).cloned().unwrap_or_default());
        let ttl = spot.record.ttl.or(there.and_then(|set| set.ttl)).unwrap_or(TTL);
        // Comments that are not sent stay.
        let body = json!({ "rrsets": [{
            "name": spot.record.name.absolute(),
            "type": spot.record.family.record_type(),
            "ttl": ttl,
            "changetype": "REPLACE",
            "records": records,
        }] });
        let request = self.request(Method::Patch, spot.zone, "").json(&body);
        understand(&spot.wire.http(request).await?).map(|()| Changed::Yes)
    }
}

impl PowerDns {
    fn request(&self, method: Method, zone: &Fqdn, query: &str) -> Request {
        let zone = answer::encoded(&zone.absolute());
        Request::new(method, format!("{}/zones/{zone}{query}", self.base))
            .header("x-api-key", self.key.reveal())
    }
}

/// Takes a set apart; records that are switched off are kept as they are.
fn set(found: &Value) -> Set {
    let (off, on): (Vec<&Value>, Vec<&Value>) = answer::list_at(found, "/records")
        .iter()
        .partition(|record| record.get("disabled") == Some(&Value::Bool(true)));
    let value = |record: &&Value| answer::text_at(record, "/content").parse().ok();
    Set {
        values: on.iter().filter_map(value).collect(),
        ttl: answer::number_at(found, "/ttl"),
        rest: off.into_iter().cloned().collect(),
    }
}

/// Lets pass what has a status of success, and tells the server's own words otherwise.
fn understand(response: &Response) -> Result<(), Failure> {
    let Err(failure) = answer::check_status(response) else {
        return Ok(());
    };
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let failure = match answer::text_at(&body, "/error") {
        "" => failure,
        told => {
            let words = format!("PowerDNS refuses: {}", answer::shortened(told));
            Failure { words, ..failure }
        }
    };
    // There is one key for everything.
    let is_key = matches!(response.status, 401 | 403);
    let reach = if is_key { Reach::Account } else { failure.reach };
    let is_parked = is_key || failure.class == Class::Parked;
    Err(Failure { reach, class: if is_parked { Class::Parked } else { failure.class }, ..failure })
}
