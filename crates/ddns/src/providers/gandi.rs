//! Gandi's `LiveDNS`: sets of records, written as a whole.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::{
    failure::Failure,
    name::Fqdn,
    provider::{
        Attempt, ENDPOINT, Entry, Floors, Limits, Nature, Need, Parameter, ParameterError,
        Parameters, Provider, Reading,
    },
    record::{Change, Changed, Found, Record, Written},
    secret::Secret,
    wire::{Method, Request, Wire},
};

use super::{
    answer,
    sets::{self, Set, Sets},
    verdict::Envelope,
    zones::{self, Outcome, Spot, ZONE, Zoned, Zones},
};

#[cfg(test)]
mod tests;

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "gandi",
    aliases: &[],
    title: "Gandi LiveDNS",
    title_zh: "Gandi LiveDNS",
    documents: "https://api.gandi.net/docs/livedns/",
    parameters: &[
        Parameter {
            key: "token",
            need: Need::Required,
            nature: Nature::Secret,
            help: "a personal access token that may manage the domain's technical configuration",
            help_zh: "个人访问令牌（PAT），需要管理域名技术配置的权限",
        },
        ZONE,
        ENDPOINT,
    ],
    extras: &[ZONE],
    reading: Reading::Possible,
    floors: Floors::API,
    limits: Limits { ttl: Some((300, 2_592_000)), ..Limits::ZONE },
    open,
};

/// Its codes are those of HTTP.
const ANSWERS: Envelope =
    Envelope { whom: Gandi::WHOM, code: "/code", message: "/message", rules: &[] };

#[derive(Debug)]
struct Gandi {
    endpoint: String,
    token: Secret,
    zones: Zones<Fqdn>,
}

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    Ok(Box::new(Gandi {
        endpoint: parameters.endpoint("https://api.gandi.net/v5/livedns")?,
        token: parameters.secret("token")?,
        zones: Zones::open(parameters)?,
    }))
}

impl Provider for Gandi {
    fn read<'a>(&'a self, wire: &'a dyn Wire, record: &'a Record) -> Attempt<'a, Found> {
        Box::pin(sets::read(self, wire, record))
    }

    fn write<'a>(&'a self, wire: &'a dyn Wire, change: &'a Change) -> Attempt<'a, Written> {
        Box::pin(sets::write(self, wire, change))
    }
}

impl Zoned for Gandi {
    type Zone = Fqdn;

    const WHOM: &'static str = "Gandi";

    fn zones(&self) -> &Zones<Fqdn> {
        &self.zones
    }

    async fn zone(&self, wire: &dyn Wire, name: &Fqdn) -> Outcome<Option<Fqdn>> {
        let request = self.request(Method::Get, &format!("/domains/{name}"));
        let response = wire.http(request).await?;
        // A name that is no domain of the account is refused, not missed.
        if matches!(response.status, 403 | 404) {
            return Ok(None);
        }
        ANSWERS.open(&response, wire.now()).map(|_| Some(name.clone()))
    }
}

impl Sets for Gandi {
    async fn get(&self, spot: Spot<'_, Fqdn>) -> Outcome<Option<Set>> {
        let request = self.request(Method::Get, &path(&spot)?);
        let response = spot.wire.http(request).await?;
        if response.status == 404 {
            return Ok(None);
        }
        let body = ANSWERS.open(&response, spot.wire.now())?;
        let values = answer::told_list(&body, "/rrset_values")?.iter();
        Ok(Some(Set {
            values: values.filter_map(|value| value.as_str()?.parse().ok()).collect(),
            ttl: answer::number_at(&body, "/rrset_ttl"),
            rest: Value::Null,
        }))
    }

    async fn put(
        &self,
        spot: Spot<'_, Fqdn>,
        there: Option<&Set>,
        values: &[IpAddr],
    ) -> Outcome<Changed> {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        let mut body = json!({ "rrset_values": values });
        if let Some(ttl) = spot.record.ttl.or(there.and_then(|set| set.ttl)) {
            body["rrset_ttl"] = json!(ttl);
        }
        let request = self.request(Method::Put, &path(&spot)?).json(&body);
        ANSWERS.done(&spot.wire.http(request).await?, spot.wire.now())?;
        Ok(Changed::Yes)
    }
}

impl Gandi {
    fn request(&self, method: Method, path: &str) -> Request {
        Request::new(method, format!("{}{path}", self.endpoint))
            .header("authorization", format!("Bearer {}", self.token.reveal()))
    }
}

fn path(spot: &Spot<'_, Fqdn>) -> Result<String, Failure> {
    let label = answer::encoded(zones::relative(spot.record, spot.zone)?);
    let kind = spot.record.family.record_type();
    Ok(format!("/domains/{}/records/{label}/{kind}", spot.zone))
}
