//! Alibaba Cloud DNS: RPC style, a signed query, changed with the line and the time to live that are
//! there, because what is not sent falls back to the default.

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
    sign::{self, acs},
    verdict::{Rule, Told, account, clock, limited, parked, transient},
    zones::{self, Outcome, Spot, ZONE, Zoned, Zones},
};

#[cfg(test)]
mod tests;

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "alidns",
    aliases: &["aliyun"],
    title: "Alibaba Cloud DNS",
    title_zh: "阿里云 DNS（云解析）",
    documents: "https://www.alibabacloud.com/help/en/dns/api-alidns-2015-01-09-updatedomainrecord",
    parameters: &[
        Parameter {
            key: "access-key-id",
            need: Need::Required,
            nature: Nature::Plain,
            help: "the AccessKey ID of a RAM user that may work on the zone's records",
            help_zh: "RAM 子用户的 AccessKey ID，需要解析记录的读写权限",
        },
        Parameter {
            key: "access-key-secret",
            need: Need::Required,
            nature: Nature::Secret,
            help: "the AccessKey secret that goes with it",
            help_zh: "对应的 AccessKey Secret",
        },
        ZONE,
        ENDPOINT,
    ],
    extras: &[ZONE],
    reading: Reading::Possible,
    floors: Floors::API,
    // The free edition begins at 600; a dearer one goes down to 1, so only the provider can tell.
    limits: Limits { ttl: Some((1, 86_400)), ..Limits::ZONE },
    open,
};

/// The line that answers whoever has no line of his own.
const LINE: &str = "default";

/// What its codes mean.
const RULES: &[Rule] = &[
    clock("InvalidTimeStamp*"),
    clock("IllegalTimestamp"),
    limited("Throttling*"),
    limited("ServiceUnavailable.Throttling"),
    account("InvalidAccessKeyId*"),
    account("MissingAccessKeyId"),
    account("SignatureDoesNotMatch"),
    account("IncompleteSignature"),
    account("InvalidSecurityToken*"),
    account("Forbidden.AccessKeyDisabled"),
    parked("Forbidden*"), // the right may be missing for this zone alone
    parked("NoPermission"),
    transient("SignatureNonceUsed"),
    transient("DomainRecordNotBelongToUser"), // the record is gone: read again
    transient("UnKnownError"),
    transient("InternalError"),
    transient("ServiceUnavailable"),
];

#[derive(Debug)]
struct Alidns {
    endpoint: String,
    id: String,
    secret: Secret,
    zones: Zones<Fqdn>,
}

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    Ok(Box::new(Alidns {
        endpoint: parameters.endpoint("https://alidns.aliyuncs.com")?,
        id: parameters.required("access-key-id")?.to_owned(),
        secret: parameters.secret("access-key-secret")?,
        zones: Zones::open(parameters)?,
    }))
}

impl Provider for Alidns {
    fn read<'a>(&'a self, wire: &'a dyn Wire, record: &'a Record) -> Attempt<'a, Found> {
        Box::pin(rows::read(self, wire, record))
    }

    fn write<'a>(&'a self, wire: &'a dyn Wire, change: &'a Change) -> Attempt<'a, Written> {
        Box::pin(rows::write(self, wire, change))
    }
}

impl Zoned for Alidns {
    type Zone = Fqdn;

    const WHOM: &'static str = "AliDNS";

    fn zones(&self) -> &Zones<Fqdn> {
        &self.zones
    }

