"""APIs that know the set of a name and type: GoDaddy, Gandi, Hetzner; and Namecheap's one GET."""

import itertools
import json

from fakes.wire import Answer, Refusal
from fakes.zone import full_name, label_of

GODADDY = {"key": "godaddy-key", "secret": "godaddy-secret"}
GANDI = {"token": "gandi-token"}
HETZNER = {"token": "hetzner-token"}
NAMECHEAP = {"password": "namecheap-password"}
GODADDY_TTL_MIN, GANDI_TTL_MIN = 600, 300
# A change of Hetzner's is at work at the first look at it, and done at the second.
ACTIONS, NUMBERS = {}, itertools.count(1)


def handle_godaddy(request, zones, now):
    def fail(status, code, message):
        return Refusal(Answer(status, {"code": code, "message": message}))

    if request.headers.get("authorization") != f"sso-key {GODADDY['key']}:{GODADDY['secret']}":
        raise fail(401, "UNABLE_TO_AUTHENTICATE", "Could not authenticate API Key/Secret")
    parts = request.path.removeprefix("/v1/domains/").split("/")
    if parts[0] not in zones.names:
        raise fail(404, "UNKNOWN_DOMAIN", "The given domain is not registered, or does not have a zone file")
    if len(parts) == 1:
        return Answer(200, {"domain": parts[0], "status": "ACTIVE"})
    zone, _, kind, label = parts
    name = full_name(label, zone)
    if request.method == "PUT":
        given = json.loads(request.body)
        if any(one.get("ttl", GODADDY_TTL_MIN) < GODADDY_TTL_MIN for one in given):
            raise fail(422, "INVALID_BODY", "Request body doesn't fulfill schema, ttl must be at least 600")
        put_set(zones, name, kind, [one["data"] for one in given], given[0].get("ttl", 3600))
        return Answer(200, b"")
    rows = zones.find(name=name, type=kind)
    return Answer(200, [{"data": row["value"], "name": label, "ttl": row["ttl"], "type": kind} for row in rows])


def put_set(zones, name, kind, values, ttl):
    """Makes a set what it shall be, row by row."""
    rows = zones.find(name=name, type=kind)
    for row, value in zip(rows, values):
        zones.change(row, value=value, ttl=ttl)
    for row in rows[len(values) :]:
        zones.remove(row)
    for value in values[len(rows) :]:
        zones.add(name, kind, value, ttl=ttl)


def handle_gandi(request, zones, now):
    if request.headers.get("authorization") != f"Bearer {GANDI['token']}":
        body = {"code": 401, "object": "HTTPUnauthorized", "message": "The server could not verify your access"}
        raise Refusal(Answer(401, body))
    missing = {"code": 404, "object": "HTTPNotFound", "message": "The resource could not be found."}
    parts = request.path.removeprefix("/v5/livedns/domains/").split("/")
    if parts[0] not in zones.names:
        raise Refusal(Answer(404, missing))
    if len(parts) == 1:
        return Answer(200, {"fqdn": parts[0]})
    zone, _, label, kind = parts
    name = full_name(label, zone)
    if request.method == "PUT":
        given = request.json()
        ttl = given.get("rrset_ttl", 10800)
        if ttl < GANDI_TTL_MIN:
            raise Refusal(Answer(400, {"status": "error", "errors": [{"name": "rrset_ttl", "description": "too small"}]}))
        put_set(zones, name, kind, given["rrset_values"], ttl)
        return Answer(201, {"message": "DNS Record Created"})
    rows = zones.find(name=name, type=kind)
    if not rows:
        raise Refusal(Answer(404, missing))
    shown = {"rrset_name": label, "rrset_type": kind, "rrset_ttl": rows[0]["ttl"]}
    return Answer(200, {**shown, "rrset_values": [row["value"] for row in rows]})


def handle_hetzner(request, zones, now):
    def fail(status, code, message):
        return Refusal(Answer(status, {"error": {"code": code, "message": message}}))

    if request.headers.get("authorization") != f"Bearer {HETZNER['token']}":
        raise fail(401, "unauthorized", "unable to authenticate")
    parts = request.path.removeprefix("/v1/zones").strip("/").split("/")
    if parts[0] == "actions":
        return Answer(200, {"action": look(int(parts[1]))})
    if parts == [""]:
        wanted = request.query.get("name")
        found = [{"id": at, "name": name} for at, name in enumerate(zones.names, 1) if wanted in (None, name)]
        return Answer(200, {"zones": found, "meta": {"pagination": {"page": 1, "total_entries": len(found)}}})
    if parts[0] not in zones.names:
        raise fail(404, "not_found", "zone not found")
    zone = parts[0]
    if len(parts) == 1:
        return Answer(200, {"zone": {"id": 1, "name": zone}})
    given = request.json()
    if len(parts) == 2 and request.method == "POST":
        name, kind = full_name(given["name"], zone), given["type"]
        if zones.find(name=name, type=kind):
            raise fail(409, "uniqueness_error", "the rrset exists already")
        put_set(zones, name, kind, [one["value"] for one in given["records"]], given.get("ttl") or 3600)
        return Answer(201, {"rrset": show_hetzner(zones, name, kind), "action": begin()})
    name, kind = full_name(parts[2], zone), parts[3]
    if not zones.find(name=name, type=kind):
        raise fail(404, "not_found", "rrset not found")
    if parts[4:] == ["actions", "set_records"]:
        rows = zones.find(name=name, type=kind)
        put_set(zones, name, kind, [one["value"] for one in given["records"]], rows[0]["ttl"])
        return Answer(201, {"action": begin()})
    return Answer(200, {"rrset": show_hetzner(zones, name, kind)})


def begin():
    number = next(NUMBERS)
    ACTIONS[number] = 0
    return {"id": number, "status": "running", "progress": 0, "error": None}


def look(number):
    ACTIONS[number] += 1
    is_done = ACTIONS[number] > 1
    return {"id": number, "status": "success" if is_done else "running", "progress": 100 * is_done, "error": None}


def show_hetzner(zones, name, kind):
    rows = zones.find(name=name, type=kind)
    label = label_of(rows[0])
    records = [{"value": row["value"], "comment": row["comment"] or ""} for row in rows]
    return {"id": f"{label}/{kind}", "name": label, "type": kind, "ttl": rows[0]["ttl"], "records": records}


def handle_namecheap(request, zones, now):
    """Status 200 whatever happens, and an encoding that is not the one it has."""

    def fail(text):
        return say(f"<ErrCount>1</ErrCount><errors><Err1>{text}</Err1></errors><ResponseCount>1</ResponseCount>")

    query = request.query
    name = full_name(query.get("host", "@"), query.get("domain", ""))
    if request.path != "/update" or query.get("domain") not in zones.names:
        return fail("Domain name not found")
    if query.get("password") != NAMECHEAP["password"]:
        return fail("Passwords do not match")
    if not zones.find(name=name, type="A"):
        return fail("No Records updated. A record not Found;")
    address = query.get("ip") or request.peer
    zones.put(name, "A", address)
    return say(f"<IP>{address}</IP><ErrCount>0</ErrCount><errors /><ResponseCount>0</ResponseCount>")


def say(text):
    head = '<?xml version="1.0" encoding="utf-16"?><interface-response><Command>SETDNSHOST</Command>'
    tail = "<responses /><Done>true</Done><debug><![CDATA[]]></debug></interface-response>"
    return Answer(200, head + "<Language>eng</Language>" + text + tail, {"Content-Type": "text/xml; charset=utf-8"})
