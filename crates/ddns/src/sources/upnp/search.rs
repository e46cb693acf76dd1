//! Who on the network calls itself a router (`UPnP` Device Architecture 1.1, section 1.3).

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    net::UdpSocket,
    time::{Instant, timeout_at},
};

use crate::{
    address::Family,
    sources::{
        router::Neighbour,
        udp::{MESSAGE_BYTES_MAX, socket},
    },
};

use super::description::host_of;

/// Whom all devices of a network listen to.
const GROUP: SocketAddr =
    SocketAddr::V4(std::net::SocketAddrV4::new(Ipv4Addr::new(239, 255, 255, 250), 1900));
const PORT: u16 = 1900;
/// What is looked for. Devices of version 2 answer to version 1, too; some answer for the service
/// alone.
const TARGETS: [&str; 3] = [
    "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
    "urn:schemas-upnp-org:service:WANIPConnection:1",
    "urn:schemas-upnp-org:service:WANPPPConnection:1",
];
/// Devices answer within a second at random; datagrams get lost, so that it is asked twice.
const WAITS: [Duration; 2] = [Duration::from_millis(1500), Duration::from_millis(2500)];
/// The most devices that are listened to.
const DEVICES_MAX: usize = 8;
/// The most messages that are read after a question; a device sends one for each thing it is.
const MESSAGES_MAX: usize = 256;

/// A device that has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Device {
    /// Who answered.
    pub(super) address: Ipv4Addr,
    /// Where its description is; its host is that address.
    pub(super) location: String,
}

/// Where and how long is looked.
#[derive(Debug, Clone)]
pub(super) struct Search {
    /// Whom to ask.
    pub(super) whom: Vec<SocketAddr>,
    /// By which of our own addresses groups are asked.
    pub(super) local: Option<Ipv4Addr>,
    /// Who is the router, if that is known: what it says itself counts alone.
    pub(super) router: Option<Ipv4Addr>,
    /// How long after each question.
    pub(super) waits: [Duration; 2],
}

impl Search {
    /// Looks in the network of the default gateway, and asks itself, too: some networks carry no
    /// messages to groups. Groups are asked from the address that we are bound to, if it is one.
    pub(super) fn around(gateway: Option<Neighbour>, bind: Option<&str>) -> Self {
        let router = gateway.map(|gateway| gateway.router);
        let mut whom = vec![GROUP];
        whom.extend(router.map(|router| SocketAddr::from((router, PORT))));
        let bound = bind.and_then(|bind| bind.parse().ok());
        let local = bound.or_else(|| gateway.and_then(|gateway| gateway.local));
        Self { whom, local, router, waits: WAITS }
    }

    /// Returns those who answer; the router alone, when it does.
    pub(super) async fn devices(&self, bind: Option<&str>) -> Result<Vec<Device>, String> {
        let cannot = |error| format!("cannot look for routers: {error}");
        let socket = self.socket(bind).map_err(cannot)?;
        let mut found = Vec::new();
        for wait in self.waits {
            self.call(&socket).await.map_err(cannot)?;
            self.listen(&socket, wait, &mut found).await;
            if !found.is_empty() {
                break;
            }
        }
        let is_router = |device: &Device| Some(device.address) == self.router;
        if found.iter().any(is_router) {
            found.retain(is_router);
            found.truncate(1);
        }
        Ok(found)
    }

    fn socket(&self, bind: Option<&str>) -> io::Result<UdpSocket> {
        let socket = socket(Family::V4, bind)?;
        if let Some(local) = self.local {
            SockRef::from(&socket).set_multicast_if_v4(&local)?;
        }
        Ok(socket)
    }

    /// Asks all of them; it is enough if one is reached.
    async fn call(&self, socket: &UdpSocket) -> io::Result<()> {
        let mut outcome = Ok(());
        let mut is_sent = false;
        for whom in &self.whom {
            for target in TARGETS {
                match socket.send_to(question(target).as_bytes(), whom).await {
                    Ok(_) => is_sent = true,
                    Err(error) => outcome = Err(error),
                }
            }
        }
        if is_sent { Ok(()) } else { outcome }
    }

    async fn listen(&self, socket: &UdpSocket, wait: Duration, found: &mut Vec<Device>) {
        let until = Instant::now() + wait;
        let mut buffer = [0; MESSAGE_BYTES_MAX];
        for _ in 0..MESSAGES_MAX {
            let Ok(heard) = timeout_at(until, socket.recv_from(&mut buffer)).await else { return };
            // Windows tells here that somebody has refused an earlier message: others may not.
            let Ok((length, from)) = heard else { continue };
            let device = buffer.get(..length).and_then(|octets| read(octets, from));
            let Some(device) = device.filter(|device| !found.contains(device)) else { continue };
            let is_router = Some(device.address) == self.router;
            found.push(device);
            if is_router || found.len() == DEVICES_MAX {
                return;
            }
        }
    }
}

fn question(target: &str) -> String {
    format!(
        "M-SEARCH * HTTP/1.1\r\nHOST: {GROUP}\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: {target}\r\n\r\n"
    )
}

/// Reads an answer. Who names another's description is not listened to: it would have us ask, and
/// believe, anybody.
fn read(octets: &[u8], from: SocketAddr) -> Option<Device> {
    let SocketAddr::V4(from) = from else { return None };
    let text = std::str::from_utf8(octets).ok()?;
    let mut lines = text.lines();
    let mut status = lines.next()?.split_whitespace();
    if !status.next()?.starts_with("HTTP/1.") || status.next()? != "200" {
        return None;
    }
    let fields = lines.filter_map(|line| line.split_once(':'));
    let mut locations = fields.filter(|(name, _)| name.trim().eq_ignore_ascii_case("location"));
    let location = locations.next()?.1.trim().to_owned();
    let address = *from.ip();
    (host_of(&location) == Some(address)).then_some(Device { address, location })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_leads_to_who_has_sent_it() {
        let from = "192.168.1.1:1900".parse().unwrap();
        let answer = |location: &str| {
            format!("HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nlocation: {location}\r\n\r\n")
        };
        let told = |text: &str| read(text.as_bytes(), from).map(|device| device.location);
        let fit = "http://192.168.1.1:5000/rootDesc.xml";
        assert_eq!(told(&answer(fit)).as_deref(), Some(fit));
        let refused = |text: &str| assert_eq!(told(text), None, "{text}");
        refused(&answer("http://192.168.1.2:5000/rootDesc.xml"));
        refused(&answer("http://192.168.1.1@evil.test/"));
        refused(&answer("http://router.test/"));
        refused(&answer("https://192.168.1.1/"));
        refused(&answer("file:///etc/passwd"));
        refused(&answer(fit).replace("200", "404"));
        refused(&answer(fit).replace("HTTP/1.1 200 OK", "NOTIFY * HTTP/1.1"));
        refused("HTTP/1.1 200 OK\r\n\r\n");
        refused("");
    }

    #[test]
    fn damaged_answers_are_read_to_an_end() {
        let from = "192.168.1.1:1900".parse().unwrap();
        let whole = b"HTTP/1.1 200 OK\r\nlocation: http://192.168.1.1:5000/rootDesc.xml\r\n\r\n";
        let mut chance = crate::fake_wire::Chance::new(17);
        let understood = |_: &u32| read(&chance.damage(whole), from).is_some();
        assert!((0..5_000).filter(understood).count() > 20);
    }

    #[test]
    fn a_question_is_written_as_devices_expect() {
        let expected = "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\
            MAN: \"ssdp:discover\"\r\nMX: 1\r\nST: x\r\n\r\n";
        assert_eq!(question("x"), expected);
    }
}
