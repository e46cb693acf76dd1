//! Whoever updates a name at these services sends what we send, and understands what we understand.
//!
//! The same service is asked by a client of others and by our binary, each with nothing but a name
//! and credentials. What either sends is compared line by line, and every difference stands here.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    client::Client,
    elders::{self, OURS_SIX, Order, Update, Verdicts},
    home::is_root,
    site::{OURS, Site},
};

/// An update service that keeps names.
struct Service {
    provider: &'static str,
    fake: &'static str,
    name: &'static str,
    /// A name that nobody has there.
    unknown: &'static str,
    login: Login,
}

/// What a service knows its users by.
#[derive(Clone, Copy)]
enum Login {
    Token,
    User,
    /// The name that is updated, with a key.
    Name,
    /// The domain that the name is in, with a password.
    Domain,
}

const fn token(provider: &'static str, name: &'static str, unknown: &'static str) -> Service {
    Service { provider, fake: provider, name, unknown, login: Login::Token }
}

const fn user(provider: &'static str, name: &'static str, unknown: &'static str) -> Service {
    Service { login: Login::User, ..token(provider, name, unknown) }
}

const SERVICES: &[Service] = &[
    token("duckdns", "home.duckdns.org", "nobody.duckdns.org"),
    token("dynv6", "home.dynv6.net", "nobody.dynv6.net"),
    token("freemyip", "home.freemyip.com", "nobody.freemyip.com"),
    token("desec", "desec.example.com", "desec.nobody.test"),
    Service {
        login: Login::Domain,
        ..token("namecheap", "namecheap.example.com", "nobody.example.com")
    },
    user("noip", "noip.example.com", "noip.nobody.test"),
    user("dynu", "dynu.example.com", "dynu.nobody.test"),
    Service { fake: "ovh", ..user("ovh-dynhost", "ovh.example.com", "ovh.nobody.test") },
    Service { login: Login::Name, ..token("he", "he.example.com", "he.nobody.test") },
    user("strato", "strato.example.com", "strato.nobody.test"),
    user("selfhost", "selfhost.example.com", "selfhost.nobody.test"),
    user("dyn", "dyn.example.com", "dyn.nobody.test"),
    user("dnsomatic", "dnsomatic.example.com", "dnsomatic.nobody.test"),
    user("variomedia", "variomedia.example.com", "variomedia.nobody.test"),
];

/// A service as another client knows it, and what either sends that the other one does not.
struct Pair {
    provider: &'static str,
    way: &'static str,
    theirs: &'static [&'static str],
    ours: &'static [&'static str],
}

const fn pair(
    provider: &'static str,
    way: &'static str,
    theirs: &'static [&'static str],
    ours: &'static [&'static str],
) -> Pair {
    Pair { provider, way, theirs, ours }
}

/// A client of others.
struct Elder {
    update: Update,
    /// What it publishes.
    address: &'static str,
    /// The services whose refusals it does not notice.
    careless: &'static [&'static str],
}

/// What ddclient says of the protocol, which only OVH wants to know.
const SYSTEM: &[&str] = &["system=dyndns"];

#[test]
fn inadyn_and_mainstay_are_alike() {
    let pairs = [
        pair("duckdns", "default@duckdns.org", &[], &["verbose=true"]),
        // It lets the service look at the connection, which has to be one of IPv4 then.
        pair(
            "dynv6",
            "default@ipv4.dynv6.com",
            &["host ipv4.dynv6.com", "hostname=home.dynv6.net", "ipv4=auto"],
            &["host dynv6.com", "ipv4=81.2.69.142", "zone=home.dynv6.net"],
        ),
        pair("freemyip", "default@freemyip.com", &[], &["myip=81.2.69.142", "verbose=yes"]),
        pair("noip", "default@no-ip.com", &[], &[]),
        pair("dynu", "default@dynu.com", &[], &["myipv6=no"]),
        pair("ovh-dynhost", "default@ovh.com", &[], &[]),
        pair("he", "dyndns@he.net", &[], &[]),
        pair("strato", "default@strato.com", SYSTEM, &[]),
        pair("selfhost", "default@selfhost.de", &[], &[]),
        pair("dyn", "default@dyndns.org", &[], &[]),
        pair("dnsomatic", "default@dnsomatic.com", &[], UNTOUCHED),
    ];
    compare(&Elder { update: elders::inadyn, address: OURS, careless: &[] }, &pairs);
}

/// What DNS-O-Matic is told to leave alone.
const UNTOUCHED: &[&str] = &["backmx=NOCHG", "mx=NOCHG", "wildcard=NOCHG"];

