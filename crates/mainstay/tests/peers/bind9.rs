//! bind, with a zone that takes signed updates.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    dns::{Kind, Server},
    peer::{self, Folder, Peer},
    router::Namespace,
};

/// The zone that is served; `mail` is somebody else's.
pub(crate) const ZONE: &str = "example.test";
/// A zone that nobody may ask for.
pub(crate) const CLOSED: &str = "closed.test";
/// The key that may change addresses and texts.
pub(crate) const KEY: &str = "ddns-key";
/// The key for texts alone.
pub(crate) const TEXT_KEY: &str = "text-key";
/// All keys with their algorithms; those that are not for texts alone may change addresses.
pub(crate) const KEYS: [(&str, &str); 5] = [
    (KEY, "hmac-sha256"),
    (TEXT_KEY, "hmac-sha256"),
    ("sha1-key", "hmac-sha1"),
    ("sha384-key", "hmac-sha384"),
    ("sha512-key", "hmac-sha512"),
];
/// The secret of all keys.
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
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            let dns = Server::at(address);
            let serves = || dns.ask(ZONE, Kind::Soa).is_some_and(|answer| answer.code == 0);
            let peer = begin(peer::mortal("/usr/sbin/named"), address, serves)?;
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
        write_key(self.peer.folder(), (name, "hmac-sha256"), secret)
    }

    /// Returns what the server has said of itself and of updates.
    pub(crate) fn said(&self) -> String {
        self.peer.said()
    }
}

/// Starts a server by a command that lacks its arguments.
fn begin(
    mut command: Command,
    address: SocketAddr,
    serves: impl FnMut() -> bool,
) -> Result<Peer, String> {
    let folder = Folder::new("bind9");
    for zone in [ZONE, CLOSED] {
        folder.write(&format!("{zone}.zone"), ZONE_FILE);
    }
    folder.write("named.conf", &configuration(folder.path(), address));
    for (name, algorithm) in KEYS {
        write_key(&folder, (name, algorithm), SECRET);
    }
    command.args(["-c", "named.conf", "-4", "-g", "-n", "1"]);
    Peer::start(folder, &mut command, serves)
}

/// A server in a network of its own; whoever asks it does so there.
#[derive(Debug)]
pub(crate) struct Within<'a> {
    peer: Peer,
    namespace: &'a Namespace,
    pub(crate) address: SocketAddr,
}

impl<'a> Within<'a> {
    pub(crate) fn start(namespace: &'a Namespace, address: SocketAddr) -> Self {
        let [enter, network, end] = namespace.through();
        let mut command = peer::mortal(&enter);
        command.args([&network, &end, "/usr/sbin/named"]);
        let serves = || values(namespace, address, "ns1.example.test", Kind::A) == ["127.0.0.1"];
        let peer = begin(command, address, serves).unwrap();
        Self { peer, namespace, address }
    }

    /// Returns the values of a name.
    pub(crate) fn values(&self, name: &str, kind: Kind) -> Vec<String> {
        values(self.namespace, self.address, name, kind)
    }

    /// Returns how many records were added, by us or others.
    pub(crate) fn additions(&self) -> usize {
        self.peer.said().matches("adding an RR").count()
    }
}

fn values(namespace: &Namespace, server: SocketAddr, name: &str, kind: Kind) -> Vec<String> {
    let (ip, port, kind) = (server.ip(), server.port(), kind as u16);
    let line = format!("dig +short +time=1 +tries=1 @{ip} -p {port} {name} TYPE{kind} || true");
    let said = namespace.shell(&line);
    said.lines().filter(|line| !line.starts_with(';')).map(str::to_owned).collect()
}

fn configuration(folder: &Path, address: SocketAddr) -> String {
    let (folder, ip, port) = (folder.display(), address.ip(), address.port());
    let keys = KEYS.map(|(name, _)| format!("include \"{folder}/{name}.key\";\n")).concat();
    let grants = KEYS.map(|(name, _)| match name {
        TEXT_KEY => format!("grant {name} zonesub TXT; "),
        _ => format!("grant {name} zonesub A AAAA TXT; "),
    });
    let grants = grants.concat();
    format!(
        r#"
{keys}
options {{ directory "{folder}"; pid-file none; session-keyfile "{folder}/session.key";
  listen-on port {port} {{ {ip}; }}; recursion no; dnssec-validation no; notify no; }};
controls {{ }};
zone "{ZONE}" {{ type master; file "example.test.zone"; update-policy {{ {grants} }}; }};
zone "{CLOSED}" {{ type master; file "{CLOSED}.zone"; allow-query {{ none; }};
  update-policy {{ {grants} }}; }};
"#
    )
}

/// Writes a key as `tsig-keygen` does; returns where it lies.
fn write_key(folder: &Folder, (name, algorithm): (&str, &str), secret: &str) -> PathBuf {
    let text = format!("key \"{name}\" {{ algorithm {algorithm}; secret \"{secret}\"; }};\n");
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
