#!/usr/bin/env python3
"""Starts 1,000 services with the start-up gate and without, and asks what they use.

usage: thousand.py MAINSTAY [--units 1000] [--rounds 3]

Plain programs pass the gate at once; those with a hook `before-start` wait in its line. Prints a
table of medians in Markdown: from `up` to all running, processor time of agent and keeper until
then, and for `GET /v1/usage` the time of the request and the processor time of the agent.
"""

import argparse
import http.client
import json
import os
import pathlib
import socket
import statistics
import subprocess
import tempfile
import time

TICKS = os.sysconf("SC_CLK_TCK")


class Client(http.client.HTTPConnection):
    """HTTP over the instance's socket."""

    def __init__(self, path):
        super().__init__("m")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def get(path, what):
    client = Client(path)
    client.request("GET", what)
    answer = client.getresponse()
    body = answer.read()
    client.close()
    assert answer.status == 200, body
    return json.loads(body)


def processor_time(pid):
    """Returns what a process has used, in seconds."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def config(units, width, hook):
    line = 'hooks = { before-start = "true" }\n' if hook else ""
    service = lambda number: f'[services.u{number:04}]\ncommand = ["sleep", "1000000"]\n{line}'
    return f"parallel-starts = {width}\n" + "".join(map(service, range(units)))


def wait_for(what):
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            found = what()
        except (OSError, http.client.HTTPException):
            found = None
        if found:
            return found
        time.sleep(0.02)
    raise SystemExit("it takes too long")


def one(mainstay, units, width, hook):
    """Returns how long a start took, and what it and two questions cost."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "run").mkdir(mode=0o700)
        (folder / "mainstay.toml").write_text(config(units, width, hook))
        env = {**os.environ, "XDG_RUNTIME_DIR": str(folder / "run")}
        begin = time.monotonic()
        up = subprocess.Popen([mainstay, "up"], cwd=folder, env=env,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            path = str(wait_for(lambda: next((folder / "run").rglob("api.sock"), None)))

            def all_run():
                status = get(path, "/v1/status")
                running = sum(unit["state"] == "running" for unit in status["units"])
                return status if running == units else None

            status = wait_for(all_run)
            result = [time.monotonic() - begin]
            agent, keeper = status["agent"]["pid"], status["keeper"]["pid"]
            result += [processor_time(agent), processor_time(keeper)]
            for window in [0, 500]:
                before, since = processor_time(agent), time.monotonic()
                usage = get(path, f"/v1/usage?window={window}")
                took = time.monotonic() - since
                assert len(usage["units"]) == units, len(usage["units"])
                result += [took, processor_time(agent) - before]
            return result
        finally:
            up.terminate()
            up.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mainstay", type=pathlib.Path)
    parser.add_argument("--units", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    mainstay, units = arguments.mainstay.resolve(), arguments.units
    print(f"{units} units, {arguments.rounds} rounds, load {os.getloadavg()[0]:.0f}\n")
    print("| programs | `parallel-starts` | all running, s | agent, s | keeper, s "
          "| usage, window 0: s / agent, s | window 500 ms: s / agent, s |")
    print("|---|---|---|---|---|---|---|")
    for hook, what in [(False, "plain"), (True, "with a hook `before-start`")]:
        for width in [64, 0]:
            rounds = [one(mainstay, units, width, hook) for _ in range(arguments.rounds)]
            found = [statistics.median(column) for column in zip(*rounds)]
            start, agent, keeper, short, short_cost, long, long_cost = found
            print(f"| {what} | {width} | {start:.2f} | {agent:.2f} | {keeper:.2f} "
                  f"| {short:.2f} / {short_cost:.2f} | {long:.2f} / {long_cost:.2f} |", flush=True)


if __name__ == "__main__":
    main()
