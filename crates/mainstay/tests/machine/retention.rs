//! What is kept of logs: segments are compressed and deleted while they are written and read.

use std::{
    fs::{self, File},
    path::PathBuf,
};

use mainstay_storage::segment::ChainFiles;

#[cfg(feature = "fail")]
use crate::processes::whole_lines;
use crate::{
    processes::{self, wait_until},
    sandbox::Sandbox,
};

const LINES: usize = 60_000;

/// Counts in steps, so that it lasts for a while.
fn counting(logs: &str) -> String {
    format!(
        "[services.count]\n\
         shell = \"i=0; while [ $i -lt {LINES} ]; do seq $i $((i+999)); i=$((i+1000)); sleep 0.02; \
         done; echo end; exec sleep 1000\"\n\
         logs = {logs}\n"
    )
}

fn expected() -> String {
    let numbers: Vec<String> = (0..LINES).map(|number| number.to_string()).collect();
    numbers.join("\n") + "\nend\n"
}

fn chain(sandbox: &Sandbox, unit: &str) -> ChainFiles {
    ChainFiles::new(&logs(sandbox).join(unit), unit)
}

fn logs(sandbox: &Sandbox) -> PathBuf {
    sandbox.path(".mainstay/logs")
}

/// Returns the segments that are there but the live one, and those of them that are plain.
fn closed(sandbox: &Sandbox, unit: &str) -> (Vec<u64>, Vec<u64>) {
    let found = chain(sandbox, unit).find().unwrap();
    (found.closed, found.plain)
}

fn wait_for_end(sandbox: &Sandbox) {
    wait_until("all is written", || sandbox.get(&["logs", "count", "-n", "1"]).contains("end"));
}

/// Waits until every segment but the newest closed one is compressed.
fn wait_for_rest(sandbox: &Sandbox) {
    wait_until("all is compressed", || {
        let (closed, plain) = closed(sandbox, "count");
        closed.len() > 3 && plain.len() == 1 && plain.last() == closed.last()
    });
}

#[test]
fn a_compressed_log_reads_as_it_was_written() {
    let sandbox = Sandbox::up_with(&counting("{ max-size = \"16KiB\", keep = 0 }"));
    let target = File::create(sandbox.path("followed")).unwrap();
    let mut command = sandbox.command(&["logs", "-f", "-n", "all"]);
    let mut follower = command.stdout(target).spawn().unwrap();
    wait_for_end(&sandbox);
    wait_for_rest(&sandbox);
    assert!(sandbox.get(&["logs", "count", "--raw", "-n", "all"]) == expected());
    wait_until("everything was followed", || sandbox.read("followed").ends_with("end\n"));
    follower.kill().unwrap();
    follower.wait().unwrap();
    assert!(sandbox.read("followed") == expected(), "a line is missing, or there twice");
    let tail = sandbox.get(&["logs", "count", "-n", "20000"]);
    assert!(expected().ends_with(&tail) && tail.lines().count() == 20_000);
    let found = sandbox.get(&["logs", "count", "--grep", "^[12]00$", "--json"]);
    assert_eq!(found.matches("\"run\":1").count(), 2, "{found}");
    let first = chain(&sandbox, "count").compressed(1);
    assert!(fs::metadata(first).unwrap().len() < 8 * 1024);
}

#[cfg(feature = "fail")]
#[test]
fn a_death_while_a_segment_is_compressed_or_deleted_costs_nothing() {
    const POINTS: [&str; 5] = [
        "agent.compress.begun",
        "agent.compress.frame",
        "agent.compress.named",
        "agent.compress.removed",
        "agent.delete",
    ];
    // They write until every point was met: whoever compresses may be slow.
    let service = |name: &str, logs: &str| {
        format!(
            "[services.{name}]\n\
             shell = \"i=0; while [ ! -e done ]; do seq $i $((i+999)); i=$((i+1000)); sleep 0.1; \
             done; echo end; exec sleep 1000\"\n\
             logs = {{ max-size = \"8KiB\", {logs} }}\n"
        )
    };
    let mut sandbox = Sandbox::new(
        &(service("count", "keep = 0") + &service("thin", "keep = 2, compress = \"off\"")),
    );
    let folder = sandbox.up_fallible();
    let program = sandbox.wait_for_pid("count");
    for point in POINTS {
        fs::write(folder.join(point), "").unwrap();
        wait_until("somebody dies", || !folder.join(point).exists());
        let text = sandbox.get(&["logs", "count", "--raw", "-n", "all"]);
        expect_counted(whole_lines(&text), 0);
    }
    File::create(sandbox.path("done")).unwrap();
    wait_for_end(&sandbox);
    wait_for_rest(&sandbox);
    let text = sandbox.get(&["logs", "count", "--raw", "-n", "all"]);
    expect_counted(text.strip_suffix("end\n").unwrap(), 0);
    let whole = |unit: &str| sandbox.get(&["logs", unit, "--raw", "-n", "all"]);
    wait_until("all is written", || whole("thin").ends_with("end\n"));
    wait_until("two are left", || closed(&sandbox, "thin").0.len() == 2);
    let text = whole("thin");
    let first: usize = text.lines().next().unwrap().parse().unwrap();
    expect_counted(text.strip_suffix("end\n").unwrap(), first);
    assert_eq!(sandbox.wait_for_pid("count"), program);
}

