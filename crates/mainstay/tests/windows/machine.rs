//! Mainstay as a service of the machine: one instance with any number of programs, found from
//! everywhere.

use std::{fs, path::PathBuf, process::Command, sync::MutexGuard};

use mainstay_api::control::{Status, Unit};
use mainstay_platform::{
    paths,
    scm::{Database, Intent, Purpose, Start, State, code},
};

use crate::{
    foreground::has_ended,
    sandbox::{Answer, BINARY, alone, run, wait_for},
};

/// Mainstay, installed for as long as a test goes on.
pub(crate) struct Machine {
    /// Where commands are typed; it has nothing to do with the instance.
    folder: PathBuf,
    _alone: MutexGuard<'static, ()>,
}

impl Machine {
    pub(crate) fn install(options: &[&str]) -> Self {
        let machine = Self { folder: std::env::temp_dir(), _alone: alone() };
        drop(machine.ask(&["uninstall", "--purge"]));
        drop(fs::remove_file(configuration()));
        let installed = machine.ask(&[&["install"], options].concat());
        assert_eq!(installed.code, 0, "{installed:?}");
        machine
    }

    pub(crate) fn ask(&self, words: &[&str]) -> Answer {
        run(Command::new(BINARY).args(words).current_dir(&self.folder))
    }

    pub(crate) fn get(&self, words: &[&str]) -> String {
        let answer = self.ask(words);
        assert_eq!(answer.code, 0, "{words:?}: {answer:?}");
        answer.out
    }

    pub(crate) fn status(&self) -> Status {
        serde_json::from_str(&self.get(&["status", "--json"])).unwrap()
    }

    pub(crate) fn wait_for(&self, name: &str, state: &str) -> Unit {
        wait_for(&format!("`{name}` is {state}"), || {
            self.status().units.into_iter().find(|unit| unit.unit == name && unit.state == state)
        })
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(self.ask(&["uninstall", "--purge"]));
    }
}

fn configuration() -> PathBuf {
    paths::machine_base().unwrap().join("mainstay.toml")
}

#[test]
fn the_machines_instance_is_found_from_everywhere_and_goes_as_it_came() {
    let machine = Machine::install(&[]);
    let service = Database::open(Purpose::Look).unwrap().service("mainstay", Intent::Look).unwrap();
    let record = service.record().unwrap();
    let own = paths::program_base().unwrap().join("mainstay.exe");
    let expected = format!("\"{}\" keeper --service \"mainstay\"", own.display());
    assert_eq!(record.command_line, expected);
    assert_eq!((record.start, record.account.as_str()), (Start::Automatic, "LocalSystem"));
    assert_eq!(service.status().unwrap().state, State::Running);

    machine.get(&["add", "hello", "--", "cmd", "/c", "echo hello & ping -n 1000 127.0.0.1"]);
    machine.get(&["add", "other", "--", "cmd", "/c", "ping -n 1000 127.0.0.1"]);
    let hello = machine.wait_for("hello", "running");
    machine.wait_for("other", "running");
    wait_for("it says hello", || machine.get(&["logs", "hello"]).contains("hello").then_some(()));
    assert!(fs::read_to_string(configuration()).unwrap().contains("[services.hello]"));

    // Once more: settings are made anew, and nothing is stopped for it.
    let again = machine.get(&["install", "--delayed"]);
    assert!(again.contains("about two minutes after boot"), "{again}");
    assert_eq!(machine.wait_for("hello", "running").pid, hello.pid);
    let refused = machine.ask(&["service", "remove", "mainstay", "--purge"]);
    assert!(refused.err.contains("`mainstay uninstall` removes it"), "{refused:?}");
    let taken = machine.ask(&["service", "install", "Mainstay", "--", "cmd"]);
    assert_eq!(taken.code, 2, "{taken:?}");
    drop(service);

    let removed = machine.get(&["uninstall"]);
    assert!(removed.contains("its configuration and logs stay in"), "{removed}");
    assert!(has_ended(hello.pid.unwrap()), "its programs have ended before");
    let gone = Database::open(Purpose::Look).unwrap().service("mainstay", Intent::Look);
    assert_eq!(gone.unwrap_err().raw_os_error(), Some(code::NO_SUCH_SERVICE));
    let nothing = machine.ask(&["uninstall"]);
    assert!(nothing.code == 1 && nothing.err.contains("1060"), "{nothing:?}");

    // What was configured is there again, and is gone when that is asked for.
    machine.get(&["install"]);
    machine.wait_for("hello", "running");
    let purged = machine.get(&["uninstall", "--purge"]);
    assert!(purged.contains("its configuration and its logs"), "{purged}");
    assert!(!configuration().exists());
}

#[test]
fn a_machines_instance_begins_with_the_configuration_that_it_is_given() {
    let file = std::env::temp_dir().join(format!("mainstay-given-{}.toml", std::process::id()));
    fs::write(&file, "[services.one]\ncommand = [\"cmd\", \"/c\", \"ping -n 1000 127.0.0.1\"]\n")
        .unwrap();
    let machine = Machine::install(&["--config", file.to_str().unwrap(), "--no-start"]);
    let copied = fs::read_to_string(configuration()).unwrap();
    assert_eq!(copied, fs::read_to_string(&file).unwrap());
    machine.get(&["service", "start", "mainstay"]);
    machine.wait_for("one", "running");

    fs::write(&file, "[services.one]\ncomand = [\"cmd\"]\n").unwrap();
    let wrong = machine.ask(&["install", "--config", file.to_str().unwrap()]);
    assert!(wrong.code == 1 && wrong.err.contains("comand"), "{wrong:?}");
    assert_eq!(fs::read_to_string(configuration()).unwrap(), copied, "nothing has changed");
    fs::remove_file(&file).unwrap();
}
