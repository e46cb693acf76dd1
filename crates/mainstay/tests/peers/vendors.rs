//! Clients of others at work beside ours, at the fakes of services that nobody can have here: the
//! vendors' own, and dns-lexicon. What one writes, the other reads; what one is refused, the other
//! is refused as well.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Stdio},
};

use mainstay_ddns::{
    failure::{Class, Reach},
    record::Changed,
};
use serde_json::{Value, json};

use crate::{
    account::Account,
    fake::Fake,
    kept::{self, Service},
    python,
};

/// A service; what the other client says of credentials that are wrong, and of a zone that is not.
type Known = (&'static str, &'static str, &'static str);

const KNOWN: &[Known] = &[
    ("volcengine", "SignatureDoesNotMatch", "no zone example.net"),
    ("hetzner", "unauthorized", "not_found"),
    ("linode", "[401] Invalid Token", "no domain example.net"),
    ("digitalocean", "401 Client Error", "404 Client Error"),
    ("dnspod", "Login fail", "Domain id invalid"),
    ("gandi", "401 Client Error", "404 Client Error"),
    ("godaddy", "401 Client Error", "404 Client Error"),
    ("porkbun", "400 Client Error", "400 Client Error"),
    ("vultr", "401 Client Error", "Domain not found"),
];

const NAME: &str = "home.example.com";
const ZONE: &str = "example.com";
const OTHER_ZONE: &str = "example.net";
const FIRST: &str = "81.2.69.142";
const SECOND: &str = "81.2.69.143";
const THIRD: &str = "81.2.69.144";
const SIXTH: &str = "2a02:c7d:1::142";
const SEVENTH: &str = "2a02:c7d:1::143";

#[test]
fn ours_reads_what_others_have_written_and_they_what_ours_has() {
    let (fake, mut others) = (Fake::start(), Others::start());
    for (provider, credentials, zone) in KNOWN {
        let mut other = Other { fake: &fake, others: &mut others, provider };
        take_turns(&mut other);
        other.is_refused(&other.spoilt_account(), ZONE, credentials);
        other.is_refused(&fake.account(provider), OTHER_ZONE, zone);
        ours_is_refused(&fake, Service::of(provider));
    }
}

/// Lets both change the same records, and each see what the other one has done.
fn take_turns(other: &mut Other<'_>) {
    let provider = other.provider;
    let ours = Account::open(&Service::of(provider).account(other.fake));
    other.change("add", "A", FIRST, &[FIRST]);
    let made = other.row("A");

    let written = ours.keep_instead(SECOND, &[FIRST]).unwrap().unwrap();
    assert_eq!(written.change, Changed::Yes, "{provider}");
    let changed = other.row("A");
    assert_eq!((&changed["id"], &changed["value"]), (&made["id"], &json!(SECOND)), "{provider}");
    assert_eq!(changed["ttl"], made["ttl"], "{provider}: the other's time to live stays");
    assert_eq!(other.values("A"), [SECOND], "{provider}");

    ours.keep(SIXTH).unwrap().unwrap();
    assert_eq!(other.values("AAAA"), [SIXTH], "{provider}");
    let made = other.row("AAAA");
    other.change("change", "AAAA", SEVENTH, &[SEVENTH]);
    assert_eq!(other.row("AAAA")["id"], made["id"], "{provider}");
    assert_eq!(ours.keep(SEVENTH).unwrap(), None, "{provider}: it is so already");

    other.change("add", "A", THIRD, &[SECOND, THIRD]);
    ours.keep_instead(THIRD, &[SECOND, THIRD]).unwrap().unwrap();
    assert_eq!(other.values("A"), [THIRD], "{provider}: what is ours and too many goes");
}

fn ours_is_refused(fake: &Fake, service: &Service) {
    let failure = Account::open(&service.forged(fake)).read(FIRST).unwrap_err();
    assert_eq!((failure.class, failure.reach), (Class::Parked, Reach::Account), "{failure:?}");
    let mut account = service.account(fake);
    account["names"] = json!(format!("home.{OTHER_ZONE}"));
    let failure = Account::open(&account).read(FIRST).unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (Class::Parked, "no-zone"), "{failure:?}");
}

/// The client of somebody else at one service.
struct Other<'a> {
    fake: &'a Fake,
    others: &'a mut Others,
    provider: &'static str,
}

impl Other<'_> {
    /// Returns what it reads of the name.
    fn values(&mut self, kind: &str) -> Vec<String> {
        self.ask(&json!({ "do": "values", "type": kind })).unwrap()
    }

    /// Lets it add or change a record, and read all that are there.
    fn change(&mut self, how: &str, kind: &str, value: &str, expected: &[&str]) {
        let values = self.ask(&json!({ "do": how, "type": kind, "value": value })).unwrap();
        assert_eq!(values, expected, "{}", self.provider);
    }

    /// Returns the only record of the name as the service holds it.
    fn row(&self, kind: &str) -> Value {
        let rows = self.fake.records(self.provider).into_iter();
        let rows: Vec<Value> =
            rows.filter(|row| row["name"] == NAME && row["type"] == kind).collect();
        assert_eq!(rows.len(), 1, "{}: {rows:?}", self.provider);
        rows[0].clone()
    }

    fn spoilt_account(&self) -> Value {
        let mut account = self.fake.account(self.provider);
        for key in ["token", "secret"] {
            if let Some(secret) = account.get_mut(key) {
                *secret = json!(kept::spoilt(secret.as_str().unwrap()));
            }
        }
        account
    }

    fn is_refused(&mut self, account: &Value, zone: &str, why: &str) {
        let question = json!({ "do": "values", "type": "A", "account": account, "zone": zone });
        let said = self.ask(&question).unwrap_err();
        assert!(said.contains(why), "{}: {said}", self.provider);
    }

    fn ask(&mut self, question: &Value) -> Result<Vec<String>, String> {
        let mut whole = json!({ "provider": self.provider, "url": self.fake.url(self.provider),
            "account": self.fake.account(self.provider), "zone": ZONE, "name": NAME });
        whole.as_object_mut().unwrap().extend(question.as_object().unwrap().clone());
        self.others.ask(&whole)
    }
}

/// All clients of others, in one process of Python; it ends with the value.
struct Others {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Others {
    fn start() -> Self {
        let mut command = python::script("vendors.py");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (questions, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, questions, answers: BufReader::new(answers) }
    }

    /// Returns the values that are read after what was to be done, or why it was not done.
    fn ask(&mut self, question: &Value) -> Result<Vec<String>, String> {
        writeln!(self.questions, "{question}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        match answer["refused"].as_str() {
            Some(why) => Err(why.to_owned()),
            None => Ok(serde_json::from_value(answer["values"].clone()).unwrap()),
        }
    }
}

impl Drop for Others {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