    async fn zone(&self, wire: &dyn Wire, name: &Fqdn) -> Outcome<Option<Fqdn>> {
        let parameters = [("DomainName", name.as_str()), ("PageSize", "1")];
        match self.ask(wire, "DescribeDomainRecords", &parameters).await {
            Ok(_) => Ok(Some(name.clone())),
            Err(failure) if is_no_zone(&failure) => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

impl Rows for Alidns {
    async fn list(&self, spot: Spot<'_, Fqdn>) -> Outcome<Vec<Row>> {
        let record = spot.record;
        let label = zones::relative(record, spot.zone)?;
        // The zone itself is only found with its `@`.
        let sub = format!("{label}.{}", spot.zone);
        let parameters = [
            ("DomainName", spot.zone.as_str()),
            ("SubDomain", &sub),
            ("Type", record.family.record_type()),
            ("Line", line(record)),
            ("PageSize", "500"),
        ];
        let body = self.ask(spot.wire, "DescribeSubDomainRecords", &parameters).await?;
        let records = answer::told_list(&body, "/DomainRecords/Record")?.iter();
        let ours = records.filter(|found| {
            zones::is_same(answer::text_at(found, "/RR"), label)
                && answer::text_at(found, "/Type") == record.family.record_type()
                && answer::text_at(found, "/Line") == line(record)
        });
        Ok(ours.filter_map(row).collect())
    }

    async fn create(&self, spot: Spot<'_, Fqdn>, value: IpAddr) -> Outcome<Changed> {
        let (value, ttl) = (value.to_string(), spot.record.ttl.map(|ttl| ttl.to_string()));
        let mut parameters = vec![
            ("DomainName", spot.zone.as_str()),
            ("RR", zones::relative(spot.record, spot.zone)?),
            ("Type", spot.record.family.record_type()),
            ("Value", &value),
            ("Line", line(spot.record)),
        ];
        parameters.extend(ttl.as_deref().map(|ttl| ("TTL", ttl)));
        changed(self.ask(spot.wire, "AddDomainRecord", &parameters).await)
    }

    async fn patch(&self, spot: Spot<'_, Fqdn>, row: &Row, value: IpAddr) -> Outcome<Changed> {
        let ttl = spot.record.ttl.or(row.ttl).map(|ttl| ttl.to_string());
        let value = value.to_string();
        let mut parameters = vec![
            ("RecordId", row.id.as_str()),
            ("RR", zones::relative(spot.record, spot.zone)?),
            ("Type", spot.record.family.record_type()),
            ("Value", &value),
            ("Line", answer::text_at(&row.rest, "/line")),
        ];
        parameters.extend(ttl.as_deref().map(|ttl| ("TTL", ttl)));
        changed(self.ask(spot.wire, "UpdateDomainRecord", &parameters).await)
    }

    async fn delete(&self, spot: Spot<'_, Fqdn>, row: &Row) -> Outcome<Changed> {
        changed(self.ask(spot.wire, "DeleteDomainRecord", &[("RecordId", &row.id)]).await)
    }
}

impl Alidns {
    async fn ask(
        &self,
        wire: &dyn Wire,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Value, Failure> {
        let (time, nonce) = (sign::extended(wire.now()), format!("{:032x}", wire.nonce()));
        let mut all = vec![
            ("Action", action),
            ("Format", "JSON"),
            ("Version", "2015-01-09"),
            ("AccessKeyId", &self.id),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureVersion", "1.0"),
            ("SignatureNonce", &nonce),
            ("Timestamp", &time),
        ];
        all.extend_from_slice(parameters);
        let query = acs::signed("GET", &all, &self.secret);
        let url = format!("{}/?{query}", self.endpoint);
        let response = wire.http(Request::new(Method::Get, url)).await?;
        let body = answer::json(&response)?;
        if response.status == 200 && body.get("Code").is_none() {
            return Ok(body);
        }
        let (code, message) = (answer::text_at(&body, "/Code"), answer::text_at(&body, "/Message"));
        // This one goes on with all that was signed.
        let message = message.split("server string to sign").next().unwrap_or(message);
        let now = wire.now();
        Err(Told { whom: Self::WHOM, code, message, response: &response, now }.judge(RULES))
    }
}

fn line(record: &Record) -> &str {
    record.line.as_deref().unwrap_or(LINE)
}

fn row(found: &Value) -> Option<Row> {
    Some(Row {
        id: answer::id_at(found, "/RecordId")?,
        value: answer::text_at(found, "/Value").parse().ok()?,
        ttl: answer::number_at(found, "/TTL"),
        rest: json!({ "line": found.get("Line")? }),
    })
}

fn is_no_zone(failure: &Failure) -> bool {
    matches!(failure.code.as_str(), "InvalidDomainName.NoExist" | "IncorrectDomainUser")
}

/// A record that is there already is as it shall be.
fn changed(outcome: Result<Value, Failure>) -> Outcome<Changed> {
    match outcome {
        Ok(_) => Ok(Changed::Yes),
        Err(failure) if failure.code == "DomainRecordDuplicate" => Ok(Changed::No),
        Err(failure) => Err(failure),
    }
}
