//! Work that may block: a few threads for each kind, and nobody waits for them for long.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task, time,
};

use super::Miss;

/// Threads for each kind of work.
const FILES: usize = 4;
const LOGS: usize = 2;
const MEMORY: usize = 2;
const NAMES: usize = 2;
const BODIES: usize = 1;
const CERTIFICATES: usize = 2;

/// The threads of all kinds together; they end when there is nothing to do.
pub(super) const THREADS_MAX: usize = FILES + LOGS + MEMORY + NAMES + BODIES + CERTIFICATES;

/// The kinds of work.
#[derive(Debug)]
pub(super) struct Pools {
    pub(super) files: Pool,
    pub(super) logs: Pool,
    pub(super) memory: Pool,
    pub(super) names: Pool,
    pub(super) bodies: Pool,
    pub(super) certificates: Pool,
}

impl Default for Pools {
    fn default() -> Self {
        Self {
            files: Pool::new(FILES, "files"),
            logs: Pool::new(LOGS, "logs"),
            memory: Pool::new(MEMORY, "memory"),
            names: Pool::new(NAMES, "names"),
            bodies: Pool::new(BODIES, "answers"),
            certificates: Pool::new(CERTIFICATES, "certificates"),
        }
    }
}

/// One kind of work.
#[derive(Debug)]
pub(super) struct Pool {
    permits: Arc<Semaphore>,
    what: &'static str,
}

impl Pool {
    fn new(threads: usize, what: &'static str) -> Self {
        Self { permits: Arc::new(Semaphore::new(threads)), what }
    }

    /// Does something on a thread that may block. Whoever hangs keeps his thread; who waits for
    /// longer than `within` has seen nothing.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        within: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Miss> {
        let begun = time::Instant::now();
        let permit = turn(&self.permits, within, self.what).await?;
        let body = move || {
            let done = work();
            drop(permit);
            done
        };
        let left = within.saturating_sub(begun.elapsed());
        match time::timeout(left, task::spawn_blocking(body)).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(_)) => Err(Miss::Blind("the look broke off".to_owned())),
            Err(_) => Err(Miss::Blind(format!("what the {} lie on does not answer", self.what))),
        }
    }
}

/// Waits for a turn.
pub(super) async fn turn(
    permits: &Arc<Semaphore>,
    within: Duration,
    what: &str,
) -> Result<OwnedSemaphorePermit, Miss> {
    match time::timeout(within, Arc::clone(permits).acquire_owned()).await {
        Ok(Ok(permit)) => Ok(permit),
        Ok(Err(_)) | Err(_) => Err(Miss::Blind(format!("too many looks at {what} are under way"))),
    }
}
