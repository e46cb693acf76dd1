//! The control API as others meet it: a pipe that is opened like a file, and bytes.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead as _, BufReader, Read as _, Write as _},
};

use serde_json::Value;

use crate::{
    foreground::Up,
    sandbox::{Sandbox, wait_for},
};

const WEB: &str = "[services.web]\ncommand = ['cmd', '/c', 'ping -n 1000 127.0.0.1']\n\
                   stop = { timeout = '2s' }\n";
/// The head that `docs/reference/api.md` has PowerShell send.
const HEAD: &str = "GET /v1/status HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n";

/// What `docs/reference/api.md` says of bodies and of streams.
const BODY_BYTES_MAX: usize = 1024 * 1024;
const STREAMS_MAX: usize = 32;

#[test]
fn whoever_opens_the_pipe_like_a_file_is_answered_and_streams_go_on_where_they_were_left() {
    let sandbox = Sandbox::new(WEB);
    let up = Up::start(&sandbox);
    sandbox.wait_for("web", "running");
    let pipe = name_of_pipe(&sandbox);
    let (status, body) = ask(&pipe, HEAD);
    assert_eq!((status.as_str(), &body["units"][0]["unit"]), ("200", &"web".into()));

    let first = events(&pipe, "", "`web` is running");
    sandbox.get(&["restart", "web"]);
    let last = first.last().unwrap();
    let second = events(&pipe, &format!("Last-Event-ID: {last}\r\n"), "asks to restart web");
    let all = [first.as_slice(), &second].concat();
    let expected: Vec<u64> = (all[0]..).take(all.len()).collect();
    assert_eq!(all, expected, "none is missing, and none is there twice");

    let asked = |line: &str, body: &str| {
        let head = "Host: m\r\nConnection: close\r\nContent-Type: application/json\r\n";
        let length = body.len();
        ask(&pipe, &format!("{line} HTTP/1.1\r\n{head}Content-Length: {length}\r\n\r\n{body}"))
    };
    for (line, body, expected) in [
        ("GET /v1/nothing", "", "404"),
        ("DELETE /v1/status", "", "405"),
        ("POST /v1/command", "{", "400"),
        ("GET /v1/units/nobody", "", "404"),
    ] {
        let (status, problem) = asked(line, body);
        assert_eq!(status, expected, "{line}: {problem}");
        assert!(problem["error"].is_string(), "{line}: {problem}");
    }
    let contract = asked("GET /v1/openapi.json", "").1;
    assert!(contract["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    up.end();
}

#[test]
fn what_is_too_large_or_too_much_is_refused_and_whoever_leaves_makes_room() {
    let sandbox = Sandbox::new(WEB);
    let up = Up::start(&sandbox);
    sandbox.wait_for("web", "running");
    let pipe = name_of_pipe(&sandbox);
    let large = "x".repeat(BODY_BYTES_MAX + 1);
    let head = "Host: m\r\nConnection: close\r\nContent-Type: application/json\r\n";
    let length = large.len();
    let request =
        format!("POST /v1/command HTTP/1.1\r\n{head}Content-Length: {length}\r\n\r\n{large}");
    let (status, problem) = ask(&pipe, &request);
    assert_eq!((status.as_str(), &problem["error"]), ("413", &"the body is too large".into()));

    let mut streams: Vec<File> = (0..STREAMS_MAX).map(|_| listen(&pipe)).collect();
    let stream = "GET /v1/events HTTP/1.1\r\nHost: m\r\nAccept: text/event-stream\r\n\
                  Connection: close\r\n\r\n";
    let (status, problem) = ask(&pipe, stream);
    assert_eq!(status, "429", "{problem}");
    assert_eq!(problem["error"], "too many streams go on already");
    assert_eq!(ask(&pipe, HEAD).0, "200", "who asks for something else is answered");
    // One that leaves is noticed when something is to be said to it.
    drop(streams.pop());
    wait_for("there is room for another one", || {
        sandbox.get(&["restart", "web"]);
        status_of(&mut begin(&pipe, stream)).contains(" 200 ").then_some(())
    });
    drop(streams);
    up.end();
}

/// Begins to listen to events; returns once they are on their way.
fn listen(pipe: &str) -> File {
    let mut end =
        begin(pipe, "GET /v1/events HTTP/1.1\r\nHost: m\r\nAccept: text/event-stream\r\n\r\n");
    let status = status_of(&mut end);
    assert!(status.contains(" 200 "), "{status}");
    end
}

fn begin(pipe: &str, request: &str) -> File {
    let mut end = open(pipe);
    end.write_all(request.as_bytes()).unwrap();
    end
}

/// Returns the first line of an answer.
fn status_of(end: &mut File) -> String {
    let mut line = String::new();
    BufReader::new(end).read_line(&mut line).unwrap();
    line
}

/// Returns the name of the instance's pipe, by the rule of `docs/reference/api.md`.
fn name_of_pipe(sandbox: &Sandbox) -> String {
    let told: Value = serde_json::from_str(&sandbox.get(&["env", "web", "--json"])).unwrap();
    let variables = told["variables"].as_array().unwrap();
    let instance = variables.iter().find(|one| one["name"] == "MAINSTAY_INSTANCE").unwrap();
    let path = format!(r"{}\api.sock", instance["value"].as_str().unwrap()).to_lowercase();
    let hash = path.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!(r"\\.\pipe\mainstay-{hash:016x}-api.sock")
}

/// Waits for an end of the pipe that nobody else has.
fn open(pipe: &str) -> File {
    let open = || OpenOptions::new().read(true).write(true).open(pipe).ok();
    wait_for("the pipe is opened", open)
}

/// Sends bytes; returns status and body of the answer.
fn ask(pipe: &str, request: &str) -> (String, Value) {
    let mut end = open(pipe);
    // Whoever is refused early may not have been heard to the end.
    drop(end.write_all(request.as_bytes()));
    let mut answer = Vec::new();
    // The last read may say that the pipe has been ended.
    drop(end.read_to_end(&mut answer));
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().to_owned();
    (status, serde_json::from_str(body).unwrap())
}

/// Listens until an event says something; returns the numbers of all that were heard.
fn events(pipe: &str, header: &str, until: &str) -> Vec<u64> {
    let mut end = open(pipe);
    let path = if header.is_empty() { "/v1/events?limit=1000" } else { "/v1/events" };
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: m\r\nAccept: text/event-stream\r\n{header}\r\n");
    end.write_all(request.as_bytes()).unwrap();
    let mut heard = Vec::new();
    for line in BufReader::new(end).lines() {
        let line = line.unwrap();
        heard.extend(line.strip_prefix("id: ").and_then(|id| id.parse::<u64>().ok()));
        if line.contains(until) {
            break;
        }
    }
    heard
}
