//! coturn, which says by STUN from where a datagram has come.

use std::{
    net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket},
    time::Duration,
};

use crate::{
    peer::{self, Folder, Peer},
    router::Namespace,
};

const BINDING_REQUEST: [u8; 2] = [0, 1];
const BINDING_SUCCESS: [u8; 2] = [1, 1];
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const XOR_MAPPED_ADDRESS: [u8; 2] = [0, 0x20];
const ANSWER_WITHIN: Duration = Duration::from_millis(500);
const HEADER_BYTES: usize = 20;

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Coturn {
    /// Ends with the value.
    _peer: Peer,
    pub(crate) address: SocketAddr,
}

impl Coturn {
    pub(crate) fn start() -> Self {
        peer::on_free_port(|port| {
            let folder = Folder::new("coturn");
            let pid = format!("--pidfile={}/pid", folder.path().display());
            let mut command = peer::mortal("/usr/bin/turnserver");
            command.args([
                "-n",
                "--stun-only",
                "--listening-ip=127.0.0.1",
                "--no-tls",
                "--no-dtls",
            ]);
            command.args(["--no-cli", "--log-file=stdout", "--relay-threads=1", &pid]);
            command.arg(format!("--listening-port={port}"));
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            let peer = Peer::start(folder, &mut command, || reflexive(address).is_some())?;
            Ok(Self { _peer: peer, address })
        })
    }
}

/// Starts a server at an address of a namespace, at the usual port.
pub(crate) fn within(namespace: &Namespace, address: &str) -> Peer {
    let folder = Folder::new("coturn");
    let pid = format!("--pidfile={}/pid", folder.path().display());
    let [enter, network, end] = namespace.through();
    let mut command = peer::mortal(&enter);
    command.args([&network, &end, "/usr/bin/turnserver", "-n", "--stun-only", "--no-tls"]);
    command.args(["--no-dtls", "--no-cli", "--log-file=stdout", "--relay-threads=1", &pid]);
    command.arg(format!("--listening-ip={address}"));
    let listens = || !namespace.shell("ss -Hlun sport = :3478").is_empty();
    Peer::start(folder, &mut command, listens).unwrap()
}

/// Asks once from where we come; returns what the server sees, and what is true.
pub(crate) fn reflexive(server: SocketAddr) -> Option<(SocketAddr, SocketAddr)> {
    let socket = UdpSocket::bind("127.0.0.1:0").ok()?;
    socket.set_read_timeout(Some(ANSWER_WITHIN)).ok()?;
    let mut request = [BINDING_REQUEST, [0, 0]].concat();
    request.extend(COOKIE);
    request.extend([7; 12]);
    socket.send_to(&request, server).ok()?;
    let mut bytes = [0; 512];
    let (length, _) = socket.recv_from(&mut bytes).ok()?;
    let answer = bytes.get(..length)?;
    if answer.get(..2)? != BINDING_SUCCESS {
        return None;
    }
    Some((mapped(answer.get(HEADER_BYTES..)?)?, socket.local_addr().ok()?))
}

/// Finds the address among attributes, each of which is filled up to four bytes.
fn mapped(mut attributes: &[u8]) -> Option<SocketAddr> {
    loop {
        let length = usize::from(u16::from_be_bytes(attributes.get(2..4)?.try_into().ok()?));
        let value = attributes.get(4..4 + length)?;
        if attributes.get(..2)? == XOR_MAPPED_ADDRESS {
            let [_, _, port @ .., a, b, c, d] = <[u8; 8]>::try_from(value).ok()?;
            let port = u16::from_be_bytes(port) ^ 0x2112;
            let octets = [a ^ COOKIE[0], b ^ COOKIE[1], c ^ COOKIE[2], d ^ COOKIE[3]];
            return Some(SocketAddrV4::new(Ipv4Addr::from(octets), port).into());
        }
        attributes = attributes.get(4 + length.next_multiple_of(4)..)?;
    }
}
