//! The example, run as its users run it: by hand, in a console, and by the service control manager.

#![expect(clippy::disallowed_methods, reason = "real processes in real time")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    process::{Command, Output},
    time::{Duration, Instant},
};

use mainstay_platform::{
    process::{Ended, SignalKind},
    scm::{Database, Intent, Purpose, State, code},
    spawn::{self, Program},
};

const PATIENCE: Duration = Duration::from_mins(1);

const HELLO: &str = env!("CARGO_BIN_EXE_hello-service");

fn ask(word: &str) -> Output {
    Command::new(HELLO).args(Some(word).filter(|word| !word.is_empty())).output().unwrap()
}

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "{what}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

#[test]
fn by_hand_it_says_how_it_is_used() {
    let usage = ask("");
    assert!(usage.status.success());
    let text = String::from_utf8(usage.stdout).unwrap();
    assert!(text.starts_with("hello-service: Says hello each second."), "{text}");
    assert!(text.contains("run        serve here, until Ctrl-C"), "{text}");
    let wrong = ask("dance");
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8(wrong.stderr).unwrap().contains("there is no `dance`"));
}

#[test]
fn in_a_console_it_serves_until_it_is_interrupted() {
    let said = std::env::temp_dir().join(format!("hello-{}", std::process::id()));
    let (reader, writer) = mainstay_platform::pipe::pipe().unwrap();
    let label = format!("hello-{}", std::process::id());
    let command = [HELLO.to_owned(), "run".to_owned()];
    let program = Program {
        output: spawn::Output::Pipe(&writer),
        ..Program::new(&label, &command, spawn::own_environment())
    };
    let process = spawn::spawn(&program).unwrap();
    let file = std::fs::File::create(&said).unwrap();
    wait_for("it says hello", || {
        let moved = reader.move_to(&file, 0, 100, mainstay_platform::pipe::Way::Copy);
        matches!(moved.unwrap(), mainstay_platform::pipe::Moved::Bytes(_)).then_some(())
    });
    assert!(std::fs::read_to_string(&said).unwrap().starts_with("hello"));
    process.signal(SignalKind::Interrupt).unwrap();
    let ended = wait_for("it ends", || process.ended().unwrap());
    assert_eq!(ended, Ended::Code(0));
    std::fs::remove_file(said).unwrap();
}

#[test]
fn the_manager_installs_starts_stops_and_forgets_it() {
    // A run that was cut short may have left it.
    drop(ask("uninstall"));
    let installed = ask("install");
    let Ok(database) = Database::open(Purpose::Look) else {
        let text = String::from_utf8(installed.stderr).unwrap();
        assert!(text.contains("there is no service control manager here"), "{text}");
        return;
    };
    assert!(installed.status.success(), "{installed:?}");
    assert!(ask("start").status.success());
    let state = || database.service("hello-service", Intent::Look).unwrap().status().unwrap();
    wait_for("it runs", || (state().state == State::Running).then_some(()));
    let told = String::from_utf8(ask("status").stdout).unwrap();
    assert!(told.contains(&format!("RUNNING, pid {}", state().pid)), "{told}");
    assert!(ask("stop").status.success());
    wait_for("it stops", || (state().state == State::Stopped).then_some(()));
    assert_eq!((state().exit_code, state().own_code), (0, 0));
    assert!(ask("uninstall").status.success());
    let gone = database.service("hello-service", Intent::Look).unwrap_err();
    assert_eq!(gone.raw_os_error(), Some(code::NO_SUCH_SERVICE));
}
