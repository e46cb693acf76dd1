//! Nobody ever sees a name without an address: each server is asked a thousand times a second while
//! a client, as it is run by hand, follows an address that changes a hundred times, of one family and
//! of the other.

use std::{
    fs,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use mainstay_platform::clock;
use serde_json::{Value, json};

use crate::{
    bind9::{Bind9, KEY, SECRET, ZONE},
    client::Client,
    dns::{Kind, Server},
    knot::Knot,
    peer::Folder,
    powerdns::{API_KEY, PowerDns},
    processes::wait_until,
};

const NAME: &str = "home.example.test";
const KINDS: [Kind; 2] = [Kind::A, Kind::Aaaa];
const UPDATES: u8 = 100;
/// The number of the address before all of them.
const BEFORE: u8 = 200;
/// Each server is asked at least so often a second, for one family as often as for the other.
const QUESTIONS: usize = 1000;
/// Nobody asks more often, so that the others have room.
const BETWEEN_QUESTIONS: Duration = Duration::from_micros(900);
/// A gap that is as long as so many questions is seen.
const LOOKS: usize = 5;
/// The shortest time between two writes that a configuration may ask for.
const MIN_INTERVAL: &str = "100ms";

/// Somebody who asks a server for a name all the time.
struct Onlooker {
    seen: Arc<Seen>,
    began: Duration,
    thread: JoinHandle<Duration>,
}

/// What the answers were.
#[derive(Default)]
struct Seen {
    is_over: AtomicBool,
    answers: AtomicUsize,
    /// Answers without an address.
    empty: AtomicUsize,
    /// Answers with more than one.
    crowded: AtomicUsize,
}

impl Onlooker {
    fn of(server: SocketAddr, kinds: &'static [Kind]) -> Self {
        let (seen, began) = (Arc::new(Seen::default()), clock::monotonic());
        let own = Arc::clone(&seen);
        let thread = thread::spawn(move || own.ask(&Server::at(server), kinds, began));
        Self { seen, began, thread }
    }

    /// Waits until it has asked often enough for the time that has passed.
    fn watch(&self) {
        wait_until("the server is asked often enough", || {
            let passed = clock::monotonic().saturating_sub(self.began);
            self.seen.answers.load(Ordering::Acquire) >= least(passed)
        });
    }

    /// Waits until it has asked some times more.
    fn look(&self) {
        let goal = self.seen.answers.load(Ordering::Acquire) + LOOKS;
        wait_until("the server is asked", || self.seen.answers.load(Ordering::Acquire) >= goal);
    }

    /// Lets it end; returns how many answers had no address.
    fn leave(self) -> usize {
        self.seen.is_over.store(true, Ordering::Release);
        let passed = self.thread.join().unwrap();
        let answers = self.seen.answers.load(Ordering::Acquire);
        assert!(answers >= least(passed), "{answers} answers in {passed:?}");
        assert_eq!(self.seen.crowded.load(Ordering::Acquire), 0, "of {answers} answers");
        self.seen.empty.load(Ordering::Acquire)
    }
}

impl Seen {
    /// Asks until it is over; returns how long that was.
    fn ask(&self, server: &Server, kinds: &[Kind], began: Duration) -> Duration {
        let mut due = began;
        for kind in kinds.iter().cycle() {
            if self.is_over.load(Ordering::Acquire) {
                break;
            }
            // Who was late asks at once until he is not late any more.
            due += BETWEEN_QUESTIONS;
            thread::park_timeout(due.saturating_sub(clock::monotonic()));
            let Some(answer) = server.ask(NAME, *kind) else { continue };
            self.empty.fetch_add(usize::from(answer.values.is_empty()), Ordering::AcqRel);
            self.crowded.fetch_add(usize::from(answer.values.len() > 1), Ordering::AcqRel);
            self.answers.fetch_add(1, Ordering::AcqRel);
        }
        clock::monotonic().saturating_sub(began)
    }
}

/// Returns how many questions are asked in so long at the least.
fn least(passed: Duration) -> usize {
    usize::try_from(passed.as_millis()).unwrap() * QUESTIONS / 1000
}

/// The addresses of a home, in a file for each family.
struct Home(Folder);

impl Home {
    /// Moves to another address of a family; nobody reads half of it.
    fn move_to(&self, kind: Kind, number: u8) {
        let path = self.0.write("next", &address(kind, number));
        fs::rename(path, self.file(kind)).unwrap();
    }

    fn file(&self, kind: Kind) -> PathBuf {
        self.0.path().join(format!("{kind:?}"))
    }
}

fn address(kind: Kind, number: u8) -> String {
    match kind {
        Kind::Aaaa => format!("2a02:c7d:1::{number:x}"),
        Kind::A | Kind::Soa | Kind::Txt => format!("81.2.69.{number}"),
    }
}

fn config(home: &Home, accounts: [Value; 3]) -> Value {
    let [ipv4, ipv6] = KINDS.map(|kind| json!([{ "file": home.file(kind) }]));
    let accounts = accounts.map(|mut account| {
        account["names"] = json!([{ "name": NAME, "verify": false }]);
        account["min-interval"] = json!(MIN_INTERVAL);
        account
    });
    let [bind, knot, powerdns] = accounts;
    json!({ "every": "1h", "sources": { "ipv4": ipv4, "ipv6": ipv6 },
        "accounts": { "bind": bind, "knot": knot, "powerdns": powerdns } })
}

#[test]
fn nobody_ever_sees_a_name_without_an_address() {
    let (bind, knot, powerdns) = (Bind9::start(), Knot::start(), PowerDns::start());
    let signed = |server: SocketAddr| {
        json!({ "provider": "rfc2136", "server": server.to_string(), "zone": ZONE,
            "key-name": KEY, "key": SECRET })
    };
    let api = json!({ "provider": "powerdns", "endpoint": powerdns.url, "api-key": API_KEY });
    let home = Home(Folder::new("home"));
    for kind in KINDS {
        home.move_to(kind, BEFORE);
    }
    let accounts = [signed(bind.address), signed(knot.address), api];
    let client = Client::start(&config(&home, accounts));
    let wait = |kind, number| {
        let is_there = |server: &Server| server.values(NAME, kind) == [address(kind, number)];
        let servers = [&bind.dns, &knot.dns, &powerdns.dns];
        wait_until("the address is there", || servers.into_iter().all(is_there));
    };
    for kind in KINDS {
        wait(kind, BEFORE);
    }

    let addresses = [bind.address, knot.address, powerdns.address];
    let onlookers = addresses.map(|server| Onlooker::of(server, &KINDS));
    // One family after the other: SQLite below PowerDNS refuses one of two writes at once.
    for (number, kind) in (1..=UPDATES).zip(KINDS.into_iter().cycle()) {
        home.move_to(kind, number);
        client.update_now();
        wait(kind, number);
        onlookers.iter().for_each(Onlooker::watch);
    }
    assert_eq!(onlookers.map(Onlooker::leave), [0; 3], "answers without an address");
}

/// What others do: one message that deletes, and one that adds. The onlooker is quick enough.
#[test]
fn a_gap_would_be_seen() {
    let bind = Bind9::start();
    let key = bind.key(KEY);
    bind.update(&key, "update add home.example.test. 60 A 81.2.69.1").unwrap();
    let onlooker = Onlooker::of(bind.address, &[Kind::A]);
    bind.update(&key, "update delete home.example.test. A").unwrap();
    onlooker.look();
    bind.update(&key, "update add home.example.test. 60 A 81.2.69.2").unwrap();
    onlooker.watch();
    assert_ne!(onlooker.leave(), 0);
}
