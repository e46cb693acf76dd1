//! The sources that there are: one file each. Which the configuration knows, and with what usual
//! servers, is told by [`crate::config`].

mod address;
mod apart;
mod command;
mod dns;
mod file;
mod fixed;
mod interface;
mod nat_pmp;
mod pcp;
mod router;
mod stun;
mod udp;
mod upnp;
mod web;

use std::{fmt, ops::Deref, sync::Arc};

use crate::{config::SourceConfig, source::Source, wire::Wire};

pub use dns::SERVICES as DNS_SERVICES;

/// A network that several sources share.
#[derive(Clone)]
pub struct SharedWire(Arc<dyn Wire>);

impl SharedWire {
    /// Shares a network.
    pub fn new(wire: Arc<dyn Wire>) -> Self {
        Self(wire)
    }
}

impl Deref for SharedWire {
    type Target = dyn Wire;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl fmt::Debug for SharedWire {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SharedWire")
    }
}

/// What sources need of their surroundings.
#[derive(Debug, Clone)]
pub struct Around {
    /// The network.
    pub wire: SharedWire,
    /// By which interface, or from which local address, messages of UDP go.
    pub bind: Option<String>,
}

/// Opens a source as the configuration names it.
pub fn open(config: &SourceConfig, around: &Around) -> Box<dyn Source> {
    let (wire, around) = (around.wire.clone(), around.clone());
    match config.clone() {
        SourceConfig::Web { urls, pointer, network } => {
            Box::new(web::Web::new(wire, &urls, pointer.as_deref(), &network))
        }
        SourceConfig::Interface { name, choice } => {
            Box::new(interface::Interface::new(name, choice))
        }
        SourceConfig::Dns { services, .. } => Box::new(dns::WhoAmI::new(wire, &services)),
        SourceConfig::Stun { servers, .. } => Box::new(stun::Stun::new(around, &servers)),
        SourceConfig::Upnp { .. } => Box::new(upnp::Upnp::new(around)),
        SourceConfig::NatPmp { gateway, .. } => Box::new(nat_pmp::NatPmp { around, gateway }),
        SourceConfig::Pcp { gateway, .. } => Box::new(pcp::Pcp { around, gateway }),
        SourceConfig::Command { command, within } => {
            Box::new(command::AddressCommand::new(command, within))
        }
        SourceConfig::File { path } => Box::new(file::AddressFile::new(path)),
        SourceConfig::Static { addresses } => Box::new(fixed::Fixed(addresses)),
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::{address::Family, config::NetworkConfig, fake_wire::FakeWire};

    fn around() -> Around {
        Around { wire: SharedWire::new(Arc::new(FakeWire::silent())), bind: None }
    }

    fn looked(config: &SourceConfig, family: Family) -> Result<Vec<IpAddr>, String> {
        let source = open(config, &around());
        let mut votes = udp::tests::run(source.look(family));
        assert_eq!(votes.len(), 1);
        votes.remove(0).answer
    }

    #[test]
    fn static_addresses_are_those_of_the_family() {
        let addresses = ["81.2.69.142", "2001:4860::1"].map(|text| text.parse().unwrap()).to_vec();
        let config = SourceConfig::Static { addresses: addresses.clone() };
        assert_eq!(looked(&config, Family::V4), Ok(vec![addresses[0]]));
        assert_eq!(looked(&config, Family::V6), Ok(vec![addresses[1]]));
        let config = SourceConfig::Static { addresses: vec![addresses[0]] };
        assert_eq!(looked(&config, Family::V6).unwrap_err(), "there is no IPv6 address in it");
    }

    #[test]
    fn every_voter_has_a_vote_and_its_own_reason() {
        let several = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        let network = NetworkConfig::default();
        let web = SourceConfig::Web {
            urls: several(&["https://a.test", "https://b.test"]),
            pointer: None,
            network: network.clone(),
        };
        let dns = SourceConfig::Dns { services: Vec::new(), network: network.clone() };
        let stun = SourceConfig::Stun { servers: several(&["a.test:3478", "b.test"]), network };
        for (config, voters) in [(web, 2), (dns, DNS_SERVICES.len()), (stun, 2)] {
            let votes = udp::tests::run(open(&config, &around()).look(Family::V6));
            assert_eq!(votes.len(), voters, "{config:?}");
            assert!(votes.iter().all(|vote| vote.answer.is_err()), "{votes:?}");
        }
    }
}
