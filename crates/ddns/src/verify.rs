//! What the authoritative servers of a name really have: nobody's cache, nobody's word for it.
//!
//! ```text
//!  name ─► its zone (SOA, cached for an hour) ─► servers (NS) ─► their addresses
//!       ─► each is asked without recursion, all at once ─► what all of them have
//! ```
//!
//! A thousand names may share a server that is dead: each server, and each zone, is found out about
//! once for all of them.

mod memory;
mod server;
mod zone;

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    dns::{Authority, Kind, Question},
    failure::{Class, Failure},
    name::Fqdn,
    record::Record,
    sources::SharedWire,
    together::together,
    wire::Later,
};
use memory::Known;
use zone::Peer;

/// The most servers that a failure tells of.
const TOLD_MAX: usize = 8;

/// Asks authoritative servers.
#[derive(Debug)]
pub struct Verifier {
    wire: SharedWire,
    /// Servers that are asked for zones when those of the system do not answer.
    resolvers: Vec<SocketAddr>,
    /// The servers of the system.
    system: fn() -> Vec<SocketAddr>,
    known: Mutex<Known>,
}

/// What one server says.
#[derive(Debug)]
struct Heard {
    /// Its name and address.
    who: String,
    /// What it has, in order, or why it is of no use.
    has: Result<Vec<IpAddr>, String>,
}

impl Verifier {
    /// Returns one that finds zones by the system's servers, and by these when those do not answer.
    pub fn new(wire: SharedWire, resolvers: Vec<SocketAddr>) -> Self {
        let system = || mainstay_platform::resolvers::list().unwrap_or_default();
        Self { wire, resolvers, system, known: Mutex::default() }
    }

    /// Returns what the authoritative servers have of a record, in order of address, when all that
    /// answer have the same; nothing at all when there is no such name.
    pub async fn ask(&self, record: &Record) -> Result<Vec<IpAddr>, Failure> {
        let authority = self.authority(&record.name).await?;
        let peers = self.peers(&authority).await?;
        let kind = Kind::of(record.family);
        let asked = peers
            .iter()
            .map(|peer| Box::pin(self.ask_peer(peer, &record.name, kind)) as Later<'_, Heard>);
        let heard = together(asked.collect()).await;
        if heard.iter().all(|one| one.has.is_err()) {
            // Perhaps the zone has moved to other servers.
            self.doubt(&record.name, &authority.zone).await;
        }
        verdict(&authority.zone, &heard)
    }

    async fn authority(&self, name: &Fqdn) -> Result<Authority, Failure> {
        if let Some(known) = self.known().zone(name) {
            return Ok(known);
        }
        let found = zone::authority(&*self.wire, &self.resolvers(), name).await?;
        self.known().keep_zone(name.clone(), found.clone());
        Ok(found)
    }

    async fn peers(&self, authority: &Authority) -> Result<Arc<[Peer]>, Failure> {
        let peers = self.known().peers(&authority.zone);
        let find = async { zone::peers(&*self.wire, &self.resolvers(), authority).await };
        peers.get(find).await
    }

    /// Returns the system's servers and then our own.
    fn resolvers(&self) -> Vec<SocketAddr> {
        let mut resolvers = (self.system)();
        resolvers.extend(&self.resolvers);
        resolvers
    }

    async fn doubt(&self, name: &Fqdn, zone: &str) {
        let peers = {
            let mut known = self.known();
            known.doubt_zone(name);
            known.peers(zone)
        };
        peers.doubt().await;
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask_peer(&self, peer: &Peer, name: &Fqdn, kind: Kind) -> Heard {
        let question = Question::to_authority(name.as_str(), kind);
        let server = self.known().server(peer.address);
        let has = match server.ask(&*self.wire, &question).await {
            Err(why) => Err(why),
            Ok(answer) if !answer.authoritative => {
                Err("it does not have the zone itself".to_owned())
            }
            Ok(answer) if !answer.aliases.is_empty() => {
                Err(format!("it has an alias there, of `{}`", answer.aliases.join("`, `")))
            }
            Ok(answer) => Ok(in_order(answer.addresses)),
        };
        Heard { who: peer.to_string(), has }
    }
}

fn in_order(mut addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    addresses.sort_unstable();
    addresses
}

/// Returns what all that answer have, or says how they differ.
fn verdict(zone: &str, heard: &[Heard]) -> Result<Vec<IpAddr>, Failure> {
    let mut answers = heard.iter().filter_map(|one| one.has.as_ref().ok());
    let Some(first) = answers.next() else {
        let words = format!("no authoritative server of `{zone}` answers");
        let reasons = heard.iter().filter_map(|one| {
            let why = one.has.as_ref().err()?;
            Some(format!("{}: {why}", one.who))
        });
        return Err(failure("no-authority", &words, reasons));
    };
    if answers.all(|other| other == first) {
        return Ok(first.clone());
    }
    let words = format!("the authoritative servers of `{zone}` differ");
    let parts = heard.iter().filter_map(|one| {
        let has = one.has.as_ref().ok()?;
        Some(format!("{} has {}", one.who, listed(has)))
    });
    Err(failure("servers-differ", &words, parts))
}

fn failure(code: &str, words: &str, parts: impl Iterator<Item = String>) -> Failure {
    let parts: Vec<String> = parts.take(TOLD_MAX).collect();
    Failure::new(Class::Transient, code, format!("{words}: {}", parts.join(", ")))
}

fn listed(addresses: &[IpAddr]) -> String {
    if addresses.is_empty() {
        return "nothing".to_owned();
    }
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests;
