//! Sends one DNS message to one server and reads its answer, over UDP, TCP, or one after the other.

use std::{
    io,
    net::{SocketAddr, UdpSocket as StdSocket},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UdpSocket,
    time,
};

use crate::wire::{Carrier, Exchange, NetworkError};

use super::dial::{self, Binding};

/// After so long without an answer the same is sent again; then after twice as long, and so on.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// The longest answer that is taken from a datagram. We ask for none beyond 512 bytes (RFC 1035,
/// section 4.2.1); whatever fills this room may have been longer.
const DATAGRAM_BYTES_MAX: usize = 4096;
/// Number, flags and counts.
const HEADER_BYTES: usize = 12;
/// Of the flags: this is an answer.
const IS_ANSWER: u8 = 0x80;
/// Of the flags: it is cut short.
const IS_CUT: u8 = 0x02;

/// Asks once, by whichever carrier.
pub(super) async fn perform(
    exchange: Exchange,
    binding: Option<Binding>,
) -> Result<Vec<u8>, NetworkError> {
    let peer = exchange.server.to_string();
    let binding = binding.filter(|binding| binding.concerns(exchange.server.ip()));
    match time::timeout(exchange.within, carry(&exchange, binding)).await {
        Ok(carried) => carried,
        Err(_) => Err(NetworkError::Late { peer, within: exchange.within }),
    }
}

async fn carry(exchange: &Exchange, binding: Option<Binding>) -> Result<Vec<u8>, NetworkError> {
    let peer = || exchange.server.to_string();
    if exchange.message.len() < HEADER_BYTES {
        let why = "it is too short for a message of the DNS".to_owned();
        return Err(NetworkError::Request { why });
    }
    if exchange.carrier == Carrier::UdpThenTcp {
        let asked = by_datagram(exchange, binding.as_ref()).await;
        let unreached =
            |error: io::Error| NetworkError::Connect { peer: peer(), why: error.to_string() };
        let answer = asked.map_err(unreached)?;
        if answer.len() < DATAGRAM_BYTES_MAX && !has_flag(&answer, IS_CUT) {
            return Ok(answer);
        }
    }
    by_stream(exchange, binding.as_ref()).await
}

/// Sends the message until its answer comes.
async fn by_datagram(exchange: &Exchange, binding: Option<&Binding>) -> io::Result<Vec<u8>> {
    let socket = socket(exchange.server, binding)?;
    socket.connect(exchange.server).await?;
    let (mut pause, mut room) = (AGAIN_AFTER, vec![0; DATAGRAM_BYTES_MAX]);
    loop {
        socket.send(&exchange.message).await?;
        let heard = hear(&socket, &exchange.message, &mut room);
        if let Ok(answer) = time::timeout(pause, heard).await {
            return answer;
        }
        pause *= 2;
    }
}

fn socket(server: SocketAddr, binding: Option<&Binding>) -> io::Result<UdpSocket> {
    let local = binding.and_then(Binding::local_address);
    let local = local.unwrap_or_else(|| dial::any_like(server.ip()));
    let socket = StdSocket::bind(SocketAddr::new(local, 0))?;
    if let Some(binding) = binding {
        binding.apply(&socket)?;
    }
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

/// Waits for an answer with the number of the message; others are not for us.
async fn hear(socket: &UdpSocket, message: &[u8], room: &mut [u8]) -> io::Result<Vec<u8>> {
    loop {
        let count = socket.recv(room).await?;
        let heard = room.get(..count).unwrap_or_default();
        if heard.len() >= HEADER_BYTES && heard.get(..2) == message.get(..2) && is_answer(heard) {
            return Ok(heard.to_vec());
        }
    }
}

fn is_answer(message: &[u8]) -> bool {
    has_flag(message, IS_ANSWER)
}

fn has_flag(message: &[u8], flag: u8) -> bool {
    message.get(2).is_some_and(|flags| flags & flag != 0)
}

async fn by_stream(
    exchange: &Exchange,
    binding: Option<&Binding>,
) -> Result<Vec<u8>, NetworkError> {
    let (server, peer) = (exchange.server, exchange.server.to_string());
    let long =
        || NetworkError::Request { why: "the message is longer than 65535 bytes".to_owned() };
    let length = u16::try_from(exchange.message.len()).map_err(|_| long())?;
    let dialed = dial::first(&[server.ip()], server.port(), binding).await;
    let mut stream = dialed.map_err(|why| NetworkError::Connect { peer: peer.clone(), why })?;
    let talk = async {
        // In one write: some servers take a length that comes alone for the whole (RFC 7766).
        let whole = [&length.to_be_bytes()[..], &exchange.message].concat();
        stream.write_all(&whole).await?;
        let length = stream.read_u16().await?;
        let mut answer = vec![0; usize::from(length)];
        stream.read_exact(&mut answer).await?;
        Ok::<_, io::Error>(answer)
    };
    talk.await.map_err(|error| NetworkError::Broken { peer, why: error.to_string() })
}
