//! Questions to the agent on trial: HTTP by hand, one connection for each.

use std::{io, thread, time::Duration};

use mainstay_api::control::Problem;
use mainstay_platform::{
    clock,
    door::{Connection, Received},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::ground::Ground;

/// A client queues while an agent is replaced; longer than this is a failure.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// Between two looks for more of an answer.
const LOOK_EVERY: Duration = Duration::from_micros(500);

/// A question without a good answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    #[error("cannot talk to the agent")]
    Broken(#[from] io::Error),
    #[error("the agent does not answer")]
    Silent,
    #[error("the agent went away")]
    Gone,
    #[error("cannot understand the agent")]
    Strange(#[from] serde_json::Error),
    #[error("the agent refuses: {0}")]
    Refused(String),
}

pub(crate) fn get<T: DeserializeOwned>(ground: &Ground, path: &str) -> Result<T, ClientError> {
    understand(&talk(ground, &request("GET", path, b""))?)
}

pub(crate) fn post<T: DeserializeOwned>(
    ground: &Ground,
    path: &str,
    body: &impl Serialize,
) -> Result<T, ClientError> {
    understand(&talk(ground, &request("POST", path, &serde_json::to_vec(body)?))?)
}

pub(crate) fn delete<T: DeserializeOwned>(ground: &Ground, path: &str) -> Result<T, ClientError> {
    understand(&talk(ground, &request("DELETE", path, b""))?)
}

fn request(method: &str, path: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut bytes = format!(
        "{method} {path} HTTP/1.1\r\nhost: mainstay\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// Sends a request and returns everything that is said until the other side ends.
fn talk(ground: &Ground, request: &[u8]) -> Result<Vec<u8>, ClientError> {
    let until = clock::monotonic() + ANSWER_WITHIN;
    let connection = Connection::open(&ground.instance().api_socket())?;
    let mut sent = 0;
    while let Some(rest) = request.get(sent..).filter(|rest| !rest.is_empty()) {
        sent += connection.send(rest, &[])?;
    }
    let (mut answer, mut riders) = (Vec::new(), Vec::new());
    loop {
        match connection.receive(&mut answer, &mut riders)? {
            Received::Bytes(_) => {}
            Received::Closed => return Ok(answer),
            Received::Empty if clock::monotonic() > until => return Err(ClientError::Silent),
            Received::Empty => thread::park_timeout(LOOK_EVERY),
        }
    }
}

fn understand<T: DeserializeOwned>(answer: &[u8]) -> Result<T, ClientError> {
    const END_OF_HEAD: &[u8] = b"\r\n\r\n";
    let at = answer.windows(END_OF_HEAD.len()).position(|bytes| bytes == END_OF_HEAD);
    let (head, rest) = answer.split_at(at.ok_or(ClientError::Gone)?);
    let body = rest.get(END_OF_HEAD.len()..).unwrap_or_default();
    if head.starts_with(b"HTTP/1.1 200") {
        return Ok(serde_json::from_slice(body)?);
    }
    let problem: Problem = serde_json::from_slice(body)?;
    Err(ClientError::Refused(problem.error))
}
