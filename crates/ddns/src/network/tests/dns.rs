//! Messages of the DNS, whatever is in them.

use std::sync::Mutex;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, UdpSocket},
    task::JoinSet,
};

use super::*;

type Messages = Vec<Vec<u8>>;

/// What a server sends back to the n-th datagram.
type Reply = fn(usize, &[u8]) -> Vec<Vec<u8>>;

/// A server that hears datagrams and connections at the same port.
struct Server {
    address: SocketAddr,
    heard: Arc<Mutex<Messages>>,
    _tasks: JoinSet<()>,
}

impl Server {
    async fn new(reply: Reply, by_stream: Option<&'static [u8]>) -> Self {
        let (datagrams, listener) = loop {
            let datagrams = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let address = datagrams.local_addr().unwrap();
            // Somebody else may have the port.
            if let Ok(listener) = TcpListener::bind(address).await {
                break (datagrams, listener);
            }
        };
        let address = datagrams.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        let own = Arc::clone(&heard);
        tasks.spawn(async move {
            let mut bytes = [0; 4096];
            for count in 0.. {
                let (size, from) = datagrams.recv_from(&mut bytes).await.unwrap();
                own.lock().unwrap().push(bytes[..size].to_vec());
                for answer in reply(count, &bytes[..size]) {
                    datagrams.send_to(&answer, from).await.unwrap();
                }
            }
        });
        let own = Arc::clone(&heard);
        tasks.spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let length = stream.read_u16().await.unwrap();
                let mut message = vec![0; usize::from(length)];
                stream.read_exact(&mut message).await.unwrap();
                let answer = answer_to(&message, by_stream.unwrap_or_default());
                own.lock().unwrap().push(message);
                stream.write_u16(u16::try_from(answer.len()).unwrap()).await.unwrap();
                // In parts, as it may come.
                for part in answer.chunks(7) {
                    stream.write_all(part).await.unwrap();
                    stream.flush().await.unwrap();
                }
            }
        });
        Self { address, heard, _tasks: tasks }
    }

    async fn ask(&self, carrier: Carrier) -> Result<Vec<u8>, NetworkError> {
        let exchange = self.exchange(carrier);
        direct().dns(exchange).await
    }

    fn exchange(&self, carrier: Carrier) -> Exchange {
        let message = question();
        Exchange { server: self.address, message, carrier, within: PATIENCE / 2 }
    }
}

/// Whatever follows the head is nobody's business here, TSIG least of all.
fn question() -> Vec<u8> {
    let mut message = vec![0x12, 0x34, 0x28, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    message.extend((0..=255).collect::<Vec<u8>>());
    message
}

/// Returns an answer to a message, with this behind its head.
fn answer_to(message: &[u8], behind: &[u8]) -> Vec<u8> {
    let mut head = message[..12].to_vec();
    head[2] |= 0x80;
    [head, behind.to_vec()].concat()
}

fn cut(message: &[u8]) -> Vec<u8> {
    let mut answer = answer_to(message, b"");
    answer[2] |= 0x02;
    answer
}

#[test]
fn a_message_and_its_answer_are_carried_byte_by_byte() {
    run(async {
        let server = Server::new(|_, heard| vec![answer_to(heard, b"fine")], None).await;
        let answer = server.ask(Carrier::UdpThenTcp).await.unwrap();
        assert_eq!(answer, answer_to(&question(), b"fine"));
        assert_eq!(*server.heard.lock().unwrap(), [question()]);
    });
}

#[test]
fn what_is_not_the_answer_is_not_taken_for_it() {
    run(async {
        let reply: Reply = |_, heard| {
            let mut other = answer_to(heard, b"other");
            other[0] ^= 1;
            vec![other, heard.to_vec(), b"short".to_vec(), answer_to(heard, b"fine")]
        };
        let server = Server::new(reply, None).await;
        let answer = server.ask(Carrier::UdpThenTcp).await.unwrap();
        assert_eq!(answer, answer_to(&question(), b"fine"));
    });
}

#[test]
fn a_datagram_that_is_lost_is_sent_again() {
    run(async {
        let reply: Reply = |count, heard| match count {
            0 => Vec::new(),
            _ => vec![answer_to(heard, b"fine")],
        };
        let server = Server::new(reply, None).await;
        let answer = server.ask(Carrier::UdpThenTcp).await.unwrap();
        assert_eq!(answer, answer_to(&question(), b"fine"));
        assert_eq!(*server.heard.lock().unwrap(), [question(), question()]);
    });
}

#[test]
fn an_answer_that_is_cut_short_comes_whole_over_tcp() {
    run(async {
        let long: &[u8] = &[7; 1000];
        let server = Server::new(|_, heard| vec![cut(heard)], Some(long)).await;
        let answer = server.ask(Carrier::UdpThenTcp).await.unwrap();
        assert_eq!(answer, answer_to(&question(), long));
        assert_eq!(server.heard.lock().unwrap().len(), 2);
    });
}

#[test]
fn an_answer_that_is_longer_than_anybody_asked_for_comes_over_tcp() {
    // Windows tells that it was cut; elsewhere its length tells.
    if std::env::consts::OS == "windows" {
        return;
    }
    run(async {
        let reply: Reply = |_, heard| vec![answer_to(heard, &[7; 9000])];
        let server = Server::new(reply, Some(b"whole")).await;
        let answer = server.ask(Carrier::UdpThenTcp).await.unwrap();
        assert_eq!(answer, answer_to(&question(), b"whole"));
    });
}

#[test]
fn tcp_alone_sends_no_datagram() {
    run(async {
        let reply: Reply = |_, heard| vec![answer_to(heard, b"wrong")];
        let server = Server::new(reply, Some(b"fine")).await;
        let answer = server.ask(Carrier::Tcp).await.unwrap();
        assert_eq!(answer, answer_to(&question(), b"fine"));
        assert_eq!(server.heard.lock().unwrap().len(), 1);
    });
}

#[test]
fn a_server_that_does_not_answer_is_left_in_time() {
    run(async {
        let server = Server::new(|_, _| Vec::new(), None).await;
        let within = Duration::from_millis(50);
        let exchange = Exchange { within, ..server.exchange(Carrier::UdpThenTcp) };
        let error = direct().dns(exchange).await.unwrap_err();
        assert_eq!(error, NetworkError::Late { peer: server.address.to_string(), within });
    });
}

#[test]
fn who_is_not_there_and_what_is_no_message_is_told() {
    run(async {
        let server = Server::new(|_, _| Vec::new(), None).await;
        let short = Exchange { message: vec![1; 5], ..server.exchange(Carrier::UdpThenTcp) };
        let error = told(&direct().dns(short).await.unwrap_err());
        assert_eq!(error, "cannot send the request: it is too short for a message of the DNS");
        let long = Exchange { message: vec![1; 65_536], ..server.exchange(Carrier::Tcp) };
        let error = told(&direct().dns(long).await.unwrap_err());
        assert_eq!(error, "cannot send the request: the message is longer than 65535 bytes");
        let exchange = server.exchange(Carrier::Tcp);
        drop(server);
        let error = told(&direct().dns(exchange.clone()).await.unwrap_err());
        let begin = format!("cannot connect to `{}`: 127.0.0.1: ", exchange.server);
        assert!(error.starts_with(&begin), "{error}");
    });
}
