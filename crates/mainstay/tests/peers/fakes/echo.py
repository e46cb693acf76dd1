"""Services and a router that say from where one comes, and a place that takes any request."""

import ipaddress
import json
import socket
import time

from fakes.wire import Answer

# What is told until the test says otherwise: addresses that anybody might have.
# The router's is that of a machine behind another router: the real one of the tests tells no such.
ADDRESSES = {"v4": "81.2.69.142", "v6": "2a02:c7d:1::142", "router": "10.20.30.40"}


def handler(family):
    """One path a shape: `/ip` and whatever else is text, `/json`, `/trace`, `/html`."""

    def handle(request, zones, now):
        address = ADDRESSES[family]
        shapes = {
            "/json": json.dumps({"ip": address, "country": "XX"}),
            "/trace": f"fl=1f1\nh=localhost\nip={address}\nts=1.0\nvisit_scheme=http\n",
            "/html": f"<html><body>Current IP Address: {address}</body></html>",
        }
        return Answer(200, shapes.get(request.path, f"{address}\n"))

    return handle


def handle_hook(request, zones, now):
    """Takes what a template makes of an update: `name`, `type` and `address`, said anywhere."""
    given = {**request.query, **request.form, **request.json()}
    if not {"name", "type", "address"} <= set(given):
        return Answer(200, {"ok": True, "changed": False})
    changed = zones.put(given["name"], given["type"], given["address"])
    return Answer(200, {"ok": True, "changed": changed})


class Router:
    """Answers by NAT-PMP (RFC 6886) what its outer address is, whatever that is."""

    def __init__(self, host):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.address = "{}:{}".format(*self.socket.getsockname())

    def serve(self):
        began = time.monotonic()
        while True:
            request, client = self.socket.recvfrom(1100)
            if request[:2] != bytes(2):
                # Another version of the protocol, or more than a question.
                self.socket.sendto(bytes([0, 128 + (request[1] if len(request) > 1 else 0), 0, 1]), client)
                continue
            age = int(time.monotonic() - began).to_bytes(4, "big")
            outer = ipaddress.IPv4Address(ADDRESSES["router"]).packed
            self.socket.sendto(bytes([0, 128, 0, 0]) + age + outer, client)
