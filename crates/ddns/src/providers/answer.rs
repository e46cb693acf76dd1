//! What the answers of most providers have in common: statuses, snippets, queries.

use std::{fmt::Write as _, net::IpAddr, time::Duration};

use jiff::{Timestamp, fmt::rfc2822};
use serde_json::Value;

use crate::{
    failure::{Class, Failure},
    line,
    wire::Response,
};

/// The longest part of a body that is told.
const SNIPPET_CHARS_MAX: usize = 80;
/// The longest part of a provider's own words that is told.
const WORDS_CHARS_MAX: usize = 240;
/// Nobody is believed who asks for more patience than this.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);

/// Lets pass what has a status of success, and says what another one means.
pub(super) fn check_status(response: &Response) -> Result<(), Failure> {
    let class = match response.status {
        200..=299 => return Ok(()),
        429 => Class::RateLimited,
        401 | 403 => Class::Parked,
        400 | 404 | 405 | 410 | 422 => Class::Parked,
        _ => Class::Transient,
    };
    let code = format!("HTTP {}", response.status);
    let words = format!("the provider answers {code}: {}", snippet(response));
    let failure = Failure::new(class, code, words).after(retry_after(response));
    Err(match response.status {
        401 | 429 => failure.of_account(),
        _ => failure,
    })
}

/// Returns how long the other side asks to be left alone: `Retry-After`, in seconds or as a moment.
pub(super) fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.header("retry-after")?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => until(parsed_date(text)?, response)?,
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

/// Returns how long it is until a moment that the other side names, by its own clock: it is not
/// asked of ours, which may be wrong.
fn until(moment: Timestamp, response: &Response) -> Option<Duration> {
    moment.duration_since(date(response)?).try_into().ok()
}

/// Returns what time it is at the other side, as the header `Date` tells.
pub(super) fn date(response: &Response) -> Option<Timestamp> {
    parsed_date(response.header("date")?)
}

fn parsed_date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

/// Returns the failure of an answer that nobody understands: it may be a page of a portal.
pub(super) fn unknown(response: &Response) -> Failure {
    let words = format!("the provider answers what nobody understands: {}", snippet(response));
    Failure::new(Class::Transient, "unknown-answer", words)
}

/// Returns the failure of reading where that is impossible.
pub(super) fn unreadable(whom: &str) -> Failure {
    Failure::new(Class::Parked, "unreadable", format!("{whom} does not tell what records it has"))
}

/// Returns the one address of a change, for providers that take no more.
pub(super) fn only(want: &[IpAddr]) -> Result<IpAddr, Failure> {
    let [one] = want else {
        let words = format!("the provider takes one address for a name, not {}", want.len());
        return Err(Failure::new(Class::Parked, "too-many-addresses", words));
    };
    Ok(*one)
}

/// Returns the beginning of a body in one line of harmless characters.
pub(super) fn snippet(response: &Response) -> String {
    let shown = cut(&response.text(), SNIPPET_CHARS_MAX);
    if shown.is_empty() { "an empty body".to_owned() } else { format!("`{shown}`") }
}

/// Returns the beginning of a provider's own words in one line of harmless characters.
pub(super) fn shortened(words: &str) -> String {
    cut(words, WORDS_CHARS_MAX)
}

fn cut(text: &str, chars_max: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    line::of(&words.join(" "), chars_max)
}

/// Reads a body of JSON; what is none may be a page of a portal.
pub(super) fn json(response: &Response) -> Result<Value, Failure> {
    serde_json::from_slice(&response.body).map_err(|_| match check_status(response) {
        Err(failure) => failure,
        Ok(()) => unknown(response),
    })
}

/// Returns a text of a JSON value, by its path; an empty one where there is none.
pub(super) fn text_at<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Returns a list of a JSON value, by its path; an empty one where there is none.
pub(super) fn list_at<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Returns the list that an answer is about, by its path; without one, the answer is none, and not
/// that of an empty zone.
pub(super) fn told_list<'a>(body: &'a Value, pointer: &str) -> Result<&'a [Value], Failure> {
    let list = body.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice);
    list.ok_or_else(|| {
        let words = format!("the provider answers without the list `{pointer}` that was asked for");
        Failure::new(Class::Transient, "unknown-answer", words)
    })
}

