//! Commands that wait: what they say meanwhile, and that one unit's trouble hides no other's.

use std::{fs::File, process::Stdio};

use mainstay_platform::process::SignalKind;

use crate::{
    processes::{self, wait_until},
    sandbox::Sandbox,
};

const MANY: &str = r#"
[services.limited]
shell = "exit 1"
restart = { delay = "1ms", limit = 2 }

[services.off]
command = ["sleep", "1000"]
start = "disabled"

[services.well]
command = ["sleep", "1000"]

[services.deaf]
shell = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
stop = { timeout = "1h" }
"#;

fn begin() -> Sandbox {
    let sandbox = Sandbox::up_with(MANY);
    sandbox.wait_for("limited", |unit| unit.state == "failed");
    sandbox.wait_for_pid("well");
    wait_until("it ignores TERM", || sandbox.read(".mainstay/logs/deaf/deaf.log") == "ready\n");
    sandbox
}

#[test]
fn what_its_limit_holds_back_is_refused_at_once_with_the_remedy() {
    let sandbox = begin();
    for command in ["start", "restart"] {
        let answer = sandbox.ask(&[command, "limited"]);
        assert_eq!(answer.code, 1, "{answer:?}");
        let expected = "`limited` has failed: it was started 2 times within 10 min; \
                        `mainstay reset limited` tries again";
        assert!(answer.err.contains(expected), "{answer:?}");
    }
}

#[test]
fn a_command_for_many_tells_of_each() {
    let sandbox = begin();
    let answer = sandbox.ask(&["restart", "*", "--timeout", "300ms"]);
    assert_eq!(answer.code, 1, "{answer:?}");
    assert!(answer.out.contains("well is running (pid "), "{answer:?}");
    for told in ["`limited` has failed: ", "`off` is disabled; ", "`deaf` is still stopping"] {
        assert!(answer.err.contains(told), "{told}: {answer:?}");
    }
}

#[test]
fn after_the_death_of_both_it_is_said_that_programs_run_on() {
    let mut sandbox = begin();
    assert_eq!(sandbox.ask(&["doctor"]).code, 0);
    let well = sandbox.wait_for_pid("well");
    sandbox.kill_both();
    let status = sandbox.ask(&["status"]);
    assert!(status.err.contains("its programs may run on; `mainstay up /"), "{status:?}");
    let doctor = sandbox.ask(&["doctor"]);
    assert_eq!(doctor.code, 1, "{doctor:?}");
    assert!(doctor.out.contains("mainstay.toml: none, and programs may run on\n"), "{doctor:?}");
    sandbox.up();
    assert_eq!((sandbox.wait_for_pid("well"), sandbox.ask(&["doctor"]).code), (well, 0));
    sandbox.get(&["kill", "deaf"]);
    sandbox.down();
    let status = sandbox.ask(&["status"]);
    assert!(status.err.contains("start it with `mainstay up /"), "{status:?}");
}

#[test]
fn whoever_waits_long_is_told_for_what() {
    let sandbox = begin();
    let said = |name: &str, told: &str| {
        wait_until(&format!("{told} is said"), || sandbox.read(name).contains(told));
    };
    let start = |name: &str, arguments: &[&str]| {
        let mut command = sandbox.command(arguments);
        command.stdout(Stdio::null()).stderr(File::create(sandbox.path(name)).unwrap());
        command.spawn().unwrap()
    };
    let mut stop = start("stop.log", &["stop", "deaf"]);
    said("stop.log", "still waiting for `deaf`, which is stopping: an operator stopped it");

    let keeper = sandbox.status().keeper.pid;
    let agent = sandbox.status().agent.pid;
    for pid in [keeper, agent] {
        processes::signal(pid, SignalKind::Stop);
    }
    let mut status = start("status.log", &["status"]);
    said("status.log", "still waiting for the agent of `");
    for pid in [agent, keeper] {
        processes::signal(pid, SignalKind::Continue);
    }
    assert!(status.wait().unwrap().success());
    sandbox.get(&["kill", "deaf"]);
    assert!(stop.wait().unwrap().success());
}
