//! Files that change while everything runs: what is good is applied, and nothing else happens.

use std::{collections::BTreeMap, fmt::Write as _, fs};

use mainstay_api::control::{Event, Status};

use crate::{
    processes::{self, wait_until},
    sandbox::Sandbox,
};

const SLEEP: &str = "command = [\"sleep\", \"1000\"]\n";

/// Returns a configuration of services `s0`, `s1` … that all do the same.
fn sleepers(count: usize) -> String {
    let mut text = String::new();
    for number in 0..count {
        let _ = writeln!(text, "[services.s{number}]\n{SLEEP}");
    }
    text
}

/// Returns the text with something behind the header of a service.
fn with(text: &str, service: &str, line: &str) -> String {
    let header = format!("[services.{service}]\n");
    assert!(text.contains(&header), "{service}");
    text.replacen(&header, &format!("{header}{line}\n"), 1)
}

fn pids(sandbox: &Sandbox) -> BTreeMap<String, u32> {
    let units = sandbox.status().units.into_iter();
    units.filter_map(|unit| Some((unit.unit, unit.pid?))).collect()
}

fn events(sandbox: &Sandbox, name: &str) -> Vec<Event> {
    let lines = sandbox.get(&["events", "--json", "--lines", "5000"]);
    let all = lines.lines().map(|line| serde_json::from_str(line).unwrap());
    all.filter(|event: &Event| event.event == name).collect()
}

fn wait_for_refusal(sandbox: &Sandbox) -> String {
    wait_until("the files are refused", || sandbox.status().files.refused.is_some());
    sandbox.status().files.refused.unwrap().why
}

#[test]
fn of_a_thousand_services_only_those_are_touched_that_have_changed() {
    let text = sleepers(1_000);
    let sandbox = Sandbox::up_with(&text);
    wait_until("all run", || pids(&sandbox).len() == 1_000);
    let before = pids(&sandbox);
    let text = with(&text, "s10", "environment = { A = \"1\" }");
    let text = with(&text, "s500", "session = true");
    let text = with(&text, "s990", "stop = { timeout = \"1s\" }");
    fs::write(sandbox.file(), text).unwrap();
    wait_until("the change is applied", || !events(&sandbox, "ConfigApplied").is_empty());
    for name in ["s10", "s500"] {
        sandbox.wait_for(name, |unit| unit.run == 2 && unit.state == "running");
    }
    let after = pids(&sandbox);
    let touched = after.iter().filter(|(name, pid)| before[*name] != **pid);
    assert_eq!(touched.map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["s10", "s500"]);
    assert_eq!(after.len(), 1_000);
    let applied = events(&sandbox, "ConfigApplied");
    let told = "the configuration files have changed; changed: s10, s500, s990";
    assert_eq!(applied.iter().map(|event| event.message.as_str()).collect::<Vec<_>>(), [told]);
}

#[test]
fn what_is_new_begins_and_what_vanished_runs_on_as_orphaned() {
    let sandbox = Sandbox::up_with(&sleepers(2));
    sandbox.wait_for_all();
    let before = pids(&sandbox);
    fs::create_dir(sandbox.path("services.d")).unwrap();
    fs::write(sandbox.path("services.d/web.toml"), format!("[services.web]\n{SLEEP}")).unwrap();
    wait_until("it is configured", || sandbox.status().units.len() == 3);
    sandbox.wait_for_pid("web");
    fs::write(sandbox.file(), sleepers(1)).unwrap();
    sandbox.wait_for("s1", |unit| unit.orphaned);
    fs::write(sandbox.file(), sleepers(2)).unwrap();
    sandbox.wait_for("s1", |unit| !unit.orphaned);
    fs::remove_dir_all(sandbox.path("services.d")).unwrap();
    let web = sandbox.wait_for("web", |unit| unit.orphaned);
    assert_eq!(web.state, "running");
    let mut after = pids(&sandbox);
    after.remove("web");
    assert_eq!(after, before);
}

