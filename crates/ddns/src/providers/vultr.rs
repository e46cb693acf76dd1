//! Vultr: records with identifiers, read page by page.

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
    verdict::Envelope,
    zones::{self, Outcome, Spot, ZONE, Zoned, Zones},
};

#[cfg(test)]
mod tests;

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "vultr",
    aliases: &[],
    title: "Vultr",
    title_zh: "Vultr",
    documents: "https://www.vultr.com/api/#tag/dns",
    parameters: &[
        Parameter {
            key: "token",
            need: Need::Required,
            nature: Nature::Secret,
            help: "an API key whose access control lets in every address, not only today's",
            help_zh: "API Key；其访问控制须允许所有地址，否则地址变化后将被拒绝",
        },
        ZONE,
        ENDPOINT,
    ],
    extras: &[ZONE],
    reading: Reading::Possible,
    floors: Floors::API,
    limits: Limits { ttl: Some((1, 2_147_483_647)), ..Limits::ZONE },
    open,
};

/// How many pages of 100 records are read.
const PAGES_MAX: usize = 50;

/// Where it tells what of a record.
const COLUMNS: Columns =
    Columns { id: "/id", name: "/name", kind: "/type", value: "/data", ttl: "/ttl" };

/// It has no codes but those of HTTP.
const ANSWERS: Envelope =
    Envelope { whom: Vultr::WHOM, code: "/status", message: "/error", rules: &[] };

#[derive(Debug)]
struct Vultr {
    api: Api,
    zones: Zones<Fqdn>,
}

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    Ok(rows::provider(Vultr {
        api: Api::by_token(parameters, "https://api.vultr.com/v2", ANSWERS)?,
        zones: Zones::open(parameters)?,
    }))
}

impl Zoned for Vultr {
    type Zone = Fqdn;

    const WHOM: &'static str = "Vultr";

    fn zones(&self) -> &Zones<Fqdn> {
        &self.zones
    }

    async fn zone(&self, wire: &dyn Wire, name: &Fqdn) -> Outcome<Option<Fqdn>> {
        let found = self.api.look(wire, &format!("/domains/{name}"), &[404]).await?;
        Ok(found.map(|_| name.clone()))
    }
}

impl Rows for Vultr {
    async fn list(&self, spot: Spot<'_, Fqdn>) -> Outcome<Vec<Row>> {
        let (mut rows, mut cursor) = (Vec::new(), String::new());
        let label = zones::before(spot.record, spot.zone)?;
        for _page in 0..PAGES_MAX {
            let query = match cursor.as_str() {
                "" => answer::query(&[("per_page", "100")]),
                cursor => answer::query(&[("per_page", "100"), ("cursor", cursor)]),
            };
            let path = format!("/domains/{}/records?{query}", spot.zone);
            let body = self.api.ask(spot.wire, self.api.request(Method::Get, &path)).await?;
            let list = answer::told_list(&body, "/records")?;
            let ours = COLUMNS.pick(list, spot.record, label);
            rows.extend(ours.filter_map(|found| COLUMNS.row(found)));
            answer::text_at(&body, "/meta/links/next").clone_into(&mut cursor);
            if cursor.is_empty() {
                return Ok(rows);
            }
        }
        Err(rows::endless())
    }

    async fn create(&self, spot: Spot<'_, Fqdn>, value: IpAddr) -> Outcome<Changed> {
        let mut body = json!({
            "type": spot.record.family.record_type(),
            "name": zones::before(spot.record, spot.zone)?,
            "data": value.to_string(),
        });
        if let Some(ttl) = spot.record.ttl {
            body["ttl"] = json!(ttl);
        }
        let path = format!("/domains/{}/records", spot.zone);
        self.api.change(spot.wire, self.api.request(Method::Post, &path).json(&body)).await
    }

    async fn patch(&self, spot: Spot<'_, Fqdn>, row: &Row, value: IpAddr) -> Outcome<Changed> {
        let mut body = json!({ "data": value.to_string() });
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
    format!("/domains/{}/records/{}", spot.zone, answer::encoded(&row.id))
}
