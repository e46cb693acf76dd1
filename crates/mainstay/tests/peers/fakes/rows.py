"""APIs that know single records by their ids: Porkbun, DigitalOcean, Linode, Vultr."""

from fakes.wire import Answer, Refusal
from fakes.zone import full_name, is_address, label_of

PORKBUN = {"key": "pk1_porkbun", "secret": "sk1_porkbun-secret"}
DIGITALOCEAN = {"token": "digitalocean-token"}
LINODE = {"token": "linode-token"}
VULTR = {"token": "vultr-token"}
PORKBUN_TTL_MIN = 600


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


def handle_porkbun(request, zones, now):
    def fail(message):
        return Refusal(Answer(400, {"status": "ERROR", "message": message}))

    what, *rest = parts_below(request, "/api/json/v3/dns", {"status": "ERROR", "message": "Invalid route."})
    given = request.json()
    if (given.get("apikey"), given.get("secretapikey")) != (PORKBUN["key"], PORKBUN["secret"]):
        raise fail("Invalid API key. (002)")
    if rest[0] not in zones.names:
        raise fail("Invalid domain.")
    zone = rest[0]
    if what in ("retrieve", "retrieveByNameType"):
        name = full_name(rest[2] if len(rest) > 2 else "", zone) if what == "retrieveByNameType" else None
        kind = rest[1] if what == "retrieveByNameType" else None
        return Answer(200, {"status": "SUCCESS", "records": [show_porkbun(row) for row in zones.find(zone=zone, name=name, type=kind)]})
    if what == "create":
        row = zones.add(full_name(given.get("name", ""), zone), given["type"], given["content"], ttl=ttl_of(given))
        return Answer(200, {"status": "SUCCESS", "id": int(row["id"])})
    if what == "edit":
        rows = zones.find(zone=zone, id=rest[1])
        # Whoever does not say the name edits the root.
        fields = {"name": full_name(given.get("name", ""), zone), "type": given.get("type")}
    elif what == "editByNameType":
        rows = zones.find(zone=zone, type=rest[1], name=full_name(rest[2] if len(rest) > 2 else "", zone))
        fields = {}
    else:
        raise fail("Invalid route.")
    if not rows or all(row["value"] == given.get("content") for row in rows):
        raise fail("Edit error: We were unable to edit the DNS record.")
    for row in rows:
        zones.change(row, value=given["content"], ttl=ttl_of(given), **fields)
    return Answer(200, {"status": "SUCCESS"})


def ttl_of(given):
    return max(int(given.get("ttl", PORKBUN_TTL_MIN)), PORKBUN_TTL_MIN)


def show_porkbun(row):
    shown = {"id": row["id"], "name": row["name"], "type": row["type"], "content": row["value"]}
    return {**shown, "ttl": str(row["ttl"]), "prio": "0", "notes": row["comment"] or ""}


def handle_digitalocean(request, zones, now):
    missing = {"id": "not_found", "message": "The resource you were accessing could not be found."}
    check_bearer(request, DIGITALOCEAN, {"id": "Unauthorized", "message": "Unable to authenticate you"})
    parts = parts_below(request, "/v2/domains", missing)
    if parts == [""]:
        return Answer(200, {"domains": [{"name": name, "ttl": 1800} for name in zones.names], "meta": {"total": len(zones.names)}})
    zone = zone_in(parts[0], zones, missing)
    if len(parts) == 1:
        return Answer(200, {"domain": {"name": zone, "ttl": 1800}})
    if len(parts) == 2 and request.method == "GET":
        query = request.query
        # The filter wants the whole name, although what is shown is relative.
        rows = zones.find(zone=zone, type=query.get("type"), name=query.get("name"))
        return Answer(200, {"domain_records": [show_digitalocean(row) for row in rows], "links": {}, "meta": {"total": len(rows)}})
    given = request.json()
    if len(parts) == 2:
        row = zones.add(full_name(given["name"], zone), given["type"], given["data"], ttl=given.get("ttl") or 1800)
        return Answer(201, {"domain_record": show_digitalocean(row)})
    row = row_in(zones, zone, parts[2], missing)
    if request.method in ("PUT", "PATCH"):
        name = full_name(given["name"], zone) if "name" in given else row["name"]
        zones.change(row, name=name, value=given.get("data", row["value"]), ttl=given.get("ttl") or row["ttl"])
    return Answer(200, {"domain_record": show_digitalocean(row)})


