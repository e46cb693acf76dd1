//! TLS with whom a request means. Whom to believe is read when it is needed first, and a file of the
//! user's own again when it has changed.

use std::{error::Error as _, fs, path::Path, sync::Arc, time::SystemTime};

use mainstay_tls::{ClientConfig, ConnectError, TlsError, TlsStream, Trust};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    task,
};

use crate::wire::{ClockDoubt, NetworkError};

use super::{target::Target, tunnel::Stream};

/// Whom a way believes.
#[derive(Debug)]
pub(super) struct Secure {
    trust: Trust,
    made: Arc<Mutex<Option<Made>>>,
}

/// A client, and the file that it was made from.
#[derive(Debug)]
struct Made {
    client: Arc<ClientConfig>,
    stamp: Option<Stamp>,
}

/// When a file was changed, and how long it is.
type Stamp = (SystemTime, u64);

impl Secure {
    pub(super) fn new(trust: Trust) -> Self {
        Self { trust, made: Arc::default() }
    }

    /// Speaks TLS over a connection.
    pub(super) async fn over(
        &self,
        stream: Stream,
        target: &Target,
    ) -> Result<TlsStream<Stream>, NetworkError> {
        let client = self.client().await?;
        let spoken = mainstay_tls::connect(&client, stream, target.host()).await;
        spoken.map_err(|error| told(&error, target.peer()))
    }

    /// Reads certificates on a thread that may wait for a disk; others wait for that one meanwhile,
    /// so that there is never more than one.
    async fn client(&self) -> Result<Arc<ClientConfig>, NetworkError> {
        let made = Arc::clone(&self.made).lock_owned().await;
        if let (Some(made), None) = (made.as_ref(), self.trust.ca_file()) {
            return Ok(Arc::clone(&made.client));
        }
        let trust = self.trust.clone();
        match task::spawn_blocking(move || refresh(made, &trust)).await {
            Ok(client) => client.map_err(|error| NetworkError::Request { why: unusable(&error) }),
            Err(_) => {
                Err(NetworkError::Request { why: "reading certificates broke off".to_owned() })
            }
        }
    }
}

fn refresh(
    mut made: OwnedMutexGuard<Option<Made>>,
    trust: &Trust,
) -> Result<Arc<ClientConfig>, TlsError> {
    // Before the file, so that one that changes meanwhile is read again.
    let stamp = trust.ca_file().and_then(stamp);
    if let Some(made) = made.as_ref().filter(|made| stamp.is_some() && made.stamp == stamp) {
        return Ok(Arc::clone(&made.client));
    }
    let client = mainstay_tls::client(trust)?;
    *made = Some(Made { client: Arc::clone(&client), stamp });
    Ok(client)
}

fn stamp(path: &Path) -> Option<Stamp> {
    let facts = fs::metadata(path).ok()?;
    Some((facts.modified().ok()?, facts.len()))
}

fn unusable(error: &TlsError) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

fn told(error: &ConnectError, peer: String) -> NetworkError {
    let why = error.line();
    if let ConnectError::Broken { source, .. } = error {
        return NetworkError::Broken { peer, why: format!("no TLS was spoken yet: {source}") };
    }
    let clock = if error.is_about_time() { ClockDoubt::Likely } else { ClockDoubt::None };
    NetworkError::Tls { peer, why, clock }
}
