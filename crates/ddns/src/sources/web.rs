//! The source `web`: echo services that answer with the address they see.
//!
//! All are asked at once, by the family that is looked for and past any proxy. An answer is read
//! strictly: a page of a portal with an address somewhere in it is no answer.

use std::net::IpAddr;

use serde_json::Value;

use crate::{
    address::Family,
    config::{NetworkConfig, Proxy},
    source::{Source, Vote},
    together::together,
    wire::{self, Later, Method, Request, Response, Way},
};

use super::{SharedWire, address};

/// Where Cloudflare tells of a request what it knows, a `name=value` a line.
const TRACE: &str = "/cdn-cgi/trace";

/// Echo services.
#[derive(Debug)]
pub(super) struct Web {
    wire: SharedWire,
    urls: Vec<String>,
    pointer: Option<String>,
    way: Way,
}

impl Web {
    pub(super) fn new(
        wire: SharedWire,
        urls: &[String],
        pointer: Option<&str>,
        network: &NetworkConfig,
    ) -> Self {
        let way = match network.proxy {
            Proxy::Direct => Way::Direct,
            Proxy::Environment | Proxy::Named { .. } => Way::Configured,
        };
        Self { wire, urls: urls.to_vec(), pointer: pointer.map(str::to_owned), way }
    }

    async fn ask(&self, url: &str, family: Family) -> Vote {
        let request = Request { way: self.way, ..Request::new(Method::Get, url) };
        let request = Request { family: Some(family), ..request };
        let voter = request.shown_url();
        let is_trace = voter.ends_with(TRACE);
        let answer = match self.wire.http(request).await {
            Ok(response) if is_trace => read_trace(&response, family),
            Ok(response) => read(&response, self.pointer.as_deref(), family),
            Err(error) => Err(error.to_string()),
        };
        Vote { voter, answer: answer.map(|one| vec![one]) }
    }
}

impl Source for Web {
    fn look(&self, family: Family) -> Later<'_, Vec<Vote>> {
        let votes = self.urls.iter().map(|url| Box::pin(self.ask(url, family)) as Later<'_, Vote>);
        Box::pin(together(votes.collect()))
    }
}

/// Reads the body as one address, or what the pointer leads to.
fn read(response: &Response, pointer: Option<&str>, family: Family) -> Result<IpAddr, String> {
    check_status(response)?;
    let Some(pointer) = pointer else { return address::one(&response.text(), family) };
    let Ok(body) = serde_json::from_slice::<Value>(&response.body) else {
        return Err(format!("it answers no JSON: {}", address::shown(&response.text())));
    };
    match body.pointer(pointer) {
        Some(Value::String(text)) => address::one(text, family),
        Some(_) => Err(format!("what `{pointer}` leads to in its answer is no text")),
        None => Err(format!("`{pointer}` leads nowhere in its answer")),
    }
}

/// Reads the line `ip=` of Cloudflare's answer.
fn read_trace(response: &Response, family: Family) -> Result<IpAddr, String> {
    check_status(response)?;
    let text = response.text();
    let mut found = text.lines().filter_map(|line| line.trim().strip_prefix("ip="));
    match (found.next(), found.next()) {
        (Some(text), None) => address::one(text, family),
        (Some(_), Some(_)) => Err("it answers several lines `ip=`".to_owned()),
        (None, _) => Err(format!("it answers no line `ip=`: {}", address::shown(&text))),
    }
}

