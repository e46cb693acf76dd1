//! Looks at real listeners, files and logs.

mod tls;

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
};

use mainstay_api::config::{Address, FileLook, HttpLook, Pattern, SourceText, parse};
use mainstay_core::{ServiceName, input::ProbeOf};
use mainstay_platform::clock;
use mainstay_storage::{
    index::{IndexRecord, SourceFlags, Stream},
    segment::ChainFiles,
};
use tokio::{runtime::Runtime, time};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn answers_over_http_are_judged_by_status_and_body() {
    let mut eye = Eye::new();
    let mut check = |answer: &'static str, look: &str, expected: &str| {
        let port = serve(move |stream| {
            drop(hear(stream));
            drop(stream.write_all(answer.as_bytes()));
        });
        let seen = eye.look(http(port, look));
        let seen = format!("{seen:?}").replace(&port.to_string(), "PORT");
        assert_eq!(seen, expected, "{answer} {look}");
    };
    let bad = |what: &str| format!("Failed(\"`127.0.0.1:PORT` {what}\")");
    let fine = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
    check(fine, "", "Passed");
    check(fine, "body = '^hel+o$'", "Passed");
    check(fine, "body = 'hello '", &bad("answers 200, and `hello ` is not in the body"));
    check(fine, "status = 404", &bad("answers 200"));
    check("HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n", "", &bad("answers 503"));
    check("HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n", "status = '5xx'", "Passed");
    check("HTTP/1.1 302 Go\r\nlocation: http://h.invalid/\r\n\r\n", "", "Passed");
    check("HTTP/1.0 200 OK\r\n\r\nold and open", "body = 'open$'", "Passed");
    let chunked =
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n";
    check(chunked, "body = 'hello'", "Passed");
    check("", "", &bad("gives no answer: connection closed before message completed"));
    check("SSH-2.0-x\r\n", "", &bad("gives no answer: invalid HTTP version parsed"));
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello";
    check(cut, "body = 'x'", &bad("gives no answer: end of file before message length reached"));
}

#[test]
fn a_request_says_what_it_was_told_to_say() {
    let (told, heard) = mpsc::channel();
    let port = serve(move |stream| {
        told.send(hear(stream)).unwrap();
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n"));
    });
    let mut eye = Eye::new();
    assert_eq!(
        eye.look(http(port, "method = 'POST', headers = { X-A = 'b', Host = 'h' }")),
        Outcome::Passed
    );
    let request = heard.recv_timeout(20 * SECOND).unwrap().to_ascii_lowercase();
    assert!(request.starts_with("post /x?y=z http/1.1\r\n"), "{request}");
    for line in [
        "\r\nx-a: b\r\n",
        "\r\nhost: h\r\n",
        "\r\ncontent-length: 0\r\n",
        "\r\nconnection: close\r\n",
    ] {
        assert!(request.contains(line), "{line:?} in {request:?}");
    }
    assert_eq!(request.matches("\r\nhost:").count(), 1);
}

#[test]
fn an_answer_without_end_is_read_no_further_than_it_is_looked_at() {
    let mut eye = Eye::new();
    let (told, sent) = mpsc::channel();
    let endless = move |begin: &'static str| {
        let told = told.clone();
        serve(move |stream| {
            drop(hear(stream));
            let mut count = begin.len();
            let mut more = stream.write_all(begin.as_bytes());
            while more.is_ok() {
                more = stream.write_all(&[b'x'; 8192]);
                count += 8192;
            }
            told.send(count).unwrap_or_default();
        })
    };
    let port = endless("HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\nbegin");
    assert_eq!(eye.look(http(port, "")), Outcome::Passed);
    sent.recv_timeout(20 * SECOND).unwrap();
    assert_eq!(eye.look(http(port, "body = '^beginx'")), Outcome::Passed);
    let count = sent.recv_timeout(20 * SECOND).unwrap();
    assert!(count < 64 * 1024 * 1024, "{count} bytes went out of 10 GB");
    let head = endless("HTTP/1.1 200 OK\r\nx: ");
    let seen = eye.look(http(head, ""));
    assert!(matches!(&seen, Outcome::Failed(why) if why.contains("too large")), "{seen:?}");
    let count = sent.recv_timeout(20 * SECOND).unwrap();
    assert!(count < 64 * 1024 * 1024, "{count} bytes of a head");
}

