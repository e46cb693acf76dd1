#!/usr/bin/env python3
"""What 1,000 names cost: 10 accounts of 100 names each, at fakes on loopback.

    benches/ddns/thousand.py [NAMES]

Runs the kind of a release build (or of the one that $MAINSTAY_EXE names) three times: against a
provider that can be read (Cloudflare), against one that only takes updates (dyndns2), and with all
accounts of both at once and half the names each. Prints how long it takes until all are published
after the start, after another address, and after a restart; how many requests each phase needs; and
what the process costs. Then nothing changes for a minute, at a poll every 5 s.

Read times against the fake's: it is one Python process, and what it needs itself is told as well.
"""

import json, pathlib, shutil, sys, tempfile, time

from stage import FIRST, SECOND, Fake, cost, end, mainstay, wait_for

NAMES = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
ACCOUNTS = 10
QUIET_S = 60
# The address changes when a name may be written again: a minute after its last change.
FLOOR_S = 61


def account(fake, provider, at, names):
    known = fake.accounts[provider]
    # Nobody but the fake knows these names: the servers of the zone are not asked.
    listed = [{"name": f"n{at}-{number}.example.com", "families": ["ipv4"], "verify": False}
              for number in range(names)]
    if provider == "cloudflare":
        return {"provider": "cloudflare", "endpoint": fake.urls[provider] + "/client/v4",
                "token": known["token"], "names": listed}
    return {"provider": "dyndns2", "url": fake.urls[provider] + "/nic/update",
            "user": known["user"], "password": known["password"], "names": listed}


def configuration(fake, providers):
    all = [providers[at % len(providers)] for at in range(ACCOUNTS)]
    accounts = {f"a{at}": account(fake, one, at, NAMES // ACCOUNTS) for at, one in enumerate(all)}
    return {"every": "5s", "sources": {"ipv4": [{"web": [fake.urls["echo4"] + "/ip"]}]},
            "accounts": accounts}


def published(fake, providers, address):
    rows = [row for one in providers for row in fake.records(one)]
    return sum(row["value"] == address for row in rows) == NAMES


def phase(fake, process, what, providers, address):
    """Measures until all names have an address, then two seconds more."""
    before, own = cost(process.pid), cost(fake.process.pid)["cpu_s"]
    within = 600
    took = wait_for(lambda: published(fake, providers, address), within, 0.2)
    time.sleep(2)
    tell(fake, process, what, (before, own, took))


def tell(fake, process, what, told):
    before, own, took = told
    after = cost(process.pid)
    log = fake.log()
    looks = sum(entry["provider"].startswith("echo") for entry in log)
    shown = {"s": took and round(took, 2), "requests": len(log) - looks, "looks": looks,
             "cpu_s": round(after["cpu_s"] - before["cpu_s"], 2),
             "fake_cpu_s": round(cost(fake.process.pid)["cpu_s"] - own, 2),
             **{name: after[name] for name in ("pss_kib", "anonymous_kib", "peak_kib", "threads", "descriptors")}}
    print(f"  {what}: {json.dumps(shown)}", flush=True)
    fake.set(forget=True)


def measure(providers):
    print(f"{NAMES} names, {ACCOUNTS} accounts of {', '.join(providers)}", flush=True)
    fake = Fake()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mainstay-ddns-"))
    config = configuration(fake, providers)
    process = mainstay(folder, config)
    try:
        phase(fake, process, "start", providers, FIRST)
        time.sleep(FLOOR_S)
        fake.set(forget=True, address={"v4": SECOND})
        phase(fake, process, "another address", providers, SECOND)
        quiet(fake, process, "a minute of nothing")
        end(process)
        process = mainstay(folder, config)
        quiet(fake, process, "a minute after a restart")
    finally:
        end(process)
        fake.close()
        shutil.rmtree(folder)


def quiet(fake, process, what):
    before, own = cost(process.pid), cost(fake.process.pid)["cpu_s"]
    time.sleep(QUIET_S)
    tell(fake, process, what, (before, own, None))


for chosen in (["cloudflare"], ["dyndns2"], ["cloudflare", "dyndns2"]):
    measure(chosen)
