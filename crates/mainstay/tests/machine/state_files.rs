//! Damaged state files: a clear message, and no program runs twice.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use mainstay_storage::journal::{self, ChainLimits, Journal};
use serde_json::Value;

use crate::{
    processes::{self, wait_until},
    sandbox::Sandbox,
};

const TWO: &str = r#"
[services.web]
command = ["sleep", "1000"]

[services.api]
shell = "echo hello; exec sleep 1000"
"#;

/// A way to spoil a file.
pub(crate) type Damage = fn(&mut Vec<u8>);

pub(crate) const DAMAGES: [(&str, Damage); 5] = [
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
        wait_until(&format!("{name}: the last process ends"), is_over);
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

/// Returns the files of a folder that were set aside.
fn aside(folder: &Path) -> Vec<Vec<u8>> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_aside = |path: &PathBuf| {
        path.extension().is_some_and(|end| end.as_encoded_bytes().starts_with(b"damaged-"))
    };
    paths.filter(is_aside).map(|path| fs::read(path).unwrap()).collect()
}

/// Ends keeper and agent, writes a file of a later version, and begins again; returns what was said.
fn over_later(sandbox: &mut Sandbox, path: &Path, bytes: &[u8]) -> String {
    sandbox.kill_both();
    fs::write(path, bytes).unwrap();
    sandbox.up();
    sandbox.wait_for_all();
    sandbox.get(&["events"]) + &sandbox.read(".mainstay/keeper.log") + &sandbox.read("up.log")
}

#[test]
fn a_later_journal_of_the_keeper_is_set_aside_for_whoever_knows_it() {
    let mut sandbox = Sandbox::up_with(TWO);
    sandbox.wait_for_all();
    let path = sandbox.runtime().join("keeper.journal");
    let mut later = fs::read(&path).unwrap();
    replace(&mut later, b"mainstay-slots 1 ", b"mainstay-slots 9 ");
    let said = over_later(&mut sandbox, &path, &later);
    assert!(said.contains("the journal is set aside as `"), "{said}");
    assert!(said.contains("the slots are of version 9, and version 1 is known here"), "{said}");
    assert_eq!(aside(&sandbox.runtime()), [later]);
    for unit in ["web", "api"] {
        assert_eq!(sandbox.copies_of(unit), [sandbox.wait_for_pid(unit)]);
    }
}

#[test]
fn a_journal_of_another_boot_never_doubles_a_program() {
    let journal = |sandbox: &Sandbox| sandbox.runtime().join("keeper.journal");
    let elsewhere: Damage = |bytes| replace(bytes, b"slots 1 ", b"slots 1 x");
    let unnamed: Damage = |bytes| bytes[..64].fill(0);
    for said in check(journal, &[("of another boot", elsewhere), ("of no boot", unnamed)]) {
        assert!(said.contains("keeper: a lost program is ended: process "), "{said}");
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
fn flip_runs_of_web(bytes: &mut [u8]) {
    let record = b"{\"Run\":{\"unit\":\"web\"";
    let places: Vec<usize> =
        (0..bytes.len()).filter(|at| bytes[*at..].starts_with(record)).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at + 3] ^= 1;
    }
}

#[test]
fn one_damaged_slot_of_a_running_program_never_doubles_it_and_is_told() {
    let journal = |sandbox: &Sandbox| sandbox.runtime().join("keeper.journal");
    for said in check(journal, &[("one slot", |bytes| flip_runs_of_web(bytes))]) {
        assert!(said.contains("keeper: a lost program is ended: process "), "{said}");
        let told = said.lines().find(|line| line.contains("StateDamaged")).unwrap_or_default();
        assert!(told.contains("slots of the keeper's journal that made no sense: "), "{said}");
        assert!(told.contains("is run 2 of `web`"), "{said}");
    }
}

#[test]
fn a_damaged_copy_of_the_configuration_is_not_missed() {
    let copy = |sandbox: &Sandbox| sandbox.path(".mainstay/last-good.toml");
    // What is flipped may be a letter of the text.
    let damages: Vec<(&str, Damage)> =
        DAMAGES.into_iter().filter(|(name, _)| *name != "flipped").collect();
    for said in check(copy, &damages) {
        let expected = "the copy of the last configuration makes no sense: set aside as `";
        assert!(said.contains(expected), "{said}");
    }
    check(copy, &DAMAGES[1..2]);
}

