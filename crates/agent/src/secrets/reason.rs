//! Why a value cannot be had: for people, with the remedy, and never with the value.

use std::{io, path::Path, time::Duration};

use mainstay_api::{config::SECRET_BYTES_MAX, keeper::INPUT_BYTES_MAX};
use mainstay_platform::{capture::CaptureError, process::Ended};

use super::VaultError;
use crate::kinds::PrepareError;

/// A value that cannot be had, and for what.
#[derive(Debug, thiserror::Error)]
#[error("{}{why}", before(what))]
pub(crate) struct FetchError {
    /// The variable, the file or the place; empty when it is about no value.
    pub(crate) what: String,
    pub(crate) why: Why,
}

/// Why a value cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Why {
    #[error("there is no secret `{0}`; `mainstay secret set {0}` sets it")]
    NoSecret(String),
    #[error("{0}; {hint}", hint = .0.hint())]
    Vault(#[from] VaultError),
    #[error("the agent has no variable `{0}`; set it where the instance is started")]
    NoVariable(String),
    #[error("the agent was given no credentials; name it in `LoadCredential=` of its unit")]
    NoCredentials,
    #[error("cannot read `{path}`: {source}")]
    Unreadable { path: String, source: io::Error },
    #[error("it has more than {SECRET_BYTES_MAX} bytes")]
    TooLong,
    #[error("it is no text; deliver it as a file, with `secrets`")]
    NoText,
    #[error("`{command}` {how}")]
    Command { command: String, how: String },
    #[error("{0} does not answer")]
    Stuck(String),
    #[error("{0} has not answered yet")]
    NotYet(String),
    #[error("{0} still does not answer; it was asked before")]
    StillStuck(String),
    #[error("too many other values are being fetched")]
    Busy,
    #[error("{0}")]
    Kind(#[from] PrepareError),
    #[error("it makes the configuration longer than {INPUT_BYTES_MAX} bytes")]
    ConfigTooLong,
    #[error("cannot write its file: {0}")]
    Unwritten(io::Error),
    #[error("cannot start a thread for it: {0}")]
    NoThread(io::Error),
}

fn before(what: &str) -> String {
    if what.is_empty() { String::new() } else { format!("cannot fetch `{what}`: ") }
}

impl Why {
    /// Returns what became of a command, and where that is kept which it said of it: nobody can
    /// tell whether a tool's complaint holds a value, so no word of it is told.
    pub(crate) fn of_command(command: &str, error: &CaptureError, kept: Option<&Path>) -> Self {
        let how = match error {
            CaptureError::NotStarted(error) => {
                let source = std::error::Error::source(error);
                let why = source.map_or_else(String::new, |source| format!(": {source}"));
                format!("was not started: {error}{why}")
            }
            CaptureError::System(error) => format!("cannot be listened to: {error}"),
            CaptureError::Late(timeout) => {
                format!("took longer than {}; `timeout` gives it more", seconds(*timeout))
            }
            CaptureError::TooMuch(bytes) => format!("said more than {bytes} bytes"),
            CaptureError::Failed { ended, .. } => {
                let place = kept.map_or_else(String::new, |path| {
                    format!("; what it said on stderr is in `{}`", path.display())
                });
                format!("{}{place}", how_it(*ended))
            }
        };
        Self::Command { command: command.to_owned(), how }
    }
}

fn seconds(span: Duration) -> String {
    format!("{} s", span.as_secs_f64())
}

fn how_it(ended: Option<Ended>) -> String {
    match ended {
        Some(Ended::Code(code)) => format!("ended with code {code}"),
        Some(Ended::Signal(signal)) => format!("was killed by signal {signal}"),
        None => "ended otherwise than well".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use mainstay_platform::capture::Complaint;

    use super::*;

    #[test]
    fn of_a_command_that_fails_its_end_is_told_and_no_word_of_its_own() {
        let check = |ended, kept: Option<&str>, expected: &str| {
            let error = CaptureError::Failed { ended, complaint: Complaint::default() };
            let told = Why::of_command("vault", &error, kept.map(Path::new)).to_string();
            assert_eq!(told, expected);
        };
        check(Some(Ended::Signal(9)), None, "`vault` was killed by signal 9");
        let expected = "`vault` ended with code 2; what it said on stderr is in `/run/x`";
        check(Some(Ended::Code(2)), Some("/run/x"), expected);
        let late = CaptureError::Late(Duration::from_millis(1500));
        let told = Why::of_command("pass", &late, None).to_string();
        assert_eq!(told, "`pass` took longer than 1.5 s; `timeout` gives it more");
    }
}
