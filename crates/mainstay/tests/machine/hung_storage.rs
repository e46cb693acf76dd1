//! A program on storage that does not answer: it alone waits, and can be given up.

use crate::{
    disks::Hang,
    processes::{self, wait_until},
    sandbox::Sandbox,
};

const TWO: &str = r#"
[services.hung]
command = ["sleep", "1000"]
directory = "hang"
stop = { timeout = "300ms" }
restart = { delay = "1h", max-delay = "1h" }

[services.web]
command = ["sleep", "1000"]
restart = { delay = "0s" }
"#;

/// Returns an instance one of whose programs waits for its folder.
fn hung() -> Option<(Sandbox, Hang)> {
    let mut sandbox = Sandbox::new(TWO);
    let hang = Hang::at(&sandbox.path("hang"))?;
    sandbox.up();
    sandbox.wait_for_pid("web");
    Some((sandbox, hang))
}

#[test]
fn a_start_that_hangs_hinders_nobody_and_tells_what_it_waits_for() {
    let Some((sandbox, mut hang)) = hung() else { return };
    for run in 2..6 {
        processes::kill(sandbox.wait_for_pid("web"));
        sandbox.wait_for("web", |unit| unit.run == run && unit.state == "running");
    }
    assert_eq!(sandbox.unit("hung").state, "starting");
    wait_until("it is said", || {
        let why = sandbox.get(&["why", "hung"]);
        why.contains("The system has not answered for ") && why.contains("/hang`")
    });
    hang.give_up();
    let unit = sandbox.wait_for("hung", |unit| unit.state == "backoff");
    let step = "run 1 was not started: cannot enter directory `";
    assert!(unit.why.starts_with(step), "{}", unit.why);
}

#[test]
fn a_start_that_hangs_can_be_stopped() {
    let Some((mut sandbox, hang)) = hung() else { return };
    sandbox.get(&["stop", "hung"]);
    assert_eq!(sandbox.unit("hung").state, "stopped");
    sandbox.get(&["start", "hung", "--no-wait"]);
    sandbox.wait_for("hung", |unit| unit.state == "starting");
    assert_eq!(sandbox.down(), Some(0));
    processes::expect_none(sandbox.folder());
    drop(hang);
    processes::expect_none(sandbox.folder());
}

#[test]
fn a_configuration_that_cannot_be_read_keeps_nobody_waiting() {
    let sandbox = Sandbox::up_with("[services.web]\ncommand = [\"sleep\", \"1000\"]\n");
    sandbox.wait_for_pid("web");
    let folder = sandbox.path("services.d");
    let Some(mut hang) = Hang::at(&folder) else { return };
    for edit in [["add", "api", "--", "sleep", "1000"].as_slice(), &["remove", "web"]] {
        let answer = sandbox.ask(edit);
        assert_eq!(answer.code, 1, "{edit:?}: {answer:?}");
        let named = format!("cannot read `{}`", folder.display());
        assert!(answer.err.contains(&named), "{edit:?}: {answer:?}");
    }
    sandbox.get(&["stop", "web"]);
    assert_eq!(sandbox.unit("web").state, "stopped");
    for command in ["check", "up"] {
        let answer = sandbox.ask(&[command]);
        assert_eq!(answer.code, 1, "{command}: {answer:?}");
        assert!(answer.err.contains("what it lies on does not answer"), "{command}: {answer:?}");
    }
    hang.give_up();
    drop(hang);
    wait_until("the files are edited", || sandbox.ask(&["remove", "web"]).code == 0);
}
