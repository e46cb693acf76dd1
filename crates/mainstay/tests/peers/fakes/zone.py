"""What a provider holds: zones, and records with everything that nobody else may change."""

import datetime
import ipaddress
import itertools

ZONES = ("example.com", "lab.example.org", "xn--fiq228c.com")


class Zones:
    """The records of one provider, and what the request under way has written."""

    def __init__(self, provider, base, line="default"):
        self.provider = provider
        self.line = line
        self.names = list(ZONES)
        self.rows = []
        self.wrote = []
        self.numbers = itertools.count(base)

    def zone_of(self, name):
        """The longest zone that a name lies in."""
        fitting = [zone for zone in self.names if name == zone or name.endswith("." + zone)]
        return max(fitting, key=len, default=None)

    def find(self, **wanted):
        """The rows whose fields are as wanted; `None` wants nothing."""
        asked = {field: value for field, value in wanted.items() if value is not None}
        fits = lambda row: all(row.get(field) == value for field, value in asked.items())
        return [row for row in self.rows if fits(row)]

    def add(self, name, kind, value, **more):
        row = {
            "id": str(next(self.numbers)),
            "zone": self.zone_of(name),
            "name": name,
            "type": kind,
            "value": value,
            "ttl": 600,
            "line": self.line,
            "comment": None,
            "tags": [],
            "proxied": False,
            "writes": 0,
            "changed": stamp(),
        }
        row.update(more)
        self.rows.append(row)
        self.wrote.append({"did": "add", "id": row["id"], "name": name, "type": kind, "to": value})
        return row

    def change(self, row, **fields):
        said = {"did": "change", "id": row["id"], "name": row["name"], "type": row["type"]}
        said["from"], said["to"] = row["value"], fields.get("value", row["value"])
        row.update(fields)
        row["writes"] += 1
        row["changed"] = stamp()
        self.wrote.append(said)

    def remove(self, row):
        self.rows.remove(row)
        said = {"did": "remove", "id": row["id"], "name": row["name"], "type": row["type"]}
        self.wrote.append({**said, "from": row["value"]})

    def put(self, name, kind, value, **fields):
        """What services do that know one record of a name and type; says whether it changed."""
        rows = self.find(name=name, type=kind)
        if not rows:
            self.add(name, kind, value, **fields)
            return True
        if rows[0]["value"] == value:
            return False
        self.change(rows[0], value=value, **fields)
        return True


def stamp():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def label_of(row):
    """The part of a name before its zone; `@` where there is none."""
    return join_label(row["name"], row["zone"])


def join_label(name, zone):
    return "@" if name == zone else name[: -len(zone) - 1]


def full_name(label, zone):
    return zone if label in ("@", "") else f"{label}.{zone}"


def is_address(kind, value):
    """Whether a record of this type may hold it; other types hold anything."""
    wanted = {"A": ipaddress.IPv4Address, "AAAA": ipaddress.IPv6Address}.get(kind)
    try:
        return wanted is None or bool(wanted(value))
    except (ValueError, TypeError):
        return False