#[test]
fn ddclient_and_mainstay_are_alike() {
    let pairs = [
        pair("duckdns", "protocol=duckdns", &[], &["verbose=true"]),
        pair("freemyip", "protocol=freemyip", &[], &["myip=81.2.69.142", "verbose=yes"]),
        pair("namecheap", "protocol=namecheap", &[], &[]),
        pair("noip", "protocol=noip", &["system=noip"], &[]),
        pair("ovh-dynhost", "protocol=ovh", &[], &[]),
        pair("dyn", "protocol=dyndns2", SYSTEM, &[]),
        // These it knows by what their users write of them: where they are is not its own.
        pair("dynu", "protocol=dyndns2, server=api.dynu.com", SYSTEM, &["myipv6=no"]),
        pair("he", "protocol=dyndns2, server=dyn.dns.he.net", SYSTEM, &[]),
        pair("strato", "protocol=dyndns2, server=dyndns.strato.com", SYSTEM, &[]),
        pair("selfhost", "protocol=dyndns2, server=carol.selfhost.de", SYSTEM, &[]),
        pair("dnsomatic", "protocol=dyndns2, server=updates.dnsomatic.com", SYSTEM, UNTOUCHED),
        pair("variomedia", "protocol=dyndns2, server=dyndns.variomedia.de", SYSTEM, &[]),
        pair(
            "desec",
            "protocol=dyndns2, server=update.dedyn.io",
            &["authorization Basic ***", "myip=81.2.69.142", "path /nic/update", "system=dyndns"],
            &["authorization Token ***", "myipv4=81.2.69.142", "myipv6=preserve", "path /"],
        ),
    ];
    compare(&Elder { update: elders::ddclient, address: OURS, careless: &[] }, &pairs);
}

#[test]
fn ddupdate_and_mainstay_are_alike_with_ipv6() {
    let pairs = [
        pair("duckdns", "duckdns.org", &[], &["verbose=true"]),
        pair(
            "dynv6",
            "dynv6.com",
            &["hostname=home.dynv6.net", "ipv4=auto"],
            &["ipv6prefix=2a02:c7d:1::%2F64", "zone=home.dynv6.net"],
        ),
        pair(
            "dynu",
            "dynu.com",
            &["password=***", "scheme http", "username=somebody"],
            &["authorization Basic ***", "myip=no", "scheme https"],
        ),
        pair(
            "he",
            "hurricane_electric",
            &["method POST", "password=***"],
            &["authorization Basic ***", "method GET"],
        ),
    ];
    // Of these it looks at the status alone, which tells nothing.
    let careless = &["dynu", "he"];
    compare(&Elder { update: elders::ddupdate, address: OURS_SIX, careless }, &pairs);
}

/// A request, as a set of lines: two that mean the same have the same.
type Request = BTreeSet<String>;

/// Compares a client of others with ours, at the same services.
fn compare(elder: &Elder, pairs: &[Pair]) {
    if !is_root() {
        return;
    }
    Site::tell(|site| {
        let theirs = let_them_update(site, elder, pairs);
        let ours = update_ourselves(site, elder.address, pairs);
        let only = |one: &Request, other: &Request| -> Vec<String> {
            one.difference(other).cloned().collect()
        };
        for ((pair, theirs), ours) in pairs.iter().zip(&theirs).zip(&ours) {
            let found = (only(theirs, ours), only(ours, theirs));
            let known = (lines(pair.theirs), lines(pair.ours));
            assert_eq!(found, known, "{}: theirs alone, ours alone", pair.provider);
        }
    });
}

fn lines(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

/// Lets a client of others update each name; returns what it sent when all was well.
fn let_them_update(site: &Site, elder: &Elder, pairs: &[Pair]) -> Vec<Request> {
    begin(site);
    let orders = |name: fn(&Service) -> &'static str, end: &str| -> Vec<Order> {
        pairs.iter().map(|pair| pair.order(site, name(pair.service()), end)).collect()
    };
    let judged = |orders: Vec<Order>, is_meant: bool| {
        site.fake.set(&json!({ "forget": true }));
        let mut verdicts = (elder.update)(site, &orders);
        verdicts
            .retain(|service, is_good| *is_good != is_meant && !elder.careless.contains(service));
        assert_eq!(verdicts, Verdicts::new(), "everything is taken for {is_meant}");
    };
    judged(orders(|service| service.name, ""), true);
    let requests = pairs.iter().map(|pair| sent(site, pair.service(), elder.address)).collect();
    judged(orders(|service| service.name, ""), true);
    judged(orders(|service| service.name, "x"), false);
    judged(orders(|service| service.unknown, ""), false);
    for pair in pairs {
        assert_eq!(writes(site, pair.service()), 0, "{}", pair.provider);
    }
    requests
}

