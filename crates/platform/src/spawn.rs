//! Starting a program so that it outlives whoever started it.

#[cfg(target_os = "linux")]
#[path = "spawn/linux.rs"]
mod imp;
#[cfg(windows)]
#[path = "spawn/windows.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "spawn/macos.rs"]
mod imp;

use std::{fmt, io, path::PathBuf};

use crate::{pipe::PipeWriter, process::Process};

pub use imp::{Seats, own_environment};

/// A program to be started.
#[derive(Debug)]
pub struct Program<'a> {
    /// Its name for the system: the job on Windows. At most 200 characters.
    pub label: &'a str,
    /// The command and its arguments.
    pub command: &'a [String],
    /// Where it starts; the starter's own folder when absent.
    pub directory: Option<PathBuf>,
    /// Its whole environment, as `NAME=value`.
    pub environment: Vec<Vec<u8>>,
    /// Where stdout goes.
    pub output: Output<'a>,
    /// Where stderr goes; the same as stdout when absent.
    pub error: Option<&'a PipeWriter>,
    /// Soft limit of open files.
    pub files: Option<u64>,
    /// Whether it gets a session of its own, not just a process group.
    pub group: Group,
}

/// Where a program's output goes.
#[derive(Debug, Clone, Copy)]
pub enum Output<'a> {
    /// Nowhere.
    Null,
    /// Where the starter's own goes.
    Inherited,
    /// Into a pipe.
    Pipe(&'a PipeWriter),
}

/// What a program is made the head of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// A process group.
    Own,
    /// A session; costs milliseconds on a loaded machine.
    Session,
}

/// What was being done when a start went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Reading the command, the folder or the environment: something holds a NUL byte.
    Arguments,
    /// Making the new process.
    Clone,
    /// Entering the folder.
    Directory,
    /// Connecting its standard streams.
    Streams,
    /// Setting its limits.
    Limits,
    /// Finding the program.
    Program,
    /// Executing the program.
    Execute,
    /// Finding what the program's first line asks for.
    Interpreter,
}

/// A program that did not start.
#[derive(Debug)]
pub struct SpawnError {
    /// What was being done.
    pub step: Step,
    /// What it was about: the folder, the program or the interpreter.
    pub subject: String,
    /// What the system said.
    pub source: io::Error,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Arguments => "arguments",
            Self::Clone => "clone",
            Self::Directory => "directory",
            Self::Streams => "streams",
            Self::Limits => "limits",
            Self::Program => "program",
            Self::Execute => "execute",
            Self::Interpreter => "interpreter",
        })
    }
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, .. } = self;
        match self.step {
            Step::Arguments => write!(f, "cannot pass `{subject}` to a program"),
            Step::Clone => write!(f, "cannot make a process for `{subject}`"),
            Step::Directory => write!(f, "cannot enter directory `{subject}`"),
            Step::Streams => write!(f, "cannot connect the streams of `{subject}`"),
            Step::Limits => write!(f, "cannot set the limits of `{subject}`"),
            Step::Program => write!(f, "cannot find `{subject}`"),
            Step::Execute => write!(f, "cannot execute `{subject}`"),
            Step::Interpreter => write!(f, "cannot find the interpreter `{subject}`"),
        }
    }
}

impl std::error::Error for SpawnError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Starts a program.
///
/// The calling thread sleeps until the program executes or fails to; a program on a hung mount
/// holds it for as long as the mount hangs. `seats` are the thread's own: what it was given is low
/// where it was taken early, and then whoever has thousands of files open starts a program as fast
/// as whoever has ten.
pub fn spawn(program: &Program<'_>, seats: &mut Seats) -> Result<Process, SpawnError> {
    imp::spawn(program, seats)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
#[path = "spawn/tests.rs"]
mod tests;
