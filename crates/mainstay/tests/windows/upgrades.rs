//! Services that become another program while their programs write as fast as they can.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::exit,
    time::{Duration, Instant},
};

use mainstay_api::control::Status;
use mainstay_platform::{
    lock::FileLock,
    paths,
    scm::{Change, Database, Intent, Purpose, Start, State},
};

use crate::{
    machine::Machine,
    roles,
    sandbox::{BINARY, Sandbox, wait_for},
};

const NAME: &str = "mainstay-upgraded";
/// Names the file that ends the program.
const VARIABLE: &str = "MAINSTAY_TEST_LAST_LINE";
const CODE: i32 = 7;
/// A pause after so many lines keeps the log from growing beyond what is kept.
const PAUSE_EVERY: u64 = 200;
const PAUSE: Duration = Duration::from_millis(5);
/// So long lives a program that nobody ends.
const LIFE: Duration = Duration::from_mins(2);

#[test]
fn an_upgrade_hands_every_service_over_and_costs_no_program_and_no_line() {
    let story = Story::new();
    let (machine, service) = (&story.machine, &story.sandbox);
    let before = [machine.status(), service.status()];
    let former = command_lines();

    let stranger = machine.ask(&["upgrade", "--program", r"C:\windows\system32\cmd.exe"]);
    assert!(stranger.code == 1, "{stranger:?}");
    assert!(stranger.err.contains("cmd.exe` is not a mainstay binary"), "{stranger:?}");
    assert_eq!(machine.status().keeper.pid, before[0].keeper.pid, "nothing has changed");

    let other = story.another_program();
    let text = machine.get(&["upgrade", "--json", "--program", other.to_str().unwrap()]);
    let told: serde_json::Value = serde_json::from_str(&text).unwrap();
    let told = told.as_array().unwrap();
    assert_eq!(told.len(), 2, "{text}");
    for one in told {
        assert!(one["lines"]["numbered"].as_u64() > Some(0), "{text}");
        assert_eq!(one["lines"]["missing"], 0, "{text}");
        assert_eq!(one["lines"]["doubled"], 0, "{text}");
        assert!(one["programs"]["running"].as_u64() > Some(0), "{text}");
        assert_eq!(one["programs"]["running"], one["programs"]["kept"], "{text}");
    }
    let after = [machine.status(), service.status()];
    for (before, after) in before.iter().zip(&after) {
        assert_ne!(before.keeper.pid, after.keeper.pid);
        assert_ne!(before.agent.pid, after.agent.pid);
        assert_eq!(pids(before), pids(after));
    }
    assert_eq!(command_lines(), former, "the path never changes");
    let own = paths::program_base().unwrap().join("mainstay.exe");
    assert!(fs::read(own).unwrap() == fs::read(&other).unwrap(), "it is the other program");

    // Written on under the next keeper, and known when it is over.
    let length = story.log_of_service().len();
    wait_for("it writes on", || (story.log_of_service().len() > length).then_some(()));
    story.end_programs();
    for unit in ["one", "two"] {
        story.check_log(&machine.get(&["logs", unit, "--raw", "-n", "all"]));
    }
    story.check_log(&story.log_of_service());
}

#[test]
fn a_keeper_that_leaves_is_started_again_by_its_agent_where_nobody_else_does() {
    let story = Story::new();
    let before = story.sandbox.status();
    let database = Database::open(Purpose::Look).unwrap();
    let service = database.service(NAME, Intent::Control).unwrap();
    let leave = mainstay_platform::scm::Control::Own(mainstay_platform::desk::LEAVE);
    service.control(leave).unwrap();
    let after = wait_for("another keeper serves", || {
        let answer = story.sandbox.ask(&["status", "--json"]);
        let status: Status = serde_json::from_str(&answer.out).ok()?;
        (status.keeper.pid != before.keeper.pid).then_some(status)
    });
    wait_for("the manager knows it", || {
        (service.status().unwrap().state == State::Running).then_some(())
    });
    assert_eq!(pids(&before), pids(&after));
    let told = story.sandbox.get(&["events"]);
    assert!(told.contains("the keeper makes room for its successor"), "{told}");
    assert!(!told.contains("the keeper is lost"), "{told}");
    story.end_programs();
    story.check_log(&story.log_of_service());
}

