"""APIs that know single records by their ids: Porkbun, DigitalOcean, Linode, Vultr."""

import json

from fakes.wire import Answer, Refusal
from fakes.zone import full_name, is_address, label_of

PORKBUN = {"key": "pk1_porkbun", "secret": "sk1_porkbun-secret"}
DIGITALOCEAN = {"token": "digitalocean-token"}
LINODE = {"token": "linode-token"}
VULTR = {"token": "vultr-token"}
PORKBUN_TTL_MIN = 600
# All other times to live become the nearest of these.
LINODE_TTLS = (0, 30, 120, 300, 3600, 7200, 14400, 28800, 57600, 86400, 172800, 345600, 604800, 1209600, 2419200)


def check_bearer(request, account, refusal):
    if request.headers.get("authorization") != f"Bearer {account['token']}":
        raise Refusal(Answer(401, refusal))


def parts_below(request, base, refusal):
    path = request.path.removeprefix(base)
    if path == request.path:
        raise Refusal(Answer(404, refusal))
    return path.strip("/").split("/")


def zone_in(name, zones, refusal):
    if name not in zones.names:
        raise Refusal(Answer(404, refusal))
    return name


def row_in(zones, zone, identity, refusal):
    rows = zones.find(zone=zone, id=identity)
    if not rows:
        raise Refusal(Answer(404, refusal))
    return rows[0]


