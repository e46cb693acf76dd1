//! Stories of files of other clients, and what becomes of them.

use serde_json::json;

use super::*;
use crate::config;

mod damaged;

#[track_caller]
fn taken(origin: Origin, text: &str) -> Imported {
    let imported = import(origin, text, Shell::Posix).unwrap();
    let told = format!("{} {:?}", imported.config, imported.notes);
    assert!(!told.contains("hunter2"), "{told}");
    // What comes out is what our own reader takes, once the secrets are in their places.
    let mut whole = imported.config.clone();
    for secret in &imported.secrets {
        fill(&mut whole, &secret.name, secret.value.reveal());
    }
    assert!(!whole.to_string().contains("{\"secret\""), "{whole}");
    if let Err(error) = config::read(&whole) {
        panic!("{error} in {whole}");
    }
    imported
}

fn fill(value: &mut Value, name: &str, secret: &str) {
    match value {
        Value::Object(table) if table.get("secret").and_then(Value::as_str) == Some(name) => {
            *value = Value::from(secret);
        }
        Value::Object(table) => table.values_mut().for_each(|value| fill(value, name, secret)),
        Value::Array(items) => items.iter_mut().for_each(|value| fill(value, name, secret)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn told(notes: &[Note], place: &str) -> Vec<(Fate, &'static str)> {
    let found = notes.iter().filter(|note| note.place.starts_with(place));
    found.map(|note| (note.fate, note.fate.word())).collect()
}

#[test]
fn ddns_go_comes_over() {
    let text = r#"
dnsconf:
    - name: ""
      ipv4:
        enable: true
        gettype: url
        url: https://myip.ipip.net, https://ddns.oray.com/checkip, https://ip.3322.net, https://4.ipw.cn
        netinterface: eth0
        cmd: ""
        domains:
            - home.dynv6.net
      ipv6:
        enable: true
        gettype: netInterface
        netinterface: eth0
        ipv6reg: "@2"
        domains:
            - home.dynv6.net
            - nas:home.dynv6.net
      dns:
        name: dynv6
        id: ""
        secret: hunter2
      ttl: "600"
    - ipv4: { enable: false, domains: [x.example.org] }
      ipv6: { enable: false }
      dns: { name: dynv6, secret: hunter2 }
    - ipv4: { enable: true, gettype: url, url: "", domains: [a.example.org] }
      dns: { name: nosuch, secret: hunter2 }
user:
    username: admin
    password: hunter2
webhook:
    webhookurl: ""
notallowwanaccess: true
lang: zh
"#;
    let Imported { config, secrets, notes } = taken(Origin::DdnsGo, text);
    let account = &config["accounts"]["dynv6"];
    assert_eq!(account["token"], json!({ "secret": "ddns-dynv6-token" }));
    assert_eq!(secrets.len(), 1);
    let nas = json!({ "name": "nas.home.dynv6.net", "families": ["ipv6"] });
    assert_eq!(account["names"], json!(["home.dynv6.net", nas]));
    assert_eq!(account["sources"]["ipv6"], json!([{ "interface": "eth0" }]));
    let web = json!([{ "web": ["https://ip.3322.net", "https://4.ipw.cn"] }]);
    assert_eq!(account["sources"]["ipv4"], web);
    assert_eq!(told(&notes, "dnsconf[0].ipv6.ipv6reg"), [(Fate::Changed, "changed")]);
    assert_eq!(told(&notes, "dnsconf[0].ipv4.url").len(), 3);
    assert_eq!(told(&notes, "dnsconf[0], home"), [(Fate::Changed, "changed")], "its time to live");
    assert_eq!(told(&notes, "dnsconf[2]"), [(Fate::Changed, "changed"), (Fate::Left, "left")]);
    assert!(!told(&notes, "user").is_empty() && told(&notes, "webhook").is_empty());
}

#[test]
fn ddclient_comes_over() {
    let text = "
# a comment
daemon=600            # seconds
ssl=yes, syslog=yes
use=web, web=https://api.ipify.org/   # the web
login=joe
protocol=dyndns2
server=members.dyndns.org, password='hunter2, #1' a.dyndns.org,b.dyndns.org
protocol=noip, \\
  login=jane \\
  password=hunter2 \\
  c.ddns.net
protocol=duckdns password=hunter2 mine
usev4=no usev6=ifv6 ifv6=eth0 protocol=dyndns2 server=dyn.example.org:8245 ssl=no password=hunter2 d.example.org
protocol=nosuch password=hunter2 e.example.org
";
    let Imported { config, notes, secrets } = taken(Origin::Ddclient, text);
    assert_eq!(config["every"], json!("10m"));
    let accounts = config["accounts"].as_object().unwrap();
    assert_eq!(accounts.keys().collect::<Vec<_>>(), ["duckdns", "dyn", "dyndns2", "noip"]);
    let names = json!([{ "families": ["ipv4"], "name": "a.dyndns.org" }, { "families": ["ipv4"], "name": "b.dyndns.org" }]);
    assert_eq!(accounts["dyn"]["names"], names);
    assert_eq!(accounts["dyn"]["user"], json!("joe"));
    assert_eq!(accounts["dyn"]["sources"]["ipv4"], json!([{ "web": ["https://api.ipify.org/"] }]));
    let dyn_password = secrets.iter().find(|secret| secret.name == "ddns-dyn-password").unwrap();
    assert_eq!(dyn_password.value.reveal(), "hunter2, #1");
    assert_eq!(accounts["noip"]["user"], json!("jane"));
    assert_eq!(
        accounts["duckdns"]["names"],
        json!([{ "families": ["ipv4"], "name": "mine.duckdns.org" }])
    );
    assert_eq!(accounts["dyndns2"]["url"], json!("http://dyn.example.org:8245/nic/update"));
    assert_eq!(accounts["dyndns2"]["user"], json!("joe"));
    assert!(secrets.iter().any(|secret| secret.name == "ddns-dyndns2-password"));
    assert_eq!(accounts["dyndns2"]["sources"], json!({ "ipv6": [{ "interface": "eth0" }] }));
    assert_eq!(told(&notes, "line 15"), [(Fate::Left, "left")]);
}

#[test]
fn inadyn_comes_over() {
    let text = r#"
# In-a-Dyn v2.0 configuration file format
period          = 300
user-agent      = Mozilla/4.0
/* two of
   them */
provider default@no-ip.com {
        username = joe
        password = "hunt\"er2"
        hostname = { "a.ddns.net", "b.ddns.net" }
}
provider dyn@nowhere.example:2 { username = joe, }
custom example {
        username       = myuser
        password       = 'hunter2'
        ddns-server    = update.example.com
        ddns-path      = "/nic/update?hostname=%h&myip=%i"
        checkip-command = "/sbin/ip -6 addr"
        hostname       = c.example.com
}
custom odd { ddns-server = a.b ddns-path = "/x.php?q=%h" hostname = d.example.com }
"#;
    let refused = import(Origin::Inadyn, text, Shell::Posix).map(drop).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "cannot read it as a configuration of inadyn: `,` where a name must stand"
    );
    let Imported { config, notes, secrets } =
        taken(Origin::Inadyn, &text.replace("joe, }", "joe }"));
    assert_eq!(config["every"], json!("5m"));
    let accounts = &config["accounts"];
    assert_eq!(accounts["noip"]["user"], json!("joe"));
    assert_eq!(accounts["noip"]["names"][1]["name"], json!("b.ddns.net"));
    assert_eq!(accounts["dyndns2"]["url"], json!("https://update.example.com/nic/update"));
    assert_eq!(accounts["dyndns2"]["user"], json!("myuser"));
    assert!(accounts["dyndns2"]["password"]["secret"].is_string());
    let command = json!([{ "command": ["sh", "-c", "/sbin/ip -6 addr"] }]);
    assert_eq!(accounts["dyndns2"]["sources"]["ipv4"], command);
    assert!(secrets.iter().any(|secret| secret.value.reveal() == "hunt\"er2"));
    assert_eq!(told(&notes, "provider dyn@nowhere.example:2"), [(Fate::Left, "left")]);
    assert_eq!(told(&notes, "custom odd"), [(Fate::Left, "left")]);
}

#[test]
fn ddns_updater_comes_over() {
    let text = r#"{ "settings": [
        { "provider": "namecheap", "domain": "example.com", "host": "@,www", "password": "hunter2" },
        { "provider": "namecheap", "domain": "example.com", "owner": "mail", "password": "hunter2", "ip_version": "ipv4" },
        { "provider": "noip", "domain": "a.ddns.net", "username": "joe", "password": "hunter2", "ip_version": "ipv6", "ipv6_suffix": "0:0:0:0:72ad:8fbb:a54e:bedd/64" },
        { "provider": "nosuch", "domain": "b.example.org", "token": "hunter2" }
    ] }"#;
    let Imported { config, notes, .. } = taken(Origin::DdnsUpdater, text);
    let accounts = &config["accounts"];
    assert_eq!(accounts["namecheap"]["domain"], json!("example.com"));
    assert_eq!(
        accounts["namecheap"]["names"],
        json!(["example.com", "www.example.com", "mail.example.com"])
    );
    assert_eq!(accounts["noip"]["names"][0]["suffix"], json!("0:0:0:0:72ad:8fbb:a54e:bedd"));
    assert_eq!(told(&notes, "settings[0], www"), [(Fate::Left, "left")], "it has no IPv6");
    assert_eq!(told(&notes, "settings[3]"), [(Fate::Left, "left")]);
}

