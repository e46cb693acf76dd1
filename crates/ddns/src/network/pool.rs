//! Connections that are kept open for a moment: what asks a provider mostly asks it several things.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    task,
    time::{self, Duration, Instant},
};

use crate::{
    address::Family,
    wire::{Request, Way},
};

use super::{
    conversation::Connection,
    target::{Scheme, Target},
};

/// How long nobody needs a connection before it is closed.
pub(super) const IDLE_MAX: Duration = Duration::from_secs(30);
/// So many are kept at a time.
const KEPT_MAX: usize = 16;

/// To whom a connection leads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    scheme: Scheme,
    host: String,
    port: u16,
    family: Option<Family>,
}

impl Key {
    /// Returns what a request's connection is kept under. Who looks for his own address has to be
    /// seen anew each time, so that such a connection is not kept.
    pub(super) fn of(target: &Target, request: &Request) -> Option<Self> {
        let (scheme, host, port) = (target.scheme(), target.host().to_owned(), target.port());
        let key = Self { scheme, host, port, family: request.family };
        (request.way == Way::Configured).then_some(key)
    }
}

/// The connections that nobody uses.
#[derive(Debug, Default)]
pub(super) struct Pool {
    kept: Mutex<HashMap<Key, Kept>>,
}

#[derive(Debug)]
struct Kept {
    connection: Connection,
    since: Instant,
}

impl Pool {
    /// Returns a connection that is open, as far as we know.
    pub(super) fn take(&self, key: &Key) -> Option<Connection> {
        let kept = self.lock().remove(key)?;
        (kept.is_young() && kept.connection.is_open()).then_some(kept.connection)
    }

    /// Keeps one, instead of one that leads to the same.
    pub(super) fn put(pool: &Arc<Self>, key: Key, connection: Connection) {
        if !connection.is_open() {
            return;
        }
        {
            let mut kept = pool.lock();
            if kept.len() >= KEPT_MAX && !kept.contains_key(&key) {
                return;
            }
            kept.insert(key, Kept { connection, since: Instant::now() });
        }
        let (weak, over) = (Arc::downgrade(pool), time::sleep(IDLE_MAX));
        task::spawn(async move {
            over.await;
            if let Some(pool) = weak.upgrade() {
                pool.tidy();
            }
        });
    }

    /// Closes all of them.
    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    fn tidy(&self) {
        self.lock().retain(|_, kept| kept.is_young() && kept.connection.is_open());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn is_young(&self) -> bool {
        self.since.elapsed() < IDLE_MAX
    }
}
