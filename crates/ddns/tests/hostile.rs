//! Providers that say anything at all: every one of ours reads it to an end, tells it in harmless
//! words, and gives nothing secret away.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use mainstay_ddns::{
    address::Family,
    config,
    dns::WITHIN,
    failure::Failure,
    provider::Reading,
    record::{Change, Found, Record},
    wire::{Exchange, NetworkError, Networked, Request, Response, Wire},
};
use serde_json::{Map, Value, json};

const REFERENCE: &str = include_str!("../../../docs/reference/ddns-providers.md");
/// What every example has in the place of its secrets.
const SECRET: &str = "aHVudGVyMi1odW50ZXIz";
/// Attempts at each account.
const ATTEMPTS: u64 = 120;
/// The most questions of one attempt.
const QUESTIONS_MAX: u32 = 300;

/// Words that answers of providers are made of.
const KEYS: &[&str] = &[
    "result",
    "success",
    "errors",
    "error",
    "code",
    "message",
    "records",
    "record",
    "rrsets",
    "name",
    "type",
    "content",
    "ttl",
    "id",
    "zones",
    "Response",
    "Error",
    "RecordList",
    "Record",
    "DomainRecords",
    "Value",
    "RR",
    "RecordId",
    "status",
    "Status",
    "links",
    "next",
    "pages",
    "total",
    "meta",
    "data",
    "value",
    "recordsets",
    "domains",
    "Domains",
    "ips",
    "rrset_values",
    "error_code",
    "error_msg",
    "Code",
    "Message",
    "Result",
    "ResponseMetadata",
    "hostname",
    "line",
];
const TEXTS: &[&str] = &[
    "example.org",
    "home.example.org",
    "home.example.org.",
    "home",
    "@",
    "A",
    "AAAA",
    "SUCCESS",
    "ACTIVE",
    "81.2.69.142",
    "2001:4860::1",
    "good 81.2.69.142",
    "nochg",
    "badauth",
    "911",
    "OK",
    "KO",
    "1",
    "0",
    "",
    "\u{1b}[2J\nSTOPPING=1\r\n",
    "\u{202e}x",
    "../../x?y#z",
    "a\u{0}b",
];

/// Chance that repeats itself (splitmix64).
struct Chance(AtomicU64);

impl Chance {
    fn below(&self, limit: usize) -> usize {
        let state = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).expect("31 bits fit") % limit
    }

    fn one<'a>(&self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn value(&self, depth: usize) -> Value {
        match self.below(if depth == 0 { 6 } else { 10 }) {
            0 => Value::Null,
            1 => json!(self.below(2) == 0),
            2 => json!(self.below(70_000)),
            3 => json!("x".repeat(self.below(3000))),
            4 | 5 => json!(self.one(TEXTS)),
            6 | 7 => (0..self.below(5)).map(|_| self.value(depth - 1)).collect(),
            _ => {
                let pair = |_| (self.one(KEYS).to_owned(), self.value(depth - 1));
                Value::Object((0..self.below(9)).map(pair).collect())
            }
        }
    }

    fn xml(&self, depth: usize) -> String {
        if depth == 0 {
            return self.one(TEXTS).to_owned();
        }
        let inner: String = (0..self.below(4)).map(|_| self.xml(depth - 1)).collect();
        let name = self.one(&[
            "ListResourceRecordSetsResponse",
            "ResourceRecordSet",
            "Value",
            "Err1",
            "interface-response",
            "Code",
            "Id",
        ]);
        format!("<{name}>{inner}</{name}>")
    }

    fn body(&self, request: &Request) -> Vec<u8> {
        let text = match self.below(7) {
            0 => (0..self.below(200))
                .map(|_| char::from(u8::try_from(self.below(256)).expect("a byte")))
                .collect(),
            1 => "[".repeat(self.below(60_000)),
            2 => format!("{} {}", self.one(TEXTS), self.one(TEXTS)),
            3 => format!("<?xml version=\"1.0\"?>{}", self.xml(5)),
            4 => format!("not found: {} {:?}", request.url, request.headers),
            _ => self.value(5).to_string(),
        };
        text.into_bytes()
    }
}

/// A network on which everybody says anything.
struct Hostile {
    chance: Chance,
    questions: AtomicU32,
}

