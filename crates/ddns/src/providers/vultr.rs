//! Vultr: records with identifiers, read page by page.

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

/// It has no codes but those of HTTP.
const ANSWERS: Envelope =
    Envelope { whom: Vultr::WHOM, code: "/status", message: "/error", rules: &[] };

#[derive(Debug)]
struct Vultr {
    endpoint: String,
    token: Secret,
    zones: Zones<Fqdn>,
}

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    Ok(Box::new(Vultr {
        endpoint: parameters.endpoint("https://api.vultr.com/v2")?,
        token: parameters.secret("token")?,
        zones: Zones::open(parameters)?,
    }))
}

impl Provider for Vultr {
    fn read<'a>(&'a self, wire: &'a dyn Wire, record: &'a Record) -> Attempt<'a, Found> {
        Box::pin(rows::read(self, wire, record))
    }

    fn write<'a>(&'a self, wire: &'a dyn Wire, change: &'a Change) -> Attempt<'a, Written> {
        Box::pin(rows::write(self, wire, change))
    }
}

impl Zoned for Vultr {
    type Zone = Fqdn;

    const WHOM: &'static str = "Vultr";

    fn zones(&self) -> &Zones<Fqdn> {
        &self.zones
    }

    async fn zone(&self, wire: &dyn Wire, name: &Fqdn) -> Outcome<Option<Fqdn>> {
        let request = self.request(Method::Get, &format!("/domains/{name}"));
        let response = wire.http(request).await?;
        if response.status == 404 {
            return Ok(None);
        }
        ANSWERS.open(&response, wire.now()).map(|_| Some(name.clone()))
    }
}

impl Rows for Vultr {
    async fn list(&self, spot: Spot<'_, Fqdn>) -> Outcome<Vec<Row>> {
        let (mut rows, mut cursor) = (Vec::new(), String::new());
        let (kind, label) = (spot.record.family.record_type(), label(&spot)?);
        for _page in 0..PAGES_MAX {
            let query = match cursor.as_str() {
                "" => answer::query(&[("per_page", "100")]),
                cursor => answer::query(&[("per_page", "100"), ("cursor", cursor)]),
            };
            let path = format!("/domains/{}/records?{query}", spot.zone);
            let response = spot.wire.http(self.request(Method::Get, &path)).await?;
            let body = ANSWERS.open(&response, spot.wire.now())?;
            let ours = answer::told_list(&body, "/records")?.iter().filter(|found| {
                zones::is_same(answer::text_at(found, "/name"), label)
                    && answer::text_at(found, "/type") == kind
            });
            rows.extend(ours.filter_map(row));
            answer::text_at(&body, "/meta/links/next").clone_into(&mut cursor);
            if cursor.is_empty() {
                return Ok(rows);
            }
        }
        Err(zones::refused("the zone has more records than are read"))
    }

    async fn create(&self, spot: Spot<'_, Fqdn>, value: IpAddr) -> Outcome<Changed> {
        let mut body = json!({
            "type": spot.record.family.record_type(),
            "name": label(&spot)?,
            "data": value.to_string(),
        });
        if let Some(ttl) = spot.record.ttl {
            body["ttl"] = json!(ttl);
        }
        let path = format!("/domains/{}/records", spot.zone);
        self.send(spot.wire, self.request(Method::Post, &path).json(&body)).await
    }

    async fn patch(&self, spot: Spot<'_, Fqdn>, row: &Row, value: IpAddr) -> Outcome<Changed> {
        let mut body = json!({ "data": value.to_string() });
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

impl Vultr {
    fn request(&self, method: Method, path: &str) -> Request {
        Request::new(method, format!("{}{path}", self.endpoint))
            .header("authorization", format!("Bearer {}", self.token.reveal()))
    }

    async fn send(&self, wire: &dyn Wire, request: Request) -> Outcome<Changed> {
        let response = wire.http(request).await?;
        ANSWERS.done(&response, wire.now()).map(|()| Changed::Yes)
    }
}

/// Returns what stands before the zone; nothing for the zone itself.
fn label<'a>(spot: &Spot<'a, Fqdn>) -> Result<&'a str, Failure> {
    let label = zones::relative(spot.record, spot.zone)?;
    Ok(if label == "@" { "" } else { label })
}

fn path(spot: &Spot<'_, Fqdn>, row: &Row) -> String {
    format!("/domains/{}/records/{}", spot.zone, answer::encoded(&row.id))
}

fn row(found: &Value) -> Option<Row> {
    Some(Row {
        id: answer::id_at(found, "/id")?,
        value: answer::text_at(found, "/data").parse().ok()?,
        ttl: answer::number_at(found, "/ttl"),
        rest: Value::Null,
    })
}