fn check_status(response: &Response) -> Result<(), String> {
    match response.status {
        200 => Ok(()),
        status @ 300..=399 => {
            let to = response.header("location").unwrap_or("somewhere");
            let to = address::shown(&wire::shown(to));
            Err(format!("it answers HTTP {status} and leads to {to}; write that if it is right"))
        }
        status => Err(format!("it answers HTTP {status}")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::{fake_wire::FakeWire, wire::NetworkError};

    fn response(status: u16, body: &str) -> Response {
        let headers = vec![("location".to_owned(), "https://portal.test/login".to_owned())];
        Response { status, headers, body: body.as_bytes().to_vec() }
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[test]
    fn every_answer_is_an_address_or_a_reason() {
        let check = |status, body: &str, pointer: Option<&str>, expected: &str| {
            let told = match read(&response(status, body), pointer, Family::V4) {
                Ok(address) => address.to_string(),
                Err(why) => why,
            };
            assert!(told.contains(expected), "{told}");
        };
        check(200, "81.2.69.142\n", None, "81.2.69.142");
        check(200, "<!DOCTYPE html><p>1.2.1.1", None, "web page");
        check(200, "", None, "nothing");
        check(302, "81.2.69.142", None, "leads to `https://portal.test/login`");
        check(204, "81.2.69.142", None, "HTTP 204");
        check(429, "81.2.69.142", None, "HTTP 429");
        check(200, r#"{"ip": "81.2.69.142", "n": 1}"#, Some("/ip"), "81.2.69.142");
        check(200, r#"{"ip": "81.2.69.142", "n": 1}"#, Some("/n"), "is no text");
        check(200, r#"{"ip": "81.2.69.142", "n": 1}"#, Some("/x/y"), "leads nowhere");
        check(200, "81.2.69.142", Some("/ip"), "no JSON");
        check(200, "hello", Some("/ip"), "no JSON");
        check(200, r#"{"ip": "2001:4860::1"}"#, Some("/ip"), "no IPv4");
    }

    #[test]
    fn a_trace_has_one_line_with_the_address() {
        let told = |body| read_trace(&response(200, body), Family::V6);
        let body = "fl=1\nh=one.one.one.one\nip=2001:4860::1\nts=1.2\nvisit_scheme=https\n";
        assert_eq!(told(body), Ok("2001:4860::1".parse().unwrap()));
        assert!(told("ip=::1\nip=::2").unwrap_err().contains("several"));
        assert!(told("<html>").unwrap_err().contains("no line `ip=`"));
        assert!(told("ip=81.2.69.142").unwrap_err().contains("no IPv6"));
    }

    /// Whatever a page says, it is read to an end, and what is told of it harms nobody.
    #[test]
    fn damaged_pages_are_read_to_an_end() {
        let mut chance = crate::fake_wire::Chance::new(23);
        let pages = ["81.2.69.142\n", r#"{"ip": "81.2.69.142"}"#, "fl=1\nip=81.2.69.142\nts=1\n"];
        let mut understood = [0; 3];
        for round in 0..3_000 {
            let noise = chance.noise(b"0123456789.:{}[]\"ip=\n\r <", 400);
            let hurt = pages.map(|page| chance.damage(page.as_bytes()));
            for (place, page) in hurt.into_iter().enumerate() {
                let body = if round % 3 == 0 { noise.clone() } else { page };
                let answer = Response { status: 200, headers: Vec::new(), body };
                let told = match place {
                    0 => read(&answer, None, Family::V4),
                    1 => read(&answer, Some("/ip"), Family::V4),
                    _ => read_trace(&answer, Family::V4),
                };
                understood[place] += usize::from(told.is_ok());
                let words = told.err().unwrap_or_default();
                assert!(
                    words.chars().count() < 200 && !words.contains(char::is_control),
                    "{words:?}"
                );
            }
        }
        assert!(understood.iter().all(|count| *count > 0), "{understood:?}");
    }

    #[test]
    fn a_page_that_is_deep_or_wide_costs_no_more_than_others() {
        for page in
            ["[".repeat(65_536), "1.".repeat(32_768), " ".repeat(65_536), "\u{7}".repeat(65_536)]
        {
            let answer = response(200, &page);
            read(&answer, Some("/ip"), Family::V4).unwrap_err();
            read(&answer, None, Family::V4).unwrap_err();
            read_trace(&answer, Family::V4).unwrap_err();
            address::lines(&page, Family::V4).unwrap_err();
        }
    }

    #[test]
    fn all_are_asked_by_the_family_and_past_the_proxy_and_one_does_not_hold_up_another() {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        let wire = FakeWire::of_http(move |request| {
            seen.lock().unwrap().push((request.family, request.way));
            match request.url.as_str() {
                "https://b.test/?key=secret" => {
                    Err(NetworkError::Connect { peer: "b.test".into(), why: "gone".into() })
                }
                "https://c.test/cdn-cgi/trace" => Ok(response(200, "ip=81.2.69.143\n")),
                _ => Ok(response(200, "81.2.69.142")),
            }
        });
        let urls = ["https://a.test", "https://b.test/?key=secret", "https://c.test/cdn-cgi/trace"];
        let urls = urls.map(str::to_owned);
        let network = NetworkConfig::default();
        let web = Web::new(SharedWire::new(Arc::new(wire)), &urls, None, &network);
        let votes = run(web.look(Family::V4));
        let told: Vec<(&str, bool)> =
            votes.iter().map(|vote| (vote.voter.as_str(), vote.answer.is_ok())).collect();
        let expected = [
            ("https://a.test", true),
            ("https://b.test/", false),
            ("https://c.test/cdn-cgi/trace", true),
        ];
        assert_eq!(told, expected);
        assert_eq!(*asked.lock().unwrap(), [(Some(Family::V4), Way::Direct); 3]);
    }
}
