//! Edits by commands: what a person would find in the file afterwards.

use mainstay_api::control::Event;

use crate::{processes, processes::wait_until, sandbox::Sandbox};

const WEB: &str = "[services.web]\ncommand = [\"sleep\", \"3600\"]\n";

#[test]
fn an_edited_file_keeps_its_owner_and_mode() {
    let sandbox = Sandbox::up_with(WEB);
    let is_root = sandbox.shell("id -u") == "0\n";
    if is_root {
        sandbox.shell("chown 65534:65534 mainstay.toml");
    }
    sandbox.shell("chmod 640 mainstay.toml");
    let before = sandbox.shell("stat -c %u:%g:%a mainstay.toml");
    assert!(!is_root || before == "65534:65534:640\n", "{before}");
    sandbox.get(&["add", "api", "--", "sleep", "3600"]);
    assert_eq!(sandbox.shell("stat -c %u:%g:%a mainstay.toml"), before);
    assert!(sandbox.read("mainstay.toml").contains("[services.api]"));
}

#[test]
fn whoever_adds_from_another_folder_means_that_folder() {
    let sandbox = Sandbox::up_with(WEB);
    sandbox.shell("mkdir -p apps/api && printf '#!/bin/sh\npwd; exec sleep 3600\n' >apps/api/api");
    sandbox.shell("chmod +x apps/api/api");
    let file = sandbox.path("mainstay.toml").display().to_string();
    let add = |name: &str, options: &[&str], program: &str| {
        let words = [["add", name].as_slice(), options, &["--", program]].concat();
        let mut command = sandbox.command(&words);
        command.current_dir(sandbox.path("apps/api")).env("MAINSTAY_INSTANCE", &file);
        assert!(command.status().unwrap().success());
        sandbox.wait_for_pid(name);
    };
    let apps = sandbox.path("apps");
    add("api", &[], "./api");
    add("below", &["--directory", ".."], "api/api");
    for (name, folder) in [("api", apps.join("api")), ("below", apps.join("api/.."))] {
        let line = format!("directory = \"{}\"", folder.display());
        assert!(sandbox.read("mainstay.toml").contains(&line), "{name}: {line}");
        wait_until("it runs there", || !sandbox.get(&["logs", name]).is_empty());
    }
    assert!(sandbox.get(&["logs", "below"]).contains(&format!("{}\n", apps.display())));
}

fn events(sandbox: &Sandbox) -> Vec<Event> {
    let lines = sandbox.get(&["events", "--json", "--lines", "1000"]);
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_refused_edit_is_told_as_asked_for_and_as_refused() {
    let sandbox = Sandbox::up_with(WEB);
    assert_eq!(sandbox.ask(&["add", "web", "--", "true"]).code, 1);
    let all = events(&sandbox);
    let asked = all.iter().find(|event| event.event == "CommandReceived").unwrap();
    assert!(asked.message.ends_with("asks to add service `web`"), "{asked:?}");
    let refused = all.iter().find(|event| event.event == "ConfigRefused").unwrap();
    assert_eq!(refused.message, "service `web` exists already");
    assert_eq!(refused.trace_id, asked.trace_id);
}

#[test]
fn a_take_over_begins_a_chain() {
    let sandbox = Sandbox::up_with(WEB);
    sandbox.wait_for_pid("web");
    processes::kill(sandbox.status().agent.pid);
    let starts = || {
        let all = events(&sandbox).into_iter();
        all.filter(|event| event.event == "AgentStarted").collect::<Vec<_>>()
    };
    wait_until("another agent has begun", || {
        sandbox.ask(&["status"]).code == 0 && starts().len() == 2
    });
    let starts = starts();
    assert!(starts.iter().all(|event| event.trace_id != "0000000000000000"), "{starts:?}");
    assert_ne!(starts[0].trace_id, starts[1].trace_id);
    assert_eq!(events(&sandbox)[0].event, "AgentStarted");
}