def show_digitalocean(row):
    shown = {"id": int(row["id"]), "type": row["type"], "name": label_of(row), "data": row["value"], "ttl": row["ttl"]}
    return {**shown, "priority": None, "port": None, "weight": None, "flags": None, "tag": None}


def handle_linode(request, zones, now):
    missing = {"errors": [{"reason": "Not found"}]}
    check_bearer(request, LINODE, {"errors": [{"reason": "Invalid Token"}]})
    parts = parts_below(request, "/v4/domains", missing)
    page = lambda rows: Answer(200, {"data": rows, "page": 1, "pages": 1, "results": len(rows)})
    if parts == [""]:
        return page([{"id": at, "domain": name, "status": "active"} for at, name in enumerate(zones.names, 1)])
    names = {str(at): name for at, name in enumerate(zones.names, 1)}
    zone = zone_in(names.get(parts[0]), zones, missing)
    if len(parts) == 2 and request.method == "GET":
        return page([show_linode(row) for row in zones.find(zone=zone)])
    given = request.json()
    if not is_address(given.get("type"), given.get("target")):
        raise Refusal(Answer(400, {"errors": [{"field": "target", "reason": "Invalid target"}]}))
    if len(parts) == 2:
        row = zones.add(full_name(given.get("name", ""), zone), given["type"], given["target"], ttl=given.get("ttl_sec", 0))
        return Answer(200, show_linode(row))
    row = row_in(zones, zone, parts[2], missing)
    if request.method == "PUT":
        zones.change(row, value=given.get("target", row["value"]), ttl=given.get("ttl_sec", row["ttl"]))
    return Answer(200, show_linode(row))


def show_linode(row):
    label = label_of(row).replace("@", "")
    return {"id": int(row["id"]), "type": row["type"], "name": label, "target": row["value"], "ttl_sec": row["ttl"]}


def handle_vultr(request, zones, now):
    missing = {"error": "Invalid domain.", "status": 404}
    check_bearer(request, VULTR, {"error": "Unauthorized IP address or invalid API token", "status": 401})
    parts = parts_below(request, "/v2/domains", missing)
    meta = lambda rows: {"meta": {"total": len(rows), "links": {"next": "", "prev": ""}}}
    if parts == [""]:
        return Answer(200, {"domains": [{"domain": name} for name in zones.names], **meta(zones.names)})
    zone = zone_in(parts[0], zones, missing)
    if len(parts) == 1:
        return Answer(200, {"domain": {"domain": zone}})
    if len(parts) == 2 and request.method == "GET":
        rows = zones.find(zone=zone)
        return Answer(200, {"records": [show_vultr(row) for row in rows], **meta(rows)})
    given = request.json()
    if len(parts) == 2:
        row = zones.add(full_name(given.get("name", ""), zone), given["type"], given["data"], ttl=given.get("ttl", 300))
        return Answer(201, {"record": show_vultr(row)})
    row = row_in(zones, zone, parts[2], missing)
    if request.method == "PATCH":
        zones.change(row, value=given.get("data", row["value"]), ttl=given.get("ttl", row["ttl"]))
        return Answer(204, b"")
    return Answer(200, {"record": show_vultr(row)})


def show_vultr(row):
    label = label_of(row).replace("@", "")
    return {"id": row["id"], "type": row["type"], "name": label, "data": row["value"], "priority": -1, "ttl": row["ttl"]}
