//! What providers and sources ask of the network: one HTTP request, one DNS exchange, the time.
//!
//! Its bodies are the real network and the fakes of tests. Nothing here retries: when to try again
//! is the engine's business alone.

#[cfg(test)]
pub(crate) mod script;

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    time::Duration,
};

use jiff::Timestamp;

use crate::{
    address::Family,
    failure::{Class, Failure},
};

/// The longest body that is read.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// What comes later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What comes later of the network.
pub type Networked<'a, T> = Later<'a, Result<T, NetworkError>>;

/// The network, as far as providers and sources see it.
pub trait Wire: Send + Sync {
    /// Sends one request and reads the whole answer. Follows no redirect.
    fn http(&self, request: Request) -> Networked<'_, Response>;
    /// Sends one DNS message to one server and reads its answer.
    fn dns(&self, exchange: Exchange) -> Networked<'_, Vec<u8>>;
    /// Resolves a name, by the system or by the list of our own servers when that fails.
    fn resolve(&self, name: &str, family: Option<Family>) -> Networked<'_, Vec<IpAddr>>;
    /// Returns DNS servers that may be asked for anybody's names, those first that answer best.
    fn resolvers(&self) -> Vec<SocketAddr> {
        Vec::new()
    }
    /// Lets time pass while the other side goes on with what it has begun; never to try again.
    ///
    /// Where nobody is real, no time passes.
    fn pause(&self, _time: Duration) -> Later<'_, ()> {
        Box::pin(std::future::ready(()))
    }
    /// Returns the wall clock, for signatures.
    fn now(&self) -> Timestamp;
    /// Returns a number that is not given twice, for nonces.
    fn nonce(&self) -> u128;
}

/// How a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

impl Method {
    /// Returns it as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// By which way a request goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Way {
    /// As the configuration says, through a proxy if it names one.
    #[default]
    Configured,
    /// Through no proxy: who looks for its own address must not see a proxy's.
    Direct,
}

/// One HTTP request. What is printed of it has no query, no header's value and no body.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// The whole URL.
    pub url: String,
    /// Headers besides `Host`, `Content-Length` and `User-Agent`.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
    /// The family of addresses that it must be sent by, if that matters.
    pub family: Option<Family>,
    /// By which way.
    pub way: Way,
    /// How long all of it may take.
    pub within: Duration,
}

/// How long a request may take, unless it says otherwise.
const WITHIN: Duration = Duration::from_secs(15);

impl Request {
    /// Returns a request without headers and body.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        let (headers, body, way) = (Vec::new(), Vec::new(), Way::Configured);
        Self { method, url: url.into(), headers, body, family: None, way, within: WITHIN }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Gives it a body of JSON.
    #[must_use]
    pub fn json(self, value: &serde_json::Value) -> Self {
        let request = self.header("content-type", "application/json");
        Self { body: value.to_string().into_bytes(), ..request }
    }

    /// Returns the URL without what may be secret in it: a login, and the query.
    pub fn shown_url(&self) -> String {
        shown(&self.url)
    }
}

/// Returns a URL without a login and without its query. Where a password looks like the end of a
/// host, nothing is shown but how it begins.
pub(crate) fn shown(url: &str) -> String {
    let plain = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = plain.split_once("://") else { return plain.to_owned() };
    let (authority, path) =
        rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).unwrap_or((rest, ""));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let port = host.rsplit_once(':').map_or("", |(_, port)| port);
    if !port.bytes().all(|byte| byte.is_ascii_digit()) && !host.ends_with(']') {
        return format!("{scheme}://[hidden]");
    }
    format!("{scheme}://{host}{path}")
}

impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method.as_str(), self.shown_url())
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Its headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Response {
    /// Returns a header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the body as text; what is no UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// One question to one DNS server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The server.
    pub server: SocketAddr,
    /// The message, without the length that TCP puts before it.
    pub message: Vec<u8>,
    /// By what it is carried.
    pub carrier: Carrier,
    /// How long all of it may take.
    pub within: Duration,
}

/// By what a DNS message is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// UDP, asked again within the time; by TCP when the answer is cut short.
    UdpThenTcp,
    /// TCP alone.
    Tcp,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// The name leads nowhere, or no server tells.
    #[error("cannot resolve `{name}`: {why}")]
    Resolve {
        /// The name.
        name: String,
        /// Why not.
        why: String,
    },
    /// Nobody is reached.
    #[error("cannot connect to `{peer}`: {why}")]
    Connect {
        /// Who.
        peer: String,
        /// Why not.
        why: String,
    },
    /// The other side is not whom we mean, or our clock is wrong.
    #[error("cannot trust `{peer}`: {why}")]
    Tls {
        /// Who.
        peer: String,
        /// Why not.
        why: String,
        /// Whether a wrong clock would explain it.
        clock: ClockDoubt,
    },
    /// It took too long.
    #[error("no answer from `{peer}` within {}s", within.as_secs())]
    Late {
        /// Who.
        peer: String,
        /// How long was waited.
        within: Duration,
    },
    /// It began and did not come to its end.
    #[error("the answer of `{peer}` broke off: {why}")]
    Broken {
        /// Who.
        peer: String,
        /// Why.
        why: String,
    },
    /// More than is read of anybody.
    #[error("the answer of `{peer}` is longer than 64 KiB")]
    Long {
        /// Who.
        peer: String,
    },
    /// The request makes no sense, such as a URL that is none.
    #[error("cannot send the request: {why}")]
    Request {
        /// Why not.
        why: String,
    },
}

/// Whether a wrong clock would explain that somebody cannot be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockDoubt {
    /// The certificate is expired, or not valid yet, as our clock says.
    Likely,
    /// Nothing speaks for it.
    None,
}

impl From<NetworkError> for Failure {
    fn from(error: NetworkError) -> Self {
        let (class, code) = match &error {
            NetworkError::Resolve { .. } => (Class::Transient, "resolve"),
            NetworkError::Connect { .. } => (Class::Transient, "connect"),
            NetworkError::Tls { clock: ClockDoubt::Likely, .. } => (Class::Clock, "tls"),
            NetworkError::Tls { .. } => (Class::Transient, "tls"),
            NetworkError::Late { .. } => (Class::Transient, "timeout"),
            NetworkError::Broken { .. } => (Class::Transient, "broken"),
            NetworkError::Long { .. } => (Class::Transient, "too-long"),
            NetworkError::Request { .. } => (Class::Parked, "request"),
        };
        Self::new(class, code, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_of_a_request_is_printed() {
        let request = Request::new(Method::Get, "https://duckdns.test/update?token=hunter2")
            .header("authorization", "hunter2");
        assert_eq!(format!("{request:?}"), "GET https://duckdns.test/update");
    }

    #[test]
    fn a_url_is_shown_without_a_login_and_without_a_query() {
        let check = |url: &str, expected: &str| {
            assert_eq!(shown(url), expected, "{url}");
            assert!(!shown(url).contains("hunter2"), "{url}");
        };
        check("https://h.test:8443/ip", "https://h.test:8443/ip");
        check("https://[2001:db8::1]/ip", "https://[2001:db8::1]/ip");
        check("https://[2001:db8::1]:8443/ip", "https://[2001:db8::1]:8443/ip");
        check("https://me:hunter2@h.test/ip?key=hunter2#hunter2", "https://h.test/ip");
        check("https://h.test?mail=me@a.test&key=hunter2", "https://h.test");
        check("https://me:x/hunter2@h.test/", "https://[hidden]");
        check("https://me:x?hunter2@h.test/", "https://[hidden]");
        check("/path?key=hunter2", "/path");
    }
}
