//! inadyn: `inadyn.conf` of its versions from 2.0 on, with a block for each provider.

use std::{net::IpAddr, time::Duration};

use serde_json::{Map, Value, json};

use crate::address::Family;

use super::{
    Fate, ImportError,
    draft::{AccountDraft, Draft, NameDraft},
    names,
    providers::Credentials,
    sources,
};

/// What has no counterpart, because Mainstay does it or nobody needs it.
const ELSEWHERE: &[&str] = &[
    "verify-address",
    "fake-address",
    "cache-dir",
    "logfile",
    "drop-privs",
    "syslog",
    "forced-update",
    "secure-ssl",
    "broken-rtc",
    "startup-delay",
    "user-agent",
    "exec",
    "exec-mode",
    "ssl",
    "checkip-ssl",
    "append-myip",
    "wildcard",
    "exec-nochange",
];
/// What a block says that is read here.
const READ: &[&str] = &[
    "username",
    "password",
    "hostname",
    "ttl",
    "proxied",
    "iface",
    "allow-ipv6",
    "period",
    "checkip-server",
    "checkip-path",
    "checkip-command",
    "ddns-server",
    "ddns-path",
    "ca-trust-file",
    "proxy",
];

/// Where the user is the zone.
const USER_IS_ZONE: &[&str] = &["cloudflare", "namecheap", "hetzner"];
/// Where the user is the token.
const USER_IS_TOKEN: &[&str] = &["duckdns", "dynv6"];
/// What people write a request of their own for.
const NAMECHEAP: &str = "dynamicdns.park-your-domain.com";

fn is_one_of(service: &str, services: &[&str]) -> bool {
    services.iter().any(|one| service.starts_with(one) || service.ends_with(&format!("{one}.net")))
}

/// A statement: a name, an argument of it, and what stands behind.
#[derive(Debug)]
struct Statement {
    name: String,
    argument: String,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Values(Vec<String>),
    Block(Vec<Statement>),
}

pub(super) fn read(text: &str, draft: &mut Draft) -> Result<(), ImportError> {
    let words = tokens(text);
    let mut words = words.into_iter().peekable();
    let all = statements(&mut words, false)?;
    for statement in &all {
        if let Body::Block(block) = &statement.body {
            let place = format!("{} {}", statement.name, statement.argument);
            account(statement, block, &all, &place, draft);
        } else if statement.name == "include" {
            let words = "what is in other files is not read: take them over by themselves";
            draft.note("include", Fate::Left, words);
        } else if ELSEWHERE.contains(&statement.name.as_str()) {
            let words = "nothing here is meant by it, or Mainstay does it by itself";
            draft.note(&statement.name, Fate::Left, words);
        } else if !READ.contains(&statement.name.as_str()) {
            draft.note(&statement.name, Fate::Left, "nothing here is meant by it");
        }
    }
    if let Some(period) = value(&all, "period").and_then(|period| period.parse().ok()) {
        draft.every("period", Duration::from_secs(period));
    }
    Ok(())
}

type Words = std::iter::Peekable<std::vec::IntoIter<String>>;

/// Reads statements to the end of the file, or of a block.
fn statements(words: &mut Words, inside: bool) -> Result<Vec<Statement>, ImportError> {
    let mut all = Vec::new();
    loop {
        let name = match words.next() {
            Some(word) if word == "}" && inside => return Ok(all),
            None if !inside => return Ok(all),
            Some(name) if !matches!(name.as_str(), "{" | "}" | "=" | ",") => name,
            Some(word) => return Err(refused(format!("`{word}` where a name must stand"))),
            None => return Err(refused("a block has no end".to_owned())),
        };
        all.push(statement(name, words)?);
    }
}

fn statement(name: String, words: &mut Words) -> Result<Statement, ImportError> {
    if words.next_if_eq("=").is_some() {
        let body = Body::Values(values(words)?);
        return Ok(Statement { name, argument: String::new(), body });
    }
    let argument = words.next_if(|word| word != "{").unwrap_or_default();
    if words.next_if_eq("{").is_some() {
        if name != "provider" && name != "custom" {
            return Err(refused(format!("there is no block `{name}`")));
        }
        let body = Body::Block(statements(words, true)?);
        return Ok(Statement { name, argument, body });
    }
    // Whatever stands alone.
    Ok(Statement { name, argument, body: Body::Values(Vec::new()) })
}

