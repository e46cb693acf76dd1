//! What a program says in files of the user's own, beside its log.

use std::{
    env, fs,
    io::{self, Write as _},
    time::{Duration, Instant},
};

use mainstay_platform::{
    filesystem,
    process::{Process, SignalKind},
};

use crate::{
    installed::Installed,
    sandbox::{Sandbox, wait_for},
};

/// Says that this process is the program, and how many lines it writes.
pub(crate) const VARIABLE: &str = "MAINSTAY_TEST_LINES";
pub(crate) const LINES: usize = 60_000;
/// A pause after so many lines lets the agents come and go meanwhile.
const PAUSE_EVERY: usize = 500;
const BEGIN: &str = "the lines begin\n";
const AGENTS: usize = 6;
/// So long lives a program that nobody ends.
const LIFE: Duration = Duration::from_mins(2);

#[test]
fn a_file_has_each_line_once_whoever_holds_it_and_however_often_the_agent_is_killed() {
    let sandbox = Sandbox::of_service("mainstay-files");
    let (file, error) = (sandbox.folder().join("own.log"), sandbox.folder().join("error.log"));
    let held = filesystem::create_held(&file).unwrap();
    let (out, err) = (file.display().to_string(), error.display().to_string());
    let lines = format!("{VARIABLE}={LINES}");
    let options = ["--stdout", &out, "--stderr", &err, "--env", &lines];
    let service = Installed::new("mainstay-files", &options, &program());
    wait_for("it is told that the file is held", || {
        let told = sandbox.get(&["events"]);
        told.contains("own.log` does not get the lines of `mainstay-files`").then_some(())
    });
    wait_for("the log goes on", || sandbox.get(&["logs"]).contains("line").then_some(()));
    drop(held);
    for _ in 0..AGENTS {
        let agent = sandbox.status().agent.pid;
        let agent = Process::open_pid(agent).unwrap().unwrap();
        agent.signal(SignalKind::Kill).unwrap();
        wait_for("it is gone", || agent.has_ended().then_some(()));
        let length = length(&file);
        wait_for("the copy goes on", || {
            (self::length(&file) > length || is_all(&file)).then_some(())
        });
    }
    wait_for("everything is copied", || is_all(&file).then_some(()));
    let copied = fs::read_to_string(&file).unwrap();
    let (_, lines) = copied.split_once(BEGIN).unwrap();
    let numbers: Vec<String> = (0..LINES).map(|number| format!("line {number}")).collect();
    assert!(lines == numbers.join("\n") + "\n", "a line is missing, torn or there twice");
    assert_eq!(fs::read_to_string(&error).unwrap(), "this is stderr\n");
    let dumped = service.ask(&["service", "dump"]).out;
    assert!(dumped.contains("own.log") && dumped.contains("error.log"), "{dumped}");
    service.remove();
}

fn length(file: &std::path::Path) -> u64 {
    fs::metadata(file).map_or(0, |found| found.len())
}

fn is_all(file: &std::path::Path) -> bool {
    fs::read_to_string(file).is_ok_and(|text| text.ends_with(&format!("line {}\n", LINES - 1)))
}

pub(crate) fn program() -> [String; 4] {
    let own = env::current_exe().unwrap().display().to_string();
    let name = "own_files::lines_are_written_by_a_program_that_is_asked_for_them";
    [&own, "--exact", name, "--nocapture"].map(ToOwned::to_owned)
}

#[test]
fn lines_are_written_by_a_program_that_is_asked_for_them() {
    let lines = env::var(VARIABLE).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut out = io::stdout().lock();
    if lines > 0 {
        writeln!(io::stderr(), "this is stderr").unwrap();
        out.write_all(BEGIN.as_bytes()).unwrap();
    }
    for number in 0..lines {
        out.write_all(format!("line {number}\n").as_bytes()).unwrap();
        if number % PAUSE_EVERY == 0 {
            out.flush().unwrap();
            std::thread::park_timeout(Duration::from_millis(50));
        }
    }
    out.flush().unwrap();
    assert!(lines == 0 || lines == LINES);
    let until = Instant::now() + if lines > 0 { LIFE } else { Duration::ZERO };
    while Instant::now() < until {
        std::thread::park_timeout(Duration::from_secs(1));
    }
}
