//! What `events` finds: by type, level, time and name.

use std::{
    fs::{self, File},
    path::Path,
};

use mainstay_storage::journal::{self, ChainLimits, Journal};
use serde_json::{Value, json};

use crate::{
    api::{end, listen, told},
    processes::wait_until,
    sandbox::{Answer, Sandbox},
};

/// Files of the journal as small as this make many of few events.
const LIMITS: ChainLimits = ChainLimits { file_bytes: 1 << 17, total_bytes: 1 << 24 };

const TWO: &str = "\
[services.web-1]\nshell = \"exit 3\"\nrestart = { when = \"never\" }\n\
[services.web-2]\ncommand = [\"sleep\", \"1000\"]\n\
[services.db]\ncommand = [\"sleep\", \"1000\"]\n";

fn up() -> Sandbox {
    let sandbox = Sandbox::up_with(TWO);
    let is_told = || !found(&sandbox, &["web-1", "--type", "UnitExited"]).is_empty();
    wait_until("the exit is told", is_told);
    for unit in ["web-2", "db"] {
        sandbox.wait_for_pid(unit);
    }
    sandbox
}

fn found(sandbox: &Sandbox, arguments: &[&str]) -> Vec<Value> {
    let out = sandbox.get(&[&["events", "--json"][..], arguments].concat());
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Puts records in the place of those that a journal has.
fn rewrite(folder: &Path, records: &[Vec<u8>]) {
    fs::remove_dir_all(folder).unwrap();
    fs::create_dir(folder).unwrap();
    let create = |path: &Path| File::create_new(path);
    let mut journal = Journal::open(folder, LIMITS, create).unwrap();
    for batch in records.chunks(50) {
        let batch: Vec<&[u8]> = batch.iter().map(Vec::as_slice).collect();
        journal.append(&batch, create).unwrap();
    }
    journal.sync().unwrap();
}

fn ask(sandbox: &Sandbox, arguments: &[&str]) -> Answer {
    sandbox.ask(&[&["events"][..], arguments].concat())
}

#[test]
fn events_are_found_by_type_level_and_name() {
    let sandbox = up();
    let all = found(&sandbox, &["-n", "all"]);
    let check = |arguments: &[&str], fits: fn(&Value) -> bool| {
        let newest = all.last().unwrap()["sequence"].as_u64().unwrap();
        let mut seen = found(&sandbox, &[arguments, &["-n", "all"]].concat());
        seen.retain(|event| event["sequence"].as_u64().unwrap() <= newest);
        let expected: Vec<&Value> = all.iter().filter(|event| fits(event)).collect();
        assert!(!expected.is_empty(), "{arguments:?}: {all:?}");
        assert_eq!(seen.iter().collect::<Vec<_>>(), expected, "{arguments:?}");
    };
    check(&["--type", "UnitExited"], |event| event["event"] == "UnitExited");
    check(&["--type", "Unit*"], |event| event["event"].as_str().unwrap().starts_with("Unit"));
    check(&["--type", "UnitExited,UnitStateChanged"], |event| {
        event["event"] == "UnitExited" || event["event"] == "UnitStateChanged"
    });
    check(&["--level", "warn"], |event| event["level"] != "info");
    let is_web = |event: &Value| event["unit"].as_str().is_some_and(|unit| unit != "db");
    check(&["web-*"], is_web);
    check(&["-u", "web-1,web-2"], is_web);
    let exit = all.iter().find(|event| event["event"] == "UnitExited").unwrap();
    let trace = exit["trace-id"].as_str().unwrap();
    let chain = found(&sandbox, &["--trace", trace]);
    assert!(chain.contains(exit), "{chain:?}");
    assert!(chain.iter().all(|event| event["trace-id"] == trace), "{chain:?}");
}

#[test]
fn events_are_found_by_time() {
    let sandbox = up();
    let all = found(&sandbox, &["-n", "all"]);
    let time = |event: &Value| event["timestamp"].as_str().unwrap().to_owned();
    let middle = time(&all[all.len() / 2]);
    let since = found(&sandbox, &["--since", &middle]);
    assert!(since.len() >= all.len() - all.len() / 2, "{since:?}");
    assert!(since.iter().all(|event| time(event) >= middle), "{since:?}");
    let until = found(&sandbox, &["--until", &middle]);
    let expected: Vec<&Value> = all.iter().filter(|event| time(event) <= middle).collect();
    assert_eq!(until.iter().collect::<Vec<_>>(), expected);
    assert_eq!(found(&sandbox, &["--until", "yesterday"]), [Value::Null; 0]);
    assert_eq!(found(&sandbox, &["-n", "1", "--until", &middle]).len(), 1);
}

#[test]
fn what_nothing_is_called_is_said() {
    let sandbox = up();
    let answer = ask(&sandbox, &["--type", "UnitExploded"]);
    assert_eq!((answer.code, answer.out.as_str()), (0, ""), "{answer:?}");
    let said = "note: nothing was of the type `UnitExploded`; there is ";
    assert!(answer.err.starts_with(said) && answer.err.contains("UnitExited"), "{answer:?}");
    assert_eq!(ask(&sandbox, &["--level", "loud"]).code, 2);
    assert_eq!(ask(&sandbox, &["--since", "soon"]).code, 2);
    assert_eq!(ask(&sandbox, &["nosuch"]).code, 1);
    // Everything since the first event is there.
    assert_eq!(ask(&sandbox, &["--since", "1d"]).err, "");
}

#[test]
fn whoever_asks_for_more_than_is_kept_is_told_from_when_on_it_is() {
    let mut sandbox = up();
    assert_eq!(sandbox.down(), Some(0));
    // What an agent of long ago has left: the first event is not among them.
    let folder = sandbox.path(".mainstay/events");
    let mut records: Vec<Vec<u8>> = journal::read(&folder).unwrap().records;
    records.remove(0);
    rewrite(&folder, &records);
    sandbox.up();
    let oldest = found(&sandbox, &["-n", "all"])[0]["timestamp"].as_str().unwrap().to_owned();
    let expected = format!("note: events from before {oldest} are not kept any more\n");
    assert_eq!(ask(&sandbox, &["-n", "all"]).err, expected);
    assert_eq!(ask(&sandbox, &["--since", "1d"]).err, expected);
    assert_eq!(ask(&sandbox, &["-n", "1"]).err, "");
    assert_eq!(ask(&sandbox, &["--since", &oldest]).err, "");
}

#[test]
fn what_happened_before_all_that_is_in_memory_is_found_page_by_page_and_by_streams() {
    const COUNT: u64 = 11_000;
    let mut sandbox = Sandbox::new("[services.web]\ncommand = [\"sleep\", \"1000\"]\n");
    let folder = sandbox.path(".mainstay/events");
    fs::create_dir_all(&folder).unwrap();
    let event = |number: u64| {
        let at = jiff::Timestamp::from_second(1_767_225_600).unwrap();
        let at = at + std::time::Duration::from_secs(number);
        let (level, kind) =
            if number == 2 { ("error", "GhostSeen") } else { ("info", "UnitExited") };
        let event = json!({
            "sequence": number, "timestamp": format!("{at:.3}"), "level": level, "event": kind,
            "unit": format!("old-{number}"), "run": number, "trace-id": format!("{number:016x}"),
            "message": "it was long ago",
        });
        serde_json::to_vec(&event).unwrap()
    };
    rewrite(&folder, &(1..=COUNT).map(event).collect::<Vec<_>>());
    assert!(journal::numbers(&folder).unwrap().len() > 10);
    sandbox.up();
    let check = |arguments: &[&str], expected: &[u64]| {
        let found = found(&sandbox, arguments);
        let numbers: Vec<u64> =
            found.iter().map(|event| event["sequence"].as_u64().unwrap()).collect();
        assert_eq!(numbers, expected, "{arguments:?}");
    };
    check(&["--type", "Ghost*"], &[2]);
    check(&["old-2"], &[2]);
    check(&["--level", "error"], &[2]);
    check(&["--run", "2"], &[2]);
    check(&["--trace", "0000000000000002"], &[2]);
    check(&["--until", "2026-01-01T00:00:02Z"], &[1, 2]);
    check(&["--since", "2026-01-01T00:00:02Z", "--until", "2026-01-01T00:00:03Z"], &[2, 3]);
    let all = found(&sandbox, &["-n", "all"]);
    let numbers = all.iter().map(|event| event["sequence"].as_u64().unwrap());
    assert!(all.len() > 11_000 && numbers.eq((1..).take(all.len())), "{}", all.len());
    assert_eq!(ask(&sandbox, &["-n", "all"]).err, "");
    assert_eq!(ask(&sandbox, &["--type", "Ghost*", "--until", "2026-01-01T00:00:01Z"]).err, "");
    let stream = listen(&sandbox, "/v1/events", &["-H", "last-event-id: 2"], "stream");
    wait_until("it goes on through journal and memory", || {
        told(&sandbox.read("stream")).len() + 2 >= all.len()
    });
    end(stream);
    let told = told(&sandbox.read("stream"));
    assert!(told.iter().map(|(id, _)| id.parse::<u64>().unwrap()).eq((3..).take(told.len())));
}
