//! A thousand looks at once, at a server that never answers.
//!
//! One test, because the descriptors and threads of a process are those of all its tests.

#![expect(clippy::unwrap_used, reason = "it is a test")]

use std::{
    collections::BTreeSet,
    fs,
    io::Read as _,
    net::{TcpListener, TcpStream},
    path::PathBuf,
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use mainstay_agent::probe::{Ask, CONNECTIONS_MAX, ProbeKey, Prober, Seen};
use mainstay_api::{
    config::{Address, Look, SourceText, parse},
    keeper::Streams,
};
use mainstay_core::{
    ServiceName, UnitName,
    input::{Outcome, Probe, ProbeOf},
};
use tokio::sync::mpsc::UnboundedReceiver;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_thousand_looks_at_once_take_one_thread_and_give_back_every_descriptor() {
    let (port, held) = serve();
    let (threads, descriptors) = (count_of("task"), count_of("fd"));
    let mut eye = Eye::new();
    let keys: Vec<_> = (0..1000).map(|_| eye.begin(http(port))).collect();
    let streams: Vec<TcpStream> =
        (0..CONNECTIONS_MAX).map(|_| held.recv_timeout(20 * SECOND).unwrap()).collect();
    // Those that get no turn have no verdict.
    let mut waiting: BTreeSet<_> = keys.into_iter().collect();
    for _ in CONNECTIONS_MAX..1000 {
        let (key, outcome) = eye.seen.blocking_recv().unwrap();
        let full = "too many looks at connections are under way".to_owned();
        assert_eq!(outcome, Outcome::Unknown(full));
        assert!(waiting.remove(&key));
    }
    assert!(held.try_recv().is_err(), "no more connections than there may be");
    assert!(count_of("task") <= threads + 1, "{} threads", count_of("task"));
    for key in waiting {
        eye.prober.abandon(key);
    }
    for mut stream in streams {
        stream.set_read_timeout(Some(20 * SECOND)).unwrap();
        while stream.read(&mut [0; 1024]).unwrap() > 0 {}
    }
    // What the thread's runtime needs for itself is all that is left.
    assert!(count_of("fd") <= descriptors + 8, "{} descriptors", count_of("fd"));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    for _ in 0..1000 {
        let key = eye.begin(Look::Tcp(Address { host: "127.0.0.1".to_owned(), port }));
        assert_eq!(eye.seen.blocking_recv(), Some((key, Outcome::Passed)));
        drop(listener.accept().unwrap());
    }
    assert!(count_of("fd") <= descriptors + 9, "{} descriptors", count_of("fd"));
}

/// A prober and what it has seen.
struct Eye {
    prober: Prober,
    seen: UnboundedReceiver<Seen>,
    attempts: u64,
}

impl Eye {
    fn new() -> Self {
        let (prober, seen) = Prober::new();
        Self { prober, seen, attempts: 0 }
    }

    fn begin(&mut self, look: Look) -> ProbeKey {
        self.attempts += 1;
        let probe = Probe { of: ProbeOf::Ready, attempt: self.attempts };
        let unit = UnitName::first(ServiceName::new("web").unwrap());
        let key = ProbeKey { unit, run: 1, probe };
        let logs = (PathBuf::from("."), Streams::Off);
        let (pid, every, patience) = (std::process::id(), SECOND / 50, 4 * SECOND);
        self.prober.begin(key.clone(), Ask { look, pid, logs, every, patience });
        key
    }
}

/// Returns what the configuration makes of an address.
fn http(port: u16) -> Look {
    let ready = format!("ready = {{ http = 'http://127.0.0.1:{port}/' }}");
    let text = format!("[services.web]\ncommand = ['x']\n{ready}\n");
    let config = parse(&[SourceText { file: "x.toml", bytes: text.as_bytes() }]).unwrap();
    config.services.into_values().next().unwrap().care.ready.look.unwrap()
}

/// Listens, and holds every connection; returns the port and where they come out.
fn serve() -> (u16, Receiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (told, held) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            told.send(stream.unwrap()).unwrap();
        }
    });
    (port, held)
}

/// Counts what this process has, where the system tells; Wine's `/proc` is about Wine.
fn count_of(what: &str) -> usize {
    if std::path::MAIN_SEPARATOR == '\\' {
        return 0;
    }
    fs::read_dir(format!("/proc/self/{what}")).map_or(0, Iterator::count)
}
