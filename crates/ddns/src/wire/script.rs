//! A wire for tests: a list of requests that must come in this order, and what each is answered.
//!
//! ```ignore
//! let wire = Script::new()
//!     .on(Expected::get("https://api.test/zones?name=example.org").header("authorization", "x"))
//!     .answer(200, &json!({ "result": [] }));
//! let found = run(provider.read(&wire, &record)).unwrap();
//! wire.done();
//! ```

use std::{
    collections::VecDeque,
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Mutex,
};

use jiff::Timestamp;
use serde_json::Value;

use super::{Exchange, Method, NetworkError, Networked, Request, Response, Wire};
use crate::address::Family;

/// What answers one DNS message.
type Respond = Box<dyn Fn(&Exchange) -> Result<Vec<u8>, NetworkError> + Send>;

/// The list.
#[derive(Debug)]
pub(crate) struct Script {
    steps: Mutex<VecDeque<Step>>,
    now: Timestamp,
    nonce: Mutex<u128>,
}

enum Step {
    Http { expected: Expected, result: Option<Result<Response, NetworkError>> },
    Dns { respond: Respond },
    Resolve { name: String, result: Result<Vec<IpAddr>, NetworkError> },
}

/// What one request must look like. Headers that are not named do not matter.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    method: Method,
    url: String,
    queries: Vec<(String, String)>,
    whole_query: bool,
    headers: Vec<(String, String)>,
    body: Body,
}

#[derive(Debug, Clone, PartialEq)]
enum Body {
    Any,
    Text(String),
    Json(Value),
    Form(Vec<(String, String)>),
}

impl Expected {
    /// Expects a method and a URL; its query is compared as a set of names and values, decoded.
    pub(crate) fn new(method: Method, url: &str) -> Self {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let (headers, body) = (Vec::new(), Body::Any);
        let queries = pairs(query);
        Self { method, url: path.to_owned(), queries, whole_query: true, headers, body }
    }

    /// Expects a GET, whose body is empty.
    pub(crate) fn get(url: &str) -> Self {
        Self { body: Body::Text(String::new()), ..Self::new(Method::Get, url) }
    }

    /// Expects a POST.
    pub(crate) fn post(url: &str) -> Self {
        Self::new(Method::Post, url)
    }

    /// Expects a PUT.
    pub(crate) fn put(url: &str) -> Self {
        Self::new(Method::Put, url)
    }

    /// Expects a PATCH.
    pub(crate) fn patch(url: &str) -> Self {
        Self::new(Method::Patch, url)
    }

    /// Expects a DELETE.
    pub(crate) fn delete(url: &str) -> Self {
        Self::new(Method::Delete, url)
    }

    /// Lets the query have more than what is expected, such as a signature.
    pub(crate) fn and_more(self) -> Self {
        Self { whole_query: false, ..self }
    }

    /// Expects a header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Expects a body of JSON, compared as a value.
    pub(crate) fn json(self, value: &Value) -> Self {
        Self { body: Body::Json(value.clone()), ..self }
    }

    /// Expects a body of names and values, compared as a set, decoded.
    pub(crate) fn form(self, text: &str) -> Self {
        Self { body: Body::Form(pairs(text)), ..self }
    }

    /// Expects a body, compared letter by letter.
    pub(crate) fn text(self, text: &str) -> Self {
        Self { body: Body::Text(text.to_owned()), ..self }
    }

    fn check(&self, request: &Request) {
        let (path, query) = request.url.split_once('?').unwrap_or((&request.url, ""));
        assert_eq!((request.method, path), (self.method, self.url.as_str()));
        let mut given = pairs(query);
        if !self.whole_query {
            given.retain(|pair| self.queries.contains(pair));
        }
        assert_eq!(given, self.queries, "the query of {request:?}");
        for (name, value) in &self.headers {
            let found: Vec<&str> = request
                .headers
                .iter()
                .filter(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.as_str())
                .collect();
            assert_eq!(found, [value.as_str()], "the header `{name}` of {request:?}");
        }
        self.check_body(request);
    }

    fn check_body(&self, request: &Request) {
        let text = String::from_utf8_lossy(&request.body).into_owned();
        let given = match &self.body {
            Body::Any => Body::Any,
            Body::Text(_) => Body::Text(text),
            Body::Form(_) => Body::Form(pairs(&text)),
            Body::Json(_) => match serde_json::from_str(&text) {
                Ok(value) => Body::Json(value),
                Err(error) => panic!("no JSON in {request:?}: {error}: {text}"),
            },
        };
        assert_eq!(given, self.body, "the body of {request:?}");
    }
}

