//! The kind `ddns`: a service of an agent, and by hand, with a provider on the loopback.

mod provider;

use std::{
    fs,
    net::{IpAddr, SocketAddr},
    path::Path,
    time::Duration,
};

use mainstay_platform::{
    addresses::{self, InterfaceAddress},
    paths,
    process::{Process, SignalKind},
};
use serde_json::{Value, json};

use self::provider::Provider;
use crate::{
    foreground::Up,
    machine::Machine,
    sandbox::{Sandbox, wait_for},
};

const FIXED: &str = "81.2.69.142";
const SECRET: &str = "swordfish";
/// What another client has in its file.
const DDCLIENT: &str = "use=ip, ip=81.2.69.142\nprotocol=dyndns2\nserver=dyn.example.org\n\
                        login=me\npassword=haddock\nmore.example.org\n";

/// What every client of these stories has in common: it does as little as it can at once.
fn client(service: &str) -> String {
    format!(
        "[services.{service}]\n\
         restart = {{ delay = \"100ms\" }}\n\
         stop = {{ timeout = \"5s\" }}\n\
         [services.{service}.ddns]\n\
         settle = \"0s\"\n\
         allow = [\"private\", \"cgnat\", \"documentation\"]\n\
         sources = {{ ipv4 = [{{ static = [\"{FIXED}\"] }}], ipv6 = [] }}\n"
    )
}

fn dyndns2(service: &str, url: &str, name: &str) -> String {
    format!(
        "[services.{service}.ddns.accounts.dyn]\n\
         provider = \"dyndns2\"\n\
         url = \"{url}/nic/update\"\n\
         user = \"me\"\n\
         password = {{ secret = \"word\" }}\n\
         names = [{{ name = \"{name}\", verify = false }}]\n"
    )
}

fn freemyip(service: &str, url: &str, name: &str) -> String {
    format!(
        "[services.{service}.ddns.accounts.free]\n\
         provider = \"freemyip\"\n\
         endpoint = \"{url}\"\n\
         token = {{ secret = \"word\" }}\n\
         names = [{{ name = \"{name}\", verify = false }}]\n"
    )
}

fn set(sandbox: &Sandbox, value: &str) {
    fs::write(sandbox.folder().join("value"), value).unwrap();
    sandbox.get(&["secret", "set", "word", "--file", "value"]);
}

/// Returns what a client says of itself.
fn ask(sandbox: &Sandbox, whom: &[&str]) -> Value {
    let answer = sandbox.ask(&[&["ddns", "status", "--json"], whom].concat());
    let told: Value = serde_json::from_str(&answer.out).unwrap_or_default();
    told["clients"][0].clone()
}

/// Waits until a name of a client is in a state; returns all that is said of it.
fn wait_for_name(sandbox: &Sandbox, whom: &[&str], (name, state): (&str, &str)) -> Value {
    wait_for(&format!("`{name}` is {state}"), || {
        let told = ask(sandbox, whom);
        let names = told["names"].as_array()?;
        names.iter().find(|one| one["name"] == name && one["state"] == state).cloned()
    })
}

/// Returns an address of IPv4 that leads beyond this machine, where there is one.
fn outer() -> Option<InterfaceAddress> {
    let is_outer = |one: &InterfaceAddress| match one.address {
        IpAddr::V4(address) => {
            one.interface.is_up && !address.is_loopback() && !address.is_link_local()
        }
        IpAddr::V6(_) => false,
    };
    addresses::list().unwrap().into_iter().find(is_outer)
}

/// Returns the source that is tried first, the word for the one that is believed, and what that
/// tells.
fn own() -> (String, &'static str, Vec<String>) {
    let Some(outer) = outer() else {
        return ("{ interface = true }".to_owned(), "static", vec![FIXED.to_owned()]);
    };
    let all = addresses::list().unwrap().into_iter();
    let own = all.filter(|one| one.interface == outer.interface && one.address.is_ipv4());
    let told = own.map(|one| one.address.to_string()).collect();
    (format!("{{ interface = '{}' }}", outer.interface.name), "interface", told)
}

