//! The fakes are proved before our client meets them: the clouds' own clients take their answers,
//! and they take the clients' signatures.

use std::{net::UdpSocket, process::Command, time::Duration};

use serde_json::{Value, json};

use crate::{
    clients::{self, Task},
    fake::Fake,
    http,
    peer::{self, Folder},
    python,
};

/// Lets the official client create a record, find it and change it; returns what is left of it.
fn judge(fake: &Fake, provider: &str) -> Vec<Value> {
    let account = fake.account(provider).to_string();
    let mut oracle: Command = python::script("oracle.py");
    oracle.args([provider, &fake.url(provider), &account]);
    let said = peer::run(&mut oracle).unwrap_or_else(|said| panic!("{provider}: {said}"));
    assert_eq!(said, "", "{provider}");
    let name = json!("home.example.com");
    fake.records(provider).into_iter().filter(|record| record["name"] == name).collect()
}

#[test]
fn known_signatures_are_computed_right() {
    let said = peer::run(python::script("fake.py").arg("--self-test")).unwrap();
    assert_eq!(said, "9 signatures are right\n");
}

#[test]
fn the_clients_of_the_clouds_take_the_fakes_for_real() {
    let fake = Fake::start();
    let other = json!({ "provider": "cloudflare", "name": "mail.example.com", "type": "A",
        "value": "192.0.2.25", "proxied": true, "ttl": 1, "comment": "not ours" });
    let other = fake.add(&other);
    let expected = [
        ("cloudflare", json!("198.51.100.8")),
        ("alidns", json!("198.51.100.8")),
        ("tencent", json!("198.51.100.7")),
        ("huawei", json!("198.51.100.8")),
        ("baidu", json!("198.51.100.8")),
    ];
    for (provider, value) in expected {
        let records = judge(&fake, provider);
        assert_eq!(records.len(), 1, "{provider}: {records:?}");
        assert_eq!(records[0]["value"], value, "{provider}");
    }
    assert!(fake.records("cloudflare").contains(&other), "nobody asked for that one");
}

#[test]
fn clients_of_twenty_years_take_the_fake_of_dyndns2_for_real() {
    let (fake, folder) = (Fake::start(), Folder::new("clients"));
    let account = fake.account("dyndns2");
    let [server, echo] = ["dyndns2", "echo4"].map(|name| fake.url(name).replace("http://", ""));
    let task = |name: &'static str| Task {
        server: &server,
        echo: &echo,
        user: account["user"].as_str().unwrap(),
        password: account["password"].as_str().unwrap(),
        name,
    };
    let said = clients::ddclient(&folder, &task("home.example.com")).unwrap();
    assert!(said.contains("IP address set to 81.2.69.142"), "{said}");
    let said = clients::inadyn(&folder, &task("office.example.com")).unwrap();
    assert!(said.contains("Successful alias table update for office.example.com"), "{said}");
    let records = fake.records("dyndns2");
    let values: Vec<(&Value, &Value)> =
        records.iter().map(|one| (&one["name"], &one["value"])).collect();
    let expected =
        ["home.example.com", "office.example.com"].map(|name| (json!(name), json!("81.2.69.142")));
    assert_eq!(values, expected.each_ref().map(|(name, value)| (name, value)));
    fake.plan(&json!({ "provider": "dyndns2", "body": "abuse\n" }));
    clients::inadyn(&folder, &task("office.example.com")).unwrap_err();
}

#[test]
fn a_fake_does_what_the_test_plans_and_masks_what_is_secret() {
    let fake = Fake::start();
    let update = |address: &str| {
        let query = format!("domains=home&token=duckdns-token&ip={address}&verbose=true");
        http::ask("GET", &format!("{}/update?{query}", fake.url("duckdns")), "", "").unwrap()
    };
    fake.plan(&json!({ "provider": "duckdns", "status": 429, "body": "slow down",
        "headers": { "Retry-After": "7" } }));
    assert_eq!(update("198.51.100.7"), (429, "slow down".into()));
    assert_eq!(update("198.51.100.7").1, "OK\n198.51.100.7\n\nUPDATED");
    fake.plan(&json!({ "provider": "duckdns", "drop": true, "apply": true }));
    let query = "domains=home&token=duckdns-token&ip=198.51.100.8";
    let lost = http::ask("GET", &format!("{}/update?{query}", fake.url("duckdns")), "", "");
    assert_eq!(lost, None, "the answer is lost, the work is done");
    assert_eq!(update("198.51.100.8").1, "OK\n198.51.100.8\n\nNOCHANGE");

    let records = fake.records("duckdns");
    assert_eq!((records.len(), &records[0]["writes"]), (1, &json!(1)), "{records:?}");
    let log = fake.log("duckdns");
    let wrote: Vec<usize> = log.iter().map(|one| one["wrote"].as_array().unwrap().len()).collect();
    assert_eq!(wrote, [0, 1, 1, 0]);
    assert!(!json!(log).to_string().contains("duckdns-token"), "{log:?}");
}

