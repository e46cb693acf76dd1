"""Services that say from where one comes, and a place that takes any request."""

import json

from fakes.wire import Answer

# What is told until the test says otherwise: addresses that anybody might have.
ADDRESSES = {"v4": "81.2.69.142", "v6": "2a02:c7d:1::142"}


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
