//! The control API as others meet it: streams, floods, and clients who take nothing.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Duration,
};

use mainstay_api::control::{Event, LogLine, LogLines};
use mainstay_platform::door::Connection;

use crate::{processes::wait_until, sandbox::Sandbox};

const WEB: &str = "[services.web]\ncommand = [\"sleep\", \"1000\"]\n";
const STREAM: &str = "accept: text/event-stream";

/// What `curl` is to ask, of the sandbox's agent.
fn curl(sandbox: &Sandbox, path: &str, options: &[&str]) -> Command {
    let socket = sandbox.runtime().join("api.sock");
    let mut command = Command::new("curl");
    command.args(["-sS", "--max-time", "60", "--unix-socket"]).arg(socket);
    command.args(options).arg(format!("http://mainstay{path}"));
    command
}

/// Returns the status and the body of an answer.
fn ask(sandbox: &Sandbox, path: &str, options: &[&str]) -> (String, String) {
    let all = [options, &["-w", "\n%{http_code}"]].concat();
    let output = curl(sandbox, path, &all).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    (status.to_owned(), body.to_owned())
}

/// Begins a stream into a file of the sandbox.
pub(crate) fn listen(sandbox: &Sandbox, path: &str, options: &[&str], file: &str) -> Child {
    let out = fs::File::create(sandbox.path(file)).unwrap();
    let all = [options, &["-N", "--max-time", "1000", "-H", STREAM]].concat();
    curl(sandbox, path, &all).stdout(out).stdin(Stdio::null()).spawn().unwrap()
}

pub(crate) fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Returns a connection; bytes are bytes, whatever socket they go through.
fn connect(socket: &Path) -> TcpStream {
    let stream = TcpStream::from(Connection::open(socket).unwrap().into_descriptor());
    stream.set_nonblocking(false).unwrap();
    stream
}

/// Returns the ids and the data of a stream, as far as it is whole.
pub(crate) fn told(stream: &str) -> Vec<(String, String)> {
    let whole = stream.rsplit_once("\n\n").map_or("", |(whole, _)| whole);
    let pieces = whole.split("\n\n").filter_map(|piece| piece.strip_prefix("id: "));
    let parts = pieces.filter_map(|piece| piece.split_once("\ndata: "));
    parts.map(|(id, data)| (id.to_owned(), data.to_owned())).collect()
}

#[test]
fn a_stream_of_events_goes_on_where_it_was_left() {
    let sandbox = Sandbox::up_with(WEB);
    sandbox.wait_for_all();
    let first = listen(&sandbox, "/v1/events?limit=1000", &[], "first");
    wait_until("what was is told", || sandbox.read("first").contains("`web` is running"));
    sandbox.get(&["restart", "web"]);
    wait_until("what happens is told", || {
        told(&sandbox.read("first")).iter().any(|(_, data)| data.contains("asks to restart web"))
    });
    end(first);
    let first = told(&sandbox.read("first"));
    let (last, _) = first.last().unwrap();
    sandbox.get(&["stop", "web"]);
    let seen = format!("last-event-id: {last}");
    let second = listen(&sandbox, "/v1/events", &["-H", &seen], "second");
    wait_until("it goes on", || sandbox.read("second").contains("`web` is stopped"));
    end(second);
    let second = told(&sandbox.read("second"));
    let begin = first.first().unwrap().0.parse::<u64>().unwrap();
    for (expected, (id, data)) in (begin..).zip(first.iter().chain(&second)) {
        let event: Event = serde_json::from_str(data).unwrap();
        assert_eq!((event.sequence, id.as_str()), (expected, expected.to_string().as_str()));
    }
}

#[test]
fn a_stream_of_lines_goes_on_where_it_was_left_through_every_rotation() {
    let config = "[services.count]\n\
                  shell = \"i=0; while [ ! -e enough ]; do i=$((i+1)); echo line $i PAD; done; echo end; exec sleep 1000\"\n\
                  logs = { max-size = \"64KiB\", keep = 1000 }\n";
    let sandbox = Sandbox::up_with(&config.replace("PAD", &"x".repeat(200)));
    let path = "/v1/units/count/logs?after=";
    let first = listen(&sandbox, path, &[], "first");
    wait_until("some segments are told", || {
        sandbox.read("first").contains("\"text\":\"line 2000 ")
    });
    end(first);
    let first = told(&sandbox.read("first"));
    let (last, _) = first.last().unwrap();
    let seen = format!("last-event-id: {last}");
    let second = listen(&sandbox, path, &["-H", &seen], "second");
    wait_until("it goes on", || !told(&sandbox.read("second")).is_empty());
    fs::write(sandbox.path("enough"), "").unwrap();
    wait_until("all of it is told", || sandbox.read("second").contains("\"text\":\"end\""));
    end(second);
    let second = told(&sandbox.read("second"));
    let mut number = 0;
    for (_, data) in first.iter().chain(&second) {
        let line: LogLine = serde_json::from_str(data).unwrap();
        number += 1;
        assert!(
            line.text.starts_with(&format!("line {number} ")) || line.text == "end",
            "{number}: {line:?}"
        );
        assert_eq!((line.run, line.partial), (Some(1), false));
    }
    let (status, body) = ask(&sandbox, "/v1/units/count/logs?lines=2", &[]);
    let page: LogLines = serde_json::from_str(&body).unwrap();
    assert_eq!((status.as_str(), page.lines.len()), ("200", 2));
    assert!(page.lines[0].text.starts_with(&format!("line {} ", number - 1)), "{page:?}");
    assert_eq!(page.lines[1].text, "end");
    assert!(!page.more && page.missed == 0, "{page:?}");
}

