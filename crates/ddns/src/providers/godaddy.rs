//! `GoDaddy`: sets of records, written as a whole.

use std::{net::IpAddr, time::Duration};

use serde_json::{Value, json};

use crate::{
    failure::{Class, Failure},
    name::Fqdn,
    provider::{
        ENDPOINT, Entry, Floors, Limits, Nature, Need, Parameter, ParameterError, Parameters,
        Provider, Reading,
    },
    record::Changed,
    secret::Secret,
    wire::{Method, Response, Wire},
};

use super::{
    answer,
    api::Api,
    sets::{self, Set, Sets},
    verdict::{Envelope, Rule, account, limited},
    zones::{self, Outcome, Spot, ZONE, Zoned, Zones},
};

#[cfg(test)]
mod tests;

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "godaddy",
    aliases: &[],
    title: "GoDaddy",
    title_zh: "GoDaddy",
    documents: "https://developer.godaddy.com/doc/endpoint/domains",
    parameters: &[
        Parameter {
            key: "key",
            need: Need::Required,
            nature: Nature::Plain,
            help: "the key of a production API key; one for tests (OTE) does not work",
            help_zh: "生产环境 API Key（测试环境 OTE 的 Key 不可用）",
        },
        Parameter {
            key: "secret",
            need: Need::Required,
            nature: Nature::Secret,
            help: "the secret that goes with it",
            help_zh: "对应的 Secret",
        },
        ZONE,
        ENDPOINT,
    ],
    extras: &[ZONE],
    reading: Reading::Possible,
    floors: Floors::API,
    limits: Limits { ttl: Some((600, 604_800)), ..Limits::ZONE },
    open,
};

/// The time to live of a set that is created, where nobody says another one: the least there is.
const TTL: u32 = 600;

/// It is not believed when it asks for more patience than this.
const PATIENCE_MAX: Duration = Duration::from_hours(24);

/// What its codes mean.
const RULES: &[Rule] = &[
    account("UNABLE_TO_AUTHENTICATE"),
    account("INVALID_API_KEY"),
    account("MISSING_CREDENTIALS"),
    limited("TOO_MANY_REQUESTS"),
    // Accounts with few domains are refused altogether.
    account("ACCESS_DENIED"),
];

const ANSWERS: Envelope =
    Envelope { whom: GoDaddy::WHOM, code: "/code", message: "/message", rules: RULES };

#[derive(Debug)]
struct GoDaddy {
    api: Api,
    zones: Zones<Fqdn>,
}

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    let (key, secret) = (parameters.required("key")?, parameters.secret("secret")?);
    let authorization = Secret::from(format!("sso-key {key}:{}", secret.reveal()));
    Ok(sets::provider(GoDaddy {
        api: Api::by(authorization, parameters, "https://api.godaddy.com", ANSWERS)?,
        zones: Zones::open(parameters)?,
    }))
}

impl Zoned for GoDaddy {
    type Zone = Fqdn;

    const WHOM: &'static str = "GoDaddy";

    fn zones(&self) -> &Zones<Fqdn> {
        &self.zones
    }

    async fn zone(&self, wire: &dyn Wire, name: &Fqdn) -> Outcome<Option<Fqdn>> {
        // What cannot be a domain of its own, such as a name below one, is refused as unfit.
        let found = self.api.look(wire, &format!("/v1/domains/{name}"), &[404, 422]).await?;
        Ok(found.map(|_| name.clone()))
    }
}

impl Sets for GoDaddy {
    async fn get(&self, spot: Spot<'_, Fqdn>) -> Outcome<Option<Set>> {
        let Some(body) = self.api.look(spot.wire, &path(&spot)?, &[404]).await? else {
            return Ok(None);
        };
        let records = answer::told_list(&body, "")?;
        let Some(first) = records.first() else {
            return Ok(None);
        };
        let value = |record: &Value| answer::text_at(record, "/data").parse().ok();
        Ok(Some(Set {
            values: records.iter().filter_map(value).collect(),
            ttl: answer::number_at(first, "/ttl"),
            rest: Value::Null,
        }))
    }

    async fn put(
        &self,
        spot: Spot<'_, Fqdn>,
        there: Option<&Set>,
        values: &[IpAddr],
    ) -> Outcome<Changed> {
        let ttl = spot.record.ttl.or(there.and_then(|set| set.ttl)).unwrap_or(TTL);
        let record = |value: &IpAddr| json!({ "data": value.to_string(), "ttl": ttl });
        let body: Value = values.iter().map(record).collect();
        let request = self.api.request(Method::Put, &path(&spot)?).json(&body);
        let response = spot.wire.http(request).await?;
        let done = ANSWERS.done(&response, spot.wire.now());
        done.map(|()| Changed::Yes).map_err(|failure| explained(failure, &response))
    }
}

/// Adds to a failure what a refusal tells in its body alone: for how long it wants patience, and
/// that another change of the zone is under way, which has the status of one that is wrong.
fn explained(failure: Failure, response: &Response) -> Failure {
    let body = answer::json(response).unwrap_or_default();
    let is_busy = answer::text_at(&body, "/message").contains("used in another request");
    let class = if is_busy { Class::Transient } else { failure.class };
    let told = answer::number_at(&body, "/retryAfterSec").map(u64::from).map(Duration::from_secs);
    let wait = failure.retry_after.or(told.map(|wait| wait.min(PATIENCE_MAX)));
    Failure { class, ..failure }.after(wait)
}

fn path(spot: &Spot<'_, Fqdn>) -> Result<String, Failure> {
    let label = answer::encoded(zones::relative(spot.record, spot.zone)?);
    let kind = spot.record.family.record_type();
    Ok(format!("/v1/domains/{}/records/{kind}/{label}", spot.zone))
}
