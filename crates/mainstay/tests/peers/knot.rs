//! Knot, with the same zone and key as bind.

use std::{net::SocketAddr, path::PathBuf};

use crate::{
    bind9::{KEY, SECRET, ZONE, nsupdate},
    dns::{Kind, Server},
    peer::{self, Folder, Peer},
};

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Knot {
    peer: Peer,
    pub(crate) address: SocketAddr,
    pub(crate) dns: Server,
}

impl Knot {
    pub(crate) fn start() -> Self {
        peer::on_free_port(|port| {
            let folder = Folder::new("knot");
            folder.write("example.test.zone", &zone());
            folder.write("knot.conf", &configuration(&folder, port));
            folder.write("client.key", &format!("hmac-sha256:{KEY}:{SECRET}\n"));
            let mut command = peer::mortal("/usr/sbin/knotd");
            command.args(["-c", "knot.conf"]);
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            let dns = Server::at(address);
            let serves = || dns.ask(ZONE, Kind::Soa).is_some_and(|answer| answer.code == 0);
            let peer = Peer::start(folder, &mut command, serves)?;
            Ok(Self { peer, address, dns: Server::at(address) })
        })
    }

    /// Sends an update as Knot's own client does.
    pub(crate) fn update(&self, lines: &str) -> Result<String, String> {
        let key: PathBuf = self.peer.folder().path().join("client.key");
        nsupdate("knsupdate", self.peer.folder(), self.address, (&key, lines))
    }
}

fn zone() -> String {
    format!(
        "{ZONE}. 60 SOA ns1.{ZONE}. hostmaster.{ZONE}. 1 3600 600 86400 60\n\
         {ZONE}. 60 NS ns1.{ZONE}.\nns1.{ZONE}. 60 A 127.0.0.1\nmail.{ZONE}. 60 A 192.0.2.25\n"
    )
}

fn configuration(folder: &Folder, port: u16) -> String {
    let folder = folder.path().display();
    format!(
        r#"
server:
    rundir: "{folder}"
    listen: 127.0.0.1@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: "{folder}"
key:
  - id: {KEY}
    algorithm: hmac-sha256
    secret: {SECRET}
acl:
  - id: update
    address: 127.0.0.1
    key: {KEY}
    action: update
zone:
  - domain: {ZONE}
    storage: "{folder}"
    file: "example.test.zone"
    acl: update
"#
    )
}
