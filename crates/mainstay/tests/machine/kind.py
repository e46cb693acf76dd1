"""A kind that is as it should be, or breaks the one rule that it is told to."""
import json, os, signal, socket, subprocess, sys, time

name, breaks = sys.argv[1], sys.argv[2]
words = sys.argv[3:]
kept = os.path.join(os.environ.get("STATE_DIRECTORY", "."), "kept")


def say(*lines):
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        out = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        out.sendto("\n".join(lines).encode(), address)


def refuse(what):
    if breaks != "silent refusal":
        print(what, file=sys.stderr)
    sys.exit(1 if breaks == "code" else 78)


if words == ["--describe"]:
    if breaks == "description":
        sys.exit("I do not know that")
    about = {"name": name, "version": "1.0", "protocol": 1, "facts": {"port": "where it listens"}}
    if breaks == "object":
        about["config-schema"] = {"additionalProperties": False}
    if breaks == "name":
        about["name"] = "somebody-else"
    print(json.dumps(about))
    sys.exit(0)
if int(os.environ.get("MAINSTAY_KIND_PROTOCOL", "1")) < 1 and breaks != "protocol":
    print("protocol 1 is needed", file=sys.stderr)
    sys.exit(78)
text = sys.stdin.read()
if breaks == "input" and text == "{}":
    sys.exit("usage: kind --config FILE")
try:
    config = json.loads(text)
except ValueError as error:
    config = {} if breaks == "nonsense" else refuse(f"no JSON: {error}")
if not isinstance(config, dict):
    refuse("no object")
if "wrong" in config and breaks != "given":
    refuse("`wrong` is no key of mine")
if "fails" in config:
    sys.exit(1)
if "ends" in config:
    say("READY=1")
    sys.exit(0)
if breaks == "by hand" and "NOTIFY_SOCKET" not in os.environ:
    sys.exit("nobody listens")
if breaks == "state" and os.path.exists(kept):
    sys.exit("somebody was here before")
if breaks == "folder":
    open("here", "w").close()
if breaks != "leaving":
    # An exception that is raised while Python tidies a socket up is lost: no `sys.exit` here.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(3 if breaks == "last code" else 0))
else:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if breaks == "children":
    subprocess.Popen(["sleep", "1000"], start_new_session=True)
with open(kept, "a") as out:
    out.write(os.environ.get("MAINSTAY_RUN", "?") + "\n")
if breaks != "ready":
    say("READY=1", "STATUS=" + json.dumps(config))
if breaks == "messages":
    say("hello there")
say("X_MAINSTAY_FACT=" + ("colour=red" if breaks == "facts" else "port=80"))
if breaks == "bursts":
    for sign in range(9):
        say("WATCHDOG=1")
while True:
    time.sleep(0.2)
    if breaks not in ("life", "bursts"):
        say("WATCHDOG=1")