fn values(words: &mut Words) -> Result<Vec<String>, ImportError> {
    let end = || refused("a value is missing".to_owned());
    let first = words.next().ok_or_else(end)?;
    if first != "{" {
        return Ok(vec![first]);
    }
    let mut list = Vec::new();
    loop {
        match words.next().ok_or_else(end)?.as_str() {
            "}" => return Ok(list),
            "," => {}
            word => list.push(word.to_owned()),
        }
    }
}

fn refused(why: String) -> ImportError {
    ImportError::Unreadable { what: "a configuration of inadyn", why }
}

/// Cuts a text into words, texts in quotes, and `{ } = ,`.
fn tokens(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (word, behind) = match first {
            '#' => ("", after(rest, "\n")),
            '/' if rest.starts_with("//") => ("", after(rest, "\n")),
            '/' if rest.starts_with("/*") => ("", after(rest, "*/")),
            '{' | '}' | '=' | ',' => rest.split_at(1),
            _ if rest.starts_with("include") && rest.contains(')') => {
                words.extend(["include".to_owned(), "=".to_owned()]);
                let (file, behind) = rest.split_once(')').unwrap_or((rest, ""));
                words.push(file.trim_start_matches("include").trim().to_owned());
                ("", behind)
            }
            '"' | '\'' => {
                let (word, behind) = quoted(rest, first);
                words.push(word);
                ("", behind)
            }
            _ if first.is_whitespace() => ("", rest.trim_start()),
            _ => {
                let is_end = |c: char| c.is_whitespace() || "{}=,\"'".contains(c);
                rest.split_at(rest.find(is_end).unwrap_or(rest.len()))
            }
        };
        if !word.is_empty() {
            words.push(word.to_owned());
        }
        rest = behind;
    }
    words
}

fn after<'t>(text: &'t str, end: &str) -> &'t str {
    text.split_once(end).map_or("", |(_, behind)| behind)
}

fn quoted(text: &str, quote: char) -> (String, &str) {
    let mut word = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, one)) = chars.next() {
        match one {
            '\\' => word.extend(chars.next().map(|(_, one)| escaped(one))),
            _ if one == quote => return (word, text.get(at + 1..).unwrap_or_default()),
            _ => word.push(one),
        }
    }
    (word, "")
}

/// Returns what a letter behind a backslash means.
const fn escaped(letter: char) -> char {
    match letter {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        other => other,
    }
}

fn values_of<'s>(all: &'s [Statement], key: &str) -> &'s [String] {
    let found = all.iter().find(|one| one.name == key);
    match found.map(|one| &one.body) {
        Some(Body::Values(values)) => values,
        Some(Body::Block(_)) | None => &[],
    }
}

fn value<'s>(all: &'s [Statement], key: &str) -> Option<&'s str> {
    values_of(all, key).first().map(String::as_str).filter(|value| !value.is_empty())
}