#[test]
fn a_service_keeps_names_from_an_interface_and_a_fixed_address_and_its_death_costs_one_write() {
    let provider = Provider::open();
    let (first, believed, addresses) = own();
    let name = format!(
        "names = [{{ name = \"own.freemyip.com\", verify = false, \
         sources = {{ ipv4 = [{first}, {{ static = [\"{FIXED}\"] }}] }} }}]"
    );
    let free = freemyip("home", &provider.url(), "own.freemyip.com");
    let free = free.lines().filter(|line| !line.starts_with("names")).collect::<Vec<_>>();
    let fixed = dyndns2("home", &provider.url(), "fixed.example.org");
    let sandbox = Sandbox::new(&format!("{}{fixed}{}\n{name}\n", client("home"), free.join("\n")));
    set(&sandbox, SECRET);
    let up = Up::start(&sandbox);
    let own = wait_for_name(&sandbox, &[], ("own.freemyip.com", "published"));
    let fixed = wait_for_name(&sandbox, &[], ("fixed.example.org", "published"));
    assert_eq!(fixed["published"], json!([FIXED]));
    let address = own["published"][0].as_str().unwrap().to_owned();
    assert!(addresses.contains(&address), "{address} of {addresses:?}");
    assert_eq!(provider.given("own.freemyip.com"), [address.as_str()]);
    assert_eq!(provider.given("fixed.example.org"), [FIXED]);
    let told = ask(&sandbox, &["--service", "home"]);
    let sources = told["addresses"].as_array().unwrap().iter().map(|one| &one["source"]);
    assert!(sources.collect::<Vec<_>>().contains(&&json!(believed)), "{told}");

    let unit = wait_for("its facts are told", || {
        Some(sandbox.unit("home"))
            .filter(|unit| unit.facts.get("published").is_some_and(|it| it == "2"))
    });
    assert_eq!((unit.state.as_str(), unit.facts["records"].as_str()), ("running", "2"));
    let state = sandbox.folder().join(".mainstay").join("data").join("home").join("state.json");
    wait_for("its state is on the disk", || knows(&state, "dyn/fixed.example.org/A"));
    let told = sandbox.get(&["show", "home", "--json"]) + &sandbox.get(&["logs", "home"]);
    assert!(!told.contains(SECRET), "{told}");

    Process::open_pid(unit.pid.unwrap()).unwrap().unwrap().signal(SignalKind::Kill).unwrap();
    wait_for("the next one runs", || {
        Some(sandbox.unit("home")).filter(|unit| unit.run == 2 && unit.state == "running")
    });
    for name in ["own.freemyip.com", "fixed.example.org"] {
        wait_for_name(&sandbox, &[], (name, "published"));
        let count = provider.given(name).len();
        assert!((1..=2).contains(&count), "{name}: {count} writes");
    }
    up.end();
    let gone = sandbox.ask(&["ddns", "status"]);
    assert_eq!(gone.code, 3, "{gone:?}");
}

/// Returns whether a state on the disk knows what is published for a record.
fn knows(state: &Path, record: &str) -> Option<()> {
    let kept: Value = serde_json::from_slice(&fs::read(state).ok()?).ok()?;
    (kept["bindings"][record]["published"]["values"] == json!([FIXED])).then_some(())
}

#[test]
fn what_a_provider_refuses_is_parked_and_what_was_not_reached_is_written_when_it_is_wanted() {
    let provider = Provider::open();
    let nowhere: SocketAddr = Provider::nowhere();
    let wrong = client("wrong") + &freemyip("wrong", &provider.url(), "wrong.freemyip.com");
    let wrong = wrong.replace("{ secret = \"word\" }", "{ secret = \"wrong\" }");
    let late = dyndns2("late", &format!("http://{nowhere}"), "late.example.org");
    let sandbox = Sandbox::new(&(wrong + &client("late") + &late));
    set(&sandbox, SECRET);
    fs::write(sandbox.folder().join("value"), "haddock").unwrap();
    sandbox.get(&["secret", "set", "wrong", "--file", "value"]);
    let up = Up::start(&sandbox);

    let (wrong, late) = (["--service", "wrong"], ["--service", "late"]);
    let parked = wait_for_name(&sandbox, &wrong, ("wrong.freemyip.com", "parked"));
    let again = parked["next-ms"].as_u64().map(Duration::from_millis).unwrap();
    assert_eq!(parked["code"], "ERROR");
    assert!(again > Duration::from_hours(1), "{again:?}");
    let told = sandbox.ask(&["ddns", "status", "--service", "wrong"]);
    let reason = "free/wrong.freemyip.com/A  parked";
    assert!(told.code == 1 && told.out.contains(reason), "{told:?}");
    assert!(told.out.contains("the token is wrong") && !told.out.contains("haddock"), "{told:?}");
    wait_for("it is a fact", || {
        sandbox.unit("wrong").facts.get("parked").is_some_and(|count| count == "1").then_some(())
    });

    wait_for_name(&sandbox, &late, ("late.example.org", "backing-off"));
    let opened = Provider::at(nowhere);
    let written = sandbox.get(&["ddns", "update", "--now", "--service", "late"]);
    assert_eq!(written, "dyn/late.example.org/A is tried now\n");
    wait_for_name(&sandbox, &late, ("late.example.org", "published"));
    assert_eq!(opened.given("late.example.org"), [FIXED]);
    assert_eq!(sandbox.ask(&["ddns", "status", "--service", "late"]).code, 0);
    let unknown = sandbox.ask(&["ddns", "update", "away.example.org"]);
    assert!(unknown.code == 1 && unknown.err.contains("away.example.org"), "{unknown:?}");
    assert_eq!(provider.given("wrong.freemyip.com"), [""; 0]);
    up.end();
}

