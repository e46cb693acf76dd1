#!/usr/bin/env python3
"""What checks cost: CPU, threads and descriptors of the agent while it looks at many programs.

usage: checks.py MAINSTAY [--units 1000] [--every 10s] [--seconds 60] [--out FILE]

One server on loopback answers for all programs. The agent is watched over the given time; the same
is measured without checks, in the same run, so that the difference is what checks cost.
"""

import argparse
import asyncio
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

TICKS = os.sysconf("SC_CLK_TCK")


class Server:
    """Answers everybody with 200 and counts."""

    def __init__(self):
        self.count = 0
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.run, daemon=True).start()
        while not hasattr(self, "port"):
            time.sleep(0.01)

    def run(self):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(
            asyncio.start_server(self.answer, "127.0.0.1", 0, backlog=4096))
        self.port = server.sockets[0].getsockname()[1]
        self.loop.run_forever()

    async def answer(self, reader, writer):
        try:
            await reader.readuntil(b"\r\n\r\n")
            self.count += 1
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def config(units, port, every):
    lines = []
    for number in range(units):
        lines.append(f"[services.u{number:04}]\ncommand = [\"sleep\", \"86400\"]\n")
        if port:
            lines.append(f"[[services.u{number:04}.checks]]\n"
                         f"http = \"http://127.0.0.1:{port}/{number}\"\nevery = \"{every}\"\n")
    return "\n".join(lines)


def usage(pid):
    """Returns seconds of CPU, threads and descriptors of a process."""
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    cpu = (int(stat[11]) + int(stat[12])) / TICKS
    switches = sum(int(line.split()[1]) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
                   for line in (task / "status").read_text().splitlines()
                   if "ctxt_switches" in line)
    return {"cpu": cpu, "threads": int(stat[17]), "switches": switches,
            "descriptors": len(os.listdir(f"/proc/{pid}/fd"))}


def status(mainstay, folder):
    said = subprocess.run([mainstay, "status", "--json"], cwd=folder, capture_output=True, text=True)
    return json.loads(said.stdout) if said.returncode == 0 else None


def wait_for(what, within, look):
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    sys.exit(f"in vain for {within} s: {what}")


def all_run(mainstay, folder, units):
    said = status(mainstay, folder)
    runs = said and sum(unit["state"] == "running" for unit in said["units"])
    return said if runs == units else None


def measure(options, port):
    folder = tempfile.mkdtemp(prefix="mainstay-checks-")
    pathlib.Path(folder, "mainstay.toml").write_text(config(options.units, port, options.every))
    up = subprocess.Popen([options.mainstay, "up"], cwd=folder, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL)
    try:
        said = wait_for("all programs run", 120,
                        lambda: all_run(options.mainstay, folder, options.units))
        pid = said["agent"]["pid"]
        # The first looks are spread over one interval.
        time.sleep(options.settle)
        before, samples = usage(pid), []
        end = time.monotonic() + options.seconds
        while time.monotonic() < end:
            time.sleep(1)
            samples.append(usage(pid))
        after = status(options.mainstay, folder)
        restarts = sum(unit["restarts"] for unit in after["units"])
        return {"cpu-seconds": round(samples[-1]["cpu"] - before["cpu"], 2),
                "switches": samples[-1]["switches"] - before["switches"],
                "threads": [before["threads"], max(one["threads"] for one in samples)],
                "descriptors": [before["descriptors"], max(one["descriptors"] for one in samples),
                                samples[-1]["descriptors"]],
                "same-agent": after["agent"]["pid"] == pid, "restarts": restarts}
    finally:
        up.terminate()
        up.wait()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mainstay", type=os.path.abspath)
    parser.add_argument("--units", type=int, default=1000)
    parser.add_argument("--every", default="10s")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--settle", type=int, default=12)
    parser.add_argument("--out")
    options = parser.parse_args()
    server = Server()
    without = measure(options, None)
    seen = server.count
    with_checks = measure(options, server.port)
    result = {"units": options.units, "every": options.every, "seconds": options.seconds,
              "without": without, "with": with_checks, "looks": server.count - seen}
    text = json.dumps(result, indent=2)
    print(text)
    if options.out:
        pathlib.Path(options.out).write_text(text + "\n")


if __name__ == "__main__":
    main()
