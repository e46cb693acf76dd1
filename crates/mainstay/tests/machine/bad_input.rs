//! Bad input against a running instance: it is refused, and nothing starts, stops or changes.

use std::fs;

use mainstay_platform::process::SignalKind;

use crate::{
    processes::{self, wait_until},
    sandbox::{Run, Sandbox},
};

const TWO: &str = r#"
[services.web]
command = ["sleep", "1000"]

[services.api] # the comment stays
command = ["sleep", "1000"]
requires = ["web"]
"#;

fn two() -> Sandbox {
    let sandbox = Sandbox::up_with(TWO);
    sandbox.wait_for_all();
    sandbox
}

/// The bytes of a file, and what is said of it.
type BadFile = (&'static [u8], &'static str);

/// Everything that must not change: who runs, what happened to units, and the file.
fn everything(sandbox: &Sandbox) -> (Vec<Run>, String, String) {
    let units = sandbox.get(&["events", "*", "--lines", "1000"]);
    (sandbox.runs(), units, sandbox.read("mainstay.toml"))
}

#[test]
fn what_cannot_be_added_or_removed_changes_nothing() {
    let sandbox = two();
    let before = everything(&sandbox);
    let check = |arguments: &[&str], expected: &str| {
        let answer = sandbox.ask(arguments);
        assert_eq!(answer.code, 1, "{arguments:?}: {answer:?}");
        assert!(answer.err.contains(expected), "{arguments:?}: {}", answer.err);
        assert_eq!(everything(&sandbox), before, "{arguments:?}");
    };
    check(&["add", "web", "--", "sleep", "1"], "`web`");
    check(&["add", "no name", "--", "sleep", "1"], "error: ");
    check(&["add", "../x", "--", "sleep", "1"], "error: ");
    check(&["add", "x", "--requires", "nobody", "--", "sleep", "1"], "requires `nobody`");
    check(&["add", "x", "--requires", "x", "--", "sleep", "1"], "wait for each other");
    check(&["add", "x", "--start", "sometimes", "--", "sleep", "1"], "`sometimes`");
    check(&["remove", "nobody"], "`nobody`");
    check(&["remove", "web"], "requires `web`");
    check(&["stop", "nobody"], "`nobody`");
}

#[test]
fn a_bad_file_is_refused_by_check_up_and_add_and_changes_nothing() {
    let sandbox = two();
    let bad_files: [BadFile; 6] = [
        (b"[services.web]\ncommand = [\"slee", "unclosed array"),
        (b"[services.web]\ncomand = \"sleep 1\"\n", "did you mean `command`?"),
        (b"[services.web]\ncommand = 5\n", "`command` must be"),
        (b"\xff\xfe", "the file is UTF-16"),
        (b"# \xff\n", "not UTF-8"),
        (b"[services.web]\ncommand = [\"a\"]\nrequires = [\"web\"]\n", "wait for each other"),
    ];
    let before = everything(&sandbox);
    for (bytes, expected) in bad_files {
        fs::write(sandbox.file(), bytes).unwrap();
        for arguments in [["check"].as_slice(), &["up"], &["add", "x", "--", "sleep", "1"]] {
            let answer = sandbox.ask(arguments);
            assert_eq!(answer.code, 1, "{arguments:?}: {answer:?}");
            let is_told = answer.err.contains(expected) || arguments.first() == Some(&"add");
            assert!(is_told, "{arguments:?}: {}", answer.err);
            assert_eq!(fs::read(sandbox.file()).unwrap(), bytes, "{arguments:?}");
        }
    }
    fs::remove_file(sandbox.file()).unwrap();
    assert_eq!(sandbox.ask(&["up", "mainstay.toml"]).code, 1);
    fs::write(sandbox.file(), TWO).unwrap();
    assert_eq!(everything(&sandbox), before);
}

#[test]
fn the_next_agent_works_with_the_last_good_file() {
    let sandbox = two();
    let before = sandbox.runs();
    fs::write(sandbox.file(), "[services.web]\ncommand = [\"slee").unwrap();
    let former = sandbox.status().agent.pid;
    processes::signal(former, SignalKind::Kill);
    wait_until("another agent answers", || {
        sandbox.ask(&["status"]).code == 0 && sandbox.status().agent.pid != former
    });
    assert_eq!(sandbox.runs(), before);
    let events = sandbox.get(&["events"]);
    assert!(events.contains("ConfigRefused"), "{events}");
}

#[test]
fn a_good_file_is_applied_and_touches_only_what_changed() {
    let mut sandbox = two();
    let before = sandbox.runs();
    let changed = TWO.replace(
        "# the comment stays\ncommand = [\"sleep\", \"1000\"]",
        "\ncommand = [\"sleep\", \"2000\"]",
    );
    fs::write(sandbox.file(), changed + "\n[services.more]\ncommand = [\"sleep\", \"1000\"]\n")
        .unwrap();
    sandbox.start_up(sandbox.command(&["up"]));
    sandbox.wait_for("api", |unit| unit.run == 2 && unit.state == "running");
    wait_until("the new service runs", || sandbox.status().units.len() == 3);
    sandbox.wait_for_pid("more");
    assert!(sandbox.runs().contains(&before[1]), "web was touched: {before:?}");
    assert!(sandbox.get(&["show", "api"]).contains("sleep 2000"));
}
