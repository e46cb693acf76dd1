//! What is asked over HTTP, and which answers are good.

use std::{fmt, ops::RangeInclusive};

use toml::{Spanned, de::DeValue};

use super::{Address, Pattern};
use crate::config::fields::{Fields, Placed, Reading, mistyped};

/// Headers of one request.
const HEADERS_MAX: usize = 32;
/// Names and values of all headers of a request.
const HEADER_BYTES_MAX: usize = 8 * 1024;
/// The longest URL.
const URL_BYTES_MAX: usize = 2048;
/// The port of `http://` without one.
const HTTP_PORT: u16 = 80;
/// The names of a request that it gets from us.
const OWN_HEADERS: &[&str] = &["content-length", "transfer-encoding", "connection"];

const METHODS: &[(&str, Method)] =
    &[("GET", Method::Get), ("HEAD", Method::Head), ("POST", Method::Post)];

/// What is asked over HTTP, and which answers are good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpLook {
    /// Where.
    pub url: Url,
    /// How.
    pub method: Method,
    /// With what besides the usual headers.
    pub headers: Vec<(String, String)>,
    /// Which answers are good.
    pub statuses: Statuses,
    /// What has to be in the first 64 KiB of the body.
    pub body: Option<Pattern>,
}

/// The address of a resource, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// Who is asked.
    pub address: Address,
    /// What for: the path and what follows it.
    pub target: String,
}

/// How a resource is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// `GET`.
    #[default]
    Get,
    /// `HEAD`: the answer has no body.
    Head,
    /// `POST`, with an empty body.
    Post,
}

/// Which codes of an answer are good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statuses(Vec<RangeInclusive<u16>>);

impl Statuses {
    /// Returns whether a code is among them.
    pub fn contains(&self, code: u16) -> bool {
        self.0.iter().any(|range| range.contains(&code))
    }
}

impl Default for Statuses {
    fn default() -> Self {
        Self(vec![200..=399])
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.address, self.target)
    }
}

impl Method {
    /// Returns its name on the wire.
    pub fn as_str(self) -> &'static str {
        METHODS.iter().find(|(_, method)| *method == self).map_or("GET", |(name, _)| name)
    }
}

/// Reads what belongs to `http`.
pub(super) fn read(fields: &mut Fields<'_, '_>, r: &mut Reading<'_>) -> Option<HttpLook> {
    let expected = ("a URL as text, such as \"http://127.0.0.1:8080/\"", "bad-url");
    let url = fields.measured("http", r, expected, read_url);
    let method = fields.word("method", METHODS, r).unwrap_or_default();
    let statuses = statuses(fields, r);
    let body =
        fields.measured("body", r, ("a regular expression as text", "bad-regex"), Pattern::new);
    if let (Method::Head, Some(value)) = (method, fields.value("body")) {
        let message = "an answer to HEAD has no body".to_owned();
        r.wrong(value.span(), "never", message, "remove `body`, or ask with GET");
    }
    let headers = headers(fields, r);
    Some(HttpLook { url: url?, method, headers, statuses, body })
}

fn read_url(text: &str) -> Result<Url, String> {
    let wrong = |why: &str| Err(format!("`{text}` cannot be asked: {why}"));
    if text.len() > URL_BYTES_MAX {
        return Err(format!("the URL has {} bytes, more than {URL_BYTES_MAX}", text.len()));
    }
    if text.starts_with("https:") {
        return wrong(
            "`https` is not supported by this version; ask a plain `http` address, or use \
             `exec = [\"curl\", \"-fsS\", …]`",
        );
    }
    let Some(rest) = text.strip_prefix("http://") else {
        return wrong("a URL begins with `http://`");
    };
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return wrong("write blanks and letters that are not ASCII as `%20` and the like");
    }
    let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
    let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if authority.contains('@') {
        return wrong("a name and a password belong into `headers`");
    }
    let address = Address::read(authority, Some(HTTP_PORT))?;
    let slash = if target.starts_with('/') { "" } else { "/" };
    Ok(Url { address, target: format!("{slash}{target}") })
}

