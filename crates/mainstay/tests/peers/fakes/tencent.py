"""Tencent Cloud's API 3.0 of DNSPod: status 200 whatever happens, and unknown fields are errors."""

import re

from fakes import signatures
from fakes.wire import Answer, Refusal
from fakes.zone import full_name, is_address, label_of

ACCOUNT = {"id": "tencent-id", "secret": "tencent-secret"}
VERSION = "2021-03-23"
CLOCK_TOLERANCE = 300
LINE = "默认"
AUTHORIZATION = re.compile(
    r"TC3-HMAC-SHA256 Credential=([^/]+)/(\d{4}-\d\d-\d\d)/dnspod/tc3_request, *"
    r"SignedHeaders=([^,]+), *Signature=([0-9a-f]{64})"
)


def failure(code, message):
    body = {"Response": {"Error": {"Code": code, "Message": message}, "RequestId": "R"}}
    return Refusal(Answer(200, body))


def handle(request, zones, now):
    check(request, now)
    known = ACTIONS.get(request.headers.get("x-tc-action"))
    if known is None:
        raise failure("InvalidAction", "The action does not exist.")
    if request.headers.get("x-tc-version") != VERSION:
        raise failure("NoSuchVersion", "The version does not exist.")
    action, fields = known
    given = request.json()
    for name in given:
        if name not in fields.split():
            raise failure("UnknownParameter", f"The parameter `{name}` is not recognized.")
    return Answer(200, {"Response": {**action(given, zones), "RequestId": "R"}})


def check(request, now):
    found = AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if request.method != "POST" or not found:
        raise failure("AuthFailure.InvalidAuthorization", "The Authorization header is not valid.")
    identity, date, signed, signature = found.groups()
    at = int(request.headers.get("x-tc-timestamp", "0"))
    if abs(now - at) > CLOCK_TOLERANCE:
        text = f"Signature has expired. Server time {int(now)} minus X-TC-Timestamp {at} is more than 5 minutes."
        raise failure("AuthFailure.SignatureExpire", text)
    if identity != ACCOUNT["id"]:
        raise failure("AuthFailure.SecretIdNotFound", "The SecretId is not found.")
    if not {"content-type", "host"} <= set(signed.split(";")):
        raise failure("AuthFailure.SignatureFailure", "content-type and host must be signed.")
    body = request.body
    right = signatures.tencent(ACCOUNT["secret"], signed, request.headers, request.query_text, body, at)
    if not signatures.same(right, signature):
        raise failure("AuthFailure.SignatureFailure", "The provided credentials could not be validated.")


def need(given, *names):
    for name in names:
        if given.get(name) in (None, ""):
            raise failure("MissingParameter", f"The request is missing a required parameter `{name}`.")
    return [given[name] for name in names]


def zone_in(given, zones):
    (zone,) = need(given, "Domain")
    if zone not in zones.names:
        raise failure("InvalidParameterValue.DomainNotExists", "The domain does not exist.")
    return zone


def show(row):
    return {
        "RecordId": int(row["id"]),
        "Name": label_of(row),
        "Type": row["type"],
        "Value": row["value"],
        "TTL": row["ttl"],
        "Line": row["line"],
        "LineId": "0" if row["line"] == LINE else "10=1",
        "Status": "ENABLE",
        "Weight": None,
        "MonitorStatus": "",
        "Remark": row["comment"] or "",
        "UpdatedOn": row["changed"][:19].replace("T", " "),
        "MX": 0,
        "DefaultNS": False,
    }


def list_records(given, zones):
    zone = zone_in(given, zones)
    name = full_name(given["Subdomain"], zone) if given.get("Subdomain") else None
    rows = zones.find(zone=zone, name=name, type=given.get("RecordType"), line=given.get("RecordLine"))
    if not rows:
        raise failure("ResourceNotFound.NoDataOfRecord", "There is no record.")
    start, count = given.get("Offset", 0), given.get("Limit", 100)
    part = [show(row) for row in rows[start : start + count]]
    counts = {"SubdomainCount": len(rows), "ListCount": len(part), "TotalCount": len(rows)}
    return {"RecordCountInfo": counts, "RecordList": part}


def fields_in(given, ttl="TTL"):
    """What is not said is as of a new record: the real one keeps nothing."""
    return {"value": given["Value"], "ttl": given.get(ttl, 600), "line": given["RecordLine"]}


def create(given, zones):
    zone = zone_in(given, zones)
    kind, _, value = need(given, "RecordType", "RecordLine", "Value")
    name = full_name(given.get("SubDomain", "@"), zone)
    check_value(kind, value)
    if zones.find(name=name, type=kind, value=value, line=given["RecordLine"]):
        raise failure("InvalidParameter.DomainRecordExist", "The record exists already.")
    row = zones.add(name, kind, comment=given.get("Remark"), **fields_in(given))
    return {"RecordId": int(row["id"])}


def record_in(given, zones, zone):
    (identity,) = need(given, "RecordId")
    rows = zones.find(id=str(identity), zone=zone)
    if not isinstance(identity, int):
        raise failure("InvalidParameter", "The parameter `RecordId` must be an integer.")
    if not rows:
        raise failure("InvalidParameter.RecordIdInvalid", "The record ID is invalid.")
    return rows[0]


def modify(given, zones):
    zone = zone_in(given, zones)
    kind, _, value = need(given, "RecordType", "RecordLine", "Value")
    row = record_in(given, zones, zone)
    check_value(kind, value)
    name = full_name(given.get("SubDomain", "@"), zone)
    zones.change(row, name=name, type=kind, **fields_in(given))
    return {"RecordId": int(row["id"])}


def modify_dynamic(given, zones):
    zone = zone_in(given, zones)
    need(given, "RecordLine", "Value")
    row = record_in(given, zones, zone)
    check_value(row["type"], given["Value"])
    name = full_name(given.get("SubDomain", "@"), zone)
    zones.change(row, name=name, **fields_in(given, "Ttl"))
    return {"RecordId": int(row["id"])}


def check_value(kind, value):
    if not is_address(kind, value):
        raise failure("InvalidParameter.RecordValueInvalid", "The record value is invalid.")


def remove(given, zones):
    zones.remove(record_in(given, zones, zone_in(given, zones)))
    return {}


def list_domains(given, zones):
    found = [{"Name": name, "DomainId": at, "Status": "ENABLE"} for at, name in enumerate(zones.names, 1)]
    return {"DomainCountInfo": {"DomainTotal": len(found), "AllTotal": len(found)}, "DomainList": found}


SHARED = "Domain DomainId SubDomain RecordType RecordLine RecordLineId Value MX TTL Weight Status Remark"
ACTIONS = {
    "DescribeRecordList": (
        list_records,
        "Domain DomainId Subdomain RecordType RecordLine RecordLineId Keyword SortField SortType Offset Limit",
    ),
    "CreateRecord": (create, SHARED),
    "ModifyRecord": (modify, f"{SHARED} RecordId"),
    "ModifyDynamicDNS": (modify_dynamic, "Domain DomainId SubDomain RecordId RecordLine RecordLineId Value Ttl"),
    "DeleteRecord": (remove, "Domain DomainId RecordId"),
    "DescribeDomainList": (list_domains, "Type Offset Limit GroupId Keyword"),
}
