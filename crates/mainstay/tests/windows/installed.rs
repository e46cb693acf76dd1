//! A program that is a service for as long as a test goes on.

use std::{fs, process::Command, sync::MutexGuard};

use mainstay_platform::scm::{Database, Intent, Purpose, Service, Status, code};

use crate::{
    folders,
    roles::{self, Role},
    sandbox::{Answer, BINARY, alone, run},
};

/// A service that goes with the value, whatever a test has found.
pub(crate) struct Installed {
    pub(crate) name: &'static str,
    /// What its installation said.
    pub(crate) answer: Answer,
    _alone: MutexGuard<'static, ()>,
}

impl Installed {
    pub(crate) fn new(name: &'static str, options: &[&str], command: &[String]) -> Self {
        let service = Self::tried(name, options, command);
        assert_eq!(service.answer.code, 0, "{:?}", service.answer);
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

    /// Installs a program that may not stay up.
    pub(crate) fn tried(name: &'static str, options: &[&str], command: &[String]) -> Self {
        let mut service = Self { name, answer: Answer::default(), _alone: alone() };
        // A run that was cut short may have left it, and what it has said.
        drop(service.ask_with(&["service", "remove"], &["--purge"]));
        drop(fs::remove_dir_all(folders::of_service(name)));
        service.answer = service.install(options, command);
        service
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
        self.open().status().unwrap()
    }

    pub(crate) fn open(&self) -> Service {
        Database::open(Purpose::Look).unwrap().service(self.name, Intent::Look).unwrap()
    }

    /// Returns what the system's own tool says of it.
    pub(crate) fn sc_query(&self) -> String {
        let answer = run(Command::new("sc").args(["query", self.name]));
        assert_eq!(answer.code, 0, "{answer:?}");
        answer.out
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
