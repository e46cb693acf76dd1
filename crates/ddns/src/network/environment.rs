//! What the environment says of proxies: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`,
//! in small letters or large ones.

use std::{net::IpAddr, sync::Arc};

use super::{
    proxy::{ProxyError, ProxyServer},
    target::Target,
};

/// What it says.
#[derive(Debug)]
pub(super) struct Environment {
    http: Option<Arc<ProxyServer>>,
    https: Option<Arc<ProxyServer>>,
    exceptions: Vec<Exception>,
}

/// Who is reached through nobody.
#[derive(Debug, PartialEq, Eq)]
enum Exception {
    /// Everybody.
    All,
    /// An address, or all that share its first bits.
    Network(IpAddr, u32),
    /// A name and all below it.
    Name(String),
}

impl Environment {
    pub(super) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ProxyError> {
        let said = |name: &str| {
            let small = name.to_ascii_lowercase();
            let found = [small.as_str(), name]
                .into_iter()
                .find_map(|name| Some((name.to_owned(), variable(name)?.trim().to_owned())));
            found.filter(|(_, text)| !text.is_empty())
        };
        let proxy = |name: &str| match said(name).or_else(|| said("ALL_PROXY")) {
            Some((name, url)) => ProxyServer::read(&name, &url).map(|it| Some(Arc::new(it))),
            None => Ok(None),
        };
        let exceptions = said("NO_PROXY").map(|(_, list)| exceptions(&list)).unwrap_or_default();
        Ok(Self { http: proxy("HTTP_PROXY")?, https: proxy("HTTPS_PROXY")?, exceptions })
    }

    /// Returns through whom somebody is reached; this machine itself through nobody.
    pub(super) fn for_target(&self, target: &Target) -> Option<Arc<ProxyServer>> {
        let host = target.host().trim_end_matches('.').to_ascii_lowercase();
        let address: Option<IpAddr> = host.parse().ok();
        let is_here = host == "localhost" || address.is_some_and(|it| it.is_loopback());
        if is_here || self.exceptions.iter().any(|it| it.is_of(&host, address)) {
            return None;
        }
        if target.is_secure() { self.https.clone() } else { self.http.clone() }
    }
}

/// Reads `NO_PROXY`; ports are not looked at.
fn exceptions(list: &str) -> Vec<Exception> {
    let words = list.split([',', ' ', '\t']).map(str::trim).filter(|word| !word.is_empty());
    words.map(exception).collect()
}

fn exception(word: &str) -> Exception {
    if word == "*" {
        return Exception::All;
    }
    let bare = word.trim_start_matches('[').replace(']', "");
    if let Ok(address) = bare.parse() {
        return Exception::Network(address, 128);
    }
    if let Some((address, bits)) = bare.split_once('/')
        && let (Ok(address), Ok(bits)) = (address.parse(), bits.parse())
    {
        return Exception::Network(address, bits);
    }
    let name = word.split(':').next().unwrap_or_default();
    let name = name.trim_start_matches('*').trim_start_matches('.').trim_end_matches('.');
    Exception::Name(name.to_ascii_lowercase())
}

impl Exception {
    fn is_of(&self, host: &str, address: Option<IpAddr>) -> bool {
        match self {
            Self::All => true,
            Self::Network(network, bits) => {
                address.is_some_and(|address| is_within(address, *network, *bits))
            }
            Self::Name(name) => {
                let above = host.strip_suffix(name.as_str());
                above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
            }
        }
    }
}

fn is_within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let shift = 32 - bits.min(32);
            address.to_bits().checked_shr(shift) == network.to_bits().checked_shr(shift)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let shift = 128 - bits.min(128);
            address.to_bits().checked_shr(shift) == network.to_bits().checked_shr(shift)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::wire::{Method, Request};

    use super::*;

    fn through(variables: &[(&str, &str)], url: &str) -> String {
        let variable = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let target = Target::of(&Request::new(Method::Get, url)).unwrap();
        match Environment::read(variable) {
            Ok(environment) => {
                environment.for_target(&target).map_or("nobody".to_owned(), |it| it.peer())
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_variables_say_through_whom() {
        let https = [("HTTPS_PROXY", "http://p:1"), ("ALL_PROXY", "socks5://s:2")];
        assert_eq!(through(&https, "https://a.test"), "p:1");
        assert_eq!(through(&https, "http://a.test"), "s:2");
        let small = [("https_proxy", "http://small:1"), ("HTTPS_PROXY", "http://large:1")];
        assert_eq!(through(&small, "https://a.test"), "small:1");
        assert_eq!(through(&[("HTTPS_PROXY", " ")], "https://a.test"), "nobody");
        assert_eq!(through(&[], "https://a.test"), "nobody");
        let wrong = through(&[("https_proxy", "ftp://me:hunter2@h")], "https://a.test");
        assert!(wrong.starts_with("cannot use https_proxy `ftp://h`: "), "{wrong}");
    }

    #[test]
    fn exceptions_and_this_machine_are_reached_through_nobody() {
        let check = |list: &str, host: &str, expected: bool| {
            let variables = [("ALL_PROXY", "p:1"), ("no_proxy", list)];
            let is_free = through(&variables, &format!("https://{host}/")) == "nobody";
            assert_eq!(is_free, expected, "{list} {host}");
        };
        check("*", "a.test", true);
        check("a.test, .b.test", "a.test", true);
        check("a.test", "x.a.test", true);
        check("a.test", "xa.test", false);
        check(".b.test", "b.test", true);
        check("*.b.test", "x.b.test", true);
        check("a.test:443", "A.test", true);
        check("10.0.0.0/8", "10.1.2.3", true);
        check("10.0.0.0/8", "11.1.2.3", false);
        check("0.0.0.0/0", "11.1.2.3", true);
        check("192.0.2.7", "192.0.2.7", true);
        check("192.0.2.7", "192.0.2.8", false);
        check("[2001:db8::]/32", "[2001:db8::1]", true);
        check("2001:db8::1", "[2001:db8::2]", false);
        check("", "localhost", true);
        check("", "127.0.0.1", true);
        check("", "[::1]", true);
        check("", "a.test", false);
    }
}
