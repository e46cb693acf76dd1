//! bind, with a zone that takes signed updates.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    dns::{Kind, Server},
    peer::{self, Folder, Peer},
};

/// The zone that is served; `mail` is somebody else's.
pub(crate) const ZONE: &str = "example.test";
/// The key that may change addresses and texts; one that may only change texts is `text-key`.
pub(crate) const KEY: &str = "ddns-key";
/// Both keys' secret.
pub(crate) const SECRET: &str = "bWFpbnN0YXkgdGVzdHMgYmluZCBhbmQga25vdCAtIQ==";

const ZONE_FILE: &str = "\
$TTL 60
@ IN SOA ns1.example.test. hostmaster.example.test. 1 3600 600 86400 60
@ IN NS ns1.example.test.
ns1 IN A 127.0.0.1
mail IN A 192.0.2.25
";

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Bind9 {
    peer: Peer,
    pub(crate) address: SocketAddr,
    pub(crate) dns: Server,
}

impl Bind9 {
    pub(crate) fn start() -> Self {
        peer::on_free_port(|port| {
            let folder = Folder::new("bind9");
            folder.write("example.test.zone", ZONE_FILE);
            folder.write("named.conf", &configuration(folder.path(), port));
            write_key(&folder, KEY, SECRET);
            write_key(&folder, "text-key", SECRET);
            let mut command = peer::mortal("/usr/sbin/named");
            command.args(["-c", "named.conf", "-4", "-g", "-n", "1"]);
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            let dns = Server::at(address);
            let serves = || dns.ask(ZONE, Kind::Soa).is_some_and(|answer| answer.code == 0);
            let peer = Peer::start(folder, &mut command, serves)?;
            Ok(Self { peer, address, dns: Server::at(address) })
        })
    }

    /// Sends an update as the reference client does; `key` is a file that [`write_key`] wrote.
    pub(crate) fn update(&self, key: &Path, lines: &str) -> Result<String, String> {
        nsupdate("nsupdate", self.peer.folder(), self.address, (key, lines))
    }

    /// Returns the file of a key.
    pub(crate) fn key(&self, name: &str) -> PathBuf {
        self.peer.folder().path().join(format!("{name}.key"))
    }

    /// Writes another key's file, right or wrong; returns where it lies.
    pub(crate) fn forge(&self, name: &str, secret: &str) -> PathBuf {
        write_key(self.peer.folder(), name, secret)
    }

    /// Returns what the server has said of itself and of updates.
    pub(crate) fn said(&self) -> String {
        self.peer.said()
    }
}

fn configuration(folder: &Path, port: u16) -> String {
    let folder = folder.display();
    format!(
        r#"
include "{folder}/ddns-key.key";
include "{folder}/text-key.key";
options {{ directory "{folder}"; pid-file none; session-keyfile "{folder}/session.key";
  listen-on port {port} {{ 127.0.0.1; }}; recursion no; dnssec-validation no; notify no; }};
controls {{ }};
zone "{ZONE}" {{ type master; file "example.test.zone";
  update-policy {{ grant {KEY} zonesub A AAAA TXT; grant text-key zonesub TXT; }}; }};
"#
    )
}

/// Writes a key as `tsig-keygen` does; returns where it lies.
fn write_key(folder: &Folder, name: &str, secret: &str) -> PathBuf {
    let text = format!("key \"{name}\" {{ algorithm hmac-sha256; secret \"{secret}\"; }};\n");
    folder.write(&format!("{name}.key"), &text)
}

/// Sends an update by one of the reference clients, which take the same lines.
pub(crate) fn nsupdate(
    client: &str,
    folder: &Folder,
    server: SocketAddr,
    (key, lines): (&Path, &str),
) -> Result<String, String> {
    let (ip, port) = (server.ip(), server.port());
    let script = format!("server {ip} {port}\nzone {ZONE}\n{lines}\nsend\n");
    let script = folder.write("update", &script);
    peer::run(Command::new(client).arg("-k").arg(key).arg(script))
}
