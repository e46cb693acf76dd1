//! What `--json` prints is what `docs/reference/json.md` says, field by field.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fs,
};

use serde_json::{Deserializer, Value};

use crate::{processes::wait_until, sandbox::Sandbox};

const PAGE: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/json.md"));

/// Two that run, of which one waits for the other, one that has failed, one that is tried again much
/// later, a group, hooks, checks, a secret.
const CONFIG: &str = r#"
[services.web]
shell = "echo hello; exec sleep 1000"
requires = ["db"]
environment = { PORT = "8080", TOKEN = { secret = "token" } }
reload = { command = "true" }
hooks = { before-start = ["true"] }
checks = [{ exec = ["true"], every = "100ms", name = "alive" }]
[services.db]
command = ["sleep", "1000"]
[services.flaky]
shell = "echo bad; exit 3"
restart = { delay = "50ms", limit = 2 }
[services.later]
command = ["false"]
restart = { delay = "1h", max-delay = "1h" }
[groups.back]
description = "what nobody sees"
services = ["db"]
"#;

/// The heading of a command, and lines that are answered as it says.
type Lines = (&'static str, &'static [&'static str]);

const LINES: &[Lines] = &[
    ("status", &["status"]),
    ("status --usage", &["status --usage"]),
    ("tree", &["tree", "tree web --reverse"]),
    ("show", &["show web", "show flaky"]),
    ("why", &["why flaky", "why web"]),
    ("env", &["env web"]),
    ("events", &["events -n all"]),
    ("logs", &["logs -n all"]),
    ("start", &["restart web", "kill web", "stop db", "start web", "reset flaky", "reload web db"]),
    ("diff", &["diff", "diff other.toml"]),
    ("apply", &["apply", "set db environment.A=1", "add new --json -- sleep 1000", "remove new"]),
    ("check", &["check", "check bad.toml"]),
    ("get", &["get web", "get web requires", "get web stop.timeout"]),
    ("secret list", &["secret list"]),
    ("secret set", &["secret set other --file value", "secret remove other"]),
    ("kind list", &["kind list"]),
    ("doctor", &["doctor"]),
    ("drill", &["drill crash db", "drill agent"]),
    ("upgrade", &["upgrade"]),
    ("ddns providers", &["ddns providers"]),
    ("ddns sources", &["ddns sources"]),
    ("kind check", &["kind check /bin/true --boot 1s --stop 1s"]),
    ("ddns check", &["ddns check names.toml"]),
    ("ddns import", &["ddns import ddclient ddclient.conf"]),
];

/// What is not asked for here, and who holds it to the page.
const ELSEWHERE: &[(&str, &str)] = &[
    ("service list", "Windows alone; a story of its row in the sources"),
    ("service status", "Windows alone; its own field is a unit"),
    ("import", "Windows alone; a story of its report in the sources"),
    ("remark", "of `import`"),
    ("ddns update", "needs a client that writes to a provider; nobody holds it yet"),
    ("ddns-updating", "of `ddns update`"),
];

/// Names at a provider that nobody asks, and the same in another client's words.
const NAMES: &str = r#"
[services.home.ddns]
sources = { ipv4 = [{ static = "81.2.69.142" }], ipv6 = [] }
[services.home.ddns.accounts.own]
provider = "powerdns"
endpoint = "http://127.0.0.1:9/"
api-key = "k"
names = ["home.example.org"]
"#;
const DDCLIENT: &str =
    "protocol=cloudflare\nzone=example.org\nlogin=token\npassword=x\nhome.example.org\n";

/// One row of the page.
#[derive(Debug, PartialEq, Eq)]
struct Field {
    may_miss: bool,
    what: String,
}

/// The fields of a shape, by name.
type Shape = BTreeMap<String, Field>;

/// Returns the shapes of the page, by their headings.
fn shapes() -> BTreeMap<String, Shape> {
    let mut shapes: BTreeMap<String, Shape> = BTreeMap::new();
    let mut heading = String::new();
    for line in PAGE.lines() {
        if let Some(found) = line.strip_prefix("## ") {
            let found = found.trim_matches('`');
            heading = String::from(found.strip_prefix("mainstay ").unwrap_or(found));
            shapes.insert(heading.clone(), Shape::new());
        }
        let Some((name, rest)) = line.strip_prefix("| `").and_then(|line| line.split_once('`'))
        else {
            continue;
        };
        let (mark, rest) = rest.split_once(" | ").unwrap();
        let what = rest.split(" | ").next().unwrap().to_owned();
        let field = Field { may_miss: mark == "?", what };
        assert_eq!(shapes.get_mut(&heading).unwrap().insert(name.to_owned(), field), None);
    }
    shapes
}

/// Returns the shape that a link leads to.
fn linked(what: &str) -> Option<&str> {
    Some(what.split_once("](#")?.1.trim_end_matches(')'))
}

/// The page, and which of its fields were seen so far.
struct Judge {
    shapes: BTreeMap<String, Shape>,
    seen: RefCell<BTreeSet<String>>,
}

impl Judge {
    fn object(&self, heading: &str, value: &Value, line: &str) {
        let object = value.as_object().expect(line);
        let shape = &self.shapes[heading];
        for (name, field) in shape {
            let found = object.get(name).filter(|value| !value.is_null());
            assert!(
                field.may_miss || found.is_some(),
                "{line}: {heading} has no `{name}`: {value}"
            );
        }
        for (name, value) in object {
            let place = format!("{line}: `{name}` of {heading}");
            assert!(shape.contains_key(name), "{place} is not on the page");
            let field = &shape[name];
            self.seen.borrow_mut().insert(format!("{heading}: {name}"));
            if !value.is_null() {
                self.field(&field.what, value, &place);
            }
        }
    }

    fn field(&self, what: &str, value: &Value, place: &str) {
        if let Some(of) = what.strip_prefix("list of ") {
            for value in value.as_array().expect(place) {
                self.field(of, value, place);
            }
        } else if let Some(heading) = linked(what) {
            self.object(heading, value, place);
        } else {
            let is_so = match what {
                "text" | "texts" => value.is_string(),
                "number" | "numbers" => value.is_number(),
                "truth" => value.is_boolean(),
                word => word == "any",
            };
            assert!(is_so, "{place} is no {what}: {value}");
        }
    }

    /// Returns what is always there, as the page says, and was never seen.
    fn unseen(&self) -> Vec<String> {
        let seen = self.seen.borrow();
        let all = self.shapes.iter().flat_map(|(heading, shape)| {
            let always = shape.iter().filter(|(_, field)| !field.may_miss);
            always.map(move |(name, _)| format!("{heading}: {name}"))
        });
        let is_elsewhere =
            |place: &String| ELSEWHERE.iter().any(|(it, _)| place.starts_with(&format!("{it}: ")));
        all.filter(|place| !seen.contains(place) && !is_elsewhere(place)).collect()
    }
}

fn up() -> Sandbox {
    let mut sandbox = Sandbox::new(CONFIG);
    fs::write(sandbox.path("value"), "12345678").unwrap();
    fs::write(sandbox.path("bad.toml"), "[services.x]\ncomand = \"x\"\n").unwrap();
    fs::write(sandbox.path("names.toml"), NAMES).unwrap();
    fs::write(sandbox.path("ddclient.conf"), DDCLIENT).unwrap();
    fs::write(sandbox.path("other.toml"), CONFIG.replace("8080", "8081")).unwrap();
    sandbox.get(&["secret", "set", "token", "--file", "value"]);
    sandbox.up();
    sandbox.wait_for("flaky", |unit| unit.state == "failed");
    sandbox.wait_for("later", |unit| unit.state == "backoff");
    sandbox.wait_for_pid("web");
    wait_until("all have written", || {
        let logs = sandbox.get(&["logs", "-n", "all"]);
        logs.contains("hello") && logs.contains("bad")
    });
    sandbox
}

#[test]
fn every_answer_in_json_is_as_the_page_says() {
    let sandbox = up();
    let judge = Judge { shapes: shapes(), seen: RefCell::default() };
    for (heading, lines) in LINES {
        for line in *lines {
            let words: Vec<&str> = line.split(' ').collect();
            let end: &[&str] = if words.contains(&"--json") { &[] } else { &["--json"] };
            let told = sandbox.ask(&[&words, end].concat());
            assert!([0, 1].contains(&told.code), "{line}: {told:?}");
            let values = Deserializer::from_str(&told.out).into_iter::<Value>();
            let values: Vec<Value> = values.map(Result::unwrap).collect();
            assert!(!values.is_empty(), "{line}: {told:?}");
            let heading = if *heading == "events" { "event" } else { heading };
            for value in values {
                for one in value.as_array().unwrap_or(&vec![value.clone()]) {
                    judge.object(heading, one, line);
                }
            }
        }
    }
    fs::write(sandbox.file(), "[services.web]\ncomand = \"x\"\n").unwrap();
    wait_until("the file is refused", || sandbox.status().files.refused.is_some());
    let told = serde_json::from_str(&sandbox.get(&["status", "--json"])).unwrap();
    judge.object("status", &told, "a bad file");
    assert_eq!(judge.unseen(), [""; 0]);
}

#[test]
fn every_command_of_the_page_is_asked_and_every_link_leads_somewhere() {
    let shapes = shapes();
    let asked = LINES.iter().map(|(heading, _)| *heading);
    let asked = asked.chain(ELSEWHERE.iter().map(|(heading, _)| *heading));
    let links = shapes.values().flat_map(BTreeMap::values).filter_map(|field| linked(&field.what));
    let named: Vec<&str> = asked.chain(links).chain(["event"]).collect();
    for heading in shapes.keys() {
        assert!(named.contains(&heading.as_str()), "nobody asks for {heading}");
    }
    for name in named {
        assert!(shapes.contains_key(name), "{name} is missing");
    }
}
