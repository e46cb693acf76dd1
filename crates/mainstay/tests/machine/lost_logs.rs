//! Logs that somebody deletes, moves or empties while their programs write.

use crate::{processes::wait_until, sandbox::Sandbox};

const LOG: &str = ".mainstay/logs/count/count.log";

/// Counts for as long as it is let; each line is far longer than a hundredth of a segment.
const COUNT: &str = r#"
[services.count]
shell = "n=0; while sleep 0.005; do n=$((n+1)); echo \"line $n of a program that goes on and on\"; done"
logs = { max-size = "1KiB" }
"#;

/// What makes room on a disk, rightly or wrongly.
const TAKINGS: [&str; 5] = [
    "rm .mainstay/logs/count/count.log",
    ": > .mainstay/logs/count/count.log",
    "mv .mainstay/logs/count/count.log moved.log",
    "rm -rf .mainstay/logs/count",
    "mv .mainstay/logs moved",
];

#[test]
fn a_log_that_was_taken_away_begins_anew_and_rotates_on() {
    let sandbox = Sandbox::up_with(COUNT);
    let pid = sandbox.wait_for_pid("count");
    for taking in TAKINGS {
        wait_until("there is a log", || sandbox.read(LOG).contains("line "));
        sandbox.shell(taking);
        let before = last_number(&sandbox);
        // So many lines do not fit into one segment.
        wait_until(&format!("it goes on after `{taking}`"), || last_number(&sandbox) > before + 60);
        assert!(!sandbox.read(LOG).contains('\0'), "{taking}");
        let said = sandbox.get(&["logs", "count"]);
        assert!(said.contains("goes on and on"), "{taking}: {said}");
    }
    assert_eq!(sandbox.wait_for_pid("count"), pid);
    let events = sandbox.get(&["events"]);
    assert!(!events.contains("takes nothing"), "{events}");
}

/// Returns the number in the last whole line.
fn last_number(sandbox: &Sandbox) -> u32 {
    let text = sandbox.ask(&["logs", "count", "--raw", "--lines", "all"]).out;
    let numbers = text.lines().filter_map(|line| line.split(' ').nth(1)?.parse().ok());
    numbers.max().unwrap_or_default()
}
