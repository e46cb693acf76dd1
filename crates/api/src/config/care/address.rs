//! Where a program listens: `127.0.0.1:80`, `[::1]:80`, `localhost:80`.

use std::{fmt, net::IpAddr};

/// A name in the network has at most so many letters.
const HOST_BYTES_MAX: usize = 253;

/// Where a program listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// A name, or an address without brackets.
    pub host: String,
    /// The port; never 0.
    pub port: u16,
}

impl Address {
    /// Returns a port of this machine, on whichever of its loopback addresses answers.
    pub fn here(port: u16) -> Self {
        Self { host: "localhost".to_owned(), port }
    }

    /// Reads a host and its port; without one it is `usual`.
    pub(super) fn read(text: &str, usual: Option<u16>) -> Result<Self, String> {
        let (host, port) = split(text).ok_or_else(|| format!("`{text}` is no address"))?;
        let port = match (port, usual) {
            (Some(port), _) => read_port(port)?,
            (None, Some(usual)) => usual,
            (None, None) => return Err(format!("`{text}` names no port")),
        };
        check_host(host)?;
        Ok(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// A host, and a port if there is one.
type Parts<'t> = (&'t str, Option<&'t str>);

/// Cuts host and port apart; an address of IPv6 stands in brackets.
fn split(text: &str) -> Option<Parts<'_>> {
    let Some(bracketed) = text.strip_prefix('[') else {
        return match text.split_once(':') {
            Some((_, port)) if port.contains(':') => None,
            Some((host, port)) => Some((host, Some(port))),
            None => Some((text, None)),
        };
    };
    let (host, behind) = bracketed.split_once(']')?;
    host.parse::<std::net::Ipv6Addr>().ok()?;
    if behind.is_empty() {
        Some((host, None))
    } else {
        Some((host, Some(behind.strip_prefix(':')?)))
    }
}

fn read_port(text: &str) -> Result<u16, String> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.parse().ok().filter(|port| is_number && *port > 0);
    port.ok_or_else(|| format!("`{text}` is no port from 1 to 65535"))
}

/// Says why something cannot be a host.
pub(super) fn check_host(host: &str) -> Result<(), String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_address = host.parse::<IpAddr>().is_ok();
    if is_address || (!host.is_empty() && host.len() <= HOST_BYTES_MAX && host.chars().all(is_name))
    {
        return Ok(());
    }
    Err(format!("`{host}` cannot name a host"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_read_as_people_write_them() {
        let check = |text: &str, usual, expected: Result<&str, &str>| {
            let read = Address::read(text, usual).map(|address| address.to_string());
            assert_eq!(read.as_deref().map_err(String::as_str), expected, "{text}");
        };
        check("127.0.0.1:80", None, Ok("127.0.0.1:80"));
        check("[::1]:80", None, Ok("[::1]:80"));
        check("[::1]", Some(80), Ok("[::1]:80"));
        check("db.example:5432", None, Ok("db.example:5432"));
        check("localhost", Some(80), Ok("localhost:80"));
        check("localhost", None, Err("`localhost` names no port"));
        check("::1", Some(80), Err("`::1` is no address"));
        check("[::1]80", None, Err("`[::1]80` is no address"));
        check("[name]:80", None, Err("`[name]:80` is no address"));
        check("a:0", None, Err("`0` is no port from 1 to 65535"));
        check("a:+80", None, Err("`+80` is no port from 1 to 65535"));
        check("a:65536", None, Err("`65536` is no port from 1 to 65535"));
        check(":80", None, Err("`` cannot name a host"));
        check("a b:80", None, Err("`a b` cannot name a host"));
    }
}
