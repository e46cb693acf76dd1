//! Cloudflare: API v4, changed by PATCH so that `proxied`, comments and tags survive.

use std::net::IpAddr;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::{
    failure::{Class, Failure},
    name::Fqdn,
    provider::{
        ENDPOINT, Entry, Floors, Limits, Nature, Need, Parameter, ParameterError, Parameters,
        Provider, Reading,
    },
    record::{Changed, Record},
    secret::Secret,
    wire::{Method, Request, Response, Wire},
};

use super::{
    answer,
    columns::Columns,
    rows::{self, Row, Rows},
    verdict::{Rule, Told, account, limited, parked, transient},
    zones::{self, Outcome, Spot, ZONE, Zoned, Zones},
};

#[cfg(test)]
mod tests;

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "cloudflare",
    aliases: &["cf"],
    title: "Cloudflare",
    title_zh: "Cloudflare",
    documents: "https://developers.cloudflare.com/api/resources/dns/subresources/records/",
    parameters: &[
        Parameter {
            key: "token",
            need: Need::Optional,
            nature: Nature::Secret,
            help: "an API token with Zone:Read and DNS:Edit for the zone",
            help_zh: "API 令牌，需要该区域的 Zone:Read 和 DNS:Edit 权限",
        },
        Parameter {
            key: "email",
            need: Need::Optional,
            nature: Nature::Plain,
            help: "the account's address, only together with `key`",
            help_zh: "账户邮箱，仅与 `key` 一起使用",
        },
        Parameter {
            key: "key",
            need: Need::Optional,
            nature: Nature::Secret,
            help: "the global API key, which may do everything; a token is better",
            help_zh: "全局 API Key，权限过大，建议改用令牌",
        },
        ZONE,
        ZONE_ID,
        ENDPOINT,
    ],
    extras: &[
        Parameter {
            key: "proxied",
            need: Need::Optional,
            nature: Nature::Plain,
            help: "whether Cloudflare stands before the address; what is there stays otherwise",
            help_zh: "是否启用 Cloudflare 代理；不填则保持现状",
        },
        Parameter {
            key: "comment",
            need: Need::Optional,
            nature: Nature::Plain,
            help: "the comment of records; what is there stays otherwise",
            help_zh: "记录备注；不填则保持现状",
        },
        ZONE,
        ZONE_ID,
    ],
    reading: Reading::Possible,
    floors: Floors::API,
    // 1 stands for "automatic"; everything else is from a minute to a day.
    limits: Limits { ttl: Some((1, 86_400)), ..Limits::ZONE },
    open,
};

const ZONE_ID: Parameter = Parameter {
    key: "zone-id",
    need: Need::Optional,
    nature: Nature::Plain,
    help: "the zone's identifier, for tokens without Zone:Read",
    help_zh: "区域 ID，令牌没有 Zone:Read 权限时填写",
};

/// The time to live that stands for "automatic".
const TTL_AUTOMATIC: u32 = 1;

/// Where it tells what of a record.
const COLUMNS: Columns =
    Columns { id: "/id", name: "/name", kind: "/type", value: "/content", ttl: "/ttl" };

/// What its codes mean, where the stage does not matter.
const RULES: &[Rule] = &[
    account("6003"), // headers it cannot read: a token that is none
    account("6111"), // the same, told of one header
    account("9103"), // unknown key or e-mail
    account("9106"), // no credentials
    account("1000"), // invalid token
    limited("971"),  // more requests than it bears
    limited("10429"),
    transient("81044"), // the record is gone: read again
    parked("7003"),     // an identifier that is none
    parked("8105*"),    // a record of another type is in the way
];

#[derive(Debug)]
struct Cloudflare {
    endpoint: String,
    credentials: Credentials,
    zone_id: Option<String>,
    zones: Zones<String>,
}

