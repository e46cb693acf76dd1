//! A program that was started and cannot be watched is no run: it is taken down at once.
//!
//! Needs a binary that fails where it is told to: `--features fail`.

use std::fs;

use crate::{
    processes::{self, wait_until},
    sandbox::Sandbox,
};

const ONE: &str = r#"
[services.web]
shell = "echo $$ >> pids; exec sleep 1000"
restart = { delay = "10ms", max-delay = "10ms" }
"#;

#[test]
fn a_program_that_cannot_be_watched_is_killed_and_started_again() {
    let mut sandbox = Sandbox::new(ONE);
    let folder = sandbox.path("fail");
    fs::create_dir(&folder).unwrap();
    let mut up = sandbox.command(&["up"]);
    up.env("MAINSTAY_FAIL_DIR", &folder);
    sandbox.start_up(up);
    wait_until("the instance answers", || sandbox.ask(&["status"]).code == 0);
    let first = sandbox.wait_for_pid("web");

    fs::write(folder.join("unwatched"), "").unwrap();
    processes::kill(first);
    wait_until("it cannot be watched", || !folder.join("unwatched").exists());
    let third = sandbox.wait_for("web", |unit| unit.run == 3 && unit.state == "running");
    wait_until("only the watched one is left", || sandbox.copies_of("web").len() == 1);
    assert_eq!(sandbox.copies_of("web"), [third.pid.unwrap()]);
    let said = sandbox.get(&["why", "web"]) + &sandbox.get(&["events", "web"]);
    assert!(said.contains("cannot prepare its watch"), "{said}");
    assert_eq!(sandbox.down(), Some(0));
    processes::expect_none(sandbox.folder());
}
