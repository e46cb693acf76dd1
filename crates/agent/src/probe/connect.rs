//! Connects to whoever listens.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _},
    time::Duration,
};

use mainstay_api::config::Address;
use tokio::{net::TcpStream, task::JoinSet, time};

use super::{Miss, pool::Pool};

/// So many addresses of one name are tried.
const ADDRESSES_MAX: usize = 4;
/// The next address is tried when the one before has not answered for so long: on Windows a port
/// that nobody listens on refuses only after two seconds.
const NEXT_AFTER: Duration = Duration::from_millis(100);

/// Connects to the first address that answers.
pub(super) async fn to(
    address: &Address,
    names: &Pool,
    within: Duration,
) -> Result<TcpStream, Miss> {
    let mut attempts = JoinSet::new();
    for (place, found) in (0..).zip(resolve(address, names, within).await?) {
        attempts.spawn(async move {
            time::sleep(NEXT_AFTER * place).await;
            reach(found).await.map_err(|error| (place, error))
        });
    }
    let mut errors = Vec::new();
    while let Some(attempt) = attempts.join_next().await {
        match attempt {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => errors.push(error),
            Err(_) => {}
        }
    }
    // What the first address says is what people expect: the others are often not there at all.
    errors.sort_by_key(|(place, _)| *place);
    let first = errors.into_iter().next().map(|(_, error)| error);
    let error = first.unwrap_or_else(|| io::ErrorKind::NotFound.into());
    Err(Miss::of(&format!("`{address}` does not accept a connection"), &error))
}

/// Connects to an address where somebody else listens.
async fn reach(address: SocketAddr) -> io::Result<TcpStream> {
    not_itself(TcpStream::connect(address).await?)
}

/// A system may choose the very port that is asked for: where nobody listens, the connection is one
/// with itself then.
fn not_itself(stream: TcpStream) -> io::Result<TcpStream> {
    if stream.local_addr()? == stream.peer_addr()? {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(stream)
}

/// Returns what a name stands for. Only names other than `localhost` are asked for.
async fn resolve(
    address: &Address,
    names: &Pool,
    within: Duration,
) -> Result<Vec<SocketAddr>, Miss> {
    let Address { host, port } = address.clone();
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    if host.eq_ignore_ascii_case("localhost") {
        let own = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        return Ok(own.map(|ip| SocketAddr::new(ip, port)).to_vec());
    }
    let ask = move || -> io::Result<Vec<SocketAddr>> {
        Ok((host.as_str(), port).to_socket_addrs()?.take(ADDRESSES_MAX).collect())
    };
    let found = names.run(within, ask).await?;
    let what = || format!("cannot find the host of `{address}`");
    let found = found.map_err(|error| Miss::of(&what(), &error))?;
    if found.is_empty() { Err(Miss::Bad(what())) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use tokio::{net::TcpSocket, runtime::Builder};

    use super::*;

    #[test]
    fn a_connection_with_itself_is_with_nobody() {
        let runtime = Builder::new_current_thread().enable_io().build().unwrap();
        runtime.block_on(async {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
            let own = socket.local_addr().unwrap();
            let refused = socket.connect(own).await.and_then(not_itself).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            reach(listener.local_addr().unwrap()).await.unwrap();
        });
    }
}
