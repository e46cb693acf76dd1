//! What stands in files that people really have, and how each oddity comes over.

use super::*;

fn words(imported: &Imported, place: &str) -> String {
    let found = imported.notes.iter().filter(|note| note.place.starts_with(place));
    let lines = found.map(|note| format!("{}: {}", note.fate.word(), note.words));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_name_that_cannot_be_kept_costs_no_other_name() {
    let text = "
dnsconf:
  - ipv4:
      enable: true
      domains: ['@.Example.com', WWW.Example.com., 'www.example.com', '*.example.com', 家.例子.中国, xn--fct.xn--fsqu00a.xn--fiqs8s, home, 'a b.example.com', 'nas:example.com?Comment=x']
    ipv6: { enable: true, domains: [www.example.com] }
    dns: { name: alidns, id: LTAI, secret: hunter2 }
";
    let imported = taken(Origin::DdnsGo, text);
    let names = &imported.config["accounts"]["alidns"]["names"];
    let only = |name: &str| json!({ "name": name, "families": ["ipv4"] });
    let nas = only("nas.example.com");
    let expected = [
        only("example.com"),
        json!("www.example.com"),
        only("*.example.com"),
        only("家.例子.中国"),
        nas,
    ];
    assert_eq!(names, &json!(expected));
    let told = words(&imported, "dnsconf[0]");
    assert!(told.contains("it has one label"), "{told}");
    assert!(told.contains("more than letters"), "{told}");
    assert!(told.contains("takes no `comment`"), "{told}");
    assert_eq!(told.matches("it stands there twice").count(), 2, "{told}");
}

#[test]
fn a_request_of_ones_own_becomes_a_template() {
    let text = "
dnsconf:
  - ipv4: { enable: true, gettype: url, url: 'https://4.ipw.cn', domains: [a.example.org] }
    dns: { name: callback, id: 'https://example.org/u?ip=#{ip}&d=#{domain}', secret: '{\"t\": \"#{recordType}\"}' }
";
    let imported = taken(Origin::DdnsGo, text);
    let account = &imported.config["accounts"]["template"];
    assert_eq!(account["url"], json!("https://example.org/u?ip={{ip}}&d={{fqdn}}"));
    assert_eq!(account["body"], json!("{\"t\": \"{{type}}\"}"));
    let told = words(&imported, "dnsconf[0]");
    assert!(!told.contains("two services"), "one service cannot agree with another: {told}");

    let text = r#"{ "dns": "callback", "id": "https://example.org/?ip=__IP__&n=__DOMAIN__",
        "token": "", "ipv4": ["a.example.org"] }"#;
    let imported = taken(Origin::NewFuture, text);
    let account = &imported.config["accounts"]["template"];
    assert_eq!(account["url"], json!("https://example.org/?ip={{ip}}&n={{fqdn}}"));

    let text = r#"{ "settings": [{ "provider": "custom", "domain": "c.example.org",
        "url": "https://example.org/update?x=1", "ipv4key": "a4", "ipv6key": "a6",
        "success_regex": "good", "ip_version": "ipv4 or ipv6" }] }"#;
    let imported = taken(Origin::DdnsUpdater, text);
    let accounts = &imported.config["accounts"];
    let of = |account: &str, key: &str| accounts[account][key].clone();
    assert_eq!(of("template", "url"), json!("https://example.org/update?x=1&a4={{ip}}"));
    assert_eq!(of("template-2", "url"), json!("https://example.org/update?x=1&a6={{ip}}"));
    assert_eq!(
        of("template-2", "names"),
        json!([{ "name": "c.example.org", "families": ["ipv6"] }])
    );
    assert_eq!(of("template", "ok"), json!("good"));
}

