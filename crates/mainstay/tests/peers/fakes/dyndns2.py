"""The protocol of dyndns2, and those who speak a dialect of it."""

import base64
import hashlib

from fakes.wire import Answer
from fakes.zone import is_address

ACCOUNT = {"user": "somebody", "password": "dyndns2-password"}
HOSTS_MAX = 20
# So many answers of `nochg` in a row are called abuse.
IDLE_MAX = 5
# What is found where a dialect looks for the address of the other family by itself.
SIX_OF_CALLER = "2001:db8:dead::1"


class Dialect:
    """How a service differs: where things stand, and what it holds against whom."""

    def __init__(self, **rules):
        self.path = rules.get("path", "/nic/update")
        self.six = rules.get("six")  # of IPv6, looked for where it is not given; none: both stand in `myip`
        self.whole = rules.get("whole", False)  # a family that is not told is removed
        self.families = rules.get("families", ("A", "AAAA"))
        self.must = rules.get("must", {})
        self.user = rules.get("user", ACCOUNT["user"])
        self.by_name = rules.get("by_name", False)  # the name that is updated is the user
        self.in_query = rules.get("in_query", False)
        self.denied = rules.get("denied", 200)
        self.idle = {}

    def handle(self, request, zones, now):
        query = self.given(request)
        if request.path != self.path:
            return Answer(404, "not found")
        if not request.headers.get("user-agent"):
            return Answer(200, "badagent\n")
        if not self.knows(request, query):
            return Answer(self.denied, "badauth\n")
        if any(query.get(name) != value for name, value in self.must.items()):
            return Answer(200, "badsys\n")
        names = [name for name in query.get("hostname", "").split(",") if name]
        if not names or any("." not in name for name in names):
            return Answer(200, "notfqdn\n")
        if len(names) > HOSTS_MAX:
            return Answer(200, "numhost\n")
        given = self.addresses(request, query)
        return Answer(200, "".join(self.update(name, given, zones) + "\n" for name in names))

    def given(self, request):
        """What is asked for; where credentials may stand in the query, all of it may stand in a form."""
        return request.form if self.in_query and request.method == "POST" else request.query

    def knows(self, request, query):
        user = query.get("hostname") if self.by_name else self.user
        if self.in_query and "password" in query:
            digest = hashlib.md5(ACCOUNT["password"].encode()).hexdigest()
            return query.get("username", user) == user and query["password"] in (ACCOUNT["password"], digest)
        pair = base64.b64encode(f"{user}:{ACCOUNT['password']}".encode()).decode()
        return request.headers.get("authorization") == f"Basic {pair}"

    def addresses(self, request, query):
        given = [part for part in query.get("myip", "").split(",") if part and part != "no"]
        if self.six and query.get(self.six, "no") != "no":
            given.append(query[self.six])
        if self.six and self.six not in query:
            given.append(SIX_OF_CALLER)
        return given or [request.peer]

    def update(self, name, given, zones):
        if zones.zone_of(name) is None:
            return "nohost"
        kinds = [(kind, value) for value in given for kind in ("A", "AAAA") if is_address(kind, value)]
        kinds = [(kind, value) for kind, value in kinds if kind in self.families]
        if not kinds:
            return "badrequest"
        if self.idle.get(name, 0) >= IDLE_MAX:
            return "abuse"
        changed = [zones.put(name, kind, value, ttl=60) for kind, value in kinds]
        told = {kind for kind, _ in kinds}
        for row in [row for row in zones.find(name=name) if self.whole and row["type"] not in told]:
            zones.remove(row)
        self.idle[name] = 0 if any(changed) else self.idle.get(name, 0) + 1
        word = "good" if any(changed) else "nochg"
        return f"{word} {','.join(value for _, value in kinds)}"


DIALECTS = {
    "dyndns2": Dialect(),
    "noip": Dialect(whole=True),
    "dynu": Dialect(six="myipv6", in_query=True),
    "ovh": Dialect(must={"system": "dyndns"}, families=("A",), denied=401),
    "he": Dialect(in_query=True, user="home.example.com", by_name=True),
    "strato": Dialect(whole=True, denied=401),
    "selfhost": Dialect(denied=401),
    "dyn": Dialect(whole=True),
    "dnsomatic": Dialect(families=("A",)),
    "variomedia": Dialect(whole=True, denied=401),
}
