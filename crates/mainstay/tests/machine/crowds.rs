//! Many services at once, and what a machine must allow for them.

use std::{fmt::Write as _, fs};

use mainstay_platform::clock;

use crate::{processes, processes::wait_until, sandbox::Sandbox};

/// More than an ordinary user has pipes of full size: 16,384 pages of 4 KiB, 16 for each pipe.
const CROWD: usize = 1_100;

fn crowd_of(count: usize) -> String {
    let mut config = String::new();
    for number in 0..count {
        let _ = writeln!(
            config,
            "[services.s{number}]\nshell = \"echo this is $MAINSTAY_UNIT; exec sleep 1000\"\n"
        );
    }
    config
}

#[test]
fn an_ordinary_user_may_have_more_services_than_pipes_of_full_size() {
    let mut sandbox = Sandbox::new(&crowd_of(CROWD));
    sandbox.belong_to_nobody();
    sandbox.up();
    sandbox.wait_for_all();
    assert_eq!(sandbox.status().units.len(), CROWD);
    let log = |number: usize| sandbox.read(&format!(".mainstay/logs/s{number}/s{number}.log"));
    wait_until("each has written its line", || {
        (0..CROWD).all(|number| log(number) == format!("this is s{number}\n"))
    });
    // Other tenants of the machine may slow one down, but not all of them.
    wait_until("`status` takes less than a second", || {
        let began = clock::monotonic();
        assert_eq!(sandbox.get(&["status"]).lines().count(), CROWD + 3);
        clock::monotonic().saturating_sub(began).as_secs() < 1
    });
    let keeper = sandbox.status().keeper.pid;
    let owner = fs::read_to_string(format!("/proc/{keeper}/status")).unwrap();
    let owner = owner.lines().find(|line| line.starts_with("Uid:")).unwrap();
    assert!(!owner.contains("\t0"), "an administrator has all pipes: {owner}");
    assert_eq!(sandbox.down(), Some(0));
    processes::expect_none(sandbox.folder());
}

#[test]
fn too_few_open_files_are_refused_with_the_number_that_is_needed() {
    // 96 of their own, and three for each unit.
    const ENOUGH_FOR_TEN: &str = "ulimit -n 126; exec \"$0\" \"$@\"";
    let mut sandbox = Sandbox::new(&crowd_of(11));
    sandbox.through(&["sh", "-c", ENOUGH_FOR_TEN]);
    let expected = "11 units need 129 open files, and 126 are allowed";
    let up = sandbox.ask(&["up"]);
    assert_eq!(up.code, 1);
    assert!(up.err.contains(expected) && up.err.contains("`ulimit -n 129`"), "{}", up.err);
    assert!(!sandbox.path(".mainstay").exists(), "something was started");

    let ten = crowd_of(10);
    fs::write(sandbox.file(), &ten).unwrap();
    sandbox.up();
    sandbox.wait_for_all();
    let before = sandbox.runs();
    let added = sandbox.ask(&["add", "more", "--", "sleep", "1000"]);
    assert_eq!((added.code, added.err.contains(expected)), (1, true), "{added:?}");
    assert_eq!(sandbox.read("mainstay.toml"), ten);
    fs::write(sandbox.file(), crowd_of(11)).unwrap();
    let applied = sandbox.ask(&["up"]);
    assert_eq!((applied.code, applied.err.contains(expected)), (1, true), "{applied:?}");
    assert_eq!(sandbox.runs(), before);

    fs::write(sandbox.file(), &ten).unwrap();
    sandbox.get(&["remove", "s9"]);
    sandbox.get(&["add", "more", "--", "sleep", "1000"]);
    sandbox.wait_for_pid("more");
    // Every program is there, ends and starts again within what is allowed.
    sandbox.get(&["restart", "*"]);
    sandbox.wait_for_all();
    assert_eq!(sandbox.down(), Some(0));
}
