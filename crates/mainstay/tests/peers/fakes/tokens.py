"""Services that are told of an address by one GET with a token: DuckDNS, dynv6, freemyip, deSEC."""

import base64

from fakes.wire import Answer, Refusal

DUCKDNS = {"token": "duckdns-token"}
DYNV6 = {"token": "dynv6-token"}
FREEMYIP = {"token": "freemyip-token"}
DESEC = {"user": "example.com", "token": "desec-token"}
SUFFIXES = {"duckdns": "duckdns.org", "freemyip": "freemyip.com", "dynv6": "dynv6.net"}
LABELS = ("home", "office")


def handle_duckdns(request, zones, now):
    """Bad token or bad name: it does not say which."""
    query, names = request.query, [name for name in request.query.get("domains", "").split(",") if name]
    if request.path != "/update" or query.get("token") != DUCKDNS["token"]:
        return Answer(200, "KO")
    if not names or not all(name in LABELS for name in names):
        return Answer(200, "KO")
    # An empty address asks the service to look for itself; none at all keeps what there is.
    four = query.get("ip") or (request.peer if ":" not in query.get("ipv6", "") else "")
    six = query.get("ipv6", "")
    if query.get("clear") == "true":
        for row in [row for name in names for row in zones.find(name=f"{name}.duckdns.org")]:
            zones.remove(row)
        return Answer(200, "OK\n\n\nUPDATED" if query.get("verbose") == "true" else "OK")
    changed = [zones.put(f"{name}.duckdns.org", "A", four) for name in names if four]
    changed += [zones.put(f"{name}.duckdns.org", "AAAA", six) for name in names if six]
    word = "UPDATED" if any(changed) else "NOCHANGE"
    return Answer(200, f"OK\n{four}\n{six}\n{word}" if query.get("verbose") == "true" else "OK")


def handle_freemyip(request, zones, now):
    query = request.query
    name = query.get("domain", "")
    good = query.get("token") == FREEMYIP["token"] and name.removesuffix(".freemyip.com") in LABELS
    if request.path != "/update" or not good:
        return Answer(200, "ERROR")
    address = query.get("myip") or request.peer
    changed = zones.put(name, "AAAA" if ":" in address else "A", address)
    if query.get("verbose") != "yes":
        return Answer(200, "OK")
    return Answer(200, f"OK\nIP address is {address}. {'Updated' if changed else 'Not changed'}.")


def handle_dynv6(request, zones, now):
    query = request.query
    zone = query.get("zone", query.get("hostname", ""))
    if request.path != "/api/update":
        return Answer(404, "not found")
    if query.get("token") != DYNV6["token"]:
        return Answer(401, "invalid authentication token")
    if zone.removesuffix(".dynv6.net") not in LABELS:
        return Answer(404, "zone not found")
    given = {"A": query.get("ipv4"), "AAAA": query.get("ipv6", query.get("ipv6prefix"))}
    given = {kind: request.peer if value == "auto" else value for kind, value in given.items() if value}
    changed = [zones.put(zone, kind, value) for kind, value in given.items()]
    return Answer(200, "addresses updated" if any(changed) else "addresses unchanged")


def handle_desec(request, zones, now):
    """A family that is not named is removed, which is why there is `preserve`."""
    check_desec(request)
    query = request.query
    if request.path not in ("/", "/update", "/nic/update"):
        return Answer(404, "not found")
    name = query.get("hostname", DESEC["user"])
    if zones.zone_of(name) is None:
        return Answer(404, "nohost")
    given = {"A": query.get("myipv4", query.get("myip")), "AAAA": query.get("myipv6", query.get("ipv6"))}
    for kind, value in given.items():
        if value == "preserve":
            continue
        if value:
            zones.put(name, kind, value, ttl=60)
        for row in [] if value else zones.find(name=name, type=kind):
            zones.remove(row)
    return Answer(200, "good")


def check_desec(request):
    text = request.headers.get("authorization", "")
    basic = base64.b64encode(f"{DESEC['user']}:{DESEC['token']}".encode()).decode()
    if text not in (f"Token {DESEC['token']}", f"Basic {basic}"):
        raise Refusal(Answer(401, "badauth", {"WWW-Authenticate": 'Basic realm="dynDNS"'}))
