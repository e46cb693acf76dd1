//! Clocks that jump, by a year, a day, to 1970, and by the hours of a suspend: nobody is late,
//! nobody is early, nothing is lost, and every age is an age.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use mainstay_api::control::{Event, Unit};
use serde_json::Value;

use crate::{
    dial::{Dial, pass},
    processes::{self, wait_until},
    sandbox::Sandbox,
};

const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);
const DAY: SignedDuration = SignedDuration::from_hours(24);
const NIGHT: SignedDuration = SignedDuration::from_hours(8);
/// Longer than anything in these tests takes, shorter than any wait in their configuration.
const LONG_MS: u64 = 120_000;

/// Programs see the true time: they know nothing of the library between us and the clock.
const WEB: &str = r#"
[services.web]
environment = { LD_PRELOAD = "" }
command = ["sleep", "1000"]
"#;

/// One waits for its next start, one does not want to go, one crashes all the time.
const WAITING: &str = r#"
[services.crashed]
environment = { LD_PRELOAD = "" }
shell = "exit 1"
restart = { delay = "20m", max-delay = "20m" }

[services.stubborn]
environment = { LD_PRELOAD = "" }
shell = "trap '' TERM; echo ready; while :; do sleep 0.1; done"
stop = { timeout = "20m" }

[services.crash]
environment = { LD_PRELOAD = "" }
shell = "sleep 0.05; exit 1"
restart = { delay = "10ms", max-delay = "10ms" }
"#;

/// One writes numbers, in small segments of which it keeps all; another keeps two.
const TALKING: &str = r#"
[services.web]
environment = { LD_PRELOAD = "" }
command = ["sleep", "1000"]

[services.talk]
environment = { LD_PRELOAD = "" }
shell = "line=0; while :; do line=$((line + 1)); echo $line; sleep 0.01; done"
logs = { max-size = "512B", keep = 1000 }

[services.brief]
environment = { LD_PRELOAD = "" }
shell = "line=0; while :; do line=$((line + 1)); echo $line; sleep 0.01; done"
logs = { max-size = "64B", keep = 2 }
"#;

/// Returns an instance whose clock can be turned.
fn up(config: &str) -> (Sandbox, Dial) {
    let mut sandbox = Sandbox::new(config);
    let dial = Dial::of(&mut sandbox);
    sandbox.up();
    (sandbox, dial)
}

/// Lets the clock jump to and fro, and looks each time.
fn at_each_jump(dial: &mut Dial, mut look: impl FnMut(&Dial)) {
    for jump in [YEAR, -DAY, NIGHT, SignedDuration::ZERO] {
        dial.turn(jump);
        look(dial);
    }
    dial.turn_to_1970();
    look(dial);
    dial.turn(SignedDuration::ZERO);
    look(dial);
}

