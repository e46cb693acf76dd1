//! TLS with whom a request means; whom to believe is read when it is needed first.

use std::{error::Error as _, sync::Arc};

use mainstay_tls::{ClientConfig, ConnectError, TlsError, TlsStream, Trust};
use tokio::{sync::OnceCell, task};

use crate::wire::{ClockDoubt, NetworkError};

use super::{target::Target, tunnel::Stream};

/// Whom a way believes.
#[derive(Debug)]
pub(super) struct Secure {
    trust: Trust,
    client: OnceCell<Arc<ClientConfig>>,
}

impl Secure {
    pub(super) fn new(trust: Trust) -> Self {
        Self { trust, client: OnceCell::new() }
    }

    /// Speaks TLS over a connection.
    pub(super) async fn over(
        &self,
        stream: Stream,
        target: &Target,
    ) -> Result<TlsStream<Stream>, NetworkError> {
        let client = self.client.get_or_try_init(|| read(self.trust.clone())).await?;
        let spoken = mainstay_tls::connect(client, stream, target.host()).await;
        spoken.map_err(|error| told(&error, target.peer()))
    }
}

/// Reads certificates on a thread that may wait for a disk.
async fn read(trust: Trust) -> Result<Arc<ClientConfig>, NetworkError> {
    let read = task::spawn_blocking(move || mainstay_tls::client(&trust)).await;
    match read {
        Ok(client) => client.map_err(|error| NetworkError::Request { why: unusable(&error) }),
        Err(_) => Err(NetworkError::Request { why: "reading certificates broke off".to_owned() }),
    }
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
