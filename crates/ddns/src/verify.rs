//! What the authoritative servers of a name really have: nobody's cache, nobody's word for it.
//!
//! ```text
//!  name ─► its zone (SOA, cached for an hour) ─► servers (NS) ─► their addresses
//!       ─► each is asked without recursion, all at once ─► what all of them have
//! ```

mod zone;

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    dns::{self, Kind, Question},
    failure::{Class, Failure},
    name::Fqdn,
    record::Record,
    sources::SharedWire,
    together::together,
    wire::Later,
};
use zone::{Peer, Zone};

/// How long a zone's servers are remembered.
const REMEMBERED_FOR: Duration = Duration::from_hours(1);
/// The most names whose zones are remembered.
const REMEMBERED_MAX: usize = 1024;
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
    zones: Mutex<BTreeMap<Fqdn, Remembered>>,
}

#[derive(Debug, Clone)]
struct Remembered {
    zone: Zone,
    until: Instant,
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
        Self { wire, resolvers, system, zones: Mutex::default() }
    }

    /// Returns what the authoritative servers have of a record, in order of address, when all that
    /// answer have the same; nothing at all when there is no such name.
    pub async fn ask(&self, record: &Record) -> Result<Vec<IpAddr>, Failure> {
        let zone = self.zone(&record.name).await?;
        let kind = Kind::of(record.family);
        let asked = zone
            .peers
            .iter()
            .map(|peer| Box::pin(self.ask_peer(peer, &record.name, kind)) as Later<'_, Heard>);
        let heard = together(asked.collect()).await;
        let verdict = verdict(&zone, &heard);
        if heard.iter().all(|one| one.has.is_err()) {
            // Perhaps the zone has moved to other servers.
            self.zones().remove(&record.name);
        }
        verdict
    }

    async fn zone(&self, name: &Fqdn) -> Result<Zone, Failure> {
        let now = Instant::now();
        if let Some(known) = self.zones().get(name).filter(|known| known.until > now) {
            return Ok(known.zone.clone());
        }
        let mut resolvers = (self.system)();
        resolvers.extend(&self.resolvers);
        let zone = zone::find(&*self.wire, &resolvers, name).await?;
        let mut zones = self.zones();
        if zones.len() >= REMEMBERED_MAX {
            zones.clear();
        }
        let known = Remembered { zone: zone.clone(), until: now + REMEMBERED_FOR };
        zones.insert(name.clone(), known);
        Ok(zone)
    }

    fn zones(&self) -> std::sync::MutexGuard<'_, BTreeMap<Fqdn, Remembered>> {
        self.zones.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask_peer(&self, peer: &Peer, name: &Fqdn, kind: Kind) -> Heard {
        let question = Question::to_authority(name.as_str(), kind);
        let answer = dns::ask(&*self.wire, peer.address, &question).await;
        let answer = answer.and_then(|answer| answer.sound(peer.address));
        let has = match answer {
            Err(error) => Err(error.to_string()),
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
fn verdict(zone: &Zone, heard: &[Heard]) -> Result<Vec<IpAddr>, Failure> {
    let mut answers = heard.iter().filter_map(|one| one.has.as_ref().ok());
    let Some(first) = answers.next() else {
        let words = format!("no authoritative server of `{}` answers", zone.name);
        let reasons = heard.iter().filter_map(|one| {
            let why = one.has.as_ref().err()?;
            Some(format!("{}: {why}", one.who))
        });
        return Err(failure("no-authority", &words, reasons));
    };
    if answers.all(|other| other == first) {
        return Ok(first.clone());
    }
    let words = format!("the authoritative servers of `{}` differ", zone.name);
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
