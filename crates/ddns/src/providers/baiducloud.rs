//! Baidu AI Cloud's domain service (BCD): whole zones are listed, and what is meant must be picked by
//! name, type and view.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::{
    failure::{Class, Failure, Reach},
    name::Fqdn,
    provider::{
        ENDPOINT, Entry, Floors, Limits, Nature, Need, Parameter, ParameterError, Parameters,
        Provider, Reading,
    },
    record::Changed,
    secret::Secret,
    wire::{Method, Request, Wire},
};

use super::{
    answer,
    columns::Columns,
    rows::{self, Row, Rows},
    sign::bce,
    verdict::{Rule, Told, account, clock, limited, parked, transient},
    zones::{self, Outcome, Spot, ZONE, Zoned, Zones},
};

#[cfg(test)]
mod tests;

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "baiducloud",
    aliases: &["baidu"],
    title: "Baidu AI Cloud",
    title_zh: "百度智能云（域名服务 BCD）",
    documents: "https://cloud.baidu.com/doc/BCD/s/4jwvymhs7",
    parameters: &[
        Parameter {
            key: "access-key-id",
            need: Need::Required,
            nature: Nature::Plain,
            help: "the Access Key ID of a user that may work on the zone's records",
            help_zh: "子用户的 Access Key ID，需要域名解析的读写权限",
        },
        Parameter {
            key: "secret-access-key",
            need: Need::Required,
            nature: Nature::Secret,
            help: "the Secret Access Key that goes with it",
            help_zh: "对应的 Secret Access Key",
        },
        ZONE,
        ENDPOINT,
    ],
    extras: &[ZONE],
    reading: Reading::Possible,
    floors: Floors::API,
    limits: Limits::ZONE,
    open,
};

/// The view that answers whoever has no view of his own.
const VIEW: &str = "DEFAULT";
/// The time to live of a record that is created, where nobody says another one.
const TTL: u32 = 300;
/// How many records are asked for at once: an answer stays far below what is read of anybody.
const PAGE: usize = 200;
/// How many pages are read; a zone of 10 000 records is believed to be none.
const PAGES_MAX: usize = 50;

/// Where it tells what of a record.
const COLUMNS: Columns =
    Columns { id: "/recordId", name: "/domain", kind: "/rdtype", value: "/rdata", ttl: "/ttl" };

/// What its codes mean.
const RULES: &[Rule] = &[
    clock("RequestExpired"),
    account("InvalidAccessKeyId"),
    account("InvalidHTTPAuthHeader"),
    account("SignatureDoesNotMatch"),
    limited("RequestLimitExceeded"),
    limited("TooManyRequests"),
    parked("AccessDenied"), // the right may be missing for this zone alone
    transient("InternalError"),
    transient("ServiceUnavailable"),
];

#[derive(Debug)]
struct Baidu {
    endpoint: String,
    id: String,
    key: Secret,
    zones: Zones<Fqdn>,
}

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    Ok(rows::provider(Baidu {
        endpoint: parameters.endpoint("https://bcd.baidubce.com")?,
        id: parameters.required("access-key-id")?.to_owned(),
        key: parameters.secret("secret-access-key")?,
        zones: Zones::open(parameters)?,
    }))
}

impl Zoned for Baidu {
    type Zone = Fqdn;

    const WHOM: &'static str = "Baidu AI Cloud";

    fn zones(&self) -> &Zones<Fqdn> {
        &self.zones
    }

