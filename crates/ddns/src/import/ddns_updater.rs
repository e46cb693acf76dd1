//! qdm12's ddns-updater: `config.json`; one setting a name and provider.

use serde_json::{Map, Value};

use crate::address::Family;

use super::{
    Fate, ImportError,
    callback::Callback,
    draft::{AccountDraft, Draft, NameDraft},
    providers::Credentials,
};

/// What a setting has beside its credentials.
const KNOWN: &[&str] = &[
    "provider",
    "domain",
    "host",
    "owner",
    "ip_version",
    "ipv6_suffix",
    "ttl",
    "proxied",
    "provider_ip",
];
/// What is found out by ourselves.
const FOUND: &[&str] = &["zone_identifier", "zone_id", "identifier"];

pub(super) fn read(text: &str, draft: &mut Draft) -> Result<(), ImportError> {
    let unreadable = |why: String| ImportError::Unreadable { what: "JSON", why };
    let value: Value = serde_json::from_str(text).map_err(|error| unreadable(error.to_string()))?;
    let Some(settings) = value.get("settings").and_then(Value::as_array) else {
        return Err(unreadable("it has no list `settings`".to_owned()));
    };
    for (at, setting) in settings.iter().enumerate() {
        match setting.as_object() {
            Some(setting) => account(setting, &format!("settings[{at}]"), draft),
            None => draft.note(&format!("settings[{at}]"), Fate::Left, "it is no object"),
        }
    }
    let words = "how addresses are found and how often stands in variables there \
                 (`PUBLICIP_FETCHERS`, `PERIOD`): the usual sources are taken";
    draft.note("environment", Fate::Changed, words);
    Ok(())
}

fn account(setting: &Map<String, Value>, place: &str, draft: &mut Draft) {
    let text = |key: &str| setting.get(key).and_then(Value::as_str).unwrap_or_default().trim();
    let fields = setting
        .iter()
        .filter(|(key, _)| !KNOWN.contains(&key.as_str()) && !FOUND.contains(&key.as_str()));
    let mut credentials = Vec::new();
    for (key, value) in fields {
        match value.as_str() {
            Some("") => {}
            Some(text) => credentials.push((key.clone(), text.to_owned())),
            None => draft.note(&format!("{place}.{key}"), Fate::Left, "it is no text"),
        }
    }
    if setting.get("provider_ip") == Some(&Value::Bool(true)) {
        let words = "the address is always told to the provider, never guessed by it";
        draft.note(&format!("{place}.provider_ip"), Fate::Changed, words);
    }
    let families = match text("ip_version") {
        "ipv4" => vec![Family::V4],
        "ipv6" => vec![Family::V6],
        _ => Family::ALL.to_vec(),
    };
    let mut more = Map::new();
    if let Some(proxied) = setting.get("proxied").filter(|value| value.is_boolean()) {
        more.insert("proxied".to_owned(), proxied.clone());
    }
    let suffix = text("ipv6_suffix");
    if !suffix.is_empty() && suffix != "0:0:0:0:0:0:0:0/0" {
        take_suffix(suffix, place, &mut more, draft);
    }
    for key in FOUND.iter().filter(|key| !text(key).is_empty()) {
        draft.note(&format!("{place}.{key}"), Fate::Taken, "it is looked up by the name");
    }
    let names = names(
        text("domain"),
        if setting.contains_key("host") { text("host") } else { text("owner") },
    );
    let ttl = setting.get("ttl").and_then(Value::as_u64).filter(|ttl| *ttl > 0);
    let names = names.into_iter().map(|name| NameDraft {
        name,
        families: families.clone(),
        ttl,
        more: more.clone(),
    });
    let account = AccountDraft {
        place: place.to_owned(),
        provider: text("provider").to_owned(),
        credentials: Credentials::Named(credentials),
        domain: Some(text("domain").to_owned()).filter(|domain| !domain.contains(',')),
        names: names.collect(),
        sources: Map::new(),
        more: Map::new(),
    };
    match text("provider") {
        "custom" => custom(setting, &account, draft),
        _ => draft.account(account),
    }
}

/// Takes a request of one's own: the address goes into a parameter that each family has of its own.
fn custom(setting: &Map<String, Value>, account: &AccountDraft, draft: &mut Draft) {
    let text = |key: &str| setting.get(key).and_then(Value::as_str).unwrap_or_default();
    for family in Family::ALL {
        let key = text(if family == Family::V4 { "ipv4key" } else { "ipv6key" });
        let of_family = |name: &NameDraft| NameDraft { families: vec![family], ..name.clone() };
        let is_wished = |name: &&NameDraft| name.families.contains(&family);
        let names: Vec<NameDraft> = account.names.iter().filter(is_wished).map(of_family).collect();
        if key.is_empty() || names.is_empty() {
            continue;
        }
        let separator = if text("url").contains('?') { '&' } else { '?' };
        let url = format!("{}{separator}{key}={{{{ip}}}}", text("url"));
        let callback = Callback { url: &url, body: None, places: &[] };
        let mut more = callback.parameters(&account.place, draft);
        if !text("success_regex").is_empty() {
            more.insert("ok".to_owned(), Value::from(text("success_regex")));
        }
        let credentials = Credentials::Named(Vec::new());
        draft.account(AccountDraft { credentials, names, more, ..account.clone() });
    }
}

/// Joins the owners, which have commas between them, to their domain; so do domains.
fn names(domains: &str, owners: &str) -> Vec<String> {
    let domains = domains.split(',').map(str::trim).filter(|domain| !domain.is_empty());
    let join = |domain: &str| -> Vec<String> {
        let owners = owners.split(',').map(str::trim);
        owners
            .map(|owner| match owner {
                "" | "@" => domain.to_owned(),
                owner => format!("{owner}.{domain}"),
            })
            .collect()
    };
    domains.flat_map(join).collect()
}

/// `0:0:0:0:72ad:8fbb:a54e:bedd/64`: the end of an address, and how long the prefix before it is.
fn take_suffix(suffix: &str, place: &str, more: &mut Map<String, Value>, draft: &mut Draft) {
    let (host, length) = suffix.split_once('/').unwrap_or((suffix, "64"));
    more.insert("suffix".to_owned(), Value::from(host));
    match length.parse::<u8>() {
        Ok(64) | Err(_) => {}
        Ok(length) => {
            more.insert("prefix-length".to_owned(), Value::from(length));
        }
    }
    draft.note(&format!("{place}.ipv6_suffix"), Fate::Taken, "the end of the address, as `suffix`");
}
