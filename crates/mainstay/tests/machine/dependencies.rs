//! Real programs that depend on each other: layers, bonds, parts, groups.

use mainstay_api::control::{Event, Tree};

use crate::{
    processes::{self, wait_until},
    sandbox::Sandbox,
};

const LAYERS: usize = 10;
const WIDTH: usize = 4;

/// Returns a layer of programs, each of which requires the group below, and says when it leaves.
fn layer(number: usize) -> String {
    let names: Vec<String> = (0..WIDTH).map(|place| format!("s{number}-{place}")).collect();
    let below = number.checked_sub(1);
    let requires = below.map_or_else(String::new, |it| format!("requires = [\"@layer{it}\"]\n"));
    let service = |name: &String| {
        let trap = format!("trap 'echo {name} >>ends; exit 0' TERM");
        let shell = format!("{trap}; touch up-{name}; while :; do sleep 0.05; done");
        format!("[services.{name}]\nshell = \"{shell}\"\n{requires}")
    };
    let services: String = names.iter().map(service).collect();
    format!("{services}[groups.layer{number}]\nservices = {names:?}\n")
}

fn layer_of(name: &str) -> usize {
    name.trim_start_matches('s').split_once('-').unwrap().0.parse().unwrap()
}

/// Returns the units in the order in which their runs began.
fn begun(sandbox: &Sandbox) -> Vec<String> {
    let lines = sandbox.get(&["events", "--json", "--lines", "5000"]);
    let all = lines.lines().map(|line| serde_json::from_str::<Event>(line).unwrap());
    let starting = all.filter(|event| event.facts.state.as_deref() == Some("starting"));
    starting.filter_map(|event| event.unit).collect()
}

#[test]
fn ten_layers_come_up_in_order_and_go_down_in_reverse() {
    let sandbox = Sandbox::up_with(&(0..LAYERS).map(layer).collect::<String>());
    sandbox.wait_for_all();
    let began: Vec<usize> = begun(&sandbox).iter().map(|name| layer_of(name)).collect();
    assert_eq!(began.len(), LAYERS * WIDTH, "each once");
    assert!(began.is_sorted(), "{began:?}");
    wait_until("all listen", || sandbox.shell("ls").matches("up-").count() == LAYERS * WIDTH);
    sandbox.get(&["stop", "*"]);
    let ends = sandbox.read("ends");
    let ended: Vec<usize> = ends.lines().map(layer_of).collect();
    assert_eq!(ended.len(), LAYERS * WIDTH);
    assert!(ended.is_sorted_by(|one, next| one >= next), "{ended:?}");
}

const BOUND: &str = r#"
[services.db]
command = ["sleep", "1000"]
restart = { delay = "300ms" }

[services.web]
command = ["sleep", "1000"]
binds-to = ["db"]

[services.page]
command = ["sleep", "1000"]
requires = ["db"]

[services.worker]
command = ["sleep", "1000"]
part-of = ["db"]
"#;

#[test]
fn who_is_bound_goes_with_a_kill_and_comes_back() {
    let sandbox = Sandbox::up_with(BOUND);
    sandbox.wait_for_all();
    let before = ["db", "web", "page", "worker"].map(|name| sandbox.wait_for_pid(name));
    processes::kill(before[0]);
    sandbox.wait_for("web", |unit| unit.run == 2 && unit.state == "running");
    sandbox.wait_for_all();
    let after = ["db", "web", "page", "worker"].map(|name| sandbox.wait_for_pid(name));
    assert!(before[0] != after[0] && before[1] != after[1]);
    assert_eq!(before[2..], after[2..], "a crash reaches nobody else");
    let began = begun(&sandbox);
    let last: Vec<&String> = began.iter().rev().take(2).collect();
    assert_eq!(last, ["web", "db"], "the one that is bound comes after the other");
}

#[test]
fn a_restart_by_hand_reaches_who_requires_and_what_is_part() {
    let sandbox = Sandbox::up_with(BOUND);
    sandbox.wait_for_all();
    sandbox.get(&["restart", "db"]);
    for name in ["web", "page", "worker"] {
        sandbox.wait_for(name, |unit| unit.run == 2 && unit.state == "running");
    }
    sandbox.get(&["stop", "db"]);
    assert_eq!(sandbox.wait_for("worker", |unit| unit.pid.is_none()).state, "stopped");
    assert!(
        sandbox.unit("worker").why.starts_with("it is part of `db`, which an operator stopped")
    );
    sandbox.get(&["start", "db"]);
    sandbox.wait_for_pid("web");
    assert_eq!(sandbox.unit("worker").state, "stopped");
}

const GROUPED: &str = r#"
[services.api]
shell = "echo I am api; exec sleep 1000"

[services.worker]
shell = "echo I am worker; exec sleep 1000"
after = ["api"]

[services.db]
shell = "echo I am db; exec sleep 1000"

[groups.web]
services = ["api", "@back"]
description = "the site"

[groups.back]
services = ["worker"]
"#;

