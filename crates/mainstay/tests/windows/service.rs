//! A program as a service of the manager: started, found, adopted, stopped, forgotten.

use std::{fs, process::Command, sync::MutexGuard};

use mainstay_platform::scm::{Control, Database, Intent, Purpose, State, Status, code};

use crate::{
    folders,
    roles::{self, Role},
    sandbox::{Answer, BINARY, Sandbox, alone, run, wait_for},
};

#[test]
fn a_program_is_a_service_and_an_agent_more_or_less_costs_nothing() {
    let service = Installed::new("mainstay test", &[], &words(HELLO));
    let sandbox = Sandbox::of_service(service.name);
    assert_eq!(service.status().state, State::Running);
    let main = sandbox.wait_for("main", "running");
    wait_for("it says hello", || sandbox.get(&["logs"]).contains("hello").then_some(()));

    let agent = sandbox.status().agent.pid;
    let report = sandbox.get(&["drill", "agent"]);
    assert!(report.contains("1 of 1 run on with the same pid"), "{report}");
    assert_ne!(sandbox.status().agent.pid, agent);
    assert_eq!(sandbox.unit("main").pid, main.pid);
    assert_eq!(sandbox.status().keeper.pid, service.status().pid);

    let answer = service.ask(&["service", "stop"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    let status = service.status();
    assert_eq!((status.state, status.exit_code, status.own_code), (State::Stopped, 0, 0));
    service.remove();
}

#[test]
fn a_slow_stop_shows_signs_of_life_until_it_has_come_to_its_end() {
    let service = Installed::playing("mainstay-slow", Role::Stubborn, &["--no-start"]);
    let set = service.ask_with(&["service", "set"], &["stop.timeout=4s"]);
    assert_eq!(set.code, 0, "{set:?}");
    let started = service.ask(&["service", "start"]);
    assert_eq!(started.code, 0, "{started:?}");
    let sandbox = Sandbox::of_service(service.name);
    wait_for("it hears Ctrl-C", || {
        let run = sandbox.unit("mainstay-slow").run.to_string();
        sandbox.get(&["logs", "--run", &run]).contains(roles::READY).then_some(())
    });

    let database = Database::open(Purpose::Look).unwrap();
    let open = database.service(service.name, Intent::Control).unwrap();
    open.control(Control::Stop).unwrap();
    let mut signs = Vec::new();
    wait_for("it has stopped", || {
        let status = open.status().unwrap();
        if status.state == State::StopPending && signs.last() != Some(&status.checkpoint) {
            signs.push(status.checkpoint);
        }
        (status.state == State::Stopped).then_some(())
    });
    assert!(signs.len() >= 3, "it ticks each second: {signs:?}");
    assert!(signs.is_sorted(), "{signs:?}");
    assert_eq!(service.status().exit_code, 0);
    // Whoever holds it open keeps it from being forgotten.
    drop(open);
    service.remove();
}

const HELLO: [&str; 3] = ["cmd", "/c", "echo hello & ping -n 1000 127.0.0.1"];

fn words(words: [&str; 3]) -> Vec<String> {
    words.map(ToOwned::to_owned).to_vec()
}

/// A service that goes with the value, whatever a test has found.
pub(crate) struct Installed {
    pub(crate) name: &'static str,
    _alone: MutexGuard<'static, ()>,
}

impl Installed {
    pub(crate) fn new(name: &'static str, options: &[&str], command: &[String]) -> Self {
        let (service, answer) = Self::tried(name, options, command);
        assert_eq!(answer.code, 0, "{answer:?}");
        service
    }

    /// Installs this binary in one of its roles.
    pub(crate) fn playing(name: &'static str, role: Role, options: &[&str]) -> Self {
        Self::playing_as(name, role, options, &roles::command())
    }

    /// Installs a copy of this binary, or gives it more words.
    pub(crate) fn playing_as(
        name: &'static str,
        role: Role,
        options: &[&str],
        command: &[String],
    ) -> Self {
        let role = role.variable();
        Self::new(name, &[["--env", &role].as_slice(), options].concat(), command)
    }

    /// Installs a program that may not stay up; returns what was said, too.
    pub(crate) fn tried(
        name: &'static str,
        options: &[&str],
        command: &[String],
    ) -> (Self, Answer) {
        let service = Self { name, _alone: alone() };
        // A run that was cut short may have left it, and what it has said.
        drop(service.ask_with(&["service", "remove"], &["--purge"]));
        drop(fs::remove_dir_all(folders::of_service(name)));
        let answer = service.install(options, command);
        (service, answer)
    }

    pub(crate) fn install(&self, options: &[&str], command: &[String]) -> Answer {
        let mut install = Command::new(BINARY);
        install.args(["service", "install", self.name, "--account", "LocalSystem"]).args(options);
        install.arg("--allow-writable").arg("--").args(command);
        run(&mut install)
    }

    pub(crate) fn ask(&self, words: &[&str]) -> Answer {
        self.ask_with(words, &[])
    }

    /// Asks something of the service, which is named between the words.
    pub(crate) fn ask_with(&self, words: &[&str], more: &[&str]) -> Answer {
        run(Command::new(BINARY).args(words).arg(self.name).args(more))
    }

    pub(crate) fn status(&self) -> Status {
        let database = Database::open(Purpose::Look).unwrap();
        database.service(self.name, Intent::Look).unwrap().status().unwrap()
    }

    pub(crate) fn remove(self) {
        self.forget(&["--purge"]);
    }

    /// Removes it, and sees that the manager has forgotten it.
    pub(crate) fn forget(self, options: &[&str]) {
        let answer = self.ask_with(&["service", "remove"], options);
        assert_eq!(answer.code, 0, "{answer:?}");
        let gone = Database::open(Purpose::Look).unwrap().service(self.name, Intent::Look);
        assert_eq!(gone.unwrap_err().raw_os_error(), Some(code::NO_SUCH_SERVICE));
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        drop(self.ask_with(&["service", "remove"], &["--purge"]));
    }
}