/// Expects each number once, in order, from the first one on.
#[cfg(feature = "fail")]
fn expect_counted(text: &str, first: usize) {
    for (line, number) in text.lines().zip(first..) {
        assert_eq!(line, number.to_string());
    }
}

#[test]
fn what_is_too_old_goes_and_is_told_once() {
    let sandbox =
        Sandbox::up_with(&counting("{ max-size = \"16KiB\", keep-for = \"1s\", every = \"1h\" }"));
    wait_for_end(&sandbox);
    wait_until("all but one are gone", || closed(&sandbox, "count").0.len() == 1);
    assert!(sandbox.get(&["logs", "count", "-n", "1"]).contains("end"));
    let events = sandbox.get(&["events"]);
    let told: Vec<&str> = events.lines().filter(|line| line.contains("`keep-for`")).collect();
    assert_eq!(told.len(), 1, "{events}");
}

#[test]
fn a_log_that_has_gone_silent_goes_when_it_is_old_and_its_numbers_go_on() {
    let mut sandbox = Sandbox::new(
        "[services.web]\nshell = \"echo old; while [ ! -e go ]; do sleep 0.1; done; echo new; \
         exec sleep 1000\"\nlogs = { every = \"1s\", keep-for = \"1s\" }\n",
    );
    sandbox.up();
    let chain = chain(&sandbox, "web");
    let has_gone = |number: u64| {
        let found = chain.find().unwrap();
        found.closed == [number] && chain.is_emptied(number) && !found.has_live
    };
    wait_until("what it said is gone", || has_gone(1));
    assert_eq!(sandbox.get(&["logs", "web", "-n", "all"]), "");
    File::create(sandbox.path("go")).unwrap();
    wait_until("what it said next is gone as well", || has_gone(2));
    // Nothing is left but a name.
    assert_eq!(fs::read_dir(chain.folder()).unwrap().count(), 1);
}

#[test]
fn what_has_left_the_files_keeps_its_limits_under_the_next_agent() {
    let logs = "{ max-size = \"8KiB\", keep = 2, compress = \"off\" }";
    let sandbox = Sandbox::up_with(&format!(
        "[services.idle]\ncommand = [\"sleep\", \"1000\"]\n[services.web]\n\
         shell = \"while :; do seq 1000; sleep 0.02; done\"\nlogs = {logs}\n"
    ));
    let number = || closed(&sandbox, "web").0.last().copied().unwrap_or(0);
    wait_until("it has rotated", || number() > 5);
    fs::write(sandbox.file(), "[services.idle]\ncommand = [\"sleep\", \"1000\"]\n").unwrap();
    sandbox.wait_for("web", |unit| unit.orphaned);
    for _ in 0..2 {
        let first = sandbox.status().agent.pid;
        processes::kill(first);
        wait_until("the next agent is there", || sandbox.status().agent.pid != first);
        assert!(sandbox.unit("web").orphaned);
        let before = number();
        wait_until("a lot is written", || number() > before + 10);
        // One may be closed while they are listed.
        wait_until("little is kept", || closed(&sandbox, "web").0.len() <= 3);
    }
}

#[test]
fn all_logs_of_a_service_share_what_they_may_take() {
    const TOTAL: u64 = 128 * 1024;
    let shell = "seq 20000; echo end; exec sleep 1000";
    let sandbox = Sandbox::up_with(&format!(
        "[services.web]\nshell = \"{shell}\"\ninstances = 2\n\
         logs = {{ max-size = \"8KiB\", keep-total = \"{}KiB\", compress = \"off\" }}\n\
         [services.other]\nshell = \"{shell}\"\nlogs = {{ max-size = \"8KiB\", keep = 0, compress = \"off\" }}\n",
        TOTAL / 1024
    ));
    for unit in ["web", "web@2", "other"] {
        wait_until("all is written", || sandbox.get(&["logs", unit, "-n", "1"]).contains("end"));
    }
    let taken = || {
        let folders = ["web", "web@2"].map(|unit| logs(&sandbox).join(unit));
        let files = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap().flatten());
        // One may be deleted while they are counted.
        files.filter_map(|file| file.metadata().ok()).map(|found| found.len()).sum::<u64>()
    };
    // The index of a live segment is not counted.
    wait_until("they take less", || taken() <= TOTAL + 8 * 1024);
    assert!(taken() > TOTAL / 2, "{} bytes are left", taken());
    assert!(closed(&sandbox, "other").0.len() > 10);
}
