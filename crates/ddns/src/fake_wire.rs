//! A network that a test writes down: a function that answers.

use std::{fmt, net::IpAddr};

use jiff::Timestamp;

use crate::{
    address::Family,
    wire::{Exchange, NetworkError, Networked, Request, Response, Wire},
};

type Answers<Q, A> = Box<dyn Fn(Q) -> Result<A, NetworkError> + Send + Sync>;

/// A network of two functions.
pub(crate) struct FakeWire {
    http: Answers<Request, Response>,
    dns: Answers<Exchange, Vec<u8>>,
    resolve: Answers<String, Vec<IpAddr>>,
}

impl fmt::Debug for FakeWire {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FakeWire")
    }
}

impl FakeWire {
    /// Returns a network on which nobody answers.
    pub(crate) fn silent() -> Self {
        let late = |peer: String| NetworkError::Connect { peer, why: "nobody is there".to_owned() };
        Self {
            http: Box::new(move |request| Err(late(request.shown_url()))),
            dns: Box::new(move |exchange| Err(late(exchange.server.to_string()))),
            resolve: Box::new(move |name| Err(late(name))),
        }
    }

    /// Returns a network whose DNS servers answer so.
    pub(crate) fn of_dns(
        dns: impl Fn(Exchange) -> Result<Vec<u8>, NetworkError> + Send + Sync + 'static,
    ) -> Self {
        Self { dns: Box::new(dns), ..Self::silent() }
    }

    /// Returns a network whose web servers answer so.
    pub(crate) fn of_http(
        http: impl Fn(Request) -> Result<Response, NetworkError> + Send + Sync + 'static,
    ) -> Self {
        Self { http: Box::new(http), ..Self::silent() }
    }

    /// Gives it a resolver.
    pub(crate) fn resolving(
        self,
        resolve: impl Fn(String) -> Result<Vec<IpAddr>, NetworkError> + Send + Sync + 'static,
    ) -> Self {
        Self { resolve: Box::new(resolve), ..self }
    }
}

impl Wire for FakeWire {
    fn http(&self, request: Request) -> Networked<'_, Response> {
        Box::pin(async { (self.http)(request) })
    }

    fn dns(&self, exchange: Exchange) -> Networked<'_, Vec<u8>> {
        Box::pin(async { (self.dns)(exchange) })
    }

    fn resolve(&self, name: &str, family: Option<Family>) -> Networked<'_, Vec<IpAddr>> {
        let found = (self.resolve)(name.to_owned());
        let is_wanted = move |one: &IpAddr| family.is_none_or(|family| Family::of(*one) == family);
        Box::pin(async move { found.map(|all| all.into_iter().filter(is_wanted).collect()) })
    }

    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn nonce(&self) -> u128 {
        0x1234
    }
}

/// Chance that repeats itself: the same seed gives the same damage (splitmix64).
#[derive(Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap() % limit.max(1)
    }

    /// Returns so many bytes at most, of no meaning, most of them letters of the alphabet.
    pub(crate) fn noise(&mut self, alphabet: &[u8], length_max: usize) -> Vec<u8> {
        let length = self.below(length_max);
        let mut one = || match self.below(9) {
            0 => u8::try_from(self.below(256)).unwrap(),
            _ => alphabet[self.below(alphabet.len())],
        };
        (0..length).map(|_| one()).collect()
    }

    /// Returns the message with some bytes changed, and sometimes cut, grown or doubled.
    pub(crate) fn damage(&mut self, message: &[u8]) -> Vec<u8> {
        let mut damaged = message.to_vec();
        for _ in 0..=self.below(6) {
            let at = self.below(damaged.len());
            let value = [0, 0xff, 0xc0, 1, u8::try_from(self.below(256)).unwrap()][self.below(5)];
            if let Some(byte) = damaged.get_mut(at) {
                *byte = value;
            }
        }
        match self.below(8) {
            0 => damaged.truncate(self.below(message.len())),
            1 => damaged.extend_from_within(self.below(message.len())..),
            _ => (),
        }
        damaged
    }
}
