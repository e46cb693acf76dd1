//! Clients of others that know the update services by name, as Debian ships them.
//!
//! Each is told what its users tell it, and nothing of where a service is: that, the path and the
//! parameters are its own.

use std::{collections::BTreeMap, fs};

use crate::{
    peer::{self, Folder},
    site::{OURS, Site},
};

/// The address of the other family.
pub(crate) const OURS_SIX: &str = "2a02:c7d:1::142";

/// A name at a service that a client is to update, and how the client knows the service.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    /// What we call the service.
    pub(crate) service: &'static str,
    /// What the client calls it.
    pub(crate) way: &'static str,
    pub(crate) name: String,
    pub(crate) user: String,
    pub(crate) password: String,
}

/// Whether a client took the answer for a success, for each service.
pub(crate) type Verdicts = BTreeMap<&'static str, bool>;

/// Lets a client work off its orders.
pub(crate) type Update = fn(&Site, &[Order]) -> Verdicts;

/// Lets inadyn update each name by itself: it ends with the first answer it does not like.
///
/// What it takes for a success, it notes; its status is 0 for `nohost` as well.
pub(crate) fn inadyn(site: &Site, orders: &[Order]) -> Verdicts {
    let update = |order: &Order| {
        let (folder, authority) = (Folder::new("inadyn"), site.authority());
        let Order { way, name, user, password, .. } = order;
        let config = format!(
            "ca-trust-file = {authority}\nprovider {way} {{\n username = {user}\n \
             password = {password}\n hostname = {name}\n checkip-command = \"echo {OURS}\"\n}}\n"
        );
        let config = folder.write("inadyn.conf", &config);
        let cache = format!("--cache-dir={}", folder.path().display());
        let mut command = site.command("inadyn");
        command.args(["-1", "-n", "--force", "--no-pidfile", "-l", "err", &cache, "-f"]);
        drop(peer::run(command.arg(config)));
        (order.service, folder.path().join(format!("{name}.cache")).exists())
    };
    orders.iter().map(update).collect()
}

/// Lets ddclient update all names at once; names are different ones.
pub(crate) fn ddclient(site: &Site, orders: &[Order]) -> Verdicts {
    let folder = Folder::new("ddclient");
    let line = |order: &Order| {
        let Order { way, name, user, password, .. } = order;
        format!("{way}, login={user}, password='{password}' {}\n", bare(name))
    };
    let lines: String = orders.iter().map(line).collect();
    let head = format!("ssl=yes\nssl_ca_file={}\nuse=ip, ip={OURS}\n", site.authority());
    let config = folder.write("ddclient.conf", &(head + &lines));
    let cache = folder.path().join("ddclient.cache");
    let mut command = site.command("ddclient");
    command.args(["-foreground", "-daemon=0", "-noquiet", "-file"]).arg(config);
    command.arg("-cache").arg(&cache).arg("-pid").arg(folder.path().join("pid"));
    drop(peer::run(&mut command));
    let kept = fs::read_to_string(cache).unwrap();
    let is_good = |name: &str| {
        let end = format!(" {name}");
        let mut lines = kept.lines();
        lines.any(|line| line.ends_with(&end) && line.contains(",status=good,"))
    };
    orders.iter().map(|order| (order.service, is_good(bare(&order.name)))).collect()
}

/// Duck DNS has labels, and ddclient sends what it is given.
fn bare(name: &str) -> &str {
    name.strip_suffix(".duckdns.org").unwrap_or(name)
}

/// Lets ddupdate update each name by itself, with an address of IPv6.
pub(crate) fn ddupdate(site: &Site, orders: &[Order]) -> Verdicts {
    let update = |order: &Order| {
        let folder = Folder::new("ddupdate");
        let Order { way, name, user, password, .. } = order;
        let machines = ["www.duckdns.org", "dynv6.com", "api.dynu.com", name];
        let line = |machine| format!("machine {machine} login {user} password {password}\n");
        folder.write(".netrc", &machines.map(line).concat());
        let mut command = site.command("ddupdate");
        command.args(["-f", "-c", "/dev/null", "-v", "v6", "-a", "hardcoded-ip", "-O"]);
        command.arg(format!("ip6={OURS_SIX}")).args(["-s", way, "-H", name]);
        command.env("HOME", folder.path()).env("SSL_CERT_FILE", site.authority());
        command.env("XDG_CACHE_HOME", folder.path());
        (order.service, peer::run(&mut command).is_ok())
    };
    orders.iter().map(update).collect()
}
