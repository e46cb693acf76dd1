//! Through whom a request goes: nobody, a proxy that is named, or whom the environment names.

use std::{fmt, net::IpAddr, str::FromStr, sync::Arc};

use crate::{base64, config::Proxy, secret::Secret};

use super::{environment::Environment, target::Target};

/// A proxy that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot use {origin} `{url}`: {why}")]
pub struct ProxyError {
    /// Who names it: `proxy`, or a variable of the environment.
    pub origin: String,
    /// What it says, without a name and a password.
    pub url: String,
    /// Why not.
    pub why: String,
}

/// Whom requests go through.
#[derive(Debug)]
pub(super) enum Choice {
    Direct,
    Named(Arc<ProxyServer>),
    Environment(Environment),
}

/// A proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProxyServer {
    pub(super) kind: Kind,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) login: Option<Login>,
}

/// How a proxy is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// HTTP in the open.
    Http,
    /// HTTP over TLS.
    Https,
    /// SOCKS 5 (RFC 1928).
    Socks5,
}

/// Who we are at a proxy.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: Secret,
}

const KINDS: &[(&str, Kind)] = &[
    ("http", Kind::Http),
    ("https", Kind::Https),
    ("socks5", Kind::Socks5),
    ("socks5h", Kind::Socks5),
    ("socks", Kind::Socks5),
];

impl Choice {
    /// Reads what the configuration says, and the environment where that is meant.
    pub(super) fn of(
        proxy: &Proxy,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ProxyError> {
        match proxy {
            Proxy::Direct => Ok(Self::Direct),
            Proxy::Environment => Environment::read(variable).map(Self::Environment),
            Proxy::Named { url, user, password } => {
                let mut server = ProxyServer::read("proxy", url)?;
                let in_url = server.login.take();
                let user = user.clone().or_else(|| in_url.as_ref().map(|login| login.user.clone()));
                server.login = user.map(|user| {
                    let given = password.clone().or(in_url.map(|login| login.password));
                    Login { user, password: given.unwrap_or_else(|| String::new().into()) }
                });
                Ok(Self::Named(Arc::new(server)))
            }
        }
    }

    /// Returns through whom somebody is reached.
    pub(super) fn for_target(&self, target: &Target) -> Option<Arc<ProxyServer>> {
        match self {
            Self::Direct => None,
            Self::Named(server) => Some(Arc::clone(server)),
            Self::Environment(environment) => environment.for_target(target),
        }
    }
}

impl ProxyServer {
    /// Reads a URL; `origin` is who names it.
    pub(super) fn read(origin: &str, url: &str) -> Result<Self, ProxyError> {
        url.parse().map_err(|why: String| {
            let (origin, url) = (origin.to_owned(), without_login(url));
            ProxyError { origin, url, why }
        })
    }

    /// Says whether it is asked for a resource, and not for a connection: it is spoken to in HTTP,
    /// and what is asked for is not secret.
    pub(super) fn forwards(&self, target: &Target) -> bool {
        self.kind != Kind::Socks5 && !target.is_secure()
    }

    /// Returns the header by which a proxy knows us.
    pub(super) fn authorization(&self) -> Option<String> {
        let Login { user, password } = self.login.as_ref()?;
        let login = format!("{user}:{}", password.reveal());
        Some(format!("Basic {}", base64::encode(login.as_bytes())))
    }

    /// Returns where it is, as a URL that says how it is spoken to.
    pub(super) fn url(&self) -> String {
        let scheme = if self.kind == Kind::Https { "https" } else { "http" };
        format!("{scheme}://{}", self.peer())
    }

    /// Returns it as it is called in failures.
    pub(super) fn named(&self) -> String {
        format!("the proxy {}", self.peer())
    }

    /// Returns its host and port, for people.
    pub(super) fn peer(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

impl FromStr for ProxyServer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let kind = KINDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(scheme));
        let Some((_, kind)) = kind else {
            return Err("it begins with none of `http://`, `https://` and `socks5://`".to_owned());
        };
        let rest = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (login, authority) = match rest.rsplit_once('@') {
            Some((login, authority)) => (Some(login), authority),
            None => (None, rest),
        };
        let (host, port) = host_and_port(authority)?;
        let port = port.unwrap_or(match kind {
            Kind::Http => 80,
            Kind::Https => 443,
            Kind::Socks5 => 1080,
        });
        Ok(Self { kind: *kind, host, port, login: login.map(Login::read).transpose()? })
    }
}

