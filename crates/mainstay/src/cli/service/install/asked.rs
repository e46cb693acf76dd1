//! What is asked in the terminal, when a program is to be installed and nobody says which.

use std::{
    env,
    io::{self, BufRead as _, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use clap::Parser;
use mainstay_platform::scm::{Intent, Purpose};

use super::{
    Args,
    dialogue::{self, Desk, World},
};
use crate::{cli::service::database, errors::CliError, words};

/// Options go with a program; without one there is a name at most.
const WORDS_MAX: usize = 1;

/// Returns whether there is somebody to ask, who has not begun to say it by options.
pub(super) fn is_possible() -> bool {
    let words = env::args().skip_while(|word| word != "install").skip(1);
    words.count() <= WORDS_MAX && io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for everything; returns nothing when it is not wanted after all.
pub(super) fn ask(name: &str) -> Result<Option<Args>, CliError> {
    let answered = dialogue::ask(&mut Terminal, &System, words::language(), name);
    let words = answered.map_err(|error| {
        CliError::refused(format!("nothing was installed: the talk has ended: {error}"), "")
    })?;
    words.map(|words| understood(&words)).transpose()
}

/// What was answered goes the way of what is typed.
fn understood(words: &[String]) -> Result<Args, CliError> {
    let line = ["install".to_owned()].into_iter().chain(words.iter().cloned());
    let line = Line::try_parse_from(line);
    line.map(|line| line.args).map_err(|error| CliError::bug(error.to_string()))
}

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

struct Terminal;

impl Desk for Terminal {
    fn say(&mut self, text: &str) {
        let mut terminal = io::stderr().lock();
        // Without a terminal nobody was asked.
        drop(terminal.write_all(text.as_bytes()).and_then(|()| terminal.flush()));
    }

    fn hear(&mut self) -> io::Result<Option<String>> {
        let mut line = String::new();
        let count = io::stdin().lock().read_line(&mut line)?;
        Ok((count > 0).then_some(line))
    }
}

struct System;

impl World for System {
    fn is_taken(&self, name: &str) -> bool {
        database(Purpose::Look).is_ok_and(|database| database.service(name, Intent::Look).is_ok())
    }

    fn program(&self, typed: &str) -> Option<PathBuf> {
        super::image(&[typed.to_owned()], &self.here()).ok()
    }

    fn is_folder(&self, path: &Path) -> bool {
        path.is_dir()
    }

    fn here(&self) -> PathBuf {
        env::current_dir().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_understood_as_what_is_typed() {
        let words = ["web", "--start", "demand", "--env", "A=b", "--", "node", "-x", "a b"];
        let args = understood(&words.map(str::to_owned)).unwrap();
        assert_eq!(
            (args.name.as_str(), args.command.as_slice()),
            ("web", ["node", "-x", "a b"].map(str::to_owned).as_slice())
        );
        assert_eq!(args.environment, [("A".to_owned(), "b".to_owned())]);
    }
}
