//! By which way something is reached: `proxy`, `proxy-user`, `proxy-password`, `bind`, `ca-file`.

use std::path::PathBuf;

use super::{
    NetworkConfig, Proxy,
    table::{Item, Read, Table},
};
use crate::secret::Secret;

/// The keys that are read here, and what they mean.
pub const NETWORK_KEYS: &[(&str, &str)] = &[
    ("proxy", "`direct` (usual), `environment`, or a URL: `http://`, `https://` or `socks5://`"),
    ("proxy-user", "who we are at the proxy"),
    ("proxy-password", "and how we prove it"),
    ("bind", "by which interface, or from which local address"),
    ("ca-file", "whom to trust besides everybody's authorities: a file with certificates"),
];
/// How a proxy's URL may begin.
const SCHEMES: &[&str] = &["http://", "https://", "socks5://"];

/// Reads them.
pub(super) fn read(table: &mut Table<'_>) -> Read<NetworkConfig> {
    let user = table.read("proxy-user", Item::text)?.map(str::to_owned);
    let password = table.read("proxy-password", Item::text)?.map(str::to_owned);
    let proxy = table.read("proxy", proxy)?.unwrap_or_default();
    let proxy = match proxy {
        Proxy::Named { url, .. } => {
            if password.is_some() && user.is_none() {
                return table.wrong("proxy-password", "it belongs to a `proxy-user`");
            }
            Proxy::Named { url, user, password: password.map(Secret::from) }
        }
        Proxy::Direct | Proxy::Environment if user.is_some() || password.is_some() => {
            return table.wrong("proxy-user", "it belongs to a `proxy` that is named by its URL");
        }
        other @ (Proxy::Direct | Proxy::Environment) => other,
    };
    let ca_file = table.read("ca-file", Item::text)?.map(PathBuf::from);
    Ok(NetworkConfig { proxy, ca_file, ..read_bind(table)? })
}

/// Reads `bind` alone, for what goes through no proxy.
pub(super) fn read_bind(table: &mut Table<'_>) -> Read<NetworkConfig> {
    let bind = table.read("bind", Item::text)?.map(str::to_owned);
    Ok(NetworkConfig { bind, ..NetworkConfig::default() })
}

fn proxy(item: &Item<'_>) -> Read<Proxy> {
    let text = item.text()?;
    match text {
        "direct" => return Ok(Proxy::Direct),
        "environment" => return Ok(Proxy::Environment),
        _ => {}
    }
    let rest = SCHEMES.iter().find_map(|scheme| text.strip_prefix(scheme));
    let Some(rest) = rest.filter(|rest| !rest.is_empty()) else {
        let why = "write `direct`, `environment`, or a URL that begins with `http://`, `https://` or `socks5://`";
        return item.wrong(why);
    };
    if rest.contains('@') {
        return item.wrong("who we are there stands in `proxy-user` and `proxy-password`");
    }
    Ok(Proxy::Named { url: text.trim_end_matches('/').to_owned(), user: None, password: None })
}
