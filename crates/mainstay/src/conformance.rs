//! Whether a program keeps what `docs/spec/kind.md` asks of kinds: it is run, in a folder of its
//! own, through every MUST that can be seen from outside.
//!
//! ```text
//!  described ─► refuses nonsense ─► ready, watched, killed ─► ready again, asked to leave
//!                                                         └─► by hand, asked to leave
//! ```

pub(crate) mod about;
mod bench;
mod ear;
mod rules;

use std::{io, path::PathBuf, time::Duration};

use serde::Serialize;

pub(crate) use rules::examine;

/// What is tried.
#[derive(Debug, Clone)]
pub(crate) struct Trial {
    /// The kind's name.
    pub(crate) name: String,
    /// The command that runs it.
    pub(crate) command: Vec<String>,
    /// A configuration with which it can begin, as JSON.
    pub(crate) config: String,
    /// One with which it cannot, where somebody knows one.
    pub(crate) bad_config: Option<String>,
    /// It has to be ready within this time.
    pub(crate) boot: Duration,
    /// It has to leave within this time.
    pub(crate) stop: Duration,
    /// An empty folder, which belongs to the trial.
    pub(crate) folder: PathBuf,
}

/// What was found about one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// Its number in the specification.
    pub(crate) rule: &'static str,
    /// What it asks for, in a few words.
    pub(crate) says: &'static str,
    /// Whether it holds.
    pub(crate) verdict: Verdict,
    /// What was seen instead; empty when it holds.
    pub(crate) why: String,
}

/// Whether a rule holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// It does, as far as was seen.
    Held,
    /// It does not.
    Broken,
    /// It did not come to that.
    Untested,
}

/// A trial that cannot be made, for a reason that is none of the kind's.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing}: {source}")]
pub(crate) struct TrialError {
    doing: &'static str,
    source: io::Error,
}

fn doing(doing: &'static str) -> impl Fn(io::Error) -> TrialError {
    move |source| TrialError { doing, source }
}
