//! A request as it goes onto the wire.

use http_body_util::Full;
use hyper::{
    Method as Verb, Request as Message, Uri,
    body::Bytes,
    header::{
        CONNECTION, CONTENT_LENGTH, HOST, HeaderName, HeaderValue, PROXY_AUTHORIZATION,
        TRANSFER_ENCODING, USER_AGENT,
    },
};

use crate::wire::{Method, NetworkError, Request, Way};

use super::{proxy::ProxyServer, target::Target};

/// What we send.
pub(super) type Outgoing = Message<Full<Bytes>>;

/// Who we are, for those who want to know whom to complain to.
const OWN_NAME: &str = concat!("mainstay/", env!("CARGO_PKG_VERSION"), " (dynamic DNS)");

/// What a request gets from us alone.
const OURS: [HeaderName; 4] = [HOST, CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION];

/// Makes the message of a request; through a proxy that forwards it names the whole URL.
pub(super) fn prepare(
    target: &Target,
    request: &Request,
    proxy: Option<&ProxyServer>,
) -> Result<Outgoing, NetworkError> {
    let forwarder = proxy.filter(|proxy| proxy.forwards(target));
    let uri = match forwarder {
        Some(_) => target.absolute(),
        None => target.path().to_owned(),
    };
    let mut message = Message::new(Full::new(Bytes::from(request.body.clone())));
    *message.method_mut() = verb(request.method);
    *message.uri_mut() = uri.parse::<Uri>().map_err(|_| refuse("its path is none"))?;
    let headers = message.headers_mut();
    headers.insert(HOST, value(&target.host_header())?);
    headers.insert(USER_AGENT, HeaderValue::from_static(OWN_NAME));
    if request.body.is_empty() && has_body(request.method) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    if request.way == Way::Direct || forwarder.is_some() {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if let Some(login) = forwarder.and_then(ProxyServer::authorization) {
        headers.insert(PROXY_AUTHORIZATION, value(&login)?);
    }
    add(&mut message, &request.headers)?;
    Ok(message)
}

fn add(message: &mut Outgoing, given: &[(String, String)]) -> Result<(), NetworkError> {
    for (name, text) in given {
        let known = HeaderName::from_bytes(name.as_bytes());
        let name = known.map_err(|_| refuse(&format!("{name:?} cannot name a header")))?;
        if OURS.contains(&name) {
            return Err(refuse(&format!("the header `{name}` cannot be chosen")));
        }
        let Ok(value) = value(text) else {
            let why = format!("the header `{name}` has something in it that no header may have");
            return Err(refuse(&why));
        };
        if name == USER_AGENT {
            message.headers_mut().insert(name, value);
        } else {
            message.headers_mut().append(name, value);
        }
    }
    Ok(())
}

/// Returns a header's value, which nobody prints.
fn value(text: &str) -> Result<HeaderValue, NetworkError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| refuse("a header is no text"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn refuse(why: &str) -> NetworkError {
    NetworkError::Request { why: why.to_owned() }
}

/// Says whether a server waits for a body.
const fn has_body(method: Method) -> bool {
    matches!(method, Method::Post | Method::Put | Method::Patch)
}

const fn verb(method: Method) -> Verb {
    match method {
        Method::Get => Verb::GET,
        Method::Post => Verb::POST,
        Method::Put => Verb::PUT,
        Method::Patch => Verb::PATCH,
        Method::Delete => Verb::DELETE,
    }
}