/// Updates each name by our binary; returns what it sent when all was well.
fn update_ourselves(site: &Site, address: &str, pairs: &[Pair]) -> Vec<Request> {
    site.fake.set(&json!({ "forget": true, "empty": true }));
    begin(site);
    let mut accounts = serde_json::Map::new();
    for service in pairs.iter().map(Pair::service) {
        let mut insert = |what: &str, name: &str, end: &str| {
            let account = service.account(site, name, end);
            accounts.insert(format!("{}-{what}", service.provider), account);
        };
        insert("good", service.name, "");
        insert("wrong", service.name, "x");
        insert("unknown", service.unknown, "");
    }
    let (family, kind) = if address.contains(':') { ("ipv6", "AAAA") } else { ("ipv4", "A") };
    let mut sources = json!({ "ipv4": [], "ipv6": [] });
    sources[family] = json!([{ "static": address }]);
    let config = json!({ "every": "1h", "settle": "0s", "sources": sources, "accounts": accounts });
    let client = Client::start_through(&site.through(), &config);
    let id = |service: &Service, what: &str, name: &str| {
        format!("{}-{what}/{name}/{kind}", service.provider)
    };
    for service in pairs.iter().map(Pair::service) {
        client.wait_for_published(&id(service, "good", service.name), address);
        for (what, name) in [("wrong", service.name), ("unknown", service.unknown)] {
            client.wait_for(&id(service, what, name), |record| record["state"] == "parked");
        }
    }
    pairs.iter().map(|pair| sent(site, pair.service(), address)).collect()
}

/// Puts there what must be there before anybody has written.
fn begin(site: &Site) {
    let record = json!({ "provider": "namecheap", "name": "namecheap.example.com", "type": "A",
        "value": "192.0.2.1" });
    site.fake.add(&record);
}

/// Returns the request that has put an address where it belongs.
fn sent(site: &Site, service: &Service, address: &str) -> Request {
    let log = site.fake.log(service.fake);
    let has_written = |entry: &&Value| {
        let mut wrote = entry["wrote"].as_array().unwrap().iter();
        wrote.any(|wrote| wrote["name"] == service.name && wrote["to"] == address)
    };
    let entry = log.iter().find(has_written);
    told(entry.unwrap_or_else(|| panic!("{}: {log:#?}", service.provider)))
}

fn writes(site: &Site, service: &Service) -> usize {
    let log = site.fake.log(service.fake);
    log.iter().map(|entry| entry["wrote"].as_array().unwrap().len()).sum()
}

/// Returns what a request says: where it goes, who sends it, and each parameter by itself.
fn told(entry: &Value) -> Request {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let target = text(&entry["target"]);
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let fixed = [
        format!("method {}", text(&entry["method"])),
        format!("scheme {}", text(&entry["scheme"])),
        format!("host {}", text(&entry["headers"]["host"])),
        format!("path {path}"),
    ];
    let authorization = Some(text(&entry["authorization"])).filter(|text| !text.is_empty());
    let body = text(&entry["body"]);
    let parameters = query.split('&').chain(body.split('&')).filter(|pair| !pair.is_empty());
    fixed
        .into_iter()
        .chain(authorization.map(|text| format!("authorization {text}")))
        .chain(parameters.map(|pair| pair.replace("%3A", ":")))
        .collect()
}

impl Pair {
    fn service(&self) -> &'static Service {
        let mut services = SERVICES.iter();
        services.find(|service| service.provider == self.provider).unwrap()
    }

    /// Returns what the other client is told; with a wrong end, its credentials are none.
    fn order(&self, site: &Site, name: &str, end: &str) -> Order {
        let service = self.service();
        let known = site.fake.account(service.fake);
        let text = |key: &str| known[key].as_str().unwrap().to_owned() + end;
        let password = text(if known["token"].is_null() { "password" } else { "token" });
        let user = match service.login {
            // A service that has users has one for its tokens, too; others take the token for both.
            Login::Token => known["user"].as_str().map_or(password.clone(), str::to_owned),
            Login::User => text("user"),
            Login::Name => name.to_owned(),
            Login::Domain => "example.com".to_owned(),
        };
        Order { service: self.provider, way: self.way, name: name.to_owned(), user, password }
    }
}

impl Service {
    /// Returns the account as our users write it; with a wrong end, its credentials are none.
    fn account(&self, site: &Site, name: &str, end: &str) -> Value {
        let known = site.fake.account(self.fake);
        let secret = |key: &str| json!(known[key].as_str().unwrap().to_owned() + end);
        let mut account = json!({ "provider": self.provider, "ca-file": site.authority(),
            "names": [{ "name": name, "verify": false }] });
        match self.login {
            Login::Token => account["token"] = secret("token"),
            Login::User => {
                account["user"] = known["user"].clone();
                account["password"] = secret("password");
            }
            Login::Name => account["key"] = secret("password"),
            Login::Domain => {
                account["domain"] = json!("example.com");
                account["password"] = secret("password");
            }
        }
        account
    }
}
