//! `GoDaddy`: sets of records, written as a whole.

use std::{net::IpAddr, time::Duration};

use serde_json::{Value, json};

use crate::{
    failure::{Class, Failure},
    name::Fqdn,
    provider::{
        Attempt, ENDPOINT, Entry, Floors, Limits, Nature, Need, Parameter, ParameterError,
        Parameters, Provider, Reading,
    },
    record::{Change, Changed, Found, Record, Written},
    secret::Secret,
    wire::{Method, Request, Response, Wire},
};

use super::{
    answer,
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
    endpoint: String,
    key: String,
    secret: Secret,
    zones: Zones<Fqdn>,
}

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    Ok(Box::new(GoDaddy {
        endpoint: parameters.endpoint("https://api.godaddy.com")?,
        key: parameters.required("key")?.to_owned(),
        secret: parameters.secret("secret")?,
        zones: Zones::open(parameters)?,
    }))
}

impl Provider for GoDaddy {
    fn read<'a>(&'a self, wire: &'a dyn Wire, record: &'a Record) -> Attempt<'a, Found> {
        Box::pin(sets::read(self, wire, record))
    }

    fn write<'a>(&'a self, wire: &'a dyn Wire, change: &'a Change) -> Attempt<'a, Written> {
        Box::pin(sets::write(self, wire, change))
    }
}

impl Zoned for GoDaddy {
    type Zone = Fqdn;

    const WHOM: &'static str = "GoDaddy";

    fn zones(&self) -> &Zones<Fqdn> {
        &self.zones
    }

    async fn zone(&self, wire: &dyn Wire, name: &Fqdn) -> Outcome<Option<Fqdn>> {
        let request = self.request(Method::Get, &format!("/v1/domains/{name}"));
        let response = wire.http(request).await?;
        // What cannot be a domain of its own, such as a name below one, is refused as unfit.
        if matches!(response.status, 404 | 422) {
            return Ok(None);
        }
        let domain = ANSWERS.open(&response, wire.now());
        domain.map(|_| Some(name.clone())).map_err(|failure| explained(failure, &response))
    }
}

impl Sets for GoDaddy {
    async fn get(&self, spot: Spot<'_, Fqdn>) -> Outcome<Option<Set>> {
        let response = spot.wire.http(self.request(Method::Get, &path(&spot)?)).await?;
        if response.status == 404 {
            return Ok(None);
        }
        let body = ANSWERS.open(&response, spot.wire.now());
        let body = body.map_err(|failure| explained(failure, &response))?;
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
        let request = self.request(Method::Put, &path(&spot)?).json(&body);
        let response = spot.wire.http(request).await?;
        let done = ANSWERS.done(&response, spot.wire.now());
        done.map(|()| Changed::Yes).map_err(|failure| explained(failure, &response))
    }
}

impl GoDaddy {
    fn request(&self, method: Method, path: &str) -> Request {
        let authorization = format!("sso-key {}:{}", self.key, self.secret.reveal());
        Request::new(method, format!("{}{path}", self.endpoint))
            .header("authorization", authorization)
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
