//! A configuration as people would write it into a file.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// A list longer than this is written over several lines.
const LINE_CHARS_MAX: usize = 90;

/// Returns the table `[services.NAME.ddns]` of a configuration, in TOML.
pub fn to_toml(service: &str, config: &Value) -> String {
    let head = format!("services.{}.ddns", key(service));
    let mut text = String::new();
    let empty = Map::new();
    let table = config.as_object().unwrap_or(&empty);
    let (tables, values): (Vec<_>, Vec<_>) =
        table.iter().partition(|(name, _)| matches!(name.as_str(), "sources" | "accounts"));
    if !values.is_empty() {
        section(&mut text, &head, values.into_iter());
    }
    for (name, value) in tables {
        let Some(inner) = value.as_object() else { continue };
        if name == "sources" {
            section(&mut text, &format!("{head}.sources"), inner.iter());
        }
        for (account, value) in inner.iter().filter(|_| name == "accounts") {
            let entries = value.as_object().into_iter().flat_map(in_order);
            section(&mut text, &format!("{head}.accounts.{}", key(account)), entries);
        }
    }
    text
}

/// Returns an account's entries as people write them: the provider first, the names last.
fn in_order(account: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let rank = |name: &str| match name {
        "provider" => 0,
        "sources" => 2,
        "names" => 3,
        _ => 1,
    };
    let mut entries: Vec<_> = account.iter().collect();
    entries.sort_by_key(|(name, _)| rank(name));
    entries
}

fn section<'v>(
    text: &mut String,
    head: &str,
    entries: impl Iterator<Item = (&'v String, &'v Value)>,
) {
    if !text.is_empty() {
        text.push('\n');
    }
    // Writing into a text cannot fail.
    let _infallible = writeln!(text, "[{head}]");
    for (name, value) in entries {
        let line = format!("{} = {}", key(name), inline(value));
        let is_long = line.chars().count() > LINE_CHARS_MAX;
        let _infallible = match value.as_array().filter(|_| is_long) {
            Some(items) => writeln!(text, "{} = {}", key(name), lines(items)),
            None => writeln!(text, "{line}"),
        };
    }
}

fn lines(items: &[Value]) -> String {
    let items: Vec<String> = items.iter().map(inline).collect();
    format!("[\n    {},\n]", items.join(",\n    "))
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", "))
        }
        Value::Object(table) if table.is_empty() => "{}".to_owned(),
        Value::Object(table) => {
            let mut entries: Vec<_> = table.iter().collect();
            entries.sort_by_key(|(name, _)| *name != "name");
            let entries: Vec<String> = entries
                .into_iter()
                .map(|(name, value)| format!("{} = {}", key(name), inline(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        // TOML has no nothing; nobody writes one.
        Value::Null => quoted(""),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn key(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_bare = !name.is_empty() && name.bytes().all(is_plain);
    if is_bare { name.to_owned() } else { quoted(name) }
}

/// Quotes as JSON does, which TOML reads the same way; it wants one character more escaped.
fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

#[cfg(test)]
mod tests {
    use mainstay_api::config::{SourceText, parse};
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_reads_as_what_was_meant() {
        let config = json!({
            "every": "5m", "allow": ["private"],
            "sources": { "ipv4": [{ "web": ["https://a/?x=\"1\""], "agree": 1 }], "ipv6": [] },
            "accounts": { "free": {
                "names": ["a.b", { "families": ["ipv6"], "name": "c.d", "verify": false }],
                "provider": "freemyip", "token": { "secret": "x" }, "odd key": "tab\t \u{7f} 中",
            } },
        });
        let text = to_toml("home", &config);
        let first = "[services.home.ddns]\nallow = [\"private\"]\nevery = \"5m\"\n\n";
        assert!(text.starts_with(first), "{text}");
        assert!(
            text.contains("{ name = \"c.d\", families = [\"ipv6\"], verify = false }"),
            "{text}"
        );
        let source = SourceText { file: "mainstay.toml", bytes: text.as_bytes() };
        let read = parse(&[source]).unwrap();
        let kind = read.services.into_values().next().unwrap().kind.unwrap();
        assert_eq!((kind.name.as_str(), kind.config), ("ddns", config));
    }
}
