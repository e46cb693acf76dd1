//! Starting real programs on Windows: output, exit codes, Ctrl-C, jobs, and what a failure says.

use std::{fs::File, io::Write as _, time::Duration};

use super::{super::spawn, *};
use crate::{
    pipe::{Moved, PipeReader, Way, pipe},
    port::{Port, Token},
    process::{Ended, SignalKind, carrying},
    spawn::{Passed, spawn_held},
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
    let (process, reader) = start("interrupted", &own_role(), "waits");
    // Whoever has not come to its console yet does not hear of it.
    let path = std::env::temp_dir().join(format!("interrupted-{}.output", std::process::id()));
    contents(&reader, &path, "here");
    process.signal(SignalKind::Term).unwrap();
    assert_ne!(wait(&process), Ended::Code(137), "it was killed");
}

#[test]
fn a_batch_file_gets_every_word_as_it_was_written() {
    let folder = std::env::temp_dir().join(format!("mainstay batch {}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let own = std::env::current_exe().unwrap();
    let script = format!(
        "@\"{}\" --exact spawn::imp::tests::role --nocapture --quiet %*\r\n@exit 9\r\n",
        own.display()
    );
    let file = folder.join("run it.cmd");
    std::fs::write(&file, script).unwrap();
    let file = file.display().to_string();
    // Wine's shell knows no way to keep a `%`.
    let all = ["a", "two words", "&whoami", ">file.txt", "key=value", r"C:\folder\"];
    for (number, word) in all.into_iter().enumerate() {
        let (process, reader) = start(&format!("batch-{number}"), &[&file, word], "words");
        assert_eq!(wait(&process), Ended::Code(9));
        let output = contents(&reader, &folder.join("output"), "\0");
        assert!(output.contains(&format!("<{word}>")), "{word}: {output}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_file_without_extension_is_found_as_the_shell_finds_it() {
    let folder = std::env::temp_dir().join(format!("mainstay-search-{}", std::process::id()));
    let store = folder.join(r"Microsoft\WindowsApps");
    let real = folder.join("real");
    for folder in [&store, &real] {
        std::fs::create_dir_all(folder).unwrap();
    }
    std::fs::write(store.join("tool.exe"), "").unwrap();
    let path = format!("PATH={};{}", store.display(), real.display());
    let found = |name: &str| {
        let command = [name.to_owned()];
        let mut program = program("search", &command, "");
        program.environment = vec![path.clone().into_bytes()];
        image_of(&program).map_err(|_| spawn(&program).unwrap_err())
    };
    let refused = found("tool").unwrap_err();
    assert!(refused.to_string().contains("Microsoft Store"), "{refused}");
    assert_eq!(refused.source.raw_os_error(), Some(1920));
    std::fs::write(real.join("tool.cmd"), "@exit 0").unwrap();
    assert_eq!(found("tool").unwrap(), real.join("tool.cmd"), "the alias is passed over");
    std::fs::write(real.join("text.exe"), "no program").unwrap();
    let command = [real.join("text.exe").display().to_string()];
    let refused = spawn(&program("foreign", &command, "")).unwrap_err();
    assert_eq!(refused.source.raw_os_error(), Some(193));
    assert!(refused.to_string().contains("needs its interpreter"), "{refused}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_program_that_is_held_begins_when_it_is_released() {
    let (reader, writer) = pipe().unwrap();
    let (label, command) = (label("held"), ["cmd", "/c", "echo begun"].map(str::to_owned));
    let mut program = program(&label, &command, "");
    program.output = Output::Pipe(&writer);
    let mut seats = Seats::take(1, None).unwrap().pop().unwrap();
    let process = spawn_held(&program, &mut seats, &Nascent::default()).unwrap();
    assert_eq!(carrying(&label).unwrap().len(), 1);
    assert_ne!(reader.serial(), 0, "it has the read end already");
    // As the next keeper does it, which has no handle of its thread.
    let found = Process::open(process.identity()).unwrap().unwrap();
    assert!(!found.has_ended());
    found.release().unwrap();
    found.release().unwrap();
    assert_eq!(wait(&process), Ended::Code(0));
    let again = crate::pipe::reopen_output(process.pid(), 1, reader.serial());
    assert!(!matches!(again, Ok(Some(_))), "a program that has ended keeps nothing");
}

#[test]
fn a_program_that_nobody_could_find_ends_with_its_starter_and_any_other_outlives_it() {
    let image = std::env::var("ComSpec").unwrap();
    let prepared = Prepared {
        image: wide(&image),
        line: wide("cmd /c exit 3"),
        environment: command_line::environment(&[]),
        directory: None,
        flags: CREATE_NO_WINDOW,
    };
    let make = |job: &Job| {
        let made = prepared.create(&Streams::null().unwrap(), Some(job)).unwrap();
        assert_eq!(job.members().unwrap(), [made.pid], "it is born in its job");
        Process::from_child(made.pid, [made.process, made.thread], None)
    };
    // As far as a starter came who is killed before it could give away the job.
    let job = Job::new(&label("lost")).unwrap();
    let lost = make(&job);
    drop(job);
    wait(&lost);
    let job = Job::new(&label("found")).unwrap();
    let found = make(&job);
    give(found.raw(), job.raw(), JOB_ACCESS).unwrap();
    job.outlive_us().unwrap();
    drop(job);
    found.release().unwrap();
    assert_eq!(wait(&found), Ended::Code(3));
}

#[test]
fn priority_and_processors_are_set_before_it_begins() {
    let (label, command) = (label("share"), own_role().map(str::to_owned));
    let own = std::env::current_exe().unwrap().display().to_string();
    let command = command.map(|word| word.replace("{self}", &own));
    let mut program = program(&label, &command, "waits");
    program.share = Share { priority: Some(Priority::BelowNormal), processors: Some(1) };
    let process = spawn(&program).unwrap();
    // SAFETY: the handle is open.
    #[expect(unsafe_code, reason = "GetPriorityClass")]
    let class = unsafe { GetPriorityClass(process.raw()) };
    assert_eq!(class, BELOW_NORMAL_PRIORITY_CLASS);
    let (mut own, mut all) = (0, 0);
    // SAFETY: both are valid for writes.
    #[expect(unsafe_code, reason = "GetProcessAffinityMask")]
    let done = unsafe {
        windows_sys::Win32::System::Threading::GetProcessAffinityMask(
            process.raw(),
            &raw mut own,
            &raw mut all,
        )
    };
    assert_ne!(done, 0);
    assert_eq!(own, 1);
    process.signal_group(SignalKind::Kill).unwrap();
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
fn a_program_reads_its_whole_input_and_then_the_end() {
    for lines in [0, 1, 50_000] {
        let input = Input::new("line\n".repeat(lines).as_bytes()).unwrap();
        let own = std::env::current_exe().unwrap().display().to_string();
        let command = own_role().map(|word| word.replace("{self}", &own));
        let (label, (reader, writer)) = (label(&format!("reads-{lines}")), pipe().unwrap());
        let mut program = program(&label, &command, "reads");
        (program.input, program.output) = (Some(&input), Output::Pipe(&writer));
        let process = spawn(&program).unwrap();
        drop(writer);
        let path = std::env::temp_dir().join(&label);
        let said = contents(&reader, &path, "true\n");
        assert!(said.contains(&format!("{} true\n", lines * 5)), "{said}");
        wait(&process);
    }
}

#[test]
fn descriptors_are_not_passed_on_here() {
    let command = ["cmd".to_owned()];
    let (reader, _writer) = io::pipe().unwrap();
    let reader = OwnedHandle::from(reader);
    let passed = [Passed { name: "web", descriptor: crate::descriptor::borrow(&reader) }];
    let mut program = program("passed", &command, "");
    program.listen = &passed;
    assert_eq!(spawn(&program).unwrap_err().step, Step::Streams);
}

#[test]
fn role() {
    match std::env::var(ROLE).as_deref() {
        Ok("waits") => {
            io::stdout().write_all(b"here\n").unwrap();
            loop {
                std::thread::park();
            }
        }
        Ok("has-a-child") => {
            let mut child = std::process::Command::new(std::env::current_exe().unwrap());
            let mut child =
                child.args(own_role().get(1..).unwrap()).env(ROLE, "waits").spawn().unwrap();
            io::stdout().write_all(b"child\n").unwrap();
            child.wait().unwrap();
        }
        Ok("reads") => {
            let text = io::read_to_string(io::stdin()).unwrap();
            let is_whole = text == "line\n".repeat(text.len() / 5);
            io::stdout().write_all(format!("{} {is_whole}\n", text.len()).as_bytes()).unwrap();
        }
        Ok("words") => {
            let words: Vec<String> = std::env::args().skip(5).collect();
            io::stdout().write_all(format!("<{}>\n", words.join("><")).as_bytes()).unwrap();
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
    Program { directory: Some(std::env::temp_dir()), ..Program::new(label, command, environment) }
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
