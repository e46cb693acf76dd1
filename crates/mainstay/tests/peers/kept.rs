//! Our side of each service's protocol, at its fake: what is missing is made, what differs is
//! changed in place, what belongs to others stays, and each failure means what it means.

use mainstay_ddns::{
    failure::{Class, Reach},
    record::Changed,
};
use serde_json::{Value, json};

use crate::{account::Account, fake::Fake, moto::Moto};

/// A service, how an account there is written, and what differs there.
pub(crate) struct Service {
    pub(crate) fake: &'static str,
    provider: &'static str,
    /// Our keys, and the fake's words for them.
    keys: &'static [(&'static str, &'static str)],
    /// What else an account says.
    more: &'static [(&'static str, &'static str)],
    /// Where the API begins below the fake's URL.
    base: &'static str,
    name: &'static str,
    holds: Holds,
    lines: Lines,
}

/// What a service lets us reach.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// Zones with records of everybody, each by itself.
    Rows,
    /// Zones with sets of records.
    Sets,
    /// Names alone; somebody else's are out of reach.
    Names,
}

/// Whether a service answers differently whoever asks from elsewhere.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    One,
    Several,
}

const fn names(
    fake: &'static str,
    provider: &'static str,
    keys: &'static [(&'static str, &'static str)],
) -> Service {
    let name = "home.example.com";
    let (holds, lines) = (Holds::Names, Lines::One);
    Service { fake, provider, keys, more: &[], base: "", name, holds, lines }
}

const fn zone(
    fake: &'static str,
    provider: &'static str,
    keys: &'static [(&'static str, &'static str)],
) -> Service {
    Service { holds: Holds::Rows, ..names(fake, provider, keys) }
}

const fn cloud(
    fake: &'static str,
    provider: &'static str,
    keys: &'static [(&'static str, &'static str)],
) -> Service {
    Service { lines: Lines::Several, ..zone(fake, provider, keys) }
}

const BASIC: &[(&str, &str)] = &[("user", "user"), ("password", "password")];
const TOKEN: &[(&str, &str)] = &[("token", "token")];
const ACCESS_KEY: &[(&str, &str)] = &[("access-key-id", "key"), ("access-key-secret", "secret")];
const SECRET_KEY: &[(&str, &str)] = &[("access-key-id", "key"), ("secret-access-key", "secret")];

const SERVICES: &[Service] = &[
    cloud("alidns", "alidns", ACCESS_KEY),
    Service { base: "/client/v4", ..zone("cloudflare", "cloudflare", TOKEN) },
    cloud("baidu", "baiducloud", SECRET_KEY),
    cloud("dnspod", "dnspod", TOKEN),
    Service { holds: Holds::Sets, ..cloud("huawei", "huaweicloud", SECRET_KEY) },
    zone("digitalocean", "digitalocean", TOKEN),
    Service { base: "/v5/livedns", holds: Holds::Sets, ..zone("gandi", "gandi", TOKEN) },
    Service {
        holds: Holds::Sets,
        ..zone("godaddy", "godaddy", &[("key", "key"), ("secret", "secret")])
    },
    Service { base: "/v1", holds: Holds::Sets, ..zone("hetzner", "hetzner", TOKEN) },
    Service { base: "/v4", ..zone("linode", "linode", TOKEN) },
    Service {
        base: "/api/json/v3",
        ..zone("porkbun", "porkbun", &[("api-key", "key"), ("secret-key", "secret")])
    },
    Service { base: "/v2", ..zone("vultr", "vultr", TOKEN) },
    names("desec", "desec", TOKEN),
    Service { name: "home.duckdns.org", ..names("duckdns", "duckdns", TOKEN) },
    names("dynu", "dynu", BASIC),
    Service { name: "home.dynv6.net", ..names("dynv6", "dynv6", TOKEN) },
    Service { name: "home.freemyip.com", ..names("freemyip", "freemyip", TOKEN) },
    names("he", "he", &[("key", "password")]),
    Service {
        more: &[("domain", "example.com")],
        ..names("namecheap", "namecheap", &[("password", "password")])
    },
    names("noip", "noip", BASIC),
    names("ovh", "ovh-dynhost", BASIC),
    cloud("volcengine", "volcengine", SECRET_KEY),
    cloud("tencent", "tencentcloud", &[("secret-id", "id"), ("secret-key", "secret")]),
    names("strato", "strato", BASIC),
];

