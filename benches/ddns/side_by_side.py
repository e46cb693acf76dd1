#!/usr/bin/env python3
"""Mainstay, ddclient and inadyn side by side, at the same fake dyndns2 service, in the same trouble.

    apt-get install -y ddclient inadyn     (with a policy-rc.d that forbids starts)
    benches/ddns/side_by_side.py [--client CLIENT] [SCENARIO ...]

Every pair of a client and a scenario has its own fakes and runs beside all others: about a quarter
of an hour in all. Each client looks as often as it can be told to: Mainstay every 10 s, ddclient
every minute (`daemon` takes no less), inadyn every 30 s (nor does `period`). inadyn and ddclient
run in the foreground and are started again ten seconds after they have ended by themselves.

A scenario begins when the first address is published and 65 s have passed: nobody's own pause
between two changes is in the way. Then the address changes and the trouble begins; it lasts for a
minute. Recovery is the time from its end until the new address stands at the service.

Needs root: each client has a network namespace of its own, or the cable of one scenario would tell
all others of another network.

Prints a table in Markdown, and keeps each client's output in /tmp/mainstay-ddns-bench.
"""

import argparse, concurrent.futures, pathlib, shutil, signal, subprocess, sys, tempfile, threading, time
from urllib.parse import parse_qs, urlsplit

from stage import FIRST, SECOND, Fake, Way, end, mainstay, wait_for

BASE = pathlib.Path(tempfile.gettempdir()) / "mainstay-ddns-bench"
NAME = "home.example.com"
SETTLE_S, TROUBLE_S, AFTER_S, WITHIN_S = 65, 60, 70, 620
# What is started again after it has ended waits for so long.
AGAIN_S = 10
PORTAL = "<html><body>Please sign in. Your address is 10.11.12.13</body></html>"


class Client:
    """A program that keeps a name, and is started again when it ends by itself."""

    def __init__(self, folder, bench):
        self.folder, self.bench, self.password = folder, bench, bench.password
        self.exits, self.wanted, self.prefix = 0, True, bench.prefix
        self.process = self.start()
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        while self.wanted:
            one = self.process
            one.wait()
            if self.wanted and one is self.process:
                self.exits += 1
                time.sleep(AGAIN_S)
                if self.wanted and one is self.process:
                    self.process = self.start()

    def run(self, *words):
        return subprocess.Popen([*self.prefix, *words], stdin=subprocess.DEVNULL,
                                stdout=(self.folder / "out").open("ab"), stderr=subprocess.STDOUT)

    def again(self, stop):
        """Ends it in one way or another, and starts it at once."""
        self.wanted = False
        old = self.process
        stop(old)
        old.wait()
        self.wanted, self.process = True, self.start()
        threading.Thread(target=self.watch, daemon=True).start()

    def close(self):
        self.wanted = False
        end(self.process)


class Mainstay(Client):
    def start(self):
        name = {"name": NAME, "families": ["ipv4"], "verify": False}
        account = {"provider": "dyndns2", "url": f"http://{self.bench.service}/nic/update",
                   "user": "somebody", "password": self.password, "names": name}
        sources = {"ipv4": [{"web": [f"http://{self.bench.echo}/ip"]}]}
        config = {"every": "10s", "sources": sources, "accounts": {"a": account}}
        return mainstay(self.folder, config, self.prefix)


class Ddclient(Client):
    def start(self):
        text = (f"daemon=60\nssl=no\nuse=web, web=http://{self.bench.echo}/ip\nprotocol=dyndns2\n"
                f"server={self.bench.service}\nlogin=somebody\npassword={self.password}\n{NAME}\n")
        path = self.folder / "conf"
        path.write_text(text)
        path.chmod(0o600)
        return self.run("ddclient", "-foreground", "-file", path, "-cache", self.folder / "cache",
                        "-pid", self.folder / "pid", "-verbose")


