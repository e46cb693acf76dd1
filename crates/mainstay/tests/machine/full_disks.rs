//! A full disk: nobody dies of it, nothing that was written is torn, and it is said.

use std::fs;

use crate::{disks::Disk, processes, processes::wait_until, sandbox::Sandbox};

/// The size of the disk, in KiB.
const SIZE: u64 = 64 * 1024;

/// A program that writes numbered lines as fast as it can, until `enough` is there.
const WRITER: &str = r#"
line=0
while [ ! -e enough ]; do
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        line=$((line + 1))
        echo "$line is a line of some length that takes its room on the disk, as lines do."
    done
done
echo "last $line"
exec sleep 1000
"#;

/// Returns an instance whose state lies on a disk of its own, with writers of these policies.
fn instance(policies: &[&str]) -> Option<(Sandbox, Disk)> {
    let sandbox = Sandbox::new("");
    let disk = Disk::of_size(&sandbox.path(".mainstay"), SIZE)?;
    let mut config = "[services.quiet]\ncommand = [\"sleep\", \"1000\"]\n".to_owned();
    for policy in policies {
        let service = format!("[services.{policy}]\ncommand = [\"sh\", \"writer\"]\n");
        let logs = format!("{{ max-size = \"256KiB\", keep = 0, on-full = \"{policy}\" }}");
        config += &(service + "logs = " + &logs + "\n");
    }
    fs::write(sandbox.file(), config).unwrap();
    fs::write(sandbox.path("writer"), WRITER).unwrap();
    Some((sandbox, disk))
}

fn raw(sandbox: &Sandbox, unit: &str) -> String {
    sandbox.get(&["logs", unit, "--raw", "--lines", "all"])
}

/// Returns the numbers of the whole lines of a log, and how many were cut.
fn numbers(log: &str) -> (Vec<u64>, usize) {
    const WHOLE: &str = " is a line of some length that takes its room on the disk, as lines do.";
    let (mut numbers, mut cut) = (Vec::new(), 0);
    for line in log.lines().filter(|line| !line.starts_with("last ")) {
        let digits = line.find(' ').unwrap_or(line.len());
        let (number, rest) = line.split_at(digits);
        assert!(WHOLE.starts_with(rest), "two lines in one: {line}");
        if rest == WHOLE { numbers.push(number.parse().unwrap()) } else { cut += 1 }
    }
    (numbers, cut)
}

#[test]
fn programs_wait_for_room_and_lose_nothing_when_their_log_may_block() {
    let Some((mut sandbox, disk)) = instance(&["block"]) else { return };
    sandbox.up();
    sandbox.wait_for_all();
    disk.fill_but(1024);
    let takes_nothing = "the log of `block` takes nothing: No space left on device";
    wait_until("it is said", || sandbox.get(&["events", "block"]).contains(takes_nothing));
    let before = (sandbox.runs(), sandbox.status().keeper, sandbox.status().agent);
    assert!(sandbox.get(&["status"]).contains(takes_nothing), "{}", sandbox.get(&["status"]));
    assert!(sandbox.get(&["why", "block"]).contains(takes_nothing));
    assert!(!sandbox.get(&["why", "quiet"]).contains("takes nothing"));

    fs::write(sandbox.path("enough"), "").unwrap();
    disk.make_room();
    let mut log = String::new();
    wait_until("the last line is there", || {
        log = raw(&sandbox, "block");
        log.lines().last().is_some_and(|line| line.starts_with("last "))
    });
    let (numbers, cut) = numbers(&log);
    assert_eq!(cut, 0);
    let gaps: Vec<&[u64]> = numbers.windows(2).filter(|pair| pair[0] + 1 != pair[1]).collect();
    assert!(gaps.is_empty() && numbers[0] == 1, "from {}, gaps {gaps:?}", numbers[0]);
    assert!(log.ends_with(&format!("last {}\n", numbers.len())));
    let events = sandbox.get(&["events", "block"]);
    assert!(events.contains("the log of `block` takes bytes again"), "{events}");
    assert!(!sandbox.get(&["status"]).contains("takes nothing"));
    assert_eq!((sandbox.runs(), sandbox.status().keeper, sandbox.status().agent), before);
    assert_eq!(sandbox.down(), Some(0));
    processes::expect_none(sandbox.folder());
}

#[test]
fn programs_run_on_when_new_lines_may_be_dropped_and_the_gap_is_counted() {
    let Some((mut sandbox, disk)) = instance(&["drop-new"]) else { return };
    sandbox.up();
    sandbox.wait_for_all();
    disk.fill_but(1024);
    wait_until("it is said", || sandbox.get(&["status"]).contains("takes nothing"));
    // It writes on: to nowhere.
    let discarded = || {
        let events = sandbox.get(&["events", "drop-new", "--lines", "1000"]);
        let counts = events.lines().filter_map(|line| {
            line.split_once("  ")?.1.strip_suffix(" bytes of `drop-new` were discarded")?;
            Some(())
        });
        counts.count()
    };
    wait_until("it is counted", || discarded() > 1);
    disk.make_room();
    wait_until("lines are taken again", || sandbox.get(&["events"]).contains("takes bytes again"));
    fs::write(sandbox.path("enough"), "").unwrap();
    let mut log = String::new();
    wait_until("the last line is there", || {
        log = raw(&sandbox, "drop-new");
        log.lines().last().is_some_and(|line| line.starts_with("last "))
    });
    let (numbers, cut) = numbers(&log);
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "lines came twice");
    let gaps = numbers.windows(2).filter(|pair| pair[0] + 1 != pair[1]).count();
    assert!(cut <= gaps, "{cut} lines were cut, at {gaps} gaps");
    assert!((1..=discarded()).contains(&gaps), "{gaps} gaps, {} told", discarded());
    assert_eq!(sandbox.down(), Some(0));
}

