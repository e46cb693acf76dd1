//! What somebody does in a day, against one instance: keys, files, logs, events, and how it is told.

use std::{env, fs, process::Command};

use serde_json::Value;

use crate::{
    foreground::Up,
    sandbox::{Answer, BINARY, Sandbox, run, wait_for},
};

/// In the hand of Notepad.
const FILE: &str = "\u{feff}# what I run\r\n[services.web] # the site\r\n\
                    command = [\"cmd\", \"/c\", \"echo hay & echo a needle & ping -n 1000 127.0.0.1\"]\r\n\
                    stop = { timeout = \"2s\" } # short\r\n";

/// Writes a line behind the others, as somebody does who types.
const EDITOR: &str = "@echo # typed>>%2\r\n";

#[test]
fn a_day_at_one_instance() {
    let sandbox = Sandbox::new(FILE);
    let up = Up::start(&sandbox);
    sandbox.wait_for("web", "running");
    wait_for("it has said all", || sandbox.get(&["logs", "web"]).contains("needle").then_some(()));
    keys_are_set_in_the_hand_of_the_file(&sandbox);
    what_was_said_is_found(&sandbox);
    what_happened_is_found(&sandbox);
    how_it_is_told(&sandbox);
    sandbox.get(&["remove", "web"]);
    assert!(sandbox.status().units.is_empty());
    assert_eq!(written(&sandbox), "\u{feff}# typed\r\n");
    up.end();
}

fn written(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.folder().join("mainstay.toml")).unwrap()
}

fn keys_are_set_in_the_hand_of_the_file(sandbox: &Sandbox) {
    sandbox.get(&["set", "web", "stop.timeout=3s", "restart.delay=5s"]);
    let set = FILE.replace("\"2s\"", "\"3s\"") + "restart = { delay = \"5s\" }\r\n";
    assert_eq!(written(sandbox), set);
    assert_eq!(sandbox.get(&["get", "web", "restart.delay"]).trim_end(), "\"5s\"");
    let refused = sandbox.ask(&["set", "web", "stop.timeout=soon"]);
    assert_eq!((refused.code, written(sandbox)), (1, set.clone()), "{refused:?}");

    fs::write(sandbox.folder().join("typist.cmd"), EDITOR).unwrap();
    let path = format!("{};{}", sandbox.folder().display(), env::var("PATH").unwrap());
    let mut edit = Command::new(BINARY);
    edit.args(["edit", "web", "--instance", sandbox.instance()]);
    edit.env("EDITOR", "typist --wait").env("PATH", path);
    let answer = run(edit.env_remove("VISUAL").current_dir(sandbox.folder()));
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_eq!(written(sandbox), set + "# typed\r\n");
    sandbox.get(&["set", "web", "--unset", "restart"]);
    assert_eq!(sandbox.unit("web").run, 1, "nothing of it concerns the program");
}

fn what_was_said_is_found(sandbox: &Sandbox) {
    let found =
        sandbox.get(&["logs", "web", "--since", "1h", "--grep", "NEEDLE", "-i", "--run", "1"]);
    assert!(found.contains("a needle") && !found.contains("hay"), "{found}");
    let none = sandbox.ask(&["logs", "web", "--until", "1h"]);
    assert!(none.out.is_empty(), "{none:?}");
}

fn what_happened_is_found(sandbox: &Sandbox) {
    let events = |words: &[&str]| {
        let text = sandbox.get(&[&["events", "--json", "-n", "all"], words].concat());
        let all = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        all.collect::<Vec<_>>()
    };
    let applied = events(&["--type", "ConfigApplied"]);
    assert!(!applied.is_empty() && applied.iter().all(|event| event["event"] == "ConfigApplied"));
    let of_web = events(&["web", "--since", "1h"]);
    assert!(!of_web.is_empty() && of_web.iter().all(|event| event["unit"] == "web"), "{of_web:?}");
    let serious = events(&["--level", "error"]);
    assert!(serious.iter().all(|event| event["level"] == "error"), "{serious:?}");
}

fn how_it_is_told(sandbox: &Sandbox) {
    let json = |words: &[&str]| -> Value { serde_json::from_str(&sandbox.get(words)).unwrap() };
    let usage = &json(&["status", "--usage", "--json"])["units"][0]["usage"];
    assert!(usage["processes"].as_u64() >= Some(2), "{usage}");
    assert!(
        usage["cpu-percent"].is_number() && usage["memory-bytes"].as_u64() > Some(0),
        "{usage}"
    );
    assert_eq!(json(&["show", "web", "--json"])["unit"]["unit"], "web");
    let folder = sandbox.get(&["env", "web"]);
    assert!(folder.contains("MAINSTAY_INSTANCE") && folder.contains("MAINSTAY_UNIT"), "{folder}");

    let schema: Value = serde_json::from_str(&anywhere(&["schema"]).out).unwrap();
    assert!(schema["properties"]["services"].is_object());
    let completions = anywhere(&["completions", "powershell"]).out;
    assert!(completions.contains("Register-ArgumentCompleter"), "{completions}");
    let chinese = sandbox.get(&["status", "--lang", "zh-CN"]);
    let has_han = chinese.chars().any(|letter| ('\u{4e00}'..'\u{a000}').contains(&letter));
    assert!(has_han && !chinese.contains('\u{fffd}'), "{chinese}");
    assert!(sandbox.get(&["status"]).is_ascii(), "the desktop of these tests speaks English");
}

/// Runs a command that asks nobody.
fn anywhere(words: &[&str]) -> Answer {
    let answer = run(Command::new(BINARY).args(words));
    assert_eq!(answer.code, 0, "{words:?}: {answer:?}");
    answer
}