#[test]
fn what_ddclient_says_for_one_provider_is_not_taken_for_the_next() {
    let text = "
daemon=5m
usev4=webv4, webv4=checkip.dyndns.org
protocol=porkbun
apikey=hunter2a
secretapikey=hunter2b
root-domain=example.com
host.example.com,example.com
protocol=cloudflare, \\
zone=example.net, ttl=1, \\
login=token, \\ # only with the global key
password=hunter2cf \\
www, my.example.net
protocol=noip, login=joe, password=hunter2, a.ddns.net
protocol=duckdns, password=hunter2dd mine
protocol=nsupdate, server=ns1.example.com, login=/usr/bin/nsupdate, password=/etc/ddns.key, zone=dyn.example.com, wildcard=yes, x.dyn.example.com
";
    let imported = taken(Origin::Ddclient, text);
    let accounts = &imported.config["accounts"];
    assert_eq!(imported.config["every"], json!("5m"));
    assert_eq!(accounts["noip"]["user"], json!("joe"));
    assert!(accounts["porkbun"]["secret-key"]["secret"].is_string());
    assert!(accounts["cloudflare"]["token"]["secret"].is_string(), "{accounts}");
    assert_eq!(accounts["cloudflare"]["names"][0]["name"], json!("www.example.net"));
    assert_eq!(accounts["duckdns"]["names"][0]["name"], json!("mine.duckdns.org"));
    let rfc2136 = &accounts["rfc2136"];
    assert_eq!([&rfc2136["server"], &rfc2136["zone"]], ["ns1.example.com", "dyn.example.com"]);
    assert!(words(&imported, "line 16, password").contains("the key is in the file"));
    assert!(words(&imported, "line 8").contains("take its place"), "{:?}", imported.notes);
    assert!(words(&imported, "wildcard").starts_with("left"));
    let left = imported.notes.iter().filter(|note| note.words.contains("has nothing like it"));
    assert_eq!(left.count(), 0, "{:?}", imported.notes);
}

#[test]
fn the_samples_of_inadyn_come_over_as_they_are_meant() {
    let text = r#"
include("/etc/inadyn.d/*.conf")
allow-ipv6 = true
provider duckdns.org {
    username = hunter2duck
    password = noPasswordForDuckdns
    hostname = mine.duckdns.org
}
provider freemyip { password = hunter2 hostname = mine.freemyip.com checkip-server = default }
provider dnspod.cn { username = 12345 password = hunter2 hostname = home.example.cn }
provider cloudflare.com:1 {
    checkip-server = 1.1.1.1
    checkip-path = /cdn-cgi/trace
    username = example.net
    password = hunter2cf # a comment
    hostname = { "@", www, home.example.net }
}
provider cloudflare.com:2 {
    checkip-server = dns64.cloudflare-dns.com
    checkip-path = /cdn-cgi/trace
    username = example.net
    password = hunter2cf
    hostname = home.example.net
}
custom namecheap {
    username = example.com
    password = hunter2nc
    ddns-server = dynamicdns.park-your-domain.com
    ddns-path = "/update?domain=%u&password=%p&host=%h"
    hostname = { "@", "www" }
}
provider dynv6.com {
    username = hunter2v6
    password = not_used
    hostname = host1.dynv6.net
    checkip-command = "/sbin/ip -6 addr | awk -F '[ \t]+' '{print $3}'"
}
"#;
    let imported = taken(Origin::Inadyn, text);
    assert!(words(&imported, "include").starts_with("left: what is in other files"));
    let accounts = &imported.config["accounts"];
    let value = |name: &str| {
        let found = imported.secrets.iter().find(|secret| secret.name == name);
        found.map(|secret| secret.value.reveal().to_owned()).unwrap_or_default()
    };
    assert_eq!(value("ddns-duckdns-token"), "hunter2duck");
    assert_eq!(value("ddns-dynv6-token"), "hunter2v6");
    assert_eq!(accounts["dnspod"]["id"], json!("12345"));
    assert_eq!(accounts["freemyip"]["sources"]["ipv4"], json!([{ "web": true }]));
    let name = |name: &str, family: &str| json!({ "name": name, "families": [family] });
    let four = ["example.net", "www.example.net", "home.example.net"].map(|one| name(one, "ipv4"));
    assert_eq!(accounts["cloudflare"]["names"], json!(four));
    assert_eq!(accounts["cloudflare-2"]["names"], json!([name("home.example.net", "ipv6")]));
    assert_eq!(accounts["namecheap"]["domain"], json!("example.com"));
    assert_eq!(accounts["namecheap"]["names"], json!(["example.com", "www.example.com"]));
    let command = accounts["dynv6"]["sources"]["ipv6"][0]["command"][2].as_str().unwrap();
    assert!(command.contains("'[ \t]+'"), "{command}");
}

