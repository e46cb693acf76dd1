#!/usr/bin/env python3
"""What 1,000 names cost whose own servers are dead: each is asked for, and none ever answers.

    sudo benches/ddns/dead.py [NAMES]

Runs the kind of a release build (or of the one that $MAINSTAY_EXE names) in a network of its own with
one resolver, which answers, and the four servers of the zone, each at an address of both families,
which hear every question and say nothing. Prints the most memory and descriptors in two minutes,
and how many questions there were.
"""

import json, os, pathlib, shutil, socket, struct, subprocess, sys, tempfile, threading, time

from stage import FIRST, Fake, cost, end, mainstay

NAMES = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
ACCOUNTS, SERVERS, TIME_S = 10, 4, 120
A, NS, SOA, AAAA = 1, 2, 6, 28
heard = {"resolver": 0, "servers": 0}


def alone():
    """Goes into a network and a mount namespace of our own; returns when we are in them."""
    if os.environ.get("ALONE") != "1":
        os.execvpe("unshare", ["unshare", "-n", "-m", sys.executable, *sys.argv], {**os.environ, "ALONE": "1"})
    run = lambda *words: subprocess.run(words, check=True)
    run("ip", "link", "set", "lo", "up")
    for at in range(SERVERS):
        run("ip", "-6", "address", "add", f"fd00::{at + 1}/128", "dev", "lo")
    own = tempfile.NamedTemporaryFile("w", delete=False)
    own.write("nameserver 127.0.0.1\n")
    own.close()
    run("mount", "--bind", own.name, "/etc/resolv.conf")


def written(name):
    parts = [bytes([len(part)]) + part.encode() for part in name.rstrip(".").split(".")]
    return b"".join(parts) + b"\0"


def resolver():
    """Knows one zone, its servers, and where they are."""
    port = bound("127.0.0.1")
    while True:
        message, whom = port.recvfrom(4096)
        heard["resolver"] += 1
        labels, at = [], 12
        while message[at]:
            labels.append(message[at + 1:at + 1 + message[at]].decode())
            at += 1 + message[at]
        kind, = struct.unpack("!H", message[at + 1:at + 3])
        question = message[12:at + 5]
        record = lambda kind, data: written(".".join(labels)) + struct.pack("!HHIH", kind, 1, 60, len(data)) + data
        answers, beside = [], []
        if kind == SOA:
            data = written("ns0.test.net") * 2 + struct.pack("!5I", 1, 60, 60, 60, 60)
            beside = [written("example.com") + struct.pack("!HHIH", SOA, 1, 60, len(data)) + data]
        elif kind == NS:
            answers = [record(NS, written(f"ns{one}.test.net")) for one in range(SERVERS)]
        elif labels[0].startswith("ns"):
            number = int(labels[0][2:]) + 1
            address = (socket.AF_INET, f"127.0.1.{number}") if kind == A else (socket.AF_INET6, f"fd00::{number}")
            answers = [record(kind, socket.inet_pton(*address))]
        head = message[:2] + struct.pack("!5H", 0x8180, 1, len(answers), len(beside), 0)
        port.sendto(head + question + b"".join(answers + beside), whom)


def bound(address):
    port = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    port.bind((address, 53))
    return port


def dead(address):
    port = bound(address)
    while port.recv(4096):
        heard["servers"] += 1


def configuration(fake):
    known = fake.accounts["dyndns2"]
    account = lambda at: {"provider": "dyndns2", "url": fake.urls["dyndns2"] + "/nic/update",
                          "user": known["user"], "password": known["password"],
                          "names": [{"name": f"n{at}-{one}.example.com", "families": ["ipv4"]}
                                    for one in range(NAMES // ACCOUNTS)]}
    return {"every": "5s", "sources": {"ipv4": [{"web": [fake.urls["echo4"] + "/ip"]}]},
            "resolvers": ["127.0.0.1:53"], "accounts": {f"a{at}": account(at) for at in range(ACCOUNTS)}}


def main():
    alone()
    addresses = [f"127.0.1.{one + 1}" for one in range(SERVERS)] + [f"fd00::{one + 1}" for one in range(SERVERS)]
    for target, given in [(resolver, ()), *((dead, (one,)) for one in addresses)]:
        threading.Thread(target=target, args=given, daemon=True).start()
    fake = Fake()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mainstay-ddns-"))
    process = mainstay(folder, configuration(fake))
    try:
        most, until = 0, time.monotonic() + TIME_S
        while time.monotonic() < until:
            most = max(most, len(os.listdir(f"/proc/{process.pid}/fd")))
            time.sleep(0.05)
        published = sum(row["value"] == FIRST for row in fake.records("dyndns2"))
        told = cost(process.pid)
        print(json.dumps({"names": NAMES, "published": published, "descriptors_most": most, **told, "questions": heard}))
    finally:
        end(process)
        fake.close()
        shutil.rmtree(folder)


main()
