//! Where addresses come from: `sources = { ipv4 = […], ipv6 = […] }`, of all, an account or a name.

mod kinds;

use std::net::{IpAddr, SocketAddr};

use crate::{address::Family, engine::plan::SourcePlan};

use super::{
    Choice, NetworkConfig, SourceConfig,
    table::{Item, Read, Table, instead},
};

pub use self::kinds::{KINDS, SourceKind};

/// The longest list of sources of one family.
pub const SOURCES_MAX: usize = 16;
/// The most voters of one source.
pub const VOTERS_MAX: usize = 32;
/// Echo services that tell an IPv4 address, in China and elsewhere.
pub const WEB_IPV4: &[&str] = &[
    "https://4.ipw.cn",
    "https://ip.3322.net",
    "https://api.ipify.org",
    "https://ipv4.icanhazip.com",
    "https://v4.ident.me",
];
/// Echo services that tell an IPv6 address, in China and elsewhere.
pub const WEB_IPV6: &[&str] = &[
    "https://6.ipw.cn",
    "https://speed.neu6.edu.cn/getIP.php",
    "https://api6.ipify.org",
    "https://ipv6.icanhazip.com",
    "https://v6.ident.me",
];
/// So many of several echo services must agree, unless `agree` says otherwise.
const WEB_AGREE: usize = 2;
/// How many DNS services there are.
const DNS_SERVICES: usize = 3;

/// The sources of one family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct List {
    pub(super) sources: Vec<SourceConfig>,
    pub(super) plans: Vec<SourcePlan>,
}

/// The sources of both families.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sources {
    pub(super) ipv4: List,
    pub(super) ipv6: List,
}

impl Sources {
    /// Returns what is asked when the configuration says nothing: the web, and for IPv6 first the
    /// interface with the default route, because no router translates there.
    pub(super) fn usual() -> Self {
        let interface = SourceConfig::Interface { name: None, choice: Choice::default() };
        Self { ipv4: List::of(vec![web(WEB_IPV4)]), ipv6: List::of(vec![interface, web(WEB_IPV6)]) }
    }

    /// Returns the sources of a family.
    pub(super) const fn of(&self, family: Family) -> &List {
        match family {
            Family::V4 => &self.ipv4,
            Family::V6 => &self.ipv6,
        }
    }

    /// Reads `sources` of a table; a family that is not named there has those from above.
    pub(super) fn read(table: &mut Table<'_>, above: &Self) -> Read<Self> {
        let Some(item) = table.item("sources") else { return Ok(above.clone()) };
        let mut table = item.table()?;
        let ipv4 = table.read("ipv4", |item| List::read(item, Family::V4))?;
        let ipv6 = table.read("ipv6", |item| List::read(item, Family::V6))?;
        table.finish(&[])?;
        let ipv4 = ipv4.unwrap_or_else(|| above.ipv4.clone());
        let ipv6 = ipv6.unwrap_or_else(|| above.ipv6.clone());
        Ok(Self { ipv4, ipv6 })
    }
}

impl List {
    fn of(sources: Vec<SourceConfig>) -> Self {
        let plans = sources.iter().map(usual_plan).collect();
        Self { sources, plans }
    }

    fn read(item: &Item<'_>, family: Family) -> Read<Self> {
        let items = item.list()?;
        if items.len() > SOURCES_MAX {
            return item.wrong(format!("it has more than {SOURCES_MAX} sources"));
        }
        let read = items.iter().map(|item| source(item, family)).collect::<Read<Vec<_>>>()?;
        let (sources, plans) = read.into_iter().unzip();
        Ok(Self { sources, plans })
    }
}

fn web(urls: &[&str]) -> SourceConfig {
    let urls = urls.iter().map(|url| (*url).to_owned()).collect();
    SourceConfig::Web { urls, pointer: None, network: NetworkConfig::default() }
}

fn source(item: &Item<'_>, family: Family) -> Read<(SourceConfig, SourcePlan)> {
    let mut table = item.table()?;
    let here: Vec<&SourceKind> =
        KINDS.iter().filter(|kind| table.entries().any(|(key, _)| key == kind.name)).collect();
    let kind = match here.as_slice() {
        [kind] => *kind,
        [] => return item.wrong(nameless(&table)),
        [one, other, ..] => {
            return item.wrong(format!(
                "`{}` and `{}` are two sources; write two tables",
                one.name, other.name
            ));
        }
    };
    let Some(value) = table.item(kind.name) else { return item.wrong(nameless(&table)) };
    let source = (kind.read)(&value, &mut table, family)?;
    let usual = usual_plan(&source);
    if usual.voters > VOTERS_MAX {
        return value.wrong(format!("it has more than {VOTERS_MAX} voters"));
    }
    let most = u64::try_from(usual.voters).unwrap_or(u64::MAX);
    let agree = table.read("agree", |item| item.number(1..=most))?;
    table.finish(&[])?;
    let agree = agree.and_then(|agree| usize::try_from(agree).ok()).unwrap_or(usual.agree);
    Ok((source, SourcePlan { agree, ..usual }))
}

fn nameless(table: &Table<'_>) -> String {
    let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    let typed = table.entries().next().map_or("", |(key, _)| key);
    format!("it names no source; {}", instead(typed, &names))
}

/// Returns how many voters a source has, and how many of them must usually agree.
fn usual_plan(source: &SourceConfig) -> SourcePlan {
    let voters = match source {
        SourceConfig::Web { urls, .. } => urls.len(),
        SourceConfig::Dns { services, .. } if services.is_empty() => DNS_SERVICES,
        SourceConfig::Dns { services, .. } => services.len(),
        SourceConfig::Stun { servers, .. } => servers.len(),
        SourceConfig::Interface { .. }
        | SourceConfig::Upnp { .. }
        | SourceConfig::NatPmp { .. }
        | SourceConfig::Pcp { .. }
        | SourceConfig::Command { .. }
        | SourceConfig::File { .. }
        | SourceConfig::Static { .. } => 1,
    };
    let is_web = matches!(source, SourceConfig::Web { .. });
    let agree = if is_web { WEB_AGREE.min(voters) } else { 1 };
    SourcePlan { agree, voters }
}

/// Reads an address with or without a port.
pub(super) fn peer(item: &Item<'_>, port: u16) -> Read<SocketAddr> {
    let text = item.text()?;
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(SocketAddr::new(address, port));
    }
    text.parse().or_else(|_| item.wrong(format!("`{text}` is no address, such as `192.168.1.1`")))
}

/// Reads a prefix, such as `2408::/16`.
pub(super) fn prefix(item: &Item<'_>) -> Read<(IpAddr, u8)> {
    let text = item.text()?;
    let read = text.split_once('/').and_then(|(address, length)| {
        let address: IpAddr = address.parse().ok()?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let length = length.parse().ok().filter(|length| *length <= bits)?;
        Some((address, length))
    });
    read.map_or_else(|| item.wrong(format!("`{text}` is no prefix, such as `2408::/16`")), Ok)
}