class Inadyn(Client):
    options = ()

    def start(self):
        text = (f'period = 30\ncustom a {{\n ssl = false\n username = somebody\n hostname = {NAME}\n'
                f' password = "{self.password}"\n checkip-server = "{self.bench.echo}"\n'
                f' checkip-path = "/ip"\n checkip-ssl = false\n ddns-server = "{self.bench.service}"\n'
                f' ddns-path = "/nic/update?hostname=%h&myip=%i"\n}}\n')
        path = self.folder / "conf"
        path.write_text(text)
        path.chmod(0o600)
        cache = self.folder / "cache"
        cache.mkdir(exist_ok=True)
        return self.run("inadyn", "-n", "-f", path, f"--cache-dir={cache}", "--no-pidfile", *self.options)


class InadynOn(Inadyn):
    options = ("-C",)


CLIENTS = {"Mainstay": Mainstay, "ddclient": Ddclient, "inadyn": Inadyn, "inadyn -C": InadynOn}


class Bench:
    """One client in one scenario, with all that it talks to."""

    def __init__(self, name, scenario):
        self.password = "a-wrong-one" if scenario == "badauth" else "dyndns2-password"
        self.host, self.net = link(list(SCENARIOS).index(scenario) * len(CLIENTS) + list(CLIENTS).index(name))
        self.prefix = ("ip", "netns", "exec", self.net)
        self.fake = Fake(self.host)
        self.way = Way(self.host, port(self.fake.urls["dyndns2"]))
        self.service, self.echo = f"{self.host}:{self.way.port}", f"{self.host}:{port(self.fake.urls['echo4'])}"
        folder = BASE / scenario / name.replace(" ", "")
        folder.mkdir(parents=True)
        self.client = CLIENTS[name](folder, self)

    def has(self, address):
        return [row["value"] for row in self.fake.records("dyndns2")] == [address]

    def moves(self):
        self.fake.set(address={"v4": SECOND}, forget=True)

    def says(self, provider, **answer):
        self.fake.set(answer={"provider": provider, "times": None, **answer})

    def close(self):
        self.client.close()
        self.fake.close()
        unlink(self.net)


def port(url):
    return urlsplit(url).port


def link(number):
    """Makes a network namespace behind a cable of its own; returns our end's address, and its name."""
    net, here, there = f"ddns-b{number}", f"ddnsb{number}h", f"ddnsb{number}n"
    host = f"198.18.{number}.1"
    unlink(net)
    inside = ("ip", "-n", net)
    for words in (("ip", "netns", "add", net),
                  ("ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", net),
                  ("ip", "address", "add", f"{host}/24", "dev", here), ("ip", "link", "set", here, "up"),
                  (*inside, "address", "add", f"198.18.{number}.2/24", "dev", there),
                  (*inside, "link", "set", "lo", "up"), (*inside, "link", "set", there, "up"),
                  (*inside, "route", "add", "default", "via", host)):
        subprocess.run(words, check=True)
    return host, net


def unlink(net):
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    number = net.removeprefix("ddns-b")
    subprocess.run(("ip", "link", "delete", f"ddnsb{number}h"), **quiet)
    subprocess.run(("ip", "netns", "delete", net), **quiet)


def steady(bench):
    bench.fake.set(forget=True)
    time.sleep(300)


def change(bench):
    bench.moves()


def trouble(provider, **answer):
    def scenario(bench):
        bench.says(provider, **answer)
        bench.moves()
        time.sleep(TROUBLE_S)
        bench.fake.set(clear=True)
    return scenario


def refused(bench):
    bench.way.shut()
    bench.moves()
    time.sleep(TROUBLE_S)
    bench.way.mend()


def badauth(bench):
    bench.fake.set(forget=True)
    time.sleep(300)
    bench.client.password = "dyndns2-password"
    bench.fake.set(address={"v4": SECOND})
    bench.client.again(lambda process: process.send_signal(signal.SIGTERM))


def killed(bench):
    """The service takes the change; the client dies before it knows."""
    bench.says("dyndns2", delay=5)
    bench.moves()
    wait_for(lambda: bench.has(SECOND), WITHIN_S, 0.02)
    bench.client.again(lambda process: process.kill())
    bench.fake.set(clear=True)
    time.sleep(120)


