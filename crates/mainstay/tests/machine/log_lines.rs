//! What `logs` says of lines: as JSON, of a span of time, and as they come.

use std::{fs::File, process::Child};

use mainstay_platform::process::SignalKind;
use serde_json::Value;

use crate::{
    processes::{signal, wait_until},
    sandbox::Sandbox,
};

const SPLIT: &str = r#"
[services.web]
shell = "echo one; until [ -e one ]; do sleep 0.01; done; echo two >&2; until [ -e two ]; do sleep 0.01; done; printf half; exec sleep 1000"
logs = { streams = "split" }
"#;

/// Writes a line, waits for a file, writes another.
const TWICE: &str = r#"
[services.web]
shell = "echo early; while [ ! -e go ]; do sleep 0.01; done; echo late; exec sleep 1000"
"#;

fn objects(sandbox: &Sandbox, arguments: &[&str]) -> Vec<Value> {
    let out = sandbox.get(arguments);
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn texts(sandbox: &Sandbox, arguments: &[&str]) -> Vec<String> {
    sandbox.get(arguments).lines().map(str::to_owned).collect()
}

#[test]
fn json_says_time_unit_run_stream_text_and_what_is_partial() {
    let sandbox = Sandbox::up_with(SPLIT);
    // The order of two streams is that in which they are read.
    for word in ["one", "two"] {
        wait_until("a line is written", || sandbox.get(&["logs", "web"]).contains(word));
        File::create(sandbox.path(word)).unwrap();
    }
    wait_until("all is written", || sandbox.get(&["logs", "web"]).contains("half"));
    let found = objects(&sandbox, &["logs", "web", "--json"]);
    let seen: Vec<_> = found
        .iter()
        .map(|line| {
            assert_eq!((&line["unit"], &line["run"]), (&"web".into(), &1.into()));
            assert!(line["time"].as_str().unwrap().ends_with('Z'), "{line}");
            let text = |key: &str| line[key].as_str().unwrap();
            (text("stream"), text("text"), line["partial"].as_bool().unwrap())
        })
        .collect();
    assert_eq!(
        seen,
        [("stdout", "one", false), ("stderr", "two", false), ("stdout", "half", true)]
    );
}

#[test]
fn a_span_of_time_is_all_that_is_shown() {
    let sandbox = Sandbox::up_with(TWICE);
    wait_until("a line is written", || sandbox.get(&["logs", "web"]).contains("early"));
    let first = objects(&sandbox, &["logs", "web", "--json"]);
    let between = first[0]["time"].as_str().unwrap().to_owned();
    // The index tells the time to 10 ms.
    wait_until("that time is over", || {
        texts(&sandbox, &["logs", "web", "--since", "20ms"]).is_empty()
    });
    File::create(sandbox.path("go")).unwrap();
    wait_until("another line is written", || sandbox.get(&["logs", "web"]).contains("late"));
    let check = |arguments: &[&str], expected: &[&str]| {
        assert_eq!(texts(&sandbox, &[["logs", "web"].as_slice(), arguments].concat()), expected);
    };
    check(&["--since", "1h"], &["early", "late"]);
    check(&["--until", "1h"], &[]);
    check(&["--since", &between, "-n", "1"], &["late"]);
    check(&["--since", "2100-01-01T00:00:00Z"], &[]);
    check(&["--until", "2100-01-01T00:00:00Z"], &["early", "late"]);
    let answer = sandbox.ask(&["logs", "--since", "soon"]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("write how long ago, as in `10m`"), "{answer:?}");
}

#[test]
fn a_pattern_finds_its_lines_wherever_they_are() {
    const MANY: &str = "[services.web]\nshell = \"seq 9000; printf '\\\\033[31mBad\\\\033[0m: 42\\\\n'; \
        exec sleep 1000\"\nlogs = { max-size = \"16KiB\" }\n";
    let sandbox = Sandbox::up_with(MANY);
    wait_until("all is written", || sandbox.get(&["logs", "-n", "1"]).contains("42"));
    let check = |arguments: &[&str], expected: &[&str]| {
        assert_eq!(texts(&sandbox, &[["logs", "web"].as_slice(), arguments].concat()), expected);
    };
    check(&["--grep", "^4?2$"], &["2", "42"]);
    check(&["--grep", "899[89]"], &["8998", "8999"]);
    check(&["--grep", "^8..7$", "-n", "2"], &["8987", "8997"]);
    // What is shown is matched, without what a terminal would have made of it.
    check(&["--grep", "^(?i)bad: "], &["Bad: 42"]);
    assert_eq!(texts(&sandbox, &["logs", "--grep", "99$", "--since", "1h"]).len(), 90);
    assert_eq!(texts(&sandbox, &["logs", "--grep", "no such line"]), [""; 0]);
    let answer = sandbox.ask(&["logs", "--grep", "("]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("invalid value '(' for '--grep <PATTERN>'"), "{answer:?}");
}

#[test]
fn whoever_follows_sees_logs_that_begin_later() {
    let sandbox = Sandbox::up_with(TWICE);
    sandbox.wait_for_pid("web");
    let target = File::create(sandbox.path("followed")).unwrap();
    let mut follower: Child =
        sandbox.command(&["logs", "-f", "--json"]).stdout(target).spawn().unwrap();
    sandbox.get(&["add", "new", "--", "sh", "-c", "echo begun; exec sleep 1000"]);
    File::create(sandbox.path("go")).unwrap();
    let wanted = ["early", "late", "begun"];
    wait_until("everything was followed", || {
        let seen = sandbox.read("followed");
        wanted.iter().all(|text| seen.matches(&format!("\"{text}\"")).count() == 1)
    });
    follower.kill().unwrap();
    follower.wait().unwrap();
}

#[test]
fn a_follower_misses_nothing_over_rotations_retention_agents_and_new_units() {
    const BATCHES: usize = 6;
    const LINES: usize = 300;
    // A batch closes a segment or two, and the next one comes once it was seen.
    const SLOW: &str = "[services.web-1]\nshell = \"for n in 1 2 3 4 5 6; do seq -f $n-%g 300; \
        until [ -e go$n ]; do sleep 0.01; done; done; exec sleep 1000\"\n\
        logs = { max-size = \"1KiB\", keep = 3 }\n";
    let sandbox = Sandbox::up_with(SLOW);
    let (out, err) = (sandbox.path("out"), sandbox.path("err"));
    let mut command = sandbox.command(&["logs", "-f", "-n", "all", "--no-prefix", "web-*"]);
    command.stdout(File::create(out).unwrap()).stderr(File::create(err).unwrap());
    let mut follower = command.spawn().unwrap();
    for batch in 1..=BATCHES {
        let end = format!("{batch}-{LINES}\n");
        wait_until("the batch was seen", || sandbox.read("out").contains(&end));
        if batch == 2 {
            crate::processes::kill(sandbox.status().agent.pid);
        }
        if batch == 4 {
            sandbox.get(&["add", "web-2", "--", "sh", "-c", "echo second; exec sleep 1000"]);
            wait_until("the new unit was seen", || sandbox.read("out").contains("second\n"));
        }
        File::create(sandbox.path(&format!("go{batch}"))).unwrap();
    }
    follower.kill().unwrap();
    follower.wait().unwrap();
    let seen = sandbox.read("out");
    let lines: Vec<&str> = seen.lines().filter(|line| *line != "second").collect();
    let all =
        (1..=BATCHES).flat_map(|batch| (1..=LINES).map(move |line| format!("{batch}-{line}")));
    assert_eq!(lines, all.collect::<Vec<_>>());
    assert_eq!(sandbox.read("err"), "");
    let oldest = sandbox.path(".mainstay/logs/web-1/web-1.000001.log");
    wait_until("what is old is deleted", || !oldest.exists());
}

#[test]
fn a_follower_that_retention_overtakes_says_so() {
    const LOUD: &str = "[services.loud]\nshell = \"echo first; while [ ! -e go ]; do sleep 0.02; \
        done; seq -w 100000; echo end; exec sleep 1000\"\n\
        logs = { max-size = \"64KiB\", keep = 2 }\n";
    let sandbox = Sandbox::up_with(LOUD);
    let (out, err) = (sandbox.path("out"), sandbox.path("err"));
    let mut command = sandbox.command(&["logs", "-f"]);
    command.stdout(File::create(out).unwrap()).stderr(File::create(err).unwrap());
    let mut follower = command.spawn().unwrap();
    wait_until("the first line was followed", || sandbox.read("out").contains("first"));
    signal(follower.id(), SignalKind::Stop);
    File::create(sandbox.path("go")).unwrap();
    wait_until("all is written", || sandbox.get(&["logs", "-n", "1"]).contains("end"));
    signal(follower.id(), SignalKind::Continue);
    wait_until("the end was followed", || sandbox.read("out").contains("end"));
    follower.kill().unwrap();
    follower.wait().unwrap();
    let talk = sandbox.read("err");
    assert!(talk.contains("segments of the log of `loud` went before they were read"), "{talk}");
    assert!(sandbox.read("out").lines().count() < 100_000);
}
