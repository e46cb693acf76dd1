//! Programs that do not behave: they are contained, and their instance stays well.

use std::{fs, io::ErrorKind, time::Duration};

use mainstay_api::control::Status;
use mainstay_platform::{
    clock,
    door::{Connection, Received},
    process::SignalKind,
};

use crate::{
    processes::{self, wait_until},
    sandbox::Sandbox,
};

#[test]
fn a_program_that_ignores_term_is_killed_at_its_deadline() {
    let sandbox = Sandbox::up_with(
        r#"
[services.deaf]
shell = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
stop = { timeout = "300ms" }

[services.patient]
shell = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
stop = { timeout = "1h" }
"#,
    );
    for unit in ["deaf", "patient"] {
        sandbox.wait_for_pid(unit);
        let log = format!(".mainstay/logs/{unit}/{unit}.log");
        wait_until("it ignores TERM", || sandbox.read(&log) == "ready\n");
    }
    // However slow the machine is, this one is still there to be looked at.
    let pid = sandbox.unit("patient").pid;
    sandbox.get(&["stop", "patient", "--no-wait"]);
    let stopping = sandbox.unit("patient");
    assert_eq!((stopping.state.as_str(), stopping.pid), ("stopping", pid));
    assert_eq!(stopping.next.unwrap().what, "kill");
    sandbox.get(&["kill", "patient"]);

    sandbox.get(&["stop", "deaf", "--no-wait"]);
    let stopped = sandbox.wait_for("deaf", |unit| unit.state == "stopped");
    let exit = stopped.last_exit.unwrap();
    assert_eq!((exit.signal, exit.code), (Some(9), None));
    assert!(exit.lived_ms >= 300, "{exit:?}");
    assert_eq!(sandbox.copies_of("deaf"), [0; 0]);
}

#[test]
fn a_program_that_stands_still_hears_that_it_is_asked_to_leave() {
    let sandbox = Sandbox::up_with(
        r#"
[services.still]
command = ["sleep", "1000"]
stop = { timeout = "1h" }
"#,
    );
    let pid = sandbox.wait_for_pid("still");
    processes::signal(pid, SignalKind::Stop);
    sandbox.get(&["stop", "still"]);
    let exit = sandbox.unit("still").last_exit.unwrap();
    assert_eq!((exit.signal, exit.code), (Some(15), None));
}

#[test]
fn what_a_run_leaves_behind_is_ended_before_the_next_one() {
    let sandbox = Sandbox::up_with(
        r#"
[services.child]
shell = "sleep 1000 & echo run $MAINSTAY_RUN; exit 1"
restart = { delay = "1ms", max-delay = "1ms" }

[services.daemon]
shell = "setsid --fork sleep 1000; setsid --fork sh -c 'sleep 1000 & wait'; exit 0"
restart = { delay = "1ms", max-delay = "1ms" }

[services.deaf]
shell = "(trap '' TERM; while :; do sleep 1; done) & exit 1"
restart = { delay = "1ms", max-delay = "1ms" }
"#,
    );
    sandbox.wait_for("child", |unit| unit.run > 5);
    sandbox.wait_for("daemon", |unit| unit.run > 5);
    sandbox.wait_for("deaf", |unit| unit.run > 1);
    for unit in ["child", "daemon", "deaf"] {
        sandbox.get(&["stop", unit]);
        wait_until("nothing is left of it", || sandbox.copies_of(unit).is_empty());
    }
    let lines = sandbox.read(".mainstay/logs/child/child.log");
    assert_every_run_wrote_its_line(&lines);
}

fn assert_every_run_wrote_its_line(lines: &str) {
    for (line, run) in lines.lines().zip(1..) {
        assert_eq!(line, format!("run {run}"), "{lines}");
    }
    assert!(lines.is_empty() || lines.ends_with('\n'), "{lines}");
}

#[test]
fn grandchildren_that_hold_the_pipe_over_many_runs_lose_no_line_and_are_bounded() {
    let sandbox = Sandbox::up_with(
        r#"
[services.leaver]
shell = "(sleep 1000) & echo run $MAINSTAY_RUN; exit 1"
restart = { delay = "1ms", max-delay = "1ms" }
stop = { scope = "process" }
"#,
    );
    let after = sandbox.wait_for("leaver", |unit| unit.run > 25);
    sandbox.get(&["stop", "leaver"]);
    let lines = || sandbox.read(".mainstay/logs/leaver/leaver.log");
    wait_until("each has its line", || lines().lines().count() as u64 >= after.run - 1);
    let lines = lines();
    assert_every_run_wrote_its_line(&lines);
    assert!(sandbox.copies_of("leaver").len() > 20, "the scope leaves them alone");
    // Four of older runs, that of the last one, and the few that the keeper works with.
    let keeper = sandbox.status().keeper.pid;
    wait_until("old pipes are closed", || pipes_of(keeper) <= 12);
    // The agent holds for the keeper what the keeper has.
    let agent = sandbox.status().agent.pid;
    wait_until("nobody else holds them", || pipes_of(agent) <= 12);
    let events = sandbox.get(&["events", "leaver", "--lines", "1000"]);
    assert!(events.contains("an old pipe of `leaver` was closed: run 1\n"), "{events}");
}

