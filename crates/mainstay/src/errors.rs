//! What goes wrong, whose turn it is, and the exit code that says so.

use std::{fmt, process::ExitCode};

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What was asked is refused or failed.
    Refused,
    /// The command line is wrong.
    Usage,
    /// No agent answers.
    Unreachable,
    /// Ours.
    Bug,
}

/// An error for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CliError {
    pub(crate) kind: Kind,
    pub(crate) what: String,
    pub(crate) hint: String,
}

impl CliError {
    pub(crate) fn refused(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind: Kind::Refused, what: what.into(), hint: hint.into() }
    }

    pub(crate) fn usage(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, what: what.into(), hint: hint.into() }
    }

    pub(crate) fn unreachable(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind: Kind::Unreachable, what: what.into(), hint: hint.into() }
    }

    pub(crate) fn bug(what: impl Into<String>) -> Self {
        let hint = "this is our bug; please report it".to_owned();
        Self { kind: Kind::Bug, what: what.into(), hint }
    }

    /// Returns whether somebody has said no, and could be asked for something else.
    pub(crate) fn is_refusal(&self) -> bool {
        self.kind == Kind::Refused
    }

    /// Returns the exit code that scripts rely on.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            Kind::Refused => 1,
            Kind::Usage => 2,
            Kind::Unreachable => 3,
            Kind::Bug => 70,
        })
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What a configuration says of itself has its own words for what is wrong.
        let what = self.what.trim_end();
        f.write_str(if what.starts_with("error: ") { "" } else { "error: " })?;
        f.write_str(what)?;
        if self.hint.is_empty() { Ok(()) } else { write!(f, "\nhint:  {}", self.hint) }
    }
}
