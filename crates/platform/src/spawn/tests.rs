//! Starting real programs: what they see, and what is said when they cannot start.

use std::{
    cell::RefCell,
    fs,
    os::{fd::AsFd as _, unix::fs::PermissionsExt as _},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::*;
use crate::{
    pipe::{Moved, PipeReader, Way, pipe},
    process::Ended,
};

#[test]
fn a_program_runs_in_its_folder_with_its_environment() {
    let folder = fresh("runs_in_its_folder");
    let script = ["sh", "-c", "pwd; echo $GREETING; echo $1 >&2; exit 7", "sh", "two words"];
    let (ended, output) = run(&script, &folder).unwrap();
    assert_eq!(ended, Ended::Code(7));
    assert_eq!(output, format!("{}\nhello\ntwo words\n", folder.display()));
}

#[test]
fn a_signal_is_told_from_a_code() {
    let folder = fresh("signal_from_code");
    let (ended, _) = run(&["sh", "-c", "kill -9 $$"], &folder).unwrap();
    assert_eq!(ended, Ended::Signal(9));
}

#[test]
fn a_failed_start_names_step_and_subject() {
    let folder = fresh("failed_start");
    write(&folder, "plain", "echo", 0o644);
    write(&folder, "script", "#!/no/such/interpreter -x\n", 0o755);
    write(&folder, "garbage", "\u{1}\u{2}\u{3}", 0o755);
    check(&folder, "no-such-program", "cannot find `no-such-program`: 2");
    check(&folder, "./missing", "cannot find `./missing`: 2");
    check(&folder, "./plain", "cannot execute `./plain`: 13");
    check(&folder, "./script", "cannot find the interpreter `/no/such/interpreter`: 2");
    check(&folder, "./garbage", "cannot execute `./garbage`: 8");
    check(
        &folder.join("gone"),
        "true",
        &format!("cannot enter directory `{}`: 2", folder.join("gone").display()),
    );
}

#[test]
fn a_share_of_the_processors_is_set_or_refused() {
    let folder = fresh("share");
    let script = ["sh", "-c", "nice; grep Cpus_allowed_list /proc/self/status"].map(str::to_owned);
    let (reader, writer) = pipe().unwrap();
    let mut program = program(&script, &folder);
    program.output = Output::Pipe(&writer);
    program.share = Share { priority: Some(Priority::BelowNormal), processors: Some(1) };
    if cfg!(target_os = "macos") {
        assert_eq!(spawn(&program).unwrap_err().step, Step::Limits);
        return;
    }
    assert_eq!(wait(&spawn(&program).unwrap()), Ended::Code(0));
    drop(writer);
    assert_eq!(contents(&reader, &folder), "10\nCpus_allowed_list:\t0\n");
}

#[test]
fn a_program_outlives_every_reader_of_its_output() {
    let folder = fresh("outlives_readers");
    let (reader, writer) = pipe().unwrap();
    let script = ["sh", "-c", "sleep 0.05; echo after; echo more; exit 3"].map(str::to_owned);
    let mut program = program(&script, &folder);
    program.output = Output::Pipe(&writer);
    let process = spawn(&program).unwrap();
    drop(writer);
    drop(reader);
    assert_eq!(wait(&process), Ended::Code(3));
}

#[test]
fn a_program_has_its_streams_and_nothing_else_of_ours() {
    let folder = fresh("nothing_else");
    let ours: Vec<fs::File> = (0..100).map(|_| fs::File::open("/dev/zero").unwrap()).collect();
    let (ended, output) =
        run(&["sh", "-c", "ls /proc/self/fd | wc -l; ls -l /proc/self/fd"], &folder).unwrap();
    assert_eq!(ended, Ended::Code(0));
    // The fourth is the folder that `ls` itself reads.
    assert!(output.starts_with("4\n") && !output.contains("zero"), "{output}");
    assert_eq!(ours.len(), 100);
}

#[test]
fn a_program_reads_its_whole_input_and_then_the_end() {
    let folder = fresh("input");
    let text = "line\n".repeat(50_000);
    let input = Input::new(text.as_bytes()).unwrap();
    let script = ["sh", "-c", "cat > copy; echo x >&0 || echo sealed"].map(str::to_owned);
    let mut program = program(&script, &folder);
    program.input = Some(&input);
    let (_, output) = finish(program, &folder);
    assert_eq!(fs::read_to_string(folder.join("copy")).unwrap(), text);
    // Elsewhere it lies in a file.
    assert!(output.ends_with("sealed\n") || cfg!(not(target_os = "linux")), "{output}");
}

#[test]
fn a_text_that_cannot_be_passed_on_is_named_and_a_variable_does_not_show_what_it_holds() {
    let folder = fresh("nul");
    let words = ["true".to_owned()];
    let mut program = program(&words, &folder);
    program.environment.push(b"TOKEN=hunter2\0".to_vec());
    let shown = format!("{program:?}");
    let error = spawn(&program).unwrap_err();
    assert_eq!(error.to_string(), "cannot pass `TOKEN` to a program");
    assert!(!shown.contains("hunter2") && shown.contains("true"), "{shown}");
}

#[cfg(target_os = "linux")]
#[test]
fn passed_descriptors_begin_at_three_in_order_whatever_numbers_they_have_here() {
    let folder = fresh("listen");
    let script = "import os, sys
count, names = int(os.environ['LISTEN_FDS']), os.environ['LISTEN_FDNAMES'].split(':')
print(int(os.environ['LISTEN_PID']) == os.getpid(), os.environ.get('LISTEN_FDS_FOO'))
for number, name in zip(range(3, 3 + count), names):
    print(name, os.readlink(f'/proc/self/fd/{number}'), os.get_inheritable(number))
print(sorted(int(number) for number in os.listdir('/proc/self/fd'))[:-1])";
    let words = ["python3", "-c", script].map(str::to_owned);
    let files: Vec<fs::File> = (0..6).map(|at| numbered(&folder, at)).collect();
    // Downwards, so that some source stands where another one is to go.
    let passed: Vec<Passed<'_>> = ["f", "e", "d", "c", "b", "a"]
        .into_iter()
        .zip(files.iter().rev())
        .map(|(name, file)| Passed { name, descriptor: file.as_fd() })
        .collect();
    let mut program = program(&words, &folder);
    program.environment.push(b"LISTEN_FDS=77".to_vec());
    program.listen = &passed;
    let (ended, output) = finish(program, &folder);
    let line = |(name, at): (&str, u32)| format!("{name} {}/{at} True\n", folder.display());
    let lines: String =
        ["f", "e", "d", "c", "b", "a"].into_iter().zip((0..6).rev()).map(line).collect();
    let expected = format!("True None\n{lines}[0, 1, 2, 3, 4, 5, 6, 7, 8]\n");
    assert_eq!((ended, output), (Ended::Code(0), expected));
}

#[cfg(target_os = "linux")]
#[test]
fn a_program_is_told_its_own_number_and_nobody_elses() {
    let folder = fresh("number");
    let script = "import os
print(os.environ['WATCHED_PID'] == str(os.getpid()), os.environ.get('LISTEN_PID'))";
    let words = ["python3", "-c", script].map(str::to_owned);
    let mut program = program(&words, &folder);
    program.environment.push(b"WATCHED_PID=1".to_vec());
    program.environment.push(b"LISTEN_PID=77".to_vec());
    program.own_number = Some("WATCHED_PID");
    let (ended, output) = finish(program, &folder);
    assert_eq!((ended, output.as_str()), (Ended::Code(0), "True 77\n"));
}

#[cfg(target_os = "linux")]
fn numbered(folder: &std::path::Path, at: u32) -> fs::File {
    let path = folder.join(at.to_string());
    write(folder, &at.to_string(), "", 0o600);
    fs::File::open(path).unwrap()
}

fn finish(program: Program<'_>, folder: &std::path::Path) -> (Ended, String) {
    let (reader, writer) = pipe().unwrap();
    let process = spawn(&Program { output: Output::Pipe(&writer), ..program }).unwrap();
    drop(writer);
    let ended = wait(&process);
    (ended, contents(&reader, folder))
}

fn check(folder: &std::path::Path, name: &str, expected: &str) {
    let error = run(&[name], folder).unwrap_err();
    let code = error.source.raw_os_error().unwrap_or_default();
    assert_eq!(format!("{error}: {code}"), expected);
}

fn run(words: &[&str], folder: &std::path::Path) -> Result<(Ended, String), SpawnError> {
    let command: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let (reader, writer) = pipe().unwrap();
    let mut program = program(&command, folder);
    program.output = Output::Pipe(&writer);
    let process = spawn(&program)?;
    drop(writer);
    let ended = wait(&process);
    Ok((ended, contents(&reader, folder)))
}

fn program<'a>(command: &'a [String], folder: &std::path::Path) -> Program<'a> {
    let mut environment = own_environment();
    environment.push(b"GREETING=hello".to_vec());
    Program { directory: Some(folder.to_owned()), ..Program::new("test", command, environment) }
}

