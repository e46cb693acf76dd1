//! Last words: one line about something that nobody else can be told of.

#[cfg(unix)]
#[path = "complaint/unix.rs"]
mod imp;
#[cfg(windows)]
#[path = "complaint/windows.rs"]
mod imp;

use std::{
    error::Error,
    io::{self, Write as _},
};

/// A log that is longer than this is emptied: what goes on is said again, what mattered is an event.
const LOG_BYTES_MAX: u64 = 1024 * 1024;

/// Writes what went wrong with all its causes to stderr, the only own log of keeper and agent.
///
/// A disk of the log that is full is no reason to die, which is what `eprintln!` does then. A log
/// that has become too long begins anew, except on Windows, where what is only appended to cannot
/// be emptied.
pub fn complain(who: &str, what: &str, error: &dyn Error) {
    if imp::empty_if_longer(LOG_BYTES_MAX) {
        drop(writeln!(io::stderr(), "{who}: this log was too long: what was before is gone"));
    }
    drop(writeln!(io::stderr(), "{}", line(who, what, error)));
}

fn line(who: &str, what: &str, error: &dyn Error) -> String {
    format!("{who}: {what}: {}", with_causes(error))
}

/// Returns what went wrong with all its causes, in one line.
pub fn with_causes(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct NotWritten(io::Error);

    impl std::fmt::Display for NotWritten {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("cannot write")
        }
    }

    impl Error for NotWritten {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn a_complaint_names_every_cause() {
        let error = NotWritten(io::Error::other("the disk is full"));
        let expected = "agent: cannot keep wishes: cannot write: the disk is full";
        assert_eq!(line("agent", "cannot keep wishes", &error), expected);
    }
}