def page_of(rows, size, number):
    """A page of what there is, the first being 1, and how many there are."""
    return rows[size * (number - 1) : size * number], max(1, -(-len(rows) // size))


def porkbun_refusal(message, code=None):
    told = {"status": "ERROR", "code": code, "message": message}
    return Refusal(Answer(400, {key: value for key, value in told.items() if value is not None}))


def handle_porkbun(request, zones, now):
    path = request.path.removeprefix("/api/json/v3/")
    given = request.json()
    if path == request.path or request.method != "POST":
        raise porkbun_refusal("Invalid route.")
    if (given.get("apikey"), given.get("secretapikey")) != (PORKBUN["key"], PORKBUN["secret"]):
        raise porkbun_refusal("Invalid API key. (002)", "INVALID_API_KEYS_002")
    if path == "ping":
        return Answer(200, {"status": "SUCCESS", "yourIp": request.peer})
    _, what, *rest = path.split("/")
    if what not in PORKBUN_ACTIONS:
        raise porkbun_refusal("Invalid route.")
    if not rest or rest[0] not in zones.names:
        raise porkbun_refusal("Invalid domain.", "INVALID_DOMAIN")
    return Answer(200, {"status": "SUCCESS", **PORKBUN_ACTIONS[what](given, zones, *rest)})


def porkbun_retrieve(given, zones, zone, identity=None):
    return {"cloudflare": "enabled", "records": [show_porkbun(row) for row in zones.find(zone=zone, id=identity)]}


def porkbun_retrieve_by_name(given, zones, zone, kind, label=""):
    rows = zones.find(zone=zone, name=full_name(label, zone), type=kind)
    return {"cloudflare": "enabled", "records": [show_porkbun(row) for row in rows]}


def porkbun_create(given, zones, zone):
    name, kind, value = full_name(given.get("name") or "", zone), given.get("type"), given.get("content")
    if not is_address(kind, value) or zones.find(name=name, type=kind, value=value):
        raise porkbun_refusal("Create error: We were unable to create the DNS record.")
    row = zones.add(name, kind, value, ttl=ttl_of(given), comment=given.get("notes") or None)
    return {"id": int(row["id"])}


def porkbun_edit(given, zones, zone, identity):
    """Whoever does not say the name edits the root."""
    fields = {"name": full_name(given.get("name") or "", zone), "type": given.get("type")}
    return porkbun_change(given, zones, zones.find(zone=zone, id=identity), fields)


def porkbun_edit_by_name(given, zones, zone, kind, label=""):
    return porkbun_change(given, zones, zones.find(zone=zone, type=kind, name=full_name(label, zone)), {})


def porkbun_change(given, zones, rows, fields):
    """A note that is not told stays; an empty one is taken away."""
    if not rows or all(row["value"] == given.get("content") and row["ttl"] == ttl_of(given) for row in rows):
        raise porkbun_refusal("Edit error: We were unable to edit the DNS record.")
    for row in rows:
        note = row["comment"] if given.get("notes") is None else given["notes"] or None
        zones.change(row, value=given["content"], ttl=ttl_of(given), comment=note, **fields)
    return {}


def porkbun_delete(given, zones, zone, identity):
    rows = zones.find(zone=zone, id=identity)
    if not rows:
        raise porkbun_refusal("Invalid record ID.", "INVALID_RECORD_ID")
    zones.remove(rows[0])
    return {}


PORKBUN_ACTIONS = {
    "retrieve": porkbun_retrieve,
    "retrieveByNameType": porkbun_retrieve_by_name,
    "create": porkbun_create,
    "edit": porkbun_edit,
    "editByNameType": porkbun_edit_by_name,
    "delete": porkbun_delete,
}


def ttl_of(given):
    return max(int(given.get("ttl") or PORKBUN_TTL_MIN), PORKBUN_TTL_MIN)


def show_porkbun(row):
    shown = {"id": row["id"], "name": row["name"], "type": row["type"], "content": row["value"]}
    return {**shown, "ttl": str(row["ttl"]), "prio": "0", "notes": row["comment"] or ""}


def handle_digitalocean(request, zones, now):
    missing = {"id": "not_found", "message": "The resource you were accessing could not be found."}
    check_bearer(request, DIGITALOCEAN, {"id": "Unauthorized", "message": "Unable to authenticate you"})
    parts = parts_below(request, "/v2/domains", missing)
    if parts == [""]:
        found = [{"name": name, "ttl": 1800} for name in zones.names]
        return Answer(200, {"domains": found, "links": {}, "meta": {"total": len(found)}})
    zone = zone_in(parts[0], zones, missing)
    if len(parts) == 1:
        return Answer(200, {"domain": {"name": zone, "ttl": 1800}})
    if len(parts) == 2 and request.method == "GET":
        return list_digitalocean(request, zones, zone)
    if len(parts) == 2:
        return create_digitalocean(request.json(), zones, zone)
    return change_digitalocean(request, zones, row_in(zones, zone, parts[2], missing))


def list_digitalocean(request, zones, zone):
    """The filter wants the whole name, although what is shown is relative; a page has 20 records, 200 at most."""
    query = request.query
    rows = zones.find(zone=zone, type=query.get("type"), name=query.get("name"))
    size, number = min(int(query.get("per_page", 20)), 200), int(query.get("page", 1))
    shown, count = page_of(rows, size, number)
    links = {"pages": {"next": f"http://{request.headers['host']}{request.path}?page={number + 1}&per_page={size}"}}
    links = links if number < count else {}
    body = {"domain_records": [show_digitalocean(row) for row in shown], "links": links, "meta": {"total": len(rows)}}
    return Answer(200, body)


def digitalocean_refusal(message):
    return Refusal(Answer(422, {"id": "unprocessable_entity", "message": message}))


def create_digitalocean(given, zones, zone):
    if not is_address(given.get("type"), given.get("data")):
        raise digitalocean_refusal("Data needs to be a valid IP address")
    ttl = given.get("ttl") or 1800
    if ttl < 30:
        raise digitalocean_refusal("Ttl must be greater than or equal to 30")
    row = zones.add(full_name(given["name"], zone), given["type"], given["data"], ttl=ttl)
    return Answer(201, {"domain_record": show_digitalocean(row)})


def change_digitalocean(request, zones, row):
    given = request.json()
    if request.method == "DELETE":
        zones.remove(row)
        return Answer(204, b"")
    if request.method in ("PUT", "PATCH"):
        # Both want the type to be said.
        if given.get("type") != row["type"] or not is_address(row["type"], given.get("data", row["value"])):
            raise digitalocean_refusal("Data needs to be a valid IP address")
        name = full_name(given["name"], row["zone"]) if "name" in given else row["name"]
        zones.change(row, name=name, value=given.get("data", row["value"]), ttl=given.get("ttl") or row["ttl"])
    return Answer(200, {"domain_record": show_digitalocean(row)})


def show_digitalocean(row):
    shown = {"id": int(row["id"]), "type": row["type"], "name": label_of(row), "data": row["value"], "ttl": row["ttl"]}
    return {**shown, "priority": None, "port": None, "weight": None, "flags": None, "tag": None}


def linode_refusal(status, reason, **more):
    return Refusal(Answer(status, {"errors": [{"reason": reason, **more}]}))


def handle_linode(request, zones, now):
    missing = {"errors": [{"reason": "Not found"}]}
    check_bearer(request, LINODE, {"errors": [{"reason": "Invalid Token"}]})
    parts = parts_below(request, "/v4/domains", missing)
    if parts == [""]:
        domains = [show_domain(at, name) for at, name in enumerate(zones.names, 1)]
        return list_linode(request, domains)
    names = {str(at): name for at, name in enumerate(zones.names, 1)}
    zone = zone_in(names.get(parts[0]), zones, missing)
    if len(parts) == 1:
        return Answer(200, show_domain(int(parts[0]), zone))
    if len(parts) == 2 and request.method == "GET":
        return list_linode(request, [show_linode(row) for row in zones.find(zone=zone)])
    if len(parts) == 2:
        return create_linode(request.json(), zones, zone)
    return change_linode(request, zones, row_in(zones, zone, parts[2], missing))


def list_linode(request, rows):
    """What is asked for stands in a header; a page has 25 to 500 of it."""
    wanted = json.loads(request.headers.get("x-filter", "{}"))
    rows = [row for row in rows if all(row.get(field) == value for field, value in wanted.items())]
    size, number = int(request.query.get("page_size", 100)), int(request.query.get("page", 1))
    if not 25 <= size <= 500:
        raise linode_refusal(400, "Must be 25-500", field="page_size")
    shown, count = page_of(rows, size, number)
    return Answer(200, {"data": shown, "page": number, "pages": count, "results": len(rows)})


def check_target(kind, target):
    if not is_address(kind, target):
        raise linode_refusal(400, "Invalid target", field="target")


def rounded(ttl):
    return min(LINODE_TTLS, key=lambda known: abs(known - (ttl or 0)))


def create_linode(given, zones, zone):
    check_target(given.get("type"), given.get("target"))
    name = full_name(given.get("name") or "", zone)
    row = zones.add(name, given["type"], given["target"], ttl=rounded(given.get("ttl_sec")))
    return Answer(200, show_linode(row))


def change_linode(request, zones, row):
    given = request.json()
    if request.method == "DELETE":
        zones.remove(row)
        return Answer(200, {})
    if request.method == "PUT":
        check_target(row["type"], given.get("target", row["value"]))
        name = full_name(given["name"] or "", row["zone"]) if "name" in given else row["name"]
        ttl = rounded(given["ttl_sec"]) if "ttl_sec" in given else row["ttl"]
        zones.change(row, name=name, value=given.get("target", row["value"]), ttl=ttl)
    return Answer(200, show_linode(row))


def show_domain(at, name):
    return {"id": at, "domain": name, "type": "master", "status": "active", "ttl_sec": 0, "tags": []}


def show_linode(row):
    label = label_of(row).replace("@", "")
    shown = {"id": int(row["id"]), "type": row["type"], "name": label, "target": row["value"], "ttl_sec": row["ttl"]}
    more = {"priority": 0, "weight": 0, "port": 0, "service": None, "protocol": None, "tag": None}
    return {**shown, **more, "created": "2026-01-01T00:00:00", "updated": "2026-01-01T00:00:00"}


def handle_vultr(request, zones, now):
    missing = {"error": "Invalid domain.", "status": 404}
    check_bearer(request, VULTR, {"error": "Invalid API token.", "status": 401})
    parts = parts_below(request, "/v2/domains", missing)
    if parts == [""]:
        return list_vultr(request, "domains", [{"domain": name, "dns_sec": "disabled"} for name in zones.names])
    zone = zone_in(parts[0], zones, missing)
    if len(parts) == 1:
        return Answer(200, {"domain": {"domain": zone, "dns_sec": "disabled"}})
    if len(parts) == 2 and request.method == "GET":
        return list_vultr(request, "records", [show_vultr(row) for row in zones.find(zone=zone)])
    if len(parts) == 2:
        return create_vultr(request.json(), zones, zone)
    return change_vultr(request, zones, row_in(zones, zone, parts[2], {"error": "Invalid record.", "status": 404}))


def list_vultr(request, what, rows):
    """The next page is told by a cursor, which is nothing at the end."""
    size, start = int(request.query.get("per_page", 100)), request.query.get("cursor", "")
    at = int(start.removeprefix("from-")) if start else 0
    after = f"from-{at + size}" if at + size < len(rows) else ""
    links = {"next": after, "prev": ""}
    return Answer(200, {what: rows[at : at + size], "meta": {"total": len(rows), "links": links}})


def check_vultr(kind, value):
    if not is_address(kind, value):
        raise Refusal(Answer(400, {"error": "Invalid record data.", "status": 400}))


def create_vultr(given, zones, zone):
    check_vultr(given.get("type"), given.get("data"))
    row = zones.add(full_name(given.get("name") or "", zone), given["type"], given["data"], ttl=given.get("ttl", 300))
    return Answer(201, {"record": show_vultr(row)})


def change_vultr(request, zones, row):
    given = request.json()
    if request.method == "DELETE":
        zones.remove(row)
        return Answer(204, b"")
    if request.method == "PATCH":
        check_vultr(row["type"], given.get("data", row["value"]))
        name = full_name(given["name"], row["zone"]) if "name" in given else row["name"]
        zones.change(row, name=name, value=given.get("data", row["value"]), ttl=given.get("ttl", row["ttl"]))
        return Answer(204, b"")
    return Answer(200, {"record": show_vultr(row)})


def show_vultr(row):
    label = label_of(row).replace("@", "")
    shown = {"id": row["id"], "type": row["type"], "name": label, "data": row["value"]}
    return {**shown, "priority": -1, "ttl": row["ttl"]}
