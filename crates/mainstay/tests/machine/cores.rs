//! What becomes of our own memory when we crash, what programs may leave of theirs, and how many
//! files they may have open, whatever we ourselves need.

use std::fs;

use crate::{
    processes::{self, wait_until},
    sandbox::Sandbox,
};

/// Returns the soft limit of core files of a process, in bytes.
fn limit_of(pid: u32) -> String {
    soft_limit(pid, "Max core file size", 4)
}

fn soft_limit(pid: u32, what: &str, word: usize) -> String {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let line = limits.lines().find(|line| line.starts_with(what)).unwrap();
    line.split_whitespace().nth(word).unwrap().to_owned()
}

/// Neither a file nor a handler gets anything.
const NOTHING: &str = "1";
/// What the instance was started with.
const GIVEN: &str = "40960";

#[test]
fn we_leave_no_core_and_programs_keep_their_limit_whoever_started_them() {
    let mut sandbox = Sandbox::new(
        "[services.web]\ncommand = [\"sleep\", \"1000\"]\nrestart = { delay = \"10ms\" }\n\
         environment = { A = { command = [\"cat\", \"/proc/self/limits\"] } }\n",
    );
    sandbox.through(&["prlimit", &format!("--core={GIVEN}:"), "--nofile=900:"]);
    sandbox.up();
    let expect = |run: u64| {
        let unit = sandbox.wait_for("web", |unit| unit.run >= run && unit.state == "running");
        let pid = unit.pid.unwrap();
        assert_eq!(limit_of(pid), GIVEN, "run {run}");
        assert_eq!(soft_limit(pid, "Max open files", 3), "900", "run {run}");
        let status = sandbox.status();
        assert_eq!([limit_of(status.keeper.pid), limit_of(status.agent.pid)], [NOTHING; 2]);
        // Who is asked for values handles them as we do.
        let environment = fs::read_to_string(format!("/proc/{pid}/environ")).unwrap();
        let asked =
            environment.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(asked.split_whitespace().nth(4), Some(NOTHING));
        pid
    };
    let first = expect(1);

    // An upgrade in place, and a keeper that an agent has started, begin with the same.
    sandbox.get(&["upgrade"]);
    processes::kill(first);
    let second = expect(2);
    let keeper = sandbox.status().keeper.pid;
    processes::kill(keeper);
    wait_until("there is another keeper", || {
        sandbox.ask(&["status"]).code == 0 && sandbox.status().keeper.pid != keeper
    });
    processes::kill(second);
    expect(3);
}

#[test]
fn a_hard_limit_of_nothing_keeps_handlers_away_from_roots_instances_as_well() {
    let mut sandbox = Sandbox::new("[services.web]\ncommand = [\"sleep\", \"1000\"]\n");
    // In a container root may lack that right.
    let raise = "prlimit --core=0:0 sh -c 'prlimit --core=1:1 --pid $$' && echo || echo refused";
    if sandbox.shell(raise) == "refused\n" {
        return;
    }
    sandbox.through(&["prlimit", "--core=0:0"]);
    sandbox.up();
    let pid = sandbox.wait_for_pid("web");
    let status = sandbox.status();
    assert_eq!([limit_of(status.keeper.pid), limit_of(status.agent.pid)], [NOTHING; 2]);
    assert_eq!(limit_of(pid), "0");
}
