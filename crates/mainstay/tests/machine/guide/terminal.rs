//! A reader's terminal: commands one after the other, in a home of its own.

use std::{
    fs,
    fs::File,
    path::PathBuf,
    process::{Child, Command},
    time::{Duration, Instant},
};

use regex::Regex;

use crate::{
    processes::{self, free_port, wait_until},
    sandbox::{BINARY, Sandbox},
};

/// The home that pages show.
const SHOWN_HOME: &str = "/home/you";
/// Ports that pages name; each test has others in their place.
const SHOWN_PORTS: &[&str] = &["8017", "8080", "8081"];
/// Between two runs of a command that only looks.
const AGAIN_AFTER: Duration = Duration::from_millis(50);
/// Runs a command as the next one of a shell: where it was, with its variables and its aliases.
const NEXT: &str = r#"
. "$TERMINAL/variables"; . "$TERMINAL/aliases"
eval "$1"
code=$?
pwd > "$TERMINAL/place"; export -p > "$TERMINAL/variables"; alias | sed 's/^/alias /' > "$TERMINAL/aliases"
exit $code
"#;

/// Where the commands of a page are typed.
#[derive(Debug)]
pub(super) struct Terminal {
    sandbox: Sandbox,
    /// What stays open: `up`, and whoever follows.
    open: Vec<Open>,
    ports: Vec<(&'static str, String)>,
    language: &'static str,
}

#[derive(Debug)]
struct Open {
    child: Child,
    output: PathBuf,
}

/// What a command came to.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) code: i32,
    pub(super) output: String,
}

impl Terminal {
    pub(super) fn new(language: &'static str) -> Self {
        let sandbox = Sandbox::new("");
        for folder in ["home", "terminal"] {
            fs::create_dir(sandbox.path(folder)).unwrap();
        }
        for (file, text) in [("variables", ""), ("aliases", "")] {
            fs::write(sandbox.path("terminal").join(file), text).unwrap();
        }
        let home = sandbox.path("home").display().to_string();
        fs::write(sandbox.path("terminal/place"), home).unwrap();
        let ports = SHOWN_PORTS.iter().map(|port| (*port, free_port().to_string())).collect();
        Self { sandbox, open: Vec::new(), ports, language }
    }

    /// Returns the sandbox that the home is in.
    pub(super) fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Returns the folder that a reader is in.
    pub(super) fn place(&self) -> PathBuf {
        PathBuf::from(self.sandbox.read("terminal/place").trim_end())
    }

    /// Runs a command to its end.
    pub(super) fn run(&self, line: &str) -> Outcome {
        let output = self.sandbox.path("terminal/output");
        let mut child = self.spawn(&self.real(line), &output);
        let mut ended = None;
        wait_until(&format!("`{line}` ends"), || {
            ended = child.try_wait().unwrap();
            ended.is_some()
        });
        let code = ended.and_then(|status| status.code()).unwrap_or(-1);
        Outcome { code, output: self.shown(&fs::read_to_string(output).unwrap()) }
    }

    /// Runs a command that only looks, until it shows what it should.
    pub(super) fn look(&self, line: &str, is_meant: impl Fn(&str) -> bool) -> Outcome {
        let mut outcome = self.run(line);
        let until = Instant::now() + Duration::from_mins(1);
        while !is_meant(&outcome.output) && Instant::now() < until {
            std::thread::park_timeout(AGAIN_AFTER);
            outcome = self.run(line);
        }
        outcome
    }

    /// Starts a command that stays open.
    pub(super) fn open(&mut self, line: &str) {
        let output = self.sandbox.path(&format!("terminal/open-{}", self.open.len()));
        let child = self.spawn(&self.real(line), &output);
        self.open.push(Open { child, output });
    }

    /// Returns what the last command that stays open has said.
    pub(super) fn said(&self) -> String {
        let open = self.open.last().unwrap();
        self.shown(processes::whole_lines(&fs::read_to_string(&open.output).unwrap()))
    }

    /// Presses Ctrl-C where the last command stays open; returns all that it has said.
    pub(super) fn interrupt(&mut self) -> String {
        let open = self.open.last_mut().unwrap();
        // A terminal tells the whole group that is in front of it.
        let group = format!("-{}", open.child.id());
        Command::new("sh").args(["-c", "kill -INT \"$1\"", "sh", &group]).status().unwrap();
        wait_until("what was interrupted ends", || open.child.try_wait().unwrap().is_some());
        let said = self.said();
        self.open.pop();
        said
    }

    /// Writes a file where a reader is.
    pub(super) fn write(&self, name: &str, text: &str) {
        let path = self.place().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, self.real(text)).unwrap();
    }

    fn spawn(&self, line: &str, output: &PathBuf) -> Child {
        let file = File::create(output).unwrap();
        let error = file.try_clone().unwrap();
        let words = ["sh", "-c", NEXT, "sh", line];
        let mut command = self.sandbox.prepare(Command::new("setsid"), &words);
        let ours = PathBuf::from(BINARY).parent().unwrap().display().to_string();
        let played = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/machine/guide/played");
        let path = std::env::var("PATH").unwrap_or_default();
        command.current_dir(self.place()).env("PATH", format!("{played}:{ours}:{path}"));
        command.env("HOME", self.sandbox.path("home")).env("IMAGE", self.sandbox.path("image"));
        command.env("TERMINAL", self.sandbox.path("terminal"));
        command.env("MAINSTAY_LANG", self.language).env_remove("MAINSTAY_INSTANCE");
        command.stdout(file).stderr(error).spawn().unwrap()
    }

    /// Returns a text of a page as it is meant here.
    fn real(&self, text: &str) -> String {
        let text = text.replace(SHOWN_HOME, &self.sandbox.path("home").display().to_string());
        self.ports.iter().fold(text, |text, (shown, real)| with_port(&text, shown, real))
    }

    /// Returns an output as a page shows it.
    fn shown(&self, text: &str) -> String {
        let text = text.replace(&self.sandbox.path("home").display().to_string(), SHOWN_HOME);
        let text = text.replace(&self.sandbox.path("image").display().to_string(), "");
        self.ports.iter().fold(text, |text, (shown, real)| with_port(&text, real, shown))
    }
}

/// Returns a text with another number, where it is a number of its own.
fn with_port(text: &str, from: &str, to: &str) -> String {
    let whole = Regex::new(&format!(r"(?-u:\b){from}(?-u:\b)")).unwrap();
    whole.replace_all(text, to).into_owned()
}

impl Drop for Terminal {
    fn drop(&mut self) {
        for open in &mut self.open {
            // Best effort: the folder's processes end with the sandbox.
            drop(open.child.kill());
            drop(open.child.wait());
        }
    }
}
