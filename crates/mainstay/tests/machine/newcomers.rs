//! Whoever comes second, or after a sudden death: one keeper, one agent, no program twice.

use std::{
    fs,
    process::{Command, Stdio},
};

use mainstay_platform::process::SignalKind;

use crate::{
    processes::{self, wait_until},
    sandbox::{Sandbox, answer_of},
};

const TWO: &str = r#"
[services.web]
command = ["sleep", "1000"]

[services.api]
command = ["sleep", "1000"]
"#;

fn two() -> Sandbox {
    let sandbox = Sandbox::up_with(TWO);
    sandbox.wait_for_all();
    sandbox
}

/// Returns the command line of a live process.
fn command_line(pid: u32) -> Vec<String> {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap();
    let words = bytes.split(|byte| *byte == 0).filter(|word| !word.is_empty());
    words.map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

/// Returns the same command as a live process has, to be started once more.
fn once_more(sandbox: &Sandbox, pid: u32) -> Command {
    let line = command_line(pid);
    let words: Vec<&str> = line.iter().skip(1).map(String::as_str).collect();
    sandbox.command(&words)
}

#[test]
fn a_second_up_attaches_and_its_death_stops_nothing() {
    let mut sandbox = two();
    let (before, status) = (sandbox.runs(), sandbox.status());
    let log = fs::File::create(sandbox.path("second.log")).unwrap();
    let mut second = sandbox.command(&["up"]).stdout(Stdio::null()).stderr(log).spawn().unwrap();
    wait_until("the second says that it attached", || {
        sandbox.read("second.log").contains("attached to the running instance of /")
    });
    second.kill().unwrap();
    second.wait().unwrap();
    let after = sandbox.status();
    assert_eq!((after.keeper, after.agent), (status.keeper, status.agent));
    assert_eq!(sandbox.runs(), before);
    assert_eq!(sandbox.down(), Some(0));
}

#[test]
fn a_kill_of_up_stops_nothing_and_the_next_one_attaches() {
    let mut sandbox = two();
    let before = sandbox.runs();
    processes::kill(sandbox.up_pid());
    assert_eq!(sandbox.runs(), before);
    sandbox.start_up(sandbox.command(&["up"]));
    wait_until("it attaches", || sandbox.read("up.log").contains("attached to the running"));
    assert_eq!(sandbox.runs(), before);
}

#[test]
fn a_second_keeper_leaves_at_once() {
    let sandbox = two();
    let (before, status) = (sandbox.runs(), sandbox.status());
    let answer = answer_of(&mut once_more(&sandbox, status.keeper.pid));
    assert_eq!(answer.code, 0, "{answer:?}");
    let after = sandbox.status();
    assert_eq!((after.keeper, after.agent), (status.keeper, status.agent));
    assert_eq!(sandbox.runs(), before);
}

#[test]
fn a_second_agent_takes_over_and_programs_notice_nothing() {
    let sandbox = two();
    let (before, status) = (sandbox.runs(), sandbox.status());
    let mut second = once_more(&sandbox, status.agent.pid).spawn().unwrap();
    wait_until("the second agent answers", || {
        sandbox.ask(&["status"]).code == 0 && sandbox.status().agent.pid == second.id()
    });
    // It has let go of its lock, and may be seen for a moment longer.
    wait_until("the first one is gone", || !processes::is_alive(status.agent.pid));
    assert_eq!(sandbox.runs(), before);
    second.kill().unwrap();
    second.wait().unwrap();
    wait_until("the keeper starts one of its own", || sandbox.ask(&["status"]).code == 0);
    assert_eq!(sandbox.runs(), before);
}

#[test]
fn an_agent_that_dies_again_and_again_is_followed_by_one_that_trusts_nothing_new() {
    let sandbox = two();
    let before = sandbox.runs();
    fs::write(sandbox.file(), "[services.web]\ncommand = [\"slee").unwrap();
    for _ in 0..3 {
        let former = sandbox.status().agent.pid;
        processes::kill(former);
        wait_until("the next agent answers", || {
            sandbox.ask(&["status"]).code == 0 && sandbox.status().agent.pid != former
        });
    }
    let line = command_line(sandbox.status().agent.pid);
    assert!(line.iter().any(|word| word == "--recover"), "{line:?}");
    assert!(sandbox.get(&["events"]).contains("AgentRecovered"));
    assert_eq!(sandbox.runs(), before);
    processes::kill(sandbox.wait_for_pid("web"));
    sandbox.wait_for("web", |unit| unit.run == 2 && unit.state == "running");
    assert_eq!(sandbox.copies_of("api").len(), 1);
}

#[test]
fn after_the_death_of_both_the_next_up_takes_the_programs_back() {
    let mut sandbox = two();
    let before = sandbox.runs();
    sandbox.kill_both();
    assert!(sandbox.runtime().join("api.sock").exists(), "the socket is stale, not gone");
    let answer = sandbox.ask(&["status"]);
    assert_eq!(answer.code, 3, "{answer:?}");
    assert!(answer.err.contains("hint:  its programs may run on; `mainstay up "), "{}", answer.err);
    assert!(before.iter().all(|(_, pid, _)| processes::is_alive(pid.unwrap())));
    sandbox.up();
    assert_eq!(sandbox.runs(), before);
    processes::signal(before[0].1.unwrap(), SignalKind::Kill);
    sandbox.wait_for(&before[0].0, |unit| unit.run == 2 && unit.state == "running");
    assert_eq!(sandbox.down(), Some(0));
    processes::expect_none(sandbox.folder());
}

#[test]
fn a_program_that_ended_while_nobody_looked_is_started_again_once() {
    let mut sandbox = two();
    let victim = sandbox.wait_for_pid("web");
    sandbox.kill_both();
    processes::signal(victim, SignalKind::Kill);
    sandbox.up();
    let back = sandbox.wait_for("web", |unit| unit.run == 2 && unit.state == "running");
    assert_eq!(sandbox.copies_of("web"), [back.pid.unwrap()]);
    assert_eq!(sandbox.copies_of("api").len(), 1);
}

#[test]
fn two_ups_at_the_same_time_start_one_instance() {
    let mut sandbox = Sandbox::new(TWO);
    sandbox.start_up(sandbox.command(&["up"]));
    sandbox.start_up(sandbox.command(&["up"]));
    wait_until("the instance answers", || sandbox.ask(&["status"]).code == 0);
    sandbox.wait_for_all();
    wait_until("both are content", || {
        sandbox.read("up.log").matches(": 2 units, keeper ").count() == 2
    });
    for unit in ["web", "api"] {
        assert_eq!(sandbox.copies_of(unit).len(), 1, "{unit}");
    }
}

#[test]
fn a_path_too_long_for_a_socket_works() {
    let short = Sandbox::new("");
    let folder = short.path(&"deep".repeat(20)).join("folder".repeat(20));
    let mut sandbox = Sandbox::at(&folder, TWO);
    assert!(sandbox.folder().as_os_str().len() > 200);
    sandbox.up();
    sandbox.wait_for_all();
    let before = sandbox.runs();
    sandbox.kill_both();
    sandbox.up();
    assert_eq!(sandbox.runs(), before);
    assert_eq!(sandbox.down(), Some(0));
}

#[test]
fn an_instance_that_was_stopped_starts_again_from_nothing() {
    let mut sandbox = two();
    let before = sandbox.runs();
    assert_eq!(sandbox.down(), Some(0));
    processes::expect_none(sandbox.folder());
    sandbox.up();
    sandbox.wait_for_all();
    assert!(sandbox.runs().iter().zip(&before).all(|(new, old)| new.1 != old.1));
}
