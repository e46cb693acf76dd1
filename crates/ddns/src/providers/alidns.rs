//! Alibaba Cloud DNS: RPC style, a signed query, changed with the line and the time to live that are
//! there, because what is not sent falls back to the default.

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

/// Such a record is there already.
const THERE: &str = "DomainRecordDuplicate";

/// Where it tells what of a record.
const COLUMNS: Columns =
    Columns { id: "/RecordId", name: "/RR", kind: "/Type", value: "/Value", ttl: "/TTL" };

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
    Ok(rows::provider(Alidns {
        endpoint: parameters.endpoint("https://alidns.aliyuncs.com")?,
        id: parameters.required("access-key-id")?.to_owned(),
        secret: parameters.secret("access-key-secret")?,
        zones: Zones::open(parameters)?,
    }))
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
            ("Line", record.line_or(LINE)),
            ("PageSize", "500"),
        ];
        let body = self.ask(spot.wire, "DescribeSubDomainRecords", &parameters).await?;
        let list = answer::told_list(&body, "/DomainRecords/Record")?;
        let ours = COLUMNS.pick(list, record, label);
        let ours = ours.filter(|found| answer::text_at(found, "/Line") == record.line_or(LINE));
        Ok(ours.filter_map(row).collect())
    }

    async fn create(&self, spot: Spot<'_, Fqdn>, value: IpAddr) -> Outcome<Changed> {
        let (value, ttl) = (value.to_string(), spot.record.ttl.map(|ttl| ttl.to_string()));
        let mut parameters = vec![
            ("DomainName", spot.zone.as_str()),
            ("RR", zones::relative(spot.record, spot.zone)?),
            ("Type", spot.record.family.record_type()),
            ("Value", &value),
            ("Line", spot.record.line_or(LINE)),
        ];
        parameters.extend(ttl.as_deref().map(|ttl| ("TTL", ttl)));
        rows::changed(self.ask(spot.wire, "AddDomainRecord", &parameters).await, THERE)
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
        rows::changed(self.ask(spot.wire, "UpdateDomainRecord", &parameters).await, THERE)
    }

    async fn delete(&self, spot: Spot<'_, Fqdn>, row: &Row) -> Outcome<Changed> {
        rows::changed(
            self.ask(spot.wire, "DeleteDomainRecord", &[("RecordId", &row.id)]).await,
            THERE,
        )
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

fn row(found: &Value) -> Option<Row> {
    let rest = json!({ "line": found.get("Line")? });
    Some(Row { rest, ..COLUMNS.row(found)? })
}

fn is_no_zone(failure: &Failure) -> bool {
    matches!(failure.code.as_str(), "InvalidDomainName.NoExist" | "IncorrectDomainUser")
}
