//! The real network behind a [wire](crate::wire): HTTP/1.1 in the open and over TLS, DNS, proxies.
//!
//! ```text
//!  Request ─► target ─► proxy? ─► pool ───────────────────► conversation ─► Response
//!                         │         └► dial ► tunnel ► TLS ──┘
//!                         └ names: the system, then DNS servers of our own
//! ```
//!
//! Nothing is tried twice, but for a request that never left because its connection had been closed
//! meanwhile. What is dropped ends at once, with its connection.

mod conversation;
mod dial;
mod environment;
mod exchange;
mod outgoing;
mod pool;
mod proxy;
mod race;
mod resolver;
mod secure;
mod socks;
mod target;
mod tunnel;

#[cfg(test)]
mod tests;

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use mainstay_platform::{clock, random};
use mainstay_tls::Trust;
use tokio::time;

use crate::{
    address::Family,
    config::NetworkConfig,
    wire::{Exchange, Later, NetworkError, Networked, Request, Response, Way, Wire},
};

use conversation::{Connection, Sent};
use dial::Binding;
use pool::{Key, Pool};
use proxy::{Choice, ProxyServer};
use resolver::{Answers, Resolver, Want};
use secure::Secure;
use target::Target;

pub use proxy::ProxyError;
pub use resolver::BUILT_IN as BUILT_IN_RESOLVERS;

/// What all ways into the network share: how names are resolved, and whom everybody trusts.
#[derive(Debug, Clone)]
pub struct Shared {
    trust: Trust,
    resolver: Arc<Resolver>,
}

impl Shared {
    /// Resolves by the system, and by these servers where that fails or is slow; by those that are
    /// built in where there are none.
    pub fn new(resolvers: &[SocketAddr]) -> Self {
        Self::with(Resolver::new(resolvers))
    }

    fn with(resolver: Resolver) -> Self {
        Self { trust: Trust::public(), resolver: Arc::new(resolver) }
    }
}

/// One way into the network. Clones are the same way.
#[derive(Clone)]
pub struct Network(Arc<Inner>);

struct Inner {
    resolver: Arc<Resolver>,
    secure: Secure,
    proxy: Choice,
    binding: Option<Binding>,
    pool: Arc<Pool>,
}

impl Network {
    /// Opens a way; nothing is sent, read or resolved yet but the variables of the environment.
    pub fn new(shared: &Shared, config: &NetworkConfig) -> Result<Self, ProxyError> {
        let proxy = Choice::of(&config.proxy, |name| std::env::var(name).ok())?;
        let trust = match &config.ca_file {
            Some(path) => shared.trust.with_ca_file(path),
            None => shared.trust.clone(),
        };
        Ok(Self(Arc::new(Inner {
            resolver: Arc::clone(&shared.resolver),
            secure: Secure::new(trust),
            proxy,
            binding: config.bind.as_deref().map(Binding::of),
            pool: Arc::default(),
        })))
    }

    /// Closes what is kept open for the next request: after a change of addresses nobody may be
    /// reached by it any more.
    pub fn forget_connections(&self) {
        self.0.pool.clear();
    }

    async fn ask(&self, request: Request) -> Result<Response, NetworkError> {
        let target = Target::of(&request)?;
        let within = request.within;
        let asked = time::timeout(within, self.converse(&target, request)).await;
        asked.unwrap_or_else(|_| Err(NetworkError::Late { peer: target.peer(), within }))
    }