#[test]
fn what_ends_while_its_pipe_is_on_its_way_to_the_agent_is_held_by_nobody() {
    let sandbox = Sandbox::up_with(
        r#"
[services.brief]
shell = "sleep 1 & exit 1"
restart = { delay = "0s" }
stop = { scope = "process" }
"#,
    );
    sandbox.wait_for("brief", |unit| unit.run > 300);
    sandbox.get(&["stop", "brief"]);
    wait_until("the last of them ends", || sandbox.copies_of("brief").is_empty());
    let agent = sandbox.status().agent.pid;
    wait_until("all pipes are closed", || pipes_of(agent) <= 12);
}

#[test]
fn an_agent_keeps_nothing_of_the_keepers_that_died() {
    const DEATHS: usize = 6;
    let sandbox = Sandbox::up_with("[services.web]\ncommand = [\"sleep\", \"1000\"]\n");
    sandbox.wait_for_all();
    let agent = sandbox.status().agent.pid;
    let before = held_by(agent, "socket:");
    for _ in 0..DEATHS {
        let former = sandbox.status().keeper.pid;
        processes::kill(former);
        wait_until("there is another keeper", || {
            let status = serde_json::from_str::<Status>(&sandbox.ask(&["status", "--json"]).out);
            status.is_ok_and(|status| status.keeper.pid != former)
        });
    }
    assert_eq!(sandbox.status().agent.pid, agent);
    wait_until("their sockets are closed", || held_by(agent, "socket:") <= before + 1);
}

/// Counts the pipes that a process holds.
fn pipes_of(pid: u32) -> usize {
    held_by(pid, "pipe:")
}

/// Counts what a process holds of a kind.
fn held_by(pid: u32, kind: &str) -> usize {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    let targets = entries.filter_map(|entry| fs::read_link(entry.path()).ok());
    targets.filter(|target| target.to_string_lossy().starts_with(kind)).count()
}

#[test]
fn a_program_that_closes_its_output_runs_on_and_is_stopped_as_usual() {
    let sandbox = Sandbox::up_with(
        "[services.mute]\nshell = \"echo last words; exec >&- 2>&- <&-; exec sleep 1000\"\n",
    );
    let pid = sandbox.wait_for_pid("mute");
    let log = || sandbox.read(".mainstay/logs/mute/mute.log");
    wait_until("its words are there", || log() == "last words\n");
    // A closed pipe is always ready: whoever watched it would never rest.
    assert_rests(&sandbox);
    assert_eq!(sandbox.wait_for_pid("mute"), pid);
    sandbox.get(&["stop", "mute"]);
    assert!(!processes::is_alive(pid));
}

/// Expects keeper and agent to come to rest: half a second in which they do next to nothing.
fn assert_rests(sandbox: &Sandbox) {
    let (keeper, agent) = (sandbox.status().keeper.pid, sandbox.status().agent.pid);
    let used = || processes::time_used_by(keeper) + processes::time_used_by(agent);
    wait_until("nobody is busy any more", || {
        let (before, began) = (used(), clock::monotonic());
        wait_until("half a second has passed", || {
            clock::monotonic() > began + Duration::from_millis(500)
        });
        used().saturating_sub(before) <= Duration::from_millis(20)
    });
}

#[test]
fn an_agent_answers_quickly_while_a_hundred_programs_crash_for_ever() {
    const SAMPLES: usize = 21;
    let mut sandbox = Sandbox::up_with(
        r#"
[services.crash]
command = ["true"]
instances = 100
restart = { delay = "1ms", max-delay = "1ms" }

[services.steady]
command = ["sleep", "1000"]
"#,
    );
    let steady = sandbox.wait_for_pid("steady");
    let crashing = || sandbox.status().units.into_iter().filter(|unit| unit.service == "crash");
    wait_until("they crash", || crashing().all(|unit| unit.restarts > 2));
    let socket = sandbox.runtime().join("api.sock");
    // Other tenants of the machine may slow a round down, but not all of them.
    wait_until("half of the answers come within 50 ms", || {
        let mut times: Vec<Duration> = (0..SAMPLES).map(|_| time_of_status(&socket)).collect();
        times.sort();
        times[SAMPLES / 2] < Duration::from_millis(50)
    });
    assert!(crashing().all(|unit| unit.degraded));
    sandbox.get(&["restart", "steady"]);
    let steady_again = sandbox.wait_for("steady", |unit| unit.run == 2 && unit.pid.is_some());
    assert_ne!(steady_again.pid, Some(steady));
    sandbox.get(&["stop", "crash"]);
    assert_rests(&sandbox);
    assert_eq!((sandbox.unit("steady").pid, sandbox.unit("steady").run), (steady_again.pid, 2));
    assert_eq!(sandbox.down(), Some(0));
    processes::expect_none(sandbox.folder());
}

/// Asks the API for the status and measures until the last byte.
fn time_of_status(socket: &std::path::Path) -> Duration {
    let began = clock::monotonic();
    let connection = Connection::open(socket).unwrap();
    let question = b"GET /v1/status HTTP/1.1\r\nhost: mainstay\r\nconnection: close\r\n\r\n";
    assert_eq!(connection.send(question, &[]).unwrap(), question.len());
    let mut answer = Vec::new();
    loop {
        match connection.receive(&mut answer, &mut Vec::new()) {
            Ok(Received::Bytes(_)) => {}
            Ok(Received::Empty) => std::thread::park_timeout(Duration::from_micros(200)),
            Ok(Received::Closed) => break,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}"),
        }
    }
    let took = clock::monotonic().saturating_sub(began);
    let text = String::from_utf8(answer).unwrap();
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.ends_with("]}"), "{text}");
    took
}
