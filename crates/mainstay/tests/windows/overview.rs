//! What is seen of all services from anywhere, and that each is found by its name alone.

use std::{env, process::Command};

use serde_json::Value;

use crate::{
    installed::Installed,
    sandbox::{Answer, BINARY, run, wait_for},
};

const NAME: &str = "mainstay seen";

#[test]
fn services_are_seen_together_and_found_by_their_names_without_more_words() {
    let hello = ["cmd", "/c", "echo hello & ping -n 1000 127.0.0.1"].map(ToOwned::to_owned);
    let service = Installed::new(NAME, &[], &hello);
    wait_for("it runs", || ask(&["status", NAME]).out.contains("running").then_some(()));
    let seen = get(&["status"]);
    let line = seen.lines().find(|line| line.starts_with(NAME)).unwrap();
    assert!(seen.contains("SERVICE") && line.contains(" running "), "{seen}");
    let all: Value = serde_json::from_str(&get(&["status", "--json"])).unwrap();
    let all = all["services"].as_array().unwrap();
    let one = all.iter().find(|one| one["name"] == NAME).unwrap();
    assert_eq!((&one["state"], &one["program"]["state"]), (&"RUNNING".into(), &"running".into()));

    wait_for("it says hello", || get(&["logs", NAME]).contains("hello").then_some(()));
    assert!(get(&["why", NAME]).contains("is running since"));
    assert!(get(&["show", NAME]).contains("ping"));
    wait_for("both of its processes are counted", || {
        let shown: Value = serde_json::from_str(&get(&["show", NAME, "--json"])).unwrap();
        let usage = &shown["usage"];
        let told = ["cpu-ms", "memory-bytes"].map(|value| usage[value].is_u64());
        (usage["processes"].as_u64() >= Some(2) && told == [true; 2]).then_some(())
    });
    get(&["restart", NAME]);
    let unknown = ask(&["why", "mainstay unseen"]);
    assert_eq!(unknown.code, 3, "{unknown:?}");

    assert_eq!(service.ask(&["service", "stop"]).code, 0);
    let seen = get(&["status"]);
    let line = seen.lines().find(|line| line.starts_with(NAME)).unwrap();
    assert!(line.contains(" stopped "), "{seen}");
    let down = ask(&["why", NAME]);
    let hint = format!("start it with `mainstay service start \"{NAME}\"`");
    assert!(down.code == 3 && down.err.contains(&hint), "{down:?}");
    service.remove();
}

/// Asks from a folder that has nothing to do with any instance.
fn ask(words: &[&str]) -> Answer {
    run(Command::new(BINARY).args(words).current_dir(env::temp_dir()))
}

fn get(words: &[&str]) -> String {
    let answer = ask(words);
    assert_eq!(answer.code, 0, "{words:?}: {answer:?}");
    answer.out
}
