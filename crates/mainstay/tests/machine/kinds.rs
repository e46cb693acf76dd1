//! Kinds: what is asked of them is found when it is broken, and what they are promised holds.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Mutex, thread};

use mainstay_platform::process::SignalKind;

use crate::{
    processes::{self, wait_until},
    sandbox::{Answer, Sandbox},
};

/// A rule by its number, and how a kind breaks it.
const BREACHES: [(&str, &str); 20] = [
    ("K1", "description"),
    ("K2", "name"),
    ("K3", "input"),
    ("K4", "code"),
    ("K4", "silent refusal"),
    ("K4", "nonsense"),
    ("K4", "object"),
    ("K4", "given"),
    ("K5", "ready"),
    ("K6", "by hand"),
    ("K7", "messages"),
    ("K8", "life"),
    ("K8", "bursts"),
    ("K9", "facts"),
    ("K10", "folder"),
    ("K11", "state"),
    ("K12", "leaving"),
    ("K13", "children"),
    ("K13", "last code"),
    ("K14", "protocol"),
];

/// So many are tried at a time, since a trial is mostly silence: signs of life have their time on a
/// busy machine, too.
const AT_ONCE: usize = 5;

/// Puts a kind into the sandbox that breaks what it is told to; returns its program.
fn put(sandbox: &Sandbox, folder: &str, name: &str, breaks: &str) -> PathBuf {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/machine/kind.py");
    let folder = sandbox.path(folder);
    fs::create_dir_all(&folder).unwrap();
    let program = folder.join(format!("mainstay-kind-{name}"));
    let text = format!("#!/bin/sh\nexec python3 '{script}' {name} '{breaks}' \"$@\"\n");
    fs::write(&program, text).unwrap();
    sandbox.shell(&format!("chmod 755 '{}'", program.display()));
    program
}

/// Runs the conformance test; returns the verdict on each rule.
fn check(sandbox: &Sandbox, program: &str, more: &[&str]) -> (Answer, BTreeMap<String, String>) {
    let fixed = ["kind", "check", program, "--json", "--boot", "8s", "--stop", "5s"];
    let answer = sandbox.ask(&[fixed.as_slice(), more].concat());
    let word = |finding: &serde_json::Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let findings: Vec<serde_json::Value> = serde_json::from_str(&answer.out).unwrap();
    let verdict = |finding| (word(finding, "rule"), word(finding, "verdict"));
    let verdicts = findings.iter().map(verdict).collect();
    (answer, verdicts)
}

#[test]
fn the_sample_keeps_every_rule() {
    let sandbox = Sandbox::new("");
    let program =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/kinds/mainstay-kind-heartbeat");
    let config = sandbox.path("heartbeat.json");
    let file = sandbox.path("beat").display().to_string();
    fs::write(&config, serde_json::json!({ "every": 0.3, "file": file }).to_string()).unwrap();
    let (answer, findings) = check(&sandbox, program, &["--config", config.to_str().unwrap()]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_eq!(findings.len(), 14);
    assert!(findings.values().all(|verdict| verdict == "held"), "{answer:?}");
    assert!(sandbox.path("beat").exists());

    // Without a configuration it says what is missing, and most is not come to.
    let (answer, findings) = check(&sandbox, program, &[]);
    assert_eq!((answer.code, findings["K3"].as_str()), (1, "broken"), "{answer:?}");
    assert_eq!(findings["K12"], "untested");
}

#[test]
fn each_broken_rule_is_found_and_no_other() {
    let sandbox = Sandbox::new("");
    let good = put(&sandbox, "good", "good", "nothing").display().to_string();
    fs::write(sandbox.path("wrong.json"), "{\"wrong\": 1}").unwrap();
    let wrong = sandbox.path("wrong.json");
    let (answer, findings) = check(&sandbox, &good, &["--bad-config", wrong.to_str().unwrap()]);
    assert!(findings.values().all(|verdict| verdict == "held"), "{answer:?}");
    assert_eq!((answer.code, findings.len()), (0, 14));
    let trials = BREACHES.iter().enumerate().map(|(number, (rule, breaks))| {
        let name = format!("wrong-{number}");
        (put(&sandbox, &name, &name, breaks).display().to_string(), rule, breaks)
    });
    let trials = Mutex::new(trials.collect::<Vec<_>>().into_iter());
    let next = || trials.lock().unwrap().next();
    let work = || {
        while let Some((program, rule, breaks)) = next() {
            expect_broken(&sandbox, &program, rule, breaks);
        }
    };
    thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(work))));
}

fn expect_broken(sandbox: &Sandbox, program: &str, rule: &str, breaks: &str) {
    let wrong = sandbox.path("wrong.json");
    let options = ["--bad-config", wrong.to_str().unwrap()];
    let (answer, findings) = check(sandbox, program, &options);
    assert_eq!(answer.code, 1, "{breaks}: {answer:?}");
    let broken: Vec<&str> = findings
        .iter()
        .filter(|(_, verdict)| *verdict == "broken")
        .map(|(rule, _)| rule.as_str())
        .collect();
    assert_eq!(broken, [rule], "{breaks}: {answer:?}");
}

/// Returns an instance with a kind `tide` in its own folder of kinds.
fn with_tide(config: &str) -> Sandbox {
    let mut sandbox = Sandbox::new(config);
    put(&sandbox, ".mainstay/kinds", "tide", "nothing");
    sandbox.up();
    sandbox
}