#[test]
fn what_is_abandoned_is_dropped_at_once_and_never_heard_of() {
    let (told, ended) = mpsc::channel();
    let mute = {
        let told = told.clone();
        serve(move |stream| {
            drop(hear(stream));
            told.send("asked").unwrap();
            drop(stream.read(&mut [0; 1]));
            told.send("gone").unwrap();
        })
    };
    let dripping = serve(move |stream| {
        drop(hear(stream));
        told.send("asked").unwrap();
        let mut more = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n");
        while more.is_ok() {
            more = stream.write_all(b"x");
            thread::park_timeout(Duration::from_millis(5));
        }
        told.send("gone").unwrap();
    });
    let mut eye = Eye::new();
    for port in [mute, dripping] {
        let key = eye.begin(http(port, "body = 'y'"));
        assert_eq!(ended.recv_timeout(20 * SECOND).unwrap(), "asked");
        eye.prober.abandon(key.clone());
        assert_eq!(ended.recv_timeout(20 * SECOND).unwrap(), "gone");
        eye.prober.abandon(key);
    }
    // Another look is the next that is heard of.
    let last = eye.begin(Look::File(FileLook { path: ".".to_owned(), max_age: None }));
    assert_eq!(eye.next(), (last, Outcome::Passed));
}

#[test]
fn who_listens_accepts_and_who_does_not_refuses() {
    let mut eye = Eye::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let tcp = |host: &str| Look::Tcp(Address { host: host.to_owned(), port });
    assert_eq!(eye.look(tcp("127.0.0.1")), Outcome::Passed);
    assert_eq!(eye.look(tcp("localhost")), Outcome::Passed);
    drop(listener);
    let seen = eye.look(tcp("localhost"));
    let begin = format!("`localhost:{port}` does not accept a connection: ");
    assert!(matches!(&seen, Outcome::Failed(why) if why.starts_with(&begin)), "{seen:?}");
    // No name at all, so that nobody asks a server that may be slow.
    let seen = eye.look(tcp("no..such.host"));
    assert!(matches!(&seen, Outcome::Failed(why) if why.starts_with("cannot find")), "{seen:?}");
}

#[test]
fn whoever_listens_on_the_second_address_is_found_too() {
    let Ok(listener) = TcpListener::bind("[::1]:0") else { return };
    let address = Address::here(listener.local_addr().unwrap().port());
    assert_eq!(Eye::new().look(Look::Tcp(address)), Outcome::Passed);
}

#[test]
fn files_are_there_and_young_enough() {
    let folder = Folder::new("files");
    let path = folder.0.join("alive").display().to_string();
    let look = |max_age: Option<u64>| {
        Look::File(FileLook { path: path.clone(), max_age: max_age.map(Duration::from_secs) })
    };
    let mut eye = Eye::new();
    let missing = Outcome::Failed(format!("`{path}` is not there"));
    assert_eq!(eye.look(look(None)), missing);
    let file = fs::File::create(&path).unwrap();
    assert_eq!(eye.look(look(None)), Outcome::Passed);
    assert_eq!(eye.look(look(Some(60))), Outcome::Passed);
    file.set_modified(clock::realtime() - Duration::from_secs(90)).unwrap();
    let old = eye.look(look(Some(60)));
    assert!(
        matches!(&old, Outcome::Failed(why) if why.ends_with("ago, not within 60s")),
        "{old:?}"
    );
    file.set_modified(clock::realtime() + Duration::from_secs(90)).unwrap();
    assert_eq!(eye.look(look(Some(60))), Outcome::Passed);
}

