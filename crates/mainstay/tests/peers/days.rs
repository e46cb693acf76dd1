//! Days in the life of a client: services that refuse, lie, hang or are gone, and kills.

use std::time::Duration;

use mainstay_platform::clock;
use serde_json::{Value, json};

use crate::{client::Client, fake::Fake, processes::wait_until};

const FIRST: &str = "81.2.69.142";
const SECOND: &str = "81.2.69.143";
const NAME: &str = "home.example.com";
const CLOUDFLARE: &str = "cf/home.example.com/A";
const DYNDNS: &str = "dyn/home.example.com/A";

/// Returns a configuration that asks one echo each second, and has these accounts.
fn config(fake: &Fake, accounts: &Value) -> Value {
    let sources = json!({ "ipv4": [{ "web": format!("{}/ip", fake.url("echo4")) }], "ipv6": [] });
    json!({ "every": "1s", "settle": "100ms", "sources": sources, "accounts": accounts })
}

fn cloudflare(fake: &Fake, names: &[&str]) -> Value {
    let endpoint = format!("{}/client/v4", fake.url("cloudflare"));
    let names: Vec<Value> =
        names.iter().map(|name| json!({ "name": name, "verify": false })).collect();
    json!({ "provider": "cloudflare", "endpoint": endpoint, "names": names,
        "token": fake.account("cloudflare")["token"] })
}

fn dyndns2(fake: &Fake, password: &Value) -> Value {
    let url = format!("{}/nic/update", fake.url("dyndns2"));
    json!({ "provider": "dyndns2", "url": url, "user": fake.account("dyndns2")["user"],
        "password": password, "names": [{ "name": NAME, "verify": false }] })
}

fn password(fake: &Fake) -> Value {
    fake.account("dyndns2")["password"].clone()
}

/// Returns how many times something has been answered.
fn count(fake: &Fake, provider: &str, what: &str) -> usize {
    let log = fake.log(provider);
    log.iter().filter(|one| one["answer"].as_str().unwrap().contains(what)).count()
}

/// Waits until the echo has been asked some times more.
fn let_looks_pass(fake: &Fake, looks: usize) {
    let goal = fake.log("echo4").len() + looks;
    wait_until("the client looks", || fake.log("echo4").len() >= goal);
}

#[test]
fn a_refusal_is_answered_with_silence_until_the_configuration_is_another_one() {
    let fake = Fake::start();
    let wrong = config(&fake, &json!({ "dyn": dyndns2(&fake, &json!("wrong")) }));
    let mut client = Client::start(&wrong);
    let record = client.wait_for(DYNDNS, |record| record["state"] == "parked");
    assert_eq!(record["code"], "badauth", "{record}");
    fake.set(&json!({ "address": { "v4": SECOND } }));
    let_looks_pass(&fake, 3);
    client.wait_for(DYNDNS, |record| record["want"] == json!([SECOND]));
    client.kill();
    client.again();
    let_looks_pass(&fake, 3);
    assert_eq!(fake.log("dyndns2").len(), 1, "a restart is no reason to ask again");

    client.kill();
    client.configure(&config(&fake, &json!({ "dyn": dyndns2(&fake, &password(&fake)) })));
    client.again();
    client.wait_for_published(DYNDNS, SECOND);
    assert_eq!(fake.log("dyndns2").len(), 2);
}

