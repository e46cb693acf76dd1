"""APIs that know the set of a name and type: GoDaddy, Gandi, Hetzner; and Namecheap's one GET."""

import itertools
import json

from fakes.wire import Answer, Refusal
from fakes.zone import full_name, is_address, label_of

GODADDY = {"key": "godaddy-key", "secret": "godaddy-secret"}
# The kind of a token is told by its length.
GANDI = {"token": "gandi-personal-access-token-0123456789"}
HETZNER = {"token": "hetzner-token"}
NAMECHEAP = {"password": "namecheap-password"}
GODADDY_TTL_MIN, GANDI_TTL_MIN = 600, 300
# A change of Hetzner's is at work at the first look at it, and done at the second.
ACTIONS, NUMBERS = {}, itertools.count(1)


def godaddy_refusal(status, code, message):
    return Refusal(Answer(status, {"code": code, "message": message}))


def handle_godaddy(request, zones, now):
    if request.headers.get("authorization") != f"sso-key {GODADDY['key']}:{GODADDY['secret']}":
        raise godaddy_refusal(401, "UNABLE_TO_AUTHENTICATE", "Unauthorized : Could not authenticate API key/secret")
    zone, *rest = request.path.removeprefix("/v1/domains/").split("/")
    if zone not in zones.names:
        message = "The given domain is not registered, or does not have a zone file"
        raise godaddy_refusal(404, "UNKNOWN_DOMAIN", message)
    if not rest:
        return Answer(200, {"domain": zone, "domainId": 1001, "status": "ACTIVE"})
    kind = rest[1] if len(rest) > 1 else None
    name = full_name(rest[2], zone) if len(rest) > 2 else None
    if request.method == "GET":
        return Answer(200, [show_godaddy(row) for row in zones.find(zone=zone, name=name, type=kind)])
    if name is None or request.method not in ("PUT", "DELETE"):
        raise godaddy_refusal(405, "METHOD_NOT_ALLOWED", "only a set is written here")
    if request.method == "DELETE":
        put_set(zones, name, kind, [], None)
        return Answer(204, b"")
    put_godaddy(json.loads(request.body), zones, name, kind)
    return Answer(200, b"")


def put_godaddy(given, zones, name, kind):
    if not given:
        raise godaddy_refusal(422, "INVALID_BODY", "Request body doesn't fulfill schema, see details in `fields`")
    if any(one.get("ttl", GODADDY_TTL_MIN) < GODADDY_TTL_MIN for one in given):
        raise godaddy_refusal(422, "INVALID_BODY", "Request body doesn't fulfill schema, ttl must be at least 600")
    if not all(is_address(kind, one.get("data")) for one in given):
        raise godaddy_refusal(422, "INVALID_BODY", "Request body doesn't fulfill schema, data is no address")
    put_set(zones, name, kind, [one["data"] for one in given], given[0].get("ttl", 3600))


def show_godaddy(row):
    return {"data": row["value"], "name": label_of(row), "ttl": row["ttl"], "type": row["type"]}


def put_set(zones, name, kind, values, ttl, comments=None):
    """Makes a set what it shall be, row by row; comments only where there are such."""
    rows = zones.find(name=name, type=kind)
    more = [{"ttl": ttl} if comments is None else {"ttl": ttl, "comment": one} for one in comments or values]
    for row, value, fields in zip(rows, values, more):
        zones.change(row, value=value, **fields)
    for row in rows[len(values) :]:
        zones.remove(row)
    for value, fields in list(zip(values, more))[len(rows) :]:
        zones.add(name, kind, value, **fields)


def gandi_refusal(status, name, message):
    return Refusal(Answer(status, {"code": status, "object": f"HTTP{name}", "cause": name, "message": message}))


def handle_gandi(request, zones, now):
    """A personal access token is a bearer's; the older kind of key is not given to anybody any more."""
    if request.headers.get("authorization") != f"Bearer {GANDI['token']}":
        raise gandi_refusal(401, "Unauthorized", "The server could not verify that you are authorized")
    zone, *rest = request.path.removeprefix("/v5/livedns/domains/").split("/")
    if zone not in zones.names:
        raise gandi_refusal(404, "NotFound", "The resource could not be found.")
    if not rest:
        return Answer(200, {"fqdn": zone, "automatic_snapshots": True})
    label, kind = rest[1:]
    name = full_name(label, zone)
    rows = zones.find(name=name, type=kind)
    if request.method == "POST" and rows:
        raise gandi_refusal(409, "Conflict", "A DNS Record already exists with same value")
    if request.method in ("PUT", "POST"):
        put_gandi(request.json(), zones, name, kind)
        return Answer(201, {"message": "DNS Record Created"})
    if not rows:
        raise gandi_refusal(404, "NotFound", "Can't find the DNS record")
    shown = {"rrset_name": label, "rrset_type": kind, "rrset_ttl": rows[0]["ttl"]}
    return Answer(200, {**shown, "rrset_values": [row["value"] for row in rows]})


