//! What the documents show is a configuration that is read.

use mainstay_ddns::{config, facts};
use serde_json::{Value, json};

#[test]
fn every_example_of_a_source_is_read_and_no_kind_is_missing() {
    let page = include_str!("../../../docs/reference/ddns-sources.md");
    let blocks: Vec<&str> =
        page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    for block in &blocks {
        let whole: Value = toml::from_str(block).unwrap();
        let mut home = whole["services"]["home"]["ddns"].clone();
        let account = json!({ "provider": "freemyip", "token": "t", "names": ["a.freemyip.com"] });
        home["accounts"] = json!({ "free": account });
        if let Err(error) = config::read(&home) {
            panic!("{error}\n{block}");
        }
    }
    for kind in config::KINDS {
        assert!(page.contains(&format!("\n## {}\n", kind.name)), "{}", kind.name);
        assert!(blocks.iter().any(|block| block.contains(&format!("{{ {} = ", kind.name))));
    }
}

#[test]
fn every_example_of_a_configuration_is_read() {
    let pages = [
        include_str!("../../../docs/guide/ddns.md"),
        include_str!("../../../docs/guide/ddns.zh-CN.md"),
        include_str!("../../../docs/reference/ddns.md"),
    ];
    for page in pages {
        let blocks = page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
        for block in blocks {
            let mut whole: Value = toml::from_str(block).unwrap();
            fill(&mut whole);
            if let Err(error) = config::read(&whole["services"]["home"]["ddns"]) {
                panic!("{error}\n{block}");
            }
        }
    }
}

/// Puts a text in the place of each secret.
fn fill(value: &mut Value) {
    match value {
        Value::Object(table) if table.len() == 1 && table.contains_key("secret") => {
            *value = Value::from("x");
        }
        Value::Object(table) => table.values_mut().for_each(fill),
        Value::Array(items) => items.iter_mut().for_each(fill),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn the_reference_has_every_key() {
    let page = include_str!("../../../docs/reference/ddns.md");
    let keys = config::NAME_KEYS.iter().chain(config::NETWORK_KEYS).map(|(key, _)| *key);
    let others =
        ["accounts", "every", "settle", "sources", "resolvers", "allow", "provider", "names"];
    for key in keys.chain(others) {
        assert!(page.contains(&format!("`{key}`")), "{key}");
    }
}

#[test]
fn the_reference_has_every_fact_and_every_event() {
    let page = include_str!("../../../docs/reference/ddns-status.md");
    for fact in facts::FACTS {
        let row = format!("| `{}` | {} | {} |", fact.name, fact.measure.word(), fact.what);
        assert!(page.contains(&row), "{row}");
    }
    for (name, when) in facts::EVENTS {
        let row = format!("| `{name}` | {when} |");
        assert!(page.contains(&row), "{row}");
    }
}