impl Script {
    /// Expects nothing yet; it is 2023-11-14 22:13:20 UTC, and nonces count from 1.
    pub(crate) fn new() -> Self {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        Self { steps: Mutex::default(), now, nonce: Mutex::new(0) }
    }

    /// Expects a request next; say what it is answered with one of the functions below.
    pub(crate) fn on(self, expected: Expected) -> Self {
        self.push(Step::Http { expected, result: None })
    }

    /// Answers the request named last with a body of JSON.
    pub(crate) fn answer(self, status: u16, value: &Value) -> Self {
        self.answer_text(status, &value.to_string())
    }

    /// Answers the request named last with a body of text.
    pub(crate) fn answer_text(self, status: u16, body: &str) -> Self {
        let response = Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
        self.answer_with(Ok(response))
    }

    /// Answers the request named last with this, or with no answer at all.
    pub(crate) fn answer_with(self, answer: Result<Response, NetworkError>) -> Self {
        if let Some(Step::Http { result, .. }) = self.steps.lock().unwrap().back_mut() {
            assert!(result.replace(answer).is_none(), "a request is answered once");
        }
        self
    }

    /// Gives the answer named last a header.
    pub(crate) fn with_header(self, name: &str, value: &str) -> Self {
        match self.steps.lock().unwrap().back_mut() {
            Some(Step::Http { result: Some(Ok(response)), .. }) => {
                response.headers.push((name.to_lowercase(), value.to_owned()));
            }
            other => panic!("no answer to give a header to: {other:?}"),
        }
        self
    }

    /// Expects a DNS message next, looked at and answered by a function.
    pub(crate) fn on_dns(
        self,
        respond: impl Fn(&Exchange) -> Result<Vec<u8>, NetworkError> + Send + 'static,
    ) -> Self {
        self.push(Step::Dns { respond: Box::new(respond) })
    }

    /// Expects that a name is resolved next.
    pub(crate) fn on_resolve(self, name: &str, result: Result<Vec<IpAddr>, NetworkError>) -> Self {
        self.push(Step::Resolve { name: name.to_owned(), result })
    }

    /// Lets it be another time.
    pub(crate) fn at(self, now: &str) -> Self {
        Self { now: now.parse().unwrap(), ..self }
    }

    /// Makes sure that everything expected has come.
    pub(crate) fn done(&self) {
        let steps = self.steps.lock().unwrap();
        assert!(steps.is_empty(), "still expected: {steps:?}");
    }

    fn push(self, step: Step) -> Self {
        self.steps.lock().unwrap().push_back(step);
        self
    }

    fn next(&self, what: &dyn fmt::Debug) -> Step {
        let step = self.steps.lock().unwrap().pop_front();
        step.unwrap_or_else(|| panic!("nothing more is expected, but {what:?} comes"))
    }
}

impl Wire for Script {
    fn http(&self, request: Request) -> Networked<'_, Response> {
        match self.next(&request) {
            Step::Http { expected, result } => {
                expected.check(&request);
                Box::pin(async move { result.expect("a request that is expected has an answer") })
            }
            other @ (Step::Dns { .. } | Step::Resolve { .. }) => {
                panic!("{other:?} is expected, but {request:?} comes")
            }
        }
    }

    fn dns(&self, exchange: Exchange) -> Networked<'_, Vec<u8>> {
        match self.next(&exchange) {
            Step::Dns { respond } => Box::pin(async move { respond(&exchange) }),
            other @ (Step::Http { .. } | Step::Resolve { .. }) => {
                panic!("{other:?} is expected, but {exchange:?} comes")
            }
        }
    }

    fn resolve(&self, name: &str, family: Option<Family>) -> Networked<'_, Vec<IpAddr>> {
        match self.next(&(name, family)) {
            Step::Resolve { name: expected, result } => {
                assert_eq!(name, expected);
                Box::pin(async move { result })
            }
            other @ (Step::Http { .. } | Step::Dns { .. }) => {
                panic!("{other:?} is expected, but `{name}` is to be resolved")
            }
        }
    }

    fn resolvers(&self) -> Vec<SocketAddr> {
        vec![SocketAddr::from(([1, 1, 1, 1], 53))]
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    fn nonce(&self) -> u128 {
        let mut last = self.nonce.lock().unwrap();
        *last += 1;
        *last
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { expected, .. } => {
                write!(formatter, "{} {}", expected.method.as_str(), expected.url)
            }
            Self::Dns { .. } => formatter.write_str("a DNS message"),
            Self::Resolve { name, .. } => write!(formatter, "resolving `{name}`"),
        }
    }
}

