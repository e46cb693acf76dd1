//! The dialogue of `mainstay ddns setup` on a terminal, in both languages, with a service of our own
//! that has one record and must not be written to.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    thread,
};

use crate::sandbox::Sandbox;

const KEY: &str = "hunter2-of-the-dialogue";
const QUIET: &str = "[services.quiet]\ncommand = ['sleep', '9999']\nstart = 'manual'\n";

/// Answers `/ip` with an address, and everything else as a `PowerDNS` server with another one.
fn service() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().flatten().for_each(answer));
    format!("http://{address}")
}

fn answer(mut stream: TcpStream) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count == 1) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let set = r#"{ "name": "home.example.org.", "type": "A", "ttl": 60,
        "records": [{ "content": "81.2.69.1", "disabled": false }] }"#;
    let (status, body) = match head.as_str() {
        head if head.starts_with("GET /ip ") => (200, "81.2.69.142".to_owned()),
        head if head.starts_with("GET ") => {
            (200, format!(r#"{{ "name": "example.org.", "rrsets": [{set}] }}"#))
        }
        _ => (500, String::new()),
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    // Who has gone needs no answer.
    drop(stream.write_all((head + &body).as_bytes()));
}

/// Types a line after each prompt, and returns all that was shown.
fn dialogue(sandbox: &Sandbox, options: &str, turns: &[(&str, &str)]) -> String {
    let line = format!("{} ddns setup {options}", crate::sandbox::BINARY);
    let mut command = sandbox.prepare(Command::new("script"), &["-qec", &line, "/dev/null"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut keys, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut shown, mut letter) = (Vec::new(), [0]);
    for (prompt, typed) in turns {
        while !shown.ends_with(prompt.as_bytes()) && screen.read(&mut letter).unwrap() == 1 {
            shown.push(letter[0]);
        }
        keys.write_all(format!("{typed}\r").as_bytes()).unwrap();
    }
    screen.read_to_end(&mut shown).unwrap();
    let shown = String::from_utf8(shown).unwrap();
    assert!(child.wait().unwrap().success(), "{shown}");
    assert!(!shown.contains(KEY), "{shown}");
    shown
}

fn check(language: &str, turns: &[(&str, &str)], expected: &[&str]) {
    let sandbox = Sandbox::new(QUIET);
    let service = service();
    let options = format!(
        "--lang {language} --service home --set endpoint={service} --echo ipv4={service}/ip \
         --family ipv4 --no-start"
    );
    let shown = dialogue(&sandbox, &options, turns);
    for part in expected {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let file = sandbox.read("mainstay.toml");
    assert!(file.starts_with(QUIET.trim_end()), "{file}");
    assert!(file.contains("api-key = { secret = \"home-powerdns-api-key\" }"), "{file}");
    assert!(!file.contains(KEY), "{file}");
    let listed = sandbox.get(&["secret", "list"]);
    assert!(listed.starts_with("home-powerdns-api-key ") && listed.contains("home"), "{listed}");
    assert!(sandbox.get(&["check"]).contains("no mistakes"));
}

#[test]
fn a_name_is_set_up_in_english() {
    let turns = [
        ("or `?` for all: ", "power"),
        ("): ", KEY),
        ("with commas between them: ", "home"),
        ("with commas between them: ", "home.example.org"),
        ("[Y/n]: ", "y"),
    ];
    let expected = [
        "write the whole name",
        "IPv4: 81.2.69.142",
        "powerdns/home.example.org/A: has 81.2.69.1, 81.2.69.142 would be written",
        "secret stored, sealed: home-powerdns-api-key",
    ];
    check("en", &turns, &expected);
}

#[test]
fn a_name_is_set_up_in_chinese() {
    let turns = [
        ("查看全部：", "power"),
        ("): ", KEY),
        ("多个用逗号分隔：", "home.example.org"),
        ("[Y/n]：", "是"),
    ];
    let expected = [
        "IPv4: 81.2.69.142",
        "/ip 返回 81.2.69.142",
        "powerdns/home.example.org/A：当前 81.2.69.1，将更新为 81.2.69.142",
        "机密已加密保存：home-powerdns-api-key",
    ];
    check("zh", &turns, &expected);
}
