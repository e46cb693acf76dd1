//! Every kind of source: its key, what that takes, and its options.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use crate::address::Family;

use super::{
    super::{
        Choice, SourceConfig, Temporary, network,
        table::{Item, Read, Table},
    },
    peer, prefix,
};

/// The port of NAT-PMP (RFC 6886) and PCP (RFC 6887).
const NAT_PMP_PORT: u16 = 5351;
/// How long a command may take, unless `timeout` says otherwise.
const COMMAND_WITHIN: Duration = Duration::from_secs(10);
/// A command that takes longer is no source of addresses.
const COMMAND_WITHIN_MAX: Duration = Duration::from_mins(5);
/// DNS services that tell who asks.
const DNS_SERVICES: &[(&str, &str)] =
    &[("cloudflare", "cloudflare"), ("opendns", "opendns"), ("google", "google")];
/// STUN servers that are asked when none is named, in China and elsewhere.
pub(super) const STUN_SERVERS: &[&str] =
    &["stun.miwifi.com:3478", "stun.cloudflare.com:3478", "stun.l.google.com:19302"];

/// What sources take that go by messages of their own.
const BIND: &[&str] = &["bind"];

/// What is known of a kind of source.
#[derive(Debug, Clone, Copy)]
pub struct SourceKind {
    /// Its key in the configuration.
    pub name: &'static str,
    /// What the key takes, as an example in TOML.
    pub example: &'static str,
    /// What else its table takes, `agree` left out.
    pub options: &'static [&'static str],
    /// What it is, for people.
    pub help: &'static str,
    /// The same in Chinese.
    pub help_zh: &'static str,
    pub(super) read: ReadKind,
}

type ReadKind = fn(&Item<'_>, &mut Table<'_>, Family) -> Read<SourceConfig>;

/// All of them.
pub const KINDS: &[SourceKind] = &[
    SourceKind {
        name: "web",
        example: r#"{ web = ["https://4.ipw.cn", "https://api.ipify.org"], agree = 2 }"#,
        options: &["pointer", "proxy", "proxy-user", "proxy-password", "bind", "ca-file"],
        help: "services on the web that answer with the caller's address; `web = true` asks the built-in ones",
        help_zh: "返回访问者地址的网页服务；`web = true` 使用内置列表",
        read: web,
    },
    SourceKind {
        name: "interface",
        example: r#"{ interface = "eth0", within = "2000::/3" }"#,
        options: &["within", "temporary"],
        help: "addresses of a network interface; `interface = true` takes the one with the default route",
        help_zh: "网卡上的地址；`interface = true` 使用默认路由所在的网卡",
        read: interface,
    },
    SourceKind {
        name: "dns",
        example: r#"{ dns = ["cloudflare", "opendns", "google"] }"#,
        options: BIND,
        help: "DNS servers that tell who asks; `dns = true` asks all of them",
        help_zh: "告知提问者地址的 DNS 服务器；`dns = true` 询问全部",
        read: dns,
    },
    SourceKind {
        name: "stun",
        example: r#"{ stun = ["stun.cloudflare.com:3478"] }"#,
        options: BIND,
        help: "STUN servers (RFC 8489); `stun = true` asks the built-in ones",
        help_zh: "STUN 服务器（RFC 8489）；`stun = true` 使用内置列表",
        read: stun,
    },
    SourceKind {
        name: "upnp",
        example: "{ upnp = true }",
        options: BIND,
        help: "the router, asked by UPnP for its outer address",
        help_zh: "通过 UPnP 询问路由器的外网地址",
        read: upnp,
    },
    SourceKind {
        name: "nat-pmp",
        example: r#"{ nat-pmp = "192.168.1.1" }"#,
        options: BIND,
        help: "the router, asked by NAT-PMP (RFC 6886); `nat-pmp = true` asks the default gateway",
        help_zh: "通过 NAT-PMP（RFC 6886）询问路由器；`nat-pmp = true` 询问默认网关",
        read: nat_pmp,
    },
    SourceKind {
        name: "pcp",
        example: "{ pcp = true }",
        options: BIND,
        help: "the router, asked by PCP (RFC 6887); `pcp = true` asks the default gateway",
        help_zh: "通过 PCP（RFC 6887）询问路由器；`pcp = true` 询问默认网关",
        read: pcp,
    },
    SourceKind {
        name: "command",
        example: r#"{ command = ["/usr/local/bin/my-address"], timeout = "10s" }"#,
        options: &["timeout"],
        help: "a command's output, an address a line",
        help_zh: "命令的输出，每行一个地址",
        read: command,
    },
    SourceKind {
        name: "file",
        example: r#"{ file = "/run/my-address" }"#,
        options: &[],
        help: "a file, an address a line",
        help_zh: "文件，每行一个地址",
        read: file,
    },
    SourceKind {
        name: "static",
        example: r#"{ static = ["81.2.69.142"] }"#,
        options: &[],
        help: "these addresses, always",
        help_zh: "固定的地址",
        read: fixed,
    },
];

fn web(item: &Item<'_>, table: &mut Table<'_>, family: Family) -> Read<SourceConfig> {
    let urls = if item.is_true() {
        let usual = match family {
            Family::V4 => super::WEB_IPV4,
            Family::V6 => super::WEB_IPV6,
        };
        usual.iter().map(|url| (*url).to_owned()).collect()
    } else {
        item.one_or_more()?.iter().map(url).collect::<Read<_>>()?
    };
    let pointer = table.read("pointer", pointer)?;
    let network = network::read(table)?;
    Ok(SourceConfig::Web { urls, pointer, network })
}