    async fn zone(&self, wire: &dyn Wire, name: &Fqdn) -> Outcome<Option<Fqdn>> {
        match self.page(wire, name, 1, 1).await {
            Ok(_) => Ok(Some(name.clone())),
            // Which code it has for a zone that is not there is written nowhere.
            Err(failure) if is_of_zone(&failure) => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

impl Rows for Baidu {
    async fn list(&self, spot: Spot<'_, Fqdn>) -> Outcome<Vec<Row>> {
        let record = spot.record;
        let label = zones::relative(record, spot.zone)?;
        let (mut rows, mut seen) = (Vec::new(), 0);
        for number in 1..=PAGES_MAX {
            let body = self.page(spot.wire, spot.zone, number, PAGE).await?;
            let records = answer::told_list(&body, "/result")?;
            let ours = COLUMNS.pick(records, record, label);
            let ours = ours.filter(|found| answer::text_at(found, "/view") == record.line_or(VIEW));
            rows.extend(ours.filter_map(row));
            seen += records.len();
            let total = body.get("totalCount").and_then(Value::as_u64).unwrap_or_default();
            if records.is_empty() || u64::try_from(seen).is_ok_and(|seen| seen >= total) {
                return Ok(rows);
            }
        }
        Err(rows::endless())
    }

    async fn create(&self, spot: Spot<'_, Fqdn>, value: IpAddr) -> Outcome<Changed> {
        let body = json!({
            "domain": zones::relative(spot.record, spot.zone)?,
            "view": spot.record.line_or(VIEW),
            "rdType": spot.record.family.record_type(),
            "ttl": spot.record.ttl.unwrap_or(TTL),
            "rdata": written(value),
            "zoneName": spot.zone.as_str(),
        });
        self.send(spot.wire, "add", &body).await?;
        Ok(Changed::Yes)
    }

    async fn patch(&self, spot: Spot<'_, Fqdn>, row: &Row, value: IpAddr) -> Outcome<Changed> {
        let body = json!({
            "recordId": row.number()?,
            "domain": zones::relative(spot.record, spot.zone)?,
            "view": row.rest.get("view"),
            "rdType": spot.record.family.record_type(),
            "ttl": spot.record.ttl.or(row.ttl).unwrap_or(TTL),
            "rdata": written(value),
            "zoneName": spot.zone.as_str(),
        });
        self.send(spot.wire, "edit", &body).await?;
        Ok(Changed::Yes)
    }

    async fn delete(&self, spot: Spot<'_, Fqdn>, row: &Row) -> Outcome<Changed> {
        let body = json!({ "recordId": row.number()?, "zoneName": spot.zone.as_str() });
        self.send(spot.wire, "delete", &body).await?;
        Ok(Changed::Yes)
    }
}

impl Baidu {
    async fn page(
        &self,
        wire: &dyn Wire,
        zone: &Fqdn,
        number: usize,
        size: usize,
    ) -> Result<Value, Failure> {
        // Documents and clients name the page differently; what is not known is passed over.
        let body = json!({
            "domain": zone.as_str(), "pageNo": number, "pageNum": number, "pageSize": size
        });
        self.send(wire, "list", &body).await
    }

    async fn send(&self, wire: &dyn Wire, what: &str, body: &Value) -> Result<Value, Failure> {
        let url = format!("{}/v1/domain/resolve/{what}", self.endpoint);
        let request = Request::new(Method::Post, url).json(body);
        let request = bce::sign(request, &self.id, &self.key, wire.now());
        let response = wire.http(request).await?;
        let is_good = matches!(response.status, 200..=299);
        // A change is answered with nothing at all; nothing to a question is no answer.
        if is_good && response.body.is_empty() && what != "list" {
            return Ok(Value::Null);
        }
        let body = answer::json(&response)?;
        let code = answer::text_at(&body, "/code");
        if is_good && code.is_empty() {
            return Ok(body);
        }
        let message = answer::text_at(&body, "/message");
        let now = wire.now();
        Err(Told { whom: Self::WHOM, code, message, response: &response, now }.judge(RULES))
    }
}

fn is_of_zone(failure: &Failure) -> bool {
    failure.class == Class::Parked && failure.reach == Reach::Binding
}

fn row(found: &Value) -> Option<Row> {
    let rest = json!({ "view": found.get("view")? });
    Some(Row { rest, ..COLUMNS.row(found)? })
}

/// Only IPv6 addresses in upper-case letters are taken.
fn written(value: IpAddr) -> String {
    value.to_string().to_uppercase()
}