#[test]
fn every_form_of_newfutures_file_is_read() {
    let text = r#"{
        "ssl": "auto", "cache_max_age": 0, "index4": "public;default", "index6": ["regex:2404:.*"],
        "providers": [
            { "provider": "cloudflare", "token": "hunter2", "ipv4": ["a.example.com"],
              "ipv6": ["a.example.com"], "extra": { "proxied": true, "comment": "hi", "nosuch": 1 } },
            { "name": "noip", "id": "joe", "token": "hunter2", "ipv4": "b.ddns.net",
              "proxy": "127.0.0.1:1080" }
        ] }"#;
    let imported = taken(Origin::NewFuture, text);
    let account = &imported.config["accounts"]["cloudflare"];
    assert_eq!(account["names"][0]["proxied"], json!(true));
    assert_eq!(account["sources"]["ipv4"], json!([{ "web": true }, { "interface": true }]));
    assert!(words(&imported, "providers[0]").contains("takes no `nosuch`"));
    assert!(words(&imported, "providers[0].index6").contains("the usual sources are taken"));
    assert!(words(&imported, "cache_max_age").starts_with("left"));
    assert_eq!(imported.config["accounts"]["noip"]["proxy"], json!("http://127.0.0.1:1080"));
    // Where no provider is named it is DNSPod, whose number of the token may be a number.
    let text = r#"{ "id": 12345, "token": "hunter2", "ipv4": ["home.example.cn"] }"#;
    assert_eq!(taken(Origin::NewFuture, text).config["accounts"]["dnspod"]["id"], json!("12345"));
}

#[test]
fn marks_and_line_ends_of_windows_are_no_part_of_a_file() {
    let with_marks = |text: &str| format!("\u{feff}{}", text.replace('\n', "\r\n"));
    let yaml = "dnsconf:\n  - ipv4:\n      enable: true\n      domains:\n        - a.dynv6.net\n    dns: { name: dynv6, secret: hunter2 }\n";
    let conf = "protocol=noip, \\\nlogin=joe, password=hunter2 \\\na.ddns.net\n";
    let inadyn = "provider dynv6 {\n  username = hunter2\n  hostname = a.dynv6.net\n}\n";
    let updater = "{ \"settings\": [\n{ \"provider\": \"dynv6\", \"domain\": \"a.dynv6.net\", \"token\": \"hunter2\" }\n] }";
    let newfuture = "{ // what it is\n\"dns\": \"noip\", \"id\": \"joe\", \"token\": \"hunter2\",\n\"ipv4\": [\"a.ddns.net\"] }";
    let texts = [yaml, conf, inadyn, updater, newfuture];
    for ((_, origin), text) in Origin::ALL.into_iter().zip(texts) {
        let plain = taken(origin, text).config;
        assert_eq!(taken(origin, &with_marks(text)).config, plain, "{origin:?}");
    }
}

#[test]
fn half_a_file_is_refused_with_its_place() {
    let refused =
        |origin, text: &str| import(origin, text, Shell::Posix).map(drop).unwrap_err().to_string();
    let half = refused(
        Origin::DdnsGo,
        "dnsconf:\n    - ipv4:\n        enable: true\n      dns: {name: dynv6, sec",
    );
    assert!(half.contains("line") && half.starts_with("cannot read it as YAML"), "{half}");
    let tabs = refused(Origin::DdnsGo, "dnsconf:\n\t- ipv4:\n\t\tenable: true\n");
    assert!(tabs.contains("line"), "{tabs}");
    let half = refused(Origin::DdnsUpdater, "{ \"settings\": [\n{ \"provider\": \"dynv6\",");
    assert!(half.contains("line 2"), "{half}");
    let half = refused(Origin::Inadyn, "provider dynv6 {\n  username = x\n");
    assert!(half.contains("a block has no end"), "{half}");
}
