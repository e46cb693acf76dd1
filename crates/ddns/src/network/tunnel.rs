//! Reaches somebody through a proxy.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::{
    address::Family,
    wire::{Method, NetworkError, Request},
};

use super::{
    Network,
    proxy::{Kind, ProxyServer},
    resolver::Want,
    socks,
    target::Target,
};

/// Something that bytes go through, whatever it is.
pub(super) type Stream = Box<dyn Duplex>;

/// Both directions.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Duplex for S {}

/// The longest answer of a proxy that is read.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Reaches somebody through a proxy; where only forwarding is asked for, the proxy itself.
///
/// Names are left to the proxy, which may know them better; but where the family matters, it is
/// given an address.
pub(super) async fn through(
    network: &Network,
    proxy: &ProxyServer,
    (target, family): (&Target, Option<Family>),
) -> Result<Stream, NetworkError> {
    let entrance = Target::of(&Request::new(Method::Get, proxy.url()))?;
    let stream =
        network.dial(&entrance, Want::ANY).await.map_err(|error| of_proxy(proxy, error))?;
    let stream: Stream = match proxy.kind {
        Kind::Https => {
            let spoken = network.0.secure.over(Box::new(stream), &entrance).await;
            Box::new(spoken.map_err(|error| of_proxy(proxy, error))?)
        }
        Kind::Http | Kind::Socks5 => Box::new(stream),
    };
    if proxy.forwards(target) {
        return Ok(stream);
    }
    let host = host(network, (target, family)).await?;
    let opened = match proxy.kind {
        Kind::Socks5 => socks::connect(stream, proxy.login.as_ref(), (&host, target.port())).await,
        Kind::Http | Kind::Https => connect(stream, proxy, (&host, target.port())).await,
    };
    opened.map_err(|why| {
        let peer = format!("{} through {}", target.peer(), proxy.named());
        NetworkError::Connect { peer, why }
    })
}

/// Returns what a proxy is told to connect to.
async fn host(
    network: &Network,
    (target, family): (&Target, Option<Family>),
) -> Result<String, NetworkError> {
    let Some(family) = family else { return Ok(target.host().to_owned()) };
    let want = Want { family: Some(family), ..Want::ANY };
    let addresses = network.0.resolver.resolve(network, target.host(), want).await?;
    Ok(addresses.first().map_or_else(|| target.host().to_owned(), ToString::to_string))
}

/// Has a proxy of HTTP open a connection (RFC 9110, section 9.3.6).
async fn connect(
    mut stream: Stream,
    proxy: &ProxyServer,
    (host, port): (&str, u16),
) -> Result<Stream, String> {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let login = proxy.authorization().map(|it| format!("Proxy-Authorization: {it}\r\n"));
    let login = login.unwrap_or_default();
    let head = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{login}\r\n");
    let answered = async {
        stream.write_all(head.as_bytes()).await?;
        stream.flush().await?;
        read_head(&mut stream).await
    };
    let answer = answered.await.map_err(|error| error.to_string())?;
    understand(&answer)?;
    Ok(stream)
}

/// Reads to the empty line and not a byte further: what follows is another's.
async fn read_head(stream: &mut Stream) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= HEAD_BYTES_MAX {
            return Err(io::Error::other("it answers at too great length"));
        }
        head.push(stream.read_u8().await?);
    }
    Ok(head)
}

fn understand(head: &[u8]) -> Result<(), String> {
    let head = String::from_utf8_lossy(head);
    let line = head.lines().next().unwrap_or_default();
    let mut words = line.split(' ');
    let (version, status) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    match status {
        _ if !version.starts_with("HTTP/1.") => Err("the proxy does not speak HTTP".to_owned()),
        // Some proxies send a server's code here.
        "407" | "401" => Err(unknown_to_proxy(status)),
        status if status.len() == 3 && status.starts_with('2') => Ok(()),
        status => Err(format!("the proxy answers {status}")),
    }
}

/// Says that a proxy does not know us.
pub(super) fn unknown_to_proxy(status: &str) -> String {
    format!("the proxy wants a name and a password, or another one ({status})")
}

/// Says that it is the proxy with which something is wrong.
fn of_proxy(proxy: &ProxyServer, error: NetworkError) -> NetworkError {
    match error {
        NetworkError::Connect { why, .. } => NetworkError::Connect { peer: proxy.named(), why },
        NetworkError::Tls { why, clock, .. } => {
            NetworkError::Tls { peer: proxy.named(), why, clock }
        }
        NetworkError::Broken { why, .. } => NetworkError::Broken { peer: proxy.named(), why },
        error @ (NetworkError::Resolve { .. }
        | NetworkError::Late { .. }
        | NetworkError::Long { .. }
        | NetworkError::Request { .. }) => error,
    }
}
