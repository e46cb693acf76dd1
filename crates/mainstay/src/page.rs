//! What `docs/reference/json.md` says of answers that only Windows gives, for their stories.

use std::collections::BTreeSet;

use serde::Serialize;

const PAGE: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/json.md"));

/// Returns the fields that the page names under a heading.
pub(crate) fn fields_of(heading: &str) -> BTreeSet<String> {
    let (_, section) = PAGE.split_once(&format!("\n## {heading}\n")).expect(heading);
    let section = section.split("\n## ").next().unwrap_or_default();
    let name = |line: &str| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned());
    section.lines().filter_map(name).collect()
}

/// Returns the fields of an answer.
pub(crate) fn fields_in(answer: &impl Serialize) -> BTreeSet<String> {
    let value = serde_json::to_value(answer).expect("it is plain data");
    value.as_object().expect("it is an object").keys().cloned().collect()
}
