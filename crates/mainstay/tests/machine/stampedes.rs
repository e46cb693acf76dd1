//! Many services that are slow to become ready, at one start of their agent.

use std::{collections::BTreeMap, fmt::Write as _, fs, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::{
    processes::{self, wait_until},
    sandbox::Sandbox,
};

const SERVICES: usize = 200;
const WIDTH: usize = 20;
/// A place counts for ten seconds; an event is stamped a little after what it tells.
const COUNTS_FOR: Duration = Duration::from_secs(9);

fn many() -> String {
    let mut config = format!("parallel-starts = {WIDTH}\n");
    for number in 0..SERVICES {
        let ready = "{ file = \"go\", every = \"50ms\", timeout = \"1h\" }";
        writeln!(
            config,
            "[services.s{number:03}]\ncommand = [\"sleep\", \"1000\"]\nready = {ready}"
        )
        .unwrap();
    }
    config
}

/// Returns how many were starting at most, as the events tell; a new agent counts anew.
fn most_at_once(sandbox: &Sandbox) -> usize {
    let mut starting: BTreeMap<String, Timestamp> = BTreeMap::new();
    let mut most = 0;
    for line in sandbox.get(&["events", "--json", "-n", "5000"]).lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let at: Timestamp = event["timestamp"].as_str().unwrap().parse().unwrap();
        if event["event"] == "AgentStarted" {
            starting.clear();
        }
        let (Some(unit), Some(state)) = (event["unit"].as_str(), event["state"].as_str()) else {
            continue;
        };
        if state == "starting" {
            starting.insert(unit.to_owned(), at);
        } else {
            starting.remove(unit);
        }
        let since = at - SignedDuration::try_from(COUNTS_FOR).unwrap();
        most = most.max(starting.values().filter(|began| **began > since).count());
    }
    most
}

#[test]
fn no_more_than_so_many_are_starting_and_all_come_up_though_the_agent_dies() {
    let sandbox = Sandbox::up_with(&many());
    let is_in_line = |name: &str| sandbox.unit(name).why.contains("in line");
    wait_until("the last one waits for its turn", || is_in_line("s199"));
    let why = sandbox.unit("s199").why;
    let told = "it waits for its turn to start: it is number ";
    assert!(why.starts_with(told) && why.ends_with("and 20 may be starting at a time"), "{why}");

    let agent = sandbox.status().agent.pid;
    processes::kill(agent);
    wait_until("there is another agent", || sandbox.status().agent.pid != agent);
    wait_until("the last one waits again", || is_in_line("s199"));
    sandbox.ask(&["start", "s199", "--no-wait"]);
    assert_eq!(sandbox.unit("s199").state, "starting", "whoever is asked for does not wait");

    fs::write(sandbox.path("go"), "").unwrap();
    wait_until("all are ready", || {
        sandbox.status().units.iter().all(|unit| unit.state == "running")
    });
    let most = most_at_once(&sandbox);
    assert!((2..=WIDTH + 1).contains(&most), "{most} were starting, one of which was asked for");
}
