//! The four drills: each does what it says, and what it reports is true.

use serde_json::Value;

use crate::{processes, sandbox::Sandbox};

/// A program that numbers its lines, and one that says nothing.
const TWO: &str = r#"
[services.numbered]
shell = "n=0; while :; do n=$((n+1)); echo \"line $n\"; sleep 0.02; done"

[services.victim]
command = ["sleep", "1000"]
restart = { delay = "10ms" }
"#;

/// One that ends by itself. How it ends while there is no keeper may be unknown.
const BRIEF: &str = r#"
[services.brief]
shell = "sleep 0.3; exit 3"
restart = { delay = "10ms", max-delay = "10ms" }
"#;

fn two() -> Sandbox {
    up_with(TWO)
}

fn three() -> Sandbox {
    up_with(&(TWO.to_owned() + BRIEF))
}

fn up_with(config: &str) -> Sandbox {
    let sandbox = Sandbox::up_with(config);
    sandbox.wait_for_pid("victim");
    processes::wait_until("lines are written", || {
        sandbox.get(&["logs", "numbered"]).lines().count() > 5
    });
    sandbox
}

fn drill(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let out = sandbox.get(&[["drill"].as_slice(), arguments, &["--json"]].concat());
    serde_json::from_str(&out).unwrap()
}

/// Checks what is true of every drill.
fn check_cost(report: &Value) {
    assert!(report["took-ms"].as_f64().unwrap() > 0.0, "{report}");
    assert_eq!(report["programs"]["lost"], Value::Array(Vec::new()), "{report}");
    assert!(report["lines"]["numbered"].as_u64().unwrap() > 0, "{report}");
    assert_eq!((&report["lines"]["missing"], &report["lines"]["doubled"]), (&0.into(), &0.into()));
}

fn pid(value: &Value) -> u32 {
    value["pid"].as_u64().unwrap().try_into().unwrap()
}

#[test]
fn a_killed_agent_has_a_successor_and_costs_no_line() {
    let sandbox = three();
    let before = sandbox.status();
    let runs = (sandbox.unit("numbered").pid, sandbox.unit("victim").pid);
    let report = drill(&sandbox, &["agent"]);
    check_cost(&report);
    let after = sandbox.status();
    assert_eq!(report["hit"], before.agent.pid);
    assert_eq!(pid(&report["agent"]["before"]), before.agent.pid);
    assert_eq!(pid(&report["agent"]["after"]), after.agent.pid);
    assert_ne!(before.agent.pid, after.agent.pid);
    assert_eq!(before.keeper, after.keeper);
    assert_eq!((sandbox.unit("numbered").pid, sandbox.unit("victim").pid), runs);
    assert!(!processes::is_alive(before.agent.pid));
}

#[test]
fn a_killed_keeper_has_a_successor_and_costs_no_line() {
    let sandbox = two();
    let before = sandbox.status();
    let runs = (sandbox.unit("numbered").pid, sandbox.unit("victim").pid);
    let report = drill(&sandbox, &["keeper"]);
    check_cost(&report);
    let after = sandbox.status();
    assert_eq!(report["hit"], before.keeper.pid);
    assert_eq!(pid(&report["keeper"]["after"]), after.keeper.pid);
    assert_ne!(before.keeper.pid, after.keeper.pid);
    assert_eq!((sandbox.unit("numbered").pid, sandbox.unit("victim").pid), runs);
    assert!(!processes::is_alive(before.keeper.pid));
}

#[test]
fn a_killed_program_is_replaced_and_the_others_run_on() {
    let sandbox = three();
    let (before, numbered) = (sandbox.unit("victim"), sandbox.unit("numbered").pid);
    let report = drill(&sandbox, &["crash", "victim"]);
    check_cost(&report);
    let (after, replaced) = (sandbox.unit("victim"), &report["replaced"]);
    assert_eq!(Some(pid(&replaced["before"])), before.pid);
    assert_eq!(Some(pid(&replaced["after"])), after.pid);
    assert_eq!((&replaced["before"]["run"], &replaced["after"]["run"]), (&1.into(), &2.into()));
    assert_eq!(after.last_exit.unwrap().signal, Some(9));
    assert_eq!(sandbox.unit("numbered").pid, numbered);
}

#[test]
fn a_frozen_agent_is_replaced_and_a_crash_meanwhile_is_mended() {
    let sandbox = three();
    let (before, numbered) = (sandbox.status(), sandbox.unit("numbered").pid);
    let report = drill(&sandbox, &["hang", "victim"]);
    check_cost(&report);
    assert_eq!(report["hit"], before.agent.pid);
    assert_ne!(sandbox.status().agent.pid, before.agent.pid);
    assert!(!processes::is_alive(before.agent.pid));
    // The keeper waits for five seconds before it gives the agent up.
    assert!(report["took-ms"].as_f64().unwrap() >= 4900.0, "{report}");
    assert_eq!(Some(pid(&report["replaced"]["after"])), sandbox.unit("victim").pid);
    assert_eq!(sandbox.unit("numbered").pid, numbered);
}

#[test]
fn a_drill_is_told_in_words_and_refused_for_what_does_not_run() {
    let sandbox = three();
    let out = sandbox.get(&["drill", "agent"]);
    for line in ["killed process ", "\nkeeper    ", "\nagent     ", "\nlines     ", " ms\n"] {
        assert!(out.contains(line), "{line:?} is missing: {out}");
    }
    assert!(out.contains("0 missing, 0 doubled"), "{out}");
    for what in ["crash", "hang"] {
        let answer = sandbox.ask(&["drill", what, "nobody"]);
        assert_eq!(answer.code, 1);
        assert!(answer.err.contains("`nobody` does not run"), "{answer:?}");
    }
}
