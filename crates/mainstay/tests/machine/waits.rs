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
    let answer = sandbox.ask(&["restart", "*", "--timeout", "3s"]);
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

const TASKS: &str = r#"
[services.migrate]
shell = "until [ -e go ]; do sleep 0.02; done; exec sh end"
type = "task"
start = "manual"
restart = { delay = "1h" }

[services.api]
command = ["sleep", "1000"]
checks = [{ file = "backend", role = "readiness", every = "100ms", failures = 1 }]
"#;

#[test]
fn a_start_of_a_task_is_done_when_the_task_has_ended_well() {
    let sandbox = Sandbox::up_with(TASKS);
    sandbox.get(&["start", "migrate", "--no-wait"]);
    sandbox.wait_for_pid("migrate");
    let began = sandbox.ask(&["start", "migrate", "--timeout", "300ms"]);
    let told = "error: `migrate` is still running: its program was started";
    assert!(began.code == 1 && began.err.starts_with(told), "{began:?}");
    std::fs::write(sandbox.path("end"), "exit 7").unwrap();
    let go = || std::fs::write(sandbox.path("go"), "").unwrap();
    go();
    let failed = sandbox.ask(&["start", "migrate"]);
    assert!(failed.code == 1 && failed.out.contains("ended with code 7"), "{failed:?}");
    std::fs::write(sandbox.path("end"), "exit 0").unwrap();
    let done = sandbox.ask(&["start", "migrate", "--wait"]);
    assert_eq!((done.code, done.out.as_str()), (0, "migrate is completed\n"), "{done:?}");
}

#[test]
fn a_start_is_not_done_while_nobody_may_rely_on_it() {
    let sandbox = Sandbox::up_with(TASKS);
    std::fs::write(sandbox.path("backend"), "").unwrap();
    assert_eq!(sandbox.ask(&["start", "api", "--wait"]).code, 0);
    std::fs::remove_file(sandbox.path("backend")).unwrap();
    sandbox.wait_for("api", |unit| unit.unready);
    let told = "and nobody may rely on it: its check `file` is bad, after";
    let answer = sandbox.ask(&["start", "api"]);
    assert!(answer.code == 1 && answer.out.contains(told), "{answer:?}");
    assert!(sandbox.get(&["tree", "api"]).contains("running, not ready: nobody may rely on it"));
    assert!(sandbox.get(&["why", "api"]).contains("nobody may rely on it, because"));
    let waited = sandbox.ask(&["start", "api", "--wait", "--timeout", "300ms"]);
    let told = "`api` is still not ready: its check `file` is bad, after";
    assert!(waited.code == 1 && waited.err.contains(told), "{waited:?}");
    let json = sandbox.ask(&["start", "api", "--json"]);
    assert!(json.code == 1 && json.out.contains("\"done\": false"), "{json:?}");
    std::fs::write(sandbox.path("backend"), "").unwrap();
    assert_eq!(sandbox.ask(&["start", "api", "--wait"]).code, 0);
}