#[test]
fn what_hangs_is_no_verdict_and_keeps_only_its_own_kind() {
    let runtime = runtime();
    let pools = Pools::default();
    let (release, wall) = mpsc::channel::<()>();
    let wall = Arc::new(std::sync::Mutex::new(wall));
    let hang = || {
        let wall = Arc::clone(&wall);
        runtime.block_on(
            pools.files.run(SECOND / 20, move || wall.lock().unwrap().recv().unwrap_or_default()),
        )
    };
    let (stuck, full) =
        ("what the files lie on does not answer", "too many looks at files are under way");
    for expected in [stuck, stuck, stuck, stuck, full, full] {
        assert_eq!(hang(), Err(Miss::Blind(expected.to_owned())));
    }
    assert_eq!(runtime.block_on(pools.logs.run(SECOND, || 7)), Ok(7));
    drop(release);
    assert_eq!(runtime.block_on(pools.files.run(20 * SECOND, || 7)), Ok(7));
}

#[test]
fn nobody_looks_at_a_file_that_somebody_looks_at() {
    let mut desk = Desk::new();
    let gate = desk.gate("x");
    assert!(Arc::ptr_eq(&gate, &desk.gate("x")));
    assert!(!Arc::ptr_eq(&gate, &desk.gate("y")));
    let runtime = runtime();
    let taken = runtime.block_on(pool::turn(&gate, SECOND, "x")).unwrap();
    let file = FileLook { path: ".".to_owned(), max_age: None };
    let look = |gate| file::look(&file, &desk.pools.files, (Some(gate), SECOND / 20));
    let blind = Miss::Blind("too many looks at `.` are under way".to_owned());
    assert_eq!(runtime.block_on(look(Arc::clone(&gate))), Err(blind));
    drop(taken);
    assert_eq!(runtime.block_on(look(Arc::clone(&gate))), Ok(()));
    drop(gate);
    desk.gates_max = 0;
    desk.tidy();
    assert_eq!(desk.gates.len(), 0);
}

#[test]
fn a_line_of_this_run_is_found_whenever_it_comes() {
    let folder = Folder::new("log");
    let chain = ChainFiles::new(&folder.0, "web");
    write(&chain, 1, &[(3, "ready\n"), (4, "starting\n")]);
    let mut eye = Eye::new();
    let ready = || Look::Log(Pattern::new("^ready$").unwrap());
    let key = eye.begin_in(&folder, 4, ready());
    write(&chain, 1, &[(4, "x".repeat(100_000).as_str()), (4, "\nnot ready\n")]);
    chain.close(1).unwrap();
    // The run before has left somebody behind.
    write(&chain, 2, &[(4, "still not\n"), (3, "ready\n"), (4, "nor now\n")]);
    assert!(eye.is_quiet(SECOND / 5));
    write(&chain, 2, &[(4, "rea")]);
    assert!(eye.is_quiet(SECOND / 10));
    write(&chain, 2, &[(4, "dy\r\n")]);
    assert_eq!(eye.next(), (key, Outcome::Passed));
    chain.close(2).unwrap();
    write(&chain, 3, &[(5, "other\n")]);
    // Whoever begins anew finds what the run has said long ago.
    let key = Eye::new().look_in(&folder, 4, ready());
    assert_eq!(key, Outcome::Passed);
    let key = eye.begin_in(&folder, 5, ready());
    assert!(eye.is_quiet(SECOND / 5), "another run has said it");
    eye.prober.abandon(key);
}

#[test]
fn memory_is_held_against_its_limit() {
    let mut eye = Eye::new();
    let fails = eye.look(Look::Memory(1024));
    assert!(
        matches!(&fails, Outcome::Failed(why) if why.ends_with(", more than 1 KiB")),
        "{fails:?}"
    );
    assert_eq!(eye.look(Look::Memory(1 << 40)), Outcome::Passed);
    let ask = Ask { pid: u32::MAX - 1, ..eye.ask(Look::Memory(1)) };
    let gone = eye.look_as(ask);
    assert!(matches!(&gone, Outcome::Unknown(_)), "{gone:?}");
}

/// A prober and what it has seen.
struct Eye {
    prober: Prober,
    seen: UnboundedReceiver<Seen>,
    runtime: Runtime,
    attempts: u64,
}

impl Eye {
    fn new() -> Self {
        let (prober, seen) = Prober::new();
        Self { prober, seen, runtime: runtime(), attempts: 0 }
    }

