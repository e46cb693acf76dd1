//! The slips of the first hour: a name, a key, a number or a program that is not there, and a word
//! on what a command does besides what was asked.

use mainstay_platform::process::SignalKind;

use crate::{
    processes::{self, wait_until},
    sandbox::Sandbox,
};

const THREE: &str = r#"
[services.db]
command = ["sleep", "1000"]

[services.web]
command = ["sleep", "1000"]
requires = ["db"]

[services.job]
type = "task"
start = "manual"
command = "false"

[services.off]
start = "disabled"
command = ["sleep", "1000"]
"#;

fn up() -> Sandbox {
    let sandbox = Sandbox::up_with(THREE);
    sandbox.wait_for_pid("web");
    sandbox
}

/// Expects a command to end with this code and to say this on stderr.
fn check(sandbox: &Sandbox, words: &[&str], code: i32, expected: &str) {
    let answer = sandbox.ask(words);
    assert!(answer.code == code && answer.err.contains(expected), "{words:?}: {answer:?}");
}

#[test]
fn what_was_mistyped_is_told_with_what_may_have_been_meant() {
    let sandbox = up();
    check(&sandbox, &["get", "web", "stop.timout"], 1, "did you mean `stop.timeout`?");
    check(&sandbox, &["get", "web", "stop.timeout"], 1, "is not set; its default holds");
    for words in [&["set", "wbe", "stop.timeout=1s"][..], &["get", "wbe"]] {
        check(&sandbox, words, 1, "did you mean `web`?");
    }
    sandbox.get(&["set", "web", "environment.\"a.b\"=1"]);
    assert_eq!(sandbox.get(&["get", "web", "environment.'a.b'"]), "1\n");
    assert!(sandbox.get(&["doctor", "137"]).contains("signal 9 (KILL) ended it"));
    check(&sandbox, &["doctor", "77"], 1, "means what its manual says");
}

#[test]
fn a_program_that_is_not_there_is_warned_of_and_fails_who_waits() {
    let sandbox = up();
    let warning = "`x` has not come up and stays in the configuration";
    check(&sandbox, &["add", "x", "--", "./no-such-program"], 0, warning);
    check(&sandbox, &["add", "y", "--wait", "--", "./no-such-program"], 1, "`y` has not come up");
    let good = sandbox.ask(&["add", "z", "--wait", "--", "sleep", "1000"]);
    assert_eq!((good.code, good.err.as_str()), (0, ""), "{good:?}");
}

#[test]
fn secrets_that_are_not_set_are_named() {
    let text = "[services.web]\ncommand = \"true\"\nenvironment = { KEY = { secret = \"pin\" } }\n";
    let sandbox = Sandbox::new(text);
    check(&sandbox, &["check"], 0, "secret `pin` is not set, and `web` cannot start without it");
    let told = sandbox.get(&["check", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["unset-secrets"]["pin"][0], "web");
}

#[test]
fn a_stop_names_those_who_stop_for_it_and_a_reset_of_nothing_says_so() {
    let sandbox = up();
    let reset = sandbox.ask(&["reset", "web"]);
    assert_eq!((reset.code, reset.err.as_str()), (0, "note: `web` had nothing to reset\n"));
    let stopped = sandbox.ask(&["stop", "db"]);
    assert!(stopped.out.contains("web was stopped, too: "), "{stopped:?}");
}

#[test]
fn whoever_cannot_go_on_by_itself_is_told_what_helps() {
    let sandbox = up();
    sandbox.ask(&["start", "job"]);
    sandbox.wait_for("job", |unit| unit.state == "failed");
    let why = |name: &str| sandbox.get(&["why", name]);
    assert!(why("job").contains("`mainstay start job` runs it again"), "{}", why("job"));
    let remedy = "it is disabled; `mainstay set off start=manual` allows it to be started";
    assert!(why("off").contains(remedy), "{}", why("off"));
    sandbox.get(&["set", "off", "start=manual"]);
    sandbox.get(&["start", "off"]);
}

#[test]
fn the_last_words_of_an_instance_are_told_by_the_up_that_did_not_hear_them() {
    let sandbox = up();
    let up = sandbox.up_pid();
    // It hears nothing of the end, and finds it where it was written.
    processes::signal(up, SignalKind::Stop);
    let status = sandbox.status();
    processes::signal(status.keeper.pid, SignalKind::Term);
    let both = [status.keeper.pid, status.agent.pid];
    wait_until("both are gone", || !both.into_iter().any(processes::is_alive));
    let told = |sandbox: &Sandbox| sandbox.read("up.log").contains("`db` is stopped");
    assert!(!told(&sandbox), "{}", sandbox.read("up.log"));
    processes::signal(up, SignalKind::Continue);
    wait_until("the end is told", || told(&sandbox));
}
