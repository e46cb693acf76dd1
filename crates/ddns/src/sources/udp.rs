//! Questions over UDP: sent again, each time after twice as long, until one answer fits.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use mainstay_platform::bind_interface;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{net::UdpSocket, time::timeout};

use crate::address::Family;

/// The longest message that is read; longer ones are cut, and then fit nothing.
pub(super) const MESSAGE_BYTES_MAX: usize = 2048;

/// How long is waited for an answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// How long after the first time.
    pub(super) first: Duration,
    /// How often it is asked; each wait is twice as long as the last.
    pub(super) times: u32,
}

/// A socket that hears one server alone.
#[derive(Debug)]
pub(super) struct Line {
    socket: UdpSocket,
    server: SocketAddr,
}

impl Line {
    /// Opens a line to a server, by this interface or from this address where one is named.
    pub(super) async fn open(server: SocketAddr, bind: Option<&str>) -> Result<Self, String> {
        let family = Family::of(server.ip());
        let socket =
            socket(family, bind).map_err(|error| format!("cannot open a socket: {error}"))?;
        match socket.connect(server).await {
            Ok(()) => Ok(Self { socket, server }),
            Err(error) => Err(format!("cannot reach {server}: {error}")),
        }
    }

    /// Returns our own address and port on it.
    pub(super) fn local(&self) -> Result<SocketAddr, String> {
        self.socket.local_addr().map_err(|error| format!("cannot tell our own address: {error}"))
    }

    /// Asks until `read` understands an answer; what it does not understand is not heard.
    pub(super) async fn ask<T>(
        &self,
        message: &[u8],
        patience: Patience,
        read: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<T, String> {
        let broken = |error| format!("cannot ask {}: {error}", self.server);
        let mut wait = patience.first;
        let mut waited = Duration::ZERO;
        for _ in 0..patience.times {
            self.send(message).await.map_err(broken)?;
            if let Ok(heard) = timeout(wait, self.hear(&read)).await {
                return heard.map_err(broken);
            }
            waited = waited.saturating_add(wait);
            wait = wait.saturating_mul(2);
        }
        Err(format!("no answer from {} within {:.1}s", self.server, waited.as_secs_f32()))
    }

    /// Sends a message and waits for nothing.
    pub(super) async fn send(&self, message: &[u8]) -> io::Result<()> {
        self.socket.send(message).await.map(drop)
    }

    async fn hear<T>(&self, read: impl Fn(&[u8]) -> Option<T>) -> io::Result<T> {
        let mut buffer = [0; MESSAGE_BYTES_MAX];
        loop {
            let length = self.socket.recv(&mut buffer).await?;
            if let Some(understood) = buffer.get(..length).and_then(&read) {
                return Ok(understood);
            }
        }
    }
}

/// Opens a socket of a family, by this interface or from this address where one is named.
pub(super) fn socket(family: Family, bind: Option<&str>) -> io::Result<UdpSocket> {
    let (domain, mut from) = match family {
        Family::V4 => (Domain::IPV4, IpAddr::from(Ipv4Addr::UNSPECIFIED)),
        Family::V6 => (Domain::IPV6, IpAddr::from(Ipv6Addr::UNSPECIFIED)),
    };
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    match bind.map(|text| (text, text.parse::<IpAddr>())) {
        Some((_, Ok(address))) => from = address,
        Some((name, Err(_))) => bind_interface::bind(&socket, name).map_err(io::Error::other)?,
        None => (),
    }
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::from((from, 0)).into())?;
    UdpSocket::from_std(socket.into())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Runs a future with the network and the clock.
    pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    /// Begins a server that answers what it is asked with as many messages as it likes; it ends
    /// with the runtime.
    pub(crate) async fn server(
        answer: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static,
    ) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; MESSAGE_BYTES_MAX];
            loop {
                let (length, peer) = socket.recv_from(&mut buffer).await.unwrap();
                for message in answer(&buffer[..length]) {
                    socket.send_to(&message, peer).await.unwrap();
                }
            }
        });
        address
    }

    const QUICK: Patience = Patience { first: Duration::from_millis(20), times: 3 };

    #[test]
    fn it_is_asked_again_and_what_is_not_understood_is_not_heard() {
        use std::sync::atomic::{AtomicU32, Ordering};

        run(async {
            let count = AtomicU32::new(0);
            let address = server(move |asked| match count.fetch_add(1, Ordering::Relaxed) {
                0 => Vec::new(),
                _ => vec![b"noise".to_vec(), asked.to_vec()],
            });
            let line = Line::open(address.await, None).await.unwrap();
            let patience = Patience { times: 9, ..QUICK };
            let heard = line.ask(b"hello", patience, |it| (it == b"hello").then_some(it.len()));
            assert_eq!(heard.await, Ok(5));
        });
    }

    #[test]
    fn silence_comes_to_an_end() {
        run(async {
            let address = server(|_| vec![b"noise".to_vec()]).await;
            let line = Line::open(address, Some("127.0.0.1")).await.unwrap();
            assert_eq!(line.local().unwrap().ip(), address.ip());
            let told = line.ask(b"hello", QUICK, |_| None::<()>).await.unwrap_err();
            assert_eq!(told, format!("no answer from {address} within 0.1s"));
        });
    }

    #[test]
    fn an_interface_that_is_not_there_is_named() {
        run(async {
            let server = "127.0.0.1:9".parse().unwrap();
            let told = Line::open(server, Some("no-such-0")).await.unwrap_err();
            assert!(told.contains("`no-such-0`"), "{told}");
        });
    }
}
