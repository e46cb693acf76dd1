#!/usr/bin/env python3
"""How long 1,000 services take to start and to stop, by themselves and in ten layers.

    benches/layers.py [ROUNDS]

Starts `mainstay up` (a release build, or the one that $MAINSTAY_EXE names) in a folder of its own and
measures from its start until all units run, and from Ctrl-C until it has ended. `none` has no
dependencies; in `one` each service requires one of the layer below; in `three` it requires three; in
`all` it requires the whole layer below by its group: 90,000 dependencies. Prints the median of the
rounds in seconds.
"""

import json, os, pathlib, shutil, signal, statistics, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parents[1]
EXE = os.environ.get("MAINSTAY_EXE", str(ROOT / "target/release/mainstay"))
LAYERS, WIDTH = 10, 100
WITHIN = 120


def required(kind, layer, place):
    if layer == 0 or kind == "none":
        return ""
    below = [f's{layer - 1}-{(place + step) % WIDTH}' for step in range({"one": 1}.get(kind, 3))]
    names = [f"@layer{layer - 1}"] if kind == "all" else below
    return f"requires = {json.dumps(names)}\n"


def configuration(kind):
    lines = []
    for layer in range(LAYERS):
        names = [f"s{layer}-{place}" for place in range(WIDTH)]
        for place, name in enumerate(names):
            lines.append(f'[services.{name}]\ncommand = ["sleep", "1000"]\n')
            lines.append(required(kind, layer, place))
        lines.append(f"[groups.layer{layer}]\nservices = {json.dumps(names)}\n")
    return "".join(lines)


def all_run(folder, environment):
    asked = subprocess.run([EXE, "status", "--json"], cwd=folder, env=environment,
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if asked.returncode != 0:
        return False
    units = json.loads(asked.stdout)["units"]
    return len(units) == LAYERS * WIDTH and all(unit["state"] == "running" for unit in units)


def measure(kind):
    """Returns how long a start and a stop take."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mainstay-layers-"))
    environment = dict(os.environ, XDG_RUNTIME_DIR=str(folder))
    try:
        (folder / "mainstay.toml").write_text(configuration(kind))
        began = time.monotonic()
        up = subprocess.Popen([EXE, "up"], cwd=folder, env=environment,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not all_run(folder, environment):
            if time.monotonic() - began > WITHIN:
                sys.exit(f"{kind}: not all run after {WITHIN} s")
            time.sleep(0.01)
        started = time.monotonic()
        up.send_signal(signal.SIGINT)
        up.wait(WITHIN)
        return started - began, time.monotonic() - started
    finally:
        shutil.rmtree(folder, ignore_errors=True)


rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
print(f"{'requires':8}  {'start':>7}  {'stop':>7}")
for kind in ["none", "one", "three", "all"]:
    found = [measure(kind) for _ in range(rounds)]
    start, stop = (statistics.median(times) for times in zip(*found))
    print(f"{kind:8}  {start:7.3f}  {stop:7.3f}", flush=True)
