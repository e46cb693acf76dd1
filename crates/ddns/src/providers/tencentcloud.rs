//! Tencent Cloud's API 3.0 of `DNSPod`: status 200 whatever happens, and a record is changed by
//! sending all of it, as it was found.

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
    wire::{Method, Request, Wire},
};

use super::{
    answer,
    columns::Columns,
    rows::{self, Row, Rows},
    sign::tc3::Signer,
    verdict::{Rule, Told, account, clock, limited, parked, transient},
    zones::{self, Outcome, Spot, ZONE, Zoned, Zones},
};

#[cfg(test)]
mod tests;

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "tencentcloud",
    aliases: &["tencent"],
    title: "Tencent Cloud DNSPod",
    title_zh: "腾讯云 DNSPod（API 3.0）",
    documents: "https://cloud.tencent.com/document/api/1427/56193",
    parameters: &[
        Parameter {
            key: "secret-id",
            need: Need::Required,
            nature: Nature::Plain,
            help: "the SecretId of a CAM user that may work on the zone's records",
            help_zh: "CAM 子用户的 SecretId，需要 DNSPod 解析记录的读写权限",
        },
        Parameter {
            key: "secret-key",
            need: Need::Required,
            nature: Nature::Secret,
            help: "the SecretKey that goes with it",
            help_zh: "对应的 SecretKey",
        },
        ZONE,
        ENDPOINT,
    ],
    extras: &[ZONE],
    reading: Reading::Possible,
    floors: Floors::API,
    // The least is 600 in the free edition and less in dearer ones: only the provider can tell.
    limits: Limits::ZONE,
    open,
};

/// The line that answers whoever has no line of his own.
const LINE: &str = "默认";
/// The version of the API.
const VERSION: &str = "2021-03-23";

/// Such a record is there already.
const THERE: &str = "InvalidParameter.DomainRecordExist";

/// Where it tells what of a record.
const COLUMNS: Columns =
    Columns { id: "/RecordId", name: "/Name", kind: "/Type", value: "/Value", ttl: "/TTL" };

/// What its codes mean.
const RULES: &[Rule] = &[
    clock("AuthFailure.SignatureExpire"),
    parked("AuthFailure.UnauthorizedOperation"), // the right may be missing for this zone alone
    account("AuthFailure*"),
    account("IpInBlacklist"),
    account("IpNotInWhitelist"),
    limited("RequestLimitExceeded*"),
    limited("LimitExceeded"),
    transient("InvalidParameter.RecordIdInvalid"), // the record is gone: read again
    transient("FailedOperation"),
    transient("FailedOperation.UnknowError"),
    transient("InternalError*"),
    transient("ResourceInsufficient"),
    transient("ResourceUnavailable"),
    parked("LimitExceeded.*"), // of the edition, such as records of one name
    parked("FailedOperation.*"),
    parked("InvalidAction"),
    parked("InvalidParameter*"),
    parked("InvalidRequest"),
    parked("MissingParameter"),
    parked("NoSuch*"),
    parked("OperationDenied*"),
    parked("ResourceInUse"),
    parked("ResourceNotFound*"),
    parked("UnauthorizedOperation*"),
    parked("UnknownParameter"),
    parked("Unsupported*"),
];

#[derive(Debug)]
struct Tencent {
    endpoint: String,
    signer: Signer,
    zones: Zones<Fqdn>,
}

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    Ok(rows::provider(Tencent {
        endpoint: parameters.endpoint("https://dnspod.tencentcloudapi.com")?,
        signer: Signer {
            id: parameters.required("secret-id")?.to_owned(),
            key: parameters.secret("secret-key")?,
            service: "dnspod",
        },
        zones: Zones::open(parameters)?,
    }))
}

impl Zoned for Tencent {
    type Zone = Fqdn;

    const WHOM: &'static str = "Tencent Cloud";

    fn zones(&self) -> &Zones<Fqdn> {
        &self.zones
    }

