//! What a kind says of itself: `--describe`.

use std::{collections::BTreeMap, time::Duration};

use mainstay_agent::kinds::KIND_PROTOCOL;
use mainstay_platform::{
    capture::{self, CaptureError, Command},
    random, spawn,
};
use serde::{Deserialize, Serialize};

/// A kind takes so long to describe itself.
const WITHIN: Duration = Duration::from_secs(5);
/// A description is no longer.
const BYTES_MAX: usize = 256 * 1024;

/// What a kind says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct About {
    /// Its name.
    pub(crate) name: String,
    /// Its own version.
    pub(crate) version: String,
    /// The version of the specification that it was made for.
    pub(crate) protocol: u32,
    /// One line.
    #[serde(default)]
    pub(crate) summary: String,
    /// The facts that it may tell.
    #[serde(default)]
    pub(crate) facts: BTreeMap<String, serde_json::Value>,
    /// A JSON Schema of its configuration.
    #[serde(default)]
    pub(crate) config_schema: serde_json::Value,
}

/// A kind that does not describe itself as it should.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AboutError {
    /// It did not print anything that could be read.
    #[error("`--describe` does not work: {0}")]
    Unsaid(String),
    /// What it printed is no description.
    #[error("what `--describe` prints is no description: {0}")]
    Nonsense(String),
}

/// Asks a kind to describe itself.
pub(crate) fn ask(command: &[String]) -> Result<About, AboutError> {
    let words: Vec<String> = command.iter().cloned().chain(["--describe".to_owned()]).collect();
    let said = capture::run(&Command {
        label: &format!("kind-describe-{:016x}", random::number()),
        words: &words,
        directory: None,
        environment: spawn::own_environment(),
        bytes_max: BYTES_MAX,
        timeout: WITHIN,
    });
    let said = said.map_err(|error| AboutError::Unsaid(in_words(&error)))?;
    serde_json::from_slice(&said).map_err(|error| AboutError::Nonsense(error.to_string()))
}

fn in_words(error: &CaptureError) -> String {
    match error {
        CaptureError::NotStarted(source) => format!("it was not started: {source}"),
        CaptureError::System(source) => format!("{error}: {source}"),
        CaptureError::Failed { complaint, .. } if !complaint.last_line().is_empty() => {
            format!("{error}, and said `{}`", complaint.last_line())
        }
        CaptureError::Late(_) | CaptureError::TooMuch(_) | CaptureError::Failed { .. } => {
            error.to_string()
        }
    }
}

impl About {
    /// Returns whether it says itself that it can work with no other keys than those that it names.
    pub(crate) fn takes_no_other_keys(&self) -> bool {
        self.config_schema.get("additionalProperties") == Some(&serde_json::Value::Bool(false))
    }

    /// Returns what is wrong with it as the description of a kind of this name.
    pub(crate) fn fault(&self, name: &str) -> Option<String> {
        if self.name != name {
            Some(format!("it is named `{name}` and calls itself `{}`", self.name))
        } else if self.version.is_empty() {
            Some("`version` is empty".to_owned())
        } else if self.protocol != KIND_PROTOCOL {
            Some(format!("`protocol` is {}; this page is {KIND_PROTOCOL}", self.protocol))
        } else {
            None
        }
    }
}
