"""AliDNS, the RPC style of version 2015-01-09, with its signature, clock and nonces."""

import calendar
import time

from fakes import signatures
from fakes.wire import Answer, Refusal
from fakes.zone import full_name, is_address, join_label, label_of

ACCOUNT = {"key": "alidns-key", "secret": "alidns-secret"}
CLOCK_TOLERANCE = 15 * 60
TTL_MIN = 600
NONCES = set()


def failure(status, code, message):
    body = {"RequestId": "R", "HostId": "alidns.aliyuncs.com", "Code": code, "Message": message}
    return Refusal(Answer(status, body))


def handle(request, zones, now):
    given = {**request.query, **request.form}
    check(request.method, given, now)
    action = ACTIONS.get(given.get("Action"))
    if action is None:
        raise failure(404, "InvalidAction.NotFound", "Specified api is not found")
    return Answer(200, {"RequestId": "R", **action(given, zones)})


def check(method, given, now):
    if given.get("Version") != "2015-01-09":
        raise failure(400, "InvalidVersion", "Specified parameter Version is not valid.")
    if given.get("AccessKeyId") != ACCOUNT["key"]:
        raise failure(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
    text = signatures.alidns_text(method, given)
    if not signatures.same(signatures.alidns(ACCOUNT["secret"], text), given.get("Signature", "")):
        # The client looks for what was signed behind the colon.
        said = "Specified signature is not matched with our calculation. server string to sign is:"
        raise failure(400, "SignatureDoesNotMatch", said + text)
    try:
        at = calendar.timegm(time.strptime(given.get("Timestamp", ""), "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        raise failure(400, "InvalidTimeStamp.Format", "Specified time stamp is not valid.") from None
    if abs(now - at) > CLOCK_TOLERANCE:
        raise failure(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
    nonce = given.get("SignatureNonce")
    if not nonce or nonce in NONCES:
        raise failure(400, "SignatureNonceUsed", "Specified signature nonce was used already.")
    NONCES.add(nonce)


def need(given, *names):
    for name in names:
        if not given.get(name):
            raise failure(400, f"Missing{name}", f"{name} is mandatory for this action.")
    return [given[name] for name in names]


def known(zones, zone):
    if zone not in zones.names:
        raise failure(400, "InvalidDomainName.NoExist", "The specified domain name does not exist.")
    return zone


def show(row):
    return {
        "DomainName": row["zone"],
        "RecordId": row["id"],
        "RR": label_of(row),
        "Type": row["type"],
        "Value": row["value"],
        "TTL": row["ttl"],
        "Line": row["line"],
        "Remark": row["comment"],
        "Status": "ENABLE",
        "Locked": False,
        "Weight": 1,
    }


def several(rows, given):
    size, number = int(given.get("PageSize", 20)), int(given.get("PageNumber", 1))
    part = [show(row) for row in rows[(number - 1) * size : number * size]]
    return {"TotalCount": len(rows), "PageNumber": number, "PageSize": size, "DomainRecords": {"Record": part}}


def describe_sub_domain(given, zones):
    (sub,) = need(given, "SubDomain")
    name = sub.removeprefix("@.")
    zone = known(zones, given.get("DomainName") or zones.zone_of(name))
    return several(zones.find(zone=zone, name=name, type=given.get("Type"), line=given.get("Line")), given)


def describe_domain(given, zones):
    (zone,) = need(given, "DomainName")
    rows = zones.find(zone=known(zones, zone), type=given.get("Type"))
    # Fuzzy, as the real one: part of a label is enough.
    rows = [row for row in rows if given.get("RRKeyWord", "") in label_of(row)]
    return several([row for row in rows if given.get("TypeKeyWord") in (None, row["type"])], given)


def values(given):
    kind, value = need(given, "Type", "Value")
    ttl = int(given.get("TTL", TTL_MIN))
    if ttl < TTL_MIN:
        raise failure(400, "QuotaExceeded.TTL", "The specified TTL is below what your edition allows.")
    if not is_address(kind, value):
        raise failure(400, "DomainRecordInvalid", "The DNS record is invalid.")
    # Who does not say the line gets the default one.
    return {"value": value, "ttl": ttl, "line": given.get("Line") or "default"}


def add(given, zones):
    zone, label = need(given, "DomainName", "RR")
    name = full_name(label, known(zones, zone))
    fields = values(given)
    check_double(zones, name, given["Type"], fields)
    return {"RecordId": zones.add(name, given["Type"], **fields)["id"]}


def update(given, zones):
    identity, label = need(given, "RecordId", "RR")
    rows = zones.find(id=identity)
    if not rows:
        raise failure(400, "DomainRecordNotBelongToUser", "The specified record does not exist.")
    name = full_name(label, rows[0]["zone"])
    fields = values(given)
    check_double(zones, name, given["Type"], fields)
    zones.change(rows[0], name=name, type=given["Type"], **fields)
    return {"RecordId": identity}


def check_double(zones, name, kind, fields):
    """The real one refuses a change that changes nothing, too."""
    if zones.find(name=name, type=kind, value=fields["value"], line=fields["line"], ttl=fields["ttl"]):
        raise failure(400, "DomainRecordDuplicate", "The DNS record already exists.")


def remove(given, zones):
    (identity,) = need(given, "RecordId")
    for row in zones.find(id=identity):
        zones.remove(row)
    return {"RecordId": identity}


def main_domain(given, zones):
    (name,) = need(given, "InputString")
    zone = known(zones, zones.zone_of(name))
    return {"DomainName": zone, "RR": join_label(name, zone), "DomainLevel": name.count(".") + 1}


def describe_domains(given, zones):
    found = [{"DomainName": name, "DomainId": name} for name in zones.names]
    return {"TotalCount": len(found), "PageNumber": 1, "PageSize": 20, "Domains": {"Domain": found}}


ACTIONS = {
    "DescribeSubDomainRecords": describe_sub_domain,
    "DescribeDomainRecords": describe_domain,
    "AddDomainRecord": add,
    "UpdateDomainRecord": update,
    "DeleteDomainRecord": remove,
    "GetMainDomainName": main_domain,
    "DescribeDomains": describe_domains,
}
