"""DNSPod's older API with a token in a form: status 200 always, everything is text."""

from fakes.wire import Answer, Refusal
from fakes.zone import full_name, is_address, label_of

ACCOUNT = {"token": "12345,dnspod-token"}
LINE = "默认"
# After so many changes in a row that change nothing, a record is locked.
IDLE_CHANGES_MAX = 5
IDLE = {}


def failure(code, message):
    return Refusal(Answer(200, {"status": status(code, message)}))


def status(code, message):
    return {"code": code, "message": message, "created_at": "2026-01-01 00:00:00"}


def success(**more):
    return Answer(200, {"status": status("1", "Action completed successful"), **more})


def handle(request, zones, now):
    action = ACTIONS.get(request.path)
    if action is None or request.method != "POST":
        raise Refusal(Answer(404, "not found"))
    if "/" not in request.headers.get("user-agent", ""):
        raise failure("-7", "User agent is not allowed")
    given = request.form
    if given.get("login_token") != ACCOUNT["token"]:
        raise failure("-1", "Login fail, please check login info.")
    if given.get("format") != "json":
        raise Refusal(Answer(200, "<dnspod/>"))
    return action(given, zones)


def zone_in(given, zones):
    """A zone is told by its number or by its name; the number goes first."""
    numbers = {str(at): name for at, name in enumerate(zones.names, 1)}
    name = numbers.get(given["domain_id"]) if "domain_id" in given else given.get("domain")
    if name not in zones.names:
        raise failure("6", "Domain id invalid")
    return name


def number_of(zone, zones):
    return str(zones.names.index(zone) + 1)


def show(row):
    return {
        "id": row["id"],
        "name": label_of(row),
        "type": row["type"],
        "value": row["value"],
        "ttl": str(row["ttl"]),
        "line": row["line"],
        "line_id": "0" if row["line"] == LINE else "10=1",
        "enabled": "1",
        "status": "enable",
        "monitor_status": "",
        "remark": row["comment"] or "",
        "mx": "0",
        "use_aqb": "no",
    }


def list_records(given, zones):
    zone = zone_in(given, zones)
    name = full_name(given["sub_domain"], zone) if given.get("sub_domain") else None
    rows = zones.find(zone=zone, name=name, type=given.get("record_type"), line=given.get("record_line"))
    if not rows:
        raise failure("10", "No records")
    count = str(len(rows))
    info = {"sub_domains": count, "record_total": count, "records_num": count}
    return success(domain={"name": zone, "id": number_of(zone, zones)}, info=info, records=[show(row) for row in rows])


def check_value(kind, value):
    if not is_address(kind, value):
        raise failure("17" if value is None else "34", "Record value invalid")


def line_in(given):
    if not given.get("record_line"):
        raise failure("26", "Record line invalid")
    return given["record_line"]


def create(given, zones):
    zone, line = zone_in(given, zones), line_in(given)
    name, kind, value = full_name(given.get("sub_domain", "@"), zone), given.get("record_type"), given.get("value")
    check_value(kind, value)
    if zones.find(name=name, type=kind, value=value, line=line):
        raise failure("104", "Record existed")
    row = zones.add(name, kind, value, line=line, ttl=int(given.get("ttl", 600)))
    return success(record={"id": row["id"], "name": label_of(row), "status": "enable"})


def record_in(given, zones, zone):
    rows = zones.find(id=given.get("record_id"), zone=zone) if given.get("record_id") else []
    if not rows:
        raise failure("8", "Record id invalid")
    if IDLE.get(rows[0]["id"], 0) > IDLE_CHANGES_MAX:
        raise failure("21", "Record is locked")
    return rows[0]


def modify(given, zones):
    """What is not said is as of a new record: the real one keeps nothing."""
    zone, line = zone_in(given, zones), line_in(given)
    row = record_in(given, zones, zone)
    kind, value = given.get("record_type", row["type"]), given.get("value")
    check_value(kind, value)
    name, ttl = full_name(given.get("sub_domain", "@"), zone), int(given.get("ttl", 600))
    is_idle = (row["name"], row["type"], row["value"], row["line"]) == (name, kind, value, line)
    IDLE[row["id"]] = IDLE.get(row["id"], 0) + 1 if is_idle else 0
    zones.change(row, name=name, type=kind, value=value, line=line, ttl=ttl)
    return success(record={"id": int(row["id"]), "name": label_of(row), "value": value, "status": "enable"})


def remove(given, zones):
    zones.remove(record_in(given, zones, zone_in(given, zones)))
    return success()


def domain_info(given, zones):
    zone = zone_in(given, zones)
    return success(domain={"id": number_of(zone, zones), "name": zone, "punycode": zone, "status": "enable"})


def dynamic(given, zones):
    return modify({**given, "record_type": record_in(given, zones, zone_in(given, zones))["type"]}, zones)


def info(given, zones):
    row = record_in(given, zones, zone_in(given, zones))
    return success(record={**show(row), "sub_domain": label_of(row), "record_type": row["type"]})


def list_domains(given, zones):
    found = [{"id": at, "name": name, "status": "enable"} for at, name in enumerate(zones.names, 1)]
    return success(domains=found, info={"domain_total": len(found)})


ACTIONS = {
    "/Record.List": list_records,
    "/Record.Create": create,
    "/Record.Modify": modify,
    "/Record.Remove": remove,
    "/Record.Ddns": dynamic,
    "/Record.Info": info,
    "/Domain.Info": domain_info,
    "/Domain.List": list_domains,
}