impl Service {
    /// Returns the one that a fake pretends to be.
    pub(crate) fn of(fake: &str) -> &'static Self {
        SERVICES.iter().find(|service| service.fake == fake).unwrap()
    }

    /// Returns the account that the fake knows, with one name.
    pub(crate) fn account(&self, fake: &Fake) -> Value {
        let known = fake.account(self.fake);
        let mut account = json!({ "provider": self.provider, "names": self.name });
        account["endpoint"] = json!(format!("{}{}", fake.url(self.fake), self.base));
        for (ours, theirs) in self.keys {
            account[ours] = known[theirs].clone();
        }
        for (key, value) in self.more {
            account[key] = json!(value);
        }
        account
    }

    /// Returns the same with a secret that is wrong.
    pub(crate) fn forged(&self, fake: &Fake) -> Value {
        let mut account = self.account(fake);
        for (ours, _) in self.keys.iter().filter(|(_, theirs)| !["user", "key"].contains(theirs)) {
            account[ours] = json!(spoilt(account[ours].as_str().unwrap()));
        }
        account
    }

    fn opened(&self, fake: &Fake) -> Account {
        Account::open(&self.account(fake))
    }

    /// Returns our records of IPv4 at the service.
    fn ours(&self, fake: &Fake) -> Vec<Value> {
        let records = fake.records(self.fake).into_iter();
        records.filter(|row| row["name"] == self.name && row["type"] == "A").collect()
    }

    /// Puts there what must be there before anybody has written; services differ.
    fn prepare(&self, fake: &Fake) {
        if self.provider == "namecheap" {
            fake.add(&self.row("192.0.2.1"));
        }
    }

    fn row(&self, value: &str) -> Value {
        json!({ "provider": self.fake, "name": self.name, "type": "A", "value": value })
    }
}

/// Returns a secret that is another one.
pub(crate) fn spoilt(secret: &str) -> String {
    let mut text = secret.to_owned();
    text.pop();
    text + "x"
}

const FIRST: &str = "81.2.69.142";
const SECOND: &str = "81.2.69.143";

/// Runs a story for each service; tells all that did not come true at once.
fn each(story: impl Fn(&Service, &Fake) -> Result<(), String>) {
    let fake = Fake::start();
    let told = |service: &Service| {
        let wrong = story(service, &fake).err()?;
        Some(format!("{}: {wrong}", service.provider))
    };
    let wrong: Vec<String> = SERVICES.iter().filter_map(told).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn expect(is_so: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(otherwise()) }
}

#[test]
fn what_is_missing_is_made_and_what_differs_is_changed_in_place() {
    each(|service, fake| {
        service.prepare(fake);
        let account = service.opened(fake);
        let keep = |address: &str| account.keep(address).map_err(|failure| format!("{failure:?}"));
        keep(FIRST)?;
        let made = service.ours(fake);
        expect(made.len() == 1 && made[0]["value"] == FIRST, || format!("{made:?}"))?;
        let written = keep(SECOND)?;
        let changed = service.ours(fake);
        let is_same = changed.len() == 1 && changed[0]["id"] == made[0]["id"];
        expect(is_same && changed[0]["value"] == SECOND, || format!("{made:?} -> {changed:?}"))?;
        let did = written.map(|written| written.change);
        expect(did == Some(Changed::Yes), || format!("a change is told as {did:?}"))?;
        let before = changed[0]["writes"].clone();
        keep(SECOND)?;
        let after = service.ours(fake);
        expect(after[0]["writes"] == before, || format!("what is so is written: {after:?}"))
    });
}

