//! Stories of what a configuration means and of what is refused.

use serde_json::{Value, json};

use super::*;
use crate::{
    address::{Family, Unfit},
    engine::plan::{Compose, SourcePlan, Verify},
    providers,
};

fn account(more: &Value) -> Value {
    let mut account = json!({ "provider": "freemyip", "token": "t", "names": ["a.freemyip.com"] });
    merge(&mut account, more);
    json!({ "accounts": { "free": account } })
}

fn merge(into: &mut Value, from: &Value) {
    let (Some(into), Some(from)) = (into.as_object_mut(), from.as_object()) else { return };
    for (key, value) in from {
        into.insert(key.clone(), value.clone());
    }
}

fn whole(more: &Value) -> Value {
    let mut whole = account(&json!({}));
    merge(&mut whole, more);
    whole
}

fn ids(config: &Config) -> Vec<&str> {
    config.plan.bindings.iter().map(|binding| binding.id.as_str()).collect()
}

#[track_caller]
fn refused(value: &Value, expected: &str) {
    let told = read(value).map(|_| ()).unwrap_err().to_string();
    assert!(told.starts_with(expected), "{told}");
}

#[test]
fn a_few_words_are_enough() {
    let config = read(&account(&json!({}))).unwrap();
    assert_eq!(ids(&config), ["free/a.freemyip.com/A", "free/a.freemyip.com/AAAA"]);
    assert_eq!(
        (config.plan.every, config.plan.settle),
        (Duration::from_mins(5), Duration::from_secs(2))
    );
    assert_eq!(config.resolvers.len(), 6);
    assert_eq!(config.plan.sights.len(), 2);
    assert_eq!(config.plan.sights[0].sources, [SourcePlan { agree: 2, voters: 5 }]);
    assert_eq!(config.plan.sights[1].sources.len(), 2, "the interface, then the web");
    assert_eq!(config.accounts[0].network, NetworkConfig::default());
    assert!(config.plan.bindings.iter().all(|one| one.verify == Verify::Authoritative));
}

#[test]
fn names_of_the_same_sources_share_a_sight() {
    let names = json!({ "names": [
        "a.freemyip.com",
        { "name": "b.freemyip.com", "families": ["ipv4"] },
        { "name": "c.freemyip.com", "sources": { "ipv4": [{ "static": "81.2.69.142" }] } },
        { "name": "d.freemyip.com", "sources": { "ipv4": [] } },
    ] });
    let config = read(&account(&names)).unwrap();
    let sights: Vec<(&str, usize)> =
        config.plan.bindings.iter().map(|one| (one.id.as_str(), one.sight)).collect();
    let expected = [
        ("free/a.freemyip.com/A", 0),
        ("free/a.freemyip.com/AAAA", 1),
        ("free/b.freemyip.com/A", 0),
        ("free/c.freemyip.com/A", 2),
        ("free/c.freemyip.com/AAAA", 1),
        ("free/d.freemyip.com/AAAA", 1),
    ];
    assert_eq!(sights, expected);
    assert_eq!(config.sources.len(), config.plan.sights.len());
}

#[test]
fn sources_that_go_by_messages_of_their_own_may_be_bound() {
    let bound = json!({ "dns": true, "bind": "eth1" });
    let others =
        ["stun", "upnp", "nat-pmp", "pcp"].map(|kind| json!({ kind: true, "bind": "eth1" }));
    let ipv4: Vec<Value> = others.into_iter().chain([bound]).collect();
    let config = read(&account(&json!({ "sources": { "ipv4": ipv4, "ipv6": [] } }))).unwrap();
    for source in &config.sources[0] {
        let bind = source.network().and_then(|network| network.bind.as_deref());
        assert_eq!(bind, Some("eth1"), "{source:?}");
    }
    let odd = account(&json!({ "sources": { "ipv4": [{ "stun": true, "proxy": "direct" }] } }));
    let told = read(&odd).unwrap_err().to_string();
    assert!(told.contains("proxy"), "{told}");
}

#[test]
fn what_is_said_above_holds_below_until_something_else_is_said() {
    let value = json!({
        "sources": { "ipv4": [{ "upnp": true }], "ipv6": [] },
        "allow": ["private", "cgnat"],
        "accounts": { "free": {
            "provider": "freemyip", "token": "t", "names": "a.freemyip.com",
            "sources": { "ipv6": [{ "interface": "eth0", "temporary": true, "within": "2408::/16" }] },
        } },
    });
    let config = read(&value).unwrap();
    assert_eq!(config.sources[0], [SourceConfig::Upnp { network: NetworkConfig::default() }]);
    let within = Some(("2408::".parse().unwrap(), 16));
    let choice = Choice { within, temporary: Temporary::AsLast };
    assert_eq!(config.sources[1], [SourceConfig::Interface { name: Some("eth0".into()), choice }]);
    assert_eq!(config.plan.sights[0].allow, [Unfit::Private, Unfit::SharedByProvider]);
}