#[test]
fn echoes_say_what_the_test_wants() {
    let fake = Fake::start();
    let read = |provider: &str, path: &str| {
        http::ask("GET", &format!("{}{path}", fake.url(provider)), "", "").unwrap().1
    };
    assert_eq!(read("echo4", "/ip"), "81.2.69.142\n");
    fake.set(&json!({ "address": { "v4": "81.2.69.143" } }));
    assert_eq!(read("echo4", "/ip"), "81.2.69.143\n");
    assert_eq!(read("echo6", "/ip"), "2a02:c7d:1::142\n");
    fake.plan(&json!({ "provider": "echo4", "match": "^/two", "times": null, "body": "1.2.1.1" }));
    assert_eq!(
        (read("echo4", "/two").as_str(), read("echo4", "/one").as_str()),
        ("1.2.1.1", "81.2.69.143\n")
    );
}

#[test]
fn a_router_that_stands_behind_another_one_says_so_by_nat_pmp() {
    let fake = Fake::start();
    let ask = || {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        socket.send_to(&[0, 0], fake.url("natpmp")).unwrap();
        let mut answer = [0; 12];
        assert_eq!(socket.recv(&mut answer).unwrap(), 12);
        assert_eq!(answer[..4], [0, 128, 0, 0]);
        answer[8..].to_vec()
    };
    assert_eq!(ask(), [10, 20, 30, 40]);
    fake.set(&json!({ "address": { "router": "81.2.69.142" } }));
    assert_eq!(ask(), [81, 2, 69, 142]);
}

#[test]
fn the_words_of_dyndns2_are_given_for_what_they_mean() {
    let fake = Fake::start();
    let check = |provider: &str, query: &str, expected: &str| {
        let account = fake.account(provider);
        let [user, password] = ["user", "password"].map(|key| account[key].as_str().unwrap());
        let pair = peer::run(Command::new("sh").args([
            "-c",
            "printf %s \"$0\" | base64",
            &format!("{user}:{password}"),
        ]));
        let headers =
            format!("User-Agent: a/1\r\nAuthorization: Basic {}\r\n", pair.unwrap().trim());
        let url = format!("{}/nic/update?{query}", fake.url(provider));
        assert_eq!(
            http::ask("GET", &url, &headers, "").unwrap().1,
            expected,
            "{provider}: {query}"
        );
    };
    check("dyndns2", "hostname=home.example.com&myip=81.2.69.1", "good 81.2.69.1\n");
    check("dyndns2", "hostname=home.example.com&myip=81.2.69.1", "nochg 81.2.69.1\n");
    check("dyndns2", "hostname=home.example.com&myip=2001:db8::1", "good 2001:db8::1\n");
    check("dyndns2", "hostname=home.nobody.test&myip=81.2.69.1", "nohost\n");
    check("dyndns2", "hostname=home&myip=81.2.69.1", "notfqdn\n");
    let two = "hostname=home.example.com,office.example.com&myip=81.2.69.2";
    check("dyndns2", two, "good 81.2.69.2\ngood 81.2.69.2\n");
    for _ in 0..5 {
        check("dyndns2", "hostname=home.example.com&myip=81.2.69.2", "nochg 81.2.69.2\n");
    }
    check("dyndns2", "hostname=home.example.com&myip=81.2.69.2", "abuse\n");

    check("ovh", "hostname=home.example.com&myip=81.2.69.1", "badsys\n");
    check("ovh", "system=dyndns&hostname=home.example.com&myip=2001:db8::1", "badrequest\n");
    check("he", "hostname=home.example.com&myip=81.2.69.1", "good 81.2.69.1\n");
    check("dynu", "hostname=home.example.com&myip=81.2.69.1&myipv6=no", "good 81.2.69.1\n");
    check("dynu", "hostname=home.example.com&myip=81.2.69.1", "good 81.2.69.1,2001:db8:dead::1\n");
    check(
        "noip",
        "hostname=home.example.com&myip=81.2.69.1,2001:db8::1",
        "good 81.2.69.1,2001:db8::1\n",
    );
    check("noip", "hostname=home.example.com&myip=81.2.69.2", "good 81.2.69.2\n");
    assert_eq!(fake.records("noip").len(), 1, "what is not told is removed");
    let url = format!("{}/nic/update?hostname=home.example.com&myip=81.2.69.1", fake.url("ovh"));
    assert_eq!(http::ask("GET", &url, "User-Agent: a/1\r\n", ""), Some((401, "badauth\n".into())));
}
