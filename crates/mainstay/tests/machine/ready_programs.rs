//! Servers that people really run, with readiness and checks: who waits for them, and what follows
//! when they hang or the machine is crowded.

use std::{fs, thread};

use mainstay_api::control::{Event, Unit};
use mainstay_platform::process::SignalKind;

use crate::{
    processes,
    real_programs::{free_ports, provide, serves},
    sandbox::Sandbox,
};

/// Each of them looks at its server three times a second, and is content with none that hangs. The
/// time-out is waited for tenfold where other tests keep the machine busy.
const TIGHT: &str = "every = \"300ms\"\ntimeout = \"300ms\"\nfailures = 2\n";

/// Speaks to both servers at its start; whoever does not answer at once ends it.
const APP: &str = r#"
import socket, struct, sys, time
def ask(port, question):
    with socket.create_connection(("127.0.0.1", port), 5) as s:
        s.sendall(question)
        return s.recv(1)
redis, postgres = map(int, sys.argv[1:])
words = struct.pack("!I", 196608) + b"user\0app\0database\0postgres\0\0"
assert ask(redis, b"PING\r\n") == b"+"
# `R`: it lets us in; while it starts or recovers it answers `E`.
assert ask(postgres, struct.pack("!I", 4 + len(words)) + words) == b"R"
print("both have answered", flush=True)
time.sleep(1000)
"#;

fn nginx(sandbox: &Sandbox, port: u16) -> String {
    let folder = sandbox.folder().display();
    format!(
        r#"
[services.nginx]
command = ["nginx", "-e", "stderr", "-p", "{folder}", "-c", "{folder}/nginx.conf"]
stop = {{ signal = "QUIT", timeout = "300ms" }}
restart = {{ delay = "10ms" }}
ready = {{ http = "http://127.0.0.1:{port}/", body = "hello" }}
[[services.nginx.checks]]
http = "http://127.0.0.1:{port}/"
"#
    )
}

/// A port alone shows no hang: it is the system that accepts connections.
fn redis(port: u16) -> String {
    format!(
        r#"
[services.redis]
command = ["redis-server", "--port", "{port}", "--bind", "127.0.0.1", "--save", ""]
stop = {{ timeout = "300ms" }}
restart = {{ delay = "10ms" }}
ready = {{ log = "Ready to accept connections" }}
[[services.redis.checks]]
tcp = {port}
{TIGHT}
[[services.redis.checks]]
exec = ["redis-cli", "-p", "{port}", "ping"]
"#
    )
}

