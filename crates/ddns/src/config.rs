//! The configuration: what a file says, and what it means.
//!
//! ```toml
//! [services.home.ddns]
//! every = "5m"
//!
//! [services.home.ddns.sources]              # usual: echo services on the web, for both families
//! ipv4 = [{ web = ["https://4.ipw.cn", "https://api.ipify.org"], agree = 2 }]
//! ipv6 = [{ interface = "eth0" }]
//!
//! [services.home.ddns.accounts.cf]
//! provider = "cloudflare"
//! token = { secret = "cf-token" }
//! names = ["home.example.org", { name = "nas.example.org", families = ["ipv6"], suffix = "::1234" }]
//! ```

mod accounts;
mod describe;
mod digest;
mod names;
mod network;
mod read;
mod redacted;
mod sources;
mod table;
mod toml;

#[cfg(test)]
mod tests;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

pub use self::{
    accounts::{ACCOUNTS_MAX, BINDINGS_MAX},
    describe::{FACTS, describe},
    names::NAME_KEYS,
    network::NETWORK_KEYS,
    read::read,
    redacted::redacted,
    sources::{KINDS, SOURCES_MAX, SourceKind, VOTERS_MAX, WEB_IPV4, WEB_IPV6},
    table::ConfigError,
    toml::to_toml,
};
use crate::{
    engine::plan::Plan,
    provider::{Entry, Provider},
    secret::Secret,
};

/// What it means.
#[derive(Debug)]
pub struct Config {
    /// What the engine keeps.
    pub plan: Plan,
    /// The accounts, in the plan's order.
    pub accounts: Vec<Account>,
    /// The sources of each sight, in the plan's order.
    pub sources: Vec<Vec<SourceConfig>>,
    /// DNS servers that are asked when the system's own do not answer.
    pub resolvers: Vec<SocketAddr>,
}

/// An account that is open.
#[derive(Debug)]
pub struct Account {
    /// Its name in the configuration.
    pub name: String,
    /// What is known of its provider.
    pub entry: &'static Entry,
    /// Its provider.
    pub provider: Box<dyn Provider>,
    /// By which way it is reached.
    pub network: NetworkConfig,
}

/// By which way something is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkConfig {
    /// Through whom.
    pub proxy: Proxy,
    /// By which interface, or from which local address.
    pub bind: Option<String>,
    /// Whom to trust besides everybody's authorities: a file with certificates.
    pub ca_file: Option<PathBuf>,
}

/// Through whom something is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Proxy {
    /// Through nobody.
    #[default]
    Direct,
    /// As `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    Environment,
    /// Through this one: `http://`, `https://` or `socks5://`, without a password.
    Named {
        /// Its URL.
        url: String,
        /// Who we are there.
        user: Option<String>,
        /// And how we prove it.
        password: Option<Secret>,
    },
}

/// A source, as the configuration names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceConfig {
    /// Echo services; the answer is the whole body, or what `pointer` leads to in JSON.
    Web {
        /// Their URLs.
        urls: Vec<String>,
        /// A JSON pointer (RFC 6901).
        pointer: Option<String>,
        /// By which way; straight, unless somebody says otherwise.
        network: NetworkConfig,
    },
    /// Addresses of an interface, or of the one with the default route.
    Interface {
        /// Its name.
        name: Option<String>,
        /// Which of its addresses to leave out or to prefer.
        choice: Choice,
    },
    /// A DNS server that tells who asks.
    Dns {
        /// `cloudflare`, `opendns`, `google`: who; all of them when empty.
        services: Vec<String>,
        /// By which interface, or from which local address.
        network: NetworkConfig,
    },
    /// A STUN server (RFC 8489).
    Stun {
        /// `host:port`, several.
        servers: Vec<String>,
        /// By which interface, or from which local address.
        network: NetworkConfig,
    },
    /// The router, asked by `UPnP`.
    Upnp {
        /// By which interface, or from which local address.
        network: NetworkConfig,
    },
    /// The router, asked by NAT-PMP (RFC 6886).
    NatPmp {
        /// Its address; the default gateway otherwise.
        gateway: Option<SocketAddr>,
        /// By which interface, or from which local address.
        network: NetworkConfig,
    },
    /// The router, asked by PCP (RFC 6887).
    Pcp {
        /// Its address; the default gateway otherwise.
        gateway: Option<SocketAddr>,
        /// By which interface, or from which local address.
        network: NetworkConfig,
    },
    /// A command's output: an address a line.
    Command {
        /// The program and its arguments.
        command: Vec<String>,
        /// How long it may take.
        within: Duration,
    },
    /// A file: an address a line.
    File {
        /// Which.
        path: PathBuf,
    },
    /// These addresses.
    Static {
        /// Which.
        addresses: Vec<std::net::IpAddr>,
    },
}

impl SourceConfig {
    /// Returns its kind, as the configuration calls it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Web { .. } => "web",
            Self::Interface { .. } => "interface",
            Self::Dns { .. } => "dns",
            Self::Stun { .. } => "stun",
            Self::Upnp { .. } => "upnp",
            Self::NatPmp { .. } => "nat-pmp",
            Self::Pcp { .. } => "pcp",
            Self::Command { .. } => "command",
            Self::File { .. } => "file",
            Self::Static { .. } => "static",
        }
    }

    /// Returns by which way it is reached, where that can be chosen.
    pub const fn network(&self) -> Option<&NetworkConfig> {
        match self {
            Self::Web { network, .. }
            | Self::Dns { network, .. }
            | Self::Stun { network, .. }
            | Self::Upnp { network }
            | Self::NatPmp { network, .. }
            | Self::Pcp { network, .. } => Some(network),
            Self::Interface { .. }
            | Self::Command { .. }
            | Self::File { .. }
            | Self::Static { .. } => None,
        }
    }
}

/// Which addresses of an interface are taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// Addresses within this prefix only.
    pub within: Option<(std::net::IpAddr, u8)>,
    /// Temporary addresses (RFC 8981), too.
    pub temporary: Temporary,
}

/// Whether temporary addresses are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Temporary {
    /// They are not: they change every day, and nobody reaches them for long.
    #[default]
    Never,
    /// They are, when there is nothing better.
    AsLast,
}