def put_gandi(given, zones, name, kind):
    ttl, values = given.get("rrset_ttl", 10800), given.get("rrset_values", [])
    if ttl < GANDI_TTL_MIN:
        raise gandi_invalid("rrset_ttl", f"{ttl} is less than minimum value {GANDI_TTL_MIN}")
    if not values or not all(is_address(kind, value) for value in values):
        raise gandi_invalid("rrset_values", "must be addresses")
    put_set(zones, name, kind, values, ttl)


def gandi_invalid(name, description):
    errors = [{"location": "body", "name": name, "description": description}]
    return Refusal(Answer(400, {"status": "error", "errors": errors}))


def hetzner_refusal(status, code, message):
    return Refusal(Answer(status, {"error": {"code": code, "message": message, "details": None}}))


def handle_hetzner(request, zones, now):
    if request.headers.get("authorization") != f"Bearer {HETZNER['token']}":
        raise hetzner_refusal(401, "unauthorized", "the token you provided is invalid")
    parts = request.path.removeprefix("/v1/").split("/")
    # What has begun is asked after in general, or among what zones do.
    if "actions" in parts[:2]:
        return Answer(200, {"action": look(int(parts[-1]))})
    if parts.pop(0) != "zones":
        raise hetzner_refusal(404, "not_found", "no such resource")
    if not parts:
        return list_zones(request, zones)
    # A zone is told by its name, or by its number.
    known = {str(at): name for at, name in enumerate(zones.names, 1)}
    zone = known.get(parts[0], parts[0])
    if zone not in zones.names:
        raise hetzner_refusal(404, "not_found", "zone not found")
    if len(parts) == 1:
        return Answer(200, {"zone": show_zone(zones, zone)})
    return rrsets(request, zones, zone, parts[2:])


def list_zones(request, zones):
    wanted = request.query.get("name")
    found = [show_zone(zones, name) for name in zones.names if wanted in (None, name)]
    page = {"page": 1, "per_page": 25, "previous_page": None, "next_page": None, "last_page": 1}
    return Answer(200, {"zones": found, "meta": {"pagination": {**page, "total_entries": len(found)}}})


def show_zone(zones, name):
    return {"id": zones.names.index(name) + 1, "name": name, "ttl": 3600, "mode": "primary", "status": "ok"}


def rrsets(request, zones, zone, parts):
    """All that is below `/zones/ZONE/rrsets`; a time to live that nobody has told is none."""
    if not parts:
        return create_hetzner(request.json(), zones, zone)
    name, kind = full_name(parts[0], zone), parts[1]
    rows = zones.find(name=name, type=kind)
    if not rows:
        raise hetzner_refusal(404, "not_found", "rrset not found")
    if parts[2:3] == ["actions"] and request.method == "POST":
        return act(parts[3], request.json(), zones, rows)
    return Answer(200, {"rrset": show_hetzner(zones, name, kind)})


def create_hetzner(given, zones, zone):
    name, kind = full_name(given["name"], zone), given["type"]
    if zones.find(name=name, type=kind):
        raise hetzner_refusal(409, "uniqueness_error", "the rrset exists already")
    set_hetzner(zones, name, kind, given["records"], given.get("ttl"))
    return Answer(201, {"rrset": show_hetzner(zones, name, kind), "action": begin("create_rrset")})


def act(what, given, zones, rows):
    name, kind, ttl = rows[0]["name"], rows[0]["type"], rows[0]["ttl"]
    if what == "set_records":
        set_hetzner(zones, name, kind, given["records"], ttl)
    elif what == "add_records":
        there = [{"value": row["value"], "comment": row["comment"]} for row in rows]
        set_hetzner(zones, name, kind, there + given["records"], ttl)
    elif what == "change_ttl":
        for row in rows:
            zones.change(row, ttl=given.get("ttl"))
    else:
        raise hetzner_refusal(404, "not_found", "no such action")
    return Answer(201, {"action": begin(f"{what.removesuffix('_records')}_rrset")})


def set_hetzner(zones, name, kind, records, ttl):
    """A comment that is not told is gone."""
    if not records or not all(is_address(kind, one["value"]) for one in records):
        raise hetzner_refusal(422, "invalid_input", "invalid input in field 'records'")
    put_set(zones, name, kind, [one["value"] for one in records], ttl, [one.get("comment") for one in records])


def begin(command):
    number = next(NUMBERS)
    ACTIONS[number] = [0, command]
    return show_action(number, False)


def look(number):
    ACTIONS[number][0] += 1
    return show_action(number, ACTIONS[number][0] > 1)


def show_action(number, is_done):
    state = {"status": "success" if is_done else "running", "progress": 100 * is_done, "error": None}
    more = {"command": ACTIONS[number][1], "started": "2026-01-01T00:00:00Z", "finished": None, "resources": []}
    return {"id": number, **state, **more}


def show_hetzner(zones, name, kind):
    rows = zones.find(name=name, type=kind)
    label = label_of(rows[0])
    records = [{"value": row["value"], "comment": row["comment"] or ""} for row in rows]
    more = {"labels": {}, "protection": {"change": False}, "zone": zones.names.index(rows[0]["zone"]) + 1}
    return {"id": f"{label}/{kind}", "name": label, "type": kind, "ttl": rows[0]["ttl"], "records": records, **more}


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