#[test]
fn what_others_have_written_stays() {
    each(|service, fake| {
        if service.holds == Holds::Names {
            return Ok(());
        }
        let other = |name: &str, kind: &str, value: &str| {
            let row =
                json!({ "name": name, "type": kind, "value": value, "provider": service.fake });
            fake.add(&row);
        };
        other("home.example.com", "TXT", "a note");
        other("home.example.com", "AAAA", "2001:db8::25");
        other("myhome.example.com", "A", "192.0.2.25");
        other("example.com", "A", "192.0.2.26");
        other("home.lab.example.org", "A", "192.0.2.27");
        if service.lines == Lines::Several {
            let row = json!({ "name": service.name, "type": "A", "value": "192.0.2.28",
                "line": "oversea", "provider": service.fake });
            fake.add(&row);
        }
        let ours = json!({ "ttl": 900, "comment": "of somebody", "tags": ["owner:somebody"] });
        let mut row = service.row(FIRST);
        row.as_object_mut().unwrap().extend(ours.as_object().unwrap().clone());
        let row = fake.add(&row);
        let before = fake.records(service.fake);
        let account = service.opened(fake);
        account.keep(SECOND).map_err(|failure| format!("{failure:?}"))?;
        let mut expected = before.clone();
        let at = before.iter().position(|one| one["id"] == row["id"]).unwrap();
        expected[at]["value"] = json!(SECOND);
        let mut after = fake.records(service.fake);
        // What the service itself notes of a write.
        for field in ["writes", "changed"] {
            after[at][field] = expected[at][field].clone();
        }
        let lost = expected.iter().filter(|row| !after.contains(row));
        let new = after.iter().filter(|row| !expected.contains(row));
        let told = format!(
            "lost {}, new {}",
            json!(lost.collect::<Vec<_>>()),
            json!(new.collect::<Vec<_>>())
        );
        expect(after == expected, || told)
    });
}

#[test]
fn of_two_records_of_a_name_ours_is_changed_and_nobody_guesses() {
    each(|service, fake| {
        if service.holds != Holds::Rows {
            return Ok(());
        }
        let other = fake.add(&service.row("192.0.2.29"));
        let ours = fake.add(&service.row(FIRST));
        let account = service.opened(fake);
        let values = || -> Vec<Value> {
            service.ours(fake).iter().map(|row| row["value"].clone()).collect()
        };

        let guessed = account.keep(SECOND);
        let is_meant = guessed.as_ref().is_err_and(|failure| failure.class == Class::Parked);
        expect(is_meant && values() == [json!("192.0.2.29"), json!(FIRST)], || {
            format!("{guessed:?}")
        })?;

        let changed =
            account.keep_instead(SECOND, &[FIRST]).map_err(|failure| format!("{failure:?}"))?;
        expect(changed.is_some(), || "nothing was written".into())?;
        expect(values() == [json!("192.0.2.29"), json!(SECOND)], || format!("{:?}", values()))?;
        let ids: Vec<Value> = service.ours(fake).iter().map(|row| row["id"].clone()).collect();
        expect(ids == [other["id"].clone(), ours["id"].clone()], || format!("{ids:?}"))
    });
}

#[test]
fn a_clock_that_is_wrong_is_told_as_such() {
    each(|service, fake| {
        let is_signed = service.keys.iter().any(|(_, theirs)| *theirs == "secret");
        let is_signed = is_signed && service.lines == Lines::Several;
        if !is_signed {
            return Ok(());
        }
        let account = service.opened(fake);
        for skew in [3600, -3600] {
            fake.set(&json!({ "skew": skew }));
            let failure = account.keep(FIRST);
            let is_meant = failure.as_ref().is_err_and(|failure| failure.class == Class::Clock);
            expect(is_meant, || format!("{skew} s: {failure:?}"))?;
        }
        fake.set(&json!({ "skew": 0 }));
        let kept = account.keep(FIRST);
        expect(kept.is_ok(), || format!("{kept:?}"))
    });
}

