//! Starting real programs on Windows: output, exit codes, Ctrl-C, jobs, and what a failure says.

use std::{fs::File, time::Duration};

use super::{super::spawn, *};
use crate::{
    pipe::{Moved, PipeReader, Way, pipe},
    port::{Port, Token},
    process::{Ended, SignalKind, carrying},
    spawn::Group,
};

const SOON: Duration = Duration::from_secs(20);
/// Set for the copy of this test binary that plays a program.
const ROLE: &str = "MAINSTAY_TEST_ROLE";

#[test]
fn a_program_runs_in_its_folder_with_its_environment() {
    let command = ["cmd", "/c", "cd & echo %GREETING%& exit 7"];
    let (ended, output) = run("runs", &command);
    assert_eq!(ended, Ended::Code(7));
    let folder = std::env::temp_dir();
    let expected = format!("{}\r\nhello\r\n", folder.display().to_string().trim_end_matches('\\'));
    assert_eq!(output.to_lowercase(), expected.to_lowercase());
}

#[test]
fn ctrl_c_ends_a_program_that_does_not_mind() {
    let process = start("interrupted", &own_role(), "waits").0;
    process.signal(SignalKind::Term).unwrap();
    assert_ne!(wait(&process), Ended::Code(137), "it was killed");
}

#[test]
fn killing_a_group_takes_the_whole_job() {
    let (process, reader) = start("tree", &own_role(), "has-a-child");
    let folder = std::env::temp_dir();
    let line = contents(&reader, &folder.join("tree.output"), "child\n");
    assert!(line.contains("child\n"), "{line}");
    assert_eq!(carrying(&label("tree")).unwrap().len(), 2);
    process.signal_group(SignalKind::Kill).unwrap();
    assert_eq!(wait(&process), Ended::Code(137));
    assert!(carrying(&label("tree")).unwrap().iter().all(Process::has_ended));
}

#[test]
fn an_exit_code_outlives_the_process_and_a_number_is_not_trusted() {
    let process = start("code", &["cmd", "/c", "exit 77"], "").0;
    let mut identity = process.identity();
    let second = Process::open(identity).unwrap().unwrap();
    assert_eq!(wait(&process), Ended::Code(77));
    drop(process);
    assert_eq!(second.ended_elsewhere(), Some(Ended::Code(77)));
    identity.started += 1;
    assert!(Process::open(identity).unwrap().is_none());
}

#[test]
fn a_failed_start_names_step_and_subject() {
    check(&["no-such-program"], "cannot find `no-such-program`");
    check(&[r".\missing.exe"], r"cannot find `.\missing.exe`");
    check(&["cmd", "a\0b"], "cannot pass `a\u{fffd}b` to a program");
}

#[test]
fn role() {
    match std::env::var(ROLE).as_deref() {
        Ok("waits") => loop {
            std::thread::park();
        },
        Ok("has-a-child") => {
            let mut child = std::process::Command::new(std::env::current_exe().unwrap());
            let mut child =
                child.args(own_role().get(1..).unwrap()).env(ROLE, "waits").spawn().unwrap();
            io::Write::write_all(&mut io::stdout().lock(), b"child\n").unwrap();
            child.wait().unwrap();
        }
        Ok(_) | Err(_) => {}
    }
}

fn own_role() -> [&'static str; 5] {
    ["{self}", "--exact", "spawn::imp::tests::role", "--nocapture", "--quiet"]
}

fn label(name: &str) -> String {
    format!("test-{name}-{}", std::process::id())
}

fn check(words: &[&str], expected: &str) {
    let command: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let error = spawn(&program("fails", &command, "")).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

fn run(name: &str, words: &[&str]) -> (Ended, String) {
    let (process, reader) = start(name, words, "");
    let ended = wait(&process);
    let path = std::env::temp_dir().join(format!("{name}.output"));
    (ended, contents(&reader, &path, "\0"))
}

fn start(name: &str, words: &[&str], role: &str) -> (Process, PipeReader) {
    let own = std::env::current_exe().unwrap().display().to_string();
    let command: Vec<String> = words.iter().map(|word| word.replace("{self}", &own)).collect();
    let (reader, writer) = pipe().unwrap();
    let label = label(name);
    let mut program = program(&label, &command, role);
    program.output = Output::Pipe(&writer);
    (spawn(&program).unwrap(), reader)
}

fn program<'a>(label: &'a str, command: &'a [String], role: &str) -> Program<'a> {
    let mut environment = own_environment();
    environment.push(b"GREETING=hello".to_vec());
    environment.push(format!("{ROLE}={role}").into_bytes());
    Program {
        label,
        command,
        directory: Some(std::env::temp_dir()),
        environment,
        output: Output::Null,
        error: None,
        files: None,
        group: Group::Own,
    }
}

fn wait(process: &Process) -> Ended {
    let mut port = Port::new().unwrap();
    let second = Process::open(process.identity()).unwrap().unwrap();
    let _watched = port.watch(second, Token(1)).unwrap();
    assert_eq!(port.wait(Some(SOON)).unwrap().len(), 1, "the program does not end");
    process.ended().unwrap().unwrap()
}

/// Reads until the end of the pipe or until `last` was seen.
fn contents(reader: &PipeReader, path: &Path, last: &str) -> String {
    let file = File::create(path).unwrap();
    let until = crate::clock::monotonic() + SOON;
    let mut offset = 0;
    loop {
        match reader.move_to(&file, offset, 1 << 20, Way::Copy).unwrap() {
            Moved::Bytes(count) => offset += count as u64,
            Moved::Empty => std::thread::yield_now(),
            Moved::Ended => break,
        }
        let is_there = std::fs::read_to_string(path).unwrap().contains(last);
        if is_there || crate::clock::monotonic() > until {
            break;
        }
    }
    std::fs::read_to_string(path).unwrap()
}
