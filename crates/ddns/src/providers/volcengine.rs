//! Volcengine DNS (`TrafficRoute`): signed requests, records with identifiers, lines.

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
    secret::Secret,
    wire::{Method, Request, Wire},
};

use super::{
    answer,
    columns::Columns,
    rows::{self, Row, Rows},
    sign::volc,
    verdict::{Rule, Told, account, clock, limited, parked, transient},
    zones::{self, Outcome, Spot, ZONE, Zoned, Zones},
};

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "volcengine",
    aliases: &["trafficroute", "volcengine-dns"],
    title: "Volcengine DNS (TrafficRoute)",
    title_zh: "火山引擎 云解析（TrafficRoute）",
    documents: "https://www.volcengine.com/docs/6758/155086",
    parameters: &[
        Parameter {
            key: "access-key-id",
            need: Need::Required,
            nature: Nature::Plain,
            help: "the identifier of an access key that may change DNS records",
            help_zh: "具有 DNS 权限的 Access Key ID",
        },
        Parameter {
            key: "secret-access-key",
            need: Need::Required,
            nature: Nature::Secret,
            help: "the access key itself",
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

/// The line that answers whoever has no line of his own.
const LINE: &str = "default";
/// The version of its API.
const VERSION: &str = "2018-08-01";
/// The most records of a page.
const PAGE: &str = "500";
/// Such a record is there already.
const THERE: &str = "ErrDBDuplicated";

/// Where it tells what of a record.
const COLUMNS: Columns =
    Columns { id: "/RecordID", name: "/Host", kind: "/Type", value: "/Value", ttl: "/TTL" };

/// What its codes mean; statuses tell the rest.
const RULES: &[Rule] = &[
    account("InvalidAccessKey"),
    account("InvalidAuthorization"),
    account("InvalidCredential"),
    account("InvalidSecretToken"),
    account("SignatureDoesNotMatch"),
    account("AccessDenied"),
    clock("InvalidTimestamp"),
    limited("FlowLimitExceeded"),
    limited("AccountFlowLimitExceeded"),
    transient("InternalError"),
    transient("InternalServiceError"),
    transient("InternalServiceTimeout"),
    transient("ServiceUnavailableTemp"),
    transient("ErrInternalServer"),
    transient("ErrDBNotFound"), // it is gone: read again
    parked("ErrZoneNotFound"),
    parked("ErrParamInvalid"),
    parked("ErrQuotaExceeded"),
];

#[derive(Debug)]
struct Volcengine {
    endpoint: String,
    id: String,
    key: Secret,
    zones: Zones<Zone>,
}

/// A zone.
#[derive(Debug, Clone)]
struct Zone {
    id: u64,
    name: Fqdn,
}

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    let endpoint = parameters.endpoint("https://dns.volcengineapi.com")?;
    let id = parameters.required("access-key-id")?.to_owned();
    let key = parameters.secret("secret-access-key")?;
    Ok(rows::provider(Volcengine { endpoint, id, key, zones: Zones::open(parameters)? }))
}

impl Zoned for Volcengine {
    type Zone = Zone;

    const WHOM: &'static str = "Volcengine";

    fn zones(&self) -> &Zones<Zone> {
        &self.zones
    }

    async fn zone(&self, wire: &dyn Wire, name: &Fqdn) -> Outcome<Option<Zone>> {
        let query = [("Key", name.as_str()), ("SearchMode", "exact")];
        let body = self.list("ListZones", wire, &query).await?;
        let zones = answer::list_at(&body, "/Result/Zones").iter();
        let mut zones = zones.filter(|zone| answer::text_at(zone, "/ZoneName") == name.as_str());
        let id = zones.find_map(|zone| zone.pointer("/ZID")?.as_u64());
        Ok(id.map(|id| Zone { id, name: name.clone() }))
    }
}

impl Rows for Volcengine {
    async fn list(&self, spot: Spot<'_, Zone>) -> Outcome<Vec<Row>> {
        let (record, kind) = (spot.record, spot.record.family.record_type());
        let label = zones::relative(record, &spot.zone.name)?;
        let id = spot.zone.id.to_string();
        let query = [
            ("Host", label),
            ("PageSize", PAGE),
            ("SearchMode", "exact"),
            ("Type", kind),
            ("ZID", id.as_str()),
        ];
        let body = self.list("ListRecords", spot.wire, &query).await?;
        let list = answer::list_at(&body, "/Result/Records");
        let ours = COLUMNS.pick(list, record, label);
        let ours = ours.filter(|found| answer::text_at(found, "/Line") == record.line_or(LINE));
        Ok(ours.filter_map(row).collect())
    }

    async fn create(&self, spot: Spot<'_, Zone>, value: IpAddr) -> Outcome<Changed> {
        let mut body = json!({
            "ZID": spot.zone.id,
            "Host": zones::relative(spot.record, &spot.zone.name)?,
            "Type": spot.record.family.record_type(),
            "Line": spot.record.line_or(LINE),
            "Value": value.to_string(),
        });
        set(&mut body, "TTL", spot.record.ttl.map(Value::from));
        rows::changed(self.act("CreateRecord", spot.wire, &body).await, THERE)
    }

    async fn patch(&self, spot: Spot<'_, Zone>, row: &Row, value: IpAddr) -> Outcome<Changed> {
        let mut body = json!({
            "RecordID": row.id,
            "Host": zones::relative(spot.record, &spot.zone.name)?,
            "Type": spot.record.family.record_type(),
            "Line": spot.record.line_or(LINE),
            "Value": value.to_string(),
        });
        // What is not sent may fall back to the default.
        set(&mut body, "TTL", spot.record.ttl.or(row.ttl).map(Value::from));
        for key in ["Weight", "Remark"] {
            set(&mut body, key, row.rest.get(key).filter(|value| !value.is_null()).cloned());
        }
        rows::changed(self.act("UpdateRecord", spot.wire, &body).await, THERE)
    }

    async fn delete(&self, spot: Spot<'_, Zone>, row: &Row) -> Outcome<Changed> {
        rows::changed(
            self.act("DeleteRecord", spot.wire, &json!({ "RecordID": row.id })).await,
            THERE,
        )
    }
}

impl Volcengine {
    /// Asks for something; the query is signed, and so in the order of its names.
    async fn list(
        &self,
        action: &str,
        wire: &dyn Wire,
        query: &[(&str, &str)],
    ) -> Result<Value, Failure> {
        let mut pairs = vec![("Action", action)];
        pairs.extend_from_slice(query);
        pairs.push(("Version", VERSION));
        pairs.sort_unstable();
        let url = format!("{}/?{}", self.endpoint, answer::query(&pairs));
        self.ask(wire, Request::new(Method::Get, url)).await
    }

    /// Does something.
    async fn act(&self, action: &str, wire: &dyn Wire, body: &Value) -> Result<Value, Failure> {
        let query = answer::query(&[("Action", action), ("Version", VERSION)]);
        let request = Request::new(Method::Post, format!("{}/?{query}", self.endpoint));
        self.ask(wire, Request { body: body.to_string().into_bytes(), ..request }).await
    }

    async fn ask(&self, wire: &dyn Wire, request: Request) -> Result<Value, Failure> {
        let request = volc::sign(request, &self.id, &self.key, wire.now());
        let response = wire.http(request).await?;
        let body = answer::json(&response)?;
        let code = answer::text_at(&body, "/ResponseMetadata/Error/Code");
        if code.is_empty() {
            answer::check_status(&response)?;
            return match body.pointer("/ResponseMetadata") {
                Some(_) => Ok(body),
                None => Err(answer::unknown(&response)),
            };
        }
        let message = answer::text_at(&body, "/ResponseMetadata/Error/Message");
        let (whom, now) = (Self::WHOM, wire.now());
        Err(Told { whom, code, message, response: &response, now }.judge(RULES))
    }
}

fn row(found: &Value) -> Option<Row> {
    let rest = json!({ "Weight": found.get("Weight"), "Remark": found.get("Remark") });
    Some(Row { rest, ..COLUMNS.row(found)? })
}

fn set(body: &mut Value, key: &str, value: Option<Value>) {
    if let (Some(body), Some(value)) = (body.as_object_mut(), value) {
        body.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests;