fn url(item: &Item<'_>) -> Read<String> {
    let text = item.text()?;
    let rest = ["https://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    match rest {
        Some(rest) if !rest.is_empty() && !rest.contains(char::is_whitespace) => {
            Ok(text.to_owned())
        }
        _ => item.wrong(format!("`{text}` is no URL that begins with `https://` or `http://`")),
    }
}

fn pointer(item: &Item<'_>) -> Read<String> {
    let text = item.text()?;
    if text.starts_with('/') {
        return Ok(text.to_owned());
    }
    item.wrong(format!("`{text}` is no JSON pointer (RFC 6901), such as `/ip`"))
}

fn interface(item: &Item<'_>, table: &mut Table<'_>, family: Family) -> Read<SourceConfig> {
    let name = if item.is_true() { None } else { Some(item.text()?.to_owned()) };
    let within = table.read("within", |item| {
        let read = prefix(item)?;
        if Family::of(read.0) == family { Ok(read) } else { item.wrong(foreign(family)) }
    })?;
    let temporary = match table.read("temporary", Item::flag)? {
        Some(true) => Temporary::AsLast,
        Some(false) | None => Temporary::Never,
    };
    Ok(SourceConfig::Interface { name, choice: Choice { within, temporary } })
}

fn dns(item: &Item<'_>, table: &mut Table<'_>, _family: Family) -> Read<SourceConfig> {
    let network = network::read_bind(table)?;
    if item.is_true() {
        return Ok(SourceConfig::Dns { services: Vec::new(), network });
    }
    let items = item.one_or_more()?;
    let services = items.iter().map(|item| item.word(DNS_SERVICES).map(str::to_owned));
    Ok(SourceConfig::Dns { services: services.collect::<Read<_>>()?, network })
}

fn stun(item: &Item<'_>, table: &mut Table<'_>, _family: Family) -> Read<SourceConfig> {
    let network = network::read_bind(table)?;
    if item.is_true() {
        let servers = STUN_SERVERS.iter().map(|server| (*server).to_owned()).collect();
        return Ok(SourceConfig::Stun { servers, network });
    }
    let servers = item.one_or_more()?.iter().map(server).collect::<Read<_>>()?;
    Ok(SourceConfig::Stun { servers, network })
}

fn server(item: &Item<'_>) -> Read<String> {
    let text = item.text()?;
    let port = text.rsplit_once(':').and_then(|(host, port)| {
        (!host.is_empty()).then_some(())?;
        port.parse::<u16>().ok()
    });
    match port {
        Some(1..) => Ok(text.to_owned()),
        _ => item.wrong(format!("`{text}` is no `HOST:PORT`")),
    }
}

fn upnp(item: &Item<'_>, table: &mut Table<'_>, _family: Family) -> Read<SourceConfig> {
    if !item.is_true() {
        return item.wrong("write `true`");
    }
    Ok(SourceConfig::Upnp { network: network::read_bind(table)? })
}

fn nat_pmp(item: &Item<'_>, table: &mut Table<'_>, family: Family) -> Read<SourceConfig> {
    if family == Family::V6 {
        return item.wrong("NAT-PMP knows IPv4 only; `pcp` may know IPv6");
    }
    Ok(SourceConfig::NatPmp { gateway: gateway(item)?, network: network::read_bind(table)? })
}

fn pcp(item: &Item<'_>, table: &mut Table<'_>, _family: Family) -> Read<SourceConfig> {
    Ok(SourceConfig::Pcp { gateway: gateway(item)?, network: network::read_bind(table)? })
}

fn gateway(item: &Item<'_>) -> Read<Option<SocketAddr>> {
    if item.is_true() { Ok(None) } else { peer(item, NAT_PMP_PORT).map(Some) }
}

fn command(item: &Item<'_>, table: &mut Table<'_>, _family: Family) -> Read<SourceConfig> {
    let words = item.list()?;
    let words = words.iter().map(|item| item.text().map(str::to_owned));
    let command: Vec<String> = words.collect::<Read<_>>()?;
    if command.is_empty() {
        return item.wrong("it is empty; write the program and its arguments");
    }
    let limits = Duration::from_millis(1)..=COMMAND_WITHIN_MAX;
    let within = table.read("timeout", |item| item.duration(limits))?;
    Ok(SourceConfig::Command { command, within: within.unwrap_or(COMMAND_WITHIN) })
}

fn file(item: &Item<'_>, _table: &mut Table<'_>, _family: Family) -> Read<SourceConfig> {
    Ok(SourceConfig::File { path: PathBuf::from(item.text()?) })
}

fn fixed(item: &Item<'_>, _table: &mut Table<'_>, family: Family) -> Read<SourceConfig> {
    let items = item.one_or_more()?;
    let addresses = items.iter().map(|item| {
        let text = item.text()?;
        match text.parse::<IpAddr>() {
            Ok(address) if Family::of(address) == family => Ok(address),
            Ok(_) => item.wrong(foreign(family)),
            Err(_) => item.wrong(format!("`{text}` is no address")),
        }
    });
    Ok(SourceConfig::Static { addresses: addresses.collect::<Read<_>>()? })
}

fn foreign(family: Family) -> String {
    format!("it is not of {family}; this is the list of `{}`", family.word())
}
