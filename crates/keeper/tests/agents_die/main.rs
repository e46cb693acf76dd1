//! The promise, small and on every system: the agent is killed twenty times while twenty programs
//! write at full speed; no line is lost, torn or doubled, no program notices, every exit code is
//! known.
#![expect(clippy::unwrap_used, reason = "a test without the usual harness")]
#![expect(clippy::wildcard_enum_match_arm, reason = "its agent minds few reports")]

mod agent;
mod driver;
mod program;

use std::{io::Write as _, path::PathBuf, process::ExitCode};

/// How many programs write.
pub(crate) const PROGRAMS: u32 = 20;
/// How often the agent is killed.
pub(crate) const KILLS: usize = 20;

/// Adds a line of a program, 64 bytes with its end.
pub(crate) fn push_line(number: u64, text: &mut Vec<u8>) {
    writeln!(text, "{number:012} fifty bytes that nobody reads, to make lines long.").unwrap();
}

/// Returns the exit code that a program ends with.
pub(crate) const fn exit_code_of(index: u32) -> u32 {
    index + 10
}

/// What the processes of this test know of each other, in one folder.
#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn runtime(&self) -> PathBuf {
        self.0.join("run")
    }

    pub(crate) fn logs_of(&self, unit: &str) -> PathBuf {
        self.0.join("logs").join(unit)
    }

    /// What agents saw, a line for each fact.
    pub(crate) fn facts(&self) -> PathBuf {
        self.0.join("facts")
    }

    /// As many bytes long as agents have come to be killed: see [`program`].
    pub(crate) fn rounds(&self) -> PathBuf {
        self.0.join("rounds")
    }

    /// Its presence tells programs to end.
    pub(crate) fn stop(&self) -> PathBuf {
        self.0.join("stop")
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["keeper", ..] => mainstay_keeper::run(arguments.get(1..).unwrap_or_default()),
        ["agent", folder, "--link", link, ..] => agent::run(&Folder(folder.into()), link),
        ["program", folder, index] => program::run(&Folder(folder.into()), index),
        // As the usual harness answers, for runners that ask first.
        _ if words.contains(&"--ignored") => ExitCode::SUCCESS,
        _ if words.contains(&"--list") => program::say("agents_die: test\n"),
        _ => driver::run(),
    }
}