#[test]
fn the_oldest_segments_make_room_when_they_may() {
    let Some((mut sandbox, disk)) = instance(&["drop-oldest"]) else { return };
    sandbox.up();
    sandbox.wait_for_all();
    disk.fill_but(2048);
    let deleted = || {
        let events = sandbox.get(&["events", "drop-oldest", "--lines", "1000"]);
        events.matches("1 old segment of `drop-oldest` was deleted to make room").count()
    };
    wait_until("the oldest are deleted", || deleted() > 10);
    fs::write(sandbox.path("enough"), "").unwrap();
    // A reader that has listed the segments finds gaps where they are deleted meanwhile.
    wait_until("nothing but the beginning is missing", || {
        let log = raw(&sandbox, "drop-oldest");
        let has_end = log.lines().last().is_some_and(|line| line.starts_with("last "));
        let (numbers, cut) = numbers(&log);
        let is_whole = numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]);
        has_end && cut == 0 && is_whole && numbers[0] > 1
    });
    assert_eq!(sandbox.down(), Some(0));
}

const THREE: &str = r#"
[services.web]
command = ["sleep", "1000"]

[services.api]
command = ["sleep", "1000"]
restart = { delay = "10ms", max-delay = "100ms" }

[services.talk]
shell = "while :; do echo words; sleep 0.01; done"
"#;

#[test]
fn a_disk_without_room_for_any_state_stops_nothing_and_every_refusal_is_clear() {
    const FULL: &str = "No space left on device";
    let outer = Sandbox::new("");
    let Some(disk) = Disk::of_size(&outer.path("disk"), SIZE) else { return };
    let mut sandbox = Sandbox::at(&outer.path("disk/instance"), THREE);
    sandbox.up();
    sandbox.wait_for_all();
    let talk = sandbox.wait_for_pid("talk");
    let keeper = sandbox.status().keeper;
    disk.fill_but(0);

    let refused = sandbox.ask(&["add", "more", "--", "sleep", "1000"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.starts_with("error: cannot edit `/"), "{}", refused.err);
    assert!(refused.err.contains(FULL), "{}", refused.err);
    assert_eq!(sandbox.read("mainstay.toml"), THREE);
    assert!(!sandbox.path("mainstay.toml.new").exists());

    let stopped = sandbox.ask(&["stop", "web"]);
    let expected = "error: this is done, but the next agent will not know it: No space left";
    assert_eq!((stopped.code, stopped.err.starts_with(expected)), (1, true), "{stopped:?}");
    sandbox.wait_for("web", |unit| unit.state == "stopped");

    // The last page of the file has room for some more.
    wait_until("events do not reach the disk", || {
        sandbox.ask(&["stop", "web"]);
        sandbox.get(&["events"]).contains("takes no events; they wait in memory")
    });
    processes::kill(sandbox.wait_for_pid("api"));
    let journal = format!("was not started: cannot write the keeper's journal: {FULL}");
    sandbox.wait_for("api", |unit| unit.state == "backoff" && unit.why.contains(&journal));
    processes::kill(sandbox.status().agent.pid);
    wait_until("another agent answers", || sandbox.ask(&["status"]).code == 0);
    assert_eq!((sandbox.wait_for_pid("talk"), sandbox.status().keeper), (talk, keeper.clone()));

    disk.make_room();
    sandbox.wait_for_all();
    sandbox.get(&["stop", "web"]);
    sandbox.get(&["add", "more", "--", "sleep", "1000"]);
    assert_eq!((sandbox.wait_for_pid("talk"), sandbox.status().keeper), (talk, keeper));
    assert_eq!(sandbox.wait_for_pid("api"), sandbox.copies_of("api")[0]);
    sandbox.kill_both();
    sandbox.up();
    assert_eq!(sandbox.unit("web").state, "stopped");
    assert_eq!(sandbox.wait_for_pid("talk"), talk);
    let events = sandbox.get(&["events", "--lines", "1000"]);
    assert!(!events.contains("StateDamaged"), "{events}");
    let exits = events.matches("run 1 of `api` was killed by signal 9").count();
    assert_eq!(exits, 1, "what happened meanwhile is told, once: {events}");
    assert_eq!(sandbox.down(), Some(0));
}

#[test]
fn a_log_that_cannot_be_written_says_why_and_drops_nothing() {
    let sandbox = Sandbox::up_with(
        "[services.web]\nshell = \"echo kept; exec sleep 1000\"\nstart = \"manual\"\n\
         logs = { on-full = \"drop-new\" }\n",
    );
    let log = sandbox.path(".mainstay/logs/web/web.log");
    fs::create_dir_all(&log).unwrap();
    sandbox.get(&["start", "web"]);
    let reason = "the log of `web` cannot be written: Is a directory (os error 21)";
    for view in [["status", "web"], ["why", "web"], ["events", "web"]] {
        wait_until("it is said", || sandbox.get(&view).contains(reason));
    }
    assert!(sandbox.get(&["events", "web"]).contains("LogFailed"));
    fs::remove_dir(&log).unwrap();
    wait_until("the line is there", || raw(&sandbox, "web") == "kept\n");
    wait_until("it is over", || sandbox.unit("web").pressure.is_none());
}
