//! The source `stun`: servers that tell from where a message came (RFC 8489).

mod message;

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use crate::{
    address::Family,
    source::{Source, Vote},
    together::together,
    wire::Later,
};

use super::{Around, address, udp::Line, udp::Patience};

/// The port of a server that is named without one (RFC 8489, section 18.6).
const PORT: u16 = 3478;
/// The first wait is that of the standard (section 6.2.1); 7.5 s are enough for an address.
const PATIENCE: Patience = Patience { first: Duration::from_millis(500), times: 4 };

/// STUN servers.
#[derive(Debug)]
pub(super) struct Stun {
    around: Around,
    servers: Vec<String>,
    patience: Patience,
}

impl Stun {
    pub(super) fn new(around: Around, servers: &[String]) -> Self {
        Self { around, servers: servers.to_vec(), patience: PATIENCE }
    }

    async fn ask(&self, server: &str, family: Family) -> Result<IpAddr, String> {
        let server = self.find(server, family).await?;
        let line = Line::open(server, self.around.bind.as_deref()).await?;
        let transaction = message::Transaction::new(self.around.wire.nonce());
        let read = |octets: &[u8]| message::read(&transaction, octets);
        let address = line.ask(&message::request(&transaction), self.patience, read).await??;
        address::of_family(address, family)
    }

    async fn find(&self, server: &str, family: Family) -> Result<SocketAddr, String> {
        if let Ok(address) = server.parse::<SocketAddr>() {
            address::of_family(address.ip(), family)
                .map_err(|_| format!("it has no {family} address"))?;
            return Ok(address);
        }
        let (host, port) = match server.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| "its port is no number")?),
            None => (server, PORT),
        };
        let found = self.around.wire.resolve(host, Some(family)).await;
        match found.map_err(|error| error.to_string())?.first() {
            Some(address) => Ok(SocketAddr::new(*address, port)),
            None => Err(format!("it has no {family} address")),
        }
    }
}

impl Source for Stun {
    fn look(&self, family: Family) -> Later<'_, Vec<Vote>> {
        let votes = self.servers.iter().map(|server| {
            let vote = async move {
                let answer = self.ask(server, family).await;
                Vote { voter: server.clone(), answer: answer.map(|one| vec![one]) }
            };
            Box::pin(vote) as Later<'_, Vote>
        });
        Box::pin(together(votes.collect()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        fake_wire::FakeWire,
        sources::{
            SharedWire,
            udp::tests::{run, server},
        },
    };

    fn around() -> Around {
        let wire = FakeWire::silent().resolving(|name| {
            assert_eq!(name, "stun.test");
            Ok(vec!["127.0.0.1".parse().unwrap()])
        });
        Around { wire: SharedWire::new(Arc::new(wire)), bind: None }
    }

    /// Answers as a server does that sees this address.
    fn answer(asked: &[u8], address: [u8; 4]) -> Vec<u8> {
        let cookie = [0x21, 0x12, 0xa4, 0x42];
        let mut octets = vec![1, 1, 0, 12];
        octets.extend(&asked[4..20]);
        octets.extend([0, 0x20, 0, 8, 0, 1, 0, 0]);
        octets.extend(address.iter().zip(cookie).map(|(one, other)| one ^ other));
        octets
    }

    #[test]
    fn the_address_is_what_the_servers_see_and_a_liar_is_one_voter() {
        run(async {
            let honest = server(|asked| {
                let mut foreign = answer(asked, [6, 6, 6, 6]);
                foreign[19] ^= 1;
                vec![b"noise".to_vec(), foreign, answer(asked, [81, 2, 69, 142])]
            });
            let honest = honest.await;
            let refusing = server(|asked| vec![[&[1, 0x11, 0, 0], &asked[4..20]].concat()]);
            let servers =
                [format!("stun.test:{}", honest.port()), refusing.await.to_string(), "x:y".into()];
            let votes = Stun::new(around(), &servers).look(Family::V4).await;
            assert_eq!(votes[0].answer, Ok(vec!["81.2.69.142".parse().unwrap()]));
            assert_eq!(votes[0].voter, format!("stun.test:{}", honest.port()));
            assert_eq!(votes[1].answer, Err("it refuses".to_owned()));
            assert_eq!(votes[2].answer, Err("its port is no number".to_owned()));
            let votes = Stun::new(around(), &servers[..2]).look(Family::V6).await;
            for vote in votes {
                assert_eq!(vote.answer, Err("it has no IPv6 address".to_owned()));
            }
        });
    }

    #[test]
    fn silence_is_told() {
        run(async {
            let servers = [server(|_| Vec::new()).await.to_string()];
            let patience = Patience { first: Duration::from_millis(10), times: 2 };
            let stun = Stun { patience, ..Stun::new(around(), &servers) };
            let told = stun.look(Family::V4).await.remove(0).answer.unwrap_err();
            assert!(told.starts_with("no answer from 127.0.0.1:"), "{told}");
        });
    }
}
