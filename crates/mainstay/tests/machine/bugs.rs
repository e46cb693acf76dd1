//! Bugs of our own: a thread of the keeper panics.
//!
//! Needs a binary that fails where it is told to: `--features fail`.

use std::fs;

use crate::{
    processes::{self, wait_until},
    sandbox::Sandbox,
};

const TWO: &str = r#"
[services.web]
command = ["sleep", "1000"]
restart = { delay = "0s" }

[services.talk]
shell = "line=0; while :; do line=$((line + 1)); echo $line; sleep 0.01; done"
"#;

/// Returns an instance that looks for its failures in the folder `fail`.
fn fallible() -> Sandbox {
    let mut sandbox = Sandbox::new(TWO);
    sandbox.up_fallible();
    sandbox.wait_for_all();
    sandbox
}

fn answers(sandbox: &Sandbox) {
    wait_until("the instance answers", || sandbox.ask(&["status"]).code == 0);
}

fn no_line_is_missing(sandbox: &Sandbox) {
    let written = || sandbox.read(".mainstay/logs/talk/talk.log").lines().count();
    let before = written();
    wait_until("it writes on", || written() > before + 10);
    let text = sandbox.read(".mainstay/logs/talk/talk.log");
    for (line, number) in processes::whole_lines(&text).lines().zip(1..) {
        assert_eq!(line, number.to_string());
    }
}

#[test]
fn a_keeper_one_of_whose_threads_panics_is_replaced_in_place_and_programs_run_on() {
    let mut sandbox = fallible();
    let (keeper, talk) = (sandbox.status().keeper.pid, sandbox.wait_for_pid("talk"));
    for (point, run) in ["bug.control", "bug.spawner", "bug.pump"].iter().zip(2..) {
        fs::write(sandbox.path("fail").join(point), "").unwrap();
        processes::kill(sandbox.wait_for_pid("web"));
        wait_until("it panics", || !sandbox.path("fail").join(point).exists());
        answers(&sandbox);
        sandbox.wait_for("web", |unit| unit.run >= run && unit.state == "running");
        assert_eq!(sandbox.copies_of("web"), [sandbox.wait_for_pid("web")], "{point}");
        assert_eq!((sandbox.status().keeper.pid, sandbox.wait_for_pid("talk")), (keeper, talk));
        assert_eq!(sandbox.unit("talk").run, 1);
        no_line_is_missing(&sandbox);
    }
    // One panic too many for a minute: then the agent begins a keeper anew.
    fs::write(sandbox.path("fail/bug.control"), "").unwrap();
    processes::kill(sandbox.wait_for_pid("web"));
    wait_until("another keeper answers", || {
        sandbox.ask(&["status"]).code == 0 && sandbox.status().keeper.pid != keeper
    });
    sandbox.wait_for("web", |unit| unit.run > 4 && unit.state == "running");
    assert_eq!(sandbox.copies_of("web"), [sandbox.wait_for_pid("web")]);
    assert_eq!((sandbox.wait_for_pid("talk"), sandbox.unit("talk").run), (talk, 1));
    no_line_is_missing(&sandbox);
    let said = sandbox.read(".mainstay/keeper.log");
    assert_eq!(said.matches("a test wanted a bug at `bug.").count(), 4, "{said}");
    assert_eq!(sandbox.down(), Some(0));
    processes::expect_none(sandbox.folder());
}
