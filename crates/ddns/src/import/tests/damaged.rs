//! Files of other clients that are damaged, or written to harm: all are read to an end.

use super::*;
use crate::fake_wire::Chance;

const DDNS_GO: &str = r#"
dnsconf:
    - ipv4: { enable: true, gettype: url, url: "https://4.ipw.cn", domains: [a.example.org] }
      dns: { name: cloudflare, secret: hunter2 }
      ttl: "600"
"#;
const DDCLIENT: &str = "use=web, web=ipify-ipv4\nssl=yes\nprotocol=cloudflare, zone=example.org, \\\n\
    login=token, password='hunter2' \\\na.example.org, b.example.org # ours\n";
const INADYN: &str = "period = 300\nprovider no-ip.com:1 {\n    username = me\n    password = \"hunter2\"\n\
    hostname = { \"a.example.org\", \"b.example.org\" }\n}\n";
const DDNS_UPDATER: &str = r#"{"settings": [{"provider": "duckdns", "domain": "me.duckdns.org",
    "token": "hunter2-hunter2", "ip_version": "ipv4"}]}"#;
const NEWFUTURE: &str = r#"{"dns": "cloudflare", "id": "me@example.org", "token": "hunter2",
    "index4": "default", "ipv4": ["a.example.org"], "ttl": 600}"#;

const ALL: [(Origin, &str); 5] = [
    (Origin::DdnsGo, DDNS_GO),
    (Origin::Ddclient, DDCLIENT),
    (Origin::Inadyn, INADYN),
    (Origin::DdnsUpdater, DDNS_UPDATER),
    (Origin::NewFuture, NEWFUTURE),
];

/// Reads a file as far as it is theirs: what our own reader makes of it costs a digest of the
/// password each time, which is slow by design.
fn read(origin: Origin, bytes: &[u8]) {
    let (text, mut draft) = (String::from_utf8_lossy(bytes), draft::Draft::new(Shell::Posix));
    drop(match origin {
        Origin::DdnsGo => ddns_go::read(&text, &mut draft),
        Origin::Ddclient => {
            ddclient::read(&text, &mut draft);
            Ok(())
        }
        Origin::Inadyn => inadyn::read(&text, &mut draft),
        Origin::DdnsUpdater => ddns_updater::read(&text, &mut draft),
        Origin::NewFuture => newfuture::read(&text, &mut draft),
    });
}

fn is_taken(origin: Origin, bytes: &[u8]) -> bool {
    import(origin, &String::from_utf8_lossy(bytes), Shell::Posix).is_ok()
}

#[test]
fn damaged_files_are_read_to_an_end() {
    let mut chance = Chance::new(37);
    for (origin, whole) in ALL {
        assert!(is_taken(origin, whole.as_bytes()), "{origin:?}");
        (0..2_000).for_each(|_| read(origin, &chance.damage(whole.as_bytes())));
        for _ in 0..10 {
            is_taken(origin, &chance.damage(whole.as_bytes()));
        }
    }
}

#[test]
fn noise_is_read_to_an_end() {
    let mut chance = Chance::new(41);
    for (origin, whole) in ALL {
        for _ in 0..1_000 {
            read(origin, &chance.noise(whole.as_bytes(), 400));
            read(origin, &chance.noise(b"{}[]:,-&*!|>'\"#%@`\\ \n\t=", 200));
        }
    }
}

#[test]
fn what_is_deep_or_long_costs_no_more_than_its_length() {
    let parts = [
        "[",
        "{",
        "{\"a\":",
        "- ",
        "a:\n ",
        "\"",
        "'",
        "\\\n",
        "a=b,",
        "#",
        "&a *a ",
        "provider x {",
    ];
    for (origin, _) in ALL {
        for part in parts {
            read(origin, part.repeat(20_000 / part.len()).as_bytes());
        }
    }
}

#[test]
fn what_is_told_of_a_file_steers_no_terminal() {
    let text = DDCLIENT.replace("protocol=cloudflare", "protocol=\u{1b}[2Jnobody");
    let told = match import(Origin::Ddclient, &text, Shell::Posix) {
        Ok(imported) => imported.notes,
        Err(ImportError::Nothing { notes }) => notes,
        Err(error) => panic!("{error}"),
    };
    assert!(told.iter().any(|note| note.words.contains("nobody")), "{told:?}");
    assert!(!told.iter().any(|note| format!("{}{}", note.place, note.words).contains('\u{1b}')));
}
