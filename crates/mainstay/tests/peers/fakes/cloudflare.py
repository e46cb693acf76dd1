"""Cloudflare, version 4: tokens with rights of their own, records with all their fields."""

import re

from fakes.wire import Answer, Refusal
from fakes.zone import full_name, is_address

# All of the length and alphabet that Cloudflare checks before it looks one up.
ACCOUNT = {
    "token": "cf-token-that-may-edit-all-0000000000000",
    "token-without-zones": "cf-token-that-sees-no-zones-000000000000",
    "token-without-edit": "cf-token-that-may-only-read-000000000000",
}
BASE = "/client/v4"
ZONE_PAGE, RECORD_PAGE = 20, 100


def failure(status, code, message, chain=None):
    error = {"code": code, "message": message}
    if chain:
        error["error_chain"] = [{"code": chain[0], "message": chain[1]}]
    body = {"success": False, "errors": [error], "messages": [], "result": None}
    return Refusal(Answer(status, body))


def success(result, info=None):
    body = {"result": result, "success": True, "errors": [], "messages": []}
    if info:
        body["result_info"] = info
    return Answer(200, body)


def page(rows, query, size):
    size = int(query.get("per_page", size))
    number = int(query.get("page", 1))
    part = rows[(number - 1) * size : number * size]
    pages = max(1, -(-len(rows) // size))
    info = {"page": number, "per_page": size, "count": len(part)}
    return success(part, {**info, "total_count": len(rows), "total_pages": pages})


def check_token(request):
    """Who asks; the codes are those of the real one."""
    text = request.headers.get("authorization")
    if text is None:
        raise failure(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
    token = text.removeprefix("Bearer ")
    if not re.fullmatch(r"[A-Za-z0-9_-]{40}", token):
        chain = (6111, "Invalid format for Authorization header")
        raise failure(400, 6003, "Invalid request headers", chain)
    if token not in ACCOUNT.values():
        raise failure(403, 9109, "Invalid access token")
    return token


def zone_id(name):
    """A zone's id as Cloudflare makes them: 32 hexadecimal digits."""
    return name.encode().hex().ljust(32, "0")[:32]


def show(row):
    return {
        "id": row["id"].rjust(32, "0"),
        "zone_id": zone_id(row["zone"]),
        "zone_name": row["zone"],
        "name": row["name"],
        "type": row["type"],
        "content": row["value"],
        "proxiable": row["type"] in ("A", "AAAA", "CNAME"),
        "proxied": row["proxied"],
        "ttl": row["ttl"],
        "settings": {},
        "meta": {},
        "comment": row["comment"],
        "tags": row["tags"],
        "created_on": row["changed"],
        "modified_on": row["changed"],
    }


def show_zone(name):
    return {
        "id": zone_id(name),
        "name": name,
        "status": "active",
        "paused": False,
        "type": "full",
        "development_mode": 0,
        "name_servers": ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"],
        "account": {"id": "a" * 32, "name": "somebody"},
    }


def handle(request, zones, now):
    path = request.path.removeprefix(BASE)
    if path == request.path:
        raise failure(400, 7000, "No route for that URI")
    token = check_token(request)
    if path == "/user/tokens/verify":
        return success({"id": "t" * 32, "status": "active"})
    parts = path.strip("/").split("/")
    if parts == ["zones"]:
        return list_zones(request, zones, token)
    if parts[0] != "zones":
        raise failure(400, 7000, "No route for that URI")
    zone = next((name for name in zones.names if zone_id(name) == parts[1]), None)
    if zone is None:
        text = f"Could not route to {path}, perhaps your object identifier is invalid?"
        raise failure(404, 7003, text)
    if len(parts) == 2:
        return success(show_zone(zone))
    if parts[2] != "dns_records":
        raise failure(400, 7000, "No route for that URI")
    if request.method != "GET" and token == ACCOUNT["token-without-edit"]:
        raise failure(403, 10000, "Authentication error")
    if len(parts) == 3:
        return collection(request, zones, zone)
    return one(request, zones, zone, parts[3])


def list_zones(request, zones, token):
    names = [] if token == ACCOUNT["token-without-zones"] else zones.names
    wanted = request.query.get("name")
    shown = [show_zone(name) for name in names if wanted in (None, name)]
    return page(shown, request.query, ZONE_PAGE)


def collection(request, zones, zone):
    if request.method == "POST":
        return success(show(create(zones, zone, request.json())))
    query = request.query
    name = query.get("name", query.get("name.exact"))
    content = query.get("content", query.get("content.exact"))
    rows = zones.find(zone=zone, type=query.get("type"), name=name, value=content)
    return page([show(row) for row in rows], query, RECORD_PAGE)


def one(request, zones, zone, identity):
    rows = [row for row in zones.find(zone=zone) if row["id"].rjust(32, "0") == identity]
    if not rows:
        raise failure(404, 81044, "Record does not exist.")
    row = rows[0]
    if request.method == "DELETE":
        zones.remove(row)
        return success({"id": identity})
    if request.method in ("PUT", "PATCH"):
        zones.change(row, **changes(request, row, zone))
    return success(show(row))


def changes(request, row, zone):
    """What is to change: with PUT, all that is not said is as of a new record."""
    given = request.json()
    keep = row if request.method == "PATCH" else {"ttl": 1, "proxied": False, "comment": None, "tags": []}
    fields = {
        "value": given.get("content", row["value"]),
        "proxied": given.get("proxied", keep["proxied"]),
        "ttl": given.get("ttl", keep["ttl"]),
        "comment": given.get("comment", keep["comment"]),
        "tags": given.get("tags", keep["tags"]),
        "name": full(given.get("name", row["name"]), zone),
    }
    return valid(fields, given.get("type", row["type"]))


def create(zones, zone, given):
    for field in ("type", "name", "content"):
        if field not in given:
            raise failure(400, 9000, f"DNS {field} is required.")
    name, kind = full(given["name"], zone), given["type"]
    if zones.find(name=name, type=kind, value=given["content"]):
        raise failure(400, 81058, "An identical record already exists.")
    fields = {
        "value": given["content"],
        "proxied": given.get("proxied", False),
        "ttl": given.get("ttl", 1),
        "comment": given.get("comment"),
        "tags": given.get("tags", []),
    }
    return zones.add(name, kind, **valid(fields, kind))


def valid(fields, kind):
    if not is_address(kind, fields["value"]):
        family = {"A": "IPv4", "AAAA": "IPv6"}[kind]
        chain = (9005, f"Content for {kind} record must be a valid {family} address.")
        raise failure(400, 1004, "DNS Validation Error", chain)
    if fields["proxied"]:
        fields["ttl"] = 1
    if fields["ttl"] != 1 and not 60 <= fields["ttl"] <= 86400:
        chain = (9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic.")
        raise failure(400, 1004, "DNS Validation Error", chain)
    return fields


def full(name, zone):
    name = name.rstrip(".").lower()
    inside = name == zone or name.endswith("." + zone)
    return name if inside else full_name(name, zone)
