//! The keeper is killed while a program writes at full speed, and nobody holds anything for it: the
//! next keeper finds program and pipe through its predecessor's journal. Before that, a program is
//! asked to end in whatever way the system has.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test without the usual harness")]
#![expect(clippy::wildcard_enum_match_arm, reason = "its agent minds few reports")]

mod agent;

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use mainstay_api::keeper::{
    Climb, Phase, Report, Request, RungName, RungOutcome, Signal, SignalName, Status,
};
use mainstay_platform::{
    clock, daemon, ladder,
    process::{Process, SignalKind},
    spawn,
};
use mainstay_storage::{instance::Instance, segment::ChainFiles};

use agent::Agent;

const SOON: Duration = Duration::from_secs(30);
/// Between two looks at something that will be true soon.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// The exit code of the program that writes.
const CODE: u8 = 42;
/// So many lines are written between two looks for the end.
const LINES_AT_ONCE: u64 = 100;
/// What a keeper may leave in the file twice where bytes do not travel in one system call.
const BUFFER_BYTES: usize = 64 * 1024;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let rest = arguments.get(1..).unwrap_or_default();
    match words.as_slice() {
        ["keeper", ..] => mainstay_keeper::run(rest),
        [role, ..] if *role == ladder::ROLE => ladder::serve(rest),
        ["writes", stop] => write_until(Path::new(stop)),
        ["listens"] => loop {
            std::thread::park();
        },
        // As the usual harness answers, for runners that ask first.
        _ if words.contains(&"--ignored") => ExitCode::SUCCESS,
        _ if words.contains(&"--list") => say("keepers_die: test\n"),
        _ => drive(),
    }
}

fn write_until(stop: &Path) -> ExitCode {
    let mut output = BufWriter::new(std::io::stdout().lock());
    let mut number = 0_u64;
    while !stop.exists() {
        for _ in 0..LINES_AT_ONCE {
            number += 1;
            writeln!(output, "{number}").unwrap();
        }
    }
    writeln!(output, "end {number}").unwrap();
    output.flush().unwrap();
    ExitCode::from(CODE)
}

fn say(text: &str) -> ExitCode {
    std::io::stdout().write_all(text.as_bytes()).unwrap();
    ExitCode::SUCCESS
}

fn drive() -> ExitCode {
    let folder = std::env::temp_dir().join(format!("mainstay-keepers-die-{}", std::process::id()));
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).unwrap();
    let stop = folder.join("stop");
    let keeper = start_keeper(&folder, 1);
    let mut agent = Agent::connect(&folder);
    agent.start(&folder, "listener", &["listens"]);
    a_program_is_asked_to_end(&mut agent);
    let pid = agent.start(&folder, "writer", &["writes", &stop.display().to_string()]);
    wait_for_progress(&folder);
    keeper.signal(SignalKind::Kill).unwrap();
    wait_until("the keeper is dead", || keeper.has_ended());
    drop(agent);
    let next = start_keeper(&folder, 2);
    let mut agent = Agent::connect(&folder);
    assert_eq!(running_pid(&mut agent), Some(pid), "the program was not adopted");
    wait_for_progress(&folder);
    File::create(stop).unwrap();
    let status = agent.wait_for_exit("writer");
    if spawn::IS_HELD {
        assert_eq!(status, Status::Code(CODE.into()), "any handle tells how it ended");
    }
    let text = wait_for_end(&folder);
    let repeated = judge(&text);
    agent.shut_down();
    wait_until("the keeper ends", || next.has_ended());
    fs::remove_dir_all(&folder).unwrap();
    say(&format!("keepers_die: {} bytes, {repeated} of them twice, ok\n", text.len()))
}

fn start_keeper(folder: &Path, number: u32) -> Process {
    let log = File::create(folder.join(format!("keeper-{number}.log"))).unwrap();
    let mut arguments: Vec<OsString> = ["keeper", "--runtime"].map(OsString::from).into();
    arguments.push(folder.join("run").into());
    let program = daemon::own_program().unwrap();
    let pid = daemon::start_detached(&program, &arguments, log).unwrap();
    Process::open_pid(pid).unwrap().unwrap()
}

fn a_program_is_asked_to_end(agent: &mut Agent) {
    let (unit, signal) = ("listener".to_owned(), SignalName::Term);
    let signal = Signal { unit, run: 1, signal, reach: mainstay_api::keeper::Reach::Group };
    agent.ask(Request::Signal(vec![signal]));
    agent.wait_for_exit("listener");
    if ladder::IS_NEEDED {
        let climbed = agent.wait(|report| match report {
            Report::Climbed(mut all) => all.pop(),
            _ => None,
        });
        let expected = Climb { rung: RungName::Interrupt, outcome: RungOutcome::Ended };
        assert_eq!((climbed.unit.as_str(), climbed.rungs), ("listener", vec![expected]));
    }
}

fn running_pid(agent: &mut Agent) -> Option<u32> {
    agent.ask(Request::List);
    agent.wait(|report| match report {
        Report::Listed { entries, .. } => {
            Some(entries.iter().find_map(|entry| match entry.phase {
                Phase::Running { pid, .. } => Some(pid),
                _ => None,
            }))
        }
        _ => None,
    })
}

fn live(folder: &Path) -> PathBuf {
    ChainFiles::new(&folder.join("logs"), "writer").live()
}

fn wait_for_progress(folder: &Path) {
    let size = || fs::metadata(live(folder)).map_or(0, |file| file.len());
    let before = size();
    wait_until("the program writes", || size() > before);
}

fn wait_for_end(folder: &Path) -> String {
    let read = || fs::read_to_string(live(folder)).unwrap();
    let is_whole = |text: &str| text.rsplit('\n').nth(1).is_some_and(|line| line.contains("end"));
    wait_until("the last line comes", || is_whole(&read()));
    read()
}

/// Expects every line once and in order, but for one buffer that may be there twice; returns how
/// long that is.
fn judge(text: &str) -> usize {
    let count: u64 = text.trim_end().rsplit(' ').next().unwrap().parse().unwrap();
    let lines = (1..=count).map(|number| format!("{number}\n"));
    let expected = lines.chain([format!("end {count}\n")]).collect::<String>();
    let repeated = text.len().checked_sub(expected.len()).expect("bytes are lost");
    let most = if spawn::IS_HELD { BUFFER_BYTES } else { 0 };
    assert!(repeated <= most, "{repeated} bytes are there twice");
    let same = text.bytes().zip(expected.bytes()).take_while(|(one, other)| one == other).count();
    let rest = same.checked_sub(repeated).and_then(|from| expected.get(from..));
    assert!(text.get(same..) == rest || repeated == 0 && text == expected, "lines are torn");
    repeated
}

fn wait_until(what: &str, mut is_true: impl FnMut() -> bool) {
    let until = clock::monotonic() + SOON;
    while !is_true() {
        assert!(clock::monotonic() < until, "in vain: {what}");
        std::thread::park_timeout(LOOK_EVERY);
    }
}

/// Returns where agents call.
fn door(folder: &Path) -> PathBuf {
    Instance::new(folder.join("run"), PathBuf::new()).keeper_socket()
}
