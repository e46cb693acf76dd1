//! The source `nat-pmp`: the router's outer address, asked of the router (RFC 6886, section 3.2).

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use crate::{
    address::Family,
    source::{Source, Vote},
    wire::Later,
};

use super::{
    Around, router,
    udp::{Line, Patience},
};

/// The port at which routers listen, for PCP too.
pub(super) const PORT: u16 = 5351;
/// The first wait is that of the standard (section 3.1); a router is near, 3.75 s are enough.
pub(super) const PATIENCE: Patience = Patience { first: Duration::from_millis(250), times: 4 };

/// Version 0, operation 0: what is your outer address?
const REQUEST: [u8; 2] = [0, 0];

/// The router, asked by NAT-PMP.
#[derive(Debug)]
pub(super) struct NatPmp {
    pub(super) around: Around,
    pub(super) gateway: Option<SocketAddr>,
}

impl NatPmp {
    async fn ask(&self, family: Family) -> (String, Result<IpAddr, String>) {
        if family == Family::V6 {
            return ("nat-pmp".to_owned(), Err("NAT-PMP tells of IPv4 alone".to_owned()));
        }
        match router::find(self.gateway, (family, self.around.bind.as_deref()), PORT).await {
            Err(why) => ("nat-pmp".to_owned(), Err(why)),
            Ok(server) => {
                let asked = async {
                    let line = Line::open(server, self.around.bind.as_deref()).await?;
                    ask(&line).await
                };
                (format!("nat-pmp {}", server.ip()), asked.await)
            }
        }
    }
}

impl Source for NatPmp {
    fn look(&self, family: Family) -> Later<'_, Vec<Vote>> {
        Box::pin(async move {
            let (voter, answer) = self.ask(family).await;
            vec![Vote { voter, answer: answer.map(|one| vec![one]) }]
        })
    }
}

/// Asks on a line that is open.
pub(super) async fn ask(line: &Line) -> Result<IpAddr, String> {
    line.ask(&REQUEST, PATIENCE, read).await?
}

/// Reads an answer: nothing when it is none of this protocol.
fn read(octets: &[u8]) -> Option<Result<IpAddr, String>> {
    let (&version, &operation) = (octets.first()?, octets.get(1)?);
    // An answer of another version has its result at another place.
    if version != 0 {
        return Some(Err(format!("the router speaks version {version} alone: choose `pcp`")));
    }
    let result = u16::from_be_bytes(octets.get(2..4)?.try_into().ok()?);
    match (operation, result) {
        (128, 0) => {
            let address: [u8; 4] = octets.get(8..12)?.try_into().ok()?;
            Some(outer(Ipv4Addr::from(address)))
        }
        (128, code) => Some(Err(refusal(code))),
        _ => None,
    }
}

/// A router that is not connected has none.
fn outer(address: Ipv4Addr) -> Result<IpAddr, String> {
    if address.is_unspecified() {
        return Err("the router has no outer address".to_owned());
    }
    Ok(IpAddr::from(address))
}

/// Says a result code (section 3.5).
fn refusal(code: u16) -> String {
    let why = match code {
        1 => "it speaks another version",
        2 => "it is not allowed there",
        3 => "it has no outer address",
        4 => "it has no room",
        5 => "it does not know the question",
        _ => return format!("the router refuses with {code}"),
    };
    format!("the router refuses: {why}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        fake_wire::{Chance, FakeWire},
        sources::{
            SharedWire,
            udp::tests::{run, server},
        },
    };

    const ANSWER: [u8; 12] = [0, 128, 0, 0, 0, 0, 0, 9, 81, 2, 69, 142];

    #[test]
    fn the_router_tells_its_outer_address() {
        run(async {
            let gateway = server(|asked| {
                assert_eq!(asked, REQUEST);
                vec![vec![0], ANSWER.to_vec()]
            });
            let wire = SharedWire::new(Arc::new(FakeWire::silent()));
            let around = Around { wire, bind: None };
            let source = NatPmp { around, gateway: Some(gateway.await) };
            let votes = source.look(Family::V4).await;
            assert_eq!(votes[0].voter, "nat-pmp 127.0.0.1");
            assert_eq!(votes[0].answer, Ok(vec!["81.2.69.142".parse().unwrap()]));
            let told = source.look(Family::V6).await.remove(0).answer.unwrap_err();
            assert_eq!(told, "NAT-PMP tells of IPv4 alone");
        });
    }

    #[test]
    fn every_answer_has_its_meaning() {
        let check = |octets: &[u8], expected: Option<&str>| {
            let told = read(octets).map(|told| match told {
                Ok(address) => address.to_string(),
                Err(why) => why,
            });
            assert_eq!(told.as_deref(), expected);
        };
        check(&ANSWER, Some("81.2.69.142"));
        check(&[0, 128, 0, 0, 0, 0, 0, 9, 10, 0, 0, 7], Some("10.0.0.7"));
        check(&[0, 128, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0], Some("the router has no outer address"));
        check(&[0, 128, 0, 3, 0, 0, 0, 9], Some("the router refuses: it has no outer address"));
        check(&[0, 128, 0, 99], Some("the router refuses with 99"));
        check(&[2, 128, 0, 1], Some("the router speaks version 2 alone: choose `pcp`"));
        check(&ANSWER[..11], None);
        check(&REQUEST, None);
        check(&[], None);
    }

    #[test]
    fn damaged_answers_are_read_to_an_end() {
        let mut chance = Chance::new(11);
        let understood = |_: &u32| read(&chance.damage(&ANSWER)).is_some();
        assert!((0..5_000).filter(understood).count() > 100);
    }
}
