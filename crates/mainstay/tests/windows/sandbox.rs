//! A folder with a configuration, and the command line in it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use mainstay_api::control::{Status, Unit};
use mainstay_platform::process::{Process, SignalKind};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_mainstay");
const PATIENCE: Duration = Duration::from_mins(1);

/// `ERROR_INTERNAL_ERROR`.
const INTERNAL: i32 = 1359;

/// There is one list of services, and one console of a process to send Ctrl-C from.
static ALONE: Mutex<()> = Mutex::new(());
static COUNT: AtomicU32 = AtomicU32::new(0);

/// What a command answered.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A folder of one test, which goes with the value.
#[derive(Debug)]
pub(crate) struct Sandbox {
    folder: PathBuf,
    /// The instance that commands are for.
    instance: String,
    /// Held to the end, though nobody asks for it.
    alone: Option<MutexGuard<'static, ()>>,
}

impl Sandbox {
    /// Returns a folder with this configuration, once no other story goes on.
    pub(crate) fn new(config: &str) -> Self {
        let alone = alone();
        let mut sandbox = Self::beside(config);
        sandbox.alone = Some(alone);
        sandbox
    }

    fn beside(config: &str) -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("mainstay windows-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        // Numbers of processes come again, and what a failed test leaves is in the way of the next.
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("mainstay.toml");
        fs::write(&file, config).unwrap();
        Self { folder, instance: file.display().to_string(), alone: None }
    }

    /// Returns a folder to ask from about a service, whose story it is.
    pub(crate) fn of_service(name: &str) -> Self {
        let mut sandbox = Self::beside("");
        name.clone_into(&mut sandbox.instance);
        sandbox
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn instance(&self) -> &str {
        &self.instance
    }

    /// Runs a command of our binary to its end.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Answer {
        let mut command = Command::new(BINARY);
        command.args(arguments).args(["--instance", &self.instance]).current_dir(&self.folder);
        run(&mut command)
    }

    /// Runs a command that must succeed; returns what it printed.
    pub(crate) fn get(&self, arguments: &[&str]) -> String {
        let answer = self.ask(arguments);
        assert_eq!(answer.code, 0, "{arguments:?}: {answer:?}");
        answer.out
    }

    pub(crate) fn status(&self) -> Status {
        serde_json::from_str(&self.get(&["status", "--json"])).unwrap()
    }

    pub(crate) fn unit(&self, name: &str) -> Unit {
        self.status().units.into_iter().find(|unit| unit.unit == name).unwrap()
    }

    /// Waits until a unit is in a state.
    pub(crate) fn wait_for(&self, name: &str, state: &str) -> Unit {
        wait_for(&format!("`{name}` is {state}"), || {
            Some(self.unit(name)).filter(|unit| unit.state == state)
        })
    }

    /// Kills the agent, and returns once there is another one.
    pub(crate) fn kill_agent_and(&self, meanwhile: impl FnOnce()) {
        let agent = self.status().agent.pid;
        Process::open_pid(agent).unwrap().unwrap().signal(SignalKind::Kill).unwrap();
        meanwhile();
        wait_for("another agent answers", || (self.status().agent.pid != agent).then_some(()));
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
        drop(self.alone.take());
    }
}

/// Waits until no other story goes on.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn run(command: &mut Command) -> Answer {
    let output = wait_for("the system starts a program", || {
        let result = command.stdin(Stdio::null()).output();
        // Wine says so now and then while its server is busy.
        let is_busy = result.as_ref().is_err_and(|error| error.raw_os_error() == Some(INTERNAL));
        (!is_busy).then(|| result.unwrap())
    });
    Answer {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "not so: {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}
