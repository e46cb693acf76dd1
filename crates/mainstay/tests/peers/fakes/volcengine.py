"""Volcengine's API for DNS: actions in the query, questions by GET or POST, everything signed."""

import datetime
import re

from fakes import signatures
from fakes.wire import Answer, Refusal
from fakes.zone import full_name, is_address, label_of

ACCOUNT = {"key": "AKLTvolcengine", "secret": "volcengine-secret"}
VERSION = "2018-08-01"
SKEW_SECONDS_MAX = 15 * 60
# What identifiers of zones begin at.
ZONE_FIRST = 70001
AUTHORIZATION = re.compile(
    r"HMAC-SHA256 Credential=([^/]+)/(\d{8}/[a-z0-9-]+/dns/request), "
    r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})"
)


def told(action, **more):
    about = {"RequestId": "202611220000000000000000000000AB", "Action": action, "Version": VERSION}
    return {"ResponseMetadata": {**about, "Service": "dns", "Region": "cn-north-1", **more}}


def failure(action, status, code, message, number=0):
    return Refusal(Answer(status, told(action, Error={"CodeN": number, "Code": code, "Message": message})))


def handle(request, zones, now):
    query = request.query
    action = query.get("Action", "")
    check_signature(action, request, now)
    act = ACTIONS.get(action)
    if act is None or query.get("Version") != VERSION:
        raise failure(action, 404, "InvalidActionOrVersion", f"could not find operation {action}")
    # A question may be asked by either method, and what is asked stands in the query or in the body.
    given = request.json() if request.method == "POST" else query
    if act in CHANGES and request.method != "POST":
        raise failure(action, 405, "InvalidMethod", "the method is not supported")
    result = act(action, given, zones)
    return Answer(200, {**told(action), "Result": result})


def check_signature(action, request, now):
    found = AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if found is None:
        raise failure(action, 400, "InvalidAuthorization", "the Authorization header is missing or malformed")
    key, scope, signed, signature = found.groups()
    date = request.headers.get("x-date", "")
    if not {"host", "x-date"} <= set(signed.split(";")) or not date.startswith(scope[:8]):
        raise failure(action, 400, "InvalidAuthorization", "host and x-date must be signed")
    if key != ACCOUNT["key"]:
        raise failure(action, 401, "InvalidAccessKey", "the access key is not valid")
    if not signatures.same(signatures.volcengine(ACCOUNT["secret"], request, signed, scope), signature):
        raise failure(action, 401, "SignatureDoesNotMatch", "the request signature we calculated does not match")
    if abs(now - seconds_of(date)) > SKEW_SECONDS_MAX:
        raise failure(action, 400, "InvalidTimestamp", "the timestamp is expired or invalid")


def seconds_of(date):
    when = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ")
    return when.replace(tzinfo=datetime.timezone.utc).timestamp()


def zones_by_id(zones):
    return dict(enumerate(zones.names, ZONE_FIRST))


def list_zones(action, given, zones):
    key, is_exact = given.get("Key", ""), given.get("SearchMode") == "exact"
    fits = lambda name: name == key if is_exact else key in name
    found = [{"ZID": at, "ZoneName": name} for at, name in zones_by_id(zones).items() if fits(name)]
    return {"Zones": found, "Total": len(found)}


def zone_in(action, given, zones):
    zone = zones_by_id(zones).get(int(given.get("ZID") or 0))
    if zone is None:
        raise failure(action, 400, "ErrZoneNotFound", "zone not found", 400105)
    return zone


def list_records(action, given, zones):
    zone, host = zone_in(action, given, zones), given.get("Host")
    rows = zones.find(zone=zone, type=given.get("Type") or None, line=given.get("Line") or None)
    if host and given.get("SearchMode") == "exact":
        rows = [row for row in rows if label_of(row) == host]
    elif host:
        rows = [row for row in rows if host in label_of(row)]
    size, page = int(given.get("PageSize") or 500), int(given.get("PageNumber") or 1)
    if size > 500:
        raise failure(action, 400, "ErrPageSizeNotValid", "page size must be less than 500 when search", 400132)
    shown = [show(row) for row in rows[size * (page - 1) : size * page]]
    return {"Records": shown, "TotalCount": len(rows), "PageNumber": page, "PageSize": size}


def show(row):
    shown = {"RecordID": row["id"], "Host": label_of(row), "Type": row["type"], "Value": row["value"]}
    more = {"TTL": row["ttl"], "Line": row["line"], "Remark": row["comment"], "Weight": 1, "Enable": True}
    return {**shown, **more, "FQDN": f"{row['name']}.", "CreatedAt": "2026-01-01 00:00:00"}


def check_value(action, given):
    if not given.get("Host"):
        raise failure(action, 400, "ErrHostCanNotBeEmpty", "host can't be empty, use @ instead", 400130)
    if not is_address(given.get("Type"), given.get("Value")):
        raise failure(action, 400, "ErrParamInvalid", "validation fail: value", 400102)


def check_new(action, zones, row=None, **fields):
    others = [other for other in zones.find(**fields) if other is not row]
    if others:
        raise failure(action, 409, "ErrDBDuplicated", f"duplicated: {fields['value']}", 400103)


def create(action, given, zones):
    zone = zone_in(action, given, zones)
    check_value(action, given)
    line, name = given.get("Line") or zones.line, full_name(given["Host"], zone)
    check_new(action, zones, name=name, type=given["Type"], value=given["Value"], line=line)
    more = {"line": line, "ttl": given.get("TTL") or 600, "comment": given.get("Remark")}
    row = zones.add(name, given["Type"], given["Value"], **more)
    return {**show(row)}


def row_in(action, given, zones):
    rows = zones.find(id=given.get("RecordID"))
    if not rows:
        raise failure(action, 400, "ErrDBNotFound", f"record not found :{given.get('RecordID')}", 400104)
    return rows[0]


def update(action, given, zones):
    """What is not said is as of a new record."""
    row = row_in(action, given, zones)
    check_value(action, given)
    fields = {"name": full_name(given["Host"], row["zone"]), "type": given["Type"], "value": given["Value"]}
    fields["line"] = given.get("Line") or zones.line
    check_new(action, zones, row, **fields)
    zones.change(row, ttl=given.get("TTL") or 600, comment=given.get("Remark"), **fields)
    return {**show(row)}


def delete(action, given, zones):
    zones.remove(row_in(action, given, zones))
    return None


ACTIONS = {
    "ListZones": list_zones,
    "ListRecords": list_records,
    "CreateRecord": create,
    "UpdateRecord": update,
    "DeleteRecord": delete,
}
CHANGES = (create, update, delete)
