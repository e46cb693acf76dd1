//! What follows when the program of a service ends by itself, and what the manager is told.

use std::{fs, path::PathBuf, time::Duration};

use mainstay_platform::scm::{RecoveryAction, State, is_lacking};

use crate::{
    installed::Installed,
    sandbox::{Sandbox, wait_for},
};

/// A program that ends with 5 until there is this file, and then with 3.
struct Flag(PathBuf);

impl Flag {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("mainstay-{name}-{}", std::process::id())))
    }

    fn program(&self) -> Vec<String> {
        let script = format!("if exist {} (exit 3) else (exit 5)", self.0.display());
        ["cmd", "/c", &script].map(ToOwned::to_owned).to_vec()
    }
}

impl Drop for Flag {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

#[test]
fn a_program_that_crashes_is_started_again_until_its_code_ends_the_service() {
    let flag = Flag::new("failures");
    let options = ["--on-exit", "3=exit", "--no-start"];
    let service = Installed::new("mainstay-ends", &options, &flag.program());
    assert_eq!(service.ask(&["service", "start"]).code, 0);
    let sandbox = Sandbox::of_service(service.name);
    wait_for("it has crashed twice and was started again", || {
        assert_eq!(service.status().state, State::Running, "never PAUSED, nor anything else");
        let status = sandbox.ask(&["status", "--json"]);
        let restarts =
            |text: &str| text.contains("\"restarts\":2") || text.contains("\"restarts\": 2");
        restarts(&status.out).then_some(())
    });
    fs::write(&flag.0, "").unwrap();
    let status = wait_for("the service ends", || {
        Some(service.status()).filter(|status| status.state == State::Stopped)
    });
    assert_eq!((status.exit_code, status.own_code), (1066, 3));
    let told = service.sc_query();
    assert!(told.contains("STOPPED") && told.contains("1066"), "{told}");
    let own = told.lines().find(|line| line.contains("SERVICE_EXIT_CODE")).unwrap();
    assert!(own.contains(": 3 "), "{told}");
    let said = service.ask(&["service", "status"]);
    assert!(said.out.contains("it ended with 3"), "{said:?}");
    service.remove();
}

#[test]
fn the_end_of_a_program_is_left_to_the_systems_recovery() {
    let flag = Flag::new("recovery");
    let row = "restart/15s,restart/30s,run:cmd /c exit/60s";
    let options =
        ["--on-failure", "scm", "--recovery", row, "--recovery-reset", "1d", "--no-start"];
    let service = Installed::new("mainstay-scm", &options, &flag.program());
    if std::env::var_os("MAINSTAY_WINE").is_some() {
        // Wine 8 takes the actions and tells nobody, knows no flag, and never acts.
        assert!(is_lacking(&service.open().recovery().unwrap_err()));
        let said = &service.answer.out;
        let lacks = "this system does not have recovery after a failure code";
        assert!(said.contains(lacks), "{said}");
        assert!(!said.contains("this system does not have the recovery actions"), "{said}");
    } else {
        let set = service.open().recovery().unwrap();
        let seconds = Duration::from_secs;
        let expected = [
            (RecoveryAction::Restart, seconds(15)),
            (RecoveryAction::Restart, seconds(30)),
            (RecoveryAction::Run, seconds(60)),
        ];
        assert_eq!(set.actions, expected);
        assert_eq!(
            (set.reset_after, set.command.as_deref()),
            (seconds(86_400), Some("cmd /c exit"))
        );
        assert!(service.open().recovers_after_failure().unwrap());
    }
    // The first attempt is the last: what follows is the system's affair.
    let started = service.ask(&["service", "start"]);
    let status = wait_for("the service ends", || {
        Some(service.status()).filter(|status| status.state == State::Stopped)
    });
    assert_eq!((status.exit_code, status.own_code), (1066, 5), "{started:?}");

    let edited = service.ask_with(&["service", "edit"], &["--on-failure", "restart"]);
    assert_eq!(edited.code, 0, "{edited:?}");
    let dumped = service.ask(&["service", "dump"]);
    assert!(!dumped.out.contains("--on-failure"), "{dumped:?}");
    let wrong = service.ask_with(&["service", "edit"], &["--recovery", "restart/15s,restrat/1s"]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
    assert!(wrong.err.contains("entry 2, `restrat/1s`"), "{wrong:?}");
    service.remove();
}
