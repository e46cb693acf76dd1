//! What is asked over HTTP, and which answers are good.

use std::{ops::RangeInclusive, path::Path};

use toml::{Spanned, de::DeValue};

use super::{Pattern, Scene, Scheme, Url, address::check_host, look};
use crate::config::fields::{Fields, Placed, Reading, mistyped};

/// Headers of one request.
const HEADERS_MAX: usize = 32;
/// Names and values of all headers of a request.
const HEADER_BYTES_MAX: usize = 8 * 1024;
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
    /// Who has to be there, where it is asked over TLS.
    pub tls: TlsLook,
}

/// Whom a server has to be, and who may say so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsLook {
    /// A PEM file with authorities, or with the server's own certificate, that is believed, too.
    pub ca_file: Option<String>,
    /// Whom the certificate has to be for, where that is not the URL's host.
    pub server_name: Option<String>,
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
        Self(vec![200..=299, 300..=399])
    }
}

impl Method {
    /// Returns its name on the wire.
    pub fn as_str(self) -> &'static str {
        METHODS.iter().find(|(_, method)| *method == self).map_or("GET", |(name, _)| name)
    }
}

/// Reads what belongs to `http`.
pub(super) fn read(
    fields: &mut Fields<'_, '_>,
    scene: &Scene<'_>,
    r: &mut Reading<'_>,
) -> Option<HttpLook> {
    let expected = ("a URL as text, such as \"http://127.0.0.1:8080/\"", "bad-url");
    let url: Option<Url> = fields.measured("http", r, expected, str::parse);
    if url.as_ref().is_some_and(|url| url.scheme == Scheme::Http) {
        look::unfit(fields, TLS_KEYS, ("`https`", "http"), r);
    }
    let tls = tls(fields, scene, r);
    let method = fields.word("method", METHODS, r).unwrap_or_default();
    let statuses = statuses(fields, r);
    let body =
        fields.measured("body", r, ("a regular expression as text", "bad-regex"), Pattern::new);
    if let (Method::Head, Some(value)) = (method, fields.value("body")) {
        let message = "an answer to HEAD has no body".to_owned();
        r.wrong(value.span(), "never", message, "remove `body`, or ask with GET");
    }
    let headers = headers(fields, r);
    Some(HttpLook { url: url?, method, headers, statuses, body, tls })
}

/// Reads what belongs to `https` alone.
fn tls(fields: &mut Fields<'_, '_>, scene: &Scene<'_>, r: &mut Reading<'_>) -> TlsLook {
    let expected = ("a file of certificates as text", "out-of-range");
    let ca_file = fields.measured("ca-file", r, expected, |text| {
        let is_path = !text.is_empty() && !text.contains('\0');
        let path = Path::new(scene.directory).join(text).display().to_string();
        is_path.then_some(path).ok_or_else(|| format!("{text:?} names no file"))
    });
    let expected = ("a name or an address as text", "out-of-range");
    let server_name = fields
        .measured("server-name", r, expected, |text| check_host(text).map(|()| text.to_owned()));
    TlsLook { ca_file, server_name }
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
pub(super) const KEYS: &[&str] = &["status", "body", "headers", "method", "ca-file", "server-name"];
/// Those of them that go with `https` alone.
const TLS_KEYS: &[&str] = &["ca-file", "server-name"];

#[cfg(test)]
mod tests {
    use super::*;

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
