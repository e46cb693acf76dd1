//! A program that a test talks to: started in a folder of its own, waited for, gone with the test.

use std::{
    fs,
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

pub(crate) use crate::processes::free_port;
use crate::processes::wait_until;

/// Numbers the folders of one test process.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// Between our look at a port and the peer's, somebody else may take it.
const TRIES: u32 = 5;

/// So many lines of a peer are told when a test has failed.
const LINES_TOLD_MAX: usize = 20;

/// What a peer has said, on both of its streams.
const LOG: &str = "said.log";

/// A folder that goes with the value.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("mainstay-peer-{name}-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file; returns where it lies.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// A program that runs; it ends with the value.
#[derive(Debug)]
pub(crate) struct Peer {
    child: Child,
    folder: Folder,
}

impl Peer {
    /// Starts a program and waits until it answers; otherwise returns what it said before it ended.
    pub(crate) fn start(
        folder: Folder,
        command: &mut Command,
        mut answers: impl FnMut() -> bool,
    ) -> Result<Self, String> {
        let log = File::create(folder.path().join(LOG)).unwrap();
        command.current_dir(folder.path()).stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let child = command.spawn().map_err(|error| missing(command, &error))?;
        let mut peer = Self { child, folder };
        let mut is_over = false;
        wait_until("the peer answers", || {
            is_over = peer.child.try_wait().unwrap().is_some();
            is_over || answers()
        });
        if is_over { Err(peer.said()) } else { Ok(peer) }
    }

    /// Returns everything that the peer has said so far.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.folder.path().join(LOG)).unwrap_or_default()
    }

    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let said = self.said();
            let lines: Vec<&str> = said.lines().collect();
            let last = lines.len().saturating_sub(LINES_TOLD_MAX);
            print_words(&lines[last..].join("\n"));
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn missing(command: &Command, error: &std::io::Error) -> String {
    let program = command.get_program().display();
    format!("cannot start `{program}`: {error}; `cargo xtask prepare` installs the peers")
}

#[expect(clippy::print_stderr, reason = "a failed test says all it knows")]
fn print_words(words: &str) {
    eprintln!("what a peer said:\n{words}");
}

/// Returns a command that ends with the thread that started it, however that one ends.
pub(crate) fn mortal(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--", program]);
    command
}

/// Starts something on a free port, on another one when that was taken meanwhile.
pub(crate) fn on_free_port<T>(start: impl Fn(u16) -> Result<T, String>) -> T {
    let mut said = String::new();
    for _ in 0..TRIES {
        match start(free_port()) {
            Ok(started) => return started,
            Err(words) => said = words,
        }
    }
    panic!("a peer does not start:\n{said}");
}

/// Runs a program to its end within half a minute; returns what it printed, or what went wrong.
pub(crate) fn run(command: &mut Command) -> Result<String, String> {
    let mut bounded = Command::new("timeout");
    bounded.args(["30"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        bounded.env(name, value.unwrap_or_default());
    }
    let output = bounded.stdin(Stdio::null()).output().unwrap();
    let [out, error] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    let words = format!("{out}{error}");
    if output.status.success() { Ok(words) } else { Err(format!("{}: {words}", output.status)) }
}