#[test]
fn another_machine_of_the_network_has_its_own_end() {
    let of = |more: &Value| {
        let mut name = json!({ "name": "nas.freemyip.com" });
        merge(&mut name, more);
        let config = read(&account(&json!({ "names": [name] }))).unwrap();
        let bindings = config.plan.bindings.iter();
        bindings.map(|one| (one.record.family, one.compose)).collect::<Vec<_>>()
    };
    let end =
        |prefix_length, host: &str| Compose::Suffix { prefix_length, host: host.parse().unwrap() };
    assert_eq!(of(&json!({ "suffix": "::1234" })), [(Family::V6, end(64, "::1234"))]);
    let deep =
        json!({ "suffix": "::1:0:0:0:5", "prefix-length": 56, "families": ["ipv4", "ipv6"] });
    assert_eq!(of(&deep), [(Family::V4, Compose::Observed), (Family::V6, end(56, "::1:0:0:0:5"))]);
    let mac = json!({ "suffix": "00:11:22-aa-bb-cc" });
    assert_eq!(of(&mac), [(Family::V6, end(64, "::211:22ff:feaa:bbcc"))]);
}

#[test]
fn each_kind_of_source_is_read() {
    let sources: Vec<Value> = KINDS.iter().map(|kind| toml(kind.example)).collect();
    let config = read(&whole(&json!({ "sources": { "ipv4": sources, "ipv6": [] } })));
    let told = config.map(|config| config.sources[0].len()).map_err(|error| error.to_string());
    // The example of an interface is one of IPv6.
    assert_eq!(
        told,
        Err("sources.ipv4[1].within: it is not of IPv4; this is the list of `ipv4`".into())
    );
    for kind in KINDS.iter().filter(|kind| kind.name != "interface") {
        let sources = json!({ "sources": { "ipv4": [toml(kind.example)] } });
        assert!(read(&whole(&sources)).is_ok(), "{}", kind.name);
    }
}

#[test]
fn writes_may_be_seldom_anywhere_and_frequent_at_ones_own_server() {
    let floor = |value: &Value| read(value).map(|config| config.plan.accounts[0].floors.write);
    let between = |time: &str| account(&json!({ "min-interval": time }));
    assert_eq!(floor(&account(&json!({}))), Ok(Duration::from_mins(1)));
    assert_eq!(floor(&between("1h")), Ok(Duration::from_hours(1)));
    let place = "accounts.free.min-interval";
    refused(&between("59s"), &format!("{place}: `59s` is not between 1m and 1d"));
    refused(&between("25h"), &format!("{place}: `25h` is not between 1m and 1d"));

    let own = |time: &str| {
        let account = json!({ "provider": "rfc2136", "server": "192.0.2.53", "min-interval": time,
            "names": "home.example.test" });
        json!({ "accounts": { "own": account } })
    };
    assert_eq!(floor(&own("100ms")), Ok(Duration::from_millis(100)));
    refused(&own("99ms"), "accounts.own.min-interval: `99ms` is not between 100ms and 1d");
}

#[test]
fn mistakes_are_told_with_their_place() {
    refused(&json!([]), "configuration: it must be a table, not a list");
    refused(&json!({}), "accounts: it is missing");
    refused(&whole(&json!({ "evry": "5m" })), "evry: unknown key; did you mean `every`?");
    refused(&whole(&json!({ "every": 5 })), "every: it must be a duration as text");
    refused(&whole(&json!({ "every": "2d" })), "every: `2d` is not between 1s and 1d");
    refused(&whole(&json!({ "resolvers": ["1.1.1.1", "x"] })), "resolvers[1]: `x` is no address");
    refused(
        &whole(&json!({ "allow": ["privat"] })),
        "allow[0]: it cannot be `privat`; did you mean `private`?",
    );
    refused(&json!({ "accounts": { "a.b": {} } }), "accounts.a.b: an account's name has");
    refused(
        &account(&json!({ "provider": "freemyp" })),
        "accounts.free.provider: there is no provider `freemyp`; did you mean `freemyip`?",
    );
    refused(
        &account(&json!({ "provider": "nobody" })),
        "accounts.free.provider: there is no provider `nobody`; `mainstay ddns providers`",
    );
    refused(
        &account(&json!({ "tokn": "x" })),
        "accounts.free.tokn: unknown key; did you mean `token`?",
    );
    let told = "accounts.free.token: it must be a text, `{ secret = \"NAME\" }`, \
                `{ secret = { env = \"NAME\" } }`, or another source of a secret";
    refused(&account(&json!({ "token": 7 })), told);
    refused(&account(&json!({ "names": [] })), "accounts.free.names: it is empty");
}