#[test]
fn one_that_hangs_holds_nobody_else_up() {
    let fake = Fake::start();
    fake.plan(&json!({ "provider": "dyndns2", "delay": 60, "times": null }));
    let names: Vec<String> = (0..99).map(|number| format!("name{number}.example.com")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let accounts =
        json!({ "cf": cloudflare(&fake, &names), "dyn": dyndns2(&fake, &password(&fake)) });
    let began = clock::monotonic();
    let client = Client::start(&config(&fake, &accounts));
    wait_until("all others are published", || {
        let status = client.status();
        let names = status["names"].as_array().unwrap();
        names.iter().filter(|name| name["state"] == "published").count() == 99
    });
    assert_eq!(fake.records("cloudflare").len(), 99);
    assert_ne!(client.record(DYNDNS)["state"], "published");
    // A request is given up after fifteen seconds.
    let took = clock::monotonic().saturating_sub(began);
    assert!(took < Duration::from_secs(15), "{took:?}");
}

#[test]
fn a_family_that_is_missing_holds_the_other_one_not_up() {
    let fake = Fake::start();
    let mut config = config(&fake, &json!({ "cf": cloudflare(&fake, &[NAME]) }));
    config["sources"]["ipv6"] = json!([{ "web": "http://[::1]:1/ip" }]);
    let client = Client::start(&config);
    client.wait_for_published(CLOUDFLARE, FIRST);
    let other = client.record("cf/home.example.com/AAAA");
    assert_eq!(other["state"], "unaddressed", "{other}");
}

#[test]
fn what_only_one_voter_says_is_not_written() {
    let fake = Fake::start();
    let echo = |path: &str| format!("{}/{path}", fake.url("echo4"));
    let mut config = config(&fake, &json!({ "cf": cloudflare(&fake, &[NAME]) }));
    config["sources"]["ipv4"] = json!([{ "web": [echo("a"), echo("b"), echo("c")], "agree": 2 }]);
    let say = |path: &str, body: &str| {
        let plan = json!({ "provider": "echo4", "match": format!("^/{path}"), "times": null, "body": body });
        fake.plan(&plan);
    };
    say("b", "1.2.1.1");
    say("c", "<html><body>Your address is 81.2.69.142, and 1 user is online</body></html>");
    let client = Client::start(&config);
    let_looks_pass(&fake, 6);
    assert_eq!(client.record(CLOUDFLARE)["state"], "unaddressed");
    for useless in ["192.168.1.7\n", "100.64.3.4\n", "127.0.0.1\n"] {
        // In one breath: between two plans somebody may look.
        let plan = json!({ "provider": "echo4", "times": null, "body": useless });
        fake.set(&json!({ "clear": true, "answer": plan }));
        let_looks_pass(&fake, 4);
        let record = client.record(CLOUDFLARE);
        assert_eq!(record["state"], "unaddressed", "{useless}: {record}");
    }
    assert_eq!(fake.log("cloudflare"), [Value::Null; 0], "nobody was asked for anything");
    let wrong = json!({ "provider": "echo4", "match": "^/b", "times": null, "body": "1.2.1.1" });
    fake.set(&json!({ "clear": true, "answer": wrong }));
    client.wait_for_published(CLOUDFLARE, FIRST);
}

#[test]
fn a_kill_at_any_step_costs_one_write_at_most() {
    let fake = Fake::start();
    fake.add(&json!({ "provider": "cloudflare", "name": NAME, "type": "A", "value": "192.0.2.1" }));
    let config = config(&fake, &json!({ "cf": cloudflare(&fake, &[NAME]) }));
    let hang = |provider: &str, pattern: &str, method: &str| {
        fake.plan(
            &json!({ "provider": provider, "match": pattern, "method": method, "delay": 60 }),
        );
    };
    let steps = [
        ("echo4", "/ip", "GET"),
        ("cloudflare", "/zones", "GET"),
        ("cloudflare", "dns_records", "GET"),
        ("cloudflare", "dns_records", "PATCH"),
    ];
    let mut kept = None;
    for (number, (provider, pattern, method)) in steps.into_iter().enumerate() {
        let address = format!("81.2.69.{}", number + 1);
        fake.set(&json!({ "clear": true, "forget": true, "address": { "v4": address } }));
        hang(provider, pattern, method);
        let mut client = Client::start(&config);
        wait_until("the client waits for an answer", || {
            let log = fake.log(provider);
            log.iter().any(|one| one["planned"] == true)
        });
        client.kill();
        client.again();
        client.wait_for_published(CLOUDFLARE, &address);
        let writes: usize =
            fake.log("cloudflare").iter().map(|one| one["wrote"].as_array().unwrap().len()).sum();
        assert_eq!(writes, 1, "{method} {pattern}: it is read before it is written again");
        kept = Some(client);
    }
    let mut client = kept.unwrap();
    client.kill();
    client.again();
    client.wait_for_published(CLOUDFLARE, "81.2.69.4");
    let_looks_pass(&fake, 1);
    let writes = fake.log("cloudflare").iter().filter(|one| one["method"] != "GET").count();
    assert_eq!(writes, 1, "what was published is known to the next one");
}

/// Every instant between two steps: noted, written, answered, kept.
#[cfg(feature = "fail")]
const INSTANTS: [&str; 6] = [
    "ddns.intent.before",
    "ddns.intent.after",
    "ddns.write.before",
    "ddns.write.after",
    "ddns.end.before",
    "ddns.end.after",
];

#[cfg(feature = "fail")]
#[test]
fn a_death_around_a_write_costs_no_other_where_one_can_read() {
    let fake = Fake::start();
    fake.add(&json!({ "provider": "cloudflare", "name": NAME, "type": "A", "value": "192.0.2.1" }));
    let config = config(&fake, &json!({ "cf": cloudflare(&fake, &[NAME]) }));
    let mut client = Client::start(&config);
    // Where it was noted, written, or answered and not kept; before that nothing has happened.
    let instants = ["ddns.intent.after", "ddns.write.after", "ddns.end.before"];
    for (number, instant) in instants.into_iter().enumerate() {
        client.kill();
        let address = format!("81.2.69.{}", number + 1);
        fake.set(&json!({ "clear": true, "forget": true, "address": { "v4": address } }));
        // Whoever comes later need not wait until the former one could be done.
        client.is_later(200 * number + 60);
        client.dies_at(instant);
        client.is_later(200 * number + 160);
        client.again();
        client.wait_for_published(CLOUDFLARE, &address);
        let log = fake.log("cloudflare");
        let writes: usize = log.iter().map(|one| one["wrote"].as_array().unwrap().len()).sum();
        assert_eq!(writes, 1, "{instant}");
    }
}

#[cfg(feature = "fail")]
#[test]
fn a_death_at_any_named_instant_costs_one_write_at_most_where_nobody_can_read() {
    for instant in INSTANTS {
        let fake = Fake::start();
        let config = config(&fake, &json!({ "dyn": dyndns2(&fake, &password(&fake)) }));
        let mut client = Client::prepared(&config);
        client.dies_at(instant);
        client.is_later(120);
        client.again();
        client.wait_for_published(DYNDNS, FIRST);
        let writes = fake.log("dyndns2").len();
        let is_known = matches!(instant, "ddns.intent.before" | "ddns.end.after");
        assert!(writes == 1 || !is_known && writes == 2, "{instant}: {writes} writes");
    }
}

#[test]
fn kills_make_no_storm_of_nothing_new() {
    let fake = Fake::start();
    let config = config(&fake, &json!({ "dyn": dyndns2(&fake, &password(&fake)) }));
    // The service has written it, and its answer is lost with us.
    fake.plan(&json!({ "provider": "dyndns2", "delay": 60 }));
    let mut client = Client::start(&config);
    wait_until("the name is written", || fake.log("dyndns2").len() == 1);
    for _ in 0..5 {
        client.kill();
        client.again();
        let_looks_pass(&fake, 1);
    }
    assert_eq!(fake.log("dyndns2").len(), 1, "nobody knows whether it was written: not at once");
    client.kill();
    client.is_later(120);
    client.again();
    client.wait_for_published(DYNDNS, FIRST);
    let before = count(&fake, "dyndns2", "nochg");
    assert_eq!((before, fake.log("dyndns2").len()), (1, 2));
    for _ in 0..5 {
        client.kill();
        client.again();
        client.wait_for_published(DYNDNS, FIRST);
        let_looks_pass(&fake, 1);
    }
    assert_eq!(count(&fake, "dyndns2", "nochg"), before, "what is published is kept");
}

#[test]
fn a_clock_that_is_wrong_parks_nothing() {
    let fake = Fake::start();
    let keys = fake.account("alidns");
    let account = json!({ "provider": "alidns", "endpoint": fake.url("alidns"),
        "access-key-id": keys["key"], "access-key-secret": keys["secret"],
        "names": [{ "name": NAME, "verify": false }] });
    fake.set(&json!({ "skew": 3600 }));
    let client = Client::start(&config(&fake, &json!({ "ali": account })));
    let id = "ali/home.example.com/A";
    let record = client.wait_for(id, |record| record["state"] == "backing-off");
    assert_eq!(record["failed"]["clock"], 1, "{record}");
    assert!(record["why"].as_str().unwrap().contains("clock"), "{record}");
    fake.set(&json!({ "skew": 0 }));
    client.update_now();
    client.wait_for_published(id, FIRST);
}

#[test]
fn no_secret_is_printed() {
    let fake = Fake::start();
    let mut accounts =
        json!({ "cf": cloudflare(&fake, &[NAME]), "dyn": dyndns2(&fake, &password(&fake)) });
    accounts["duck"] = json!({ "provider": "duckdns", "endpoint": fake.url("duckdns"),
        "token": "duckdns-token", "names": [{ "name": "nobody.duckdns.org", "verify": false }] });
    let client = Client::start(&config(&fake, &accounts));
    client.wait_for_published(CLOUDFLARE, FIRST);
    client.wait_for("duck/nobody.duckdns.org/A", |record| record["state"] == "parked");
    let told = format!("{}{}", client.said(), client.status());
    for provider in ["cloudflare", "dyndns2", "duckdns"] {
        for (key, secret) in fake.account(provider).as_object().unwrap() {
            let secret = secret.as_str().unwrap();
            assert!(key == "user" || !told.contains(secret), "{provider} {key}: {told}");
        }
    }
}