#[test]
fn a_group_is_a_name_for_every_command() {
    let sandbox = Sandbox::up_with(GROUPED);
    sandbox.wait_for_all();
    let db = sandbox.wait_for_pid("db");
    let answer = sandbox.ask(&["restart", "@web"]);
    assert_eq!((answer.code, answer.err.as_str()), (0, "2/2 ready again\n"));
    assert_eq!((sandbox.unit("api").run, sandbox.unit("worker").run), (2, 2));
    assert_eq!(sandbox.wait_for_pid("db"), db);
    let status = sandbox.get(&["status", "@web"]);
    assert!(status.contains("api") && status.contains("worker") && !status.contains("\ndb "));
    wait_until("all have said it", || sandbox.ask(&["logs", "@web", "--run", "2"]).out.len() > 20);
    let logs = sandbox.get(&["logs", "@web"]);
    assert!(logs.contains("I am worker") && !logs.contains("I am db"), "{logs}");
    let events = sandbox.get(&["events", "@back"]);
    assert!(events.contains("`worker`") || events.contains("worker"), "{events}");
    assert!(sandbox.get(&["why", "@back"]).contains("worker"));
    for command in [&["stop", "@wob"][..], &["status", "@wob"], &["logs", "@wob"]] {
        let refused = sandbox.ask(command);
        assert_eq!(refused.code, 1, "{command:?}");
        assert!(
            refused.err.starts_with("error: there is no group `@wob`\nhint:  did you mean `@web`?")
        );
    }
}

#[test]
fn what_a_group_names_is_not_removed() {
    let sandbox = Sandbox::up_with(GROUPED);
    let refused = sandbox.ask(&["remove", "worker"]);
    assert_eq!(refused.code, 1);
    for told in ["group `back` names `worker`", "mainstay.toml:17:", "take `worker` out there"] {
        assert!(refused.err.contains(told), "{told}: {}", refused.err);
    }
    assert_eq!(sandbox.read("mainstay.toml"), GROUPED);
    sandbox.get(&["remove", "db"]);
}

#[test]
fn a_tree_shows_who_waits_for_whom() {
    let mut text = GROUPED.replace("[services.db]", "[services.db]\nrequires = [\"off\"]");
    text += "[services.off]\ncommand = [\"sleep\", \"1000\"]\nstart = \"disabled\"\n";
    let sandbox = Sandbox::up_with(&text);
    sandbox.wait_for_pid("worker");
    let expected = "\
db               waiting: it requires `off`, which is stopped
└─ requires off  stopped: it was never started
worker           running
└─ after api     running

@back: worker
@web: api, worker  (the site)
";
    assert_eq!(sandbox.get(&["tree"]), expected);
    let reverse = "api               running\n└─ before worker  running\n";
    assert_eq!(sandbox.get(&["tree", "api", "--reverse"]), reverse);
    let json: Tree = serde_json::from_str(&sandbox.get(&["tree", "@back", "--json"])).unwrap();
    let names: Vec<&str> = json.services.iter().map(|node| node.service.as_str()).collect();
    assert_eq!((names, json.groups.len()), (vec!["api", "worker"], 2));
    let unknown = sandbox.ask(&["tree", "nobody"]);
    assert!(unknown.err.starts_with("error: there is no unit or service `nobody`\n"));
}

const SLOW: &str = r#"
[services.slow]
command = ["sleep", "1000"]
ready = { delay = "2s" }
start = "manual"

[services.bad]
shell = "[ -e good ] && exec sleep 1000; exit 3"
# A program that executes is ready, unless more is asked of it.
ready = { file = "good" }
restart = { delay = "100ms", max-delay = "100ms" }
start = "manual"

[services.well]
command = ["sleep", "1000"]
start = "manual"
"#;

#[test]
fn a_start_that_waits_says_who_is_not_ready() {
    let sandbox = Sandbox::up_with(SLOW);
    sandbox.get(&["start", "well"]);
    let late = sandbox.ask(&["start", "slow", "well", "--timeout", "300ms"]);
    assert_eq!(late.code, 1);
    assert!(late.out.contains("well is running (pid "), "{late:?}");
    assert!(late.err.starts_with("1/2 ready\nerror: `slow` is still starting: "), "{late:?}");
    assert_eq!(sandbox.ask(&["start", "slow"]).code, 0);
    assert_eq!(sandbox.unit("slow").state, "running");

    let failed = sandbox.ask(&["start", "bad", "--json"]);
    assert_eq!(failed.code, 1);
    let told: serde_json::Value = serde_json::from_str(&failed.out).unwrap();
    assert_eq!(told["units"][0]["done"], false);
    assert_eq!(told["units"][0]["state"], "backoff");
    assert!(told["units"][0]["why"].as_str().unwrap().contains("ended with code 3"));
    sandbox.shell("touch good");
    assert_eq!(sandbox.ask(&["start", "bad", "--wait"]).code, 0, "through failed attempts");
}

#[test]
fn progress_is_one_line_on_a_terminal() {
    let sandbox = Sandbox::up_with(SLOW);
    let binary = crate::sandbox::BINARY;
    let line = format!("script -qec '{binary} start slow well' /dev/null");
    let told = sandbox.shell(&line);
    assert!(told.contains("\r2/2 ready"), "{told:?}");
    assert!(told.contains("2/2 ready\r\n"), "{told:?}");
}
