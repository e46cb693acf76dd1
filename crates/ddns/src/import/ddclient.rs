//! ddclient: `ddclient.conf`; lines of `key=value`, with names behind those that are meant for them.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::{Map, Value, json};

use crate::address::Family;

use super::{
    Fate,
    draft::{AccountDraft, Draft, NameDraft},
    names,
    providers::{self, Credentials},
    sources,
};

/// What has no counterpart, because Mainstay does it or nobody needs it.
const ELSEWHERE: &[&str] = &[
    "syslog",
    "mail",
    "mail-failure",
    "mail-from",
    "pid",
    "cache",
    "ssl",
    "quiet",
    "verbose",
    "debug",
    "exec",
    "foreground",
    "facility",
    "priority",
    "min-interval",
    "max-interval",
    "min-error-interval",
    "retry",
    "force",
    "postscript",
    "use-personal-access-token",
    "query",
    "timeout",
    "web-skip",
    "if-skip",
    "cmd-skip",
    "webv4-skip",
    "webv6-skip",
    "static",
    "custom",
    "wildcard",
    "mx",
    "backupmx",
];
/// Keys of the credentials, besides `login` and `password`.
const NAMED: &[&str] = &["apikey", "secretapikey"];
/// Keys that are read by name.
const READ: &[&str] = &[
    "protocol",
    "login",
    "password",
    "server",
    "script",
    "zone",
    "root-domain",
    "ttl",
    "proxy",
    "daemon",
    "use",
    "usev4",
    "usev6",
    "web",
    "webv4",
    "webv6",
    "if",
    "ifv4",
    "ifv6",
    "cmd",
    "cmdv4",
    "cmdv6",
    "ip",
    "ipv4",
    "ipv6",
    "fw",
];
/// Its own words for echo services.
const WEB: &[(&str, &str)] = &[
    ("ipify-ipv4", "https://api.ipify.org"),
    ("ipify-ipv6", "https://api6.ipify.org"),
    ("icanhazip", "https://ipv4.icanhazip.com"),
    ("he", "https://checkip.dns.he.net"),
    ("freedns", "https://freedns.afraid.org/dynamic/check.php"),
];

type Settings = BTreeMap<String, String>;

pub(super) fn read(text: &str, draft: &mut Draft) {
    let mut usual = Settings::new();
    let mut needless = BTreeSet::new();
    for (number, line) in lines(text) {
        let (settings, names) = parts(&line);
        needless.extend(settings.keys().filter(|key| ELSEWHERE.contains(&key.as_str())).cloned());
        if names.is_empty() {
            usual.extend(settings);
            continue;
        }
        let mut all = usual.clone();
        all.extend(settings);
        account(&all, &names, &format!("line {number}"), draft);
    }
    if let Some(seconds) = usual.get("daemon") {
        draft.every("daemon", time(seconds).unwrap_or_default());
    }
    for key in needless {
        draft.note(&key, Fate::Left, "nothing here is meant by it, or Mainstay does it by itself");
    }
}

/// Reads `300`, `5m` and the like.
fn time(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|one: char| one.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..)?.chars().next() {
        None | Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3600,
        Some('d') => 86_400,
        Some(_) => return None,
    };
    digits.parse().ok().map(|count: u32| Duration::from_secs(u64::from(count) * unit))
}

/// Joins lines that end with a backslash, and drops comments; each has the number of its first.
fn lines(text: &str) -> Vec<(usize, String)> {
    let mut joined: Vec<(usize, String)> = Vec::new();
    let mut goes_on = false;
    for (at, line) in text.lines().enumerate() {
        let bare = without_comment(line);
        let (bare, continues) = match bare.trim_end().strip_suffix('\\') {
            Some(bare) => (bare.to_owned(), true),
            None => (bare, false),
        };
        match joined.last_mut().filter(|_| goes_on) {
            Some((_, before)) => {
                before.push(' ');
                before.push_str(&bare);
            }
            None => joined.push((at + 1, bare)),
        }
        goes_on = continues;
    }
    joined.retain(|(_, line)| !line.trim().is_empty());
    joined
}

