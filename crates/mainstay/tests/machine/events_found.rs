//! What `events` finds: by type, level, time and name.

use serde_json::Value;

use crate::{
    processes::wait_until,
    sandbox::{Answer, Sandbox},
};

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
    let mut records: Vec<Vec<u8>> = mainstay_storage::journal::read(&folder).unwrap().records;
    records.remove(0);
    std::fs::remove_dir_all(&folder).unwrap();
    std::fs::create_dir(&folder).unwrap();
    let limits =
        mainstay_storage::journal::ChainLimits { file_bytes: 1 << 20, total_bytes: 1 << 24 };
    let create = |path: &std::path::Path| std::fs::File::create_new(path);
    let mut journal = mainstay_storage::journal::Journal::open(&folder, limits, create).unwrap();
    let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
    journal.append(&records, create).unwrap();
    journal.sync().unwrap();
    sandbox.up();
    let oldest = found(&sandbox, &["-n", "all"])[0]["timestamp"].as_str().unwrap().to_owned();
    let expected = format!("note: events from before {oldest} are not kept any more\n");
    assert_eq!(ask(&sandbox, &["-n", "all"]).err, expected);
    assert_eq!(ask(&sandbox, &["--since", "1d"]).err, expected);
    assert_eq!(ask(&sandbox, &["-n", "1"]).err, "");
    assert_eq!(ask(&sandbox, &["--since", &oldest]).err, "");
}
