//! The DDNS of `NewFuture`: `config.json` of its versions 2 to 4.1.

use serde_json::{Map, Value, json};

use crate::address::Family;

use super::{
    Fate, ImportError,
    callback::{Callback, Places},
    draft::{AccountDraft, Draft, NameDraft},
    providers::Credentials,
    sources,
};

/// Keys that are read here or say nothing.
const KNOWN: &[&str] = &[
    "$schema",
    "providers",
    "dns",
    "name",
    "provider",
    "extra",
    "id",
    "token",
    "endpoint",
    "ipv4",
    "ipv6",
    "index4",
    "index6",
    "ttl",
    "line",
    "proxy",
    "ssl",
    "cache",
    "cache_max_age",
    "log",
    "debug",
];
/// What is none of our business.
const ELSEWHERE: &[&str] = &["cache", "cache_max_age", "log", "debug"];
/// What it takes where no provider is named.
const USUAL: &str = "dnspod";
/// Places of a callback.
const PLACES: Places = &[
    ("__IP__", "{{ip}}"),
    ("__DOMAIN__", "{{fqdn}}"),
    ("__RECORDTYPE__", "{{type}}"),
    ("__TTL__", "{{ttl}}"),
    ("__TIMESTAMP__", "{{timestamp}}"),
];

pub(super) fn read(text: &str, draft: &mut Draft) -> Result<(), ImportError> {
    let value: Value = serde_json::from_str(&without_comments(text))
        .map_err(|error| ImportError::Unreadable { what: "JSON", why: error.to_string() })?;
    let Some(whole) = value.as_object() else {
        return Err(ImportError::Unreadable { what: "JSON", why: "it is no object".to_owned() });
    };
    match whole.get("providers").and_then(Value::as_array) {
        Some(providers) => {
            for (at, one) in providers.iter().enumerate() {
                let mut table = whole.clone();
                table.extend(one.as_object().cloned().unwrap_or_default());
                account(&table, &format!("providers[{at}]"), draft);
            }
        }
        None => account(whole, "the file", draft),
    }
    for key in ELSEWHERE.iter().filter(|key| whole.contains_key(**key)) {
        draft.note(key, Fate::Left, "what is kept and what is logged is Mainstay's own business");
    }
    Ok(())
}

/// Takes `//` comments away, which its versions from 4.1 on know; not those within texts.
fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let (mut quoted, mut escaped, mut comment) = (false, false, false);
    let mut before = None;
    for one in text.chars() {
        if comment {
            comment = one != '\n';
        } else if !quoted && one == '/' && before == Some('/') {
            kept.pop();
            comment = true;
        }
        if !comment {
            kept.push(one);
        }
        if !comment && one == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && one == '\\' && !escaped;
        before = if comment { None } else { Some(one) };
    }
    kept
}

fn account(table: &Map<String, Value>, place: &str, draft: &mut Draft) {
    let text = |key: &str| table.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let named = text("provider").or_else(|| text("name")).or_else(|| text("dns"));
    let provider = named.unwrap_or(USUAL);
    if named.is_none() {
        draft.note(place, Fate::Taken, format!("it names no provider: `{USUAL}`, as there"));
    }
    let callback = text("id").filter(|_| provider == "callback");
    let callback = callback.map(|url| Callback { url, body: text("token"), places: PLACES });
    let more = callback.map(|callback| callback.parameters(place, draft));
    let credentials = match more {
        Some(_) => Credentials::Named(Vec::new()),
        None => Credentials::Pair { id: scalar(table, "id"), secret: scalar(table, "token") },
    };
    let mut account = AccountDraft {
        place: place.to_owned(),
        provider: provider.to_owned(),
        credentials,
        domain: None,
        names: Vec::new(),
        sources: Map::new(),
        more: more.unwrap_or_default(),
    };
    if let Some(endpoint) = text("endpoint") {
        account.more.insert("endpoint".to_owned(), Value::from(endpoint));
    }
    network(table, &mut account, draft);
    for (family, index) in [(Family::V4, "index4"), (Family::V6, "index6")] {
        names(table, family, &mut account);
        let place = format!("{place}.{index}");
        if let Some(list) = table.get(index).and_then(|value| source_list(value, &place, draft)) {
            account.sources.insert(family.word().to_owned(), Value::Array(list));
        } else if table.get(index) == Some(&Value::Bool(false)) {
            account.names.iter_mut().for_each(|name| name.families.retain(|one| *one != family));
        }
    }
    account.names.retain(|name| !name.families.is_empty());
    if account.names.is_empty() {
        draft.note(place, Fate::Left, "it has no names");
        return;
    }
    draft.account(account);
}

