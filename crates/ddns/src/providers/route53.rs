//! Amazon Route 53: XML, a signature, sets of records that are replaced in one step.

use std::{fmt::Write as _, net::IpAddr};

use roxmltree::{Document, Node};
use serde_json::Value;

use crate::{
    failure::{Class, Failure},
    name::Fqdn,
    provider::{
        ENDPOINT, Entry, Floors, Limits, Nature, Need, Parameter, ParameterError, Parameters,
        Provider, Reading,
    },
    record::{Changed, Record},
    wire::{Method, Request, Response, Wire},
};

use super::{
    answer,
    sets::{self, Set, Sets},
    sign::aws::Signer,
    verdict::{Rule, Told, account, clock, limited, parked, transient},
    zones::{self, Outcome, Spot, ZONE, Zoned, Zones},
};

#[cfg(test)]
mod tests;

/// What is known of it.
pub(super) const ENTRY: Entry = Entry {
    name: "route53",
    aliases: &["aws"],
    title: "Amazon Route 53",
    title_zh: "亚马逊 Route 53",
    documents: "https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html",
    parameters: &[
        Parameter {
            key: "access-key-id",
            need: Need::Required,
            nature: Nature::Plain,
            help: "the access key ID of an IAM user that may list and change the zone's record sets",
            help_zh: "IAM 用户的 Access Key ID，需要托管区域记录的读写权限",
        },
        Parameter {
            key: "secret-access-key",
            need: Need::Required,
            nature: Nature::Secret,
            help: "the secret access key that goes with it",
            help_zh: "对应的 Secret Access Key",
        },
        Parameter {
            key: "session-token",
            need: Need::Optional,
            nature: Nature::Secret,
            help: "the session token of temporary credentials",
            help_zh: "临时凭证的 Session Token",
        },
        Parameter {
            key: "region",
            need: Need::Optional,
            nature: Nature::Plain,
            help: "the region that signatures name: `us-east-1`, unless the partition is another one",
            help_zh: "签名使用的区域，默认 `us-east-1`",
        },
        ZONE,
        ZONE_ID,
        ENDPOINT,
    ],
    extras: &[ZONE, ZONE_ID],
    reading: Reading::Possible,
    floors: Floors::API,
    limits: Limits { ttl: Some((0, 2_147_483_647)), ..Limits::ZONE },
    open,
};

const ZONE_ID: Parameter = Parameter {
    key: "zone-id",
    need: Need::Optional,
    nature: Nature::Plain,
    help: "the hosted zone's identifier, for users that may not list zones",
    help_zh: "托管区域 ID，没有列出区域的权限时填写",
};

/// Where the API begins.
const VERSION: &str = "/2013-04-01";
/// The time to live of a set that is created, where nobody says another one.
const TTL: u32 = 300;

/// What its codes mean.
const RULES: &[Rule] = &[
    clock("RequestExpired"),
    clock("RequestTimeTooSkewed"),
    limited("Throttling*"),
    limited("LimitsExceeded"),
    account("InvalidClientTokenId"),
    account("UnrecognizedClientException"),
    account("SignatureDoesNotMatch"),
    account("IncompleteSignature"),
    account("MissingAuthenticationToken"),
    account("ExpiredToken*"),
    account("OptInRequired"),
    parked("AccessDenied*"), // the right may be missing for this zone alone
    transient("PriorRequestNotComplete"),
    transient("InternalFailure"),
    transient("InternalError"),
    transient("ServiceUnavailable"),
];

#[derive(Debug)]
struct Route53 {
    endpoint: String,
    signer: Signer,
    zone_id: Option<String>,
    zones: Zones<String>,
}

fn open(parameters: &Parameters) -> Result<Box<dyn Provider>, ParameterError> {
    Ok(sets::provider(Route53 {
        endpoint: parameters.endpoint("https://route53.amazonaws.com")?,
        signer: Signer {
            id: parameters.required("access-key-id")?.to_owned(),
            key: parameters.secret("secret-access-key")?,
            session: parameters.optional_secret("session-token"),
            region: parameters.text("region")?.unwrap_or("us-east-1").to_owned(),
        },
        zone_id: parameters.text(ZONE_ID.key)?.map(bare),
        zones: Zones::open(parameters)?,
    }))
}

impl Zoned for Route53 {
    type Zone = String;

    const WHOM: &'static str = "Route 53";

    fn zones(&self) -> &Zones<String> {
        &self.zones
    }

    fn told_zone(&self, record: &Record) -> Outcome<Option<String>> {
        let of_name = zones::text(record, ZONE_ID.key)?.map(bare);
        Ok(of_name.or_else(|| self.zone_id.clone()))
    }

    async fn zone(&self, wire: &dyn Wire, name: &Fqdn) -> Outcome<Option<String>> {
        let absolute = name.absolute();
        let query = answer::query(&[("dnsname", &absolute), ("maxitems", "10")]);
        let url = format!("{}{VERSION}/hostedzonesbyname?{query}", self.endpoint);
        let response = self.ask(wire, Request::new(Method::Get, url)).await?;
        let text = response.text();
        let document = parsed(&text, "HostedZones", &response)?;
        let mut zones = named(document.root_element(), "HostedZone").filter(|zone| {
            let is_private = text_of(*zone, "PrivateZone") == Some("true");
            !is_private && text_of(*zone, "Name").is_some_and(|found| same(found, &absolute))
        });
        Ok(zones.find_map(|zone| text_of(zone, "Id")).map(bare))
    }
}