/// A `#` begins a comment, unless it is in quotes or right behind something else.
fn without_comment(line: &str) -> String {
    let (mut quote, mut before) = (None, ' ');
    for (at, one) in line.char_indices() {
        match (quote, one) {
            (Some(open), one) if open == one => quote = None,
            (None, '"' | '\'') => quote = Some(one),
            (None, '#') if before.is_whitespace() => {
                return line.get(..at).unwrap_or_default().to_owned();
            }
            _ => {}
        }
        before = one;
    }
    line.to_owned()
}

/// Takes a line apart: settings, and the names behind them.
fn parts(line: &str) -> (Settings, Vec<String>) {
    let (mut settings, mut names) = (Settings::new(), Vec::new());
    let mut rest = line.trim_matches([' ', '\t', ',']);
    while !rest.is_empty() {
        let end = rest.find(['=', ',', ' ', '\t']).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        rest = if let Some(value) = behind.trim_start().strip_prefix('=') {
            let (value, behind) = value_of(value.trim_start());
            settings.insert(word.trim().to_ascii_lowercase(), value);
            behind
        } else {
            names.push(word.to_owned());
            behind
        };
        rest = rest.trim_start_matches([' ', '\t', ',']);
    }
    (settings, names)
}

fn value_of(text: &str) -> (String, &str) {
    for quote in ['\'', '"'] {
        if let Some((value, behind)) =
            text.strip_prefix(quote).and_then(|text| text.split_once(quote))
        {
            return (value.to_owned(), behind);
        }
    }
    let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
    let (value, behind) = text.split_at(end);
    (value.to_owned(), behind)
}

fn account(all: &Settings, names: &[String], place: &str, draft: &mut Draft) {
    let text = |key: &str| all.get(key).map(String::as_str).filter(|text| !text.is_empty());
    let (provider, mut more) = provider(all, place, draft);
    let credentials = credentials(all, &provider);
    for key in all.keys() {
        let is_known = [READ, ELSEWHERE, NAMED].iter().any(|keys| keys.contains(&key.as_str()));
        if !is_known {
            draft.note(&format!("{place}, {key}"), Fate::Left, "nothing here is meant by it");
        }
    }
    let domain = text("zone").or_else(|| text("root-domain")).map(str::to_owned);
    if provider == "nsupdate" {
        rfc2136(all, place, &mut more, draft);
    }
    let families = families(all);
    let ttl = text("ttl").and_then(|ttl| ttl.parse().ok()).filter(|ttl| *ttl > 1);
    let names = names.iter().map(|name| NameDraft {
        name: whole(name, &provider, domain.as_deref()),
        families: families.clone(),
        ttl,
        more: Map::new(),
    });
    let names = names.collect();
    let mut sources = Map::new();
    for family in &families {
        if let Some(source) = source(all, *family, place, draft) {
            sources.insert(family.word().to_owned(), Value::Array(vec![source]));
        }
    }
    let place = place.to_owned();
    draft.account(AccountDraft { place, provider, credentials, domain, names, sources, more });
}

/// Returns who we are there. What was said for an earlier provider stands for all that follow.
fn credentials(all: &Settings, provider: &str) -> Credentials {
    let text = |key: &str| all.get(key).filter(|text| !text.is_empty()).cloned();
    match provider {
        "porkbun" => {
            let named = NAMED.iter().filter_map(|key| Some(((*key).to_owned(), text(key)?)));
            Credentials::Named(named.collect())
        }
        // The login is the program that is run, and the password its file with the key.
        "nsupdate" => Credentials::Named(Vec::new()),
        // They take no login: one that is there is another provider's.
        "duckdns" | "freemyip" | "digitalocean" | "hetzner" | "gandi" | "he.net" => {
            Credentials::Pair { id: None, secret: text("password") }
        }
        _ => {
            let login = text("login").filter(|login| login != "token");
            Credentials::Pair { id: login, secret: text("password") }
        }
    }
}

/// Duck DNS and others are told the first label alone there.
fn whole(name: &str, provider: &str, domain: Option<&str>) -> String {
    let domain = match provider {
        "duckdns" => Some("duckdns.org"),
        "freemyip" => Some("freemyip.com"),
        _ => domain,
    };
    names::whole(name, domain)
}

