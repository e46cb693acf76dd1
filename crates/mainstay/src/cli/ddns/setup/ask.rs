//! Asking somebody at a terminal; where nobody is, what is missing is named instead.

use std::io::{self, BufRead as _, IsTerminal as _};

use mainstay_platform::logon;

use crate::{
    cli::{
        answer::{Answer, answer_of},
        ddns::language,
    },
    errors::CliError,
    print, words,
};

/// Who asks.
#[derive(Debug)]
pub(super) struct Asker {
    /// Whether the usual answer to each question is taken.
    agrees_to_all: bool,
}

impl Asker {
    pub(super) const fn new(agrees_to_all: bool) -> Self {
        Self { agrees_to_all }
    }

    /// Returns whether somebody is there to answer.
    pub(super) fn is_live(&self) -> bool {
        !self.agrees_to_all && io::stdin().is_terminal()
    }

    /// Asks for a line, which the command line could have said by `flag`.
    pub(super) fn line(&self, prompt: &str, flag: &str) -> Result<String, CliError> {
        self.must_be_live(prompt, flag)?;
        print::ask(&format!("{prompt}: "));
        let mut line = String::new();
        match io::stdin().lock().read_line(&mut line) {
            Ok(0) => Err(CliError::refused(language::broken_off(), "")),
            Ok(_) => Ok(line.trim().to_owned()),
            Err(error) => Err(CliError::refused(error.to_string(), "")),
        }
    }

    /// Asks for a line that is not shown.
    pub(super) fn secret(&self, prompt: &str, flag: &str) -> Result<String, CliError> {
        self.must_be_live(prompt, flag)?;
        let line = logon::ask_secret(&words::told(&format!("{prompt}: ")));
        let line = line.map_err(|error| CliError::refused(error.to_string(), ""))?;
        Ok(line.trim().to_owned())
    }

    /// Asks a question whose usual answer is yes.
    pub(super) fn agrees(&self, question: &str) -> Result<bool, CliError> {
        if self.agrees_to_all {
            return Ok(true);
        }
        loop {
            if let Some(answer) = answer_of(&self.line(&format!("{question} [Y/n]"), "--yes")?) {
                return Ok(answer == Answer::Yes);
            }
        }
    }

    fn must_be_live(&self, prompt: &str, flag: &str) -> Result<(), CliError> {
        if self.is_live() {
            return Ok(());
        }
        let (what, hint) = language::nobody(prompt, flag);
        Err(CliError::usage(what, hint))
    }
}