    fn look(&mut self, look: Look) -> Outcome {
        let ask = self.ask(look);
        self.look_as(ask)
    }

    fn look_as(&mut self, ask: Ask) -> Outcome {
        let key = self.begin_as(1, ask);
        let (seen, outcome) = self.next();
        assert_eq!(seen, key);
        outcome
    }

    fn look_in(&mut self, folder: &Folder, run: u64, look: Look) -> Outcome {
        let key = self.begin_in(folder, run, look);
        let (seen, outcome) = self.next();
        assert_eq!(seen, key);
        outcome
    }

    fn begin(&mut self, look: Look) -> ProbeKey {
        let ask = self.ask(look);
        self.begin_as(1, ask)
    }

    fn begin_in(&mut self, folder: &Folder, run: u64, look: Look) -> ProbeKey {
        let ask = Ask { logs: (folder.0.clone(), Streams::Joined), ..self.ask(look) };
        self.begin_as(run, ask)
    }

    fn begin_as(&mut self, run: u64, ask: Ask) -> ProbeKey {
        self.attempts += 1;
        let probe = Probe { of: ProbeOf::Ready, attempt: self.attempts };
        let unit = UnitName::first(ServiceName::new("web").unwrap());
        let key = ProbeKey { unit, run, probe };
        self.prober.begin(key.clone(), ask);
        key
    }

    #[expect(clippy::unused_self, reason = "it reads well")]
    fn ask(&self, look: Look) -> Ask {
        let logs = (PathBuf::from("."), Streams::Off);
        let pid = std::process::id();
        Ask { look, pid, logs, every: SECOND / 50, patience: 4 * SECOND }
    }

    fn next(&mut self) -> Seen {
        let next = async { time::timeout(20 * SECOND, self.seen.recv()).await };
        self.runtime.block_on(next).expect("a look takes too long").unwrap()
    }

    /// Returns whether nothing is seen for a while.
    fn is_quiet(&mut self, during: Duration) -> bool {
        let next = async { time::timeout(during, self.seen.recv()).await };
        self.runtime.block_on(next).is_err()
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

fn http(port: u16, line: &str) -> Look {
    look_at(&format!("http://127.0.0.1:{port}/x?y=z"), line)
}

/// Returns what the configuration makes of a line.
fn look_at(url: &str, line: &str) -> Look {
    let comma = if line.is_empty() { "" } else { ", " };
    let ready = format!("ready = {{ http = '{url}'{comma}{line} }}");
    let text = format!("[services.web]\ncommand = ['x']\n{ready}\n");
    let config = parse(&[SourceText { file: "x.toml", bytes: text.as_bytes() }]).unwrap();
    let look = config.services.into_values().next().unwrap().care.ready.look.unwrap();
    assert!(matches!(&look, Look::Http(HttpLook { .. })));
    look
}

/// Listens, and does the same with every connection, one after the other; returns the port.
fn serve(mut answer: impl FnMut(&mut TcpStream) + Send + 'static) -> u16 {
    serve_all(move |mut stream| answer(&mut stream))
}

fn serve_all(mut answer: impl FnMut(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            answer(stream.unwrap());
        }
    });
    port
}

/// Reads a request.
fn hear(stream: &mut TcpStream) -> String {
    let mut heard = Vec::new();
    let mut byte = [0; 1];
    while !heard.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count > 0) {
        heard.extend(byte);
    }
    String::from_utf8(heard).unwrap()
}

/// Writes to the live segment, with the index first, as a keeper does.
fn write(chain: &ChainFiles, segment: u64, texts: &[(u64, &str)]) {
    let append = |path: PathBuf, bytes: &[u8]| {
        let mut options = fs::OpenOptions::new();
        options.append(true).create(true).open(path).unwrap().write_all(bytes).unwrap();
    };
    for (run, text) in texts {
        let offset = fs::metadata(chain.live()).map_or(0, |found| found.len());
        let (stream, flags) = (Stream::Joined, SourceFlags::NONE);
        let record = IndexRecord::Source { offset, run: *run, stream, flags };
        append(chain.index(segment), &record.encode());
        append(chain.live(), text.as_bytes());
    }
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("mainstay-probe-{name}-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}
