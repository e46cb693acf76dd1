//! SOCKS 5: asks a proxy for a connection (RFC 1928), by name and password where it wants them
//! (RFC 1929).

use std::{io, net::IpAddr};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{proxy::Login, tunnel::Stream};

const VERSION: u8 = 5;
const LOGIN_VERSION: u8 = 1;
const NO_LOGIN: u8 = 0;
const BY_PASSWORD: u8 = 2;
const NOTHING_FITS: u8 = 0xff;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// Has the proxy connect to a name or an address.
pub(super) async fn connect(
    mut stream: Stream,
    login: Option<&Login>,
    (host, port): (&str, u16),
) -> Result<Stream, String> {
    let broken = |error: io::Error| format!("the proxy hung up: {error}");
    let methods: &[u8] = if login.is_some() { &[NO_LOGIN, BY_PASSWORD] } else { &[NO_LOGIN] };
    let [version, method] = greet(&mut stream, methods).await.map_err(broken)?;
    match (version, method, login) {
        (VERSION, NO_LOGIN, _) => {}
        (VERSION, BY_PASSWORD, Some(login)) => {
            let message = password(login)?;
            let [_, verdict] = exchange(&mut stream, &message).await.map_err(broken)?;
            if verdict != 0 {
                return Err("the proxy refuses this name and password".to_owned());
            }
        }
        (VERSION, NOTHING_FITS, None) => {
            return Err("the proxy wants a name and a password".to_owned());
        }
        (VERSION, NOTHING_FITS, Some(_)) => {
            return Err("the proxy wants something else than a name and a password".to_owned());
        }
        _ => return Err("the proxy does not speak SOCKS 5".to_owned()),
    }
    let message = request(host, port)?;
    let code = open(&mut stream, &message).await.map_err(broken)?;
    if code == 0 { Ok(stream) } else { Err(refusal(code)) }
}

async fn greet(stream: &mut Stream, methods: &[u8]) -> io::Result<[u8; 2]> {
    let count = u8::try_from(methods.len()).unwrap_or(u8::MAX);
    exchange(stream, &[&[VERSION, count], methods].concat()).await
}

async fn exchange(stream: &mut Stream, message: &[u8]) -> io::Result<[u8; 2]> {
    stream.write_all(message).await?;
    stream.flush().await?;
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

fn password(login: &Login) -> Result<Vec<u8>, String> {
    let mut message = vec![LOGIN_VERSION];
    for part in [login.user.as_str(), login.password.reveal()] {
        let long = || "a name or a password of more than 255 bytes is none for SOCKS".to_owned();
        message.push(u8::try_from(part.len()).map_err(|_| long())?);
        message.extend_from_slice(part.as_bytes());
    }
    Ok(message)
}

fn request(host: &str, port: u16) -> Result<Vec<u8>, String> {
    let mut message = vec![VERSION, CONNECT, 0];
    match host.parse() {
        Ok(IpAddr::V4(address)) => {
            message.push(IPV4);
            message.extend(address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            message.push(IPV6);
            message.extend(address.octets());
        }
        Err(_) => {
            let length = u8::try_from(host.len());
            let length = length.map_err(|_| "the name is too long for SOCKS".to_owned())?;
            message.extend([NAME, length]);
            message.extend_from_slice(host.as_bytes());
        }
    }
    message.extend(port.to_be_bytes());
    Ok(message)
}

/// Returns the proxy's verdict, with the whole answer read: what follows is another's.
async fn open(stream: &mut Stream, message: &[u8]) -> io::Result<u8> {
    stream.write_all(message).await?;
    stream.flush().await?;
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let [version, code, _, kind] = head;
    if version != VERSION {
        return Err(io::Error::other("it does not speak SOCKS 5"));
    }
    if code != 0 {
        return Ok(code);
    }
    let length = match kind {
        IPV4 => 4,
        IPV6 => 16,
        _ => usize::from(stream.read_u8().await?),
    };
    let mut bound = vec![0; length + 2];
    stream.read_exact(&mut bound).await?;
    Ok(code)
}

fn refusal(code: u8) -> String {
    let why = match code {
        1 => "it is in trouble itself",
        2 => "its rules forbid it",
        3 => "the network is unreachable from it",
        4 => "the host is unreachable from it",
        5 => "the connection is refused",
        6 => "it took too long",
        7 => "it makes no connections",
        8 => "it does not know this kind of address",
        _ => return format!("the proxy refuses with code {code}"),
    };
    format!("the proxy refuses: {why}")
}
