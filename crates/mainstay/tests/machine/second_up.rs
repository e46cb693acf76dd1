//! A second `up`: it says what the file changes about what runs, and applies it.

use std::fs;

use crate::{
    processes::{self, wait_until},
    sandbox::Sandbox,
};

const THREE: &str = r#"
hot-reload = false
[services.api]
command = ["sleep", "1000"]

[services.old]
command = ["sleep", "1000"]

[services.web]
command = ["sleep", "1000"]
"#;

const CHANGED: &str = r#"
hot-reload = false
[services.api]
command = ["sleep", "2000"]
instances = 2

[services.new]
command = ["sleep", "1000"]

[services.web]
command = ["sleep", "1000"]
stop = { timeout = "1s" }
"#;

/// Starts another `up` and returns what it says at first.
fn greeting(sandbox: &mut Sandbox) -> String {
    fs::write(sandbox.path("up.log"), "").unwrap();
    sandbox.start_up(sandbox.command(&["up"]));
    wait_until("it has said everything", || sandbox.read("up.log").contains("Ctrl-C"));
    sandbox.read("up.log")
}

#[test]
fn the_difference_is_told_and_applied() {
    let mut sandbox = Sandbox::up_with(THREE);
    sandbox.wait_for_all();
    let before = sandbox.runs();
    fs::write(sandbox.file(), CHANGED).unwrap();
    let said = greeting(&mut sandbox);
    for line in [
        "attached to the running instance",
        "the configuration has changed; applied:",
        "  + new: new",
        "  ~ api: command, instances changed; its programs are started anew",
        "  ~ web: stop changed; its programs run on",
        "  - old: not configured any more; what runs of it runs on, `mainstay apply --prune` ends it",
    ] {
        assert!(said.contains(line), "{line} is missing in: {said}");
    }
    sandbox.wait_for("api", |unit| unit.run == 2 && unit.state == "running");
    for unit in ["new", "api@2"] {
        wait_until("it is there", || sandbox.status().units.iter().any(|one| one.unit == unit));
        sandbox.wait_for_pid(unit);
    }
    for unit in ["old", "web"] {
        let now = sandbox.runs().into_iter().find(|run| run.0 == unit);
        assert!(now.as_ref().is_some_and(|now| before.contains(now)), "{unit}: {now:?}");
    }
    assert!(sandbox.unit("old").orphaned);
    sandbox.get(&["stop", "old"]);
    let old = sandbox.unit("old");
    assert!(old.orphaned && old.state == "stopped", "{old:?}");
}

#[test]
fn what_a_running_program_keeps_is_said_until_it_is_restarted() {
    let mut sandbox = Sandbox::up_with(THREE);
    sandbox.wait_for_all();
    let pid = sandbox.unit("web").pid;
    fs::write(sandbox.file(), THREE.to_owned() + "logs = { max-size = \"1MiB\" }\n").unwrap();
    let said = greeting(&mut sandbox);
    let line = "  ~ web: logs changed; its programs run on, with some of it only after";
    assert!(said.contains(line), "{said}");
    assert!(sandbox.unit("web").outdated);
    // The next agent reads it from the run.
    let former = sandbox.status().agent.pid;
    processes::kill(former);
    wait_until("another agent answers", || {
        sandbox.ask(&["status"]).code == 0 && sandbox.status().agent.pid != former
    });
    assert_eq!(sandbox.unit("web").pid, pid);
    assert!(sandbox.get(&["status"]).contains("outdated: `mainstay restart` applies"));
    assert!(sandbox.get(&["why", "web"]).contains("`mainstay restart web` applies all of it"));
    sandbox.get(&["restart", "web"]);
    assert!(!sandbox.unit("web").outdated);
}

#[test]
fn the_same_file_changes_nothing_and_says_so() {
    let mut sandbox = Sandbox::up_with(THREE);
    sandbox.wait_for_all();
    let before = sandbox.runs();
    let said = greeting(&mut sandbox);
    assert!(said.contains("the configuration is the one that runs; nothing to apply"), "{said}");
    assert_eq!(sandbox.runs(), before);
}