impl Login {
    fn read(text: &str) -> Result<Self, String> {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        let plain = |text: &str| {
            unescape(text).ok_or_else(|| "its name or password is not written in UTF-8".to_owned())
        };
        Ok(Self { user: plain(user)?, password: plain(password)?.into() })
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:[hidden]", self.user)
    }
}

/// A host, and a port if there is one.
type Parts = (String, Option<u16>);

/// Cuts host and port apart; an address of IPv6 stands in brackets.
fn host_and_port(authority: &str) -> Result<Parts, String> {
    let (host, port) = match authority.strip_prefix('[').and_then(|it| it.split_once(']')) {
        Some((host, behind)) => (host, behind.strip_prefix(':')),
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if host.parse::<IpAddr>().is_err() && (host.is_empty() || !host.chars().all(is_name)) {
        return Err("it names no host".to_owned());
    }
    let port = port.filter(|port| !port.is_empty());
    let port = port.map(|port| port.parse().ok().filter(|port| *port > 0));
    match port {
        Some(None) => Err("it has no port from 1 to 65535".to_owned()),
        port => Ok((host.to_owned(), port.flatten())),
    }
}

/// Returns a text in which `%2F` and the like were letters.
fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let escaped = match (first, behind) {
            (b'%', [high, low, ..]) => hexadecimal(*high).zip(hexadecimal(*low)),
            _ => None,
        };
        if let Some((high, low)) = escaped {
            bytes.push(high << 4 | low);
            rest = behind.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    String::from_utf8(bytes).ok()
}

fn hexadecimal(letter: u8) -> Option<u8> {
    char::from(letter).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn without_login(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    if scheme.is_empty() { host.to_owned() } else { format!("{scheme}://{host}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<ProxyServer, String> {
        ProxyServer::read("proxy", url).map_err(|error| error.to_string())
    }

    #[test]
    fn proxies_are_read_as_people_write_them() {
        let check = |url: &str, kind, peer: &str| {
            let server = read(url).unwrap();
            assert_eq!((server.kind, server.peer().as_str()), (kind, peer), "{url}");
        };
        check("http://10.0.0.1:3128", Kind::Http, "10.0.0.1:3128");
        check("10.0.0.1:7890", Kind::Http, "10.0.0.1:7890");
        check("proxy.test", Kind::Http, "proxy.test:80");
        check("https://proxy.test/", Kind::Https, "proxy.test:443");
        check("SOCKS5://[::1]", Kind::Socks5, "[::1]:1080");
        check("socks5h://me:x%40y@[::1]:9/", Kind::Socks5, "[::1]:9");
    }

    #[test]
    fn a_login_is_taken_from_the_url_or_from_beside_it_and_shown_nowhere() {
        let server = read("http://me%3A:hunter2%2f@h:1").unwrap();
        assert_eq!(server.authorization().unwrap(), "Basic bWU6Omh1bnRlcjIv");
        assert!(!format!("{server:?}").contains("hunter2"), "{server:?}");
        let named = |user: Option<&str>, password: Option<&str>| {
            let url = "http://me:one@h:1".to_owned();
            let password = password.map(|it| Secret::from(it.to_owned()));
            let proxy = Proxy::Named { url, user: user.map(str::to_owned), password };
            let Choice::Named(server) = Choice::of(&proxy, |_| None).unwrap() else { panic!() };
            let login = server.login.clone().unwrap();
            format!("{}:{}", login.user, login.password.reveal())
        };
        assert_eq!(named(None, None), "me:one");
        assert_eq!(named(None, Some("two")), "me:two");
        assert_eq!(named(Some("you"), Some("two")), "you:two");
    }

    #[test]
    fn what_is_no_proxy_is_told_without_its_password() {
        let check = |url: &str, why: &str| {
            let told = read(url).unwrap_err();
            assert_eq!(told, format!("cannot use proxy {why}"), "{url}");
        };
        let kinds = "it begins with none of `http://`, `https://` and `socks5://`";
        check("socks4://me:hunter2@h", &format!("`socks4://h`: {kinds}"));
        check("http://me:hunter2@h:x", "`http://h:x`: it has no port from 1 to 65535");
        check("http://me:hunter2@", "`http://`: it names no host");
        check("a b:80", "`a b:80`: it names no host");
    }
}