#[derive(Debug)]
enum Credentials {
    Token(Secret),
    Global { email: String, key: Secret },
}

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    let credentials = match (
        parameters.optional_secret("token"),
        parameters.text("email")?,
        parameters.optional_secret("key"),
    ) {
        (Some(token), None, None) => Credentials::Token(token),
        (None, Some(email), Some(key)) => Credentials::Global { email: email.to_owned(), key },
        (None, None, None) => return Err(ParameterError::new("token", "it is missing")),
        (Some(_), _, _) => {
            return Err(ParameterError::new(
                "token",
                "it does not go together with `email` or `key`",
            ));
        }
        (None, _, _) => return Err(ParameterError::new("key", "it goes together with `email`")),
    };
    Ok(rows::provider(Cloudflare {
        endpoint: parameters.endpoint("https://api.cloudflare.com/client/v4")?,
        credentials,
        zone_id: parameters.text(ZONE_ID.key)?.map(str::to_owned),
        zones: Zones::open(parameters)?,
    }))
}

impl Zoned for Cloudflare {
    type Zone = String;

    const WHOM: &'static str = "Cloudflare";

    fn zones(&self) -> &Zones<String> {
        &self.zones
    }

    fn told_zone(&self, record: &Record) -> Outcome<Option<String>> {
        let of_name = zones::text(record, ZONE_ID.key)?.map(str::to_owned);
        Ok(of_name.or_else(|| self.zone_id.clone()))
    }

    async fn zone(&self, wire: &dyn Wire, name: &Fqdn) -> Outcome<Option<String>> {
        let query =
            answer::query(&[("name", name.as_str()), ("status", "active"), ("per_page", "50")]);
        let request = self.request(Method::Get, &format!("/zones?{query}"));
        let result = send(wire, request).await.map_err(Refusal::of_account)?;
        let zones = answer::told_list(&result, "")?;
        let found =
            zones.iter().find(|zone| zones::is_same(answer::text_at(zone, "/name"), name.as_str()));
        Ok(found.and_then(|zone| answer::id_at(zone, "/id")))
    }
}

impl Rows for Cloudflare {
    async fn list(&self, spot: Spot<'_, String>) -> Outcome<Vec<Row>> {
        let record = spot.record;
        let query = answer::query(&[
            ("type", record.family.record_type()),
            ("name", record.name.as_str()),
            ("per_page", "100"),
        ]);
        let path = format!("/zones/{}/dns_records?{query}", answer::encoded(spot.zone));
        let result = send(spot.wire, self.request(Method::Get, &path)).await?;
        let list = answer::told_list(&result, "")?;
        let ours = COLUMNS.pick(list, record, record.name.as_str());
        Ok(ours.filter_map(row).collect())
    }

    async fn create(&self, spot: Spot<'_, String>, value: IpAddr) -> Outcome<Changed> {
        let mut body = settings(spot.record)?;
        body.entry("ttl").or_insert(json!(TTL_AUTOMATIC));
        body.entry("proxied").or_insert(json!(false));
        body.insert("type".to_owned(), json!(spot.record.family.record_type()));
        body.insert("name".to_owned(), json!(spot.record.name.as_str()));
        body.insert("content".to_owned(), json!(value.to_string()));
        let path = format!("/zones/{}/dns_records", answer::encoded(spot.zone));
        let request = self.request(Method::Post, &path).json(&Value::Object(body));
        changed(send(spot.wire, request).await)
    }

    async fn patch(&self, spot: Spot<'_, String>, row: &Row, value: IpAddr) -> Outcome<Changed> {
        let mut body = settings(spot.record)?;
        if value != row.value {
            body.insert("content".to_owned(), json!(value.to_string()));
        }
        let request = self.request(Method::Patch, &path(&spot, row)).json(&Value::Object(body));
        changed(send(spot.wire, request).await)
    }

    async fn delete(&self, spot: Spot<'_, String>, row: &Row) -> Outcome<Changed> {
        changed(send(spot.wire, self.request(Method::Delete, &path(&spot, row))).await)
    }

