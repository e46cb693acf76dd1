//! What units use: of all their processes, and of nobody else's.

use serde_json::Value;

use crate::{processes::wait_until, sandbox::Sandbox};

/// One that works beside a child, one with a descendant that has left its group and lost its
/// parent, and one that rests.
const THREE: &str = "[services.busy]\nshell = \"while :; do :; done & sleep 1000 & wait\"\n\
    [services.spread]\nshell = \"setsid sh -c 'sleep 1000 & exit' & exec sleep 1000\"\n\
    [services.rests]\ncommand = [\"sleep\", \"1000\"]\nstart = \"manual\"\n";

#[test]
fn what_a_unit_uses_is_that_of_all_its_processes_and_of_nobody_else() {
    let sandbox = Sandbox::up_with(THREE);
    let usage_of = |name: &str| {
        let shown = sandbox.get(&["show", name, "--json"]);
        serde_json::from_str::<Value>(&shown).unwrap()["usage"].clone()
    };
    let watched = || {
        let status = sandbox.get(&["status", "--usage", "--sort", "cpu", "--json"]);
        serde_json::from_str::<Value>(&status).unwrap()
    };
    wait_until("all processes of a run are seen", || usage_of("busy")["processes"] == 3);
    wait_until("whoever went away is seen", || {
        let spread = usage_of("spread");
        spread["processes"] == 2 && spread["threads"] == 2
    });
    let busy = usage_of("busy");
    wait_until("who works comes first", || {
        let status = watched();
        assert!(status["usage-window-ms"].as_u64() >= Some(500), "{status}");
        let units = status["units"].as_array().unwrap();
        let names: Vec<&Value> = units.iter().map(|unit| &unit["unit"]).collect();
        let is_working = units[0]["usage"]["cpu-percent"].as_f64() > Some(1.0);
        is_working && names == ["busy", "spread", "rests"]
    });
    assert!(usage_of("busy")["cpu-ms"].as_u64() > busy["cpu-ms"].as_u64());
    for value in ["memory-bytes", "memory-share-bytes", "memory-peak-bytes", "descriptors"] {
        assert!(busy[value].as_u64() > Some(0), "{value}: {busy}");
    }
    for value in ["read-bytes", "written-bytes"] {
        assert!(busy[value].is_u64(), "{value}: {busy}");
    }
    assert!(usage_of("rests").is_null());

    let only = sandbox.get(&["status", "spread", "--usage"]);
    let rows: Vec<&str> = only.lines().skip(2).filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(rows, ["UNIT", "spread"], "{only}");
    let shown = sandbox.get(&["show", "busy"]);
    assert!(shown.contains("\ntasks      3 processes, 3 threads\n"), "{shown}");
    assert!(!sandbox.get(&["show", "rests"]).contains("\nmemory"));
    let shown: Value = serde_json::from_str(&sandbox.get(&["show", "busy", "--json"])).unwrap();
    assert_eq!((&shown["unit"]["unit"], &shown["usage"]["processes"]), (&"busy".into(), &3.into()));
    let answer = sandbox.ask(&["status", "--sort", "cpu"]);
    assert_eq!(answer.code, 2, "{answer:?}");
}

#[test]
fn nothing_is_invented_of_what_the_system_keeps_to_itself() {
    // What only executes is not for its own user to look into.
    let line = "[services.web]\ncommand = [\"./closed\", \"1000\"]\n";
    let mut sandbox = Sandbox::new(line);
    sandbox.shell("cp $(command -v sleep) closed && chmod 0111 closed");
    sandbox.belong_to_nobody();
    sandbox.up();
    sandbox.wait_for_pid("web");
    let shown: Value = serde_json::from_str(&sandbox.get(&["show", "web", "--json"])).unwrap();
    let usage = shown["usage"].as_object().unwrap();
    assert_eq!(usage["processes"], 1, "{shown}");
    for value in ["descriptors", "read-bytes", "memory-share-bytes"] {
        assert!(!usage.contains_key(value), "{value}: {shown}");
    }
    let shown = sandbox.get(&["show", "web"]);
    assert!(shown.contains("\nfds        - (the system does not tell)\n"), "{shown}");
}
