//! Questions to a name server, one datagram each: fast enough to ask a thousand times a second.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::Duration,
};

/// How long a server may take for one answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// So often is asked whoever does not answer in time.
const TRIES: usize = 6;
/// The longest answer that is read.
const ANSWER_BYTES_MAX: usize = 4096;
const INTERNET: u16 = 1;
const HEADER_BYTES: usize = 12;
/// Behind a record's name: type, class, time to live, length.
const FIXED_BYTES: usize = 10;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    A = 1,
    Soa = 6,
    Txt = 16,
    Aaaa = 28,
}

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// 0 is no error, 3 no such name.
    pub(crate) code: u8,
    pub(crate) values: Vec<String>,
    pub(crate) ttl: Option<u32>,
}

/// A server that is asked.
#[derive(Debug)]
pub(crate) struct Server {
    socket: UdpSocket,
    number: std::cell::Cell<u16>,
}

impl Server {
    pub(crate) fn at(address: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(address).unwrap();
        socket.set_read_timeout(Some(ANSWER_WITHIN)).unwrap();
        Self { socket, number: std::cell::Cell::new(0) }
    }

    /// Asks once; returns nothing when no answer comes.
    pub(crate) fn ask(&self, name: &str, kind: Kind) -> Option<Answer> {
        let number = self.number.get().wrapping_add(1);
        self.number.set(number);
        self.socket.send(&question(number, name, kind)).ok()?;
        let mut bytes = [0; ANSWER_BYTES_MAX];
        loop {
            let length = self.socket.recv(&mut bytes).ok()?;
            let message = bytes.get(..length)?;
            // An answer to a question that was given up may still come.
            if read_16(message, 0)? == number {
                return read(message, kind);
            }
        }
    }

    /// Returns the values of a name, without an order; none where there are none.
    pub(crate) fn values(&self, name: &str, kind: Kind) -> Vec<String> {
        let mut values = (0..TRIES).find_map(|_| self.ask(name, kind)).unwrap().values;
        values.sort();
        values
    }
}

fn question(number: u16, name: &str, kind: Kind) -> Vec<u8> {
    let mut message = number.to_be_bytes().to_vec();
    message.extend([0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.trim_end_matches('.').split('.') {
        message.push(u8::try_from(label.len()).unwrap());
        message.extend(label.as_bytes());
    }
    message.push(0);
    message.extend((kind as u16).to_be_bytes());
    message.extend(INTERNET.to_be_bytes());
    message
}

fn read(message: &[u8], kind: Kind) -> Option<Answer> {
    let code = message.get(3)? & 0x0f;
    let mut at = HEADER_BYTES;
    for _ in 0..read_16(message, 4)? {
        at = behind_name(message, at)? + 4;
    }
    let mut answer = Answer { code, values: Vec::new(), ttl: None };
    for _ in 0..read_16(message, 6)? {
        at = behind_name(message, at)?;
        let length = usize::from(read_16(message, at + 8)?);
        let data = message.get(at + FIXED_BYTES..at + FIXED_BYTES + length)?;
        if read_16(message, at)? == kind as u16 {
            answer.values.push(show(kind, data)?);
            let ttl = message.get(at + 4..at + 8)?;
            answer.ttl = Some(u32::from_be_bytes(ttl.try_into().ok()?));
        }
        at += FIXED_BYTES + length;
    }
    Some(answer)
}

/// Returns where a name ends: at an empty label, or at a pointer to what was said before.
fn behind_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match message.get(at)? {
            0 => return Some(at + 1),
            length if length & 0xc0 != 0 => return Some(at + 2),
            length => at += 1 + usize::from(*length),
        }
    }
}

fn show(kind: Kind, data: &[u8]) -> Option<String> {
    match kind {
        Kind::A => Some(Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?).to_string()),
        Kind::Aaaa => Some(Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?).to_string()),
        Kind::Txt => Some(String::from_utf8_lossy(data.get(1..)?).into_owned()),
        // The serial is what is asked for: it comes fifth from the end.
        Kind::Soa => {
            let serial = data.get(data.len().checked_sub(20)?..)?.get(..4)?;
            Some(u32::from_be_bytes(serial.try_into().ok()?).to_string())
        }
    }
}

fn read_16(message: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(message.get(at..at + 2)?.try_into().ok()?))
}