fn wait(process: &Process) -> Ended {
    let mut state = [PollFd::from_borrowed_fd(process.as_fd(), PollFlags::IN)];
    let limit = Timespec { tv_sec: 10, tv_nsec: 0 };
    assert_eq!(poll(&mut state, Some(&limit)).unwrap(), 1, "the program does not end");
    let ended = process.ended().unwrap().unwrap();
    process.reap();
    ended
}

fn contents(reader: &PipeReader, folder: &std::path::Path) -> String {
    let path = folder.join("output");
    let file = fs::File::create(&path).unwrap();
    let mut offset = 0;
    while let Moved::Bytes(count) = reader.move_to(&file, offset, 1 << 20, Way::Splice).unwrap() {
        offset += count as u64;
    }
    fs::read_to_string(path).unwrap()
}

fn write(folder: &std::path::Path, name: &str, text: &str, mode: u32) {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

thread_local! {
    static OWN: RefCell<Vec<Fresh>> = const { RefCell::new(Vec::new()) };
}

/// A folder that is gone when the thread of its test is.
struct Fresh(PathBuf);

impl Drop for Fresh {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn fresh(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("mainstay-spawn-{name}-{}", std::process::id()));
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).unwrap();
    let folder = folder.canonicalize().unwrap();
    OWN.with_borrow_mut(|own| own.push(Fresh(folder.clone())));
    folder
}
