//! The older API of `DNSPod`: a token in a form, status 200 always, every value a text.

use std::{net::IpAddr, time::Duration};

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
    verdict::{Rule, Told, account, limited, parked, transient},
    zones::{self, Outcome, Spot, ZONE, Zoned, Zones},
};

#[cfg(test)]
mod tests;

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "dnspod",
    aliases: &["dnspod-token"],
    title: "DNSPod (token)",
    title_zh: "DNSPod（Token API）",
    documents: "https://docs.dnspod.cn/api/5f561fd8e75cf42d25bf68e0/",
    parameters: &[
        Parameter {
            key: "id",
            need: Need::Optional,
            nature: Nature::Plain,
            help: "the number of the token, unless it stands before the token itself",
            help_zh: "Token 的 ID；已写在 `token` 前面时不填",
        },
        Parameter {
            key: "token",
            need: Need::Required,
            nature: Nature::Secret,
            help: "the token, or its number, a comma and the token: `12345,0123456789abcdef`",
            help_zh: "Token；也可写成“ID,Token”，例如 `12345,0123456789abcdef`",
        },
        ZONE,
        ENDPOINT,
    ],
    extras: &[ZONE],
    reading: Reading::Possible,
    // Who asks too much is locked out for about an hour.
    floors: Floors { rate_limited: Duration::from_hours(1), ..Floors::API },
    limits: Limits::ZONE,
    open,
};

/// The line that answers whoever has no line of his own.
const LINE: &str = "默认";
/// Success.
const DONE: &str = "1";
/// No record of such a name.
const NONE: &str = "10";
/// Such a record is there already.
const THERE: &str = "104";

/// Where it tells what of a record.
const COLUMNS: Columns =
    Columns { id: "/id", name: "/name", kind: "/type", value: "/value", ttl: "/ttl" };

/// What its codes mean.
const RULES: &[Rule] = &[
    account("-1"), // the token: many wrong ones in a row lock the account out
    account("-3"),
    account("-4"),
    account("83"), // the account is locked
    account("85"), // it may not be used from here
    limited("-2"),
    limited("-8"),
    transient("-99"),
    transient("3"),
    transient("8"), // the record is gone: read again
    parked("-7"),
    parked("-15"),
    parked("2"),
    parked("6"),
    parked("7"),
    parked("9"),
    parked("17"),
    parked("21"), // the zone is locked, or a record that was changed to itself too often
    parked("22"),
    parked("23"),
    parked("24"),
    parked("25"),
    parked("26"), // no such line
    parked("27"),
    parked("31"), // a record of another type is in the way
    parked("32"), // a time to live that the edition does not have
    parked("33"),
    parked("34"),
    parked("82"),
    parked("500025"),
];

#[derive(Debug)]
struct Dnspod {
    endpoint: String,
    token: Secret,
    zones: Zones<Fqdn>,
}

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    let token = parameters.secret("token")?;
    let id = parameters.text("id")?;
    let token = match id {
        Some(id) => Secret::from(format!("{id},{}", token.reveal())),
        None => token,
    };
    let is_pair = token
        .reveal()
        .split_once(',')
        .is_some_and(|(id, _)| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()));
    if !is_pair {
        // Without `id` it is about the token: who does not know that yet cannot judge it.
        let (key, why) = match id {
            Some(_) => ("id", "it must be the number of the token"),
            None => ("token", "it must have its number before it, `ID,TOKEN`, unless `id` says it"),
        };
        return Err(ParameterError::new(key, why));
    }
    let endpoint = parameters.endpoint("https://dnsapi.cn")?;
    Ok(rows::provider(Dnspod { endpoint, token, zones: Zones::open(parameters)? }))
}

impl Zoned for Dnspod {
    type Zone = Fqdn;

    const WHOM: &'static str = "DNSPod";

    fn zones(&self) -> &Zones<Fqdn> {
        &self.zones
    }