/// Runs what never waits: nothing that a script answers does.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("it waits for something that no script tells"),
    }
}

/// Names and values of a query or a form, decoded and in order.
fn pairs(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut pairs: Vec<_> = pairs.map(|(name, value)| (decoded(name), decoded(value))).collect();
    pairs.sort();
    pairs
}

fn decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [bytes.next(), bytes.next()].map(|digit| digit.expect("two digits"));
                let digits = std::str::from_utf8(&digits).expect("ASCII").to_owned();
                u8::from_str_radix(&digits, 16).expect("hexadecimal digits")
            }
            other => other,
        });
    }
    String::from_utf8(decoded).expect("UTF-8")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::wire::Carrier;

    #[test]
    fn requests_are_compared_as_values_and_answered_in_order() {
        let wire = Script::new()
            .on(Expected::get("https://a.test/x?b=2&a=%41").header("X-Key", "k"))
            .answer_text(200, "one")
            .with_header("Retry-After", "5")
            .on(Expected::put("https://a.test/y").json(&json!({"b": 1, "a": [2]})))
            .answer_with(Err(NetworkError::Request { why: "no".to_owned() }));
        let first = Request::new(Method::Get, "https://a.test/x?a=A&b=2").header("x-key", "k");
        let response = run(wire.http(first)).unwrap();
        assert_eq!((response.header("retry-after"), response.text().as_str()), (Some("5"), "one"));
        let second = Request::new(Method::Put, "https://a.test/y").json(&json!({"a": [2], "b": 1}));
        run(wire.http(second)).unwrap_err();
        wire.done();
    }

    #[test]
    fn bodies_and_signed_queries_are_compared_as_far_as_they_are_expected() {
        let send = |method, url, body: &str| {
            let body = body.as_bytes().to_vec();
            Request { body, ..Request::new(method, url) }
        };
        let wire = Script::new()
            .on(Expected::post("https://a.test/?a=1").and_more().form("c=d+e&a=b"))
            .answer(200, &json!([1]))
            .on(Expected::patch("https://a.test/").text("<a/>"))
            .answer_text(200, "")
            .on(Expected::delete("https://a.test/"))
            .answer_text(204, "");
        let form = send(Method::Post, "https://a.test/?sign=x&a=1", "a=b&c=d%20e");
        assert_eq!(run(wire.http(form)).unwrap().text(), "[1]");
        run(wire.http(send(Method::Patch, "https://a.test/", "<a/>"))).unwrap();
        run(wire.http(send(Method::Delete, "https://a.test/", ""))).unwrap();
        wire.done();
    }

    #[test]
    fn messages_names_and_the_time_are_scripted_too() {
        let wire = Script::new()
            .at("2016-03-24T16:41:54Z")
            .on_dns(|exchange| Ok(exchange.message.iter().rev().copied().collect()))
            .on_resolve("a.test", Ok(Vec::new()));
        let server = "192.0.2.1:53".parse().unwrap();
        let (carrier, within) = (Carrier::Tcp, Duration::from_secs(1));
        let exchange = Exchange { server, message: vec![1, 2], carrier, within };
        assert_eq!(run(wire.dns(exchange)).unwrap(), [2, 1]);
        assert_eq!(run(wire.resolve("a.test", None)).unwrap(), [] as [IpAddr; 0]);
        assert_eq!((wire.now().as_second(), wire.nonce(), wire.nonce()), (1_458_837_714, 1, 2));
        wire.done();
    }

    #[test]
    #[should_panic(expected = "the query")]
    fn another_query_is_refused() {
        let wire = Script::new().on(Expected::get("https://a.test/x?a=1")).answer_text(200, "");
        let _response = run(wire.http(Request::new(Method::Get, "https://a.test/x?a=2")));
    }

    #[test]
    #[should_panic(expected = "still expected")]
    fn what_has_not_come_is_missed() {
        Script::new().on_resolve("a.test", Ok(Vec::new())).done();
    }
}
