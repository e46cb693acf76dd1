//! Connections that are kept open for a moment: what asks a provider mostly asks it several things.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
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
pub(super) struct Pool(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    kept: HashMap<Key, Kept>,
    sweeper: Sweeper,
}

/// Who closes what nobody needs: one task, as long as there is anything.
#[derive(Debug, Default, PartialEq, Eq)]
enum Sweeper {
    #[default]
    Absent,
    Waiting,
}

#[derive(Debug)]
struct Kept {
    connection: Connection,
    since: Instant,
}

impl Pool {
    /// Returns a connection that is open, as far as we know.
    pub(super) fn take(&self, key: &Key) -> Option<Connection> {
        let kept = self.lock().kept.remove(key)?;
        (kept.is_young() && kept.connection.is_open()).then_some(kept.connection)
    }

    /// Keeps one, instead of one that leads to the same.
    pub(super) fn put(pool: &Arc<Self>, key: Key, connection: Connection) {
        let mut state = pool.lock();
        let is_full = state.kept.len() >= KEPT_MAX && !state.kept.contains_key(&key);
        if is_full || !connection.is_open() {
            return;
        }
        state.kept.insert(key, Kept { connection, since: Instant::now() });
        if state.sweeper == Sweeper::Absent {
            state.sweeper = Sweeper::Waiting;
            task::spawn(sweep(Arc::downgrade(pool), Instant::now() + IDLE_MAX));
        }
    }

    /// Closes all of them.
    pub(super) fn clear(&self) {
        self.lock().kept.clear();
    }

    /// Closes what is too old; returns when the next one will be.
    fn tidy(&self) -> Option<Instant> {
        let mut state = self.lock();
        state.kept.retain(|_, kept| kept.is_young() && kept.connection.is_open());
        let oldest = state.kept.values().map(|kept| kept.since + IDLE_MAX).min();
        if oldest.is_none() {
            state.sweeper = Sweeper::Absent;
        }
        oldest
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes what nobody needs, until there is nothing left.
async fn sweep(pool: Weak<Pool>, mut next: Instant) {
    loop {
        time::sleep_until(next).await;
        match pool.upgrade().and_then(|pool| pool.tidy()) {
            Some(later) => next = later,
            None => return,
        }
    }
}

impl Kept {
    fn is_young(&self) -> bool {
        self.since.elapsed() < IDLE_MAX
    }
}