/// Reads one code, one class such as `2xx`, or a list of both.
fn statuses(fields: &mut Fields<'_, '_>, r: &mut Reading<'_>) -> Statuses {
    let Some(value) = fields.value("status") else { return Statuses::default() };
    let ranges: Vec<_> = match value.get_ref() {
        DeValue::Array(items) => items.iter().filter_map(|item| status(item, r)).collect(),
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Table(_) => status(value, r).into_iter().collect(),
    };
    if value.get_ref().as_array().is_some_and(|items| items.is_empty()) {
        let message = "`status` is empty: no answer would be good".to_owned();
        r.wrong(value.span(), "out-of-range", message, "remove it, or name a status");
    }
    Statuses(ranges)
}

fn status(value: &Spanned<DeValue<'_>>, r: &mut Reading<'_>) -> Option<RangeInclusive<u16>> {
    let read = match value.get_ref() {
        DeValue::Integer(code) => {
            let code = code.as_str().parse().ok().filter(|code| (100..600).contains(code));
            code.map(|code: u16| code..=code)
        }
        DeValue::String(class) => class_of(class),
        DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => {
            let expected = "a status such as 200 or \"2xx\"";
            return mistyped(r, value, "status", expected, value.get_ref());
        }
    };
    if read.is_none() {
        let message = "`status` makes no sense".to_owned();
        let help = "write a number from 100 to 599, a class such as \"2xx\", or a list of them";
        r.wrong(value.span(), "out-of-range", message, help);
    }
    read
}

fn class_of(text: &str) -> Option<RangeInclusive<u16>> {
    let [digit @ b'1'..=b'5', b'x', b'x'] = text.as_bytes() else { return None };
    let first = u16::from(digit - b'0') * 100;
    Some(first..=first + 99)
}

fn headers(fields: &mut Fields<'_, '_>, r: &mut Reading<'_>) -> Vec<(String, String)> {
    let map = fields.map("headers", r).unwrap_or_default();
    let (count, mut size) = (map.len(), 0);
    let mut headers = Vec::new();
    for (name, Placed { text, span }) in map {
        size += name.len() + text.len();
        if let Err(message) = check_header(&name, &text) {
            r.wrong(span, "bad-header", message, "");
        }
        headers.push((name, text));
    }
    if (count > HEADERS_MAX || size > HEADER_BYTES_MAX)
        && let Some(value) = fields.value("headers")
    {
        let message = format!("there are {count} headers with {size} bytes");
        let help = format!("a request has at most {HEADERS_MAX} with {HEADER_BYTES_MAX} bytes");
        r.wrong(value.span(), "too-large", message, &help);
    }
    headers
}

fn check_header(name: &str, value: &str) -> Result<(), String> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(is_token) {
        return Err(format!("{name:?} cannot name a header"));
    }
    if OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(format!("`{name}` is set by what asks, and cannot be set here"));
    }
    if !value.chars().all(|c| c == '\t' || c == ' ' || c.is_ascii_graphic()) {
        return Err(format!("the value of `{name}` has something else than letters of ASCII"));
    }
    Ok(())
}

/// Keys that go with `http` alone.
pub(super) const KEYS: &[&str] = &["status", "body", "headers", "method"];

/// Reads a URL by itself, for tests of what asks it.
impl std::str::FromStr for Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        read_url(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let check = |text: &str, expected: &str| {
            let url = text.parse::<Url>().map(|url| url.to_string());
            assert_eq!(url.unwrap_or_else(|error| error), expected, "{text}");
        };
        check("http://localhost", "http://localhost:80/");
        check("http://[::1]:8080/a?b=c#d", "http://[::1]:8080/a?b=c");
        check("http://h?x", "http://h:80/?x");
        check("ftp://h", "`ftp://h` cannot be asked: a URL begins with `http://`");
        let own = "`http://u:p@h/` cannot be asked: a name and a password belong into `headers`";
        check("http://u:p@h/", own);
        let blank = "write blanks and letters that are not ASCII as `%20` and the like";
        check("http://h/a b", &format!("`http://h/a b` cannot be asked: {blank}"));
        check("http://h:x/", "`x` is no port from 1 to 65535");
        check("http:///", "`` cannot name a host");
    }

    #[test]
    fn classes_are_ranges() {
        assert_eq!(class_of("2xx"), Some(200..=299));
        for wrong in ["0xx", "6xx", "xx", "2x", "200"] {
            assert_eq!(class_of(wrong), None, "{wrong}");
        }
        assert!(Statuses::default().contains(302));
        assert!(!Statuses::default().contains(404));
    }
}
