//! The whole configuration: the object that the kind gets on its standard input.

use std::{net::SocketAddr, time::Duration};

use serde_json::Value;

use crate::{address::Unfit, engine::plan::Plan};

use super::{
    Config,
    accounts::Building,
    sources::{Sources, peer},
    table::{ConfigError, Item, Read},
};

/// How often sources are asked when nothing has happened, unless `every` says otherwise.
pub(super) const EVERY: Duration = Duration::from_mins(5);
/// How long the network must have been quiet, unless `settle` says otherwise.
pub(super) const SETTLE: Duration = Duration::from_secs(2);
const EVERY_MIN: Duration = Duration::from_secs(1);
const EVERY_MAX: Duration = Duration::from_hours(24);
const SETTLE_MAX: Duration = Duration::from_mins(1);
/// The most DNS servers of our own.
const RESOLVERS_MAX: usize = 16;
/// DNS servers that are asked when the system's own do not answer, in China and elsewhere.
pub(super) const RESOLVERS: &[&str] =
    &["223.5.5.5", "119.29.29.29", "1.1.1.1", "8.8.8.8", "2400:3200::1", "2606:4700:4700::1111"];
/// What may be published although it reaches nobody from outside, when it is named. This machine
/// itself and groups are nobody's address.
pub(super) const ALLOW: &[(&str, Unfit)] = &[
    ("private", Unfit::Private),
    ("cgnat", Unfit::SharedByProvider),
    ("loopback", Unfit::Loopback),
    ("link-local", Unfit::LinkLocal),
    ("documentation", Unfit::Documentation),
    ("reserved", Unfit::Reserved),
];
const DNS_PORT: u16 = 53;

/// Reads a configuration whose secrets are in their places.
///
/// Nothing is left to be found out later but what only the network knows: every account is open.
pub fn read(value: &Value) -> Result<Config, ConfigError> {
    let whole = Item { path: String::new(), value };
    let whole =
        whole.table().map_err(|error| ConfigError { path: "configuration".into(), ..error });
    let mut table = whole?;
    let every = table.read("every", |item| item.duration(EVERY_MIN..=EVERY_MAX))?;
    let settle = table.read("settle", |item| item.duration(Duration::ZERO..=SETTLE_MAX))?;
    let resolvers = table.read("resolvers", resolvers)?.unwrap_or_else(usual_resolvers);
    let allow = table.read("allow", allow)?.unwrap_or_default();
    let sources = Sources::read(&mut table, &Sources::usual())?;
    let accounts = table.item("accounts");
    table.finish(&[])?;
    let plan = Plan {
        sights: Vec::new(),
        accounts: Vec::new(),
        bindings: Vec::new(),
        every: every.unwrap_or(EVERY),
        settle: settle.unwrap_or(SETTLE),
    };
    let mut building = Building { plan, accounts: Vec::new(), sources: Vec::new(), allow };
    match accounts {
        Some(item) => building.accounts(&item, &sources)?,
        None => return table.wrong("accounts", "it is missing; nothing would be kept"),
    }
    let Building { plan, accounts, sources, .. } = building;
    Ok(Config { plan, accounts, sources, resolvers })
}

fn resolvers(item: &Item<'_>) -> Read<Vec<SocketAddr>> {
    let items = item.list()?;
    if items.len() > RESOLVERS_MAX {
        return item.wrong(format!("it has more than {RESOLVERS_MAX} servers"));
    }
    items.iter().map(|item| peer(item, DNS_PORT)).collect()
}

fn usual_resolvers() -> Vec<SocketAddr> {
    let addresses = RESOLVERS.iter().filter_map(|text| text.parse().ok());
    addresses.map(|address| SocketAddr::new(address, DNS_PORT)).collect()
}

fn allow(item: &Item<'_>) -> Read<Vec<Unfit>> {
    item.one_or_more()?.iter().map(|item| item.word(ALLOW)).collect()
}
