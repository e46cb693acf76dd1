//! Names, with systems and servers that are dead, slow or wrong.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, Ipv6Addr},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
};

use domain::{
    base::{Message, MessageBuilder, iana::Rcode as Code, iana::Rtype},
    rdata::{A, Aaaa},
};
use tokio::{net::UdpSocket, task::JoinSet, time::Instant};

use super::{fakes::fine, *};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const MADE_UP: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 18, 0, 7));

/// A name and its addresses.
type Known<'a> = (&'a str, &'a [IpAddr]);

/// A DNS server that knows some names.
struct Server {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Server {
    async fn knowing(names: &[Known<'_>]) -> Self {
        let names: HashMap<String, Vec<IpAddr>> =
            names.iter().map(|(name, found)| ((*name).to_owned(), found.to_vec())).collect();
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let (address, asked) = (socket.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let (mut tasks, own) = (JoinSet::new(), Arc::clone(&asked));
        tasks.spawn(async move {
            let mut bytes = [0; 4096];
            loop {
                let (size, from) = socket.recv_from(&mut bytes).await.unwrap();
                own.fetch_add(1, Ordering::SeqCst);
                let answer = answer(&bytes[..size], &names);
                socket.send_to(&answer, from).await.unwrap();
            }
        });
        Self { address, asked, _tasks: tasks }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn answer(message: &[u8], names: &HashMap<String, Vec<IpAddr>>) -> Vec<u8> {
    let message = Message::from_slice(message).unwrap();
    let question = message.sole_question().unwrap();
    let found = names.get(&question.qname().to_string());
    let code = if found.is_some() { Code::NOERROR } else { Code::NXDOMAIN };
    let mut answer = MessageBuilder::new_vec().start_answer(message, code).unwrap();
    for address in found.into_iter().flatten() {
        let name = question.qname();
        match (address, question.qtype()) {
            (IpAddr::V4(it), Rtype::A) => answer.push((name, 60, A::new(*it))).unwrap(),
            (IpAddr::V6(it), Rtype::AAAA) => answer.push((name, 60, Aaaa::new(*it))).unwrap(),
            _ => {}
        }
    }
    answer.finish()
}

/// Returns a way whose system does this, and that asks these servers.
fn asking(
    system: impl Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static,
    servers: &[SocketAddr],
) -> Network {
    Network::new(&shared(system, servers), &NetworkConfig::default()).unwrap()
}

fn fails(_: &str) -> io::Result<Vec<IpAddr>> {
    Err(io::Error::other("no such host"))
}

/// Returns an address where nobody answers, and what keeps it so.
fn deaf() -> (SocketAddr, std::net::UdpSocket) {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    (socket.local_addr().unwrap(), socket)
}

#[test]
fn a_system_that_works_is_the_only_one_that_is_asked() {
    run(async {
        let server = Server::knowing(&[("web.test", &[MADE_UP])]).await;
        let network = asking(|_| Ok(vec![HERE]), &[server.address]);
        assert_eq!(network.resolve("web.test", None).await, Ok(vec![HERE]));
        assert_eq!(server.asked(), 0);
    });
}

#[test]
fn a_system_that_fails_is_not_missed() {
    run(async {
        let web = Fake::answering(&fine("found")).await;
        let server = Server::knowing(&[("web.test", &[HERE])]).await;
        let (deaf, _socket) = deaf();
        let network = asking(fails, &[deaf, server.address]);
        let url = format!("http://web.test:{}/", web.address.port());
        let response = network.http(get(url)).await.unwrap();
        assert_eq!(response.text(), "found");
        assert!(web.heard()[0].head.contains(&format!("host: web.test:{}", web.address.port())));
    });
}

#[test]
fn a_system_that_hangs_is_waited_for_once() {
    let (release, wall) = mpsc::channel::<()>();
    let wall = Mutex::new(wall);
    let calls = Arc::new(AtomicUsize::new(0));
    let own = Arc::clone(&calls);
    let hangs = move |_: &str| {
        own.fetch_add(1, Ordering::SeqCst);
        wall.lock().unwrap().recv().unwrap_or_default();
        Err(io::Error::other("at last"))
    };
    run(async {
        let server = Server::knowing(&[("web.test", &[HERE])]).await;
        let network = asking(hangs, &[server.address]);
        let begun = Instant::now();
        assert_eq!(network.resolve("web.test", None).await, Ok(vec![HERE]));
        let first = begun.elapsed();
        assert!(first >= Duration::from_millis(1400), "{first:?}");
        let begun = Instant::now();
        for _ in 0..6 {
            assert_eq!(network.resolve("web.test", None).await, Ok(vec![HERE]));
        }
        assert!(begun.elapsed() < 6 * Duration::from_millis(1400), "{:?}", begun.elapsed());
        assert!(calls.load(Ordering::SeqCst) <= 4, "threads are few");
    });
    drop(release);
}

#[test]
fn names_that_are_asked_for_at_once_take_turns() {
    let (release, wall) = mpsc::channel();
    let wall = Mutex::new(wall);
    let waits = move |_: &str| {
        wall.lock().unwrap().recv().map_err(io::Error::other)?;
        Ok(vec![HERE])
    };
    run(async {
        let server = Server::knowing(&[]).await;
        let network = asking(waits, &[server.address]);
        let mut asked = JoinSet::new();
        for place in 0..9 {
            let network = network.clone();
            asked.spawn(async move { network.resolve(&format!("web{place}.test"), None).await });
        }
        while !asked.is_empty() {
            // All of them have asked before the first one is answered.
            tokio::task::yield_now().await;
            release.send(()).unwrap();
            assert_eq!(asked.join_next().await.unwrap().unwrap(), Ok(vec![HERE]));
        }
    });
}

#[test]
fn a_family_that_the_system_keeps_to_itself_is_asked_of_others() {
    run(async {
        let six: IpAddr = Ipv6Addr::LOCALHOST.into();
        let server = Server::knowing(&[("web.test", &[six, HERE])]).await;
        let network = asking(|_| Ok(vec![HERE]), &[server.address]);
        assert_eq!(network.resolve("web.test", Some(Family::V6)).await, Ok(vec![six]));
        assert_eq!(network.resolve("web.test", Some(Family::V4)).await, Ok(vec![HERE]));
    });
}

#[test]
fn an_address_that_a_proxy_has_made_up_tells_nobody_his_own() {
    run(async {
        let web = Fake::answering(&fine("found")).await;
        let server = Server::knowing(&[("web.test", &[HERE]), ("fake.test", &[MADE_UP])]).await;
        let network = asking(|_| Ok(vec![MADE_UP]), &[server.address]);
        assert_eq!(network.resolve("web.test", None).await, Ok(vec![MADE_UP]));
        let ask = |host: &str| {
            let url = format!("http://{host}:{}/", web.address.port());
            network.http(Request { way: Way::Direct, ..get(url) })
        };
        assert_eq!(ask("web.test").await.unwrap().text(), "found");
        let error = told(&ask("fake.test").await.unwrap_err());
        assert!(error.contains("made up by a proxy (198.18.0.0/15)"), "{error}");
    });
}

#[test]
fn when_nobody_answers_what_was_found_last_has_to_do() {
    run(async {
        let server = Server::knowing(&[("web.test", &[HERE])]).await;
        let network = asking(fails, &[server.address]);
        assert_eq!(network.resolve("web.test", None).await, Ok(vec![HERE]));
        drop(server);
        assert_eq!(network.resolve("web.test", None).await, Ok(vec![HERE]));
        let error = told(&network.resolve("other.test", None).await.unwrap_err());
        for part in
            ["the system says: no such host", "127.0.0.1 says: cannot connect to `127.0.0.1:"]
        {
            assert!(error.contains(part), "{error}");
        }
    });
}

#[test]
fn a_name_that_there_is_not_is_told_by_everybody() {
    run(async {
        let server = Server::knowing(&[]).await;
        let network = asking(fails, &[server.address]);
        let error = told(&network.resolve("web.test", None).await.unwrap_err());
        let why = "the system says: no such host; 127.0.0.1 says: there is no such name";
        assert_eq!(error, format!("cannot resolve `web.test`: {why}"));
    });
}

#[test]
fn what_is_an_address_already_is_asked_of_nobody() {
    run(async {
        let network = asking(|_| panic!("nobody is to be asked"), &[]);
        assert_eq!(network.resolve("198.18.0.7", None).await, Ok(vec![MADE_UP]));
        assert_eq!(network.resolve("localhost", Some(Family::V4)).await, Ok(vec![HERE]));
        let six = network.resolve("::1", None).await;
        assert_eq!(six, Ok(vec![Ipv6Addr::LOCALHOST.into()]));
    });
}

#[test]
fn this_systems_own_names_are_found() {
    run(async {
        let network = Network::new(&Shared::new(&[]), &NetworkConfig::default()).unwrap();
        assert!(network.resolve("LocalHost", None).await.unwrap().contains(&HERE));
        assert_eq!(BUILT_IN_RESOLVERS.iter().filter(|it| it.is_ipv6()).count(), 2);
    });
}
