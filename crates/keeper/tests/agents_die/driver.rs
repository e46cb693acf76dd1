//! Starts the keeper, kills agents, and judges what is left.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    fs::{File, OpenOptions},
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use mainstay_platform::{
    clock, daemon,
    process::{Process, SignalKind},
};
use mainstay_storage::segment::ChainFiles;

use super::{Folder, KILLS, PROGRAMS, agent::unit_of, exit_code_of, program::say, push_line};

const SOON: Duration = Duration::from_secs(30);
/// Logs are long, and reading is judging's whole work.
const READ_AT_ONCE: usize = 1024 * 1024;
/// Between two looks at something that will be true soon.
const LOOK_EVERY: Duration = Duration::from_millis(5);

pub(crate) fn run() -> ExitCode {
    let folder = fresh();
    let keeper = start_keeper(&folder);
    for kill in 0..KILLS {
        let pid = wait_for_agent(&folder, kill);
        let before = sizes(&folder);
        begin_round(&folder);
        wait_for_progress(&folder, &before);
        kill_agent(pid);
    }
    wait_for_agent(&folder, KILLS);
    File::create(folder.stop()).unwrap();
    wait_until("the keeper ends", || keeper.has_ended());
    let lines = judge_logs(&folder);
    judge_facts(&folder);
    let megabytes = sizes(&folder).iter().sum::<u64>() / 1_000_000;
    fs::remove_dir_all(&folder.0).unwrap();
    say(&format!(
        "agents_die: {KILLS} agents killed, {PROGRAMS} programs, {lines} lines, {megabytes} MB, ok\n"
    ))
}

fn fresh() -> Folder {
    let name = format!("mainstay-agents-die-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).unwrap();
    Folder(folder)
}

fn start_keeper(folder: &Folder) -> Process {
    let log = File::create(folder.0.join("keeper.log")).unwrap();
    let mut arguments: Vec<OsString> = ["keeper", "--runtime"].map(OsString::from).into();
    arguments.push(folder.runtime().into());
    arguments.extend(["--", "agent"].map(OsString::from));
    arguments.push(folder.0.clone().into());
    let program = daemon::own_program().unwrap();
    let pid = daemon::start_detached(&program, &arguments, log).unwrap();
    Process::open_pid(pid).unwrap().unwrap()
}

fn facts(folder: &Folder, about: &str) -> Vec<String> {
    let text = fs::read_to_string(folder.facts()).unwrap_or_default();
    let prefix = format!("{about} ");
    text.lines().filter_map(|line| line.strip_prefix(&prefix).map(str::to_owned)).collect()
}

/// Returns the pid of the agent that came after so many kills and knows all programs.
fn wait_for_agent(folder: &Folder, kills: usize) -> u32 {
    wait_until("the next agent knows all programs", || {
        let known: BTreeSet<String> = facts(folder, "pid").into_iter().collect();
        facts(folder, "agent").len() > kills && known.len() >= PROGRAMS as usize
    });
    facts(folder, "agent").last().unwrap().parse().unwrap()
}

/// Lets every program write at full speed.
fn begin_round(folder: &Folder) {
    let file = OpenOptions::new().append(true).create(true).open(folder.rounds());
    file.unwrap().write_all(b".").unwrap();
}

fn sizes(folder: &Folder) -> Vec<u64> {
    let size = |index| fs::metadata(live(folder, index)).map_or(0, |file| file.len());
    (0..PROGRAMS).map(size).collect()
}

/// Every program writes while there is this agent.
fn wait_for_progress(folder: &Folder, before: &[u64]) {
    wait_until("all programs write", || {
        sizes(folder).iter().zip(before).all(|(now, before)| now > before)
    });
}

fn kill_agent(pid: u32) {
    let agent = Process::open_pid(pid).unwrap().unwrap();
    agent.signal(SignalKind::Kill).unwrap();
    wait_until("the agent is dead", || agent.has_ended());
}

fn wait_until(what: &str, mut is_true: impl FnMut() -> bool) {
    let until = clock::monotonic() + SOON;
    while !is_true() {
        assert!(clock::monotonic() < until, "in vain: {what}");
        std::thread::park_timeout(LOOK_EVERY);
    }
}

fn live(folder: &Folder, index: u32) -> std::path::PathBuf {
    let unit = unit_of(index);
    ChainFiles::new(&folder.logs_of(&unit), &unit).live()
}

/// Expects every line of every program exactly once and in order; returns how many there are.
fn judge_logs(folder: &Folder) -> u64 {
    (0..PROGRAMS).map(|index| judge_log(&live(folder, index))).sum()
}

fn judge_log(path: &Path) -> u64 {
    let mut reader = BufReader::with_capacity(READ_AT_ONCE, File::open(path).unwrap());
    let (mut text, mut expected) = (Vec::new(), Vec::new());
    let (mut last, mut end) = (0, None);
    while reader.read_until(b'\n', &mut text).unwrap() > 0 {
        assert_eq!(end, None, "{}: a line after the end", path.display());
        push_line(last + 1, &mut expected);
        if text == expected {
            last += 1;
        } else {
            let text = String::from_utf8_lossy(&text);
            let count = text.strip_prefix("end ").and_then(|count| count.trim_end().parse().ok());
            assert!(count.is_some(), "{}: {text:?} after line {last}", path.display());
            end = count;
        }
        text.clear();
        expected.clear();
    }
    assert_eq!(end, Some(last), "{}: the end is missing", path.display());
    last
}

/// Expects one pid and one exit code for each program, from whichever agent.
fn judge_facts(folder: &Folder) {
    assert_eq!(facts(folder, "failed"), Vec::<String>::new());
    let pids: BTreeSet<String> = facts(folder, "pid").into_iter().collect();
    assert_eq!(pids.len(), PROGRAMS as usize, "programs were started twice: {pids:?}");
    let exits: BTreeSet<String> = facts(folder, "exit").into_iter().collect();
    let expected: BTreeSet<String> =
        (0..PROGRAMS).map(|index| format!("{} {}", unit_of(index), exit_code_of(index))).collect();
    assert_eq!(exits, expected);
}