/// Returns a number of a JSON value, by its path, written as a number or as a text.
pub(super) fn number_at(value: &Value, pointer: &str) -> Option<u32> {
    let value = value.pointer(pointer)?;
    match value.as_str() {
        Some(text) => text.parse().ok(),
        None => value.as_u64()?.try_into().ok(),
    }
}

/// Returns an identifier of a JSON value, by its path, written as a number or as a text.
pub(super) fn id_at(value: &Value, pointer: &str) -> Option<String> {
    match value.pointer(pointer)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Returns a query of names and values, each encoded as RFC 3986 says.
pub(super) fn query(pairs: &[(&str, &str)]) -> String {
    let pairs = pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// Encodes everything but `A-Z a-z 0-9 - _ . ~` (RFC 3986, section 2.3).
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing into a text cannot fail.
            let _infallible = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, body: &str) -> Response {
        let headers = vec![("retry-after".to_owned(), "120".to_owned())];
        Response { status, headers, body: body.as_bytes().to_vec() }
    }

    #[test]
    fn a_status_says_whether_it_may_be_tried_again() {
        let class = |status| check_status(&response(status, "")).map_err(|failure| failure.class);
        assert_eq!(class(204), Ok(()));
        assert_eq!(class(429), Err(Class::RateLimited));
        assert_eq!(class(401), Err(Class::Parked));
        assert_eq!(class(302), Err(Class::Transient));
        assert_eq!(class(503), Err(Class::Transient));
        let wait = check_status(&response(429, "")).unwrap_err().retry_after;
        assert_eq!(wait, Some(Duration::from_mins(2)));
    }

    #[test]
    fn patience_until_a_moment_is_counted_from_the_answers_own_date() {
        let check = |retry_after: &str, date: Option<&str>, expected: Option<u64>| {
            let headers = [Some(("retry-after", retry_after)), date.map(|date| ("date", date))];
            let headers = headers.into_iter().flatten();
            let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let response = Response { status: 503, headers: headers.collect(), body: Vec::new() };
            let expected = expected.map(Duration::from_secs);
            assert_eq!(super::retry_after(&response), expected, "{retry_after} at {date:?}");
        };
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        check("Sun, 06 Nov 1994 08:51:37 GMT", date, Some(120));
        check("Sun, 06 Nov 1994 08:49:37 GMT", date, Some(0));
        check("Mon, 06 Nov 2034 08:49:37 GMT", date, Some(86_400));
        check("Sun, 06 Nov 1994 08:49:36 GMT", date, None);
        check("Sun, 06 Nov 1994 08:51:37 GMT", None, None);
        check("Sun, 06 Nov 1994 08:51:37 GMT", Some("soon"), None);
        check("soon", date, None);
        check(" 120 ", date, Some(120));
    }

    #[test]
    fn what_is_told_of_a_body_is_short_and_harmless() {
        assert_eq!(snippet(&response(200, "a\u{1b}[31m\n b")), "`a[31m b`");
        assert_eq!(snippet(&response(200, "")), "an empty body");
        assert!(snippet(&response(200, &"x".repeat(500))).chars().count() < 90);
    }

    #[test]
    fn an_answer_without_its_list_is_not_an_empty_list() {
        let body = serde_json::json!({ "none": [], "no": null });
        assert_eq!(told_list(&body, "/none").map(<[Value]>::len), Ok(0));
        for pointer in ["/no", "/other", ""] {
            assert_eq!(told_list(&body, pointer).unwrap_err().code, "unknown-answer");
        }
    }

    #[test]
    fn queries_are_encoded_as_the_standard_says() {
        assert_eq!(query(&[("a b", "ä&="), ("c", "~-_.*")]), "a%20b=%C3%A4%26%3D&c=~-_.%2A");
    }
}
