//! `DigitalOcean`: records with identifiers; names are whole in questions and relative in answers.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::{
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
    rows::{self, Row, Rows},
    verdict::{Envelope, Rule, account, limited, parked, transient},
    zones::{self, Outcome, Spot, ZONE, Zoned, Zones},
};

#[cfg(test)]
mod tests;

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "digitalocean",
    aliases: &[],
    title: "DigitalOcean",
    title_zh: "DigitalOcean",
    documents: "https://docs.digitalocean.com/reference/api/digitalocean/#tag/Domain-Records",
    parameters: &[
        Parameter {
            key: "token",
            need: Need::Required,
            nature: Nature::Secret,
            help: "a personal access token that may read, create, update and delete domains' records",
            help_zh: "个人访问令牌，需要域名记录的读取、创建、更新和删除权限",
        },
        ZONE,
        ENDPOINT,
    ],
    extras: &[ZONE],
    reading: Reading::Possible,
    floors: Floors::API,
    limits: Limits { ttl: Some((30, 2_147_483_647)), ..Limits::ZONE },
    open,
};

/// What its codes mean.
const RULES: &[Rule] = &[
    account("unauthorized"),
    account("Unauthorized"),
    parked("forbidden"),
    limited("too_many_requests"),
    transient("not_found"), // the record is gone: read again
    transient("server_error"),
    parked("unprocessable_entity"),
];

const ANSWERS: Envelope =
    Envelope { whom: DigitalOcean::WHOM, code: "/id", message: "/message", rules: RULES };

#[derive(Debug)]
struct DigitalOcean {
    endpoint: String,
    token: Secret,
    zones: Zones<Fqdn>,
}

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    Ok(Box::new(DigitalOcean {
        endpoint: parameters.endpoint("https://api.digitalocean.com")?,
        token: parameters.secret("token")?,
        zones: Zones::open(parameters)?,
    }))
}

impl Provider for DigitalOcean {
    fn read<'a>(&'a self, wire: &'a dyn Wire, record: &'a Record) -> Attempt<'a, Found> {
        Box::pin(rows::read(self, wire, record))
    }

    fn write<'a>(&'a self, wire: &'a dyn Wire, change: &'a Change) -> Attempt<'a, Written> {
        Box::pin(rows::write(self, wire, change))
    }
}

impl Zoned for DigitalOcean {
    type Zone = Fqdn;

    const WHOM: &'static str = "DigitalOcean";

    fn zones(&self) -> &Zones<Fqdn> {
        &self.zones
    }

    async fn zone(&self, wire: &dyn Wire, name: &Fqdn) -> Outcome<Option<Fqdn>> {
        let request = self.request(Method::Get, &format!("/v2/domains/{name}"));
        let response = wire.http(request).await?;
        if response.status == 404 {
            return Ok(None);
        }
        ANSWERS.open(&response, wire.now()).map(|_| Some(name.clone()))
    }
}

impl Rows for DigitalOcean {
    async fn list(&self, spot: Spot<'_, Fqdn>) -> Outcome<Vec<Row>> {
        let (record, kind) = (spot.record, spot.record.family.record_type());
        let label = zones::relative(record, spot.zone)?;
        let query =
            answer::query(&[("type", kind), ("name", record.name.as_str()), ("per_page", "200")]);
        let path = format!("/v2/domains/{}/records?{query}", spot.zone);
        let response = spot.wire.http(self.request(Method::Get, &path)).await?;
        let body = ANSWERS.open(&response, spot.wire.now())?;
        let ours = answer::told_list(&body, "/domain_records")?.iter().filter(|found| {
            zones::is_same(answer::text_at(found, "/name"), label)
                && answer::text_at(found, "/type") == kind
        });
        Ok(ours.filter_map(row).collect())
    }

    async fn create(&self, spot: Spot<'_, Fqdn>, value: IpAddr) -> Outcome<Changed> {
        let mut body = json!({
            "type": spot.record.family.record_type(),
            "name": zones::relative(spot.record, spot.zone)?,
            "data": value.to_string(),
        });
        if let Some(ttl) = spot.record.ttl {
            body["ttl"] = json!(ttl);
        }
        let path = format!("/v2/domains/{}/records", spot.zone);
        self.send(spot.wire, self.request(Method::Post, &path).json(&body)).await
    }

    async fn patch(&self, spot: Spot<'_, Fqdn>, row: &Row, value: IpAddr) -> Outcome<Changed> {
        let kind = spot.record.family.record_type();
        let mut body = json!({ "type": kind, "data": value.to_string() });
        if let Some(ttl) = spot.record.ttl {
            body["ttl"] = json!(ttl);
        }
        let request = self.request(Method::Patch, &path(&spot, row)).json(&body);
        self.send(spot.wire, request).await
    }

    async fn delete(&self, spot: Spot<'_, Fqdn>, row: &Row) -> Outcome<Changed> {
        self.send(spot.wire, self.request(Method::Delete, &path(&spot, row))).await
    }
}

impl DigitalOcean {
    fn request(&self, method: Method, path: &str) -> Request {
        Request::new(method, format!("{}{path}", self.endpoint))
            .header("authorization", format!("Bearer {}", self.token.reveal()))
    }

    async fn send(&self, wire: &dyn Wire, request: Request) -> Outcome<Changed> {
        let response = wire.http(request).await?;
        ANSWERS.done(&response, wire.now()).map(|()| Changed::Yes)
    }
}

fn path(spot: &Spot<'_, Fqdn>, row: &Row) -> String {
    format!("/v2/domains/{}/records/{}", spot.zone, answer::encoded(&row.id))
}

fn row(found: &Value) -> Option<Row> {
    Some(Row {
        id: answer::id_at(found, "/id")?,
        value: answer::text_at(found, "/data").parse().ok()?,
        ttl: answer::number_at(found, "/ttl"),
        rest: Value::Null,
    })
}
