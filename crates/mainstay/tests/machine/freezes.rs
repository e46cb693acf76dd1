//! Programs that are paused: they stand still with all that they have started, whoever dies.

use std::fs;

use serde_json::Value;

use crate::{
    processes::{self, wait_until},
    sandbox::Sandbox,
};

const TWO: &str = r#"
[services.clock]
shell = "while :; do echo >> clock; sleep 0.02; done"

[services.work]
shell = "setsid sh -c 'while :; do echo >> apart; sleep 0.02; done' & trap 'echo bye; exit 0' TERM; while :; do echo >> work; sleep 0.02; done"
checks = [{ file = "well", every = "100ms", failures = 1 }]
restart = { delay = "10ms" }
"#;

const FILES: [&str; 2] = ["work", "apart"];

fn up() -> Sandbox {
    let mut sandbox = Sandbox::new(TWO);
    fs::write(sandbox.path("well"), "").unwrap();
    sandbox.up();
    goes_on(&sandbox);
    sandbox
}

fn length(sandbox: &Sandbox, name: &str) -> u64 {
    fs::metadata(sandbox.path(name)).map_or(0, |file| file.len())
}

fn goes_on(sandbox: &Sandbox) {
    let before = FILES.map(|name| length(sandbox, name));
    let has_grown = |(name, before): (&str, u64)| length(sandbox, name) > before;
    wait_until("it goes on", || FILES.into_iter().zip(before).all(has_grown));
}

/// Whoever was in the middle of a call comes to the end of it before it stands still.
fn stands_still(sandbox: &Sandbox) {
    wait_until("it stands still while others go on", || {
        let (before, ticks) = (FILES.map(|name| length(sandbox, name)), length(sandbox, "clock"));
        wait_until("others go on", || length(sandbox, "clock") > ticks + 25);
        before == FILES.map(|name| length(sandbox, name))
    });
}

#[test]
fn who_is_paused_stands_still_outlives_its_agent_and_is_blamed_for_nothing() {
    let sandbox = up();
    let before = sandbox.unit("work");
    let told = sandbox.get(&["pause", "work"]);
    assert!(told.starts_with("work is paused (pid "), "{told}");
    stands_still(&sandbox);
    fs::remove_file(sandbox.path("well")).unwrap();

    let agent = sandbox.status().agent.pid;
    processes::kill(agent);
    wait_until("there is another agent", || sandbox.status().agent.pid != agent);
    let paused = sandbox.unit("work");
    assert_eq!((paused.state.as_str(), paused.why.as_str()), ("paused", "an operator paused it"));
    assert_eq!((paused.pid, paused.run), (before.pid, before.run));
    stands_still(&sandbox);
    let refused = sandbox.ask(&["start", "work"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    let remedy = "`work` is paused; `mainstay resume work` lets it go on";
    assert!(refused.err.contains(remedy), "{refused:?}");

    fs::write(sandbox.path("well"), "").unwrap();
    let told = sandbox.get(&["resume", "work"]);
    assert!(told.starts_with("work is running (pid "), "{told}");
    goes_on(&sandbox);
    assert_eq!((sandbox.unit("work").pid, sandbox.unit("work").run), (before.pid, before.run));
    fs::remove_file(sandbox.path("well")).unwrap();
    sandbox.wait_for("work", |unit| unit.run > before.run);
    let events = sandbox.get(&["events", "work", "--lines", "1000"]);
    for told in ["`work` is paused: an operator paused it", "an operator resumed it"] {
        assert!(events.contains(told), "{told}: {events}");
    }
}

#[test]
fn a_stop_lets_it_go_on_first_and_a_death_is_an_end_as_any_other() {
    let sandbox = up();
    let told = sandbox.get(&["pause", "work", "--json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(
        (&told["units"][0]["state"], &told["units"][0]["done"]),
        (&"paused".into(), &true.into())
    );
    stands_still(&sandbox);
    sandbox.get(&["stop", "work"]);
    let log = sandbox.read(".mainstay/logs/work/work.log");
    assert!(log.contains("bye\n"), "it has heard TERM: {log}");
    for command in ["pause", "resume"] {
        let refused = sandbox.ask(&[command, "work"]);
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.err.contains("`work` is stopped; "), "{refused:?}");
    }
    sandbox.get(&["start", "work"]);
    goes_on(&sandbox);
    let first = sandbox.unit("work");
    sandbox.get(&["pause", "work"]);
    processes::kill(first.pid.unwrap());
    sandbox.wait_for("work", |unit| unit.run > first.run && unit.state == "running");
    goes_on(&sandbox);
    sandbox.get(&["pause", "work"]);
    sandbox.get(&["kill", "work"]);
    assert_eq!(sandbox.unit("work").state, "stopped");
}

#[cfg(feature = "fail")]
#[test]
fn an_agent_that_dies_when_it_pauses_or_resumes_has_done_it_or_not_and_can_again() {
    let mut sandbox = Sandbox::new(TWO);
    fs::write(sandbox.path("well"), "").unwrap();
    let folder = sandbox.up_fallible();
    goes_on(&sandbox);
    let before = sandbox.unit("work");
    for (command, point, state) in
        [("pause", "agent.effect.freeze", "paused"), ("resume", "agent.effect.thaw", "running")]
    {
        fs::write(folder.join(point), "").unwrap();
        // Whoever asked may hear that nobody answers any more.
        let _answer = sandbox.ask(&[command, "work"]);
        wait_until("it dies there", || !folder.join(point).exists());
        wait_until("the instance answers", || sandbox.ask(&["status"]).code == 0);
        if sandbox.unit("work").state != state {
            sandbox.get(&[command, "work"]);
        }
        let unit = sandbox.unit("work");
        assert_eq!((unit.state.as_str(), unit.pid, unit.run), (state, before.pid, before.run));
    }
    goes_on(&sandbox);
}