fn account(
    statement: &Statement,
    block: &[Statement],
    all: &[Statement],
    place: &str,
    draft: &mut Draft,
) {
    let both = |key: &str| value(block, key).or_else(|| value(all, key));
    let name = statement.argument.split_once(':').map_or(&*statement.argument, |(name, _)| name);
    let (wanted, service) = name.split_once('@').unwrap_or(("default", name));
    let mut more = Map::new();
    let server = value(block, "ddns-server").unwrap_or_default();
    let provider = if statement.name == "custom" && server == NAMECHEAP {
        "namecheap".to_owned()
    } else if statement.name == "custom" {
        match url(block) {
            Ok(url) => more.insert("url".to_owned(), Value::from(url)),
            Err(words) => return draft.note(place, Fate::Left, words),
        };
        "dyndns2".to_owned()
    } else {
        service.to_owned()
    };
    for key in ["proxy", "ca-trust-file"] {
        if let Some(value) = both(key) {
            let key = if key == "proxy" { "proxy" } else { "ca-file" };
            more.insert(key.to_owned(), Value::from(value));
        }
    }
    for one in block.iter().filter(|one| !READ.contains(&one.name.as_str())) {
        draft.note(&format!("{place}, {}", one.name), Fate::Left, "nothing here is meant by it");
    }
    let families = match wanted {
        "ipv6" => vec![Family::V6],
        "ipv4" => vec![Family::V4],
        _ if both("allow-ipv6") == Some("true") => families(block, place, draft),
        _ => vec![Family::V4],
    };
    let mut extra = Map::new();
    if let Some(proxied) = value(block, "proxied") {
        extra.insert("proxied".to_owned(), Value::Bool(proxied == "true"));
    }
    let ttl = value(block, "ttl").and_then(|ttl| ttl.parse().ok()).filter(|ttl| *ttl > 1);
    let secret = || value(block, "password").map(str::to_owned);
    let zone = value(block, "username").filter(|_| is_one_of(&provider, USER_IS_ZONE));
    let names = values_of(block, "hostname").iter().map(|name| NameDraft {
        name: names::whole(name, zone),
        families: families.clone(),
        ttl,
        more: extra.clone(),
    });
    let names = names.collect();
    let sources = block_sources(block, &families, both("iface"), draft);
    let credentials = match (zone, value(block, "username")) {
        (Some(_), _) => Credentials::Pair { id: None, secret: secret() },
        // The user is the token there, and the password means nothing.
        (None, Some(token)) if is_one_of(&provider, USER_IS_TOKEN) => {
            Credentials::Pair { id: None, secret: Some(token.to_owned()) }
        }
        (None, user) => Credentials::Pair { id: user.map(str::to_owned), secret: secret() },
    };
    let (place, domain) = (place.to_owned(), zone.map(str::to_owned));
    draft.account(AccountDraft { place, provider, credentials, domain, names, sources, more });
}

/// Returns the families of a block that may have both: an echo service of its own decides there.
fn families(block: &[Statement], place: &str, draft: &mut Draft) -> Vec<Family> {
    let Some(server) = value(block, "checkip-server") else { return Family::ALL.to_vec() };
    let is_address =
        |is_it: fn(&IpAddr) -> bool| server.parse().is_ok_and(|address| is_it(&address));
    let found = if is_address(IpAddr::is_ipv4) || server.contains("v4") {
        Family::V4
    } else if is_address(IpAddr::is_ipv6) || server.contains('6') {
        Family::V6
    } else {
        return Family::ALL.to_vec();
    };
    let words = format!("{found} alone: that is what `{server}` seems to tell");
    draft.note(&format!("{place}, checkip-server"), Fate::Changed, words);
    vec![found]
}

/// Returns where a custom provider of the dyndns2 protocol is.
fn url(block: &[Statement]) -> Result<String, String> {
    let server = value(block, "ddns-server").ok_or("it has no `ddns-server`")?;
    let path = value(block, "ddns-path").unwrap_or("/nic/update?hostname=%h&myip=%i");
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let is_common = query.contains("hostname=%h") && query.contains("myip=%i");
    if !is_common {
        return Err(format!(
            "its request is none of the dyndns2 protocol (`{path}?…`); see the provider `template`"
        ));
    }
    let scheme = if value(block, "ssl") == Some("false") { "http" } else { "https" };
    Ok(format!("{scheme}://{server}{path}"))
}

fn block_sources(
    block: &[Statement],
    families: &[Family],
    interface: Option<&str>,
    draft: &mut Draft,
) -> Map<String, Value> {
    let source = if let Some(line) = value(block, "checkip-command") {
        Some(sources::command(line, draft.shell))
    } else if let Some(server) = value(block, "checkip-server") {
        let scheme = if value(block, "checkip-ssl") == Some("false") { "http" } else { "https" };
        let path = value(block, "checkip-path").unwrap_or("/");
        let url = format!("{scheme}://{server}{path}");
        let place = format!("checkip-server = {server}");
        // `default` is its word for the usual one.
        let urls: Vec<&str> = if server == "default" { Vec::new() } else { vec![&url] };
        Some(draft.web(&place, &urls))
    } else {
        interface.map(|name| json!({ "interface": name }))
    };
    let Some(source) = source else { return Map::new() };
    let own = families.iter().map(|family| (family.word().to_owned(), json!([source])));
    own.collect()
}
