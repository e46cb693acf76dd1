//! A person at a terminal, in a folder of their own.

use std::{
    collections::BTreeSet,
    fs,
    fs::File,
    process::{Child, Command, ExitStatus},
};

use mainstay_platform::process::SignalKind;

use super::{mask::Mask, script::Step};
use crate::{
    processes::{self, free_port, wait_until},
    sandbox::{Answer, BINARY, Sandbox, answer_of},
};

/// What stands for a free port in scripts.
const PORT: &str = "PORT";

/// A folder, what was begun in it, and what is different each time.
#[derive(Debug)]
pub(super) struct Shell {
    begun: Vec<Child>,
    sandbox: Sandbox,
    locale: &'static str,
    port: String,
    mask: Mask,
}

impl Shell {
    pub(super) fn new(locale: &'static str) -> Self {
        let sandbox = Sandbox::new("");
        fs::remove_file(sandbox.file()).unwrap();
        for folder in ["bin", "work"] {
            fs::create_dir(sandbox.path(folder)).unwrap();
        }
        sandbox.shell(&format!("ln -s {BINARY} bin/mainstay"));
        let port = free_port().to_string();
        let mask = Mask::new(sandbox.folder(), &port);
        Self { begun: Vec::new(), sandbox, locale, port, mask }
    }

    /// Does one thing; returns what is to be seen of it.
    pub(super) fn act(&mut self, step: &Step) -> String {
        match step {
            Step::Title(title) => format!("# {title}\n\n"),
            Step::File { name, text } => self.write(name, text),
            Step::Run(line) => self.run(line),
            Step::Until { words, line } => self.wait(words, line),
            Step::Begin(line) => self.begin(line),
            Step::End(words) => self.end(words),
        }
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.sandbox.path("work").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // As editors do: nobody sees a half.
        let draft = path.with_extension("draft");
        fs::write(&draft, text.replace(PORT, &self.port)).unwrap();
        fs::rename(&draft, &path).unwrap();
        let lines: String = text.lines().map(|line| ["| ", line, "\n"].concat()).collect();
        format!("file {name}\n{lines}\n")
    }

    fn run(&mut self, line: &str) -> String {
        self.look();
        let answer = answer_of(&mut self.command(line));
        self.look();
        format!("$ {line}\n{}\n", self.shown(&answer))
    }

    fn wait(&self, words: &str, line: &str) -> String {
        let mut command = self.command(line);
        command.env("MAINSTAY_LANG", "en");
        let log = self.sandbox.path("awaited");
        wait_until(&format!("`{line}` says {words:?}, see `awaited`"), || {
            let Answer { out, err, .. } = answer_of(&mut command);
            fs::write(&log, out.clone() + &err).unwrap();
            (out + &err).contains(words)
        });
        String::new()
    }

    fn begin(&mut self, line: &str) -> String {
        let log = self.sandbox.path(&format!("begun-{}", self.begun.len()));
        let out = File::create(log).unwrap();
        let err = out.try_clone().unwrap();
        let mut command = self.command(&format!("exec {line}"));
        self.begun.push(command.stdout(out).stderr(err).spawn().unwrap());
        format!("$ {line} &\n\n")
    }

    fn end(&mut self, words: &str) -> String {
        let log = format!("begun-{}", self.begun.len() - 1);
        wait_until(&format!("`{words}` is said, after {}", self.sandbox.read(&log)), || {
            self.sandbox.read(&log).contains(words)
        });
        let mut begun = self.begun.pop().unwrap();
        self.look();
        processes::signal(begun.id(), SignalKind::Interrupt);
        let mut ended = None;
        wait_until("Ctrl-C ends it", || {
            ended = begun.try_wait().unwrap();
            ended.is_some()
        });
        let answer = Answer {
            code: code_of(ended.unwrap()),
            out: self.sandbox.read(&log),
            err: String::new(),
        };
        format!("Ctrl-C\n{}\n", self.shown(&answer))
    }

    /// Returns a line of shell as somebody runs it who has just come to this machine.
    fn command(&self, line: &str) -> Command {
        let line = line.replace(PORT, &self.port);
        let mut command = Command::new("sh");
        // Nothing of the environment of whoever runs the tests.
        command.env_clear();
        let mut command = self.sandbox.prepare(command, &["-c", &line]);
        let path = format!("{}:/usr/bin:/bin", self.sandbox.path("bin").display());
        command.current_dir(self.sandbox.path("work")).env("PATH", path).env("TZ", "UTC");
        command.env("HOME", self.sandbox.path("home")).env("LANG", self.locale);
        command
    }

    /// Remembers the processes that may be spoken of.
    fn look(&mut self) {
        let pids: BTreeSet<u32> = processes::of_folder(self.sandbox.folder());
        self.mask.add(&pids);
    }

    fn shown(&self, answer: &Answer) -> String {
        let talk: String = answer.err.lines().map(|line| ["! ", line, "\n"].concat()).collect();
        let end = if answer.code == 0 { String::new() } else { format!("exit {}\n", answer.code) };
        let out = answer.out.trim_end_matches('\n');
        let out = if out.is_empty() { String::new() } else { format!("{out}\n") };
        self.mask.of(&(out + &talk)) + &end
    }
}

/// Returns the code that a shell shows: of a program that Ctrl-C has ended, 130.
fn code_of(ended: ExitStatus) -> i32 {
    let is_interrupted = ended.to_string().starts_with("signal: 2 ");
    ended.code().unwrap_or(if is_interrupted { 130 } else { -1 })
}

impl Drop for Shell {
    fn drop(&mut self) {
        processes::end_all(self.sandbox.folder());
        for begun in &mut self.begun {
            drop(begun.wait());
        }
    }
}
