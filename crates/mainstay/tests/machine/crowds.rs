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
    let took = (0..5).map(|_| {
        let began = clock::monotonic();
        assert_eq!(sandbox.get(&["status"]).lines().count(), CROWD + 3);
        clock::monotonic().saturating_sub(began)
    });
    let quickest = took.min().unwrap();
    assert!(quickest.as_secs() < 1, "`status` takes {quickest:?}");
    let keeper = sandbox.status().keeper.pid;
    let owner = fs::read_to_string(format!("/proc/{keeper}/status")).unwrap();
    let owner = owner.lines().find(|line| line.starts_with("Uid:")).unwrap();
    assert!(!owner.contains("\t0"), "an administrator has all pipes: {owner}");
    assert_eq!(sandbox.down(), Some(0));
    assert!(processes::of_folder(sandbox.folder()).is_empty());
}
