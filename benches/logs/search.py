#!/usr/bin/env python3
"""Seeks and searches 1 GB of log over 100 segments, beside grep, zstdgrep, zgrep and journalctl.

usage: search.py MAINSTAY LONG_LOG [--folder FOLDER] [--segments 100] [--rounds 5]
                 [--journal-remote PROGRAM] [--journal-segments 10] [--only-journal]

Prints a table of medians in Markdown. See README.md in this folder.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import time

DAY = 24 * 3600


def first_byte(command, env):
    """Returns how long it took to the first byte of output; the rest is not wanted."""
    begin = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env) as running:
        got = os.read(running.stdout.fileno(), 1)
        took = time.perf_counter() - begin
        running.stdout.close()
        running.kill()
    assert got, f"nothing came of {command}"
    return took


def whole(command, env, expected=None):
    """Returns how long a command took, and demands its number of lines."""
    begin = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env)
    took = time.perf_counter() - begin
    lines = done.stdout.count(b"\n")
    assert expected is None or lines == expected, f"{lines} lines, not {expected}: {command}"
    return took


def median(measure, rounds):
    measure()  # what is read comes into the page cache
    return statistics.median(measure() for _ in range(rounds))


def journal(arguments, log, folder):
    """Imports some segments as systemd's journal."""
    target = folder / "journal"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    files = sorted(log.glob("long.*.log"))[-arguments.journal_segments :]
    size = sum(file.stat().st_size for file in files)
    importer = subprocess.Popen(
        [arguments.journal_remote, f"--output={target}/long.journal", "--split-mode=none", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for file in files:
        for line in file.open():
            at = json.loads(line)["ns"] // 1000
            entry = f"__REALTIME_TIMESTAMP={at}\n_BOOT_ID={'0' * 31}1\nMESSAGE={line.rstrip()}\n\n"
            importer.stdin.write(entry.encode())
    importer.stdin.close()
    assert importer.wait() == 0
    return target, files, size


def write_config(folder, compress):
    service = '[services.long]\ncommand = ["sleep", "1000000"]\n'
    (folder / "mainstay.toml").write_text(f'{service}logs = {{ keep = 0, compress = "{compress}" }}\n')


def wait_for_compression(folder, log):
    """Lets the agent compress what it compresses: all closed segments but the newest."""
    write_config(folder, "zstd")
    while len(list(log.glob("long.*.log"))) > 1:
        time.sleep(0.5)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mainstay", type=pathlib.Path)
    parser.add_argument("long_log", type=pathlib.Path)
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("/tmp/mainstay-bench-logs"))
    parser.add_argument("--segments", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--journal-remote")
    parser.add_argument("--only-journal", action="store_true")
    parser.add_argument("--journal-segments", type=int, default=10)
    arguments = parser.parse_args()
    arguments.mainstay = arguments.mainstay.resolve()
    folder = arguments.folder
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "run").mkdir(parents=True)
    write_config(folder, "off")
    log = folder / ".mainstay" / "logs" / "long"
    subprocess.run([arguments.long_log, log, "long", str(arguments.segments), str(DAY)], check=True)
    # The last one is live; it is left out everywhere, so that all read the same bytes.
    closed = sorted(log.glob("long.*.log"))
    size = sum(file.stat().st_size for file in closed)
    (log / "long.log").unlink()
    needles = sum(line.count(b"needle") for file in closed for line in file.open("rb"))
    env = {**os.environ, "XDG_RUNTIME_DIR": str(folder / "run"), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    up = subprocess.Popen([arguments.mainstay, "up"], cwd=folder, env=env,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    base = [str(arguments.mainstay), "--instance", str(folder / "mainstay.toml"), "logs", "long"]
    try:
        while subprocess.run([arguments.mainstay, "status"], cwd=folder, env=env,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
            time.sleep(0.05)
        measure(arguments, base, log, closed, size, needles, env)
    finally:
        up.terminate()
        up.wait()
        shutil.rmtree(folder)


def measure(arguments, base, log, closed, size, needles, env):
    rounds = arguments.rounds
    ours = lambda *more: median(lambda: first_byte([*base, *more], env), rounds)
    print(f"{size / 1e6:.0f} MB in {len(closed)} segments, {needles} lines with `needle`, load {os.getloadavg()[0]:.0f}\n")
    print("| what | Mainstay | other | ratio |\n|---|---|---|---|")
    def row(what, mine, other, theirs):
        print(f"| {what} | {mine * 1e3:.0f} ms | {other}: {theirs * 1e3:.0f} ms | {mine / theirs:.2f} |", flush=True)
    nothing = ours("-n", "1")
    print(f"| the last line | {nothing * 1e3:.1f} ms | – | – |")
    if arguments.only_journal:
        return beside_journal(arguments, base, log, env, row)
    seeks(ours, "")
    files = [str(file) for file in closed]
    found = lambda *more: median(lambda: whole([*base, *more], env, needles), rounds)
    literal = found("--grep", "needle")
    alternatives = found("--grep", "needle|pitchfork")
    ignoring = found("-i", "--grep", "NEEDLE")
    grep = lambda program, *more: median(lambda: whole([program, "-h", *more], env, needles), rounds)
    row("`--grep needle`", literal, "grep", grep("grep", "needle", *files))
    row("`--grep 'needle\\|pitchfork'`", alternatives, "grep -E", grep("grep", "-E", "needle|pitchfork", *files))
    row("`-i --grep NEEDLE`", ignoring, "grep -i", grep("grep", "-i", "NEEDLE", *files))
    around = lambda *more: median(lambda: whole(more, env), rounds)
    row("`--grep needle -C 3`", around(*base, "--grep", "needle", "-C", "3"),
        "grep -C 3", around("grep", "-h", "needle", "-C", "3", *files))
    row("`--grep straw -v`", found("--grep", "straw", "-v"),
        "grep -v", grep("grep", "straw", "-v", *files))
    copies = log.parent.parent / "copies"
    copies.mkdir()
    for file in closed:
        subprocess.run(["zstd", "-q", "-3", file, "-o", copies / f"{file.name}.zst"], check=True)
        subprocess.run(f"gzip -3 < {file} > {copies}/{file.name}.gz", shell=True, check=True)
    once = lambda program, suffix: whole([program, "-h", "needle", *map(str, sorted(copies.glob(suffix)))], env, needles)
    row("the same, theirs compressed", literal, "zstdgrep", once("zstdgrep", "*.zst"))
    row("the same, theirs compressed", literal, "zgrep", once("zgrep", "*.gz"))
    wait_for_compression(log.parent.parent.parent, log)
    seeks(ours, ", compressed")
    compressed = found("--grep", "needle")
    row("`--grep needle`, both compressed", compressed, "zstdgrep", once("zstdgrep", "*.zst"))
    row("`--grep needle`, both compressed", compressed, "zgrep", once("zgrep", "*.gz"))
    if arguments.journal_remote:
        beside_journal(arguments, base, log, env, row)


def seeks(ours, note):
    for name, hours in [("end", 1), ("middle", 12)]:
        took = ours("--since", f"{hours}h")
        print(f"| `--since`, to the first line, near the {name}{note} | {took * 1e3:.1f} ms | – | – |")
    for run in [1, 10]:
        took = ours("--run", str(run))
        print(f"| `--run {run}` of 10, to the first line{note} | {took * 1e3:.1f} ms | – | – |")


def beside_journal(arguments, base, log, env, row):
    folder, files, size = journal(arguments, log, log.parent.parent)
    inside = json.loads(files[len(files) // 2].open().readline())["ns"] // 10**9
    kept = {file.name for file in files} | {file.with_suffix(".idx").name for file in files}
    for file in log.iterdir():
        if file.name not in kept:
            file.unlink()
    needles = sum(line.count(b"needle") for file in files for line in file.open("rb"))
    theirs = ["journalctl", "--no-pager", "-o", "cat", f"--file={folder}/*.journal"]
    rounds = arguments.rounds
    note = f" ({size / 1e6:.0f} MB)"
    mine = median(lambda: first_byte([*base, "--since", f"@{inside}"], env), rounds)
    other = median(lambda: first_byte([*theirs, f"--since=@{inside}"], env), rounds)
    row("`--since`, to the first line" + note, mine, "journalctl --since", other)
    mine = median(lambda: whole([*base, "--grep", "needle"], env, needles), rounds)
    other = whole([*theirs, "--grep=needle"], env, needles)
    row("`--grep needle`" + note, mine, "journalctl --grep", other)
    lines = sum(line.count(b"\n") for file in files for line in file.open("rb"))
    mine = median(lambda: whole([*base, "-n", "all"], env, lines), rounds)
    other = whole(theirs, env, lines)
    row("all of it" + note, mine, "journalctl", other)


if __name__ == "__main__":
    main()
