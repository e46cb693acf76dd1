//! Last words: one line about something that nobody else can be told of.

use std::{
    error::Error,
    io::{self, Write as _},
};

/// Writes what went wrong with all its causes to stderr, the only own log of keeper and agent.
///
/// A disk of the log that is full is no reason to die, which is what `eprintln!` does then.
pub fn complain(who: &str, what: &str, error: &dyn Error) {
    drop(writeln!(io::stderr(), "{}", line(who, what, error)));
}

fn line(who: &str, what: &str, error: &dyn Error) -> String {
    let mut line = format!("{who}: {what}: {error}");
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