def network(bench):
    """The cable is out while the address changes."""
    device = bench.net.replace("-b", "b") + "n"
    inside = ("ip", "-n", bench.net, "link", "set", device)
    subprocess.run((*inside, "down"), check=True)
    bench.moves()
    time.sleep(TROUBLE_S)
    subprocess.run((*inside, "up"), check=True)
    host = ("ip", "-n", bench.net, "route", "replace", "default", "via", bench.host)
    wait_for(lambda: subprocess.run(host, stderr=subprocess.DEVNULL).returncode == 0, 10)


SCENARIOS = {
    "steady": ("nothing changes for 300 s", steady),
    "change": ("another address", change),
    "refused": ("service: connection refused", refused),
    "503": ("service: HTTP 503", trouble("dyndns2", status=503, body="")),
    "502": ("service: HTTP 502 with a page", trouble("dyndns2", status=502, body="<html>bad gateway</html>")),
    "hang": ("service: takes the request and is silent", trouble("dyndns2", delay=3600, drop=True)),
    "911": ("service: `911`", trouble("dyndns2", body="911\n")),
    "dnserr": ("service: `dnserr`", trouble("dyndns2", body="dnserr\n")),
    "badauth": ("wrong password for 300 s, then mended", badauth),
    "echo-503": ("echo service: HTTP 503", trouble("echo4", status=503, body="")),
    "echo-page": ("echo service: a portal's page with 10.11.12.13", trouble("echo4", status=200, body=PORTAL)),
    "echo-private": ("echo service: 192.168.1.5", trouble("echo4", status=200, body="192.168.1.5\n")),
    "killed": ("killed before the answer to a write", killed),
    "network": ("cable out for 60 s, another address", network),
}


def measure(name, scenario):
    bench = Bench(name, scenario)
    try:
        if scenario != "badauth":
            if wait_for(lambda: bench.has(FIRST), 120) is None:
                return {"took": "never began"}
            time.sleep(SETTLE_S)
        SCENARIOS[scenario][1](bench)
        target = FIRST if scenario == "steady" else SECOND
        took = wait_for(lambda: bench.has(target), WITHIN_S)
        if scenario not in ("steady", "killed"):
            time.sleep(AFTER_S)
        return judged(bench, took)
    finally:
        bench.close()


def judged(bench, took):
    """Counts what the service was asked, as far as it was reached."""
    log = [entry for entry in bench.fake.log() if entry["provider"] == "dyndns2"]
    told = lambda entry: parse_qs(urlsplit(entry["target"]).query).get("myip", [""])[0]
    wrong = sum(told(entry) not in (FIRST, SECOND) for entry in log if entry["answer"].startswith(("good", "nochg")))
    needless = sum(entry["answer"].startswith("nochg") for entry in log)
    return {"took": took, "requests": len(log), "wrong": wrong, "needless": needless, "exits": bench.client.exits}


def shown(scenario, result):
    took = result["took"]
    if took is None:
        took = f"> {WITHIN_S} s"
    elif not isinstance(took, str):
        took = "–" if scenario in ("steady", "killed") else f"{took:.1f} s"
    return " / ".join([took, *(str(result.get(key, "?")) for key in ("requests", "wrong", "needless", "exits"))])


def cell(scenario, run):
    return "failed" if run.exception() else shown(scenario, run.result())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--client", choices=CLIENTS, action="append")
    parser.add_argument("scenarios", nargs="*", default=list(SCENARIOS))
    given = parser.parse_args()
    chosen, clients = given.scenarios, given.client or list(CLIENTS)
    shutil.rmtree(BASE, ignore_errors=True)
    with concurrent.futures.ThreadPoolExecutor(len(chosen) * len(clients)) as pool:
        runs = {(scenario, name): pool.submit(measure, name, scenario) for scenario in chosen for name in clients}
        for (scenario, name), run in runs.items():
            run.add_done_callback(lambda run, key=(scenario, name): print(
                *key, run.exception() or run.result(), file=sys.stderr, flush=True))
    print("Recovery / requests to the service / wrong addresses published / `nochg` / exits\n")
    print("| | " + " | ".join(clients) + " |")
    print("|---" * (len(clients) + 1) + "|")
    for scenario in chosen:
        cells = [cell(scenario, runs[scenario, name]) for name in clients]
        print(f"| {SCENARIOS[scenario][0]} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
