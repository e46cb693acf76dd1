//! `mainstay ddns check --try`: everybody is asked, and nothing is written anywhere.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use serde_json::{Value, json};

use crate::{
    bind9::{KEY, SECRET, Within},
    fake::Fake,
    home::is_root,
    peer::{Folder, mortal},
    router::Namespace,
};

const BINARY: &str = env!("CARGO_BIN_EXE_mainstay");

/// The token of the fake.
const RIGHT: &str = "cf-token-that-may-edit-all-0000000000000";

/// Tries a configuration out by hand; returns the code and what is said.
fn tried(through: &[String], text: &str, options: &[&str]) -> (i32, String) {
    let Output { status, stdout, stderr } = output(through, text, options);
    let said = [stdout, stderr].concat();
    (status.code().unwrap(), String::from_utf8(said).unwrap())
}

/// Tries a configuration out by hand, and makes sure that no file has come.
fn output(through: &[String], text: &str, options: &[&str]) -> Output {
    let (folder, runtime) = (Folder::new("tries"), Folder::new("runtime"));
    let file = folder.write("mainstay.toml", text);
    let words: Vec<&str> = through.iter().map(String::as_str).chain([BINARY]).collect();
    let mut command = mortal(words[0]);
    command.args(&words[1..]).args(["ddns", "check"]).arg(&file).arg("--try").args(options);
    command.current_dir(folder.path()).env("XDG_RUNTIME_DIR", runtime.path());
    command.env("CLOUDFLARE_TOKEN", RIGHT);
    let output = command.output().unwrap();
    assert_eq!(files(folder.path()), [file], "it wrote");
    output
}

fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn document(text: &str) -> (i32, Value) {
    let output = output(&[], text, &["--json"]);
    let whole: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    (output.status.code().unwrap(), whole["services"][0].clone())
}

/// A configuration with names at two services, of which one can only be written to.
fn config(fake: &Fake, token: &str) -> String {
    let (cloudflare, duckdns) = (fake.url("cloudflare"), fake.url("duckdns"));
    format!(
        r#"
[services.home.ddns.sources]
ipv4 = [{{ web = "{echo}/ip" }}]
ipv6 = []

[services.home.ddns.accounts.cf]
provider = "cloudflare"
endpoint = "{cloudflare}/client/v4"
token = {token}
names = {{ name = "home.example.com", verify = false }}

[services.home.ddns.accounts.duck]
provider = "duckdns"
endpoint = "{duckdns}"
token = "duckdns-token"
names = {{ name = "home.duckdns.org", verify = false }}
"#,
        echo = fake.url("echo4"),
    )
}

const TOKEN: &str = r#"{ secret = { env = "CLOUDFLARE_TOKEN" } }"#;

#[test]
fn a_try_asks_everybody_and_writes_nothing() {
    let fake = Fake::start();
    fake.set(&json!({ "address": { "v4": "81.2.69.142" } }));
    let there = json!({ "provider": "cloudflare", "name": "home.example.com", "type": "A",
        "value": "81.2.69.1" });
    fake.add(&there);
    let before = fake.records("cloudflare");
    let (code, told) = document(&config(&fake, TOKEN));
    assert_eq!((code, &told["error"]), (0, &Value::Null), "{told:#}");
    let said = &told["addresses"][0]["said"][0];
    assert_eq!(told["addresses"][0]["addresses"], json!(["81.2.69.142"]), "{told:#}");
    assert_eq!((&said["source"], &said["addresses"]), (&json!("web"), &json!(["81.2.69.142"])));
    let standing = |at: usize| told["accounts"][at]["credentials"].as_str();
    assert_eq!((standing(0), standing(1)), (Some("accepted"), Some("untold")), "{told:#}");
    let [cf, duck] = [&told["names"][0], &told["names"][1]];
    assert_eq!((&cf["next"], &cf["write"]), (&json!("write"), &json!(["81.2.69.142"])));
    assert_eq!(cf["provider"]["has"], json!(["81.2.69.1"]));
    assert_eq!((&duck["provider"], &duck["servers"]), (&Value::Null, &Value::Null));

    let (code, said) = tried(&[], &config(&fake, TOKEN), &[]);
    assert_eq!(code, 0, "{said}");
    for part in [
        "IPv4: 81.2.69.142",
        "account `cf` (cloudflare): lets us read",
        "account `duck` (duckdns): can only be written to",
        "cf/home.example.com/A: has 81.2.69.1, 81.2.69.142 would be written",
        "nothing was written",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    assert_eq!(fake.records("cloudflare"), before);
    assert_eq!(fake.log("duckdns"), [Value::Null; 0]);
    let asked = fake.log("cloudflare");
    assert!(!asked.is_empty() && asked.iter().all(|request| request["wrote"] == json!([])));
}

#[test]
fn a_wrong_token_and_a_missing_secret_are_told() {
    let fake = Fake::start();
    fake.set(&json!({ "address": { "v4": "81.2.69.142" } }));
    let (code, told) = document(&config(&fake, "\"wrong\""));
    let account = &told["accounts"][0];
    assert_eq!((code, &account["credentials"]), (1, &json!("refused")), "{told:#}");
    assert!(account["error"].as_str().is_some_and(|why| !why.is_empty()), "{told:#}");
    assert_eq!(told["names"][0]["provider"]["class"], "parked", "{told:#}");
    let (code, told) = document(&config(&fake, "{ secret = \"nowhere\" }"));
    let error = told["error"].as_str().unwrap_or_default();
    assert!(code == 1 && error.contains("there is no secret `nowhere`"), "{told:#}");
    assert_eq!(told["names"], Value::Null);
}

#[test]
fn a_try_asks_the_authoritative_servers() {
    if !is_root() {
        return;
    }
    let namespace = Namespace::new();
    let bind = Within::start(&namespace, ([127, 0, 0, 1], 53).into());
    let text = format!(
        r#"
[services.home.ddns]
resolvers = ["127.0.0.1"]
sources = {{ ipv4 = [{{ static = "192.168.1.2" }}], ipv6 = [] }}

[services.home.ddns.accounts.ns]
provider = "rfc2136"
key-name = "{KEY}"
key = "{SECRET}"
names = {{ name = "home.example.test", families = ["ipv4"] }}
"#
    );
    let (code, said) = tried(&namespace.through(), &text, &[]);
    assert!(said.contains("account `ns` (rfc2136): lets us read"), "{said}");
    assert!(said.contains("ns/home.example.test/A: waits for an address"), "{said}");
    assert!(said.contains("the authoritative servers have nothing"), "{said}");
    assert_eq!((code, bind.additions()), (1, 0), "{said}");
}
