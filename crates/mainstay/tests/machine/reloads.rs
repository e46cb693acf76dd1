//! `mainstay reload` and those that are still on their way.

use std::{fs, process::Stdio};

use crate::sandbox::Sandbox;

const SLOW: &str = "[services.slow]\ncommand = [\"sleep\", \"1000\"]\nready = { file = \"ready\" }\n\
    reload = { command = \"sh -c 'echo again > reloaded'\" }\n\
    [services.rests]\ncommand = [\"sleep\", \"1000\"]\nstart = \"manual\"\n\
    reload = { command = \"true\" }\n";

#[test]
fn whoever_waits_is_there_when_a_unit_can_reload() {
    let sandbox = Sandbox::up_with(SLOW);
    sandbox.wait_for("slow", |unit| unit.state == "starting");
    let early = sandbox.ask(&["reload", "slow"]);
    assert!(early.code == 1 && early.err.contains("`slow` is starting"), "{early:?}");
    let mut waiting = sandbox.command(&["reload", "slow", "--wait"]);
    let waiting = waiting.stdout(Stdio::piped()).spawn().unwrap();
    fs::write(sandbox.path("ready"), "").unwrap();
    let told = waiting.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(told.stdout).unwrap(), "`slow` has reloaded\n");
    assert_eq!((told.status.code(), sandbox.read("reloaded").as_str()), (Some(0), "again\n"));
}

#[test]
fn nobody_is_waited_for_who_rests_or_takes_too_long() {
    let sandbox = Sandbox::up_with(SLOW);
    sandbox.wait_for("slow", |unit| unit.state == "starting");
    let rests = sandbox.ask(&["reload", "rests", "--wait"]);
    assert!(rests.code == 1 && rests.err.contains("`rests` is stopped"), "{rests:?}");
    let late = sandbox.ask(&["reload", "slow", "--wait", "--timeout", "100ms"]);
    assert!(late.code == 1 && late.err.contains("`slow` is starting"), "{late:?}");
}
