//! What is remembered of names, zones and servers for a while.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{sync::Mutex, time::Instant};

use super::{
    server::{SILENT_FOR, Server},
    zone::Peer,
};
use crate::{dns::Authority, failure::Failure, name::Fqdn};

/// How long a zone's servers are remembered.
pub(super) const REMEMBERED_FOR: Duration = Duration::from_hours(1);
/// What is younger is not looked up again because nobody answers.
pub(super) const YOUNG_FOR: Duration = Duration::from_mins(5);
/// The most names, zones and servers that are remembered.
const REMEMBERED_MAX: usize = 1024;

/// What is remembered.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Of each name, in which zone it is, and since when that is known.
    zones: BTreeMap<Fqdn, (Instant, Authority)>,
    /// Of each zone, where its servers are: once for all names in it.
    peers: BTreeMap<String, Arc<ZonePeers>>,
    /// Of each server, how it is: once for all zones that it has.
    servers: BTreeMap<SocketAddr, Arc<Server>>,
}

/// A zone's servers. Who looks for them holds the lock, and others wait for what is found.
#[derive(Debug, Default)]
pub(super) struct ZonePeers(Mutex<Option<Found>>);

/// What was found, and when.
#[derive(Debug)]
struct Found {
    since: Instant,
    peers: Result<Arc<[Peer]>, Failure>,
}

impl Known {
    /// Returns the zone of a name.
    pub(super) fn zone(&self, name: &Fqdn) -> Option<Authority> {
        let (since, authority) = self.zones.get(name)?;
        (since.elapsed() < REMEMBERED_FOR).then(|| authority.clone())
    }

    /// Keeps the zone of a name.
    pub(super) fn keep_zone(&mut self, name: Fqdn, authority: Authority) {
        make_room(&mut self.zones);
        self.zones.insert(name, (Instant::now(), authority));
    }

    /// Forgets the zone of a name, unless it was found just now.
    pub(super) fn doubt_zone(&mut self, name: &Fqdn) {
        if self.zones.get(name).is_some_and(|(since, _)| since.elapsed() >= YOUNG_FOR) {
            self.zones.remove(name);
        }
    }

    /// Returns where a zone's servers are kept.
    pub(super) fn peers(&mut self, zone: &str) -> Arc<ZonePeers> {
        make_room(&mut self.peers);
        Arc::clone(self.peers.entry(zone.to_owned()).or_default())
    }

    /// Returns a server.
    pub(super) fn server(&mut self, address: SocketAddr) -> Arc<Server> {
        make_room(&mut self.servers);
        let server = self.servers.entry(address);
        Arc::clone(server.or_insert_with(|| Arc::new(Server::new(address))))
    }
}

impl ZonePeers {
    /// Returns the servers that are known, or else finds them.
    pub(super) async fn get(
        &self,
        find: impl Future<Output = Result<Vec<Peer>, Failure>>,
    ) -> Result<Arc<[Peer]>, Failure> {
        let mut known = self.0.lock().await;
        if let Some(found) = known.as_ref().filter(|found| found.is_fresh()) {
            return found.peers.clone();
        }
        let peers = find.await.map(Arc::from);
        *known = Some(Found { since: Instant::now(), peers: peers.clone() });
        peers
    }

    /// Forgets them, unless they were found just now.
    pub(super) async fn doubt(&self) {
        let mut known = self.0.lock().await;
        if known.as_ref().is_some_and(|found| found.since.elapsed() >= YOUNG_FOR) {
            *known = None;
        }
    }
}

impl Found {
    /// What was not found is looked for again soon.
    fn is_fresh(&self) -> bool {
        let limit = if self.peers.is_ok() { REMEMBERED_FOR } else { SILENT_FOR };
        self.since.elapsed() < limit
    }
}

fn make_room<K, V>(map: &mut BTreeMap<K, V>) {
    if map.len() >= REMEMBERED_MAX {
        map.clear();
    }
}
