//! Where something is asked over HTTP: `http://127.0.0.1:8080/healthz`, `https://web.example/`.

use std::{fmt, str::FromStr};

use super::Address;

/// The longest URL.
const URL_BYTES_MAX: usize = 2048;

/// The address of a resource, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// In the open, or over TLS.
    pub scheme: Scheme,
    /// Who is asked.
    pub address: Address,
    /// What for: the path and what follows it.
    pub target: String,
}

/// How a server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// In the open.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// Returns the port of a URL that names none.
    fn usual_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        write!(f, "{scheme}://{}{}", self.address, self.target)
    }
}

impl FromStr for Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| Err(format!("`{text}` cannot be asked: {why}"));
        if text.len() > URL_BYTES_MAX {
            return Err(format!("the URL has {} bytes, more than {URL_BYTES_MAX}", text.len()));
        }
        let plain = text.strip_prefix("http://").map(|rest| (Scheme::Http, rest));
        let secure = || text.strip_prefix("https://").map(|rest| (Scheme::Https, rest));
        let Some((scheme, rest)) = plain.or_else(secure) else {
            return wrong("a URL begins with `http://` or `https://`");
        };
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return wrong("write blanks and letters that are not ASCII as `%20` and the like");
        }
        let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return wrong("a name and a password belong into `headers`");
        }
        let address = Address::read(authority, Some(scheme.usual_port()))?;
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Self { scheme, address, target: format!("{slash}{target}") })
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
        check("https://localhost", "https://localhost:443/");
        check("https://localhost:80/x", "https://localhost:80/x");
        check("http://[::1]:8080/a?b=c#d", "http://[::1]:8080/a?b=c");
        check("http://h?x", "http://h:80/?x");
        let begin = "a URL begins with `http://` or `https://`";
        check("ftp://h", &format!("`ftp://h` cannot be asked: {begin}"));
        let own = "`http://u:p@h/` cannot be asked: a name and a password belong into `headers`";
        check("http://u:p@h/", own);
        let blank = "write blanks and letters that are not ASCII as `%20` and the like";
        check("http://h/a b", &format!("`http://h/a b` cannot be asked: {blank}"));
        check("http://h:x/", "`x` is no port from 1 to 65535");
        check("http:///", "`` cannot name a host");
    }
}