#[test]
fn a_service_that_is_stopped_while_its_keeper_makes_room_stays_stopped() {
    let story = Story::new();
    let database = Database::open(Purpose::Look).unwrap();
    let service = database.service(NAME, Intent::Control).unwrap();
    let leave = mainstay_platform::scm::Control::Own(mainstay_platform::desk::LEAVE);
    service.control(leave).unwrap();
    story.machine.get(&["service", "stop", NAME]);
    assert_eq!(service.status().unwrap().state, State::Stopped);
    let folder = paths::machine_base().unwrap().join("services").join(NAME);
    let lock = FileLock::try_take(&folder.join("run").join("agent.lock"));
    assert!(lock.unwrap().is_some(), "there is no agent that could start it again");
    story.machine.get(&["service", "start", NAME]);
    assert!(!story.sandbox.get(&["events"]).contains("lock"), "its agent was not refused");
}

#[test]
fn a_service_that_nobody_could_start_again_is_left_as_it_is() {
    let story = Story::new();
    let before = [story.machine.status(), story.sandbox.status()];
    let service = Database::open(Purpose::Look).unwrap().service(NAME, Intent::Change).unwrap();
    service.change(&Change { start: Some(Start::Disabled), ..Change::default() }).unwrap();
    let other = story.another_program();
    let upgraded = story.machine.ask(&["upgrade", "--program", other.to_str().unwrap()]);
    assert_eq!(upgraded.code, 1, "{upgraded:?}");
    assert!(upgraded.err.contains("is disabled: nobody could start it again"), "{upgraded:?}");
    let after = [story.machine.status(), story.sandbox.status()];
    assert_ne!(after[0].keeper.pid, before[0].keeper.pid, "the others are handed over");
    assert_eq!(after[1].keeper.pid, before[1].keeper.pid);
    assert_eq!(before.map(|one| pids(&one)), after.map(|one| pids(&one)));
}

#[test]
fn an_upgrade_that_does_not_serve_gives_every_service_its_former_program_back() {
    let story = Story::new();
    let before = [story.machine.status(), story.sandbox.status()];
    let own = paths::program_base().unwrap().join("mainstay.exe");
    let former = fs::read(&own).unwrap();
    let configuration =
        paths::machine_base().unwrap().join("services").join(NAME).join("mainstay.toml");
    let aside = configuration.with_extension("aside");
    fs::rename(&configuration, &aside).unwrap();
    let other = story.another_program();
    let upgraded = story.machine.ask(&["upgrade", "--program", other.to_str().unwrap()]);
    fs::rename(&aside, &configuration).unwrap();
    assert_eq!(upgraded.code, 1, "{upgraded:?}");
    assert!(upgraded.err.contains("the former program has its place again"), "{upgraded:?}");
    assert!(upgraded.err.contains("`mainstay` runs it"), "{upgraded:?}");
    assert!(!upgraded.err.contains(&format!("`{NAME}` runs it")), "{upgraded:?}");
    assert!(fs::read(&own).unwrap() == former, "it is the former program");
    let after = wait_for("its agent has started it again", || {
        let answer = story.sandbox.ask(&["status", "--json"]);
        let status: Status = serde_json::from_str(&answer.out).ok()?;
        (status.keeper.pid != before[1].keeper.pid).then_some(status)
    });
    let [machine, service] = before.map(|one| pids(&one));
    assert_eq!((pids(&story.machine.status()), pids(&after)), (machine, service));
    story.end_programs();
    story.check_log(&story.log_of_service());
}

#[test]
fn an_upgrade_mends_what_was_cut_short_though_no_service_runs() {
    let story = Story::new();
    for name in ["mainstay", NAME] {
        story.machine.get(&["service", "stop", name]);
    }
    let own = paths::program_base().unwrap().join("mainstay.exe");
    fs::rename(&own, own.with_extension("exe.old-cut")).unwrap();
    let start = story.machine.ask(&["service", "start", NAME]);
    assert_eq!(start.code, 1, "there is no program: {start:?}");
    // Any name of a service will do, in any case.
    let one = story.machine.get(&["--instance", &NAME.to_uppercase(), "upgrade"]);
    assert!(one.contains("mainstay.exe was not there"), "{one}");
    let database = Database::open(Purpose::Look).unwrap();
    wait_for("it starts", || {
        let service = database.service(NAME, Intent::Look).ok()?;
        (service.status().ok()?.state == State::Running).then_some(())
    });
    assert!(fs::read(&own).unwrap() == fs::read(BINARY).unwrap(), "it is this program");
    let rest = story.machine.ask(&["upgrade"]);
    assert_eq!(rest.code, 0, "{rest:?}");
    assert!(rest.err.contains("`mainstay` does not run"), "{rest:?}");
}

