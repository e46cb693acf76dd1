//! From a configuration to all that the loop works with.

use std::sync::Arc;

use super::{Line, Parts, Shelf, Spring};
use crate::{
    config::{Config, NetworkConfig, SourceConfig},
    network::{Network, ProxyError, Shared},
    sources::{self, Around, SharedWire},
    verify::Verifier,
    wire::Wire,
};

/// A configuration that cannot be worked with, although it reads well.
#[derive(Debug, thiserror::Error)]
#[error("{whose}: {source}")]
pub struct AssemblyError {
    whose: String,
    source: ProxyError,
}

/// Puts everything together. Nothing is sent yet. Must be called inside a runtime.
pub fn assemble(config: Config, shelf: Option<Shelf>) -> Result<Parts, AssemblyError> {
    let mut ways = Ways { shared: Shared::new(&config.resolvers), open: Vec::new() };
    let straight = NetworkConfig::default();
    let mut lines = Vec::new();
    for account in config.accounts {
        let wire = ways.way(&account.network, || format!("account `{}`", account.name))?;
        lines.push(Line::new(account.entry.name, account.provider, wire));
    }
    let mut springs = Vec::new();
    for sight in &config.sources {
        let opened = sight.iter().map(|source| spring(&mut ways, source));
        springs.push(opened.collect::<Result<Vec<_>, _>>()?);
    }
    let wire = ways.way(&straight, || "verification".to_owned())?;
    let verifier = Box::new(Verifier::new(SharedWire::new(wire), config.resolvers));
    let networks = ways.open.into_iter().map(|(_, network)| network).collect();
    Ok(Parts { plan: config.plan, lines, springs, verifier, shelf, networks })
}

fn spring(ways: &mut Ways, source: &SourceConfig) -> Result<Spring, AssemblyError> {
    let straight = NetworkConfig::default();
    let network = source.network().unwrap_or(&straight);
    let wire = ways.way(network, || format!("source `{}`", source.word()))?;
    let around = Around { wire: SharedWire::new(wire), bind: network.bind.clone() };
    Ok(Spring { word: source.word(), source: sources::open(source, &around) })
}

/// Ways into the network, one for each way to go.
struct Ways {
    shared: Shared,
    open: Vec<(NetworkConfig, Network)>,
}

impl Ways {
    fn way(
        &mut self,
        config: &NetworkConfig,
        whose: impl Fn() -> String,
    ) -> Result<Arc<dyn Wire>, AssemblyError> {
        if let Some((_, network)) = self.open.iter().find(|(known, _)| known == config) {
            return Ok(Arc::new(network.clone()));
        }
        let network = Network::new(&self.shared, config);
        let network = network.map_err(|source| AssemblyError { whose: whose(), source })?;
        self.open.push((config.clone(), network.clone()));
        Ok(Arc::new(network))
    }
}
