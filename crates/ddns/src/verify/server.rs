//! A server that may be dead: it is asked by few at a time, and left alone for a while when it does
//! not answer, by whomever it is meant to be asked for.

use std::{
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Semaphore, time::Instant};

use crate::{
    dns::{self, Answer, DnsError, Question},
    wire::{NetworkError, Wire},
};

/// So long nobody asks a server that has not answered.
pub(super) const SILENT_FOR: Duration = Duration::from_secs(30);
/// So many questions are on their way to one server.
const AT_ONCE: usize = 2;

/// A server at one of its addresses.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    turns: Semaphore,
    silent_until: Mutex<Option<Instant>>,
}

impl Server {
    pub(super) const fn new(address: SocketAddr) -> Self {
        Self { address, turns: Semaphore::const_new(AT_ONCE), silent_until: Mutex::new(None) }
    }

    /// Asks it, in turn.
    pub(super) async fn ask(&self, wire: &dyn Wire, question: &Question) -> Result<Answer, String> {
        // Nobody closes it.
        let _turn = self.turns.acquire().await;
        if self.silent().is_some_and(|until| Instant::now() < until) {
            return Err("it did not answer a moment ago".to_owned());
        }
        let asked = dns::ask(wire, self.address, question).await;
        let is_silent = matches!(asked, Err(DnsError::Network(NetworkError::Late { .. })));
        *self.silent() = is_silent.then(|| Instant::now() + SILENT_FOR);
        asked.and_then(|answer| answer.sound(self.address)).map_err(|error| error.to_string())
    }

    fn silent(&self) -> MutexGuard<'_, Option<Instant>> {
        self.silent_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
