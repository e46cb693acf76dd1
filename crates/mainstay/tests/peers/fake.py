"""Pretends to be the services that an address is told to, or asked from; each on a port of its own.

    python3 fake.py [--host ADDRESS]    serves until its stdin ends; says first where, in one line
        [--site ADDRESS --certificate PATH --key PATH]  serves under the services' own names as well
    python3 fake.py --hosts             says which names those are
    python3 fake.py --self-test         tries the signatures against vectors of the real clients

On every port:
    POST /_set      plans answers and turns knobs, see `Control.set`
    GET  /_log      all requests: when, what, what was written; secrets are masked
    GET  /_records  what each provider holds
    POST /_records  adds records of somebody else: {"provider", "name", "type", "value", ...}
"""

import argparse
import base64
import hashlib
import http.server
import json
import re
import socket
import ssl
import sys
import threading
import time
import urllib.parse

from fakes import alidns, baidu, cloudflare, dnspod, dyndns2, echo, huawei, rows, sets, tencent, tokens
from fakes import vectors, volcengine
from fakes.hosts import HOSTS, provider_of
from fakes.wire import Answer, Refusal, Request
from fakes.zone import Zones

ACCOUNTS = {
    "cloudflare": cloudflare.ACCOUNT,
    "alidns": alidns.ACCOUNT,
    "tencent": tencent.ACCOUNT,
    "dnspod": dnspod.ACCOUNT,
    "huawei": huawei.ACCOUNT,
    "baidu": baidu.ACCOUNT,
    "volcengine": volcengine.ACCOUNT,
    "duckdns": tokens.DUCKDNS,
    "dynv6": tokens.DYNV6,
    "freemyip": tokens.FREEMYIP,
    "desec": tokens.DESEC,
    "porkbun": rows.PORKBUN,
    "digitalocean": rows.DIGITALOCEAN,
    "linode": rows.LINODE,
    "vultr": rows.VULTR,
    "godaddy": sets.GODADDY,
    "gandi": sets.GANDI,
    "hetzner": sets.HETZNER,
    "namecheap": sets.NAMECHEAP,
    **{name: {**dyndns2.ACCOUNT, "user": one.user} for name, one in dyndns2.DIALECTS.items()},
}
HANDLERS = {
    "cloudflare": cloudflare.handle,
    "alidns": alidns.handle,
    "tencent": tencent.handle,
    "dnspod": dnspod.handle,
    "huawei": huawei.handle,
    "baidu": baidu.handle,
    "volcengine": volcengine.handle,
    "duckdns": tokens.handle_duckdns,
    "dynv6": tokens.handle_dynv6,
    "freemyip": tokens.handle_freemyip,
    "desec": tokens.handle_desec,
    "porkbun": rows.handle_porkbun,
    "digitalocean": rows.handle_digitalocean,
    "linode": rows.handle_linode,
    "vultr": rows.handle_vultr,
    "godaddy": sets.handle_godaddy,
    "gandi": sets.handle_gandi,
    "hetzner": sets.handle_hetzner,
    "namecheap": sets.handle_namecheap,
    **{name: one.handle for name, one in dyndns2.DIALECTS.items()},
    "hook": echo.handle_hook,
    "echo4": echo.handler("v4"),
    "echo6": echo.handler("v6"),
}
# What the line is called that answers whoever has no line of his own.
LINES = {"tencent": tencent.LINE, "dnspod": dnspod.LINE, "huawei": huawei.LINE, "baidu": baidu.VIEW}
# What a client may show of itself without giving anything away.
SHOWN_HEADERS = ("user-agent", "content-type", "host", "accept", "x-tc-action")
BODY_SHOWN_MAX = 4096


def secrets():
    """Everything that must not be seen, as it stands and as it travels."""
    found = set()
    for account in ACCOUNTS.values():
        for name, value in account.items():
            if name.startswith("token") or name in ("secret", "password"):
                basic = base64.b64encode(f"{account.get('user', '')}:{value}".encode()).decode()
                digest = hashlib.md5(value.encode()).hexdigest()
                found |= {value, basic, digest, urllib.parse.quote_plus(value), urllib.parse.quote(value)}
    return sorted(found, key=len, reverse=True)


SECRETS = secrets()


def mask(text):
    for secret in SECRETS:
        text = text.replace(secret, "***")
    text = re.sub(r"Basic ([\w+/]+=*)$", mask_pair, text)
    return re.sub(r"(Signature=)[^&,\s\"]+", r"\1***", text)