fn postgres(port: u16) -> String {
    let bin = postgres_programs();
    format!(
        r#"
[services.postgres]
command = ["{bin}/postgres", "-D", "data", "-p", "{port}", "-F", "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
stop = {{ signal = "INT" }}
hooks = {{ before-start = {{ command = "{bin}/initdb -D data --username=app --auth=trust --no-locale --no-sync", timeout = "1m" }} }}
ready = {{ exec = ["{bin}/pg_isready", "-h", "127.0.0.1", "-p", "{port}"] }}
[[services.postgres.checks]]
tcp = {port}
{TIGHT}
"#
    )
}

fn app(redis: u16, postgres: u16) -> String {
    format!(
        r#"
[services.app]
command = ["python3", "app.py", "{redis}", "{postgres}"]
requires = ["postgres", "redis"]
ready = {{ log = "both have answered" }}
"#
    )
}

/// Debian keeps the server's programs apart, each version in a folder of its own.
fn postgres_programs() -> String {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let folders = versions.map(|version| version.path().join("bin"));
    let found = folders.filter(|folder| folder.join("postgres").exists()).max();
    found.expect("`cargo xtask test` installs `postgresql`").display().to_string()
}

/// Returns all four servers up and ready, as an ordinary user: `postgres` refuses the administrator.
fn started() -> (Sandbox, [u16; 3]) {
    let mut sandbox = Sandbox::new("");
    let ports = free_ports::<3>();
    provide(&sandbox, ports[0]);
    let servers = [
        nginx(&sandbox, ports[0]) + TIGHT,
        redis(ports[1]) + TIGHT,
        postgres(ports[2]),
        app(ports[1], ports[2]),
    ];
    let by_hand = servers.concat().replace("\ncommand", "\nstart = \"manual\"\ncommand");
    fs::write(sandbox.file(), by_hand).unwrap();
    fs::write(sandbox.path("app.py"), APP).unwrap();
    sandbox.belong_to_nobody();
    sandbox.up();
    sandbox.get(&["start", "*", "--wait"]);
    (sandbox, ports)
}

fn events(sandbox: &Sandbox) -> Vec<Event> {
    let lines = sandbox.get(&["events", "--json", "--lines", "5000"]);
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Returns when a unit first came to a state.
fn first(events: &[Event], unit: &str, state: &str) -> usize {
    let came = |event: &Event| {
        event.unit.as_deref() == Some(unit) && event.facts.state.as_deref() == Some(state)
    };
    events.iter().position(came).unwrap()
}

#[test]
fn a_start_that_waits_ends_when_every_server_answers() {
    let (mut sandbox, [nginx, redis, _]) = started();
    let units = sandbox.status().units;
    assert_eq!(units.len(), 4);
    for unit in units {
        assert_eq!((unit.state.as_str(), unit.run, unit.restarts), ("running", 1, 0), "{unit:?}");
    }
    assert!(serves(nginx, "nginx") && serves(redis, "redis"));
    let events = events(&sandbox);
    for server in ["postgres", "redis"] {
        let (ready, begun) = (first(&events, server, "running"), first(&events, "app", "starting"));
        assert!(ready < begun, "`{server}` was ready before `app` began");
    }
    assert_eq!(sandbox.down(), Some(0));
    processes::expect_none(sandbox.folder());
}

/// Stops the clock of a program and of all it has started.
fn freeze(sandbox: &Sandbox, leader: u32) {
    let all = processes::of_folder(sandbox.folder()).into_iter();
    for pid in all.filter(|pid| processes::group_of(*pid) == Some(leader)) {
        processes::signal(pid, SignalKind::Stop);
    }
}

#[test]
fn a_server_that_hangs_is_replaced_and_the_others_notice_nothing() {
    let (mut sandbox, [nginx, redis, _]) = started();
    let mut expected = sandbox.runs();
    for (victim, port, check) in [("nginx", nginx, "http"), ("redis", redis, "exec")] {
        let former = sandbox.unit(victim).pid.unwrap();
        freeze(&sandbox, former);
        let back = sandbox.wait_for(victim, |unit| unit.run == 2 && unit.state == "running");
        assert!(serves(port, victim), "it is ready");
        assert_eq!((back.restarts, processes::is_alive(former)), (1, false), "{back:?}");
        let why = sandbox.get(&["why", victim]);
        let told = format!("it was stopping: its check `{check}` is bad: no answer within");
        assert!(why.contains(&told), "{why}");
        let one = expected.iter_mut().find(|(name, ..)| name == victim).unwrap();
        (one.1, one.2) = (back.pid, back.run);
        assert_eq!(sandbox.runs(), expected);
    }
    assert_eq!(sandbox.down(), Some(0));
}

/// Needs a processor for 80 ms to answer, and for 200 ms from one word to the next: far too long
/// for its time-outs, when it has to share.
const SLOW: &str = r#"
import http.server, os, socket, sys, threading, time
def work(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end: pass
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        work(0.08)
        self.send_response(204); self.end_headers()
        open("answers", "a").write("x")
def feed():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.connect(os.environ["NOTIFY_SOCKET"])
    while True:
        s.send(b"WATCHDOG=1"); work(0.2); time.sleep(0.3)
if sys.argv[1] == "feed": feed()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"#;

/// Returns servers with time-outs that are just enough for them on a machine of their own.
fn hurried(sandbox: &Sandbox, [nginx_at, redis_at, slow]: [u16; 3]) -> String {
    let tight = TIGHT.replace("300ms\"\nfailures", "200ms\"\nfailures");
    let own = format!(
        r#"
[services.slow]
command = ["python3", "slow.py", "{slow}"]
ready = {{ tcp = {slow} }}
[[services.slow.checks]]
http = "http://127.0.0.1:{slow}/"
{tight}
[services.fed]
command = ["python3", "slow.py", "feed"]
watchdog = "1s"
"#
    );
    [own, nginx(sandbox, nginx_at), tight.clone(), redis(redis_at), tight].concat()
}

/// Keeps every processor busy four times over; returns when that is over.
fn crowd(sandbox: &Sandbox) {
    let busy = thread::available_parallelism().unwrap().get() * 4;
    let line =
        format!("for i in $(seq {busy}); do timeout 8 sh -c 'while :; do :; done' & done; wait");
    sandbox.shell(&line);
}

#[test]
fn a_crowded_machine_costs_nobody_its_run() {
    let mut sandbox = Sandbox::new("");
    let ports = free_ports::<3>();
    provide(&sandbox, ports[0]);
    fs::write(sandbox.path("slow.py"), SLOW).unwrap();
    fs::write(sandbox.file(), hurried(&sandbox, ports)).unwrap();
    sandbox.up();
    sandbox.wait_for_all();
    let (before, answers) = (sandbox.runs(), sandbox.read("answers").len());
    crowd(&sandbox);
    assert_eq!(sandbox.runs(), before);
    let is_well = |unit: &Unit| unit.restarts == 0 && unit.unhealthy.is_empty();
    assert!(sandbox.status().units.iter().all(is_well), "{:?}", sandbox.status().units);
    let bad = ["UnitUnhealthy", "WatchdogStruck", "CheckUnknown"];
    let events = events(&sandbox);
    let told: Vec<&Event> = events.iter().filter(|it| bad.contains(&it.event.as_str())).collect();
    assert!(told.is_empty(), "{told:?}");
    assert!(sandbox.read("answers").len() > answers + 2, "it was looked at all the while");
    assert_eq!(sandbox.down(), Some(0));
}
