//! Counts what goes over a way into the network.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use jiff::Timestamp;

use crate::{
    address::Family,
    wire::{Exchange, Networked, Request, Response, Wire},
};

/// How many requests there were; all copies count together.
#[derive(Debug, Clone, Default)]
pub struct Count(Arc<AtomicU64>);

impl Count {
    /// Returns how many there were.
    pub fn so_far(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Returns a way that is counted.
    pub(super) fn on(&self, wire: Arc<dyn Wire>) -> Arc<dyn Wire> {
        Arc::new(Counted { wire, count: self.clone() })
    }

    fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A way into the network on which each request is counted, whatever comes of it.
struct Counted {
    wire: Arc<dyn Wire>,
    count: Count,
}

impl Wire for Counted {
    fn http(&self, request: Request) -> Networked<'_, Response> {
        self.count.add_one();
        self.wire.http(request)
    }

    fn dns(&self, exchange: Exchange) -> Networked<'_, Vec<u8>> {
        self.count.add_one();
        self.wire.dns(exchange)
    }

    fn resolve(&self, name: &str, family: Option<Family>) -> Networked<'_, Vec<IpAddr>> {
        self.wire.resolve(name, family)
    }

    fn resolvers(&self) -> Vec<SocketAddr> {
        self.wire.resolvers()
    }

    fn now(&self) -> Timestamp {
        self.wire.now()
    }

    fn nonce(&self) -> u128 {
        self.wire.nonce()
    }
}
