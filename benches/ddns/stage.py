"""What both benchmarks stand on: the fakes, a way to them that breaks, and what a process costs."""

import json, os, pathlib, signal, socket, subprocess, sys, threading, time, urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXE = os.environ.get("MAINSTAY_EXE", str(ROOT / "target/release/mainstay"))
FAKE = ROOT / "crates/mainstay/tests/peers/fake.py"
FIRST, SECOND = "81.2.69.142", "81.2.69.143"


class Fake:
    """All services of a peer, on ports of their own."""

    def __init__(self, host="127.0.0.1"):
        self.process = subprocess.Popen([sys.executable, FAKE, "--host", host], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        told = json.loads(self.process.stdout.readline())
        self.urls, self.accounts = told["urls"], told["accounts"]

    def set(self, **given):
        self.ask("/_set", given)

    def log(self):
        return self.ask("/_log")

    def records(self, provider):
        return self.ask("/_records").get(provider, [])

    def ask(self, path, given=None):
        body = None if given is None else json.dumps(given).encode()
        with urllib.request.urlopen(self.urls["hook"] + path, body, timeout=60) as answer:
            return json.load(answer)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Way:
    """A port that leads to another one, and can be shut."""

    def __init__(self, host, port):
        self.host, self.there, self.open = host, (host, port), []
        self.listener = None
        self.listen(0)
        self.port = self.listener.getsockname()[1]

    def listen(self, port):
        self.listener = socket.create_server((self.host, port), reuse_port=False)
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def accept(self, listener):
        while True:
            try:
                here, _ = listener.accept()
            except OSError:
                return
            try:
                there = socket.create_connection(self.there)
            except OSError:
                here.close()
                continue
            self.open += [here, there]
            for pair in ((here, there), (there, here)):
                threading.Thread(target=carry, args=pair, daemon=True).start()

    def shut(self):
        """Refuses whoever comes, and drops who is there."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for one in self.open:
            cut(one)
        self.open.clear()

    def mend(self):
        self.listen(self.port)


def carry(one, other):
    try:
        while piece := one.recv(65536):
            other.sendall(piece)
    except OSError:
        pass
    cut(one)
    cut(other)


def cut(one):
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def wait_for(is_so, within, every=0.05):
    """Returns how long it took until it was so; nothing when it was not."""
    began = time.monotonic()
    while time.monotonic() - began < within:
        if is_so():
            return time.monotonic() - began
        time.sleep(every)
    return None


def cost(pid):
    """Returns what a process has: memory, processor time, threads, descriptors."""
    proc = pathlib.Path(f"/proc/{pid}")
    rollup = (proc / "smaps_rollup").read_text()
    status = (proc / "status").read_text()
    fields = (proc / "stat").read_text().rsplit(")", 1)[1].split()
    number = lambda text, name: int(text.split(name + ":")[1].split()[0])
    return {"pss_kib": number(rollup, "Pss"), "anonymous_kib": number(rollup, "Pss_Anon"),
            "peak_kib": number(status, "VmHWM"), "threads": number(status, "Threads"),
            "cpu_s": (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"),
            "descriptors": len(list((proc / "fd").iterdir()))}


def end(process):
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def mainstay(folder, config, prefix=()):
    """Starts the kind as the agent would, without the agent."""
    environment = dict(os.environ, MAINSTAY_STATE_DIRECTORY=str(folder), MAINSTAY_LANG="en")
    process = subprocess.Popen([*prefix, EXE, "kind", "ddns"], env=environment, stdin=subprocess.PIPE,
                               stdout=(folder / "out").open("ab"), stderr=subprocess.STDOUT)
    process.stdin.write(json.dumps(config).encode())
    process.stdin.close()
    return process
