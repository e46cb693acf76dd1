//! What looks over TLS share: whom they believe, and the sessions that make the next one short.

use std::{
    collections::BTreeMap,
    error::Error as _,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use mainstay_api::config::HttpLook;
use mainstay_platform::shortage::is_shortage;
use mainstay_tls::{ClientConfig, ConnectError, TlsError, TlsStream, Trust};
use tokio::{net::TcpStream, sync::Semaphore};

use super::{
    Miss,
    curt::Curt,
    pool::{self, Pool},
};

/// So many files of certificates are kept in mind, with the sessions of those they are for.
const FILES_MAX: usize = 16;

/// Whom looks believe. One for all of them.
#[derive(Debug, Default)]
pub(super) struct Clients {
    trust: Trust,
    known: Mutex<Known>,
}

/// Clients by the files that they were made from.
type Known = BTreeMap<Option<PathBuf>, Made>;

/// A client, and the file that it was made from.
#[derive(Debug)]
struct Made {
    client: Arc<ClientConfig>,
    stamp: Option<Stamp>,
}

/// When a file was changed, and how long it is.
type Stamp = (SystemTime, u64);

/// How files are read: elsewhere, each by one look at a time, and nobody waits for long.
pub(super) struct Reader<'p> {
    pub(super) certificates: &'p Pool,
    pub(super) gate: Option<Arc<Semaphore>>,
    pub(super) within: Duration,
}

/// Speaks TLS with whom a look means.
pub(super) async fn over(
    stream: TcpStream,
    look: &HttpLook,
    client: &Arc<ClientConfig>,
) -> Result<Curt<TlsStream<TcpStream>>, Miss> {
    let host = look.tls.server_name.as_deref().unwrap_or(&look.url.address.host);
    mainstay_tls::connect(client, stream, host).await.map(Curt).map_err(|error| miss(&error))
}

impl Clients {
    /// Returns what a look speaks TLS with.
    pub(super) async fn client(
        self: &Arc<Self>,
        look: &HttpLook,
        reader: Reader<'_>,
    ) -> Result<Arc<ClientConfig>, Miss> {
        let path = look.tls.ca_file.clone().map(PathBuf::from);
        if path.is_none()
            && let Some(client) = self.known(None, None)
        {
            return Ok(client);
        }
        let own = Arc::clone(self);
        reader.run(move || own.read(path)).await?
    }

    /// Returns the client of a file, which is read again when it has changed.
    fn read(&self, path: Option<PathBuf>) -> Result<Arc<ClientConfig>, Miss> {
        let stamp = path.as_deref().and_then(stamp);
        if let Some(client) = self.known(path.as_deref(), stamp) {
            return Ok(client);
        }
        let client = self.make(path.as_deref()).map_err(|error| unusable(&error))?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() > FILES_MAX {
            known.clear();
        }
        // The stamp of before: a file that has changed meanwhile is read again.
        known.insert(path, Made { client: Arc::clone(&client), stamp });
        Ok(client)
    }

    fn known(&self, path: Option<&Path>, stamp: Option<Stamp>) -> Option<Arc<ClientConfig>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.get(&path.map(Path::to_path_buf))?;
        let is_fresh = path.is_none() || (stamp.is_some() && found.stamp == stamp);
        is_fresh.then(|| Arc::clone(&found.client))
    }

    fn make(&self, path: Option<&Path>) -> Result<Arc<ClientConfig>, TlsError> {
        match path {
            Some(path) => mainstay_tls::client(&self.trust.with_ca_file(path)),
            None => mainstay_tls::client(&self.trust),
        }
    }
}

impl Reader<'_> {
    async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Miss> {
        let alone = match self.gate {
            Some(gate) => Some(pool::turn(&gate, self.within, "certificates").await?),
            None => None,
        };
        let body = move || {
            let done = work();
            drop(alone);
            done
        };
        self.certificates.run(self.within, body).await
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let facts = fs::metadata(path).ok()?;
    Some((facts.modified().ok()?, facts.len()))
}

/// What is wrong with our own files says nothing of whoever was to be asked.
fn unusable(error: &TlsError) -> Miss {
    match error.source() {
        Some(cause) => Miss::Blind(format!("{error}: {cause}")),
        None => Miss::Blind(error.to_string()),
    }
}

/// A clock that stands in the past, as that of a machine without a battery does, is no fault of a
/// server's.
fn miss(error: &ConnectError) -> Miss {
    let reason = error.line();
    let is_dated = matches!(error, ConnectError::NotYetValid { .. } | ConnectError::BadName(_));
    let is_short = matches!(error, ConnectError::Broken { source, .. } if is_shortage(source));
    if is_dated || is_short { Miss::Blind(reason) } else { Miss::Bad(reason) }
}