#[test]
fn a_kind_gets_its_configuration_and_secrets_says_it_is_ready_and_keeps_its_folder() {
    let sandbox = with_tide(
        "[services.home]\n\
         kind = \"tide\"\n\
         config = { port = 80, deep = { list = [1.5, \"x\"] }, token = { secret = \"tide\" } }\n\
         start = \"manual\"\n",
    );
    fs::write(sandbox.path("value"), "ebb and flow\n").unwrap();
    sandbox.get(&["secret", "set", "tide", "--file", "value"]);
    sandbox.get(&["start", "home"]);
    sandbox.wait_for_pid("home");
    wait_until("it has told its fact", || sandbox.get(&["status", "--json"]).contains("\"port\""));
    // It shows what it has read, as no kind may: the secret has come to it, at its place.
    let read = serde_json::json!({
        "deep": { "list": [1.5, "x"] }, "port": 80, "token": "ebb and flow",
    });
    let status: serde_json::Value =
        serde_json::from_str(&sandbox.get(&["status", "--json"])).unwrap();
    let said = status["units"][0]["status-text"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(said).unwrap(), read);
    let told = sandbox.get(&["show", "home", "--json"]) + &sandbox.read("mainstay.toml");
    assert!(!told.replace(&said.replace('"', "\\\""), "").contains("ebb and flow"), "{told}");

    let kept = ".mainstay/data/home/kept";
    assert_eq!(sandbox.read(kept), "1\n");
    assert_eq!(sandbox.shell("stat -c %a .mainstay/data/home"), "700\n");
    sandbox.get(&["restart", "home"]);
    sandbox.wait_for("home", |unit| unit.state == "running" && unit.run == 2);
    assert_eq!(sandbox.read(kept), "1\n2\n");

    sandbox.get(&["remove", "home"]);
    assert_eq!(sandbox.read(kept), "1\n2\n");
    let service = "[services.home]\nkind = \"tide\"\n";
    fs::write(sandbox.file(), service).unwrap();
    let mut apply = sandbox.command(&["up"]);
    let mut second = apply.stdout(std::process::Stdio::null()).spawn().unwrap();
    wait_until("what was kept is found again", || sandbox.read(kept).starts_with("1\n2\n"));
    wait_until("it runs", || sandbox.status().units.iter().any(|unit| unit.state == "running"));
    sandbox.get(&["remove", "home", "--purge"]);
    wait_until("it is gone with the service", || !sandbox.path(".mainstay/data/home").exists());
    processes::signal(second.id(), SignalKind::Kill);
    second.wait().unwrap();
}

#[test]
fn the_code_of_a_kind_decides_whether_it_is_tried_again() {
    let sandbox = with_tide(
        "[services.wrong]\nkind = \"tide\"\nconfig = { wrong = true }\n\
         [services.fails]\nkind = \"tide\"\nconfig = { fails = true }\n\
         [services.ends]\nkind = \"tide\"\nconfig = { ends = true }\n",
    );
    sandbox.wait_for("wrong", |unit| unit.state == "failed");
    sandbox.wait_for("ends", |unit| unit.state == "stopped");
    sandbox.wait_for("fails", |unit| unit.run > 2);
    assert_eq!([sandbox.unit("wrong").run, sandbox.unit("ends").run], [1, 1]);
    assert!(sandbox.get(&["why", "wrong"]).contains("`wrong` is no key of mine"));
}

#[test]
fn a_kind_that_is_missing_or_that_others_may_change_is_not_started_and_it_is_told_why() {
    let mut sandbox =
        Sandbox::new("[services.none]\nkind = \"nowhere\"\n[services.weak]\nkind = \"tide\"\n");
    let program = put(&sandbox, ".mainstay/kinds", "tide", "nothing");
    sandbox.shell(&format!("chmod 757 '{}'", program.display()));
    sandbox.up();
    let why = |unit: &str| sandbox.wait_for(unit, |unit| unit.state == "backoff").why;
    let missing = why("none");
    for place in [".mainstay/kinds`", "/usr/lib/mainstay/kinds`", "mainstay-kind-nowhere"] {
        assert!(missing.contains(place), "{missing}");
    }
    let weak = why("weak");
    assert!(weak.contains("everybody may change `"), "{weak}");
    sandbox.shell(&format!("chmod 755 '{}'", program.display()));
    sandbox.wait_for_pid("weak");
    let listed = sandbox.get(&["kind", "list"]);
    assert!(listed.lines().any(|line| line.starts_with("tide  1.0  ")), "{listed}");
    assert!(listed.lines().any(|line| line.starts_with("ddns  ")), "{listed}");
    for (name, remedy) in [("tide", "program of its own: `"), ("ebb", "`mainstay kind list`")] {
        let answer = sandbox.ask(&["kind", name, "--describe"]);
        let told = format!("error: no kind `{name}` is built in\n");
        assert!(answer.code == 2 && answer.err.starts_with(&told), "{answer:?}");
        assert!(answer.err.contains(remedy), "{answer:?}");
    }
    let checked = sandbox.ask(&["check"]);
    assert!(checked.err.contains("program of `none`: there is no kind `nowhere`"), "{checked:?}");
}

#[test]
fn an_agent_that_dies_while_a_kind_runs_takes_it_back() {
    let sandbox = with_tide("[services.home]\nkind = \"tide\"\nconfig = { port = 80 }\n");
    let pid = sandbox.wait_for_pid("home");
    for _ in 0..3 {
        let agent = sandbox.status().agent.pid;
        processes::kill(agent);
        wait_until("the next one answers", || sandbox.status().agent.pid != agent);
        assert_eq!(sandbox.wait_for_pid("home"), pid);
    }
    processes::kill(pid);
    sandbox.wait_for("home", |unit| unit.run == 2 && unit.state == "running");
    assert_eq!(sandbox.read(".mainstay/data/home/kept"), "1\n2\n");
}
