//! A provider on the loopback that understands two of the protocols, and counts.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// `me:swordfish`, as RFC 7617 has it.
const CREDENTIALS: &str = "authorization: Basic bWU6c3dvcmRmaXNo";
const TOKEN: &str = "token=swordfish";
/// Who says nothing for so long is sent away.
const WITHIN: Duration = Duration::from_secs(5);

/// A provider that is there as long as the value is.
#[derive(Debug)]
pub(super) struct Provider {
    address: SocketAddr,
    book: Arc<Book>,
    thread: Option<JoinHandle<()>>,
}

/// A name, and the address that it was given.
type Update = (String, String);

#[derive(Debug, Default)]
struct Book {
    taken: Mutex<Vec<Update>>,
    is_over: AtomicBool,
}

impl Provider {
    pub(super) fn open() -> Self {
        Self::at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
    }

    pub(super) fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let (address, book) = (listener.local_addr().unwrap(), Arc::<Book>::default());
        let shared = Arc::clone(&book);
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.is_over.load(Ordering::Relaxed) {
                    return;
                }
                // Who hangs up before the answer has hurt himself alone.
                drop(stream.and_then(|stream| serve(stream, &shared)));
            }
        });
        Self { address, book, thread: Some(thread) }
    }

    /// Returns an address where nobody is, until somebody opens there.
    pub(super) fn nowhere() -> SocketAddr {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the addresses that a name has been given, one after the other.
    pub(super) fn given(&self, name: &str) -> Vec<String> {
        let taken = self.book.taken.lock().unwrap();
        let own = taken.iter().filter(|(own, _)| own == name);
        own.map(|(_, address)| address.clone()).collect()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.book.is_over.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address));
        drop(self.thread.take().map(JoinHandle::join));
    }
}

fn serve(mut stream: TcpStream, book: &Book) -> std::io::Result<()> {
    stream.set_read_timeout(Some(WITHIN))?;
    let lines = BufReader::new(stream.try_clone()?).lines();
    let head: Vec<String> = lines
        .take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty()))
        .flatten()
        .collect();
    let body = answer(&head, book);
    let length = body.len();
    let fixed = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close";
    write!(stream, "{fixed}\r\ncontent-length: {length}\r\n\r\n{body}")
}

fn answer(head: &[String], book: &Book) -> String {
    let target = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let value = |key: &str| {
        let found = query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
        found.unwrap_or_default().to_owned()
    };
    let is_known = match path {
        "/nic/update" => head.iter().any(|line| line.eq_ignore_ascii_case(CREDENTIALS)),
        _ => query.split('&').any(|pair| pair == TOKEN),
    };
    let (key, good, bad) = match path {
        "/nic/update" => ("hostname", format!("good {}", value("myip")), "badauth"),
        _ => ("domain", "OK\nIP changed".to_owned(), "ERROR"),
    };
    if !is_known {
        return bad.to_owned();
    }
    book.taken.lock().unwrap().push((value(key), value("myip")));
    good
}
