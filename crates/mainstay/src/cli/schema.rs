//! `mainstay schema`: what editors need to complete and check a configuration file.

use std::process::ExitCode;

use clap::{Args as ClapArgs, ValueEnum};
use mainstay_api::config::catalogue::{Extension, Tongue, reference, schema};
use serde_json::{Map, Value, json};

use crate::print;

/// Print the JSON Schema of the configuration file
///
/// Editors that know TOML (Taplo, Even Better TOML) complete and check a file whose first line is
/// `#:schema ./mainstay.schema.json`, or the address of such a file.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  mainstay schema > mainstay.schema.json")]
pub(super) struct Args {
    /// What is printed
    #[arg(long, value_enum, default_value_t = Format::Json, hide = true)]
    format: Format,
}

/// What is printed of the keys.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// JSON Schema.
    Json,
    /// The reference, in English.
    Markdown,
    /// The reference, in Chinese.
    MarkdownZh,
}

/// A kind that comes with us, and may have a table of its own name.
const DDNS: &str = "ddns";
/// What a text of a kind's configuration may be fetched from.
const SECRET: &str = "kind-secret";

pub(super) fn run(args: &Args) -> ExitCode {
    match args.format {
        Format::Json => print::json(&whole()),
        Format::Markdown => print::data(&reference(Tongue::English)),
        Format::MarkdownZh => print::data(&reference(Tongue::Chinese)),
    }
    ExitCode::SUCCESS
}

/// Returns the schema of the whole file, with that of the kinds that come with us.
fn whole() -> Value {
    let ddns = mainstay_ddns::config::describe();
    let mut ddns = ddns.get("config-schema").cloned().unwrap_or_default();
    place(&mut ddns);
    let mut whole = schema(&[Extension { kind: DDNS, table: Some(DDNS), schema: ddns }]);
    if let Some(Value::Object(definitions)) = whole.get_mut("$defs") {
        definitions.insert(SECRET.to_owned(), secret());
    }
    whole
}

/// Returns what stands in place of a text that is fetched.
fn secret() -> Value {
    let source = json!({ "$ref": "#/$defs/services.NAME.environment.VARIABLE" });
    json!({
        "description": "A value that is fetched when a run is ordered: a secret of the store by its name, or a table that says where it comes from.",
        "type": "object",
        "properties": { "secret": { "anyOf": [{ "type": "string" }, source] } },
        "required": ["secret"],
        "additionalProperties": false,
    })
}

/// Makes a schema of what a kind is given one of what is written for it: each of its texts may be
/// fetched, and what it refers to lies below `$defs` of the whole.
fn place(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.remove("$schema");
            if let Some(Value::String(reference)) = object.get_mut("$ref") {
                *reference = reference.replace("#/$defs/", "#/$defs/kind-ddns/$defs/");
            }
            object.values_mut().for_each(place);
            if object.get("type") == Some(&json!("string")) {
                or_fetched(object);
            }
        }
        Value::Array(all) => all.iter_mut().for_each(place),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn or_fetched(object: &mut Map<String, Value>) {
    object.remove("type");
    let secret = json!({ "$ref": format!("#/$defs/{SECRET}") });
    object.insert("anyOf".to_owned(), json!([{ "type": "string" }, secret]));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The documents that are checked in are what the binary prints.
    fn check(kept: &str, made: &str) {
        let first = made.lines().zip(kept.lines()).find(|(made, kept)| made != kept);
        assert!(made == kept, "run `cargo xtask docs`; the first line that differs: {first:?}");
    }

    #[test]
    fn the_schema_that_is_checked_in_is_of_this_version() {
        let made = serde_json::to_string_pretty(&whole()).unwrap() + "\n";
        check(include_str!("../../../../docs/reference/mainstay.schema.json"), &made);
    }

    #[test]
    fn the_references_that_are_checked_in_are_of_this_version() {
        let english = include_str!("../../../../docs/reference/configuration.md");
        check(english, &reference(Tongue::English));
        let chinese = include_str!("../../../../docs/reference/configuration.zh-CN.md");
        check(chinese, &reference(Tongue::Chinese));
    }

    #[test]
    fn every_text_of_a_kind_may_be_fetched() {
        let whole = whole();
        let accounts = &whole["$defs"]["kind-ddns"]["properties"]["accounts"];
        let first = &accounts["additionalProperties"]["oneOf"][0]["properties"]["ca-file"];
        assert_eq!(first["anyOf"][1]["$ref"], json!("#/$defs/kind-secret"));
        assert!(!whole.to_string().contains("\"#/$defs/source\""));
    }
}
