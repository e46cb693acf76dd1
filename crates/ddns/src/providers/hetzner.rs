//! Hetzner's Cloud API: sets of records, each with comments of its own.

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
    wire::{Method, Request, Wire},
};

use super::{
    answer,
    api::Api,
    sets::{self, Set, Sets},
    verdict::{Envelope, Rule, account, limited, parked, transient},
    zones::{self, Outcome, Spot, ZONE, Zoned, Zones},
};

#[cfg(test)]
mod tests;

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "hetzner",
    aliases: &["hetznercloud"],
    title: "Hetzner",
    title_zh: "Hetzner",
    documents: "https://docs.hetzner.cloud/reference/cloud#zone-rrsets",
    parameters: &[
        Parameter {
            key: "token",
            need: Need::Required,
            nature: Nature::Secret,
            help: "an API token of the project that has the zone, with the right to read and write",
            help_zh: "区域所在项目的 API 令牌，需要读写权限",
        },
        ZONE,
        ENDPOINT,
    ],
    extras: &[ZONE],
    reading: Reading::Possible,
    floors: Floors::API,
    limits: Limits { ttl: Some((60, 2_147_483_647)), ..Limits::ZONE },
    open,
};

/// What its codes mean.
const RULES: &[Rule] = &[
    account("unauthorized"),
    account("token_readonly"),
    parked("forbidden"),
    limited("rate_limit_exceeded"),
    limited("resource_limit_exceeded"),
    transient("conflict"),
    transient("locked"),
    transient("maintenance"),
    transient("timeout"),
    transient("unavailable"),
    transient("service_error"),
    parked("not_found"),
    parked("protected"),
    parked("incorrect_zone_mode"),
];

/// How often it is looked whether a change has come to its end.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How many looks there are: twenty seconds, where most take one or two.
const LOOKS_MAX: usize = 40;
/// What is said of a change that goes on for longer; whether it came is read before the next one.
const UNFINISHED: &str = "Hetzner has not come to an end with the change within 20s";

const ANSWERS: Envelope =
    Envelope { whom: Hetzner::WHOM, code: "/error/code", message: "/error/message", rules: RULES };

#[derive(Debug)]
struct Hetzner {
    api: Api,
    zones: Zones<Fqdn>,
}

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    Ok(sets::provider(Hetzner {
        api: Api::by_token(parameters, "https://api.hetzner.cloud/v1", ANSWERS)?,
        zones: Zones::open(parameters)?,
    }))
}

impl Zoned for Hetzner {
    type Zone = Fqdn;

    const WHOM: &'static str = "Hetzner";

    fn zones(&self) -> &Zones<Fqdn> {
        &self.zones
    }

    async fn zone(&self, wire: &dyn Wire, name: &Fqdn) -> Outcome<Option<Fqdn>> {
        let found = self.api.look(wire, &format!("/zones/{name}"), &[404]).await?;
        Ok(found.map(|_| name.clone()))
    }
}

impl Sets for Hetzner {
    async fn get(&self, spot: Spot<'_, Fqdn>) -> Outcome<Option<Set>> {
        let Some(body) = self.api.look(spot.wire, &path(&spot)?, &[404]).await? else {
            return Ok(None);
        };
        let records = answer::told_list(&body, "/rrset/records")?;
        let value = |record: &Value| answer::text_at(record, "/value").parse().ok();
        Ok(Some(Set {
            values: records.iter().filter_map(value).collect(),
            ttl: answer::number_at(&body, "/rrset/ttl"),
            rest: Value::Array(records.to_vec()),
        }))
    }

    async fn put(
        &self,
        spot: Spot<'_, Fqdn>,
        there: Option<&Set>,
        values: &[IpAddr],
    ) -> Outcome<Changed> {
        let Some(set) = there else {
            return self.create(spot, values).await;
        };
        if set.values != values {
            let body = json!({ "records": records(set, values) });
            self.act(&spot, "set_records", &body).await?;
        }
        match spot.record.ttl {
            Some(ttl) if set.ttl != Some(ttl) => {
                self.act(&spot, "change_ttl", &json!({ "ttl": ttl })).await
            }
            _ => Ok(Changed::Yes),
        }
    }
}

impl Hetzner {
    async fn create(&self, spot: Spot<'_, Fqdn>, values: &[IpAddr]) -> Outcome<Changed> {
        let values: Vec<Value> =
            values.iter().map(|value| json!({ "value": value.to_string() })).collect();
        let mut body = json!({
            "name": zones::relative(spot.record, spot.zone)?,
            "type": spot.record.family.record_type(),
            "records": values,
        });
        if let Some(ttl) = spot.record.ttl {
            body["ttl"] = json!(ttl);
        }
        let path = format!("/zones/{}/rrsets", spot.zone);
        self.follow(spot.wire, self.api.request(Method::Post, &path).json(&body)).await
    }

    async fn act(&self, spot: &Spot<'_, Fqdn>, action: &str, body: &Value) -> Outcome<Changed> {
        let path = format!("{}/actions/{action}", path(spot)?);
        self.follow(spot.wire, self.api.request(Method::Post, &path).json(body)).await
    }

    /// Asks for a change and follows it to its end: the answer only says that it has begun.
    async fn follow(&self, wire: &dyn Wire, request: Request) -> Outcome<Changed> {
        let mut told = self.api.ask(wire, request).await?;
        for _look in 0..LOOKS_MAX {
            let Some(action) = under_way(&told)? else { return Ok(Changed::Yes) };
            wire.pause(LOOK_EVERY).await;
            let path = format!("/zones/actions/{}", answer::encoded(&action));
            // What is not known any more has long come to its end.
            let Some(found) = self.api.look(wire, &path, &[404]).await? else {
                return Ok(Changed::Yes);
            };
            told = found;
        }
        match under_way(&told)? {
            None => Ok(Changed::Yes),
            Some(_) => Err(Failure::new(Class::Transient, "running", UNFINISHED)),
        }
    }
}

/// Returns which action is to be looked at again, unless it has come to its end.
fn under_way(told: &Value) -> Outcome<Option<String>> {
    match answer::text_at(told, "/action/status") {
        "running" => Ok(answer::id_at(told, "/action/id")),
        "error" => {
            let message = answer::shortened(answer::text_at(told, "/action/error/message"));
            let code = answer::text_at(told, "/action/error/code");
            let words = format!("Hetzner began and gave up: {message}");
            Err(Failure::new(Class::Transient, code, words))
        }
        _ => Ok(None),
    }
}

/// Returns the records of a set; an address that stays keeps its comment, and one that takes
/// another's place takes its comment as well.
fn records(set: &Set, values: &[IpAddr]) -> Vec<Value> {
    let at =
        |index: usize| answer::text_at(set.rest.get(index).unwrap_or(&Value::Null), "/comment");
    let comments = values.iter().enumerate().map(|(index, value)| {
        match set.values.iter().position(|there| there == value) {
            Some(place) => at(place),
            None => at(index),
        }
    });
    let pairs = values.iter().zip(comments);
    pairs
        .map(|(value, comment)| match comment {
            "" => json!({ "value": value.to_string() }),
            comment => json!({ "value": value.to_string(), "comment": comment }),
        })
        .collect()
}

fn path(spot: &Spot<'_, Fqdn>) -> Result<String, Failure> {
    let label = answer::encoded(zones::relative(spot.record, spot.zone)?);
    let kind = spot.record.family.record_type();
    Ok(format!("/zones/{}/rrsets/{label}/{kind}", spot.zone))
}
