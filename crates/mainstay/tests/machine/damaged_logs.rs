//! Damaged logs and indices: what is left is read, and what comes next has its run and its time.

use std::fs::{self, File};

use mainstay_storage::index::{RECORD_BYTES, boot_mark};
use serde_json::Value;

use crate::{processes::wait_until, sandbox::Sandbox, state_files::DAMAGES};

/// A way to spoil a file.
type Spoil<'a> = &'a dyn Fn(&mut Vec<u8>);

/// Says its run and waits.
const AGAIN: &str = r#"
[services.api]
shell = "echo $MAINSTAY_RUN; exec sleep 1000"
"#;

fn lines(sandbox: &Sandbox, unit: &str) -> Vec<Value> {
    let text = sandbox.get(&["logs", unit, "--json", "-n", "all"]);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn behind_a_damaged_index_every_line_has_its_run_and_time_again() {
    // Nine records of a kind that only a later version knows.
    let unknown = "\t".repeat(RECORD_BYTES - 4);
    // A mark is the checksum that records carry, too.
    let checksum = u32::try_from(boot_mark(&unknown)).unwrap();
    let unknown = [unknown.as_bytes(), &checksum.to_le_bytes()].concat();
    let later = |bytes: &mut Vec<u8>| bytes.extend(unknown.repeat(9));
    let torn = |bytes: &mut Vec<u8>| bytes.truncate(RECORD_BYTES + 20);
    let ahead = |bytes: &mut Vec<u8>| bytes.extend(b"half a record");
    let damages: [(&str, Spoil<'_>); 3] = [("later", &later), ("torn", &torn), ("half", &ahead)];
    for (name, damage) in damages {
        let mut sandbox = Sandbox::up_with(AGAIN);
        wait_until("it writes", || lines(&sandbox, "api").len() == 1);
        sandbox.kill_both();
        let path = sandbox.path(".mainstay/logs/api/api.000001.idx");
        let mut bytes = fs::read(&path).unwrap();
        damage(&mut bytes);
        fs::write(&path, &bytes).unwrap();
        sandbox.up();
        sandbox.get(&["restart", "api"]);
        wait_until("it writes again", || lines(&sandbox, "api").len() == 2);
        let last = lines(&sandbox, "api").pop().unwrap();
        assert_eq!((&last["text"], &last["run"]), (&"2".into(), &2.into()), "{name}: {last}");
        assert!(last["time"].is_string(), "{name}: {last}");
        if name == "later" {
            assert!(fs::read(&path).unwrap().starts_with(&bytes), "{name}");
        }
    }
}

#[test]
fn a_damaged_segment_is_read_and_written_on() {
    for (name, damage) in DAMAGES {
        let mut sandbox = Sandbox::up_with(AGAIN);
        let path = sandbox.path(".mainstay/logs/api/api.log");
        wait_until("it writes", || lines(&sandbox, "api").len() == 1);
        sandbox.kill_both();
        let mut bytes = b"a longer line, of which something is left\n".repeat(9);
        damage(&mut bytes);
        fs::write(&path, &bytes).unwrap();
        sandbox.up();
        sandbox.get(&["restart", "api"]);
        wait_until("it writes again", || fs::read(&path).unwrap().ends_with(b"2\n"));
        assert_eq!(fs::read(&path).unwrap(), [bytes.as_slice(), b"2\n"].concat(), "{name}");
        let last = lines(&sandbox, "api").pop().unwrap();
        assert_eq!(last["run"], 2, "{name}: {last}");
        assert!(last["text"].as_str().unwrap().ends_with('2'), "{name}: {last}");
    }
}

#[test]
fn a_segment_that_has_lost_its_end_costs_later_lines_neither_run_nor_time() {
    let mut sandbox = Sandbox::up_with(
        "[services.api]\nshell = \"seq 9; sleep 0.1; seq 9; echo $MAINSTAY_RUN; exec sleep 1000\"\n",
    );
    wait_until("it writes", || lines(&sandbox, "api").len() == 19);
    sandbox.get(&["restart", "api"]);
    wait_until("it writes again", || lines(&sandbox, "api").len() == 38);
    sandbox.kill_both();
    let path = sandbox.path(".mainstay/logs/api/api.log");
    File::options().write(true).open(&path).unwrap().set_len(4).unwrap();
    sandbox.up();
    sandbox.get(&["restart", "api"]);
    wait_until("it writes once more", || lines(&sandbox, "api").len() == 21);
    let found = lines(&sandbox, "api");
    let runs: Vec<u64> = found.iter().map(|line| line["run"].as_u64().unwrap()).collect();
    assert_eq!(runs, [vec![1; 2], vec![3; 19]].concat());
    assert!(found.iter().all(|line| line["time"].is_string()));
}
