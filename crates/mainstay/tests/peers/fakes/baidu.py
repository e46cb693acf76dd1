"""Baidu's domain service (BCD): whole zones are listed, and what to look at is the reader's work."""

import calendar
import re
import time

from fakes import signatures
from fakes.wire import Answer, Refusal
from fakes.zone import full_name, is_address, label_of

ACCOUNT = {"key": "baidu-key", "secret": "baidu-secret"}
VIEW = "DEFAULT"
# How far ahead of the server a client's clock may be.
AHEAD_MAX = 15 * 60
AUTHORIZATION = re.compile(r"(bce-auth-v1/([^/]+)/([^/]+)/(\d+))/([^/]*)/([0-9a-f]{64})")
# What is signed where the header does not say.
DEFAULT_HEADERS = ("content-length", "content-md5", "content-type", "host")


def failure(status, code, message):
    return Refusal(Answer(status, {"requestId": "R", "code": code, "message": message}))


def handle(request, zones, now):
    check(request, now)
    action = ACTIONS.get(request.path)
    if action is None or request.method != "POST":
        raise failure(404, "UrlNotFound", "The URL is not found.")
    given = request.json()
    if action is not list_records and given.get("zoneName") not in zones.names:
        raise failure(404, "NoSuchDomain", "The zone does not exist.")
    return action(given, zones)


def check(request, now):
    found = AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if not found:
        raise failure(403, "AccessDenied", "The Authorization header is not valid.")
    prefix, key, date, lifetime, signed, signature = found.groups()
    if key != ACCOUNT["key"]:
        raise failure(403, "InvalidAccessKeyId", "The access key does not exist.")
    at = calendar.timegm(time.strptime(date, "%Y-%m-%dT%H:%M:%SZ"))
    if now > at + int(lifetime) or at > now + AHEAD_MAX:
        raise failure(400, "RequestExpired", f"The request has expired; the server's time is {int(now)}.")
    if not signed:
        own = [name for name in request.headers if name in DEFAULT_HEADERS or name.startswith("x-bce-")]
        signed = ";".join(sorted(own))
    right = signatures.baidu(ACCOUNT["secret"], prefix, request, signed)
    if "host" not in signed.split(";") or not signatures.same(right, signature):
        raise failure(403, "SignatureDoesNotMatch", "The signature does not match.")


def show(row):
    return {
        "recordId": int(row["id"]),
        "domain": label_of(row),
        "view": row["line"],
        "rdtype": row["type"],
        "ttl": row["ttl"],
        "rdata": row["value"],
        "zoneName": row["zone"],
        "status": "RUNNING",
    }


def list_records(given, zones):
    if given.get("domain") not in zones.names:
        raise failure(404, "NoSuchDomain", "The zone does not exist.")
    rows = zones.find(zone=given["domain"])
    size, number = given.get("pageSize", 20), given.get("pageNo", given.get("pageNum", 1))
    part = [show(row) for row in rows[(number - 1) * size : number * size]]
    return Answer(200, {"totalCount": len(rows), "result": part})


def fields_in(given):
    if not is_address(given.get("rdType"), given.get("rdata")):
        raise failure(400, "InvalidRdata", "The record is invalid.")
    # Who does not say the view gets the default one.
    return {"ttl": given.get("ttl", 300), "line": given.get("view") or VIEW}


def add(given, zones):
    name = full_name(given.get("domain", "@"), given["zoneName"])
    fields = fields_in(given)
    if zones.find(name=name, type=given["rdType"], value=given["rdata"], line=fields["line"]):
        raise failure(409, "RecordExists", "The record exists already.")
    zones.add(name, given["rdType"], given["rdata"], **fields)
    return Answer(200, b"")


def edit(given, zones):
    rows = zones.find(id=str(given.get("recordId")), zone=given["zoneName"])
    if not rows:
        raise failure(404, "NoSuchRecord", "The record does not exist.")
    name = full_name(given.get("domain", "@"), given["zoneName"])
    zones.change(rows[0], name=name, type=given["rdType"], value=given["rdata"], **fields_in(given))
    return Answer(200, b"")


def delete(given, zones):
    for row in zones.find(id=str(given.get("recordId")), zone=given["zoneName"]):
        zones.remove(row)
    return Answer(200, b"")


ACTIONS = {
    "/v1/domain/resolve/list": list_records,
    "/v1/domain/resolve/add": add,
    "/v1/domain/resolve/edit": edit,
    "/v1/domain/resolve/delete": delete,
}
