//! Where a name's zone begins, and who takes updates of it.

use std::net::{IpAddr, SocketAddr};

use crate::{
    dns::{self, Answer, Authority, DnsError, Kind, Question},
    failure::{Class, Failure},
    name::Fqdn,
    provider::ParameterError,
    wire::Wire,
};

use super::verdict;

/// Where the DNS is spoken.
const PORT: u16 = 53;
/// How many addresses of a server are tried.
const SERVERS_MAX: usize = 4;

/// A zone and its primary server.
#[derive(Debug)]
pub(super) struct Located {
    /// The zone, without a last dot.
    pub(super) zone: String,
    /// The addresses of the server.
    pub(super) servers: Vec<SocketAddr>,
}

/// A server, as the configuration names it.
#[derive(Debug)]
pub(super) enum Server {
    /// By its address.
    Address(SocketAddr),
    /// By its name.
    Name(String, u16),
}

impl Server {
    /// Reads `HOST`, `HOST:PORT`, `[V6]:PORT` or a bare address.
    pub(super) fn parse(text: &str) -> Result<Self, ParameterError> {
        let refuse = || ParameterError::new("server", "it must be `HOST` or `HOST:PORT`");
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        if let Ok(address) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Ok(Self::Address(SocketAddr::new(address, PORT)));
        }
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| refuse())?),
            None => (text, PORT),
        };
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        if host.is_empty() || !host.bytes().all(is_host) {
            return Err(refuse());
        }
        Ok(Self::Name(host.to_owned(), port))
    }

    async fn addresses(&self, wire: &dyn Wire) -> Result<Vec<SocketAddr>, Failure> {
        match self {
            Self::Address(address) => Ok(vec![*address]),
            Self::Name(host, port) => {
                let addresses = wire.resolve(host, None).await?;
                let addresses = addresses.into_iter().take(SERVERS_MAX);
                Ok(addresses.map(|address| SocketAddr::new(address, *port)).collect())
            }
        }
    }
}

/// Reads a zone; it may have one label alone, as those of private networks do.
pub(super) fn parse_zone(text: &str) -> Result<String, ParameterError> {
    let bare = text.trim().trim_end_matches('.').to_ascii_lowercase();
    if !bare.is_empty()
        && !bare.contains('.')
        && bare.bytes().all(|one| one.is_ascii_alphanumeric())
    {
        return Ok(bare);
    }
    let zone = Fqdn::parse(text)
        .map_err(|error| ParameterError::new("zone", format!("it is no zone: {error}")))?;
    Ok(zone.as_str().to_owned())
}

/// Finds the zone of a name and its primary; what is configured is not asked for.
pub(super) async fn locate(
    wire: &dyn Wire,
    name: &Fqdn,
    server: Option<&Server>,
    zone: Option<&str>,
) -> Result<Located, Failure> {
    let servers = match server {
        Some(server) => Some(server.addresses(wire).await?),
        None => None,
    };
    if let (Some(servers), Some(zone)) = (&servers, zone) {
        return Ok(Located { zone: zone.to_owned(), servers: servers.clone() });
    }
    let authority = authority(wire, name, servers.as_deref(), zone).await?;
    let servers = match servers {
        Some(servers) => servers,
        None => Server::Name(authority.primary.clone(), PORT).addresses(wire).await?,
    };
    let zone = zone.map_or(authority.zone, str::to_owned);
    Ok(Located { zone, servers })
}

/// Asks for the SOA of the name, and of each name above it, until one tells a zone that it is in:
/// the server itself if it is known, else those that anybody may ask.
async fn authority(
    wire: &dyn Wire,
    name: &Fqdn,
    servers: Option<&[SocketAddr]>,
    zone: Option<&str>,
) -> Result<Authority, Failure> {
    let mut candidates: Vec<&str> = zone.into_iter().collect();
    let ancestry: Vec<Fqdn> = name.ancestry().collect();
    if zone.is_none() {
        candidates.extend(ancestry.iter().map(Fqdn::as_str));
    }
    let mut refused = None;
    for candidate in &candidates {
        let answer = match ask(wire, servers, candidate).await {
            // A server that does not have this may have a zone above it.
            Err(error @ DnsError::Refused { .. }) if servers.is_some() => {
                refused = Some(refused.unwrap_or(error));
                continue;
            }
            answer => answer?,
        };
        let authority = answer.authority.filter(|found| is_in(name, &found.zone));
        if let Some(authority) = authority {
            return Ok(authority);
        }
    }
    if let Some(error) = refused {
        return Err(verdict::unread(error));
    }
    let words =
        format!("cannot find the zone of `{name}`: nobody tells its SOA; name it as `zone`");
    Err(Failure::new(Class::Transient, "no-zone", words))
}

async fn ask(
    wire: &dyn Wire,
    servers: Option<&[SocketAddr]>,
    name: &str,
) -> Result<Answer, DnsError> {
    let Some(servers) = servers else {
        let question = Question::to_resolver(name, Kind::Soa);
        return dns::ask_first(wire, &wire.resolvers(), &question).await;
    };
    dns::ask_first(wire, servers, &Question::to_authority(name, Kind::Soa)).await
}

fn is_in(name: &Fqdn, zone: &str) -> bool {
    let name = name.as_str();
    name == zone || name.strip_suffix(zone).is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_host_or_an_address_with_or_without_a_port() {
        let check = |text: &str, expected: &str| {
            assert_eq!(format!("{:?}", Server::parse(text).unwrap()), expected);
        };
        check("ns1.example.org", "Name(\"ns1.example.org\", 53)");
        check("ns1:5353", "Name(\"ns1\", 5353)");
        check("127.0.0.1", "Address(127.0.0.1:53)");
        check("127.0.0.1:15353", "Address(127.0.0.1:15353)");
        check("::1", "Address([::1]:53)");
        check("[::1]:5353", "Address([::1]:5353)");
        for text in ["", "ns1:dns", "http://ns1/", "a b"] {
            Server::parse(text).unwrap_err();
        }
    }

    #[test]
    fn a_zone_may_have_one_label() {
        assert_eq!(parse_zone("Lan.").as_deref(), Ok("lan"));
        assert_eq!(parse_zone("Example.ORG").as_deref(), Ok("example.org"));
        parse_zone("a..b").unwrap_err();
        parse_zone("").unwrap_err();
    }

    #[test]
    fn a_name_is_in_its_zone_at_the_dot() {
        let name = Fqdn::parse("home.example.org").unwrap();
        assert!(is_in(&name, "example.org") && is_in(&name, "home.example.org"));
        assert!(is_in(&name, "org") && !is_in(&name, "ample.org"));
    }
}
