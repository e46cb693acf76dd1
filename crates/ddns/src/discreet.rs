//! Keeps an account's secrets out of what its failures say.
//!
//! A provider, or a portal or a proxy on the way, may tell back what it was sent, with a token in
//! the query; and that is what people post when they ask for help.

use crate::{
    failure::Failure,
    provider::{Attempt, Provider},
    providers::encoded,
    record::{Change, Found, Record, Written},
    secret::Secret,
    wire::Wire,
};

/// What stands for a secret.
const HIDDEN: &str = "[hidden]";
/// What is shorter is in words by chance.
const CHARS_MIN: usize = 4;
/// What stands where words were cut.
const CUT: char = '…';

/// An account that tells nobody its secrets.
#[derive(Debug)]
pub(crate) struct Discreet {
    account: Box<dyn Provider>,
    secrets: Vec<Secret>,
}

impl Discreet {
    /// Keeps these secrets of an account.
    pub(crate) fn new(account: Box<dyn Provider>, secrets: Vec<Secret>) -> Self {
        Self { account, secrets }
    }

    fn hush(&self, mut failure: Failure) -> Failure {
        for secret in &self.secrets {
            for form in forms(secret.reveal()) {
                failure.words = without(failure.words, &form);
                failure.code = without(failure.code, &form);
            }
        }
        failure
    }
}

impl Provider for Discreet {
    fn read<'a>(&'a self, wire: &'a dyn Wire, record: &'a Record) -> Attempt<'a, Found> {
        Box::pin(async move {
            self.account.read(wire, record).await.map_err(|failure| self.hush(failure))
        })
    }

    fn write<'a>(&'a self, wire: &'a dyn Wire, change: &'a Change) -> Attempt<'a, Written> {
        Box::pin(async move {
            self.account.write(wire, change).await.map_err(|failure| self.hush(failure))
        })
    }
}

/// Returns a secret as it may come back: as it is, as it stands in a URL, and in JSON.
fn forms(secret: &str) -> Vec<String> {
    let quoted = serde_json::Value::from(secret).to_string();
    let inner = quoted.trim_matches('"').to_owned();
    let mut forms = vec![secret.to_owned(), encoded(secret), inner];
    forms.retain(|form| form.chars().count() >= CHARS_MIN);
    forms.dedup();
    forms
}

/// Takes a secret out of words; where they were cut in the midst of it, its beginning, too.
fn without(words: String, secret: &str) -> String {
    let words = if words.contains(secret) { words.replace(secret, HIDDEN) } else { words };
    let Some((before, after)) = words.split_once(CUT) else { return words };
    let ends: Vec<usize> = secret.char_indices().skip(CHARS_MIN).map(|(end, _)| end).collect();
    let beginnings = ends.iter().rev().filter_map(|end| secret.get(..*end));
    let beginning = beginnings.into_iter().find(|beginning| before.ends_with(beginning));
    match beginning.and_then(|beginning| before.strip_suffix(beginning)) {
        Some(kept) => format!("{kept}{HIDDEN}{CUT}{after}"),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::{
        address::Family,
        config,
        fake_wire::FakeWire,
        name::Fqdn,
        wire::{NetworkError, Request, Response},
    };

    type Answer = fn(&Request) -> Result<Response, NetworkError>;

    const TOKEN: &str = "hunter2-hunter3-\"hunter4\"";

    /// Returns what is told when a service answers so, whatever it is asked.
    fn told(provider: &str, answer: Answer) -> String {
        let template = provider == "template";
        let token = if template { "secrets" } else { "token" };
        let mut account = json!({ "provider": provider, "names": ["me.duckdns.org"] });
        account[token] = if template { json!({ "t": TOKEN }) } else { json!(TOKEN) };
        if template {
            account["url"] = json!("https://a.test/{{secret:t}}/update");
        }
        let config = json!({ "sources": { "ipv4": [{ "static": "81.2.69.142" }], "ipv6": [] },
            "accounts": { "a": account } });
        let config = config::read(&config).unwrap();
        let record = Record {
            name: Fqdn::parse("me.duckdns.org").unwrap(),
            family: Family::V4,
            line: None,
            ttl: None,
            extra: Map::new(),
        };
        let change = Change {
            record,
            want: vec!["81.2.69.142".parse().unwrap()],
            ours: Vec::new(),
            found: None,
            prefix: None,
            beside: Vec::new(),
        };
        let wire = FakeWire::of_http(move |request| answer(&request));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let provider = &config.accounts[0].provider;
        let failure = runtime.block_on(provider.write(&wire, &change)).unwrap_err();
        format!("{} {}", failure.code, failure.words)
    }

    #[expect(clippy::unnecessary_wraps, reason = "a service may also not be there")]
    fn echo(request: &Request) -> Result<Response, NetworkError> {
        let body = format!("<p>Not found: {}", request.url).into_bytes();
        Ok(Response { status: 404, headers: Vec::new(), body })
    }

    #[test]
    fn a_service_that_tells_back_what_it_was_sent_gives_no_secret_away() {
        for provider in ["duckdns", "template"] {
            let told = told(provider, echo);
            assert!(told.contains("Not found: https://"), "{told}");
            assert!(told.contains(HIDDEN) && !told.contains("hunter"), "{told}");
        }
    }

    #[test]
    fn a_request_that_cannot_be_sent_gives_no_secret_away() {
        let told = told("template", |request| {
            Err(NetworkError::Request {
                why: format!("cannot use `{}`: it is no URL", request.url),
            })
        });
        assert!(told.contains(HIDDEN) && !told.contains("hunter"), "{told}");
    }

    #[test]
    fn a_secret_that_was_cut_is_none_any_more() {
        let check = |words: &str, expected: &str| {
            assert_eq!(without(words.to_owned(), "hunter2"), expected);
        };
        check("t=hunter2&x", "t=[hidden]&x");
        check("`t=hunter…` it says", "`t=[hidden]…` it says");
        check("`t=hunt…`", "`t=[hidden]…`");
        check("`t=hun…`", "`t=hun…`");
        check("a hunter…", "a [hidden]…");
        check("nothing…", "nothing…");
        assert!(forms("abc").is_empty(), "three letters are everywhere");
    }
}