#[test]
fn a_failure_means_what_the_service_has_said() {
    each(|service, fake| {
        service.prepare(fake);
        let account = service.opened(fake);
        let mut wrong = Vec::new();
        let mut check = |plan: Value, class: Class, what: &str| {
            let mut plan = plan;
            plan["provider"] = json!(service.fake);
            fake.plan(&plan);
            match account.keep(FIRST) {
                Err(failure) if failure.class == class => {}
                other => wrong.push(format!("{what} is told as {other:?}")),
            }
        };
        check(json!({ "status": 500, "body": "oops" }), Class::Transient, "trouble");
        check(
            json!({ "status": 502, "body": "<html>bad gateway</html>" }),
            Class::Transient,
            "a gateway",
        );
        check(json!({ "drop": true }), Class::Transient, "silence");
        let later = json!({ "status": 429, "body": "slowly", "headers": { "Retry-After": "700" } });
        check(later, Class::RateLimited, "a request for patience");
        check(
            json!({ "status": 200, "body": "<html>sign in to the hotel</html>" }),
            Class::Transient,
            "a portal",
        );
        check(json!({ "status": 200, "body": "" }), Class::Transient, "nothing");
        let moved =
            json!({ "status": 302, "body": "", "headers": { "Location": "http://127.0.0.1:1/" } });
        check(moved, Class::Transient, "a redirect");
        expect(wrong.is_empty(), || wrong.join("\n  "))
    });
}

#[test]
fn wrong_credentials_concern_the_account() {
    each(|service, fake| {
        let failure = Account::open(&service.forged(fake)).keep(FIRST);
        let is_meant = failure.as_ref().is_err_and(|failure| {
            failure.class == Class::Parked && failure.reach == Reach::Account
        });
        // It cannot be told from a wrong name there.
        let is_meant = is_meant || service.provider == "duckdns" || service.provider == "freemyip";
        expect(is_meant, || format!("{failure:?}"))
    });
}

#[test]
fn each_word_of_dyndns2_has_its_class() {
    let fake = Fake::start();
    let service = SERVICES.iter().find(|service| service.provider == "dynu").unwrap();
    let account = service.opened(&fake);
    let check = |status: u16, body: &str, expected: Option<(Class, Reach)>| {
        fake.plan(&json!({ "provider": "dynu", "status": status, "body": body }));
        let told = account.keep(FIRST).err().map(|failure| (failure.class, failure.reach));
        assert_eq!(told, expected, "{status} {body}");
    };
    let (record, whole) = (Reach::Binding, Reach::Account);
    check(200, "good 81.2.69.142\r\n", None);
    check(200, "nochg 81.2.69.142", None);
    check(200, "good 127.0.0.1\n", Some((Class::Parked, whole)));
    check(200, "badauth\n", Some((Class::Parked, whole)));
    check(401, "badauth\n", Some((Class::Parked, whole)));
    check(200, "!donator\n", Some((Class::Parked, whole)));
    check(200, "nohost\n", Some((Class::Parked, record)));
    check(200, "notfqdn\n", Some((Class::Parked, record)));
    check(200, "!yours\n", Some((Class::Parked, whole)));
    check(200, "abuse\n", Some((Class::Parked, whole)));
    check(200, "badagent\n", Some((Class::Parked, whole)));
    check(200, "dnserr\n", Some((Class::RateLimited, record)));
    check(200, "911\n", Some((Class::RateLimited, whole)));
    check(200, "<html>hello</html>", Some((Class::Transient, record)));
}

/// The fake is somebody else's; it does not look at signatures, which the official client's do.
#[test]
fn route_53_replaces_a_set_and_leaves_the_others() {
    let moto = Moto::start();
    let account = json!({ "provider": "route53", "endpoint": moto.url, "names": "home.example.com",
        "access-key-id": "AKIDEXAMPLE", "secret-access-key": "SK" });
    let account = Account::open(&account);
    account.keep("2001:db8::1").unwrap().unwrap();
    for address in [FIRST, SECOND] {
        let written = account.keep(address).unwrap().unwrap();
        assert_eq!(written.change, Changed::Yes);
        assert_eq!(account.keep(address).unwrap(), None, "it is so already");
    }
    let records = moto.records();
    assert!(records.contains(&format!("<Value>{SECOND}</Value>")), "{records}");
    assert!(!records.contains(FIRST), "{records}");
    assert!(records.contains("<Value>2001:db8::1</Value>"), "{records}");
}
