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
            self.facts.iter().find_map(|(name, told)| fact_fault(name, told))
        }
    }

    /// Returns how values of a fact are read; as texts where nothing is said.
    pub(crate) fn type_of(&self, fact: &str) -> &str {
        self.facts.get(fact).and_then(|told| told["type"].as_str()).unwrap_or("text")
    }
}

/// A fact is described by a text, or by an object with one and a type.
fn fact_fault(name: &str, told: &serde_json::Value) -> Option<String> {
    if told.is_string() {
        return None;
    }
    if !told["what"].is_string() {
        return Some(format!("fact `{name}`: `what` is missing"));
    }
    let kind = told.get("type").map_or(Some("text"), serde_json::Value::as_str);
    match kind {
        Some("text" | "gauge" | "counter" | "time") => None,
        _ => Some(format!("fact `{name}`: `type` is none of `text`, `gauge`, `counter`, `time`")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_fact_is_described_by_a_text_or_an_object_with_a_type() {
        let check = |fact: serde_json::Value, expected: Option<&str>| {
            let about =
                json!({ "name": "it", "version": "1", "protocol": 1, "facts": { "f": fact } });
            let about: About = serde_json::from_value(about).unwrap();
            let fault = about.fault("it");
            assert_eq!(fault.is_some(), expected.is_some(), "{fault:?}");
            assert!(fault.unwrap_or_default().contains(expected.unwrap_or_default()));
        };
        check(json!("where it listens"), None);
        check(json!({ "what": "where it listens" }), None);
        check(json!({ "what": "so many", "type": "counter", "unit": "bytes" }), None);
        check(json!({ "type": "counter" }), Some("`what` is missing"));
        check(json!({ "what": "so many", "type": "histogram" }), Some("`type` is none of"));
        check(json!(7), Some("`what` is missing"));
    }
}