#[test]
fn by_hand_it_keeps_its_state_where_it_is_told_to_and_leaves_by_ctrl_c() {
    let provider = Provider::open();
    let config = client("home") + &dyndns2("home", &provider.url(), "home.example.org");
    let sandbox = Sandbox::new(&config);
    set(&sandbox, SECRET);
    let kept = sandbox.folder().join("kept here").display().to_string();
    let whom = ["--state", kept.as_str()];
    for _ in 0..2 {
        let words = ["ddns", "run", sandbox.instance(), "--state", &kept];
        let by_hand = Up::begin(&words);
        wait_for_name(&sandbox, &whom, ("home.example.org", "published"));
        by_hand.end();
        assert_eq!(
            provider.given("home.example.org"),
            [FIXED],
            "what is kept is not written again"
        );
    }
    assert_eq!(knows(&Path::new(&kept).join("state.json"), "dyn/home.example.org/A"), Some(()));
    let absent = sandbox.ask(&["ddns", "status", "--state", &kept]);
    assert!(absent.code == 3 && absent.err.contains("no client answers"), "{absent:?}");
    assert_eq!(sandbox.get(&["ddns", "check"]), "home: no mistakes\n");
}

#[test]
fn the_built_in_kind_keeps_every_rule_and_tells_what_it_knows() {
    let provider = Provider::open();
    let sandbox = Sandbox::new("");
    let config = json!({
        "sources": { "ipv4": [{ "static": [FIXED] }], "ipv6": [] },
        "accounts": { "free": {
            "provider": "freemyip", "endpoint": provider.url(), "token": SECRET,
            "names": [{ "name": "home.freemyip.com", "verify": false }],
        } },
    });
    fs::write(sandbox.folder().join("ddns.json"), config.to_string()).unwrap();
    let answer = sandbox.ask(&["kind", "check", "ddns", "--config", "ddns.json", "--json"]);
    let findings: Vec<Value> = serde_json::from_str(&answer.out).unwrap();
    assert!(findings.iter().all(|finding| finding["verdict"] == "held"), "{answer:?}");
    assert_eq!((answer.code, findings.len()), (0, 14));

    let sources = sandbox.get(&["ddns", "sources"]);
    assert!(sources.contains("\nnat-pmp: ") && sources.contains("{ static = "), "{sources}");
    let providers = sandbox.get(&["ddns", "providers"]);
    assert!(providers.lines().any(|line| line.starts_with("freemyip ")), "{providers}");
    let one = sandbox.get(&["ddns", "providers", "freemyip"]);
    assert!(one.starts_with("freemyip: ") && one.contains("token"), "{one}");
    let unknown = sandbox.ask(&["ddns", "providers", "freemyipp"]);
    assert!(unknown.code == 1 && unknown.err.contains("did you mean `freemyip`?"), "{unknown:?}");
}

#[test]
fn from_boot_on_it_is_a_service_of_the_machines_instance_and_is_asked_from_everywhere() {
    let provider = Provider::open();
    let folder = std::env::temp_dir();
    let config = folder.join(format!("mainstay-ddns-{}.toml", std::process::id()));
    let home = client("home") + &dyndns2("home", &provider.url(), "home.example.org");
    fs::write(&config, home).unwrap();
    let path = config.to_str().unwrap();
    let machine = Machine::install(&["--config", path]);
    fs::write(&config, SECRET).unwrap();
    machine.get(&["secret", "set", "word", "--file", path]);
    machine.get(&["restart", "home"]);
    let told = wait_for("its name is published", || {
        Some(machine.ask(&["ddns", "status"])).filter(|told| told.code == 0)
    });
    assert!(told.out.contains("dyn/home.example.org/A  published  81.2.69.142"), "{told:?}");
    assert_eq!(provider.given("home.example.org"), [FIXED]);
    wait_for("it is a fact", || {
        let unit = machine.wait_for("home", "running");
        unit.facts.get("published").is_some_and(|count| count == "1").then_some(())
    });

    // What another client kept belongs there, too, and so do its secrets.
    fs::write(&config, DDCLIENT).unwrap();
    let own = paths::machine_base().unwrap().join("mainstay.toml");
    let import = ["ddns", "import", "ddclient", path, "--service", "more", "--store-secrets"];
    machine.get(&[&import[..], &["--output", own.to_str().unwrap()]].concat());
    assert!(fs::read_to_string(&own).unwrap().contains("[services.more.ddns"));
    let known = machine.get(&["secret", "list"]);
    assert_eq!(known.lines().count(), 2, "{known}");
    fs::remove_file(&config).unwrap();
}