def mask_pair(found):
    """Hides a user who has a password of ours, whatever he is called."""
    password = base64.b64decode(found[1] + "==").decode("utf-8", "replace").partition(":")[2]
    return "Basic ***" if password in SECRETS else found[0]


class World:
    """All that the ports share; whoever looks or writes holds the lock."""

    def __init__(self):
        self.lock = threading.RLock()
        zones = lambda name, at: Zones(name, 1000 * at, LINES.get(name, "default"))
        self.zones = {name: zones(name, at) for at, name in enumerate(HANDLERS, 1)}
        self.plans = []
        self.log = []
        self.skew = 0.0

    def now(self):
        return time.time() + self.skew

    def answer(self, provider, request):
        """Does what the plan says, or what the provider would; notes it in either case."""
        with self.lock:
            plan = self.planned(provider, request)
            zones = self.zones[provider]
            zones.wrote = []
            answer = self.handle(provider, request, zones) if works(plan) else Answer(200, "")
            if plan is not None:
                amend(answer, plan)
            self.note(provider, request, answer, zones.wrote, plan)
        return answer, plan or {}

    def handle(self, provider, request, zones):
        try:
            return HANDLERS[provider](request, zones, self.now())
        except Refusal as refusal:
            return refusal.answer

    def planned(self, provider, request):
        for plan in self.plans:
            fits = plan.get("provider", provider) == provider
            fits = fits and plan.get("method", request.method) == request.method
            if fits and re.search(plan.get("match", ""), seen(request)):
                if plan.get("times") is not None:
                    plan["times"] -= 1
                    if plan["times"] <= 0:
                        self.plans.remove(plan)
                return plan
        return None

    def note(self, provider, request, answer, wrote, plan):
        headers = {name: request.headers[name] for name in SHOWN_HEADERS if name in request.headers}
        said = request.headers.get("authorization", "")
        self.log.append(
            {
                "number": len(self.log) + 1,
                "time": time.time(),
                "provider": provider,
                "scheme": request.scheme,
                "method": request.method,
                "target": mask(request.target),
                "headers": headers,
                "authorization": mask(said),
                "body": mask(request.body.decode("utf-8", "replace"))[:BODY_SHOWN_MAX],
                "status": answer.status,
                "answer": mask(answer.body.decode("utf-8", "replace"))[:BODY_SHOWN_MAX],
                "wrote": list(wrote),
                "planned": plan is not None,
            }
        )


def works(plan):
    """Whether a request does its work: it does not where the plan has an answer, or none at all."""
    if plan is None:
        return True
    return plan.get("apply", not {"status", "body", "drop"} & set(plan))


def amend(answer, plan):
    """Makes an answer the one of the plan, as far as the plan says."""
    if {"status", "body"} & set(plan):
        planned = Answer(plan.get("status", 200), plan.get("body", ""))
        answer.status, answer.body, answer.headers = planned.status, planned.body, planned.headers
    answer.headers.update(plan.get("headers", {}))


def seen(request):
    """What the pattern of a plan is looked for in."""
    return f"{request.target}\n{request.headers.get('x-tc-action', '')}\n{request.body.decode('utf-8', 'replace')}"


