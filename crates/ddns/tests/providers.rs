//! The reference of the providers tells what the catalogue has, and its examples work.

use mainstay_ddns::{config, providers};
use serde_json::Value;

const REFERENCE: &str = include_str!("../../../docs/reference/ddns-providers.md");

/// A section: the provider it is about, and its text.
fn sections() -> Vec<(&'static str, &'static str)> {
    let parts = REFERENCE.split("\n## `").skip(1);
    parts.map(|part| part.split_once('`').expect("a name ends")).collect()
}

fn examples(text: &str) -> impl Iterator<Item = &str> {
    text.split("```toml\n").skip(1).map(|rest| rest.split_once("\n```").expect("an example ends").0)
}

/// Puts a text where the example says where a secret is.
fn with_secrets(value: &mut Value) {
    match value {
        Value::Object(table) if table.contains_key("secret") && table.len() == 1 => {
            *value = Value::from("c2VjcmV0");
        }
        Value::Object(table) => table.values_mut().for_each(with_secrets),
        Value::Array(list) => list.iter_mut().for_each(with_secrets),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => (),
    }
}

fn configuration(example: &str) -> Value {
    let file: Value = toml::from_str(example).expect("an example is TOML");
    let mut ddns = file.pointer("/services/home/ddns").expect("it is of `home`").clone();
    with_secrets(&mut ddns);
    ddns
}

#[test]
fn every_provider_has_a_section() {
    let known: Vec<&str> = providers::ALL.iter().map(|entry| entry.name).collect();
    let told: Vec<&str> = sections().iter().map(|(name, _)| *name).collect();
    assert_eq!(told, known);
}

#[test]
fn every_provider_has_a_row_that_says_by_whom_it_is_proved() {
    let rows = REFERENCE.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let told: Vec<&str> = rows.map(|(name, _)| name).filter(|name| !name.contains('{')).collect();
    let known: Vec<&str> = providers::ALL.iter().map(|entry| entry.name).collect();
    assert_eq!(told, known);
}

#[test]
fn every_section_is_about_a_provider_and_they_are_in_order() {
    let names: Vec<&str> = sections().iter().map(|(name, _)| *name).collect();
    assert!(names.is_sorted(), "{names:?}");
    for name in names {
        assert_eq!(providers::find(name).map(|entry| entry.name), Some(name));
    }
}

#[test]
fn every_example_opens_an_account_of_its_section() {
    for (name, text) in sections() {
        let mut seen = 0;
        for example in examples(text) {
            let config = match config::read(&configuration(example)) {
                Ok(config) => config,
                Err(error) => panic!("{name}: {error}"),
            };
            assert!(config.accounts.iter().all(|account| account.entry.name == name), "{name}");
            assert!(!config.plan.bindings.is_empty(), "{name}");
            seen += 1;
        }
        assert!(seen > 0, "{name} has no example");
    }
}