    /// A record behind Cloudflare's own addresses has no time to live of its own.
    fn suits(&self, record: &Record, row: &Row) -> bool {
        let is_proxied = row.rest.get("proxied") == Some(&Value::Bool(true));
        let ttl = record.ttl.is_none_or(|ttl| is_proxied || row.ttl == Some(ttl));
        let same = |key| record.extra.get(key).is_none_or(|want| row.rest.get(key) == Some(want));
        ttl && same("proxied") && same("comment")
    }
}

impl Cloudflare {
    fn request(&self, method: Method, path: &str) -> Request {
        let request = Request::new(method, format!("{}{path}", self.endpoint));
        match &self.credentials {
            Credentials::Token(token) => {
                request.header("authorization", format!("Bearer {}", token.reveal()))
            }
            Credentials::Global { email, key } => {
                request.header("x-auth-email", email).header("x-auth-key", key.reveal())
            }
        }
    }
}

fn path(spot: &Spot<'_, String>, row: &Row) -> String {
    let (zone, id) = (answer::encoded(spot.zone), answer::encoded(&row.id));
    format!("/zones/{zone}/dns_records/{id}")
}

/// Returns what the configuration says of a record besides its address.
fn settings(record: &Record) -> Result<Map<String, Value>, Failure> {
    let mut settings = Map::new();
    if let Some(ttl) = record.ttl {
        settings.insert("ttl".to_owned(), json!(ttl));
    }
    if let Some(proxied) = zones::flag(record, "proxied")? {
        settings.insert("proxied".to_owned(), json!(proxied));
    }
    if let Some(comment) = zones::text(record, "comment")? {
        settings.insert("comment".to_owned(), json!(comment));
    }
    Ok(settings)
}

fn row(found: &Value) -> Option<Row> {
    let rest = json!({ "proxied": found.get("proxied"), "comment": found.get("comment") });
    Some(Row { rest, ..COLUMNS.row(found)? })
}

/// A refusal, and the code that it came with.
#[derive(Debug)]
struct Refusal {
    failure: Failure,
    code: String,
}

impl Refusal {
    /// Credentials that cannot even look for a zone are worth nothing to any name.
    fn of_account(self) -> Failure {
        let is_denied = matches!(self.code.as_str(), "9109" | "10000");
        if is_denied { self.failure.of_account() } else { self.failure }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        refusal.failure
    }
}

async fn send(wire: &dyn Wire, request: Request) -> Result<Value, Refusal> {
    let sent = wire.http(request).await;
    let response = sent.map_err(|error| Refusal { failure: error.into(), code: String::new() })?;
    understand(&response, wire.now())
}

/// Takes the result out of an answer: `success` decides, whatever the status says.
fn understand(response: &Response, now: Timestamp) -> Result<Value, Refusal> {
    let plain = |failure| Refusal { failure, code: String::new() };
    let mut body = answer::json(response).map_err(plain)?;
    if body.get("success") == Some(&Value::Bool(true)) {
        return Ok(body.get_mut("result").map(Value::take).unwrap_or_default());
    }
    let Some(code) = answer::id_at(&body, "/errors/0/code") else {
        return Err(plain(match answer::check_status(response) {
            Err(failure) => failure,
            Ok(()) => answer::unknown(response),
        }));
    };
    let message = answer::text_at(&body, "/errors/0/message");
    let told = Told { whom: Cloudflare::WHOM, code: &code, message, response, now };
    let failure = told.judge(RULES);
    // Both mean a wrong token and a token without the right; only the words tell them apart.
    let failure = match code.as_str() {
        "9109" | "10000" => Failure { class: Class::Parked, ..failure },
        _ => failure,
    };
    let is_token = message.to_lowercase().contains("invalid access token");
    let failure = if is_token { failure.of_account() } else { failure };
    Err(Refusal { failure, code })
}

/// A record that is there already is as it shall be.
fn changed(outcome: Result<Value, Refusal>) -> Outcome<Changed> {
    match outcome {
        Ok(_) => Ok(Changed::Yes),
        Err(refusal) if matches!(refusal.code.as_str(), "81057" | "81058") => Ok(Changed::No),
        Err(refusal) => Err(refusal.failure),
    }
}