#[test]
fn a_later_copy_of_the_configuration_is_kept_for_whoever_knows_it() {
    let mut sandbox = Sandbox::up_with(TWO);
    sandbox.wait_for_all();
    let runs = sandbox.runs();
    let later = br#"{"version":9,"files":[{"name":"x","digest":"y"}]}"#;
    let copy = sandbox.path(".mainstay/last-good.toml");
    let said = over_later(&mut sandbox, &copy, later);
    let expected = "the copy of the last configuration makes no sense: set aside as `";
    assert!(said.contains(expected), "{said}");
    assert_eq!(aside(&sandbox.path(".mainstay")), [later]);
    wait_until("there is another copy", || {
        sandbox.read(".mainstay/last-good.toml").contains("web")
    });

    // With bad files there is nothing to begin with: that is said, and programs run on.
    fs::write(&copy, later).unwrap();
    fs::write(sandbox.file(), "[services.web\n").unwrap();
    processes::kill(sandbox.status().agent.pid);
    wait_until("both are named", || {
        let log = sandbox.read(".mainstay/keeper.log");
        log.contains("there is no usable configuration") && log.contains(expected)
    });
    assert_eq!(aside(&sandbox.path(".mainstay")), [later, later]);
    for (unit, pid, _) in &runs {
        assert!(processes::is_alive(pid.unwrap()), "{unit}");
    }
    fs::write(sandbox.file(), TWO).unwrap();
    wait_until("an agent answers", || sandbox.ask(&["status"]).code == 0);
    assert_eq!(sandbox.runs(), runs);
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
fn events_of_a_later_version_stay_and_their_numbers_are_not_given_again() {
    let mut sandbox = Sandbox::up_with(TWO);
    sandbox.wait_for_all();
    let runs = sandbox.runs();
    let folder = sandbox.path(".mainstay/events");
    // The agent began, and two units are starting and then running.
    let is_kept = || journal::read(&folder).is_ok_and(|kept| kept.records.len() >= 5);
    wait_until("what has happened is kept", is_kept);
    sandbox.kill_both();
    let create = |path: &Path| File::create(path);
    let limits = ChainLimits { file_bytes: 1 << 20, total_bytes: 1 << 30 };
    let mut chain = Journal::open(&folder, limits, create).unwrap();
    let later = br#"{"sequence":7000,"version":9,"what":{"unit":["web"]}}"#;
    chain.append(&[later, later], create).unwrap();
    // A file whose records begin in another way.
    fs::write(folder.join("000900.journal"), b"\xF6MSJ of another kind").unwrap();

    sandbox.up();
    sandbox.wait_for_all();
    assert_eq!(sandbox.runs(), runs);
    let said = sandbox.get(&["events"]);
    assert!(said.contains("2 of the kept events are of another version; they stay in `"), "{said}");
    assert!(said.contains("20 bytes of the kept events make no sense"), "{said}");
    assert!(said.contains("`api` is running"), "{said}");
    let last = sandbox.get(&["events", "--json", "-n", "1"]);
    let last: Value = serde_json::from_str(&last).unwrap();
    assert!(last["sequence"].as_u64() > Some(7000), "{last}");
    let kept = journal::read(&folder).unwrap().records;
    assert_eq!(kept.iter().filter(|record| **record == later).count(), 2);
    assert_eq!(fs::read(folder.join("000900.journal")).unwrap(), b"\xF6MSJ of another kind");
}

#[test]
fn what_a_lock_file_holds_matters_to_nobody() {
    let keeper: fn(&Sandbox) -> PathBuf = |sandbox| sandbox.runtime().join("keeper.lock");
    let agent: fn(&Sandbox) -> PathBuf = |sandbox| sandbox.runtime().join("agent.lock");
    for lock in [keeper, agent] {
        let mut sandbox = Sandbox::up_with(TWO);
        sandbox.wait_for_all();
        let runs = sandbox.runs();
        for text in ["", "\0\0\0\0", "version 9\n"] {
            sandbox.kill_both();
            fs::write(lock(&sandbox), text).unwrap();
            sandbox.up();
            assert_eq!(sandbox.runs(), runs, "{text:?}");
        }
    }
}

#[test]
fn a_damaged_card_is_set_aside_and_written_anew() {
    let card = |sandbox: &Sandbox| sandbox.runtime().join("instance.json");
    let newer: Damage = |bytes| *bytes = br#"{"version":9,"called":"x"}"#.to_vec();
    check(card, &DAMAGES);
    let mut sandbox = Sandbox::up_with(TWO);
    sandbox.wait_for_all();
    let (runs, before) = (sandbox.runs(), fs::read(card(&sandbox)).unwrap());
    let mut later = Vec::new();
    newer(&mut later);
    let path = card(&sandbox);
    let said = over_later(&mut sandbox, &path, &later);
    assert!(said.contains("note: the instance's card makes no sense: set aside as `"), "{said}");
    assert_eq!(aside(&sandbox.runtime()), [later]);
    assert_eq!((fs::read(path).unwrap(), sandbox.runs()), (before, runs));
}

#[test]
fn a_damaged_index_of_a_log_costs_no_line() {
    for said in check(|sandbox| sandbox.path(".mainstay/logs/api/api.000001.idx"), &DAMAGES) {
        assert!(said.ends_with("log:hello\n"), "{said}");
    }
}
