//! An instance in a folder of its own, driven through the command line.

use std::{
    fs,
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use mainstay_api::control::{Status, Unit};
use mainstay_platform::process::SignalKind;

use crate::processes::{self, wait_until};

/// The binary under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_mainstay");

/// Numbers the folders of one test process.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// A folder with a configuration; everything that was started for it ends with the value.
#[derive(Debug)]
pub(crate) struct Sandbox {
    folder: PathBuf,
    ups: Vec<Child>,
    /// The words before our binary in a command line.
    through: Vec<String>,
}

/// A unit with its process and the number of its run.
pub(crate) type Run = (String, Option<u32>, u64);

/// What a command answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Sandbox {
    /// Returns a folder with this configuration, in which nothing runs.
    pub(crate) fn new(config: &str) -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("mainstay-machine-{}-{number}", std::process::id());
        Self::at(&std::env::temp_dir().join(name), config)
    }

    /// Returns the same in a folder of the caller's choice.
    pub(crate) fn at(folder: &Path, config: &str) -> Self {
        drop(fs::remove_dir_all(folder));
        fs::create_dir_all(folder.join("run")).unwrap();
        let folder = folder.canonicalize().unwrap();
        fs::write(folder.join("mainstay.toml"), config).unwrap();
        Self { folder, ups: Vec::new(), through: Vec::new() }
    }

    /// Returns the same with the instance up.
    pub(crate) fn up_with(config: &str) -> Self {
        let mut sandbox = Self::new(config);
        sandbox.up();
        sandbox
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.path("mainstay.toml")
    }

    /// Returns the text of a file in the folder; nothing when it is not there.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Returns the folder of sockets, locks and the keeper's journal.
    pub(crate) fn runtime(&self) -> PathBuf {
        let base = self.path("run/mainstay");
        let mut entries = fs::read_dir(base).unwrap().map(|entry| entry.unwrap().path());
        entries.next().unwrap()
    }

    /// Returns the binary with arguments, to be run for this instance.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let line: Vec<&str> = self.through.iter().map(String::as_str).chain([BINARY]).collect();
        let mut command = Command::new(line[0]);
        command.args(&line[1..]);
        self.prepare(command, arguments)
    }

    /// Lets another program start ours from now on: one that changes what it may do.
    pub(crate) fn through(&mut self, line: &[&str]) {
        self.through = line.iter().map(|word| (*word).to_owned()).collect();
    }

    /// Gives the instance to an ordinary user, where we are the administrator.
    pub(crate) fn belong_to_nobody(&mut self) {
        const NOBODY: &str = "65534";
        if self.shell("id -u") == "0\n" {
            self.shell(&format!("chown -R {NOBODY}:{NOBODY} ."));
            self.through(&["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]);
        }
    }

    /// Runs a line of shell in the folder; returns what it printed.
    pub(crate) fn shell(&self, line: &str) -> String {
        let answer = answer_of(&mut self.prepare(Command::new("sh"), &["-c", line]));
        assert_eq!(answer.code, 0, "{line}: {answer:?}");
        answer.out
    }

    /// Makes a command one of this instance.
    pub(crate) fn prepare(&self, mut command: Command, arguments: &[&str]) -> Command {
        command.args(arguments).current_dir(&self.folder).stdin(Stdio::null());
        command.env("XDG_RUNTIME_DIR", self.path("run")).env_remove("NO_COLOR");
        command
    }

    /// Runs a command to its end.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Answer {
        answer_of(&mut self.command(arguments))
    }

    /// Runs a command that must succeed; returns what it printed.
    pub(crate) fn get(&self, arguments: &[&str]) -> String {
        let answer = self.ask(arguments);
        assert_eq!(answer.code, 0, "{arguments:?}: {answer:?}");
        answer.out
    }

    /// Starts `mainstay up` and waits until the instance answers.
    pub(crate) fn up(&mut self) {
        self.start_up(self.command(&["up"]));
        wait_until("the instance answers", || self.ask(&["status"]).code == 0);
    }

    /// Starts an `up`; what it says goes to `up.log`, after what was said before.
    pub(crate) fn start_up(&mut self, mut command: Command) {
        let log = File::options().create(true).append(true).open(self.path("up.log")).unwrap();
        let error = log.try_clone().unwrap();
        self.ups.push(command.stdout(log).stderr(error).spawn().unwrap());
    }

    /// Starts an instance that dies at the instants named by files in the folder that is returned;
    /// those that it is to meet at its beginning are named here.
    #[cfg(feature = "fail")]
    pub(crate) fn start_fallible(&mut self, first: &[&str]) -> PathBuf {
        let folder = self.path("fail");
        fs::create_dir(&folder).unwrap();
        for point in first {
            fs::write(folder.join(point), "").unwrap();
        }
        let mut up = self.command(&["up"]);
        up.env("MAINSTAY_FAIL_DIR", &folder);
        self.start_up(up);
        folder
    }

    /// Starts an instance that dies at named instants, and waits until it answers.
    #[cfg(feature = "fail")]
    pub(crate) fn up_fallible(&mut self) -> PathBuf {
        let folder = self.start_fallible(&[]);
        wait_until("the instance answers", || self.ask(&["status"]).code == 0);
        folder
    }

    /// Returns the process of the first `up` that was started.
    pub(crate) fn up_pid(&self) -> u32 {
        self.ups.first().unwrap().id()
    }

    /// Stops everything as Ctrl-C does; returns the exit code of `up`.
    pub(crate) fn down(&mut self) -> Option<i32> {
        let mut up = self.ups.remove(0);
        processes::signal(up.id(), SignalKind::Interrupt);
        let mut ended = None;
        wait_until("`up` ends", || {
            ended = up.try_wait().unwrap();
            ended.is_some()
        });
        ended.and_then(|status| status.code())
    }

    /// Kills keeper and agent, and `up` with them; programs run on.
    pub(crate) fn kill_both(&mut self) {
        let status = self.status();
        for mut up in self.ups.drain(..) {
            up.kill().unwrap();
            up.wait().unwrap();
        }
        // Frozen first: the one that is killed last would start the other one again.
        processes::signal(status.agent.pid, SignalKind::Stop);
        processes::kill(status.keeper.pid);
        processes::kill(status.agent.pid);
    }

    /// Returns what `status --json` says.
    pub(crate) fn status(&self) -> Status {
        serde_json::from_str(&self.get(&["status", "--json"])).unwrap()
    }

    pub(crate) fn unit(&self, name: &str) -> Unit {
        self.status().units.into_iter().find(|unit| unit.unit == name).unwrap()
    }

    /// Waits until a unit is as it is meant to be.
    pub(crate) fn wait_for(&self, name: &str, is_meant: impl Fn(&Unit) -> bool) -> Unit {
        let mut unit = self.unit(name);
        wait_until(&format!("`{name}` is as it should be, but {unit:?}"), || {
            unit = self.unit(name);
            is_meant(&unit)
        });
        unit
    }

    /// Waits until a unit runs; returns its process.
    pub(crate) fn wait_for_pid(&self, name: &str) -> u32 {
        self.wait_for(name, |unit| unit.state == "running").pid.unwrap()
    }

    /// Waits until all units run.
    pub(crate) fn wait_for_all(&self) {
        wait_until("all units run", || {
            self.status().units.iter().all(|unit| unit.state == "running")
        });
    }

    /// Returns every unit with its process and run, to be compared with later.
    pub(crate) fn runs(&self) -> Vec<Run> {
        let units = self.status().units.into_iter();
        units.map(|unit| (unit.unit, unit.pid, unit.run)).collect()
    }

    /// Returns the live processes of programs, which carry the name of their unit.
    pub(crate) fn copies_of(&self, unit: &str) -> Vec<u32> {
        let wanted = format!("MAINSTAY_UNIT={unit}");
        let carries = |pid: &u32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|one| one == wanted.as_bytes())
        };
        let ours = processes::of_folder(&self.folder).into_iter();
        ours.filter(|pid| processes::is_alive(*pid)).filter(carries).collect()
    }

    /// Waits until the log of a unit ends with these words; returns all of it. What a program prints
    /// comes by another way than what it says of itself, and maybe after it.
    pub(crate) fn wait_for_words(&self, unit: &str, words: &str) -> String {
        let log = format!(".mainstay/logs/{unit}/{unit}.log");
        wait_until(&format!("`{unit}` prints {words:?}"), || self.read(&log).ends_with(words));
        self.read(&log)
    }

    /// Returns the folder, whose name is different each time.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // As it was when the test gave up.
        let folder = std::thread::panicking().then(|| list(&self.folder));
        processes::end_all(&self.folder);
        for up in &mut self.ups {
            drop(up.wait());
        }
        if let Some(folder) = folder {
            let told = ["up.log", ".mainstay/keeper.log", ".mainstay/agent.log"];
            let words = told.map(|file| self.read(file)).concat();
            print_words(&(words + &folder));
        }
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// Returns what is in a folder, with sizes and times.
fn list(folder: &Path) -> String {
    let listed = Command::new("find").arg(folder).arg("-ls").output();
    listed.map_or_else(|_| String::new(), |listed| String::from_utf8_lossy(&listed.stdout).into())
}

/// Tells whoever reads why a test failed what the instance said.
#[expect(clippy::print_stderr, reason = "a failed test says all it knows")]
fn print_words(words: &str) {
    eprintln!("what the instance said:\n{words}");
}

/// Runs a command to its end.
pub(crate) fn answer_of(command: &mut Command) -> Answer {
    let output = command.output().unwrap();
    Answer {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
