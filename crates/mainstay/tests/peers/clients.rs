//! Clients of others that have been on routers and servers for twenty years.

use std::process::Command;

use crate::peer::{self, Folder};

/// What a client is told.
pub(crate) struct Task<'a> {
    /// `host:port` of the service.
    pub(crate) server: &'a str,
    /// `host:port` of an echo at `/ip`.
    pub(crate) echo: &'a str,
    pub(crate) user: &'a str,
    pub(crate) password: &'a str,
    pub(crate) name: &'a str,
}

/// Lets ddclient look once and update what has changed; returns what it said.
pub(crate) fn ddclient(folder: &Folder, task: &Task<'_>) -> Result<String, String> {
    let Task { server, echo, user, password, name } = task;
    let config = format!(
        "ssl=no\nuse=web, web=http://{echo}/ip\nprotocol=dyndns2\nserver={server}\n\
         login={user}\npassword='{password}'\n{name}\n"
    );
    let config = folder.write("ddclient.conf", &config);
    peer::run(Command::new("chmod").arg("600").arg(&config))?;
    let [cache, pid] = ["ddclient.cache", "ddclient.pid"].map(|name| folder.path().join(name));
    let mut command = Command::new("ddclient");
    command.args(["-foreground", "-daemon=0", "-noquiet", "-verbose", "-file"]).arg(config);
    peer::run(command.arg("-cache").arg(cache).arg("-pid").arg(pid))
}

/// Lets inadyn look once and update; returns what it said.
pub(crate) fn inadyn(folder: &Folder, task: &Task<'_>) -> Result<String, String> {
    let Task { server, echo, user, password, name } = task;
    let config = format!(
        "custom fake {{\n username = {user}\n password = {password}\n hostname = {name}\n\
         ssl = false\n checkip-server = {echo}\n checkip-path = /ip\n checkip-ssl = false\n\
         ddns-server = {server}\n ddns-path = \"/nic/update?hostname=%h&myip=%i\"\n}}\n"
    );
    let config = folder.write("inadyn.conf", &config);
    let [cache, pid] = ["inadyn.cache", "inadyn.pid"].map(|name| folder.path().join(name));
    let cache = format!("--cache-dir={}", cache.display());
    let mut command = Command::new("inadyn");
    command.args(["-1", "-n", "--force", "-l", "info", &cache, "-f"]).arg(config);
    peer::run(command.arg("-P").arg(pid))
}
