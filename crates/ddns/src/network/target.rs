//! Whom a URL means: host, port, and whether it is spoken to over TLS.

use std::fmt;

use hyper::Uri;

use crate::wire::{NetworkError, Request};

/// Whom a URL means, and what is asked of it.
#[derive(Clone)]
pub(super) struct Target {
    scheme: Scheme,
    host: String,
    port: u16,
    path: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    const fn usual_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

impl Target {
    /// Takes the URL of a request apart. What is wrong with it is told without its query.
    pub(super) fn of(request: &Request) -> Result<Self, NetworkError> {
        Self::read(&request.url).map_err(|why| {
            let why = format!("cannot use `{}`: {why}", request.shown_url());
            NetworkError::Request { why }
        })
    }

    fn read(url: &str) -> Result<Self, &'static str> {
        let uri: Uri = url.parse().map_err(|_| "it is no URL")?;
        let scheme = match uri.scheme_str() {
            Some("https") => Scheme::Https,
            Some("http") => Scheme::Http,
            _ => return Err("it does not begin with `https://`"),
        };
        let authority = uri.authority().ok_or("it names no host")?;
        if authority.as_str().contains('@') {
            return Err("it has a name or a password in it; they belong into headers");
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let named = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
        let port = match (named.trim_start_matches(':'), authority.port_u16()) {
            ("", _) => scheme.usual_port(),
            (_, Some(port)) if port > 0 => port,
            _ => return Err("it has no port from 1 to 65535"),
        };
        if host.is_empty() {
            return Err("it names no host");
        }
        let path = uri.path_and_query().map_or("/", |it| it.as_str());
        let slash = if path.starts_with('/') { "" } else { "/" };
        let path = format!("{slash}{path}");
        Ok(Self { scheme, host, port, path })
    }

    /// Returns its name or address, without brackets.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    pub(super) const fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub(super) fn is_secure(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// Returns the path and the query.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Returns it as the `Host` header names it.
    pub(super) fn host_header(&self) -> String {
        if self.port == self.scheme.usual_port() { self.bracketed() } else { self.peer() }
    }

    /// Returns the whole URL, for a proxy.
    pub(super) fn absolute(&self) -> String {
        format!("{}://{}{}", self.scheme.word(), self.host_header(), self.path)
    }

    /// Returns host and port, for people and for proxies.
    pub(super) fn peer(&self) -> String {
        format!("{}:{}", self.bracketed(), self.port)
    }

    fn bracketed(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://{}", self.scheme.word(), self.peer())
    }
}

#[cfg(test)]
mod tests {
    use crate::wire::Method;

    use super::*;

    fn read(url: &str) -> Result<Target, String> {
        Target::of(&Request::new(Method::Get, url)).map_err(|error| error.to_string())
    }

    #[test]
    fn urls_are_taken_apart() {
        let check = |url: &str, header: &str, peer: &str, path: &str| {
            let target = read(url).unwrap();
            let told = (target.host_header(), target.peer(), target.path().to_owned());
            assert_eq!(told, (header.to_owned(), peer.to_owned(), path.to_owned()), "{url}");
        };
        check("https://h.test", "h.test", "h.test:443", "/");
        check("https://h.test:443/a?b=c#d", "h.test", "h.test:443", "/a?b=c");
        check("http://h.test:443/", "h.test:443", "h.test:443", "/");
        check("http://[::1]:8080?x", "[::1]:8080", "[::1]:8080", "/?x");
        check("https://[::1]/", "[::1]", "[::1]:443", "/");
        assert_eq!(read("http://[::1]/").unwrap().host(), "::1");
    }

    #[test]
    fn what_cannot_be_asked_is_told_without_what_is_secret_in_it() {
        let check = |url: &str, why: &str| {
            let told = read(url).unwrap_err();
            assert_eq!(told, format!("cannot send the request: {why}"), "{url}");
            assert!(!told.contains("hunter2"), "{told}");
        };
        check("ftp://h/?t=hunter2", "cannot use `ftp://h/`: it does not begin with `https://`");
        check("https:// h/?t=hunter2", "cannot use `https:// h/`: it is no URL");
        let login =
            "cannot use `https://h/`: it has a name or a password in it; they belong into headers";
        check("https://me:hunter2@h/", login);
        check("https://h:99999/", "cannot use `https://h:99999/`: it has no port from 1 to 65535");
        check("https://h:0/", "cannot use `https://h:0/`: it has no port from 1 to 65535");
        check("/path", "cannot use `/path`: it does not begin with `https://`");
    }
}