impl Wire for Hostile {
    fn http(&self, request: Request) -> Networked<'_, Response> {
        self.questions.fetch_add(1, Ordering::Relaxed);
        let statuses = [200, 200, 200, 201, 204, 302, 400, 401, 404, 429, 500];
        let status = statuses[self.chance.below(statuses.len())];
        let headers = ["retry-after", "date", "location", "content-type"].map(|name| {
            let waits = ["99999999999999999999", "-1", "Wed, 99 Foo 2026", "120", "\u{1b}[2J"];
            (name.to_owned(), self.chance.one(&waits).to_owned())
        });
        let body = self.chance.body(&request);
        Box::pin(async move { Ok(Response { status, headers: headers.to_vec(), body }) })
    }

    fn dns(&self, exchange: Exchange) -> Networked<'_, Vec<u8>> {
        self.questions.fetch_add(1, Ordering::Relaxed);
        // The question comes back as an answer, and then something.
        let mut octets = exchange.message;
        if let Some(flags) = octets.get_mut(2) {
            *flags |= 0x80;
        }
        for count in octets.iter_mut().take(12).skip(6) {
            *count = u8::try_from(self.chance.below(3)).expect("a byte");
        }
        octets.extend(
            (0..self.chance.below(300))
                .map(|_| u8::try_from(self.chance.below(256)).expect("a byte")),
        );
        Box::pin(async move { Ok(octets) })
    }

    fn resolve(&self, name: &str, _: Option<Family>) -> Networked<'_, Vec<std::net::IpAddr>> {
        let found = match self.chance.below(2) {
            0 => Ok(vec!["192.0.2.1".parse().expect("an address")]),
            _ => Err(NetworkError::Late { peer: name.to_owned(), within: WITHIN }),
        };
        Box::pin(async move { found })
    }

    fn resolvers(&self) -> Vec<std::net::SocketAddr> {
        vec!["192.0.2.53:53".parse().expect("an address")]
    }

    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn nonce(&self) -> u128 {
        7
    }
}

/// Puts a text where the example says where a secret is.
fn with_secrets(value: &mut Value) {
    match value {
        Value::Object(table) if table.contains_key("secret") && table.len() == 1 => {
            *value = Value::from(SECRET);
        }
        Value::Object(table) => table.values_mut().for_each(with_secrets),
        Value::Array(list) => list.iter_mut().for_each(with_secrets),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => (),
    }
}

fn examples() -> impl Iterator<Item = config::Config> {
    let parts = REFERENCE.split("```toml\n").skip(1);
    parts.map(|rest| {
        let (text, _) = rest.split_once("\n```").expect("an example ends");
        let file: Value = toml::from_str(text).expect("an example is TOML");
        let mut ddns = file.pointer("/services/home/ddns").expect("it is of `home`").clone();
        with_secrets(&mut ddns);
        config::read(&ddns).expect("an example can be read")
    })
}

fn check(provider: &str, told: &Failure) {
    let both = format!("{} {}", told.code, told.words);
    assert!(!both.contains(char::is_control), "{provider}: {both:?}");
    assert!(!both.contains(SECRET), "{provider}: {both}");
    assert!(told.code.chars().count() <= 65 && told.words.chars().count() <= 1001, "{provider}");
    assert!(told.retry_after.is_none_or(|wait| wait.as_secs() <= 86_400), "{provider}: {told:?}");
}

/// Reads and writes a record; returns whether anything was taken for a success.
async fn attempt(wire: &Hostile, config: &config::Config, record: &Record) -> u32 {
    let account = &config.accounts[0];
    let want = "81.2.69.142".parse().expect("an address");
    let mut change = Change {
        record: record.clone(),
        want: vec![want],
        ours: Vec::new(),
        found: None,
        prefix: None,
        beside: Vec::new(),
    };
    if account.entry.reading == Reading::Possible {
        let read = account.provider.read(wire, record).await;
        change.found = read.map_err(|failure| check(account.entry.name, &failure)).ok();
        change.found.get_or_insert_with(Found::default);
    }
    let written = account.provider.write(wire, &change).await;
    written.map_err(|failure| check(account.entry.name, &failure)).map_or(0, |_| 1)
}

#[test]
fn whatever_a_provider_says_is_read_to_an_end_and_told_in_harmless_words() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    let mut failures = 0;
    for config in examples() {
        let plan = &config.plan.bindings[0].record;
        let record =
            Record { family: Family::V4, line: None, ttl: None, extra: Map::new(), ..plan.clone() };
        for seed in 0..ATTEMPTS {
            let chance = Chance(AtomicU64::new(seed.wrapping_mul(0x1234_5678_9abc_def1)));
            let wire = Hostile { chance, questions: AtomicU32::new(0) };
            failures += 1 - runtime.block_on(attempt(&wire, &config, &record));
            assert!(wire.questions.load(Ordering::Relaxed) <= QUESTIONS_MAX);
        }
    }
    assert!(failures > 1000, "{failures}: mere noise is no success");
}
