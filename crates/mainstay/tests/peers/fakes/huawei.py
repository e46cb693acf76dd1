"""Huawei Cloud DNS: record sets, names with a dot at their end, and a search that is fuzzy."""

import calendar
import re
import time

from fakes import signatures
from fakes.wire import Answer, Refusal
from fakes.zone import is_address

ACCOUNT = {"key": "huawei-key", "secret": "huawei-secret"}
CLOCK_TOLERANCE = 15 * 60
LINE = "default_view"
AUTHORIZATION = re.compile(r"SDK-HMAC-SHA256 Access=([^,]+), *SignedHeaders=([^,]+), *Signature=([0-9a-f]{64})")
PATH = re.compile(r"/v2(?:\.1)?/(?:zones(?:/([^/]+))?)?(?:/?(recordsets)(?:/([^/]+))?)?/?")


def refused(message):
    body = {"error_msg": message, "error_code": "APIGW.0301", "request_id": "R"}
    return Refusal(Answer(401, body))


def failure(status, code, message):
    return Refusal(Answer(status, {"code": code, "message": message}))


def handle(request, zones, now):
    check(request, now)
    found = PATH.fullmatch(request.path)
    if not found:
        raise failure(404, "DNS.0004", "The API does not exist.")
    zone_part, is_records, identity = found.groups()
    zone = zone_by(zone_part, zones) if zone_part else None
    if not is_records:
        return list_zones(request, zones) if zone is None else Answer(200, show_zone(zone))
    if identity:
        return one(request, zones, zone, identity)
    if request.method == "POST" and zone:
        return Answer(202, show(create(request.json(), zones, zone)))
    return list_records(request, zones, zone)


def check(request, now):
    found = AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if not found:
        raise refused("Incorrect IAM authentication information: Authorization header is not valid")
    key, signed, signature = found.groups()
    date = request.headers.get("x-sdk-date", "")
    try:
        at = calendar.timegm(time.strptime(date, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        raise refused("Incorrect IAM authentication information: x-sdk-date is not valid") from None
    if abs(now - at) > CLOCK_TOLERANCE:
        raise refused("Incorrect IAM authentication information: signature expired")
    if key != ACCOUNT["key"]:
        raise refused(f"Incorrect IAM authentication information: Get secretKey failed, ak:{key}, err:ak not exist")
    names = signed.split(";")
    right = signatures.huawei(ACCOUNT["secret"], request, signed, date)
    if names != sorted(names) or not {"host", "x-sdk-date"} <= set(names) or not signatures.same(right, signature):
        raise refused("Incorrect IAM authentication information: verify aksk signature fail")


def zone_by(identity, zones):
    found = [name for name in zones.names if zone_id(name) == identity]
    if not found:
        raise failure(404, "DNS.0302", "This zone does not exist.")
    return found[0]


def zone_id(name):
    return name.encode().hex().ljust(32, "0")[:32]


def show_zone(name):
    return {"id": zone_id(name), "name": name + ".", "zone_type": "public", "status": "ACTIVE", "ttl": 300}


def list_zones(request, zones):
    wanted = request.query.get("name", "").rstrip(".")
    found = [show_zone(name) for name in zones.names if fits(name, wanted, request.query)]
    return Answer(200, {"links": {}, "zones": found, "metadata": {"total_count": len(found)}})


def fits(name, wanted, query):
    """Part of a name is enough for the real one, too, unless told otherwise."""
    return name == wanted if query.get("search_mode") == "equal" else wanted in name


def show(row):
    return {
        "id": row["id"].rjust(32, "0"),
        "name": row["name"] + ".",
        "description": row["comment"],
        "zone_id": zone_id(row["zone"]),
        "zone_name": row["zone"] + ".",
        "type": row["type"],
        "ttl": row["ttl"],
        "records": [row["value"]] if isinstance(row["value"], str) else row["value"],
        "status": "PENDING_UPDATE" if row["writes"] else "ACTIVE",
        "line": row["line"],
        "default": False,
        "links": {},
    }


def list_records(request, zones, zone):
    query = request.query
    rows = zones.find(zone=zone, type=query.get("type"), line=query.get("line_id"))
    rows = [row for row in rows if fits(row["name"], query.get("name", "").rstrip("."), query)]
    start, count = int(query.get("offset", 0)), int(query.get("limit", 500))
    part = [show(row) for row in rows[start : start + count]]
    return Answer(200, {"links": {}, "recordsets": part, "metadata": {"total_count": len(rows)}})


def create(given, zones, zone):
    name, kind, values = body_of(given, zone)
    line = given.get("line", LINE)
    if zones.find(name=name, type=kind, line=line):
        text = f"Attribute 'name' conflicts with Record Set '{name}.' type '{kind}' in line '{line}'."
        raise failure(400, "DNS.0312", text)
    more = {"ttl": given.get("ttl", 300), "line": line, "comment": given.get("description")}
    return zones.add(name, kind, values, **more)


def body_of(given, zone):
    name, kind, values = given.get("name", ""), given.get("type"), given.get("records")
    name = name.rstrip(".")
    if name != zone and not name.endswith("." + zone):
        raise failure(400, "DNS.0303", "The record set name is invalid.")
    if not isinstance(values, list) or not values or not all(is_address(kind, value) for value in values):
        raise failure(400, "DNS.0308", "The record set value is invalid.")
    # One value is kept as such, as records of other services are.
    return name, kind, values[0] if len(values) == 1 else values


def one(request, zones, zone, identity):
    rows = [row for row in zones.find(zone=zone) if row["id"].rjust(32, "0") == identity]
    if not rows or zone is None:
        raise failure(404, "DNS.0313", "This record set does not exist.")
    row = rows[0]
    if request.method == "DELETE":
        zones.remove(row)
    elif request.method == "PUT":
        given = {"name": row["name"], "type": row["type"], **request.json()}
        name, kind, values = body_of(given, zone)
        kept = {"ttl": given.get("ttl", row["ttl"]), "comment": given.get("description", row["comment"])}
        zones.change(row, name=name, type=kind, value=values, **kept)
    return Answer(200 if request.method == "GET" else 202, show(row))