/// Numbers stand there as texts or as numbers.
fn scalar(table: &Map<String, Value>, key: &str) -> Option<String> {
    match table.get(key)? {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn names(table: &Map<String, Value>, family: Family, account: &mut AccountDraft) {
    let ttl = table.get("ttl").and_then(Value::as_u64);
    // What a provider knows besides stands in `extra`, or beside everything else.
    let extra = table.get("extra").and_then(Value::as_object).into_iter().flatten();
    let beside = table.iter().filter(|(key, _)| !KNOWN.contains(&key.as_str()));
    let mut more: Map<String, Value> =
        extra.chain(beside).map(|(key, value)| (key.clone(), value.clone())).collect();
    if let Some(Value::String(line)) = table.get("line").filter(|line| *line != "") {
        more.insert("line".to_owned(), Value::from(line.as_str()));
    }
    let value = table.get(family.word());
    let list = match value {
        Some(Value::String(text)) => text.split(',').map(str::to_owned).collect(),
        Some(Value::Array(list)) => {
            list.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
        }
        _ => Vec::new(),
    };
    let names = list.iter().map(|name| name.trim()).filter(|name| !name.is_empty());
    account.names.extend(names.map(|name| NameDraft {
        name: name.to_owned(),
        families: vec![family],
        ttl,
        more: more.clone(),
    }));
}

fn network(table: &Map<String, Value>, account: &mut AccountDraft, draft: &mut Draft) {
    let place = account.place.clone();
    let proxies: Vec<&str> = match table.get("proxy") {
        Some(Value::String(one)) => one.split(';').collect(),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if let Some(first) = proxies.first().map(|first| first.trim()).filter(|one| !one.is_empty()) {
        let value = match first.to_ascii_uppercase().as_str() {
            "DIRECT" | "NONE" => json!("direct"),
            "SYSTEM" | "DEFAULT" => json!("environment"),
            _ if first.contains("://") => Value::from(first),
            _ => Value::from(format!("http://{first}")),
        };
        account.more.insert("proxy".to_owned(), value);
    }
    if proxies.len() > 1 {
        let words = "there is one way to a provider: the first is taken";
        draft.note(&format!("{place}.proxy"), Fate::Changed, words);
    }
    let place = format!("{place}.ssl");
    match table.get("ssl") {
        Some(Value::String(path)) if path != "auto" => {
            account.more.insert("ca-file".to_owned(), Value::from(path.as_str()));
        }
        Some(Value::Bool(false) | Value::String(_)) => {
            draft.note(&place, Fate::Changed, "certificates are always checked");
        }
        _ => {}
    }
}

/// Reads one or several ways to an address; nothing when the usual ones shall do.
fn source_list(value: &Value, place: &str, draft: &mut Draft) -> Option<Vec<Value>> {
    let items = match value {
        Value::Array(items) => items.clone(),
        Value::Null | Value::Bool(_) => return None,
        // A command line may have commas of its own.
        Value::String(text) if !text.starts_with("cmd:") && !text.starts_with("shell:") => {
            text.split([',', ';']).map(|one| Value::from(one.trim())).collect()
        }
        one @ (Value::Number(_) | Value::String(_) | Value::Object(_)) => vec![one.clone()],
    };
    let list: Vec<Value> = items.iter().filter_map(|item| source(item, place, draft)).collect();
    if list.is_empty() {
        draft.note(place, Fate::Changed, "the usual sources are taken");
    }
    (!list.is_empty()).then_some(list)
}

fn source(item: &Value, place: &str, draft: &mut Draft) -> Option<Value> {
    let Some(text) = item.as_str() else {
        draft.note(
            place,
            Fate::Left,
            format!("an interface has a name here, not a number ({item})"),
        );
        return None;
    };
    match text.split_once(':') {
        Some(("url", url)) => Some(draft.web(place, &[url])),
        Some(("cmd" | "shell", line)) => Some(sources::command(line, draft.shell)),
        Some(("interface" | "if", name)) => Some(sources::interface(name)),
        Some(("regex", expression)) => {
            let words = format!("no expression chooses an address (`{expression}`); see `within`");
            draft.note(place, Fate::Left, words);
            None
        }
        _ if text == "public" => Some(json!({ "web": true })),
        _ if text == "default" => Some(json!({ "interface": true })),
        _ => {
            draft.note(place, Fate::Left, format!("nothing here is meant by `{text}`"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_go_and_texts_stay() {
        let check = |text: &str, expected: &str| assert_eq!(without_comments(text), expected);
        check("{ // one\n\"a\": 1 }", "{ \n\"a\": 1 }");
        check("{\"a\": \"http://x//y\"} // end", "{\"a\": \"http://x//y\"} ");
        check("\"\\\"//\" // x", "\"\\\"//\" ");
    }
}