#[test]
fn a_folder_of_links_that_is_swapped_as_orchestrators_do_is_followed() {
    let mut sandbox = Sandbox::new("");
    let swap = |sandbox: &Sandbox, version: &str, text: &str| {
        fs::create_dir(sandbox.path(version)).unwrap();
        fs::write(sandbox.path(&format!("{version}/mainstay.toml")), text).unwrap();
        sandbox.shell(&format!("ln -s {version} ..tmp && mv -T ..tmp ..data"));
    };
    swap(&sandbox, "..one", &sleepers(1));
    sandbox.shell("ln -sf ..data/mainstay.toml mainstay.toml");
    sandbox.up();
    sandbox.wait_for_all();
    let before = pids(&sandbox);
    swap(&sandbox, "..two", &sleepers(2));
    fs::remove_dir_all(sandbox.path("..one")).unwrap();
    wait_until("both run", || pids(&sandbox).len() == 2);
    assert_eq!(pids(&sandbox)["s0"], before["s0"]);
}

#[test]
fn a_mistake_changes_nothing_and_is_shown_until_it_is_mended() {
    let good = sleepers(2);
    let sandbox = Sandbox::up_with(&good);
    sandbox.wait_for_all();
    let before = pids(&sandbox);
    let empty = "the files hold no service any more, which is no reason to let go of any";
    let cases = [
        (Some(with(&good, "s1", "comand = 1")), "did you mean `command`?"),
        (None, "cannot read the file"),
        (Some("# nothing\n".to_owned()), empty),
        (Some(with(&good, "s1", "environment = { PIN = \"1234\", X = 2026-01-01 }")), "a date"),
    ];
    for (text, expected) in cases {
        match text {
            Some(text) => fs::write(sandbox.file(), text).unwrap(),
            None => fs::remove_file(sandbox.file()).unwrap(),
        }
        // Whoever stands where no file is has to name the instance.
        let runtime = sandbox.runtime().display().to_string();
        let ask = |words: &[&str]| sandbox.get(&[&["--instance", &runtime], words].concat());
        wait_until("it is said", || ask(&["events"]).contains(expected));
        let status: Status = serde_json::from_str(&ask(&["status", "--json"])).unwrap();
        assert!(status.files.refused.unwrap().why.contains(expected));
        assert!(ask(&["status"]).contains("the files are not applied: "));
        let all = ask(&["events", "--json"]) + &ask(&["status", "--json"]);
        assert!(!all.contains("1234"), "what stands in the files is not for everybody: {all}");
    }
    fs::write(sandbox.file(), &good).unwrap();
    wait_until("all is well", || sandbox.status().files.refused.is_none());
    assert_eq!(pids(&sandbox), before);
    assert!(events(&sandbox, "ConfigApplied").is_empty(), "nothing was different in the end");
}

#[test]
fn files_without_any_service_make_nobody_an_orphan_when_an_agent_begins() {
    let good = sleepers(2);
    let sandbox = Sandbox::up_with(&good);
    sandbox.wait_for_all();
    let before = pids(&sandbox);
    fs::write(sandbox.file(), "# nothing\n").unwrap();
    let first = sandbox.status().agent.pid;
    processes::kill(first);
    wait_until("the next agent says it", || {
        let status = sandbox.status();
        status.agent.pid != first && status.files.refused.is_some()
    });
    assert!(sandbox.status().units.iter().all(|unit| !unit.orphaned));
    assert_eq!(pids(&sandbox), before);
    fs::write(sandbox.file(), &good).unwrap();
    wait_until("all is well", || sandbox.status().files.refused.is_none());
    assert_eq!(pids(&sandbox), before);
}

