//! What a service of the kind `ddns` tells the agent: facts for `show`, events, and metrics.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

use serde_json::{Value, json};

use crate::{
    processes::{self, wait_until},
    sandbox::Sandbox,
};

/// Speaks dyndns2, and knows no name that begins with `bad`.
fn service() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().flatten().for_each(answer));
    format!("http://{address}/nic/update")
}

fn answer(mut stream: TcpStream) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count == 1) {
        head.push(byte[0]);
    }
    let is_bad = String::from_utf8_lossy(&head).contains("hostname=bad");
    let word = if is_bad { "nohost" } else { "good" };
    let length = word.len();
    let answer =
        format!("HTTP/1.1 200 x\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{word}");
    // Who has gone needs no answer.
    drop(stream.write_all(answer.as_bytes()));
}

fn up() -> Sandbox {
    let names = ["home.example.org", "bad.example.org"];
    let names = names.map(|name| format!("{{ name = \"{name}\", verify = false }}")).join(", ");
    let mut sandbox = Sandbox::new(&format!(
        "[services.home.ddns]\nevery = \"1s\"\nsettle = \"0s\"\n\
         sources = {{ ipv4 = [{{ file = \"address\" }}], ipv6 = [] }}\n\
         [services.home.ddns.accounts.it]\nprovider = \"dyndns2\"\nurl = \"{}\"\n\
         user = \"joe\"\npassword = \"hunter2\"\nnames = [{names}]\n",
        service()
    ));
    let file = sandbox.path("address").display().to_string();
    let text = sandbox.read("mainstay.toml").replace("\"address\"", &format!("\"{file}\""));
    fs::write(sandbox.file(), text).unwrap();
    fs::write(sandbox.path("address"), "81.2.69.142\n").unwrap();
    sandbox.up();
    sandbox
}

fn facts(sandbox: &Sandbox) -> Value {
    let shown: Value = serde_json::from_str(&sandbox.get(&["show", "home", "--json"])).unwrap();
    shown["unit"]["facts"].clone()
}

/// Returns what it has said has happened: names, and words.
fn said(sandbox: &Sandbox) -> Vec<(String, String)> {
    let lines = sandbox.get(&["events", "--json"]);
    let events = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let word = |event: &Value, key: &str| event[key].as_str().map(ToOwned::to_owned);
    events.filter_map(|event| Some((word(&event, "said")?, word(&event, "message")?))).collect()
}

#[test]
fn facts_and_events_of_each_record_reach_the_agent_and_outlive_it() {
    let sandbox = up();
    wait_until("it is told how both are", || {
        let facts = facts(&sandbox);
        facts["published"] == "1" && facts["parked"] == "1"
    });
    let told = facts(&sandbox);
    assert_eq!(told["ipv4"], "81.2.69.142");
    assert_eq!((&told["records"], &told["writes"]), (&json!("2"), &json!("1")));
    assert_eq!((&told["failures.parked"], &told["failures.clock"]), (&json!("1"), &json!("0")));
    assert_eq!(told["requests"], "2");
    let states = "it/bad.example.org/A parked (nohost); it/home.example.org/A published";
    assert_eq!(told["states"], states);
    for time in ["ipv4.since", "last-change", "next-attempt", "counted-since"] {
        let at = told[time].as_str().unwrap_or_default();
        assert!(at.starts_with("20") && at.ends_with('Z'), "{time}: {told}");
    }
    let shown = sandbox.get(&["show", "home"]);
    assert!(shown.contains("failures.parked=1"), "{shown}");

    fs::write(sandbox.path("address"), "81.2.69.143\n").unwrap();
    wait_until("the new address is a fact", || facts(&sandbox)["ipv4"] == "81.2.69.143");
    let events = said(&sandbox);
    let words = |name: &str| {
        let found = events.iter().filter(|(said, _)| said == name);
        found.map(|(_, words)| words.as_str()).collect::<Vec<_>>().join("\n")
    };
    assert!(words("published").contains("it/home.example.org/A is published as 81.2.69.142"));
    assert!(words("failed").contains("it/bad.example.org/A failed (parked)"), "{events:?}");
    assert!(
        words("address-changed").contains("81.2.69.143, before that 81.2.69.142"),
        "{events:?}"
    );

    let agent = sandbox.status().agent.pid;
    processes::kill(agent);
    wait_until("the next one answers", || sandbox.status().agent.pid != agent);
    assert_eq!(facts(&sandbox)["ipv4"], "81.2.69.143");
    assert_eq!(facts(&sandbox)["parked"], "1");
}

#[test]
fn metrics_have_every_record_and_whether_its_client_answers() {
    let sandbox = up();
    let mut page = String::new();
    wait_until("both are told", || {
        page = sandbox.ask(&["ddns", "status", "--metrics"]).out;
        page.contains("state=\"parked\"} 1") && page.contains("state=\"published\"} 1")
    });
    let record = "{service=\"home\",account=\"it\",name=\"home.example.org\",type=\"A\"";
    for line in [
        "mainstay_ddns_up{service=\"home\"} 1".to_owned(),
        format!("mainstay_ddns_record_writes_total{record}}} 1"),
        format!("mainstay_ddns_record_failures_total{record},class=\"transient\"}} 0"),
        "mainstay_ddns_account_requests_total{service=\"home\",account=\"it\",provider=\"dyndns2\"} 2".to_owned(),
    ] {
        assert!(page.lines().any(|told| told == line), "{line}\n{page}");
    }
    sandbox.get(&["stop", "home"]);
    let answer = sandbox.ask(&["ddns", "status", "--metrics"]);
    assert!(answer.out.contains("mainstay_ddns_up{service=\"home\"} 0\n"), "{answer:?}");
    assert_eq!(answer.code, 3, "{answer:?}");
}

#[test]
fn a_file_in_another_encoding_is_named_with_its_line_and_the_remedy() {
    let sandbox = Sandbox::new("");
    let gbk = b"dnsconf:\n    - name: \xb0\xa2\xc0\xef\xd4\xc6\n".as_slice();
    fs::write(sandbox.path("gbk.yaml"), gbk).unwrap();
    let answer = sandbox.ask(&["ddns", "import", "ddns-go", "gbk.yaml"]);
    assert_eq!(answer.code, 1, "{answer:?}");
    assert!(
        answer.err.contains("line 2 is no UTF-8") && answer.err.contains("GB18030"),
        "{answer:?}"
    );
}

#[test]
fn a_file_that_is_begun_for_what_was_taken_over_is_its_owners_alone() {
    let sandbox = Sandbox::new("");
    fs::write(sandbox.path("old.conf"), "protocol=duckdns\npassword=x-token\nhome\n").unwrap();
    let line = ["ddns", "import", "ddclient", "old.conf", "-o", "new.toml"];
    sandbox.get(&line);
    assert!(sandbox.read("new.toml").contains("duckdns"), "{}", sandbox.read("new.toml"));
    assert_eq!(sandbox.shell("stat -c %a new.toml"), "600\n");
}
