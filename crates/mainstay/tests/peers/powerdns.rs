//! `PowerDNS` with its HTTP API, over a database of its own.

use std::{net::SocketAddr, process::Command};

use crate::{
    bind9::ZONE,
    dns::Server,
    http,
    peer::{self, Folder, Peer},
};

/// What the API asks for.
pub(crate) const API_KEY: &str = "powerdns-secret";
const SCHEMA: &str = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql";

/// A server that runs.
#[derive(Debug)]
pub(crate) struct PowerDns {
    /// Ends with the value.
    _peer: Peer,
    /// Where the API begins, without a slash at its end.
    pub(crate) url: String,
    pub(crate) address: SocketAddr,
    pub(crate) dns: Server,
}

impl PowerDns {
    pub(crate) fn start() -> Self {
        let server = peer::on_free_port(|port| {
            let folder = Folder::new("powerdns");
            let api = peer::free_port();
            folder.write("pdns.conf", &configuration(&folder, port, api));
            let database = folder.path().join("pdns.db");
            let schema = format!(".read {SCHEMA}");
            peer::run(Command::new("sqlite3").arg(&database).arg(schema))?;
            let mut command = peer::mortal("/usr/sbin/pdns_server");
            command.arg(format!("--config-dir={}", folder.path().display()));
            let url = format!("http://127.0.0.1:{api}");
            let serves = || ask(&url, "GET", "", "").is_some_and(|(status, _)| status == 200);
            let peer = Peer::start(folder, &mut command, serves)?;
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            Ok(Self { _peer: peer, url, address, dns: Server::at(address) })
        });
        server.make_zone();
        server
    }

    /// Asks the API for something below its only server.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        ask(&self.url, method, path, body).unwrap()
    }

    fn make_zone(&self) {
        let records = |value: &str| serde_json::json!([{ "content": value, "disabled": false }]);
        let set = |name: &str, value: &str| {
            let name = format!("{name}.{ZONE}.");
            serde_json::json!({ "name": name, "type": "A", "ttl": 60, "records": records(value) })
        };
        let zone = serde_json::json!({
            "name": format!("{ZONE}."),
            "kind": "Native",
            "nameservers": [format!("ns1.{ZONE}.")],
            "rrsets": [set("ns1", "127.0.0.1"), set("mail", "192.0.2.25")],
        });
        assert_eq!(self.ask("POST", "/zones", &zone.to_string()).0, 201);
    }
}

fn ask(url: &str, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
    let url = format!("{url}/api/v1/servers/localhost{path}");
    let headers = format!("X-API-Key: {API_KEY}\r\nContent-Type: application/json\r\n");
    http::ask(method, &url, &headers, body)
}

fn configuration(folder: &Folder, port: u16, api: u16) -> String {
    let folder = folder.path().display();
    format!(
        "launch=gsqlite3\ngsqlite3-database={folder}/pdns.db\ngsqlite3-pragma-synchronous=0\n\
         gsqlite3-pragma-journal-mode=WAL\n\
         socket-dir={folder}\nlocal-address=127.0.0.1\nlocal-port={port}\n\
         api=yes\napi-key={API_KEY}\nwebserver=yes\nwebserver-address=127.0.0.1\n\
         webserver-port={api}\nwebserver-allow-from=127.0.0.1\n\
         daemon=no\nguardian=no\nreceiver-threads=1\ndistributor-threads=1\n\
         cache-ttl=0\nquery-cache-ttl=0\nnegquery-cache-ttl=0\nzone-cache-refresh-interval=0\n"
    )
}
