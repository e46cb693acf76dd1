//! Damaged state files: a clear message, and no program runs twice.

use std::{fs, path::PathBuf};

use crate::{processes, sandbox::Sandbox};

const TWO: &str = r#"
[services.web]
command = ["sleep", "1000"]

[services.api]
shell = "echo hello; exec sleep 1000"
"#;

/// A way to spoil a file.
type Damage = fn(&mut Vec<u8>);

const DAMAGES: [(&str, Damage); 5] = [
    ("truncated", |bytes| bytes.truncate(bytes.len() / 2)),
    ("flipped", |bytes| {
        let third = bytes.len() / 3;
        bytes.iter_mut().skip(third).step_by(97).for_each(|byte| *byte ^= 0x20);
    }),
    ("zeroed", |bytes| bytes.fill(0)),
    ("emptied", Vec::clear),
    ("garbled", |bytes| bytes.splice(.., *b"\xff\xfenot ours\n").for_each(drop)),
];

/// Spoils a file between the death of keeper and agent and the next `up`, in every way; returns
/// what was said about it.
fn check(file: impl Fn(&Sandbox) -> PathBuf, damages: &[(&str, Damage)]) -> Vec<String> {
    let mut said = Vec::new();
    for (name, damage) in damages {
        let mut sandbox = Sandbox::up_with(TWO);
        sandbox.get(&["stop", "web"]);
        sandbox.get(&["start", "web"]);
        sandbox.wait_for_all();
        sandbox.kill_both();
        let path = file(&sandbox);
        let mut bytes = fs::read(&path).unwrap();
        damage(&mut bytes);
        fs::write(&path, bytes).unwrap();
        sandbox.up();
        sandbox.wait_for_all();
        for unit in ["web", "api"] {
            let copies = sandbox.copies_of(unit);
            assert_eq!(copies, [sandbox.wait_for_pid(unit)], "{name}: {unit} runs twice");
        }
        let log = sandbox.get(&["logs", "api", "--raw", "--lines", "all"]);
        said.push(sandbox.get(&["events"]) + &sandbox.read(".mainstay/keeper.log") + "log:" + &log);
        assert_eq!(sandbox.down(), Some(0), "{name}");
        let is_over = || processes::of_folder(sandbox.folder()).is_empty();
        processes::wait_until(&format!("{name}: the last process ends"), is_over);
    }
    said
}

/// Replaces text by text of another length; the file is text there.
fn replace(bytes: &mut Vec<u8>, from: &[u8], to: &[u8]) {
    let at = bytes.windows(from.len()).position(|part| part == from).unwrap();
    bytes.splice(at..at + from.len(), to.iter().copied()).for_each(drop);
}

#[test]
fn a_damaged_journal_of_wishes_is_set_aside_and_named() {
    let wishes = |sandbox: &Sandbox| sandbox.path(".mainstay/agent.journal");
    for said in check(wishes, &DAMAGES) {
        assert!(said.contains("the wishes make no sense: set aside as `"), "{said}");
    }
    let newer: Damage = |bytes| *bytes = b"{\"version\":999,\"wishes\":[]}".to_vec();
    for said in check(wishes, &[("newer", newer)]) {
        assert!(said.contains("the wishes are of version 999, and this agent knows "), "{said}");
    }
}

#[test]
fn a_damaged_journal_of_the_keeper_never_doubles_a_program() {
    let journal = |sandbox: &Sandbox| sandbox.runtime().join("keeper.journal");
    let newer: Damage = |bytes| replace(bytes, b"mainstay-slots 1 ", b"mainstay-slots 9 ");
    for damages in [DAMAGES.as_slice(), &[("newer", newer)]] {
        for said in check(journal, damages) {
            let lost = "keeper: a lost program is ended: process ";
            assert!(said.contains(lost), "{said}");
        }
    }
}

/// Flips a byte of every record of a run of `web`: nothing else is spoiled.
fn flip_runs_of_web(bytes: &mut Vec<u8>) {
    let record = b"{\"Run\":{\"unit\":\"web\"";
    let places: Vec<usize> =
        (0..bytes.len()).filter(|at| bytes[*at..].starts_with(record)).collect();
    assert!(!places.is_empty());
    places.into_iter().for_each(|at| bytes[at + 3] ^= 1);
}

#[test]
fn one_damaged_slot_of_a_running_program_never_doubles_it_and_is_told() {
    let journal = |sandbox: &Sandbox| sandbox.runtime().join("keeper.journal");
    for said in check(journal, &[("one slot", flip_runs_of_web)]) {
        assert!(said.contains("keeper: a lost program is ended: process "), "{said}");
        let told = said.lines().find(|line| line.contains("StateDamaged")).unwrap_or_default();
        assert!(told.contains("slots of the keeper's journal that made no sense: "), "{said}");
        assert!(told.contains("is run 2 of `web`"), "{said}");
    }
}

#[test]
fn a_damaged_copy_of_the_configuration_is_not_missed() {
    let copy = |sandbox: &Sandbox| sandbox.path(".mainstay/last-good.toml");
    check(copy, &DAMAGES);
}

#[test]
fn damaged_events_cost_what_is_damaged_and_are_named() {
    let events = |sandbox: &Sandbox| sandbox.path(".mainstay/events/000001.journal");
    let damages: Vec<(&str, Damage)> =
        DAMAGES.into_iter().filter(|(name, _)| *name != "emptied").collect();
    for said in check(events, &damages) {
        assert!(said.contains("bytes of the kept events make no sense"), "{said}");
    }
    // Nothing is left that could make no sense.
    check(events, &[("emptied", Vec::clear)]);
}

#[test]
fn a_damaged_index_of_a_log_costs_no_line() {
    for said in check(|sandbox| sandbox.path(".mainstay/logs/api/api.000001.idx"), &DAMAGES) {
        assert!(said.ends_with("log:hello\n"), "{said}");
    }
}
