//! A newcomer's walk: the quickstart of the README, from another folder, one command after the other.

use std::{fs, process::Child};

use crate::{
    processes::wait_until,
    sandbox::{Answer, Sandbox, answer_of},
};

const QUICKSTART: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/quickstart/mainstay.toml"));

#[test]
fn the_quickstart_does_what_the_readme_says() {
    let mut sandbox = Sandbox::up_with(QUICKSTART);
    // Nobody changes into the folder of the file, at first.
    let ask = |sandbox: &Sandbox, words: &[&str]| -> Answer {
        let answer = answer_of(sandbox.command(words).current_dir("/"));
        assert_eq!(answer.code, 0, "{words:?}: {answer:?}");
        answer
    };
    for unit in ["chatty", "flaky", "ticker", "web"] {
        sandbox.wait_for_pid(unit);
    }
    let flaky = sandbox.wait_for("flaky", |unit| unit.run > 1);
    assert_eq!(flaky.last_exit.unwrap().code, Some(3));
    let why = ask(&sandbox, &["why", "flaky"]).out;
    for words in ["Restarts so far: 1.", "run 1 of `flaky` ended with code 3", "something broke"] {
        assert!(why.contains(words), "{words} is missing: {why}");
    }

    let added = ask(&sandbox, &["add", "hello", "--", "sh", "-c", "echo hi; exec sleep 1000"]).out;
    assert!(added.contains("added `hello` to ") && added.contains("hello is running (pid "));
    let log = fs::File::create(sandbox.path("followed")).unwrap();
    let mut follower: Child =
        sandbox.command(&["logs", "-f", "ticker"]).stdout(log).spawn().unwrap();
    let report = ask(&sandbox, &["drill", "agent"]).out;
    assert!(report.contains("0 missing, 0 doubled"), "{report}");
    let before = sandbox.read("followed").lines().count();
    wait_until("more ticks come", || sandbox.read("followed").lines().count() > before + 1);
    follower.kill().unwrap();
    follower.wait().unwrap();

    assert_eq!(ask(&sandbox, &["stop", "hello"]).out, "hello is stopped\n");
    let removed = ask(&sandbox, &["remove", "hello"]).out;
    assert!(removed.starts_with("removed `hello` from "), "{removed}");
    assert!(sandbox.status().units.iter().all(|unit| unit.unit != "hello"));
    assert_eq!(sandbox.read("mainstay.toml"), QUICKSTART, "the file is as it was");
    assert_eq!(sandbox.down(), Some(0));
    let said = sandbox.read("up.log");
    assert!(said.ends_with("everything has stopped\n"), "{said}");
    assert_eq!(said.matches("stopping everything").count(), 1, "{said}");
    assert!(!said.contains("error"), "{said}");
}

#[test]
fn a_program_that_cannot_be_started_is_told_at_once_when_it_is_added() {
    let sandbox = Sandbox::up_with("");
    let out = sandbox.get(&["add", "missing", "--", "./nothing"]);
    assert!(out.contains(
        "missing is between two attempts: run 1 was not started: cannot find `./nothing`"
    ));
    let answer = sandbox.ask(&["add", "lost", "--requires", "nobody", "--", "true"]);
    assert_eq!(answer.code, 1);
    assert_eq!(answer.err.matches("error: ").count(), 1, "{answer:?}");
    assert!(answer.err.ends_with("hint:  nothing has changed\n"), "{answer:?}");
}
