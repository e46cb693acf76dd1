//! Linode (Akamai): records with identifiers, and times to live that are rounded.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::{
    name::Fqdn,
    provider::{
        ENDPOINT, Entry, Floors, Limits, Nature, Need, Parameter, ParameterError, Parameters,
        Provider, Reading,
    },
    record::{Changed, Record},
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
    name: "linode",
    aliases: &["akamai"],
    title: "Linode (Akamai)",
    title_zh: "Linode（Akamai）",
    documents: "https://techdocs.akamai.com/linode-api/reference/put-domain-record",
    parameters: &[
        Parameter {
            key: "token",
            need: Need::Required,
            nature: Nature::Secret,
            help: "a personal access token with the scope `domains:read_write`",
            help_zh: "个人访问令牌，需要 `domains:read_write` 权限",
        },
        ZONE,
        ENDPOINT,
    ],
    extras: &[ZONE],
    reading: Reading::Possible,
    floors: Floors::API,
    limits: Limits { ttl: Some((30, 2_419_200)), ..Limits::ZONE },
    open,
};

/// The times to live that there are; every other one becomes one beside it.
const TTLS: [u32; 14] = [
    30, 120, 300, 3600, 7200, 14_400, 28_800, 57_600, 86_400, 172_800, 345_600, 604_800, 1_209_600,
    2_419_200,
];
/// How many pages of 100 records are read; a domain may have 12 000.
const PAGES_MAX: u64 = 120;

/// Where it tells what of a record.
const COLUMNS: Columns =
    Columns { id: "/id", name: "/name", kind: "/type", value: "/target", ttl: "/ttl_sec" };

/// It has no codes but those of HTTP.
const ANSWERS: Envelope = Envelope {
    whom: Linode::WHOM,
    code: "/errors/0/code",
    message: "/errors/0/reason",
    rules: &[],
};

#[derive(Debug)]
struct Linode {
    api: Api,
    zones: Zones<Hosted>,
}

/// A zone: its name, and the identifier that everything is asked by.
#[derive(Debug, Clone)]
struct Hosted {
    name: Fqdn,
    id: String,
}

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    Ok(rows::provider(Linode {
        api: Api::by_token(parameters, "https://api.linode.com/v4", ANSWERS)?,
        zones: Zones::open(parameters)?,
    }))
}

impl Zoned for Linode {
    type Zone = Hosted;

    const WHOM: &'static str = "Linode";

    fn zones(&self) -> &Zones<Hosted> {
        &self.zones
    }

    async fn zone(&self, wire: &dyn Wire, name: &Fqdn) -> Outcome<Option<Hosted>> {
        let filter = json!({ "domain": name.as_str() }).to_string();
        let request = self.api.request(Method::Get, "/domains").header("x-filter", filter);
        let body = self.api.ask(wire, request).await?;
        let mut domains = answer::told_list(&body, "/data")?
            .iter()
            .filter(|domain| zones::is_same(answer::text_at(domain, "/domain"), name.as_str()));
        let id = domains.find_map(|domain| answer::id_at(domain, "/id"));
        Ok(id.map(|id| Hosted { name: name.clone(), id }))
    }
}

impl Rows for Linode {
    async fn list(&self, spot: Spot<'_, Hosted>) -> Outcome<Vec<Row>> {
        let label = zones::before(spot.record, &spot.zone.name)?;
        let mut rows = Vec::new();
        for page in 1..=PAGES_MAX {
            let path = format!("{}?page={page}&page_size=100", records(&spot));
            let body = self.api.ask(spot.wire, self.api.request(Method::Get, &path)).await?;
            let list = answer::told_list(&body, "/data")?;
            let ours = COLUMNS.pick(list, spot.record, label);
            rows.extend(ours.filter_map(|found| COLUMNS.row(found)));
            let pages = body.get("pages").and_then(Value::as_u64).unwrap_or_default();
            if page >= pages {
                return Ok(rows);
            }
        }
        Err(rows::endless())
    }

    async fn create(&self, spot: Spot<'_, Hosted>, value: IpAddr) -> Outcome<Changed> {
        let mut body = json!({
            "type": spot.record.family.record_type(),
            "name": zones::before(spot.record, &spot.zone.name)?,
            "target": value.to_string(),
        });
        if let Some(ttl) = spot.record.ttl {
            body["ttl_sec"] = json!(ttl);
        }
        self.api
            .change(spot.wire, self.api.request(Method::Post, &records(&spot)).json(&body))
            .await
    }

    async fn patch(&self, spot: Spot<'_, Hosted>, row: &Row, value: IpAddr) -> Outcome<Changed> {
        let mut body = json!({ "target": value.to_string() });
        if let Some(ttl) = spot.record.ttl {
            body["ttl_sec"] = json!(ttl);
        }
        self.api
            .change(spot.wire, self.api.request(Method::Put, &path(&spot, row)).json(&body))
            .await
    }

    async fn delete(&self, spot: Spot<'_, Hosted>, row: &Row) -> Outcome<Changed> {
        self.api.change(spot.wire, self.api.request(Method::Delete, &path(&spot, row))).await
    }

    fn suits(&self, record: &Record, row: &Row) -> bool {
        let (Some(want), Some(there)) = (record.ttl, row.ttl) else {
            return record.ttl.is_none();
        };
        want == there || neighbours(want).contains(&Some(there))
    }
}

/// Returns what a time to live may have been rounded to; nothing for one that there is.
fn neighbours(ttl: u32) -> [Option<u32>; 2] {
    if TTLS.contains(&ttl) {
        return [None, None];
    }
    let below = TTLS.iter().rev().find(|known| **known < ttl);
    let above = TTLS.iter().find(|known| **known > ttl);
    [below.copied(), above.copied()]
}

fn records(spot: &Spot<'_, Hosted>) -> String {
    format!("/domains/{}/records", answer::encoded(&spot.zone.id))
}

fn path(spot: &Spot<'_, Hosted>, row: &Row) -> String {
    format!("{}/{}", records(spot), answer::encoded(&row.id))
}
