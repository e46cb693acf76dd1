//! Which zone a name is in, and who has it.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use crate::{
    dns::{self, Authority, DnsError, Kind, Question},
    failure::{Class, Failure},
    name::Fqdn,
    together::together,
    wire::{Later, Wire},
};

/// The most servers of a zone that are asked, each in both families.
const SERVERS_MAX: usize = 4;
/// The port of DNS.
const PORT: u16 = 53;

/// A server at one of its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Peer {
    /// Its name.
    pub(super) server: String,
    /// Where it is asked.
    pub(super) address: SocketAddr,
}

impl fmt::Display for Peer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.server, self.address.ip())
    }
}

/// Returns where the servers of a zone are, by asking resolvers.
pub(super) async fn peers(
    wire: &dyn Wire,
    resolvers: &[SocketAddr],
    authority: &Authority,
) -> Result<Vec<Peer>, Failure> {
    let question = Question::to_resolver(&authority.zone, Kind::Ns);
    let mut servers = dns::ask_first(wire, resolvers, &question).await?.servers;
    if servers.is_empty() {
        servers.push(authority.primary.clone());
    }
    servers.sort_unstable();
    servers.truncate(SERVERS_MAX);
    let found = servers.into_iter().map(|server| {
        Box::pin(peers_of(wire, resolvers, server)) as Later<'_, Result<Vec<Peer>, DnsError>>
    });
    let found = together(found.collect()).await;
    let peers: Vec<Peer> = found.iter().flatten().flatten().cloned().collect();
    match (peers.is_empty(), found.into_iter().find_map(Result::err)) {
        (false, _) => Ok(peers),
        (true, Some(error)) => Err(error.into()),
        (true, None) => {
            let words = format!("the servers of the zone `{}` have no address", authority.zone);
            Err(Failure::new(Class::Transient, "no-authority", words))
        }
    }
}

/// Walks from the name upwards until somebody tells where its zone begins. Mostly the first answer
/// does: what has no such record itself is answered with that of the zone.
pub(super) async fn authority(
    wire: &dyn Wire,
    resolvers: &[SocketAddr],
    name: &Fqdn,
) -> Result<Authority, Failure> {
    for candidate in name.ancestry() {
        let question = Question::to_resolver(candidate.as_str(), Kind::Soa);
        let answer = dns::ask_first(wire, resolvers, &question).await?;
        // Behind an alias there is another's zone.
        if let Some(authority) = answer.authority.filter(|_| answer.aliases.is_empty()) {
            return Ok(authority);
        }
    }
    let words = format!("no DNS server tells in which zone `{name}` is");
    Err(Failure::new(Class::Transient, "no-zone", words))
}

/// Returns where a server is asked: one address of each family.
async fn peers_of(
    wire: &dyn Wire,
    resolvers: &[SocketAddr],
    server: String,
) -> Result<Vec<Peer>, DnsError> {
    let found = [Kind::A, Kind::Aaaa].map(|kind| {
        let question = Question::to_resolver(&server, kind);
        Box::pin(first_address(wire, resolvers, question))
            as Later<'_, Result<Option<IpAddr>, DnsError>>
    });
    let mut peers = Vec::new();
    let mut failure = None;
    for found in together(found.into()).await {
        match found {
            Ok(address) => peers.extend(address.map(|address| Peer {
                server: server.clone(),
                address: SocketAddr::new(address, PORT),
            })),
            Err(error) => failure = Some(error),
        }
    }
    match failure {
        Some(error) if peers.is_empty() => Err(error),
        _ => Ok(peers),
    }
}

async fn first_address(
    wire: &dyn Wire,
    resolvers: &[SocketAddr],
    question: Question,
) -> Result<Option<IpAddr>, DnsError> {
    let answer = dns::ask_first(wire, resolvers, &question).await?;
    Ok(answer.addresses.first().copied())
}
