//! Hard resets: what the keeper's journal knew is gone, and no number of a run comes twice.

use std::fs;

use mainstay_storage::numbers::Ceilings;

use crate::{
    processes::{self, wait_until},
    sandbox::Sandbox,
};

/// `web` says that it listens unless it is to be silent; by the time `later` is ready, many looks
/// have been made at `web`.
const CONFIG: &str = r#"
[services.web]
shell = "test -e silent || echo listening on 80; exec sleep 1000"
ready = { log = "listening on" }

[services.later]
shell = "sleep 0.3; echo here I am; exec sleep 1000"
ready = { log = "here I am" }
"#;

/// Ends everything at once, as the loss of power does, and forgets what a reboot forgets.
fn reset(sandbox: &mut Sandbox) {
    sandbox.kill_both();
    processes::end_all(sandbox.folder());
    fs::remove_file(sandbox.runtime().join("keeper.journal")).unwrap();
}

/// Resets an instance that has also lost these files; returns what numbers the runs of `web` had
/// before and have then.
fn check(lost: &[&str]) -> (u64, u64) {
    let mut sandbox = Sandbox::up_with(CONFIG);
    sandbox.wait_for_all();
    sandbox.get(&["restart", "web"]);
    let before = sandbox.wait_for("web", |unit| unit.state == "running" && unit.run > 1).run;
    wait_until("the ceilings are kept", || {
        let file = fs::read(sandbox.path(".mainstay/numbers")).unwrap_or_default();
        Ceilings::decode(&file).is_ok_and(|ceilings| ceilings.names.len() == 2)
    });
    reset(&mut sandbox);
    for name in lost {
        sandbox.shell(&format!("rm -r .mainstay/{name}"));
    }
    fs::write(sandbox.path("silent"), "").unwrap();
    sandbox.up();
    let later = sandbox.wait_for("later", |unit| unit.state == "running");
    let web = sandbox.unit("web");
    assert_eq!(web.state, "starting", "{lost:?}: the line of another life was believed: {web:?}");
    assert!(later.run > 1, "{lost:?}");
    let log = sandbox.get(&["logs", "web", "--run", &web.run.to_string(), "--raw"]);
    assert_eq!(log, "", "{lost:?}");
    let said = sandbox.get(&["events"]);
    assert_eq!(said.contains("which numbers runs had is not known"), lost == ["numbers"], "{said}");
    (before, web.run)
}

#[test]
fn a_run_that_a_reset_has_ended_keeps_its_number_for_itself() {
    let beyond_the_ceiling = (2, 101);
    assert_eq!(check(&[]), beyond_the_ceiling);
    assert_eq!(check(&["events"]), beyond_the_ceiling);
    for lost in [&["numbers"][..], &["numbers", "events"]] {
        let (before, next) = check(lost);
        assert!(next > before + 1_000_000, "{lost:?}: {next}");
    }
}

#[test]
fn who_goes_down_in_order_counts_on() {
    let mut sandbox = Sandbox::up_with(CONFIG);
    sandbox.wait_for_all();
    sandbox.get(&["restart", "web"]);
    sandbox.wait_for("web", |unit| unit.state == "running" && unit.run == 2);
    assert_eq!(sandbox.down(), Some(0));
    drop(fs::remove_file(sandbox.runtime().join("keeper.journal")));
    sandbox.up();
    sandbox.wait_for("web", |unit| unit.state == "running" && unit.run == 3);
}

#[test]
fn numbers_that_make_no_sense_are_set_aside_and_passed_over() {
    let mut sandbox = Sandbox::up_with(CONFIG);
    sandbox.wait_for_all();
    let runs = sandbox.runs();
    sandbox.kill_both();
    fs::write(sandbox.path(".mainstay/numbers"), "not ours").unwrap();
    sandbox.up();
    sandbox.wait_for_all();
    assert_eq!(sandbox.runs(), runs, "the keeper's journal knows them all");
    let said = sandbox.get(&["events"]);
    assert!(said.contains("the numbers make no sense: set aside as `"), "{said}");
    sandbox.get(&["restart", "web"]);
    sandbox.wait_for("web", |unit| unit.state == "running" && unit.run == 2);
}
