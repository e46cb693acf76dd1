//! Programs that misbehave, as services of the manager.

use std::{
    fs,
    time::{Duration, Instant},
};

use mainstay_platform::{process::Process, scm::State};

use crate::{
    installed::Installed,
    roles::{self, AT_LAST, BYE, CHILD, CLEAN_UP, CRASH, READY, Role},
    sandbox::{Sandbox, wait_for},
    sc,
};

/// A stop in which nothing is waited for but a program's clean-up takes less.
const AT_ONCE: Duration = Duration::from_secs(10);
/// `ERROR_FILE_NOT_FOUND`.
const NOT_FOUND: u32 = 2;

#[test]
fn a_program_that_is_missing_ends_the_start_with_the_number_of_the_system() {
    let sandbox = Sandbox::of_service("mainstay-missing");
    let program = sandbox.folder().join("program.exe");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let command = [program.display().to_string()];
    let service = Installed::new("mainstay-missing", &["--no-start"], &command);
    fs::remove_file(program).unwrap();
    let started = service.ask(&["service", "start"]);
    assert_eq!(started.code, 1, "{started:?}");
    assert!(started.out.contains("STOPPED: the program is not there (2)"), "{started:?}");

    assert_eq!(sc::sc(&["start", service.name]).code, 0, "it is asked for nothing but a start");
    let seen =
        wait_for("it has ended", || sc::query(service.name).filter(|seen| seen.state == "STOPPED"));
    assert_eq!(seen.exit_code, NOT_FOUND);
    let why = sandbox.ask(&["why", service.name]);
    assert_eq!(why.code, 3, "{why:?}");
    assert!(
        why.err.contains("`mainstay-missing` is STOPPED: the program is not there (2)"),
        "{why:?}"
    );
    assert!(why.err.contains("mainstay service start mainstay-missing"), "{why:?}");
    service.remove();
}

#[test]
fn a_program_that_always_ends_at_once_leaves_its_service_running_and_says_why() {
    let name = "mainstay-hopeless";
    let role = Role::Hopeless.variable();
    let service = Installed::tried(name, &["--env", &role], &roles::command());
    let installed = &service.answer;
    assert_eq!(installed.code, 1, "{installed:?}");
    let told = "mainstay-hopeless is installed but does not stay up: ";
    assert!(installed.out.contains(told), "{installed:?}");
    let sandbox = Sandbox::of_service(name);
    let unit = wait_for("it is tried again and again", || {
        let unit = sandbox.unit(name);
        let state = sc::query(name).unwrap().state;
        assert_eq!(state, "RUNNING", "never PAUSED, never given up");
        (unit.run >= 4 && unit.state == "backoff").then_some(unit)
    });
    assert_eq!(unit.last_exit.unwrap().code, Some(u32::try_from(CRASH).unwrap()));
    let status = sandbox.get(&["status"]);
    assert!(status.contains("backoff"), "{status}");
    let why = sandbox.get(&["why", name]);
    assert!(why.contains(&format!("code {CRASH}")), "{why}");
    service.remove();
}

#[test]
fn a_program_that_takes_long_to_say_its_first_word_costs_no_time_out() {
    let name = "mainstay-long";
    let service = Installed::playing(name, Role::Slow, &["--no-start"]);
    let sandbox = Sandbox::of_service(name);
    let asked = Instant::now();
    let started = service.ask(&["service", "start"]);
    assert_eq!(started.code, 0, "{started:?}");
    assert!(asked.elapsed() < AT_ONCE, "{:?}", asked.elapsed());
    assert!(!sandbox.get(&["logs"]).contains(AT_LAST), "it was not ready when RUNNING was said");
    wait_for("it is ready", || sandbox.get(&["logs"]).contains(AT_LAST).then_some(()));
    assert_eq!(service.status().state, State::Running);
    service.remove();
}

#[test]
fn a_batch_file_is_stopped_without_a_question() {
    let name = "mainstay-batch";
    let sandbox = Sandbox::of_service(name);
    let batch = sandbox.folder().join("serve.cmd");
    fs::write(
        &batch,
        "@echo off\r\necho hello\r\n:again\r\nping -n 2 127.0.0.1 >nul\r\ngoto again\r\n",
    )
    .unwrap();
    let service = Installed::new(name, &[], &[batch.display().to_string()]);
    wait_for("it says hello", || sandbox.get(&["logs"]).contains("hello").then_some(()));
    let program = process_of(sandbox.unit(name).pid.unwrap());
    let asked = Instant::now();
    assert_eq!(service.ask(&["service", "stop"]).code, 0);
    assert!(asked.elapsed() < AT_ONCE, "{:?}", asked.elapsed());
    assert!(program.has_ended());
    service.remove();
}

#[test]
fn a_process_on_another_console_that_a_program_has_started_ends_with_it() {
    let name = "mainstay-parent";
    let service = Installed::playing(name, Role::Parent, &[]);
    let sandbox = Sandbox::of_service(name);
    let child = process_of(wait_for("it has a child", || child_of(&sandbox)));
    wait_for("it hears Ctrl-C", || {
        // The child says so, too.
        (sandbox.get(&["logs"]).matches(READY).count() >= 2).then_some(())
    });
    assert!(!child.has_ended());
    let asked = Instant::now();
    assert_eq!(service.ask(&["service", "stop"]).code, 0);
    assert!(asked.elapsed() < CLEAN_UP + AT_ONCE, "{:?}", asked.elapsed());
    assert!(sandbox.get(&["logs"]).contains(BYE), "the program itself was asked");
    assert!(child.has_ended(), "the job holds whoever leaves the console");
    service.remove();
}

#[test]
fn whoever_holds_the_output_of_a_program_that_has_ended_holds_up_no_stop() {
    let name = "mainstay-deserter";
    let role = Role::Deserter.variable();
    let service = Installed::tried(name, &["--env", &role], &roles::command());
    let sandbox = Sandbox::of_service(name);
    let child = wait_for("it has left a child", || child_of(&sandbox));
    wait_for("the program has ended", || sandbox.unit(name).last_exit);
    let asked = Instant::now();
    let stopped = service.ask(&["service", "stop"]);
    assert_eq!(stopped.code, 0, "{stopped:?}");
    assert!(asked.elapsed() < AT_ONCE, "{:?}", asked.elapsed());
    let child = Process::open_pid(child).unwrap();
    assert!(child.is_none_or(|child| child.has_ended()), "nothing is left");
    service.remove();
}

/// Returns the number of the last process that a program has left.
fn child_of(sandbox: &Sandbox) -> Option<u32> {
    let text = sandbox.get(&["logs"]);
    let line = text.lines().rev().find_map(|line| line.split_once(CHILD))?;
    line.1.trim().parse().ok()
}

fn process_of(pid: u32) -> Process {
    Process::open_pid(pid).unwrap().unwrap()
}
