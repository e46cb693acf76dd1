//! Gandi's `LiveDNS`: sets of records, written as a whole.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::{
    failure::Failure,
    name::Fqdn,
    provider::{
        ENDPOINT, Entry, Floors, Limits, Nature, Need, Parameter, ParameterError, Parameters,
        Provider, Reading,
    },
    record::Changed,
    wire::{Method, Wire},
};

use super::{
    answer,
    api::Api,
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
    api: Api,
    zones: Zones<Fqdn>,
}

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    Ok(sets::provider(Gandi {
        api: Api::by_token(parameters, "https://api.gandi.net/v5/livedns", ANSWERS)?,
        zones: Zones::open(parameters)?,
    }))
}

impl Zoned for Gandi {
    type Zone = Fqdn;

    const WHOM: &'static str = "Gandi";

    fn zones(&self) -> &Zones<Fqdn> {
        &self.zones
    }

    async fn zone(&self, wire: &dyn Wire, name: &Fqdn) -> Outcome<Option<Fqdn>> {
        // A name that is no domain of the account is refused, not missed.
        let found = self.api.look(wire, &format!("/domains/{name}"), &[403, 404]).await?;
        Ok(found.map(|_| name.clone()))
    }
}

impl Sets for Gandi {
    async fn get(&self, spot: Spot<'_, Fqdn>) -> Outcome<Option<Set>> {
        let Some(body) = self.api.look(spot.wire, &path(&spot)?, &[404]).await? else {
            return Ok(None);
        };
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
        let request = self.api.request(Method::Put, &path(&spot)?).json(&body);
        self.api.change(spot.wire, request).await
    }
}

fn path(spot: &Spot<'_, Fqdn>) -> Result<String, Failure> {
    let label = answer::encoded(zones::relative(spot.record, spot.zone)?);
    let kind = spot.record.family.record_type();
    Ok(format!("/domains/{}/records/{label}/{kind}", spot.zone))
}
