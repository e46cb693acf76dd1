//! What others may ask of a running client, and how: one line of JSON each way, by the socket `door`
//! in its state directory (on Windows a named pipe that stands for that path).
//!
//! | request | answer |
//! |---|---|
//! | `{"ask": "status"}` | the document of `mainstay ddns status --json` |
//! | `{"ask": "update", "names": ["home.example.org"]}` | `{"updating": ["cf/home.example.org/A"], "unknown": []}`; no names mean all |
//! | anything else | `{"error": "…"}` |

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use mainstay_platform::local;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    time::timeout,
};

/// A thousand names need a fifth of it.
const ANSWER_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Nobody asks for more in words.
const REQUEST_BYTES_MAX: u64 = 256 * 1024;
const WITHIN: Duration = Duration::from_secs(5);
const DOOR: &str = "door";

/// What somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// To know how all is.
    Status,
    /// That these names, or all, are written at once.
    Update(Vec<String>),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody is there.
    #[error("no client answers at `{}`", path.display())]
    Absent {
        /// Where.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It did not answer in time, or in words that nobody understands.
    #[error("the client gives no answer: {why}")]
    Silent {
        /// Why.
        why: String,
    },
    /// It refuses.
    #[error("the client refuses: {why}")]
    Refused {
        /// Why.
        why: String,
    },
}

/// Returns where the client with this state directory can be asked.
pub fn door(state: &Path) -> PathBuf {
    state.join(DOOR)
}

/// Asks the client with this state directory. Must be called inside a runtime.
pub async fn ask(state: &Path, request: &Request) -> Result<Value, AskError> {
    let path = door(state);
    let stream = local::connect(&path, None).map_err(|source| AskError::Absent { path, source })?;
    let silent = |why: String| AskError::Silent { why };
    let answer = timeout(WITHIN, exchange(stream, request)).await;
    let answer = answer.map_err(|_| silent(format!("not within {} s", WITHIN.as_secs())))?;
    let line = answer.map_err(|error| silent(error.to_string()))?;
    let value: Value = serde_json::from_str(&line).map_err(|error| silent(error.to_string()))?;
    match value.get("error").and_then(Value::as_str) {
        Some(why) => Err(AskError::Refused { why: why.to_owned() }),
        None => Ok(value),
    }
}

async fn exchange(mut stream: local::Stream, request: &Request) -> io::Result<String> {
    let line = format!("{}\n", request.written());
    stream.write_all(line.as_bytes()).await?;
    stream.flush().await?;
    let mut answer = String::new();
    BufReader::new(stream.take(ANSWER_BYTES_MAX)).read_line(&mut answer).await?;
    Ok(answer)
}

/// Reads the one request of a caller.
pub(super) async fn hear(stream: &mut local::Stream) -> io::Result<Result<Request, String>> {
    let mut line = String::new();
    BufReader::new(stream.take(REQUEST_BYTES_MAX)).read_line(&mut line).await?;
    Ok(Request::understand(&line))
}

/// Answers.
pub(super) async fn answer(stream: &mut local::Stream, value: &Value) -> io::Result<()> {
    stream.write_all(format!("{value}\n").as_bytes()).await?;
    stream.flush().await?;
    // Whoever has read all of it hangs up; a pipe that we close first would lose what is in it.
    let mut rest = [0_u8; 1];
    let _read = stream.read(&mut rest).await?;
    Ok(())
}

impl Request {
    fn written(&self) -> Value {
        match self {
            Self::Status => json!({ "ask": "status" }),
            Self::Update(names) => json!({ "ask": "update", "names": names }),
        }
    }

    fn understand(line: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        match value.get("ask").and_then(Value::as_str) {
            Some("status") => Ok(Self::Status),
            Some("update") => {
                let names = value.get("names").and_then(Value::as_array).into_iter().flatten();
                let names: Option<Vec<String>> =
                    names.map(|name| name.as_str().map(ToOwned::to_owned)).collect();
                names.map(Self::Update).ok_or_else(|| "a name is no text".to_owned())
            }
            _ => Err("ask for `status` or `update`".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_understood() {
        for request in [Request::Status, Request::Update(vec!["home.example.org".to_owned()])] {
            assert_eq!(Request::understand(&request.written().to_string()), Ok(request));
        }
        Request::understand("{").unwrap_err();
        Request::understand(r#"{"ask":"tea"}"#).unwrap_err();
        Request::understand(r#"{"ask":"update","names":[1]}"#).unwrap_err();
    }

    #[test]
    fn damaged_requests_are_read_to_an_end() {
        let mut chance = crate::fake_wire::Chance::new(31);
        let whole = br#"{"ask":"update","names":["home.example.org"]}"#;
        let understood =
            |_: &u32| Request::understand(&String::from_utf8_lossy(&chance.damage(whole))).is_ok();
        assert!((0..3_000).filter(understood).count() > 10);
        Request::understand(&"[".repeat(200_000)).unwrap_err();
    }
}
