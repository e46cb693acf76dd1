//! The client's end of the control API.

use std::{fmt::Write as _, io::ErrorKind, time::Duration};

use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, StatusCode,
    body::Bytes,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use mainstay_api::control::Problem;
use mainstay_platform::local;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    elevation,
    errors::{CliError, Kind},
    instance::{self, Located},
    print,
};

/// Whoever waits for so long is told for whom.
pub(crate) const TALK_AFTER: Duration = Duration::from_millis(2_500);

/// Whoever asks too often waits so long, and so many times.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
const TOO_OFTEN_MAX: u32 = 10;

/// What an agent says to a question.
enum Heard<T> {
    Answer(T),
    /// Nothing was done.
    TooOften,
}

/// A connection to an agent.
#[derive(Debug)]
pub(crate) struct Client {
    sender: SendRequest<Full<Bytes>>,
    located: Located,
}

impl Client {
    /// Connects to the instance's agent.
    pub(crate) async fn connect(located: &Located) -> Result<Self, CliError> {
        let socket = located.instance.api_socket();
        let unreachable = |error: &dyn std::fmt::Display| {
            let what = format!("no agent answers for `{}`: {error}", located.file.display());
            CliError::unreachable(what, instance::way_up(located))
        };
        let stream = local::connect(&socket, located.service.as_deref()).map_err(|error| {
            let is = |kind| error.kind() == kind;
            if is(ErrorKind::PermissionDenied) {
                not_allowed(located)
            } else if is(ErrorKind::NotFound) {
                nobody(located)
            } else {
                unreachable(&error)
            }
        })?;
        let handshake = http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = handshake.map_err(|error| unreachable(&error))?;
        tokio::spawn(async move {
            // Ends with the client; an error shows in the request.
            drop(connection.await);
        });
        Ok(Self { sender, located: located.clone() })
    }

    /// Returns the instance it talks to.
    pub(crate) const fn located(&self) -> &Located {
        &self.located
    }

    /// Asks for what is; asks the next agent when this one is replaced before it has answered.
    pub(crate) async fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, CliError> {
        match self.send(Method::GET, path, Vec::new()).await {
            Err(error) if error.kind == Kind::Unreachable => {
                *self = Self::connect(&self.located.clone()).await?;
                self.send(Method::GET, path, Vec::new()).await
            }
            answer => answer,
        }
    }

    pub(crate) async fn delete<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, CliError> {
        self.send(Method::DELETE, path, Vec::new()).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &mut self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, CliError> {
        self.send(Method::POST, path, json_of(body)?).await
    }

    pub(crate) async fn put<T: DeserializeOwned>(
        &mut self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, CliError> {
        self.send(Method::PUT, path, json_of(body)?).await
    }

    pub(crate) async fn patch<T: DeserializeOwned>(
        &mut self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, CliError> {
        self.send(Method::PATCH, path, json_of(body)?).await
    }

    /// Sends bytes as they are.
    pub(crate) async fn post_bytes<T: DeserializeOwned>(
        &mut self,
        path: &str,
        body: Vec<u8>,
    ) -> Result<T, CliError> {
        self.send(Method::POST, path, body).await
    }

    /// Asks, and asks again when that was too often: then nothing was done.
    async fn send<T: DeserializeOwned>(
        &mut self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<T, CliError> {
        for _ in 0..TOO_OFTEN_MAX {
            match self.send_once(method.clone(), path, body.clone()).await? {
                Heard::Answer(answer) => return Ok(answer),
                Heard::TooOften => tokio::time::sleep(AGAIN_AFTER).await,
            }
        }
        let what = "the agent is asked too often";
        Err(CliError::refused(what, "see who else asks it so much"))
    }

    async fn send_once<T: DeserializeOwned>(
        &mut self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<Heard<T>, CliError> {
        // Whoever says nothing for a while is let go.
        if self.sender.is_closed() {
            *self = Self::connect(&self.located.clone()).await?;
        }
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "mainstay")
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| CliError::bug(error.to_string()))?;
        let lost = |error: hyper::Error| {
            CliError::unreachable(format!("the agent went away: {error}"), "try again")
        };
        let asking = async {
            let answer = self.sender.send_request(request).await.map_err(lost)?;
            let status = answer.status();
            if status == StatusCode::TOO_MANY_REQUESTS {
                return Ok(Heard::TooOften);
            }
            let bytes = answer.into_body().collect().await.map_err(lost)?.to_bytes();
            understand(status, &bytes).map(Heard::Answer)
        };
        // Whoever asks for what is to come knows that it may take long.
        if path.contains("wait=true") {
            return asking.await;
        }
        patiently(&self.located, asking).await
    }
}

fn json_of(body: &impl Serialize) -> Result<Vec<u8>, CliError> {
    serde_json::to_vec(body).map_err(|error| CliError::bug(error.to_string()))
}

/// Waits for an answer, and says so when it takes long.
async fn patiently<T>(located: &Located, asking: impl Future<Output = T>) -> T {
    tokio::pin!(asking);
    if let Ok(answer) = tokio::time::timeout(TALK_AFTER, &mut asking).await {
        return answer;
    }
    print::talk(&format!("still waiting for the agent of `{}`", located.file.display()));
    asking.await
}

/// Returns a text as a part of a path or query: a name may hold anything.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~*@".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // A string never refuses.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// Nobody listens there, and whoever did has ended in order: the system's words say no more.
fn nobody(located: &Located) -> CliError {
    let what = format!("no agent answers for `{}`", located.file.display());
    CliError::unreachable(what, instance::way_up(located))
}

/// The socket's own mode keeps strangers out, before an agent can tell them why.
fn not_allowed(located: &Located) -> CliError {
    CliError::refused(
        format!("you have no rights on the instance of `{}`", located.file.display()),
        way_in(local::WAY_IN),
    )
}

/// Adds what to paste, where an administrator's rights are what is missing.
fn way_in(hint: &str) -> String {
    match elevation::hint() {
        Some(paste) if hint.is_empty() => paste,
        Some(paste) => format!("{hint}\n       {paste}"),
        None => hint.to_owned(),
    }
}

fn understand<T: DeserializeOwned>(status: StatusCode, bytes: &[u8]) -> Result<T, CliError> {
    if status.is_success() {
        return serde_json::from_slice(bytes)
            .map_err(|error| CliError::bug(format!("cannot understand the agent: {error}")));
    }
    Err(match serde_json::from_slice::<Problem>(bytes) {
        Ok(problem) if status == StatusCode::FORBIDDEN => {
            CliError::refused(problem.error, way_in(&problem.hint))
        }
        Ok(problem) => CliError::refused(problem.error, problem.hint),
        Err(_) => CliError::refused(print::harmless(&String::from_utf8_lossy(bytes)), ""),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_break_out_of_its_place_in_a_path() {
        assert_eq!(escaped("web@2*"), "web@2*");
        assert_eq!(escaped("a b/../c?d&e=%\n"), "a%20b%2F..%2Fc%3Fd%26e%3D%25%0A");
        assert_eq!(escaped("ü"), "%C3%BC");
    }
}
