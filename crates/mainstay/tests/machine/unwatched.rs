//! What the system refuses to tell is no fact: a program that cannot be watched is no run and is
//! taken down at once, and who cannot be looked for is not dead.
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
    let folder = sandbox.up_fallible();
    let first = sandbox.wait_for_pid("web");

    fs::write(folder.join("unwatched"), "").unwrap();
    processes::kill(first);
    wait_until("it cannot be watched", || !folder.join("unwatched").exists());
    let third = sandbox.wait_for("web", |unit| unit.run == 3 && unit.state == "running");
    wait_until("only the watched one is left", || sandbox.copies_of("web").len() == 1);
    assert_eq!(sandbox.copies_of("web"), [third.pid.unwrap()]);
    let keeper = sandbox.status().keeper.pid;
    wait_until("the other one is reaped", || zombies_of(keeper).is_empty());
    let said = sandbox.get(&["why", "web"]) + &sandbox.get(&["events", "web"]);
    assert!(said.contains("cannot prepare its watch"), "{said}");
    assert_eq!(sandbox.down(), Some(0));
    processes::expect_none(sandbox.folder());
}

/// A keeper that finds nobody for want of memory has not found anybody dead.
#[test]
fn a_keeper_that_cannot_look_for_a_program_looks_again_and_starts_no_copy() {
    let mut sandbox = Sandbox::new("[services.web]\ncommand = [\"sleep\", \"1000\"]\n");
    let folder = sandbox.up_fallible();
    let web = sandbox.wait_for_pid("web");
    fs::write(folder.join("lack.look"), "").unwrap();
    let keeper = sandbox.status().keeper.pid;
    processes::kill(keeper);
    wait_until("another keeper cannot look", || !folder.join("lack.look").exists());
    wait_until("another keeper works", || {
        sandbox.ask(&["status"]).code == 0 && sandbox.status().keeper.pid != keeper
    });
    assert_eq!(sandbox.wait_for_pid("web"), web);
    assert_eq!(sandbox.copies_of("web"), [web]);
    assert_eq!(sandbox.unit("web").run, 1);
}

#[test]
fn what_cannot_be_looked_for_after_an_end_is_looked_for_again_before_the_next_start() {
    let mut sandbox = Sandbox::new(
        "[services.web]\nshell = \"sleep 777 & exec sleep 1000\"\nrestart = { delay = \"10ms\" }\n",
    );
    let folder = sandbox.up_fallible();
    let first = sandbox.wait_for_pid("web");
    wait_until("it has a child", || sandbox.copies_of("web").len() == 2);
    fs::write(folder.join("lack.sweep"), "").unwrap();
    processes::kill(first);
    sandbox.wait_for("web", |unit| unit.run == 2 && unit.state == "running");
    assert!(!folder.join("lack.sweep").exists());
    wait_until("only two are left", || sandbox.copies_of("web").len() == 2);
}

/// Returns the children of a process that have ended and were not reaped.
fn zombies_of(parent: u32) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let stats = entries.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    let is_one = |stat: &String| {
        let rest = stat.rsplit_once(") ").map(|pair| pair.1).unwrap_or_default();
        rest.starts_with(&format!("Z {parent} "))
    };
    stats.filter(is_one).collect()
}