/// The machine's instance with two programs, and a service with one.
struct Story {
    machine: Machine,
    sandbox: Sandbox,
    end_file: PathBuf,
}

impl Story {
    fn new() -> Self {
        let sandbox = Sandbox::of_service(NAME);
        let end_file = sandbox.folder().join("end");
        let program = program();
        let shown = end_file.display().to_string();
        let configured = ["one", "two"].map(|name| {
            format!(
                "[services.{name}]\ncommand = {program:?}\n\
                 environment = {{ {VARIABLE} = {shown:?} }}\n\
                 restart = {{ exit = {{ {CODE} = \"stop\" }} }}\n"
            )
        });
        let file = sandbox.folder().join("programs.toml");
        fs::write(&file, configured.concat()).unwrap();
        let machine = Machine::install(&["--config", file.to_str().unwrap()]);
        drop(machine.ask(&["service", "remove", NAME, "--purge"]));
        let variable = format!("{VARIABLE}={}", end_file.display());
        let words = ["service", "install", NAME, "--account", "LocalSystem", "--allow-writable"];
        let options = ["--env", &variable, "--on-exit", "7=stop", "--"];
        let program: Vec<&str> = program.iter().map(String::as_str).collect();
        machine.get(&[words.as_slice(), &options, &program].concat());
        let story = Self { machine, sandbox, end_file };
        for unit in ["one", "two"] {
            story.machine.wait_for(unit, "running");
        }
        wait_for("it writes", || story.log_of_service().contains("line 1000").then_some(()));
        story
    }

    /// Returns a copy of our program that is another file.
    fn another_program(&self) -> PathBuf {
        let mut bytes = fs::read(BINARY).unwrap();
        bytes.extend(b"another");
        let path = self.sandbox.folder().join("other.exe");
        fs::write(&path, bytes).unwrap();
        path
    }

    fn log_of_service(&self) -> String {
        self.sandbox.get(&["logs", "--raw", "-n", "all"])
    }

    /// Ends all of them, and waits until their codes are known.
    fn end_programs(&self) {
        fs::write(&self.end_file, "").unwrap();
        let told = |unit: &str| format!("run 1 of `{unit}` ended with code {CODE}");
        wait_for("the exit codes are known", || {
            let machine = self.machine.get(&["events"]);
            let service = self.sandbox.get(&["events"]);
            let is_known = machine.contains(&told("one")) && machine.contains(&told("two"));
            (is_known && service.contains(&told(NAME))).then_some(())
        });
    }

    /// Each line is there once, and the last one is the last.
    fn check_log(&self, log: &str) {
        let (_, lines) = log.split_once("line 0\n").unwrap();
        let count = lines.lines().count();
        assert!(count > 1000, "{count}");
        for (number, line) in (1..).zip(lines.lines()) {
            let expected =
                if number == count { "the end".to_owned() } else { format!("line {number}") };
            assert_eq!(line, expected, "of {count}, {}", self.end_file.display());
        }
    }
}

impl Drop for Story {
    fn drop(&mut self) {
        drop(self.machine.ask(&["service", "remove", NAME, "--purge"]));
    }
}

/// Returns which process plays which unit.
fn pids(status: &Status) -> BTreeMap<String, Option<u32>> {
    status.units.iter().map(|unit| (unit.unit.clone(), unit.pid)).collect()
}

fn command_lines() -> [String; 2] {
    let database = Database::open(Purpose::Look).unwrap();
    ["mainstay", NAME]
        .map(|name| database.service(name, Intent::Look).unwrap().record().unwrap().command_line)
}

fn program() -> Vec<String> {
    let own = env::current_exe().unwrap().display().to_string();
    let name = "upgrades::lines_are_written_until_a_file_says_that_it_is_enough";
    [&own, "--exact", name, "--nocapture", "--test-threads=1"].map(ToOwned::to_owned).to_vec()
}

#[test]
#[expect(clippy::exit, reason = "the program has an exit code of its own")]
fn lines_are_written_until_a_file_says_that_it_is_enough() {
    let Some(file) = env::var_os(VARIABLE) else {
        assert!(env::var_os(roles::VARIABLE).is_none(), "nobody plays a role here");
        return;
    };
    let until = Instant::now() + LIFE;
    let mut out = io::stdout();
    for number in 0_u64.. {
        writeln!(out, "line {number}").unwrap();
        if number % PAUSE_EVERY == 0 {
            std::thread::park_timeout(PAUSE);
            if Path::new(&file).exists() || Instant::now() > until {
                break;
            }
        }
    }
    writeln!(out, "the end").unwrap();
    exit(CODE);
}