    async fn converse(&self, target: &Target, request: Request) -> Result<Response, NetworkError> {
        let proxy = match request.way {
            Way::Configured => self.0.proxy.for_target(target),
            Way::Direct => None,
        };
        let mut outgoing = outgoing::prepare(target, &request, proxy.as_deref())?;
        // A proxy that forwards may hang up after each answer without having said so, as tinyproxy
        // does; whether a request has still reached it nobody knows.
        let is_forwarded = proxy.as_deref().is_some_and(|proxy| proxy.forwards(target));
        let key = Key::of(target, &request).filter(|_| !is_forwarded);
        while let Some(kept) = key.as_ref().and_then(|key| self.0.pool.take(key)) {
            match kept.send(outgoing).await {
                Sent::Never(request) => outgoing = request,
                Sent::Done(talk) => {
                    let heard = talk.listen(target).await;
                    return self.finish(heard, key, proxy.as_deref());
                }
            }
        }
        let connection = self.connect(target, &request, proxy.as_deref()).await?;
        match connection.send(outgoing).await {
            Sent::Never(_) => Err(closed(target)),
            Sent::Done(talk) => self.finish(talk.listen(target).await, key, proxy.as_deref()),
        }
    }

    /// Keeps a connection for the next request, where it may be used again.
    fn finish(
        &self,
        heard: Result<(Response, Connection), NetworkError>,
        key: Option<Key>,
        proxy: Option<&ProxyServer>,
    ) -> Result<Response, NetworkError> {
        let (response, connection) = heard?;
        if let (407, Some(proxy)) = (response.status, proxy) {
            let (peer, why) = (proxy.named(), tunnel::unknown_to_proxy("407"));
            return Err(NetworkError::Connect { peer, why });
        }
        if let Some(key) = key {
            Pool::put(&self.0.pool, key, connection);
        }
        Ok(response)
    }

    async fn connect(
        &self,
        target: &Target,
        request: &Request,
        proxy: Option<&ProxyServer>,
    ) -> Result<Connection, NetworkError> {
        let stream = match proxy {
            Some(proxy) => tunnel::through(self, proxy, (target, request.family)).await?,
            None => Box::new(self.dial(target, Want::of(request)).await?),
        };
        if target.is_secure() {
            let stream = self.0.secure.over(stream, target).await?;
            return Connection::begin(Box::new(stream), target).await;
        }
        Connection::begin(stream, target).await
    }

    /// Connects to one of the addresses of a name.
    async fn dial(
        &self,
        target: &Target,
        want: Want,
    ) -> Result<tokio::net::TcpStream, NetworkError> {
        let addresses = self.0.resolver.resolve(self, target.host(), want).await?;
        let dialed = dial::first(&addresses, target.port(), self.0.binding.as_ref()).await;
        dialed.map_err(|why| NetworkError::Connect { peer: target.peer(), why })
    }
}

fn closed(target: &Target) -> NetworkError {
    let why = "it was closed before anything was sent".to_owned();
    NetworkError::Broken { peer: target.peer(), why }
}

impl Wire for Network {
    fn http(&self, request: Request) -> Networked<'_, Response> {
        Box::pin(self.ask(request))
    }

    fn dns(&self, exchange: Exchange) -> Networked<'_, Vec<u8>> {
        Box::pin(exchange::perform(exchange, self.0.binding.clone()))
    }

    fn resolve(&self, name: &str, family: Option<Family>) -> Networked<'_, Vec<IpAddr>> {
        let name = name.to_owned();
        let want = Want { family, answers: Answers::Any };
        Box::pin(async move { self.0.resolver.resolve(self, &name, want).await })
    }

    fn resolvers(&self) -> Vec<SocketAddr> {
        self.0.resolver.servers().to_vec()
    }

    fn pause(&self, time: Duration) -> Later<'_, ()> {
        Box::pin(time::sleep_until(time::Instant::now() + time))
    }

    fn now(&self) -> Timestamp {
        // Times before 1677 and after 9999 are nobody's.
        Timestamp::try_from(clock::realtime()).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn nonce(&self) -> u128 {
        u128::from(random::number()) << 64 | u128::from(random::number())
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        let mut told = formatter.debug_struct("Network");
        told.field("proxy", &inner.proxy).field("binding", &inner.binding).finish_non_exhaustive()
    }
}

/// Returns a limit for what takes no longer than a part of a request.
const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}