    async fn zone(&self, wire: &dyn Wire, name: &Fqdn) -> Outcome<Option<Fqdn>> {
        let body = json!({ "Domain": name.as_str(), "Limit": 1 });
        match self.ask(wire, "DescribeRecordList", &body).await {
            Ok(_) => Ok(Some(name.clone())),
            Err(failure) if is_empty(&failure) => Ok(Some(name.clone())),
            Err(failure) if is_no_zone(&failure) => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

impl Rows for Tencent {
    async fn list(&self, spot: Spot<'_, Fqdn>) -> Outcome<Vec<Row>> {
        let record = spot.record;
        let label = zones::relative(record, spot.zone)?;
        let body = json!({
            "Domain": spot.zone.as_str(),
            // The one field that is written in this way.
            "Subdomain": label,
            "RecordType": record.family.record_type(),
        });
        let body = match self.ask(spot.wire, "DescribeRecordList", &body).await {
            Err(failure) if is_empty(&failure) => return Ok(Vec::new()),
            other => other?,
        };
        let ours = COLUMNS.pick(answer::told_list(&body, "/RecordList")?, record, label);
        let ours = ours.filter(|found| answer::text_at(found, "/Line") == record.line_or(LINE));
        Ok(ours.filter_map(row).collect())
    }

    async fn create(&self, spot: Spot<'_, Fqdn>, value: IpAddr) -> Outcome<Changed> {
        let mut body = body(&spot, value)?;
        body.insert("RecordLine".to_owned(), json!(spot.record.line_or(LINE)));
        if let Some(ttl) = spot.record.ttl {
            body.insert("TTL".to_owned(), json!(ttl));
        }
        rows::changed(self.ask(spot.wire, "CreateRecord", &Value::Object(body)).await, THERE)
    }

    async fn patch(&self, spot: Spot<'_, Fqdn>, row: &Row, value: IpAddr) -> Outcome<Changed> {
        let mut body = body(&spot, value)?;
        body.insert("RecordId".to_owned(), json!(row.number()?));
        // What is not sent falls back to the default.
        let found = row.rest.as_object().into_iter().flatten();
        body.extend(
            found.filter(|(_, value)| !value.is_null()).map(|(k, v)| (k.clone(), v.clone())),
        );
        if let Some(ttl) = spot.record.ttl.or(row.ttl) {
            body.insert("TTL".to_owned(), json!(ttl));
        }
        rows::changed(self.ask(spot.wire, "ModifyRecord", &Value::Object(body)).await, THERE)
    }

    async fn delete(&self, spot: Spot<'_, Fqdn>, row: &Row) -> Outcome<Changed> {
        let body = json!({ "Domain": spot.zone.as_str(), "RecordId": row.number()? });
        rows::changed(self.ask(spot.wire, "DeleteRecord", &body).await, THERE)
    }
}

impl Tencent {
    async fn ask(&self, wire: &dyn Wire, action: &str, body: &Value) -> Result<Value, Failure> {
        let body = body.to_string().into_bytes();
        let request = Request::new(Method::Post, format!("{}/", self.endpoint));
        let request = self.signer.sign(Request { body, ..request }, wire.now());
        let request = request.header("x-tc-action", action).header("x-tc-version", VERSION);
        let response = wire.http(request).await?;
        let mut body = answer::json(&response)?;
        let code = answer::text_at(&body, "/Response/Error/Code");
        if !code.is_empty() {
            let message = answer::text_at(&body, "/Response/Error/Message");
            let told =
                Told { whom: Self::WHOM, code, message, response: &response, now: wire.now() };
            return Err(told.judge(RULES));
        }
        answer::check_status(&response)?;
        body.get_mut("Response").map(Value::take).ok_or_else(|| answer::unknown(&response))
    }
}

fn body(spot: &Spot<'_, Fqdn>, value: IpAddr) -> Result<Map<String, Value>, Failure> {
    let body = json!({
        "Domain": spot.zone.as_str(),
        "SubDomain": zones::relative(spot.record, spot.zone)?,
        "RecordType": spot.record.family.record_type(),
        "Value": value.to_string(),
    });
    Ok(body.as_object().cloned().unwrap_or_default())
}

fn row(found: &Value) -> Option<Row> {
    let rest = json!({
        "RecordLine": found.get("Line")?,
        "RecordLineId": found.get("LineId"),
        "Weight": found.get("Weight"),
        "Status": found.get("Status"),
    });
    Some(Row { rest, ..COLUMNS.row(found)? })
}

fn is_empty(failure: &Failure) -> bool {
    failure.code == "ResourceNotFound.NoDataOfRecord"
}

fn is_no_zone(failure: &Failure) -> bool {
    matches!(
        failure.code.as_str(),
        "InvalidParameterValue.DomainNotExists"
            | "InvalidParameter.DomainIdInvalid"
            | "InvalidParameter.DomainInvalid"
            | "FailedOperation.NotDomainOwner"
            | "OperationDenied.NoPermissionToOperateDomain"
            | "ResourceNotFound.NoDataOfDomain"
    )
}
