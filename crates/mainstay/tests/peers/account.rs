//! An account of ours at a peer, without the engine: read, then write what differs, once.

use std::{
    net::{IpAddr, SocketAddr},
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use mainstay_ddns::{
    address::Family,
    config::{self, Config, NetworkConfig},
    failure::Failure,
    network::{Network, Shared},
    provider::Reading,
    record::{Change, Found, Record, Written},
    wire::{Exchange, Later, Networked, Request, Response, Wire},
};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

/// An account with one name.
#[derive(Debug)]
pub(crate) struct Account {
    config: Config,
    line: Line,
    runtime: Runtime,
}

/// The real network, and a clock that may be wrong.
#[derive(Debug)]
struct Line {
    network: Network,
    seconds_ahead: AtomicI64,
}

impl Account {
    /// Opens what the configuration says of an account.
    pub(crate) fn open(account: &Value) -> Self {
        let ipv6 = json!([{ "static": "2a02:c7d:1::142" }]);
        let sources = json!({ "ipv4": [{ "static": "81.2.69.142" }], "ipv6": ipv6 });
        let whole = json!({ "sources": sources, "accounts": { "it": account } });
        let config = config::read(&whole).unwrap_or_else(|error| panic!("{whole}: {error}"));
        let network = Network::new(&Shared::new(&[]), &NetworkConfig::default()).unwrap();
        let line = Line { network, seconds_ahead: AtomicI64::new(0) };
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        Self { config, line, runtime }
    }

    /// Reads where that is possible, and makes the name's record of a family what it shall be;
    /// returns nothing where it was so.
    pub(crate) fn keep(&self, address: &str) -> Result<Option<Written>, Failure> {
        self.keep_instead(address, &[])
    }

    /// Does the same, and knows that these addresses have been put there by us.
    pub(crate) fn keep_instead(
        &self,
        address: &str,
        ours: &[&str],
    ) -> Result<Option<Written>, Failure> {
        let found = match self.config.accounts[0].entry.reading {
            Reading::Possible => Some(self.read(address)?),
            Reading::Impossible => None,
        };
        if found.as_ref().is_some_and(|found| found.values == [parsed(address)]) {
            return Ok(None);
        }
        self.write(address, ours, found).map(Some)
    }

    /// Reads the record that an address would stand in.
    pub(crate) fn read(&self, address: &str) -> Result<Found, Failure> {
        let provider = &self.config.accounts[0].provider;
        self.runtime.block_on(provider.read(&self.line, self.record(address)))
    }

    /// Writes, as if that had been found.
    pub(crate) fn write(
        &self,
        address: &str,
        ours: &[&str],
        found: Option<Found>,
    ) -> Result<Written, Failure> {
        let record = self.record(address).clone();
        let (want, ours) = (vec![parsed(address)], ours.iter().map(|one| parsed(one)).collect());
        let change = Change { record, want, ours, found, prefix: None, beside: Vec::new() };
        let provider = &self.config.accounts[0].provider;
        self.runtime.block_on(provider.write(&self.line, &change))
    }

    /// Lets our clock be wrong.
    pub(crate) fn set_clock_ahead(&self, seconds: i64) {
        self.line.seconds_ahead.store(seconds, Ordering::Relaxed);
    }

    fn record(&self, address: &str) -> &Record {
        let family = Family::of(parsed(address));
        let mut bindings = self.config.plan.bindings.iter();
        &bindings.find(|binding| binding.record.family == family).unwrap().record
    }
}

fn parsed(address: &str) -> IpAddr {
    address.parse().unwrap()
}

impl Wire for Line {
    fn http(&self, request: Request) -> Networked<'_, Response> {
        self.network.http(request)
    }

    fn dns(&self, exchange: Exchange) -> Networked<'_, Vec<u8>> {
        self.network.dns(exchange)
    }

    fn resolve(&self, name: &str, family: Option<Family>) -> Networked<'_, Vec<IpAddr>> {
        self.network.resolve(name, family)
    }

    fn resolvers(&self) -> Vec<SocketAddr> {
        self.network.resolvers()
    }

    fn pause(&self, time: Duration) -> Later<'_, ()> {
        self.network.pause(time)
    }

    fn now(&self) -> Timestamp {
        self.network.now() + SignedDuration::from_secs(self.seconds_ahead.load(Ordering::Relaxed))
    }

    fn nonce(&self) -> u128 {
        self.network.nonce()
    }
}
