//! moto, a Route 53 that others wrote; it takes any signature.

use crate::{
    http,
    peer::{self, Folder, Peer},
    python,
};

const SPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";
const VERSION: &str = "2013-04-01";

/// A server that runs, with a zone `example.com`.
#[derive(Debug)]
pub(crate) struct Moto {
    /// Ends with the value.
    _peer: Peer,
    pub(crate) url: String,
    /// The id of the zone.
    pub(crate) zone: String,
}

impl Moto {
    pub(crate) fn start() -> Self {
        let program = python::program("moto_server");
        peer::on_free_port(|port| {
            let mut command = peer::mortal(&program);
            command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
            let url = format!("http://127.0.0.1:{port}");
            let serves =
                || http::ask("GET", &format!("{url}/moto-api/data.json"), "", "").is_some();
            let peer = Peer::start(Folder::new("moto"), &mut command, serves)?;
            let zone = make_zone(&url);
            Ok(Self { _peer: peer, url, zone })
        })
    }

    /// Returns what the API says of the zone's records.
    pub(crate) fn records(&self) -> String {
        let url = format!("{}/{VERSION}/hostedzone/{}/rrset", self.url, self.zone);
        http::ask("GET", &url, &headers(), "").unwrap().1
    }
}

/// It tells services apart by what was signed, which it does not check.
fn headers() -> String {
    let scope = "20261122/us-east-1/route53/aws4_request";
    format!("Authorization: AWS4-HMAC-SHA256 Credential=anybody/{scope}, Signature=none\r\n")
}

fn make_zone(url: &str) -> String {
    let body = format!(
        "<CreateHostedZoneRequest xmlns=\"{SPACE}\"><Name>example.com.</Name>\
         <CallerReference>one</CallerReference></CreateHostedZoneRequest>"
    );
    let url = format!("{url}/{VERSION}/hostedzone");
    let (status, answer) = http::ask("POST", &url, &headers(), &body).unwrap();
    assert_eq!(status, 201, "{answer}");
    let (_, rest) = answer.split_once("<Id>/hostedzone/").unwrap();
    rest.split_once('<').unwrap().0.to_owned()
}
