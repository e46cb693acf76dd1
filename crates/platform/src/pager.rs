//! The program in which a person reads what is long, in the terminal that they sit at.

use std::{
    env,
    io::{self, Write},
    process::{Child, ChildStdin, Command, Stdio},
};

use crate::editor::words;

/// How `less` behaves where nobody has said so: it ends when all fits on the screen, shows colours,
/// and leaves the text there.
const LESS: (&str, &str) = ("LESS", "FRX");

/// A pager that runs.
#[derive(Debug)]
pub struct Pager {
    child: Child,
    input: Option<ChildStdin>,
}

impl Pager {
    /// Starts a program with its arguments, which are split at blanks.
    pub fn start(line: &str) -> io::Result<Self> {
        let (program, arguments) = words(line);
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped());
        if env::var_os(LESS.0).is_none() {
            command.env(LESS.0, LESS.1);
        }
        let mut child = command.spawn()?;
        let input = child.stdin.take();
        Ok(Self { child, input })
    }

    /// Lets the person read to the end.
    pub fn finish(mut self) {
        drop(self.input.take());
        // How it ended is between it and the person.
        drop(self.child.wait());
    }
}

impl Write for Pager {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.input
            .as_mut()
            .map_or_else(|| Err(io::ErrorKind::BrokenPipe.into()), |to| to.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
