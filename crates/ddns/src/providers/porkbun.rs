//! Porkbun: everything is a POST that carries the keys in its body, numbers are texts, and a refusal
//! is told by words.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

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
    verdict::{Rule, Told, account, limited, parked, transient},
    zones::{self, Outcome, Spot, ZONE, Zoned, Zones},
};

#[cfg(test)]
mod tests;

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "porkbun",
    aliases: &[],
    title: "Porkbun",
    title_zh: "Porkbun",
    documents: "https://porkbun.com/api/json/v3/documentation",
    parameters: &[
        Parameter {
            key: "api-key",
            need: Need::Required,
            nature: Nature::Secret,
            help: "the public part of an API key, `pk1_…`; the domain must have API access switched on",
            help_zh: "API Key 的公开部分（`pk1_…`）；域名须打开 API Access",
        },
        Parameter {
            key: "secret-key",
            need: Need::Required,
            nature: Nature::Secret,
            help: "its secret part, `sk1_…`",
            help_zh: "API Key 的私密部分（`sk1_…`）",
        },
        ZONE,
        ENDPOINT,
    ],
    extras: &[ZONE],
    reading: Reading::Possible,
    floors: Floors::API,
    limits: Limits { ttl: Some((600, 2_147_483_647)), ..Limits::ZONE },
    open,
};

/// Where it tells what of a record.
const COLUMNS: Columns =
    Columns { id: "/id", name: "/name", kind: "/type", value: "/content", ttl: "/ttl" };

/// What its codes mean; older servers have words alone.
const RULES: &[Rule] = &[
    account("INVALID_API_KEYS*"),
    account("MISSING_APIKEY"),
    account("MISSING_SECRETAPIKEY"),
    account("API_KEY_REQUIRED"),
    account("API_ACCESS_DISABLED"),
    limited("RATE_LIMIT*"),
    transient("INVALID_RECORD_ID"), // it is gone: read again
    // The code goes on, and says where the access is switched on.
    parked("DOMAIN_IS_NOT_OPTED_IN*"),
    parked("INVALID_DOMAIN"),
];

#[derive(Debug)]
struct Porkbun {
    endpoint: String,
    key: Secret,
    secret: Secret,
    zones: Zones<Fqdn>,
}

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    Ok(rows::provider(Porkbun {
        endpoint: parameters.endpoint("https://api.porkbun.com/api/json/v3")?,
        key: parameters.secret("api-key")?,
        secret: parameters.secret("secret-key")?,
        zones: Zones::open(parameters)?,
    }))
}

impl Zoned for Porkbun {
    type Zone = Fqdn;

    const WHOM: &'static str = "Porkbun";

    fn zones(&self) -> &Zones<Fqdn> {
        &self.zones
    }

    async fn zone(&self, wire: &dyn Wire, name: &Fqdn) -> Outcome<Option<Fqdn>> {
        // The shortest answer that tells whether there is such a domain.
        let path = format!("/dns/retrieveByNameType/{name}/A");
        match self.ask(wire, &path, Map::new()).await {
            Ok(_) => Ok(Some(name.clone())),
            Err(failure) if failure.code == "INVALID_DOMAIN" => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

impl Rows for Porkbun {
    async fn list(&self, spot: Spot<'_, Fqdn>) -> Outcome<Vec<Row>> {
        let (record, kind) = (spot.record, spot.record.family.record_type());
        let label = answer::encoded(zones::before(spot.record, spot.zone)?);
        let path = format!("/dns/retrieveByNameType/{}/{kind}/{label}", spot.zone);
        let body = self.ask(spot.wire, path.trim_end_matches('/'), Map::new()).await?;
        let list = answer::told_list(&body, "/records")?;
        let ours = COLUMNS.pick(list, record, record.name.as_str());
        Ok(ours.filter_map(row).collect())
    }

    async fn create(&self, spot: Spot<'_, Fqdn>, value: IpAddr) -> Outcome<Changed> {
        let path = format!("/dns/create/{}", spot.zone);
        self.ask(spot.wire, &path, fields(&spot, value, None)?).await?;
        Ok(Changed::Yes)
    }

    async fn patch(&self, spot: Spot<'_, Fqdn>, row: &Row, value: IpAddr) -> Outcome<Changed> {
        let path = format!("/dns/edit/{}/{}", spot.zone, answer::encoded(&row.id));
        self.ask(spot.wire, &path, fields(&spot, value, Some(row))?).await?;
        Ok(Changed::Yes)
    }

    async fn delete(&self, spot: Spot<'_, Fqdn>, row: &Row) -> Outcome<Changed> {
        let path = format!("/dns/delete/{}/{}", spot.zone, answer::encoded(&row.id));
        self.ask(spot.wire, &path, Map::new()).await?;
        Ok(Changed::Yes)
    }
}

impl Porkbun {
    async fn ask(
        &self,
        wire: &dyn Wire,
        path: &str,
        mut body: Map<String, Value>,
    ) -> Result<Value, Failure> {
        body.insert("apikey".to_owned(), json!(self.key.reveal()));
        body.insert("secretapikey".to_owned(), json!(self.secret.reveal()));
        let request = Request::new(Method::Post, format!("{}{path}", self.endpoint));
        let response = wire.http(request.json(&Value::Object(body))).await?;
        let body = answer::json(&response)?;
        if response.status == 200 && answer::text_at(&body, "/status") == "SUCCESS" {
            return Ok(body);
        }
        let message = answer::text_at(&body, "/message");
        let code = match answer::text_at(&body, "/code") {
            "" => code_of(message),
            code => code,
        };
        if code.is_empty() && message.is_empty() {
            answer::check_status(&response)?;
            return Err(answer::unknown(&response));
        }
        let now = wire.now();
        Err(Told { whom: Self::WHOM, code, message, response: &response, now }.judge(RULES))
    }
}

/// Returns the code that words stand for.
fn code_of(message: &str) -> &'static str {
    let message = message.to_lowercase();
    match () {
        () if message.contains("invalid api key") => "INVALID_API_KEYS",
        () if message.contains("opted in") => "DOMAIN_IS_NOT_OPTED_IN",
        () if message.contains("invalid domain") => "INVALID_DOMAIN",
        () => "",
    }
}

/// Returns what a record is to be; its note stays when nothing is said of it.
fn fields(
    spot: &Spot<'_, Fqdn>,
    value: IpAddr,
    there: Option<&Row>,
) -> Result<Map<String, Value>, Failure> {
    let mut fields = Map::new();
    fields.insert("name".to_owned(), json!(zones::before(spot.record, spot.zone)?));
    fields.insert("type".to_owned(), json!(spot.record.family.record_type()));
    fields.insert("content".to_owned(), json!(value.to_string()));
    if let Some(ttl) = spot.record.ttl.or(there.and_then(|row| row.ttl)) {
        fields.insert("ttl".to_owned(), json!(ttl.to_string()));
    }
    let notes = there.map(|row| answer::text_at(&row.rest, "/notes")).unwrap_or_default();
    if !notes.is_empty() {
        fields.insert("notes".to_owned(), json!(notes));
    }
    Ok(fields)
}

fn row(found: &Value) -> Option<Row> {
    let rest = json!({ "notes": found.get("notes") });
    Some(Row { rest, ..COLUMNS.row(found)? })
}