#[test]
fn what_we_have_written_ourselves_is_not_applied_twice() {
    let sandbox = Sandbox::up_with(&sleepers(1));
    sandbox.get(&["add", "web", "--", "sleep", "1000"]);
    sandbox.get(&["remove", "s0"]);
    // What comes behind them in the files is seen behind them, too.
    fs::write(sandbox.file(), sandbox.read("mainstay.toml") + "\n[services.last]\n" + SLEEP)
        .unwrap();
    wait_until("it is there", || sandbox.status().units.len() == 2);
    let applied = events(&sandbox, "ConfigApplied");
    let told: Vec<&str> = applied.iter().map(|event| event.message.as_str()).collect();
    let by_hand = ["2 services are configured", "1 services are configured"];
    assert_eq!(told[..2], by_hand);
    assert_eq!(told[2..], ["the configuration files have changed; new: last"]);
}

#[test]
fn what_an_operator_stopped_stays_stopped_whatever_happens_to_the_files() {
    let good = sleepers(2);
    let mut sandbox = Sandbox::up_with(&good);
    sandbox.wait_for_all();
    sandbox.get(&["stop", "s1"]);
    let is_stopped = |sandbox: &Sandbox| sandbox.unit("s1").state == "stopped";
    fs::write(sandbox.file(), with(&good, "s1", "session = true")).unwrap();
    wait_until("it is applied", || events(&sandbox, "ConfigApplied").len() == 1);
    assert!(is_stopped(&sandbox));
    fs::write(sandbox.file(), sleepers(1)).unwrap();
    sandbox.wait_for("s1", |unit| unit.orphaned);
    sandbox.kill_both();
    sandbox.up();
    assert!(is_stopped(&sandbox) && sandbox.unit("s1").orphaned);
    fs::write(sandbox.file(), &good).unwrap();
    sandbox.wait_for("s1", |unit| !unit.orphaned);
    assert!(is_stopped(&sandbox));
    sandbox.get(&["start", "s1"]);
    sandbox.wait_for_pid("s1");
}

/// Numbers that look as if by chance, and are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % count
    }
}

#[test]
fn two_hundred_bad_files_in_a_row_stop_nobody_and_the_last_good_one_counts() {
    let good = sleepers(12);
    let more = format!("[services.more]\n{SLEEP}");
    let mut sandbox = Sandbox::new(&good);
    let folder = sandbox.path("services.d");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("more.toml"), &more).unwrap();
    sandbox.up();
    wait_until("all run", || pids(&sandbox).len() == 13);
    let before = pids(&sandbox);
    let file = sandbox.file();
    let mut chance = Chance(20_261_122);
    for step in 0..200 {
        match chance.below(7) {
            0 | 1 => fs::write(&file, &good.as_bytes()[..chance.below(good.len())]).unwrap(),
            2 => fs::write(&file, "").unwrap(),
            3 => drop(fs::remove_file(&file)),
            4 => {
                let (left, right) = good.split_at(chance.below(good.len()));
                fs::write(&file, [left.as_bytes(), b"\xff\0", right.as_bytes()].concat()).unwrap();
            }
            5 => {
                fs::write(sandbox.path("new"), sleepers(chance.below(12))).unwrap();
                fs::rename(sandbox.path("new"), &file).unwrap();
            }
            _ => {
                fs::rename(&folder, sandbox.path("away")).unwrap();
                fs::rename(sandbox.path("away"), &folder).unwrap();
            }
        }
        // Most are gone again before anybody could have looked twice; some stay.
        if step % 40 == 39 {
            fs::write(&file, "[services.s0\n").unwrap();
            wait_for_refusal(&sandbox);
        } else {
            std::thread::park_timeout(std::time::Duration::from_millis(chance.below(20) as u64));
        }
    }
    fs::write(&file, format!("{good}[services.last]\n{SLEEP}")).unwrap();
    wait_until("the last one is applied", || pids(&sandbox).contains_key("last"));
    let status = sandbox.status();
    assert_eq!(status.files.refused, None);
    assert!(status.units.iter().all(|unit| !unit.orphaned), "{status:?}");
    let mut after = pids(&sandbox);
    after.remove("last");
    assert_eq!(after, before);
}
