//! Files that change while everything runs, as editors of Windows write them.

use std::{collections::BTreeMap, fmt::Write as _, fs};

use mainstay_api::control::DiffAnswer;

use crate::{
    foreground::{Up, has_ended},
    sandbox::{Sandbox, wait_for},
};

/// Returns services that all wait, in the hand of Notepad.
fn services(first: &str, names: &[&str]) -> String {
    let mut text = format!("\u{feff}{first}\r\n");
    for name in names {
        let _ = write!(text, "[services.{name}]\r\n");
        text.push_str("command = ['cmd', '/c', 'ping -n 1000 127.0.0.1']\r\n");
        text.push_str("stop = { timeout = '2s' }\r\n");
    }
    text
}

fn pids(sandbox: &Sandbox) -> BTreeMap<String, u32> {
    let units = sandbox.status().units.into_iter();
    units.filter_map(|unit| Some((unit.unit, unit.pid?))).collect()
}

#[test]
fn what_is_good_is_applied_when_it_is_written_and_what_is_bad_changes_nothing() {
    let sandbox = Sandbox::new(&services("", &["one", "two"]));
    let file = sandbox.folder().join("mainstay.toml");
    let up = Up::start(&sandbox);
    wait_for("both run", || (pids(&sandbox).len() == 2).then_some(()));
    let before = pids(&sandbox);

    let half = services("", &["one"]) + "[services.two]\r\ncommand = ['cmd";
    let wide: Vec<u8> = half.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cases = [
        (half.into_bytes(), "mainstay.toml:6"),
        (wide, "the file is UTF-16"),
        (services("comand = 1", &["one"]).into_bytes(), "unknown key"),
    ];
    for (bytes, expected) in cases {
        fs::write(&file, bytes).unwrap();
        wait_for(expected, || {
            let why = sandbox.status().files.refused?.why;
            why.contains(expected).then_some(())
        });
    }
    assert_eq!(pids(&sandbox), before);

    let more = sandbox.folder().join("services.d");
    fs::create_dir(&more).unwrap();
    fs::write(more.join("MORE.TOML"), services("", &["four"])).unwrap();
    fs::write(&file, services("", &["one", "two", "three"])).unwrap();
    wait_for("what is new runs", || {
        let all = pids(&sandbox);
        ["three", "four"].iter().all(|name| all.contains_key(*name)).then_some(())
    });
    let after = pids(&sandbox);
    assert!(before.iter().all(|(name, pid)| after.get(name) == Some(pid)), "{before:?} {after:?}");
    assert!(sandbox.status().files.refused.is_none());

    fs::write(&file, services("hot-reload = false", &["one", "two"])).unwrap();
    wait_for("what vanished runs on", || sandbox.unit("three").orphaned.then_some(()));
    fs::write(&file, services("hot-reload = false", &["one"])).unwrap();
    let differing = sandbox.ask(&["diff", "--json"]);
    let told: DiffAnswer = serde_json::from_str(&differing.out).unwrap();
    assert_eq!((differing.code, told.differs), (1, true), "{differing:?}");
    assert!(!sandbox.unit("two").orphaned, "nobody has asked for it");
    sandbox.get(&["apply", "--prune"]);
    wait_for("only two are left", || {
        let is_left: Vec<String> = pids(&sandbox).into_keys().collect();
        (is_left == ["four", "one"]).then_some(())
    });
    assert_eq!(pids(&sandbox)["one"], before["one"]);
    assert!(has_ended(before["two"]) && has_ended(after["three"]));
    assert_eq!(sandbox.ask(&["diff"]).code, 0);
    up.end();
}
