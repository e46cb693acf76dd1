//! What the documents show is a configuration that is read.

use mainstay_ddns::config;
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
