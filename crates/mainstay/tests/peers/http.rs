//! One question over HTTP, and its answer.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

/// How long a peer may take for one answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Asks; returns the status and the body, or nothing when nobody answers.
pub(crate) fn ask(method: &str, url: &str, headers: &str, body: &str) -> Option<(u16, String)> {
    let (address, path) = url.strip_prefix("http://")?.split_once('/')?;
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(ANSWER_WITHIN)).ok()?;
    // The version in which nobody sends pieces.
    let head = format!("{method} /{path} HTTP/1.0\r\nHost: {address}\r\n{headers}");
    let length = body.len();
    stream.write_all(format!("{head}Content-Length: {length}\r\n\r\n{body}").as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split_whitespace().nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}
