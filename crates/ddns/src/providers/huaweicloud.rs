//! Huawei Cloud DNS: sets of records, and searches that find more than what was asked for.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::{
    failure::{Class, Failure, Reach},
    name::Fqdn,
    provider::{
        ENDPOINT, Entry, Floors, Limits, Nature, Need, Parameter, ParameterError, Parameters,
        Provider, Reading,
    },
    record::{Changed, Record},
    secret::Secret,
    wire::{Method, Request, Wire},
};

use super::{
    answer,
    sets::{self, Set, Sets},
    sign::huawei,
    verdict::{Rule, Told, account, clock, limited, parked, transient},
    zones::{self, Outcome, Spot, ZONE, Zoned, Zones},
};

#[cfg(test)]
mod tests;

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "huaweicloud",
    aliases: &["huawei", "huaweidns"],
    title: "Huawei Cloud DNS",
    title_zh: "华为云 DNS",
    documents: "https://support.huaweicloud.com/intl/en-us/api-dns/dns_api_64001.html",
    parameters: &[
        Parameter {
            key: "access-key-id",
            need: Need::Required,
            nature: Nature::Plain,
            help: "the access key ID (AK) of an IAM user that may work on the zone's record sets",
            help_zh: "IAM 用户的 Access Key ID（AK），需要记录集的读写权限",
        },
        Parameter {
            key: "secret-access-key",
            need: Need::Required,
            nature: Nature::Secret,
            help: "the secret access key (SK) that goes with it",
            help_zh: "对应的 Secret Access Key（SK）",
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

/// The line that answers whoever has no line of his own.
const LINE: &str = "default_view";

/// What its codes mean.
const RULES: &[Rule] = &[
    clock("APIGW.0303"), // both clocks are in its words
    account("APIGW.0301"),
    account("APIGW.0302"),
    account("APIGW.0305"),
    limited("APIGW.0308"),
    limited("DNS.0014"),
    account("DNS.0005"),
    parked("DNS.0013"),
    transient("DNS.0312"), // there is such a set by now: read again
    transient("DNS.0313"), // the set is gone: read again
    transient("DNS.0004"),
];

#[derive(Debug)]
struct Huawei {
    endpoint: String,
    id: String,
    key: Secret,
    zones: Zones<String>,
}

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    Ok(sets::provider(Huawei {
        endpoint: parameters.endpoint("https://dns.myhuaweicloud.com")?,
        id: parameters.required("access-key-id")?.to_owned(),
        key: parameters.secret("secret-access-key")?,
        zones: Zones::open(parameters)?,
    }))
}

impl Zoned for Huawei {
    type Zone = String;

    const WHOM: &'static str = "Huawei Cloud";

    fn zones(&self) -> &Zones<String> {
        &self.zones
    }

    async fn zone(&self, wire: &dyn Wire, name: &Fqdn) -> Outcome<Option<String>> {
        let absolute = name.absolute();
        // In the order of their names, as the signature wants them.
        let query = answer::query(&[
            ("limit", "500"),
            ("name", &absolute),
            ("search_mode", "equal"),
            ("type", "public"),
        ]);
        let body = self.ask(wire, self.request(Method::Get, &format!("/v2/zones?{query}"))).await?;
        let zones = answer::told_list(&body, "/zones")?.iter();
        let mut zones = zones.filter(|zone| is_named(zone, &absolute));
        Ok(zones.find_map(|zone| answer::id_at(zone, "/id")))
    }
}

impl Sets for Huawei {
    async fn get(&self, spot: Spot<'_, String>) -> Outcome<Option<Set>> {
        let (name, kind) = (spot.record.name.absolute(), spot.record.family.record_type());
        let query = answer::query(&[
            ("limit", "500"),
            ("name", &name),
            ("search_mode", "equal"),
            ("type", kind),
        ]);
        let request = self.request(Method::Get, &format!("/v2.1/recordsets?{query}"));
        let body = self.ask(spot.wire, request).await?;
        let mut sets = answer::told_list(&body, "/recordsets")?.iter().filter(|set| {
            is_named(set, &name)
                && answer::text_at(set, "/type") == kind
                && answer::text_at(set, "/zone_id") == spot.zone
                && answer::text_at(set, "/line") == spot.record.line_or(LINE)
        });
        match (sets.next(), sets.next()) {
            (_, Some(_)) => Err(weighted(spot.record)),
            (found, None) => Ok(found.and_then(set)),
        }
    }

    async fn put(
        &self,
        spot: Spot<'_, String>,
        there: Option<&Set>,
        values: &[IpAddr],
    ) -> Outcome<Changed> {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        let mut body = json!({
            "name": spot.record.name.absolute(),
            "type": spot.record.family.record_type(),
            "records": values,
        });
        let path = format!("/v2.1/zones/{}/recordsets", answer::encoded(spot.zone));
        let (method, path) = match there {
            None => {
                body["line"] = json!(spot.record.line_or(LINE));
                (Method::Post, path)
            }
            Some(set) => {
                let kept = ["description", "weight"].map(|key| (key, set.rest.get(key)));
                for (key, value) in kept {
                    if let Some(value) = value.filter(|value| !value.is_null()) {
                        body[key] = value.clone();
                    }
                }
                let id = answer::text_at(&set.rest, "/id");
                (Method::Put, format!("{path}/{}", answer::encoded(id)))
            }
        };
        if let Some(ttl) = spot.record.ttl.or(there.and_then(|set| set.ttl)) {
            body["ttl"] = json!(ttl);
        }
        self.ask(spot.wire, self.request(method, &path).json(&body)).await?;
        Ok(Changed::Yes)
    }
}

impl Huawei {
    fn request(&self, method: Method, path: &str) -> Request {
        Request::new(method, format!("{}{path}", self.endpoint))
    }

    async fn ask(&self, wire: &dyn Wire, request: Request) -> Result<Value, Failure> {
        let request = huawei::sign(request, &self.id, &self.key, wire.now());
        let response = wire.http(request).await?;
        let body = answer::json(&response)?;
        if matches!(response.status, 200..=299) {
            return Ok(body);
        }
        // The service and the gateway before it each have their own form.
        let told = |own, gateway| match answer::text_at(&body, own) {
            "" => answer::text_at(&body, gateway),
            told => told,
        };
        let code = told("/code", "/error_code");
        let message = told("/message", "/error_msg");
        let code_meant = if is_late(message) { "APIGW.0303" } else { code };
        let now = wire.now();
        let told = Told { whom: Self::WHOM, code: code_meant, message, response: &response, now };
        let failure = told.judge(RULES);
        Err(failure.with_code(code))
    }
}

/// The gateway has been seen to use the code of a wrong key for a wrong clock, too.
fn is_late(message: &str) -> bool {
    let message = message.to_lowercase();
    message.contains("signature expired") || message.contains("x-sdk-date expired")
}

fn is_named(thing: &Value, absolute: &str) -> bool {
    zones::is_same(answer::text_at(thing, "/name"), absolute)
}

fn set(found: &Value) -> Option<Set> {
    let values = answer::list_at(found, "/records").iter();
    Some(Set {
        values: values.filter_map(|value| value.as_str()?.parse().ok()).collect(),
        ttl: answer::number_at(found, "/ttl"),
        rest: json!({
            "id": found.get("id")?,
            "description": found.get("description"),
            "weight": found.get("weight"),
        }),
    })
}

/// Sets with weights share a name and a line; none of them is more ours than the others.
fn weighted(record: &Record) -> Failure {
    let words = format!(
        "cannot tell which record set to change: `{}` has several with weights in one line",
        record.name
    );
    Failure { reach: Reach::Binding, ..Failure::new(Class::Parked, "ambiguous", words) }
}
