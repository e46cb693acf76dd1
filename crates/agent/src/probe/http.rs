//! Asks over HTTP. Redirections are not followed, and of an answer no more is read than is needed.

use std::{error::Error as _, io, sync::Arc, time::Duration};

use http_body_util::{BodyExt as _, Empty};
use hyper::{
    Method as Verb, Request, Response,
    body::{Bytes, Incoming},
    client::conn::http1,
    header::{CONNECTION, CONTENT_LENGTH, HOST, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use mainstay_api::config::{HttpLook, Method, Pattern};
use mainstay_tls::ClientConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinSet,
};

use super::{
    Miss, Sight, connect,
    pool::{Pool, Pools},
    tls,
};

/// So much of a body is looked at.
pub(super) const BODY_BYTES_MAX: usize = 64 * 1024;
/// So much room is there for the head of an answer.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// How long a body that was read waits to be looked at.
const MATCHED_WITHIN: Duration = Duration::from_secs(5);

/// Asks once; over TLS as a client, where the URL says so.
pub(super) async fn ask(
    look: &HttpLook,
    client: Option<Arc<ClientConfig>>,
    pools: &Pools,
    within: Duration,
) -> Sight {
    let stream = connect::to(&look.url.address, &pools.names, within).await?;
    match client {
        Some(client) => talk(tls::over(stream, look, &client).await?, look, &pools.bodies).await,
        None => talk(stream, look, &pools.bodies).await,
    }
}

async fn talk<S>(stream: S, look: &HttpLook, bodies: &Pool) -> Sight
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let builder = http1::Builder::new().max_buf_size(HEAD_BYTES_MAX).to_owned();
    let who = format!("`{}`", look.url.address);
    let wrong = |error: hyper::Error| miss(&who, &error);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(wrong)?;
    // Ends with this look, whatever becomes of it.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let answer = sender.send_request(request(look)?).await.map_err(wrong)?;
    let status = answer.status().as_u16();
    if !look.statuses.contains(status) {
        return Err(Miss::Bad(format!("{who} answers {status}")));
    }
    let Some(pattern) = &look.body else { return Ok(()) };
    let body = read(answer).await.map_err(wrong)?;
    if is_found(pattern, body, bodies).await? {
        return Ok(());
    }
    let what = pattern.as_str();
    Err(Miss::Bad(format!("{who} answers {status}, and `{what}` is not in the body")))
}

fn request(look: &HttpLook) -> Result<Request<Empty<Bytes>>, Miss> {
    let verb = match look.method {
        Method::Get => Verb::GET,
        Method::Head => Verb::HEAD,
        Method::Post => Verb::POST,
    };
    let has = |name: &str| look.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
    let mut request = Request::builder().method(verb).uri(look.url.target.as_str());
    request = request.header(CONNECTION, "close");
    if !has(HOST.as_str()) {
        request = request.header(HOST, look.url.address.to_string());
    }
    if !has(USER_AGENT.as_str()) {
        request = request.header(USER_AGENT, concat!("mainstay/", env!("CARGO_PKG_VERSION")));
    }
    if look.method == Method::Post {
        request = request.header(CONTENT_LENGTH, "0");
    }
    for (name, value) in &look.headers {
        request = request.header(name, value);
    }
    let request = request.body(Empty::new());
    request.map_err(|error| Miss::Blind(format!("cannot ask like this: {error}")))
}

/// Reads a body to its end, or so far as it is looked at.
async fn read(answer: Response<Incoming>) -> Result<Vec<u8>, hyper::Error> {
    let mut body = answer.into_body();
    let mut bytes = Vec::new();
    while bytes.len() < BODY_BYTES_MAX
        && let Some(frame) = body.frame().await
    {
        if let Ok(data) = frame?.into_data() {
            bytes.extend_from_slice(&data);
        }
    }
    bytes.truncate(BODY_BYTES_MAX);
    Ok(bytes)
}

/// Looks for an expression, beside all other looks: some take their time.
async fn is_found(pattern: &Pattern, body: Vec<u8>, bodies: &Pool) -> Result<bool, Miss> {
    let pattern = pattern.clone();
    let look = move || pattern.is_found_in(&String::from_utf8_lossy(&body));
    bodies.run(MATCHED_WITHIN, look).await
}

fn miss(who: &str, error: &hyper::Error) -> Miss {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(error) = cause.downcast_ref::<io::Error>() {
            return Miss::of(&format!("{who} gives no answer"), error);
        }
        source = cause.source();
    }
    Miss::Bad(format!("{who} gives no answer: {error}"))
}
