"""Clients of others at work on names: the vendors' own where there are such, and dns-lexicon.

    python3 vendors.py    reads one JSON object a line: {"provider", "url", "account", "zone", "do", ...};
                          answers each in a line: {"values": [...]}, or {"refused": what the client has said}

`do` is "values" of a "name" and "type", "add" a "value", or "change" what there is to another.
"""

import importlib
import json
import sys


class Hetzner:
    """hcloud, Hetzner's own."""

    def __init__(self, url, account, zone):
        from hcloud import Client

        client = Client(account["token"], api_endpoint=f"{url}/v1", poll_interval=0)
        self.zone = client.zones.get(zone)

    def sets(self, name, kind):
        from hcloud import APIException

        try:
            return [self.zone.get_rrset(label_in(name, self.zone.name), kind)]
        except APIException as error:
            if error.code != "not_found":
                raise
            return []

    def values(self, name, kind):
        return [record.value for one in self.sets(name, kind) for record in one.records]

    def add(self, name, kind, value):
        from hcloud.zones import ZoneRecord

        records = [ZoneRecord(value=value)]
        there = self.sets(name, kind)
        if there:
            self.zone.add_rrset_records(there[0], records).wait_until_finished()
            return
        label = label_in(name, self.zone.name)
        self.zone.create_rrset(name=label, type=kind, ttl=600, records=records).action.wait_until_finished()

    def change(self, name, kind, value):
        from hcloud.zones import ZoneRecord

        (there,) = self.sets(name, kind)
        self.zone.set_rrset_records(there, [ZoneRecord(value=value)]).wait_until_finished()


class Linode:
    """linode_api4, Linode's own."""

    def __init__(self, url, account, zone):
        from linode_api4 import Domain, LinodeClient

        client = LinodeClient(account["token"], base_url=f"{url}/v4", retry=False)
        found = client.domains(Domain.domain == zone)
        if len(found) != 1:
            raise LookupError(f"no domain {zone}")
        self.domain = found[0]

    def rows(self, name, kind):
        # The list of a domain is kept until somebody says that it is old.
        self.domain.invalidate()
        label = "" if name == self.domain.domain else label_in(name, self.domain.domain)
        return [row for row in self.domain.records if (row.name, row.type) == (label, kind)]

    def values(self, name, kind):
        return [row.target for row in self.rows(name, kind)]

    def add(self, name, kind, value):
        self.domain.record_create(kind, name=label_in(name, self.domain.domain), target=value, ttl_sec=600)

    def change(self, name, kind, value):
        (row,) = self.rows(name, kind)
        row.target = value
        row.save()


class Volcengine:
    """volcenginesdkdns, Volcengine's own; it asks by POST."""

    def __init__(self, url, account, zone):
        import volcenginesdkcore
        import volcenginesdkdns

        configuration = volcenginesdkcore.Configuration()
        configuration.ak, configuration.sk = account["key"], account["secret"]
        configuration.host, configuration.region = url, "cn-beijing"
        configuration.auto_retry = False
        self.sdk = volcenginesdkdns
        self.api = volcenginesdkdns.DNSApi(volcenginesdkcore.ApiClient(configuration))
        self.name = zone
        found = self.api.list_zones(self.sdk.ListZonesRequest(key=zone, search_mode="exact")).zones
        if len(found) != 1:
            raise LookupError(f"no zone {zone}")
        self.zid = found[0].zid

    def rows(self, name, kind):
        host = label_in(name, self.name)
        asked = self.sdk.ListRecordsRequest(zid=self.zid, host=host, search_mode="exact", type=kind)
        return self.api.list_records(asked).records

    def values(self, name, kind):
        return [row.value for row in self.rows(name, kind)]

    def add(self, name, kind, value):
        same = {"zid": self.zid, "host": label_in(name, self.name), "type": kind, "line": "default", "ttl": 600}
        self.api.create_record(self.sdk.CreateRecordRequest(value=value, **same))

    def change(self, name, kind, value):
        (row,) = self.rows(name, kind)
        same = {"record_id": row.record_id, "host": row.host, "type": kind, "line": row.line, "ttl": row.ttl}
        self.api.update_record(self.sdk.UpdateRecordRequest(value=value, **same))


class Lexicon:
    """dns-lexicon, which many programs that ask for certificates are built upon."""

    # Below which path of its host an API begins, and what an account's parts are called.
    KNOWN = {
        "dnspod": ("", lambda account: dict(zip(("auth_username", "auth_token"), account["token"].split(",")))),
        "digitalocean": ("/v2", lambda account: {"auth_token": account["token"]}),
        "vultr": ("/v2", lambda account: {"auth_token": account["token"]}),
        "gandi": ("/v5/livedns", lambda account: {"auth_token": account["token"], "api_protocol": "rest"}),
        "godaddy": ("/v1", lambda account: {"auth_key": account["key"], "auth_secret": account["secret"]}),
        "porkbun": ("/api/json/v3", lambda account: {"auth_key": account["key"], "auth_secret": account["secret"]}),
    }

    def __init__(self, provider, url, account, zone):
        from lexicon.config import ConfigResolver

        below, options = self.KNOWN[provider]
        module = importlib.import_module(f"lexicon._private.providers.{provider}")
        if hasattr(module, "tldextract"):
            # Its list of suffixes is the one that it brings along: nothing is fetched, nothing kept.
            offline = module.tldextract.TLDExtract(cache_dir=None, suffix_list_urls=())
            module.tldextract.extract = offline
        said = {"provider_name": provider, "action": "list", "domain": zone, "ttl": 600, provider: options(account)}
        self.client = module.Provider(ConfigResolver().with_dict(said))
        self.client.api_endpoint = url + below
        self.client.authenticate()

    def values(self, name, kind):
        return [row["content"] for row in self.client.list_records(kind, name)]

    def add(self, name, kind, value):
        assert self.client.create_record(kind, name, value)

    def change(self, name, kind, value):
        (row,) = self.client.list_records(kind, name)
        assert self.client.update_record(row["id"], kind, name, value)


OWN = {"hetzner": Hetzner, "linode": Linode, "volcengine": Volcengine}
# Clients by whom they work for: many of them find their zone first.
OPENED = {}


def label_in(name, zone):
    return "@" if name == zone else name.removesuffix(f".{zone}")


def opened(asked):
    provider = asked["provider"]
    key = json.dumps([provider, asked["account"], asked["zone"]])
    if key not in OPENED:
        told = (asked["url"], asked["account"], asked["zone"])
        OPENED[key] = OWN[provider](*told) if provider in OWN else Lexicon(provider, *told)
    return OPENED[key]


def answer(asked):
    try:
        client, name, kind = opened(asked), asked["name"], asked["type"]
        if asked["do"] == "add":
            client.add(name, kind, asked["value"])
        elif asked["do"] == "change":
            client.change(name, kind, asked["value"])
        return {"values": client.values(name, kind)}
    except Exception as error:
        return {"refused": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