    async fn zone(&self, wire: &dyn Wire, name: &Fqdn) -> Outcome<Option<Fqdn>> {
        let form = [("domain", name.as_str()), ("length", "1")];
        match self.ask(wire, "Record.List", &form).await {
            Ok(_) => Ok(Some(name.clone())),
            Err(failure) if failure.code == NONE => Ok(Some(name.clone())),
            // No such zone, or another account's.
            Err(failure) if matches!(failure.code.as_str(), "6" | "9") => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

impl Rows for Dnspod {
    async fn list(&self, spot: Spot<'_, Fqdn>) -> Outcome<Vec<Row>> {
        let (record, kind) = (spot.record, spot.record.family.record_type());
        let label = zones::relative(record, spot.zone)?;
        let form = [("domain", spot.zone.as_str()), ("sub_domain", label), ("record_type", kind)];
        let body = match self.ask(spot.wire, "Record.List", &form).await {
            Err(failure) if failure.code == NONE => return Ok(Vec::new()),
            other => other?,
        };
        let ours = COLUMNS.pick(answer::told_list(&body, "/records")?, record, label);
        let ours = ours.filter(|found| answer::text_at(found, "/line") == record.line_or(LINE));
        Ok(ours.filter_map(row).collect())
    }

    async fn create(&self, spot: Spot<'_, Fqdn>, value: IpAddr) -> Outcome<Changed> {
        let (value, ttl) = (value.to_string(), spot.record.ttl.map(|ttl| ttl.to_string()));
        let mut form = vec![
            ("domain", spot.zone.as_str()),
            ("sub_domain", zones::relative(spot.record, spot.zone)?),
            ("record_type", spot.record.family.record_type()),
            ("record_line", spot.record.line_or(LINE)),
            ("value", &value),
        ];
        form.extend(ttl.as_deref().map(|ttl| ("ttl", ttl)));
        rows::changed(self.ask(spot.wire, "Record.Create", &form).await, THERE)
    }

    async fn patch(&self, spot: Spot<'_, Fqdn>, row: &Row, value: IpAddr) -> Outcome<Changed> {
        let ttl = spot.record.ttl.or(row.ttl).map(|ttl| ttl.to_string());
        let value = value.to_string();
        let mut form = vec![
            ("domain", spot.zone.as_str()),
            ("record_id", row.id.as_str()),
            ("sub_domain", zones::relative(spot.record, spot.zone)?),
            ("record_type", spot.record.family.record_type()),
            ("value", &value),
        ];
        // What is not sent falls back to the default.
        let found = row.rest.as_object().into_iter().flatten();
        let found = found.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)));
        form.extend(found);
        form.extend(ttl.as_deref().map(|ttl| ("ttl", ttl)));
        rows::changed(self.ask(spot.wire, "Record.Modify", &form).await, THERE)
    }

    async fn delete(&self, spot: Spot<'_, Fqdn>, row: &Row) -> Outcome<Changed> {
        let form = [("domain", spot.zone.as_str()), ("record_id", row.id.as_str())];
        rows::changed(self.ask(spot.wire, "Record.Remove", &form).await, THERE)
    }
}

impl Dnspod {
    async fn ask(
        &self,
        wire: &dyn Wire,
        action: &str,
        form: &[(&str, &str)],
    ) -> Result<Value, Failure> {
        let mut all =
            vec![("login_token", self.token.reveal()), ("format", "json"), ("lang", "en")];
        all.extend_from_slice(form);
        let request = Request::new(Method::Post, format!("{}/{action}", self.endpoint))
            .header("content-type", "application/x-www-form-urlencoded");
        let request = Request { body: answer::query(&all).into_bytes(), ..request };
        let response = wire.http(request).await?;
        let body = answer::json(&response)?;
        match answer::text_at(&body, "/status/code") {
            DONE => Ok(body),
            "" => Err(answer::unknown(&response)),
            code => {
                let message = answer::text_at(&body, "/status/message");
                let now = wire.now();
                let told = Told { whom: Self::WHOM, code, message, response: &response, now };
                Err(told.judge(RULES))
            }
        }
    }
}

fn row(found: &Value) -> Option<Row> {
    let is_on = answer::text_at(found, "/enabled") != "0";
    let rest = json!({
        "record_line": found.get("line")?,
        "record_line_id": found.get("line_id"),
        "weight": answer::id_at(found, "/weight"),
        "status": if is_on { "enable" } else { "disable" },
    });
    Some(Row { rest, ..COLUMNS.row(found)? })
}
