//! `DigitalOcean`: records with identifiers; names are whole in questions and relative in answers.

use std::net::IpAddr;

use serde_json::json;

use crate::{
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
    columns::Columns,
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

/// Where it tells what of a record.
const COLUMNS: Columns =
    Columns { id: "/id", name: "/name", kind: "/type", value: "/data", ttl: "/ttl" };

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
    api: Api,
    zones: Zones<Fqdn>,
}

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    Ok(rows::provider(DigitalOcean {
        api: Api::by_token(parameters, "https://api.digitalocean.com", ANSWERS)?,
        zones: Zones::open(parameters)?,
    }))
}

impl Zoned for DigitalOcean {
    type Zone = Fqdn;

    const WHOM: &'static str = "DigitalOcean";

    fn zones(&self) -> &Zones<Fqdn> {
        &self.zones
    }

    async fn zone(&self, wire: &dyn Wire, name: &Fqdn) -> Outcome<Option<Fqdn>> {
        let found = self.api.look(wire, &format!("/v2/domains/{name}"), &[404]).await?;
        Ok(found.map(|_| name.clone()))
    }
}

impl Rows for DigitalOcean {
    async fn list(&self, spot: Spot<'_, Fqdn>) -> Outcome<Vec<Row>> {
        let (record, kind) = (spot.record, spot.record.family.record_type());
        let label = zones::relative(record, spot.zone)?;
        let query =
            answer::query(&[("type", kind), ("name", record.name.as_str()), ("per_page", "200")]);
        let path = format!("/v2/domains/{}/records?{query}", spot.zone);
        let body = self.api.ask(spot.wire, self.api.request(Method::Get, &path)).await?;
        let list = answer::told_list(&body, "/domain_records")?;
        let ours = COLUMNS.pick(list, record, label);
        Ok(ours.filter_map(|found| COLUMNS.row(found)).collect())
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
        self.api.change(spot.wire, self.api.request(Method::Post, &path).json(&body)).await
    }

    async fn patch(&self, spot: Spot<'_, Fqdn>, row: &Row, value: IpAddr) -> Outcome<Changed> {
        let kind = spot.record.family.record_type();
        let mut body = json!({ "type": kind, "data": value.to_string() });
        if let Some(ttl) = spot.record.ttl {
            body["ttl"] = json!(ttl);
        }
        let request = self.api.request(Method::Patch, &path(&spot, row)).json(&body);
        self.api.change(spot.wire, request).await
    }

    async fn delete(&self, spot: Spot<'_, Fqdn>, row: &Row) -> Outcome<Changed> {
        self.api.change(spot.wire, self.api.request(Method::Delete, &path(&spot, row))).await
    }
}

fn path(spot: &Spot<'_, Fqdn>, row: &Row) -> String {
    format!("/v2/domains/{}/records/{}", spot.zone, answer::encoded(&row.id))
}
