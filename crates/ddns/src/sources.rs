//! The sources that there are: one file each, and the list of them.

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

use crate::{address::Family, config::SourceConfig, source::Source, wire::Wire};

pub use dns::SERVICES as DNS_SERVICES;
pub use stun::usual as usual_stun_servers;
pub use web::usual as usual_urls;

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

/// What is known of a kind of source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its name in the configuration.
    pub name: &'static str,
    /// Which families it can tell of.
    pub families: &'static [Family],
    /// What it does, for people.
    pub help: &'static str,
    /// The same in Chinese.
    pub help_zh: &'static str,
}

/// All kinds of sources, in the order in which people should think of them.
pub const ALL: &[Entry] = &[
    Entry {
        name: "web",
        families: &Family::ALL,
        help: "asks several echo services on the web, past any proxy",
        help_zh: "绕过代理，同时询问多个返回访问者地址的网站",
    },
    Entry {
        name: "interface",
        families: &Family::ALL,
        help: "takes an address of a network interface; the best choice for IPv6",
        help_zh: "读取网卡上的地址；IPv6 的首选",
    },
    Entry {
        name: "dns",
        families: &Family::ALL,
        help: "asks DNS servers that tell who asks: cloudflare, opendns, google",
        help_zh: "询问会返回来访者地址的 DNS 服务器：cloudflare、opendns、google",
    },
    Entry {
        name: "stun",
        families: &Family::ALL,
        help: "asks STUN servers from where a message comes",
        help_zh: "询问 STUN 服务器消息来自哪个地址",
    },
    Entry {
        name: "upnp",
        families: &[Family::V4],
        help: "asks the router by UPnP for its outer address",
        help_zh: "通过 UPnP 询问路由器的外网地址",
    },
    Entry {
        name: "nat-pmp",
        families: &[Family::V4],
        help: "asks the router by NAT-PMP for its outer address",
        help_zh: "通过 NAT-PMP 询问路由器的外网地址",
    },
    Entry {
        name: "pcp",
        families: &Family::ALL,
        help: "asks the router by PCP for its outer address",
        help_zh: "通过 PCP 询问路由器的外网地址",
    },
    Entry {
        name: "command",
        families: &Family::ALL,
        help: "runs a command that prints an address a line; no shell",
        help_zh: "运行一个每行输出一个地址的命令；不经过 shell",
    },
    Entry {
        name: "file",
        families: &Family::ALL,
        help: "reads a file with an address a line",
        help_zh: "读取每行一个地址的文件",
    },
    Entry {
        name: "static",
        families: &Family::ALL,
        help: "takes the addresses that stand in the configuration",
        help_zh: "使用配置中写明的地址",
    },
];

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
        SourceConfig::Dns { services } => Box::new(dns::WhoAmI::new(wire, &services)),
        SourceConfig::Stun { servers } => Box::new(stun::Stun::new(around, &servers)),
        SourceConfig::Upnp => Box::new(upnp::Upnp::new(around)),
        SourceConfig::NatPmp { gateway } => Box::new(nat_pmp::NatPmp { around, gateway }),
        SourceConfig::Pcp { gateway } => Box::new(pcp::Pcp { around, gateway }),
        SourceConfig::Command { command, within } => {
            Box::new(command::AddressCommand::new(command, within))
        }
        SourceConfig::File { path } => Box::new(file::AddressFile::new(path)),
        SourceConfig::Static { addresses } => Box::new(fixed::Fixed(addresses)),
    }
}

/// Returns how many voters a source has: how many may agree.
///
/// Of `UPnP` it is known only when devices have answered: it counts as one.
pub fn voters(config: &SourceConfig, family: Family) -> usize {
    let or_usual = |given: usize, usual: usize| if given == 0 { usual } else { given };
    match config {
        SourceConfig::Web { urls, .. } => or_usual(urls.len(), web::usual(family).len()),
        SourceConfig::Dns { services } => or_usual(services.len(), DNS_SERVICES.len()),
        SourceConfig::Stun { servers } => or_usual(servers.len(), stun::usual().len()),
        SourceConfig::Interface { .. }
        | SourceConfig::Upnp
        | SourceConfig::NatPmp { .. }
        | SourceConfig::Pcp { .. }
        | SourceConfig::Command { .. }
        | SourceConfig::File { .. }
        | SourceConfig::Static { .. } => 1,
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::{config::NetworkConfig, fake_wire::FakeWire};

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
    fn every_source_is_named_once_and_says_what_it_does() {
        for (at, entry) in ALL.iter().enumerate() {
            assert!(ALL.iter().skip(at + 1).all(|other| other.name != entry.name));
            assert!(!entry.help.is_empty() && !entry.help_zh.is_ascii(), "{}", entry.name);
            assert!(entry.families.contains(&Family::V4), "{}", entry.name);
        }
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
    fn as_many_vote_as_there_are_voters() {
        for config in [
            SourceConfig::Web {
                urls: Vec::new(),
                pointer: None,
                network: NetworkConfig::default(),
            },
            SourceConfig::Dns { services: Vec::new() },
            SourceConfig::Stun { servers: Vec::new() },
            SourceConfig::Static { addresses: Vec::new() },
        ] {
            let votes = udp::tests::run(open(&config, &around()).look(Family::V6));
            assert_eq!(votes.len(), voters(&config, Family::V6), "{config:?}");
            assert!(votes.iter().all(|vote| vote.answer.is_err()), "{votes:?}");
        }
    }
}