#[test]
fn mistakes_of_names_are_told_with_their_place() {
    let names = |name: Value, expected: &str| {
        let names = json!({ "names": ["ok.freemyip.com", name] });
        refused(&account(&names), &format!("accounts.free.names[1]{expected}"));
    };
    names(json!("home"), ": \"home\" cannot be a name in the DNS");
    names(json!({ "name": "home" }), ".name: \"home\" cannot be");
    names(json!({ "nam": "a.b" }), ".name: it is missing");
    names(json!({ "name": "a.b", "tll": "5m" }), ".tll: unknown key; did you mean `ttl`?");
    names(json!({ "name": "a.b", "ttl": "5m" }), ".ttl: `freemyip` has a time to live of its own");
    names(json!({ "name": "a.b", "max-addresses": 2 }), ".max-addresses: 2 is not between 1 and 1");
    names(
        json!({ "name": "a.b", "families": ["ip6"] }),
        ".families[0]: it cannot be `ip6`; did you mean `ipv",
    );
    names(
        json!({ "name": "a.b", "suffix": "2408::1" }),
        ".suffix: `2408::1` has bits among the first 64",
    );
    names(json!({ "name": "a.b", "suffix": "x" }), ".suffix: `x` is neither");
    names(
        json!({ "name": "a.b", "prefix-length": 60 }),
        ".prefix-length: it belongs to a `suffix`",
    );
    names(json!({ "name": "a.b", "line": "a/b" }), ".line: `a/b` is no line");
    names(json!("OK.freemyip.com."), ": `free/ok.freemyip.com/A` is kept already");
    let empty = json!({ "name": "a.b", "sources": { "ipv4": [], "ipv6": [] } });
    names(empty, ": no source tells an address");
}

#[test]
fn mistakes_of_sources_are_told_with_their_place() {
    let source = |one: Value, expected: &str| {
        let sources = json!({ "sources": { "ipv4": [{ "upnp": true }, one] } });
        refused(&whole(&sources), &format!("sources.ipv4[1]{expected}"));
    };
    source(json!({ "wbe": "https://a" }), ": it names no source; did you mean `web`?");
    source(json!({ "web": "https://a", "dns": true }), ": `web` and `dns` are two sources");
    source(json!({ "web": "ftp://a" }), ".web: `ftp://a` is no URL");
    source(json!({ "web": ["https://a"], "agree": 2 }), ".agree: 2 is not between 1 and 1");
    source(json!({ "web": true, "pointer": "ip" }), ".pointer: `ip` is no JSON pointer");
    source(json!({ "web": true, "proxy": "socks4://a" }), ".proxy: write `direct`");
    source(json!({ "web": true, "proxy": "http://u:p@a" }), ".proxy: who we are there");
    source(json!({ "web": true, "proxy-user": "u" }), ".proxy-user: it belongs to a `proxy`");
    source(json!({ "upnp": false }), ".upnp: write `true`");
    source(json!({ "upnp": true, "agre": 1 }), ".agre: unknown key; did you mean `agree`?");
    source(json!({ "stun": "a" }), ".stun: `a` is no `HOST:PORT`");
    source(json!({ "static": "::1" }), ".static: it is not of IPv4");
    source(json!({ "command": [] }), ".command: it is empty");
    source(
        json!({ "command": ["x"], "timeout": "1h" }),
        ".timeout: `1h` is not between 1ms and 5m",
    );
}

#[test]
fn a_digest_changes_with_what_it_concerns() {
    let of = |more: &Value| {
        let config = read(&account(more)).unwrap();
        (config.plan.accounts[0].digest, config.plan.bindings[0].digest)
    };
    let one = of(&json!({}));
    assert_eq!(one, of(&json!({ "sources": { "ipv4": [{ "upnp": true }] } })));
    assert_eq!(one, of(&json!({ "min-interval": "5m" })));
    let other = of(&json!({ "token": "u" }));
    assert_ne!(one.0, other.0);
    assert_eq!(one.1, other.1);
    let proxied = of(&json!({ "proxy": "environment" }));
    assert_ne!(one.0, proxied.0);
    let named = of(&json!({ "names": ["b.freemyip.com"] }));
    assert_eq!(one.0, named.0);
    assert_ne!(one.1, named.1);
}

#[test]
fn no_provider_takes_a_key_that_all_accounts_or_names_take() {
    for entry in providers::ALL {
        assert!(
            !entry.parameters.iter().any(|one| {
                accounts::KEYS.contains(&one.key)
                    || NETWORK_KEYS.iter().any(|(known, _)| *known == one.key)
            }),
            "{}",
            entry.name
        );
        let is_known = |key: &str| NAME_KEYS.iter().any(|(known, _)| *known == key);
        assert!(!entry.extras.iter().any(|extra| is_known(extra.key)), "{}", entry.name);
    }
}

#[test]
fn nothing_secret_is_printed() {
    let value = account(&json!({
        "token": "hunter2", "proxy": "http://a", "proxy-user": "u", "proxy-password": "hunter2",
    }));
    assert!(!format!("{:?}", read(&value).unwrap()).contains("hunter2"));
}

/// Reads an inline table of the examples.
fn toml(text: &str) -> Value {
    let quoted = [
        "web",
        "interface",
        "dns",
        "stun",
        "upnp",
        "nat-pmp",
        "pcp",
        "command",
        "file",
        "static",
        "agree",
        "within",
        "timeout",
    ];
    let mut json = text.to_owned();
    for key in quoted {
        json = json.replace(&format!("{key} ="), &format!("\"{key}\":"));
    }
    serde_json::from_str(&json).unwrap()
}