impl Sets for Route53 {
    async fn get(&self, spot: Spot<'_, String>) -> Outcome<Option<Set>> {
        let (name, kind) = (spot.record.name.absolute(), spot.record.family.record_type());
        let query = answer::query(&[("maxitems", "10"), ("name", &name), ("type", kind)]);
        let url = format!("{}?{query}", self.sets(spot.zone));
        let response = self.ask(spot.wire, Request::new(Method::Get, url)).await?;
        let text = response.text();
        let document = parsed(&text, "ResourceRecordSets", &response)?;
        let mut found = named(document.root_element(), "ResourceRecordSet").filter(|set| {
            text_of(*set, "Type") == Some(kind)
                && text_of(*set, "Name").is_some_and(|found| same(found, &name))
        });
        found.next().map(|set| taken(set, spot.record)).transpose()
    }

    async fn put(
        &self,
        spot: Spot<'_, String>,
        there: Option<&Set>,
        values: &[IpAddr],
    ) -> Outcome<Changed> {
        let ttl = spot.record.ttl.or(there.and_then(|set| set.ttl)).unwrap_or(TTL);
        let body = upsert(spot.record, ttl, values).into_bytes();
        let request = Request::new(Method::Post, format!("{}/", self.sets(spot.zone)))
            .header("content-type", "text/xml");
        self.ask(spot.wire, Request { body, ..request }).await?;
        Ok(Changed::Yes)
    }
}

impl Route53 {
    fn sets(&self, zone: &str) -> String {
        format!("{}{VERSION}/hostedzone/{}/rrset", self.endpoint, answer::encoded(zone))
    }

    async fn ask(&self, wire: &dyn Wire, request: Request) -> Result<Response, Failure> {
        let response = wire.http(self.signer.sign(request, wire.now())).await?;
        if response.status == 200 {
            return Ok(response);
        }
        let text = response.text();
        let Ok(document) = Document::parse(&text) else {
            answer::check_status(&response)?;
            return Err(answer::unknown(&response));
        };
        let told = |name| text_of(document.root_element(), name).unwrap_or_default();
        let (code, message) = (told("Code"), told("Message"));
        let code_meant = if is_skewed(message) { "RequestTimeTooSkewed" } else { code };
        let now = wire.now();
        // A signature that does not match is told with all that was signed.
        let message = message.split("The Canonical String").next().unwrap_or(message);
        let told = Told { whom: Self::WHOM, code: code_meant, message, response: &response, now };
        Err(told.judge(RULES).with_code(code))
    }
}

/// A signature that came too late or too early has the code of one that is wrong.
fn is_skewed(message: &str) -> bool {
    message.starts_with("Signature expired") || message.starts_with("Signature not yet current")
}

/// Writes what replaces a set, or creates it.
fn upsert(record: &Record, ttl: u32, values: &[IpAddr]) -> String {
    let (name, kind) = (record.name.absolute(), record.family.record_type());
    let values = values.iter().fold(String::new(), |mut text, value| {
        // Writing into a text cannot fail.
        let _infallible = write!(text, "<ResourceRecord><Value>{value}</Value></ResourceRecord>");
        text
    });
    // Names have no letter that XML would have to escape.
    format!(
        "<ChangeResourceRecordSetsRequest \
         xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ChangeBatch><Changes><Change>\
         <Action>UPSERT</Action><ResourceRecordSet><Name>{name}</Name><Type>{kind}</Type>\
         <TTL>{ttl}</TTL><ResourceRecords>{values}</ResourceRecords></ResourceRecordSet></Change>\
         </Changes></ChangeBatch></ChangeResourceRecordSetsRequest>"
    )
}

/// Takes a plain set; one that answers by weight, place or health, or for another name, is not ours
/// to replace.
fn taken(set: Node<'_, '_>, record: &Record) -> Result<Set, Failure> {
    if text_of(set, "SetIdentifier").is_some() || named(set, "AliasTarget").next().is_some() {
        let words = format!(
            "`{}` has a routing policy or is an alias; replacing it would take that away",
            record.name
        );
        return Err(Failure::new(Class::Parked, "routing-policy", words));
    }
    let values = named(set, "Value").filter_map(|value| value.text()?.parse().ok());
    let ttl = text_of(set, "TTL").and_then(|ttl| ttl.parse().ok());
    Ok(Set { values: values.collect(), ttl, rest: Value::Null })
}

/// Reads an answer that is about a list; without one it is none.
fn parsed<'a>(
    text: &'a str,
    list: &'static str,
    response: &Response,
) -> Result<Document<'a>, Failure> {
    let document = Document::parse(text).map_err(|_| answer::unknown(response))?;
    if named(document.root_element(), list).next().is_none() {
        return Err(answer::unknown(response));
    }
    Ok(document)
}

/// Returns the elements of a name, whatever their namespace.
fn named<'a>(within: Node<'a, 'a>, name: &'static str) -> impl Iterator<Item = Node<'a, 'a>> {
    within.descendants().filter(move |node| node.tag_name().name() == name)
}

fn text_of<'a>(within: Node<'a, '_>, name: &'static str) -> Option<&'a str> {
    within.descendants().find(|node| node.tag_name().name() == name)?.text()
}

/// Compares names; a star comes back as `\052`.
fn same(found: &str, absolute: &str) -> bool {
    found.replace("\\052", "*").eq_ignore_ascii_case(absolute)
}

/// Returns an identifier without what stands before it: `/hostedzone/Z1` is `Z1`.
fn bare(id: &str) -> String {
    id.rsplit('/').next().unwrap_or(id).to_owned()
}