#[test]
fn newfuture_comes_over() {
    let text = r#"{
        "$schema": "https://ddns.newfuture.cc/schema/v4.1.json", // which one
        "ssl": "auto", "proxy": ["http://127.0.0.1:1080", "DIRECT"],
        "providers": [
            { "name": "noip", "id": "joe", "token": "hunter2", "ipv4": "a.ddns.net, b.ddns.net",
              "ipv6": ["a.ddns.net"], "index4": ["public", "url:https://ip.sb"],
              "index6": [0, "regex:2003:.*", "default"], "ttl": 60 },
            { "name": "he", "token": "hunter2", "ipv4": ["c.example.org"], "index4": false },
            { "name": "nosuch", "token": "hunter2", "ipv4": ["d.example.org"] }
        ] }"#;
    let Imported { config, notes, .. } = taken(Origin::NewFuture, text);
    let account = &config["accounts"]["noip"];
    assert_eq!(account["proxy"], json!("http://127.0.0.1:1080"));
    assert_eq!(
        account["names"],
        json!(["a.ddns.net", { "families": ["ipv4"], "name": "b.ddns.net" }])
    );
    assert_eq!(account["sources"]["ipv4"], json!([{ "web": true }, { "web": ["https://ip.sb"] }]));
    assert_eq!(account["sources"]["ipv6"], json!([{ "interface": true }]));
    assert_eq!(told(&notes, "providers[0].index6").len(), 2);
    assert_eq!(told(&notes, "providers[1]").last(), Some(&(Fate::Left, "left")));
    let old = r#"{ "dns": "duckdns", "token": "hunter2", "ipv4": ["x.duckdns.org"] }"#;
    assert!(taken(Origin::NewFuture, old).config["accounts"]["duckdns"].is_object());
}

#[test]
fn what_is_something_else_is_refused() {
    let refused =
        |origin, text: &str| import(origin, text, Shell::Posix).map(drop).unwrap_err().to_string();
    assert!(refused(Origin::DdnsGo, "a: [").starts_with("cannot read it as YAML"));
    assert!(refused(Origin::DdnsUpdater, "{}").ends_with("it has no list `settings`"));
    assert!(refused(Origin::NewFuture, "[]").ends_with("it is no object"));
    for (_, origin) in Origin::ALL {
        assert!(!refused(origin, "").is_empty());
        assert!(!refused(origin, &"x".repeat(FILE_BYTES_MAX + 1)).is_empty());
    }
}

#[test]
fn no_text_makes_an_importer_stumble() {
    let texts = [
        "{",
        "}",
        "= = =",
        "provider {",
        "a=\"",
        "'",
        "\\",
        "{\"settings\": [1]}",
        "/*",
        "- - -",
        "dnsconf: 7",
        "\u{feff}x",
    ];
    for (_, origin) in Origin::ALL {
        for text in texts {
            // Whatever it says, it comes back.
            drop(import(origin, text, Shell::PowerShell));
        }
    }
}