/// Returns the provider of a protocol; of dyndns2, that of the server, or any server.
fn provider(all: &Settings, place: &str, draft: &mut Draft) -> (String, Map<String, Value>) {
    let protocol = all.get("protocol").map_or("dyndns2", String::as_str);
    let mut more = Map::new();
    if let Some(proxy) = all.get("proxy") {
        let proxy = if proxy.contains("://") { proxy.clone() } else { format!("http://{proxy}") };
        more.insert("proxy".to_owned(), Value::from(proxy));
    }
    let server = all.get("server").map(|server| server.trim_end_matches('/'));
    if protocol != "dyndns2" {
        return (protocol.to_owned(), more);
    }
    let server = server.unwrap_or("members.dyndns.org");
    let host = server.split("://").last().unwrap_or(server);
    let host = host.split([':', '/']).next().unwrap_or(host);
    let script = all.get("script").map_or("/nic/update", String::as_str);
    if script == "/nic/update" && providers::ours(host).is_some() {
        return (host.to_owned(), more);
    }
    let is_plain = all.get("ssl").is_some_and(|ssl| ssl == "no");
    let scheme = if is_plain { "http" } else { "https" };
    let server =
        if server.contains("://") { server.to_owned() } else { format!("{scheme}://{server}") };
    more.insert("url".to_owned(), Value::from(format!("{server}{script}")));
    if is_plain {
        draft.note(place, Fate::Taken, "it goes unencrypted there as well (`ssl=no`)");
    }
    ("dyndns2".to_owned(), more)
}

/// Takes where updates go; the key lies in a file of its own there.
fn rfc2136(all: &Settings, place: &str, more: &mut Map<String, Value>, draft: &mut Draft) {
    for key in ["server", "zone"] {
        if let Some(text) = all.get(key).filter(|text| !text.is_empty()) {
            more.insert(key.to_owned(), Value::from(text.as_str()));
        }
    }
    if let Some(file) = all.get("password") {
        let words = format!(
            "the key is in the file `{file}`: write its name as `key-name`, its secret as `key`, \
             and its `algorithm`"
        );
        draft.note(&format!("{place}, password"), Fate::Left, words);
    }
}

fn families(all: &Settings) -> Vec<Family> {
    let is_on = |key: &str| all.get(key).is_some_and(|how| how != "no" && how != "disabled");
    let four = if all.contains_key("usev4") {
        is_on("usev4")
    } else {
        is_on("use") || !all.contains_key("usev6")
    };
    let six = is_on("usev6");
    let wished = [(four, Family::V4), (six, Family::V6)];
    wished.into_iter().filter_map(|(is_on, family)| is_on.then_some(family)).collect()
}

fn source(all: &Settings, family: Family, place: &str, draft: &mut Draft) -> Option<Value> {
    let version = if family == Family::V4 { "v4" } else { "v6" };
    let own = all.get(&format!("use{version}"));
    let how = own.or_else(|| all.get("use").filter(|_| family == Family::V4))?.as_str();
    let kind = how.trim_end_matches(version);
    let at = |key: &str| all.get(&format!("{key}{version}")).or_else(|| all.get(key));
    match kind {
        "web" => {
            let Some(url) = at("web") else { return Some(json!({ "web": true })) };
            let known = WEB.iter().find(|(name, _)| name == url).map(|(_, url)| *url);
            if known.is_none() && !url.contains('.') {
                let words = format!("the built-in services take the place of `{url}`");
                draft.note(place, Fate::Changed, words);
                return Some(json!({ "web": true }));
            }
            Some(draft.web(place, &[known.unwrap_or(url)]))
        }
        "if" | "iface" => at("if").map(|name| sources::interface(name)),
        "cmd" => at("cmd").map(|line| sources::command(line, draft.shell)),
        "ip" => at("ip").map(|address| json!({ "static": address })),
        _ => {
            let words = format!(
                "`{how}` asks a router's own page: its outer address is asked by UPnP, NAT-PMP or PCP here"
            );
            draft.note(place, Fate::Changed, words);
            Some(json!({ "upnp": true }))
        }
    }
}
