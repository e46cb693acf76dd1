//! ddns-go: `.ddns_go_config.yaml`, of its present form (`dnsconf`) and its first one.

use serde_json::{Map, Value};

use crate::address::Family;

use super::{
    Fate, ImportError,
    callback::{Callback, Places},
    draft::{AccountDraft, Draft, NameDraft},
    providers::Credentials,
    sources, yaml,
};

/// What has no counterpart, and what there is for it.
const ELSEWHERE: &[(&str, &str)] = &[
    ("user", "there is no web page that needs a password"),
    ("notallowwanaccess", "there is no web page that could be reached"),
    ("webhook", "an event is told for every change and failure; see `[[rules]]` and hooks"),
];

/// Places of a callback.
const PLACES: Places = &[
    ("#{ip}", "{{ip}}"),
    ("#{domain}", "{{fqdn}}"),
    ("#{recordType}", "{{type}}"),
    ("#{ttl}", "{{ttl}}"),
    ("#{timestamp}", "{{timestamp}}"),
];

pub(super) fn read(text: &str, draft: &mut Draft) -> Result<(), ImportError> {
    let value = yaml::read(text)?;
    let Some(whole) = value.as_object() else {
        let why = "it is no mapping".to_owned();
        return Err(ImportError::Unreadable { what: "a configuration of ddns-go", why });
    };
    match whole.get("dnsconf").and_then(Value::as_array) {
        Some(list) => {
            for (at, one) in list.iter().enumerate() {
                account(one, &format!("dnsconf[{at}]"), draft);
            }
        }
        None => account(&value, "the file", draft),
    }
    for (key, words) in ELSEWHERE {
        if whole.get(*key).is_some_and(is_meant) {
            draft.note(key, Fate::Left, *words);
        }
    }
    let words = "it is an argument of ddns-go (`-f`); sources are asked every five minutes here, \
                 and at once when the network changes";
    draft.note("interval", Fate::Changed, words);
    Ok(())
}

/// Returns whether anything is set at all.
fn is_meant(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(table) => table.values().any(is_meant),
        Value::Array(items) => items.iter().any(is_meant),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    let text = value.pointer(pointer)?.as_str()?.trim();
    (!text.is_empty()).then_some(text)
}

/// Numbers stand there as texts or as numbers.
fn scalar(value: &Value, pointer: &str) -> Option<String> {
    match value.pointer(pointer)? {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn account(one: &Value, place: &str, draft: &mut Draft) {
    let Some(provider) = text(one, "/dns/name") else {
        draft.note(place, Fate::Left, "it names no provider");
        return;
    };
    let (id, secret) = (scalar(one, "/dns/id"), scalar(one, "/dns/secret"));
    let callback = id.as_deref().filter(|_| provider == "callback");
    let callback = callback.map(|url| Callback { url, body: secret.as_deref(), places: PLACES });
    let more = callback.map(|callback| callback.parameters(place, draft));
    let credentials = match more {
        Some(_) => Credentials::Named(Vec::new()),
        None => Credentials::Pair { id, secret },
    };
    if let Some(more) = text(one, "/dns/extparam") {
        let words = format!("nothing here is meant by `extparam: {more}`");
        draft.note(&format!("{place}.dns.extparam"), Fate::Left, words);
    }
    let mut account = AccountDraft {
        place: place.to_owned(),
        provider: provider.to_owned(),
        credentials,
        domain: None,
        names: Vec::new(),
        sources: Map::new(),
        more: more.unwrap_or_default(),
    };
    if let Some(interface) = text(one, "/httpinterface") {
        account.more.insert("bind".to_owned(), Value::from(interface));
    }
    let ttl = scalar(one, "/ttl").and_then(|ttl| ttl.parse().ok()).filter(|ttl| *ttl > 0);
    for family in Family::ALL {
        take(one, family, ttl, &mut account, draft);
    }
    if account.names.is_empty() {
        draft.note(place, Fate::Left, "no name of it is switched on");
        return;
    }
    draft.account(account);
}

fn take(
    one: &Value,
    family: Family,
    ttl: Option<u64>,
    account: &mut AccountDraft,
    draft: &mut Draft,
) {
    let word = family.word();
    let place = format!("{}.{word}", account.place);
    let domains = one.pointer(&format!("/{word}/domains")).and_then(Value::as_array);
    let domains: Vec<&str> =
        domains.into_iter().flatten().filter_map(Value::as_str).map(str::trim).collect();
    if one.pointer(&format!("/{word}/enable")) != Some(&Value::Bool(true)) {
        if !domains.is_empty() {
            draft.note(&place, Fate::Left, "it is switched off there");
        }
        return;
    }
    for domain in domains.into_iter().filter(|domain| !domain.is_empty()) {
        let (name, root) = name(domain, family, ttl);
        if let Some(root) = root {
            account.domain.get_or_insert(root);
        }
        account.names.push(name);
    }
    if let Some(source) = source(one, word, &place, draft) {
        account.sources.insert(word.to_owned(), Value::Array(vec![source]));
    }
}

/// Reads `sub.example.org`, `sub:example.org.cn` and what follows a `?`.
fn name(domain: &str, family: Family, ttl: Option<u64>) -> (NameDraft, Option<String>) {
    let (domain, query) = domain.split_once('?').unwrap_or((domain, ""));
    let (name, root) = match domain.split_once(':') {
        Some(("" | "@", root)) => (root.to_owned(), Some(root.to_owned())),
        Some((sub, root)) => (format!("{sub}.{root}"), Some(root.to_owned())),
        None => (domain.strip_prefix("@.").unwrap_or(domain).to_owned(), None),
    };
    let mut more = Map::new();
    for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        let lower = key.to_ascii_lowercase();
        let value = match value {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            text => Value::from(text),
        };
        let key = if lower.ends_with("line") { "line".to_owned() } else { lower };
        more.insert(key, value);
    }
    (NameDraft { name, families: vec![family], ttl, more }, root)
}

fn source(one: &Value, word: &str, place: &str, draft: &mut Draft) -> Option<Value> {
    let at = |key: &str| text(one, &format!("/{word}/{key}"));
    match at("gettype").unwrap_or("url") {
        "netInterface" => {
            let name = at("netinterface")?;
            let expression = at("ipv6reg").filter(|_| word == "ipv6");
            if let Some(expression) = expression {
                let words = format!(
                    "no expression chooses the address (`{expression}`): temporary and expiring \
                     ones are left out, and `within = \"PREFIX\"` chooses a prefix"
                );
                draft.note(&format!("{place}.ipv6reg"), Fate::Changed, words);
            }
            Some(sources::interface(name))
        }
        "cmd" => at("cmd").map(|line| sources::command(line, draft.shell)),
        "url" => {
            let urls: Vec<&str> = at("url").unwrap_or_default().split(',').collect();
            let place = format!("{place}.url");
            let source = draft.web(&place, &urls);
            if source["web"].as_array().is_none_or(|urls| urls.len() > 1) {
                let words = "two services must tell the same address before it is believed";
                draft.note(&place, Fate::Changed, words);
            }
            Some(source)
        }
        other => {
            let words = format!("there is no source like `{other}` here: the usual ones are taken");
            draft.note(&format!("{place}.gettype"), Fate::Left, words);
            None
        }
    }
}
