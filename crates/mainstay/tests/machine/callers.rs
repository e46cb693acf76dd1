//! Callers who say nothing, more than a keeper can take, and one who goes on listening.

use std::{fs, time::Duration};

use mainstay_platform::door::Connection;

use crate::{
    processes::{self, wait_until},
    sandbox::Sandbox,
};

const ONE: &str = "[services.web]\ncommand = [\"sleep\", \"1000\"]\n";
const LOG: &str = ".mainstay/keeper.log";
/// More than a keeper hears at a time.
const CALLERS: usize = 60;
/// What a keeper may use of five seconds.
const TIME_MAX: Duration = Duration::from_millis(300);

fn call(sandbox: &Sandbox) -> Vec<Connection> {
    let socket = sandbox.runtime().join("keeper.sock");
    (0..CALLERS).map(|_| Connection::open(&socket).unwrap()).collect()
}

fn descriptors_of(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

#[test]
fn silent_callers_are_few_and_go_after_a_while() {
    let sandbox = Sandbox::up_with(ONE);
    let (web, keeper) = (sandbox.wait_for_pid("web"), sandbox.status().keeper.pid);
    let before = descriptors_of(keeper);
    let callers = call(&sandbox);
    assert!(descriptors_of(keeper) <= before + 17, "{}", descriptors_of(keeper));
    processes::kill(sandbox.status().agent.pid);
    wait_until("another agent is heard", || sandbox.ask(&["status"]).code == 0);
    wait_until("nobody is waited for", || descriptors_of(keeper) <= before);
    assert_eq!(sandbox.wait_for_pid("web"), web);
    drop(callers);
}

#[test]
fn whoever_follows_the_events_goes_on_with_the_next_agent() {
    let sandbox = Sandbox::up_with(ONE);
    sandbox.wait_for_pid("web");
    let log = fs::File::create(sandbox.path("followed")).unwrap();
    let mut follower = sandbox.command(&["events", "-f"]).stdout(log).spawn().unwrap();
    wait_until("what was is told", || sandbox.read("followed").contains("`web` is running"));
    for _ in 0..2 {
        let former = sandbox.status().agent.pid;
        processes::kill(former);
        wait_until("another agent answers", || sandbox.status().agent.pid != former);
    }
    sandbox.get(&["stop", "web"]);
    wait_until("what comes is told", || sandbox.read("followed").contains("`web` is stopped"));
    follower.kill().unwrap();
    follower.wait().unwrap();
}

#[test]
fn a_keeper_without_descriptors_waits_and_its_log_stays_short() {
    let sandbox = Sandbox::up_with(ONE);
    let (web, keeper) = (sandbox.wait_for_pid("web"), sandbox.status().keeper.pid);
    let limit = descriptors_of(keeper) + 3;
    fs::write(sandbox.path(LOG), "an old word\n".repeat(100_000)).unwrap();
    sandbox.shell(&format!("prlimit --pid {keeper} --nofile={limit}:"));
    let used = processes::time_used_by(keeper);
    let callers = call(&sandbox);
    wait_until("the keeper complains", || sandbox.read(LOG).contains("cannot accept an agent"));
    // The guests it has are shown out after five seconds, so long it can let nobody in.
    wait_until("the first callers go", || descriptors_of(keeper) < limit - 1);
    let used = processes::time_used_by(keeper).saturating_sub(used);
    assert!(used < TIME_MAX, "{used:?}");
    let log = sandbox.read(LOG);
    assert!(!log.contains("an old word") && log.len() < 1000, "{log}");
    drop(callers);
    sandbox.shell(&format!("prlimit --pid {keeper} --nofile=1024:"));
    processes::kill(sandbox.status().agent.pid);
    wait_until("another agent is heard", || sandbox.ask(&["status"]).code == 0);
    assert_eq!(sandbox.wait_for_pid("web"), web);
}
