//! A configuration as it may be shown: what may be secret is hidden.

use serde_json::{Map, Value};

use crate::{
    provider::{Entry, Nature},
    providers,
};

use super::accounts::MIN_INTERVAL;

/// What stands for a secret.
const HIDDEN: &str = "[hidden]";
/// Keys of an account, besides the provider's own, that hold nothing secret.
const PLAIN: &[&str] =
    &["provider", "names", "sources", MIN_INTERVAL, "proxy", "proxy-user", "bind", "ca-file"];

/// Returns the same configuration without its secrets; it need not be right.
///
/// What nobody knows may be a secret with a slip in its name, and is hidden as well. A reference
/// such as `{ secret = "cf-token" }` says where the secret is, not what it is, and is shown.
pub fn redacted(config: &Value) -> Value {
    let mut shown = config.clone();
    if let Some(accounts) = shown.get_mut("accounts").and_then(Value::as_object_mut) {
        for account in accounts.values_mut() {
            match account.as_object_mut() {
                Some(account) => hide(account),
                None => *account = Value::from(HIDDEN),
            }
        }
    }
    strip_queries(&mut shown);
    shown
}

fn hide(account: &mut Map<String, Value>) {
    let entry = account.get("provider").and_then(Value::as_str).and_then(providers::find);
    for (key, value) in account.iter_mut() {
        if !may_be_shown(key, entry) {
            hide_value(value);
        }
    }
}

/// Hides a value, or each of a table of secrets.
fn hide_value(value: &mut Value) {
    if is_reference(value) {
        return;
    }
    match value.as_object_mut() {
        Some(table) => table.values_mut().for_each(hide_value),
        None => *value = Value::from(HIDDEN),
    }
}

fn may_be_shown(key: &str, entry: Option<&Entry>) -> bool {
    let is_plain = |entry: &Entry| {
        entry.parameters.iter().any(|one| one.key == key && one.nature == Nature::Plain)
    };
    PLAIN.contains(&key) || entry.is_some_and(is_plain)
}

fn is_reference(value: &Value) -> bool {
    let object = value.as_object().filter(|object| object.len() == 1);
    object.and_then(|object| object.get("secret")).is_some_and(Value::is_string)
}

/// Tokens travel in the queries of some services, and in a URL before its host.
fn strip_queries(value: &mut Value) {
    match value {
        Value::Object(table) => table.values_mut().for_each(strip_queries),
        Value::Array(items) => items.iter_mut().for_each(strip_queries),
        Value::String(text) if text.contains("://") => *text = stripped(text),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn stripped(url: &str) -> String {
    let (path, query) = url.split_once('?').map_or((url, ""), |(path, _)| (path, "?[hidden]"));
    let Some((scheme, rest)) = path.split_once("://") else { return format!("{path}{query}") };
    let (host, rest) = rest
        .split_once('/')
        .map_or((rest, String::new()), |(host, rest)| (host, format!("/{rest}")));
    let host = host
        .rsplit_once('@')
        .map_or_else(|| host.to_owned(), |(_, host)| format!("{HIDDEN}@{host}"));
    format!("{scheme}://{host}{rest}{query}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_hidden_and_the_rest_is_shown() {
        let shown = redacted(&json!({
            "every": "5m",
            "sources": { "ipv4": [{ "web": "https://u:hunter2@a/ip?key=hunter2" }] },
            "accounts": {
                "free": { "provider": "freemyip", "token": "hunter2", "names": ["a.b"], "tokn": "hunter2" },
                "odd": { "provider": "nobody", "key": "hunter2", "token": { "secret": "free" } },
                "bad": "hunter2",
            },
        }));
        assert!(!shown.to_string().contains("hunter2"), "{shown}");
        assert_eq!(shown["sources"]["ipv4"][0]["web"], json!("https://[hidden]@a/ip?[hidden]"));
        assert_eq!(shown["accounts"]["free"]["names"], json!(["a.b"]));
        assert_eq!(shown["accounts"]["odd"]["token"], json!({ "secret": "free" }));
    }
}