class Control:
    """What the test does to the world."""

    def __init__(self, world):
        self.world = world

    def handle(self, request):
        routes = {"/_set": self.set, "/_log": self.log, "/_records": self.records}
        route = routes.get(request.path)
        if route is None:
            return Answer(404, "no such control")
        try:
            with self.world.lock:
                return route(request)
        except (KeyError, ValueError, TypeError, re.error) as error:
            return Answer(400, f"{type(error).__name__}: {error}")

    def set(self, request):
        """Takes one object; each field is optional.

        `answer`: {"provider", "method", "match": pattern in target, action and body, "times": how often
                  (1; null for ever), "status", "headers", "body": text or JSON, "delay": seconds,
                  "apply": the request does its work all the same, "drop": no answer is sent}
        `address`: {"v4", "v6"}, what is echoed, and {"router"};  `skew`: seconds that the services' clocks are ahead
        `zones`: {"provider": [names]};  `clear`: plans are forgotten;  `forget`: the log is emptied;
        `empty`: what the providers hold is gone
        """
        given = json.loads(request.body)
        known = {"answer", "address", "skew", "zones", "clear", "forget", "empty"}
        if not set(given) <= known:
            raise ValueError(f"only {sorted(known)} can be set")
        if given.get("clear"):
            self.world.plans.clear()
        if given.get("forget"):
            self.world.log.clear()
        for zones in self.world.zones.values() if given.get("empty") else ():
            zones.rows.clear()
        echo.ADDRESSES.update(given.get("address", {}))
        self.world.skew = float(given.get("skew", self.world.skew))
        for provider, names in given.get("zones", {}).items():
            self.world.zones[provider].names = list(names)
        if "answer" in given:
            self.plan({"times": 1, **given["answer"]})
        return Answer(200, {})

    def plan(self, plan):
        known = {"provider", "method", "match", "times", "status", "headers", "body", "delay", "apply", "drop"}
        if not set(plan) <= known or plan.get("provider", "hook") not in HANDLERS:
            raise ValueError(f"a plan has {sorted(known)}, and one of {sorted(HANDLERS)}")
        re.compile(plan.get("match", ""))
        self.world.plans.append(plan)

    def log(self, request):
        return Answer(200, self.world.log)

    def records(self, request):
        if request.method == "POST":
            given = request.json()
            row = self.world.zones[given.pop("provider")].add(
                given.pop("name"), given.pop("type"), given.pop("value"), **given
            )
            return Answer(200, row)
        return Answer(200, {name: zones.rows for name, zones in self.world.zones.items() if zones.rows})


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def serve(self):
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(length)
        request = Request(self.command, self.path, headers, body, self.client_address[0])
        request.scheme = self.server.scheme
        if request.path.startswith("/_"):
            self.send(self.server.control.handle(request))
            return
        provider = self.server.provider or provider_of(request, getattr(self.connection, "asked", None))
        if provider is None:
            self.send(Answer(421, "nobody of this name is here"))
            return
        answer, plan = self.server.world.answer(provider, request)
        # Outside the lock: nobody else waits for somebody who is slow.
        time.sleep(plan.get("delay", 0))
        if plan.get("drop"):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve

    def send(self, answer):
        self.send_response_only(answer.status)
        date = self.date_time_string(self.server.world.now())
        for name, value in {"Date": date, **answer.headers}.items():
            self.send_header(name, str(value))
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if answer.status != 204:
            self.wfile.write(answer.body)

    def log_message(self, form, *arguments):
        pass


class Port(http.server.ThreadingHTTPServer):
    """Where one provider listens, or all of them by their names."""

    daemon_threads = True
    scheme = "http"

    def __init__(self, host, provider, world, port=0):
        self.provider, self.world, self.control = provider, world, Control(world)
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), Handler)

    def secure(self, certificate, key):
        """Speaks TLS from here on; a connection remembers whom it was asked for."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.sni_callback = lambda connection, name, _: setattr(connection, "asked", name or "")
        # Whoever is slow to shake hands holds up nobody else.
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.scheme = "https"

    def server_bind(self):
        # The name of the host is of no use, and looking for it may take long.
        http.server.socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]


def serve(host, site):
    world = World()
    hosts = {"echo6": "::1" if host == "127.0.0.1" else host}
    ports = {name: Port(hosts.get(name, host), name, world) for name in HANDLERS}
    for port in [*ports.values(), *(open_site(world, *site) if site[0] else ())]:
        threading.Thread(target=port.serve_forever, kwargs={"poll_interval": 3600}, daemon=True).start()
    router = echo.Router(host)
    threading.Thread(target=router.serve, daemon=True).start()
    urls = {name: url_of(port.server_address) for name, port in ports.items()} | {"natpmp": router.address}
    print(json.dumps({"urls": urls, "accounts": ACCOUNTS}), flush=True)
    sys.stdin.read()


def open_site(world, host, certificate, key):
    plain, secure = Port(host, None, world, 80), Port(host, None, world, 443)
    secure.secure(certificate, key)
    return plain, secure


def url_of(address):
    host, port = address[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    for option in ("--site", "--certificate", "--key"):
        parser.add_argument(option)
    parser.add_argument("--hosts", action="store_true")
    parser.add_argument("--self-test", action="store_true")
    given = parser.parse_args()
    if given.self_test:
        vectors.check()
    elif given.hosts:
        print("\n".join(HOSTS))
    else:
        serve(given.host, (given.site, given.certificate, given.key))


if __name__ == "__main__":
    main()