fn events(sandbox: &Sandbox) -> Vec<Event> {
    let out = sandbox.get(&["events", "--json", "-n", "5000"]);
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Returns the numbers that a unit has written, as they are kept.
fn numbers(sandbox: &Sandbox, unit: &str) -> Vec<u64> {
    let text = sandbox.get(&["logs", unit, "--raw", "-n", "all"]);
    let whole = text.rfind('\n').map_or("", |end| text.get(..end).unwrap());
    whole.lines().map(|line| line.parse().unwrap()).collect()
}

/// Checks that no age is absurd and that every wait goes on as it was.
fn check_waits(unit: &Unit, dial: &Dial, before_ms: Option<u64>) -> Option<u64> {
    assert!(unit.since_seconds < LONG_MS / 1000, "{unit:?}");
    let since: Timestamp = unit.since.parse().unwrap();
    let age = SignedDuration::from_secs(i64::try_from(unit.since_seconds).unwrap());
    assert!(dial.is_about_now(&(since + age).to_string()), "{unit:?}");
    let left = unit.next.as_ref().map(|next| next.in_ms)?;
    if let Some(before) = before_ms {
        assert!(left <= before && before - left < LONG_MS, "{before} ms, then {unit:?}");
    }
    Some(left)
}

#[test]
fn no_deadline_moves_with_the_clock() {
    let (sandbox, mut dial) = up(WAITING);
    sandbox.wait_for("crashed", |unit| unit.state == "backoff");
    let pid = sandbox.wait_for_pid("stubborn");
    wait_until("it ignores TERM", || sandbox.get(&["logs", "stubborn"]) == "ready\n");
    sandbox.get(&["stop", "stubborn", "--no-wait"]);
    let (keeper, agent) = (sandbox.status().keeper, sandbox.status().agent);
    let mut left: [Option<u64>; 2] = [None, None];
    at_each_jump(&mut dial, |dial| {
        let restarts = sandbox.unit("crash").restarts;
        sandbox.wait_for("crash", |unit| unit.restarts > restarts + 3);
        let crashed = sandbox.unit("crashed");
        assert_eq!((crashed.state.as_str(), crashed.run), ("backoff", 1));
        let stubborn = sandbox.unit("stubborn");
        assert_eq!((stubborn.state.as_str(), stubborn.pid), ("stopping", Some(pid)));
        left = [check_waits(&crashed, dial, left[0]), check_waits(&stubborn, dial, left[1])];
        assert!(left.iter().all(Option::is_some), "{left:?}");
        let crash = sandbox.wait_for("crash", |unit| unit.last_exit.is_some());
        assert!(crash.last_exit.unwrap().lived_ms < LONG_MS);
        let story = sandbox.get(&["why", "crashed"]);
        assert!(story.contains("Its next start is in "), "{story}");
    });
    assert_eq!((sandbox.status().keeper, sandbox.status().agent), (keeper, agent));
    sandbox.get(&["kill", "stubborn"]);
    sandbox.wait_for("stubborn", |unit| unit.state == "stopped");
}

#[test]
fn a_jump_wakes_nobody_up() {
    let (sandbox, mut dial) = up(WEB);
    let pid = sandbox.wait_for_pid("web");
    let status = sandbox.status();
    let used = || {
        let pids = [status.keeper.pid, status.agent.pid];
        pids.iter().map(|pid| processes::time_used_by(*pid)).sum::<Duration>()
    };
    for jump in [YEAR, -DAY, SignedDuration::ZERO] {
        dial.turn(jump);
        assert!(dial.is_about_now(&sandbox.unit("web").since));
        let before = used();
        pass(Duration::from_secs(1));
        assert!(used() < before + Duration::from_millis(100), "something spins");
    }
    assert_eq!(sandbox.wait_for_pid("web"), pid);
}

#[test]
fn whoever_dies_across_a_jump_costs_no_program_and_no_line() {
    let (mut sandbox, mut dial) = up(TALKING);
    sandbox.wait_for_all();
    let runs = sandbox.runs();
    let mut victims = ["agent", "keeper", "both"].into_iter().cycle();
    let mut count = 0;
    at_each_jump(&mut dial, |_| {
        let status = sandbox.status();
        match victims.next() {
            Some("agent") => processes::kill(status.agent.pid),
            Some("keeper") => processes::kill(status.keeper.pid),
            _ => {
                sandbox.kill_both();
                sandbox.up();
            }
        }
        wait_until("somebody answers", || sandbox.ask(&["status"]).code == 0);
        assert_eq!(sandbox.runs(), runs);
        let before = numbers(&sandbox, "talk").len();
        wait_until("it writes on", || numbers(&sandbox, "talk").len() > before + 20);
        count += 1;
    });
    assert_eq!(count, 6);
    let numbers = numbers(&sandbox, "talk");
    for (number, expected) in numbers.iter().zip(1..) {
        assert_eq!(*number, expected);
    }
    assert_eq!(sandbox.down(), Some(0));
}

#[test]
fn events_and_lines_stay_in_the_order_in_which_they_happened() {
    let (sandbox, mut dial) = up(TALKING);
    sandbox.wait_for_all();
    let mut sequences = Vec::new();
    at_each_jump(&mut dial, |dial| {
        let former = sandbox.unit("web").run;
        sandbox.get(&["restart", "web"]);
        sandbox.wait_for("web", |unit| unit.run > former && unit.state == "running");
        let last = events(&sandbox).pop().unwrap();
        assert!(dial.is_about_now(&last.timestamp), "{last:?}");
        sequences.push(last.sequence);
        let is_fresh = || {
            let text = sandbox.get(&["logs", "talk", "--json", "-n", "1"]);
            let line: Value = serde_json::from_str(&text).unwrap();
            line["time"].as_str().is_some_and(|time| dial.is_about_now(time))
        };
        wait_until("lines carry the time", is_fresh);
    });
    assert!(sequences.is_sorted_by(|one, other| one < other), "{sequences:?}");
    for (event, expected) in events(&sandbox).iter().zip(1..) {
        assert_eq!(event.sequence, expected);
    }
    let text = sandbox.get(&["logs", "talk", "-n", "all"]);
    for (line, expected) in text.lines().zip(1_u64..) {
        assert_eq!(line, expected.to_string());
    }
}

#[test]
fn the_oldest_segments_go_whatever_their_times_say() {
    let (sandbox, mut dial) = up(TALKING);
    sandbox.wait_for_all();
    at_each_jump(&mut dial, |_| {
        let last = || numbers(&sandbox, "brief").pop().unwrap_or_default();
        let before = last();
        wait_until("it writes on", || last() > before + 50);
    });
    wait_until("old segments are gone", || {
        let kept = numbers(&sandbox, "brief");
        let is_in_order = kept.is_sorted_by(|one, other| one < other);
        is_in_order && kept.len() < 150 && kept.first() > Some(&100)
    });
}

#[test]
fn up_shows_its_own_life_only_when_the_clock_was_set_back() {
    let (mut sandbox, mut dial) = up(WEB);
    dial.turn(YEAR);
    sandbox.get(&["restart", "web"]);
    sandbox.wait_for("web", |unit| unit.run > 1 && unit.state == "running");
    assert_eq!(sandbox.down(), Some(0));
    let former = sandbox.read("up.log").len();

    dial.turn(-DAY);
    sandbox.up();
    let shown = || sandbox.read("up.log").get(former..).unwrap().to_owned();
    wait_until("it shows the start", || shown().contains("`web` is running"));
    for line in shown().lines().filter(|line| line.contains("`web` is")) {
        let (time, _) = line.split_once(' ').unwrap();
        assert!(dial.is_about_now(time), "{line}");
    }
}