#[test]
fn a_flood_of_requests_holds_up_no_restart() {
    let config = "[services.again]\nshell = \"echo >> starts; exec sleep 0.05\"\n\
                  restart = { delay = \"10ms\", max-delay = \"10ms\" }\n";
    let sandbox = Sandbox::up_with(config);
    let socket = sandbox.runtime().join("api.sock");
    let (is_over, asked) = (AtomicBool::new(false), AtomicU64::new(0));
    let flood = || {
        let mut stream = connect(&socket);
        let mut room = vec![0; 64 * 1024];
        while !is_over.load(Ordering::Relaxed) {
            let request = b"GET /v1/status HTTP/1.1\r\nhost: m\r\n\r\n";
            if stream.write_all(request).is_err() || stream.read(&mut room).is_ok_and(|n| n == 0) {
                return;
            }
            asked.fetch_add(1, Ordering::Relaxed);
        }
    };
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(flood);
        }
        wait_until("the flood is there", || asked.load(Ordering::Relaxed) > 1_000);
        let (before, starts) = (asked.load(Ordering::Relaxed), sandbox.read("starts").len());
        // Seen in a file: a command would wait for its turn behind the flood.
        wait_until("it starts again and again", || sandbox.read("starts").len() >= starts + 10);
        wait_until("it was there all the time", || asked.load(Ordering::Relaxed) > before);
        is_over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn too_many_clients_are_told_so_and_those_who_leave_make_room() {
    let sandbox = Sandbox::up_with(WEB);
    let socket = sandbox.runtime().join("api.sock");
    let mut clients = Vec::new();
    let mut answer = String::new();
    wait_until("one is turned away", || {
        let mut client = connect(&socket);
        client.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
        let mut room = [0; 1024];
        if let Ok(length) = client.read(&mut room) {
            answer = String::from_utf8_lossy(&room[..length]).into_owned();
        }
        clients.push(client);
        !answer.is_empty()
    });
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("too many clients are served already"), "{answer}");
    assert!(clients.len() > 16, "{}", clients.len());
    drop(clients);
    wait_until("there is room again", || sandbox.ask(&["status"]).code == 0);
}

#[test]
fn a_client_who_takes_nothing_costs_a_piece_and_no_more() {
    let config = "[services.flood]\nshell = \"while :; do cat block; done\"\nlogs = { max-size = \"1MiB\", keep = 3 }\n";
    let sandbox = Sandbox::new(config);
    fs::write(sandbox.path("block"), ("x".repeat(1023) + "\n").repeat(64)).unwrap();
    let mut sandbox = sandbox;
    sandbox.up();
    let socket = sandbox.runtime().join("api.sock");
    let agent = sandbox.status().agent.pid;
    let before = memory_of(agent);
    let listeners: Vec<TcpStream> = (0..16)
        .map(|_| {
            let mut stream = connect(&socket);
            let head =
                format!("GET /v1/units/flood/logs?after= HTTP/1.1\r\nhost: m\r\n{STREAM}\r\n\r\n");
            stream.write_all(head.as_bytes()).unwrap();
            stream
        })
        .collect();
    // Whoever takes nothing is far behind when dozens of segments have come and gone.
    let first = newest_segment(&sandbox);
    wait_until("segments come and go", || newest_segment(&sandbox) > first + 40);
    let grown = memory_of(agent).saturating_sub(before);
    assert!(grown < 100 * 1024, "the agent holds {grown} KiB more");
    assert_eq!(sandbox.ask(&["status"]).code, 0);
    drop(listeners);
}

/// Returns how much of a process is in memory, in KiB.
fn memory_of(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// Returns the number of the last closed segment of the log of `flood`.
fn newest_segment(sandbox: &Sandbox) -> u64 {
    let files = fs::read_dir(sandbox.path(".mainstay/logs/flood")).into_iter().flatten().flatten();
    let names = files.filter_map(|file| file.file_name().into_string().ok());
    let numbers = names.filter_map(|name| name.split('.').find_map(|part| part.parse().ok()));
    numbers.max().unwrap_or(0)
}
