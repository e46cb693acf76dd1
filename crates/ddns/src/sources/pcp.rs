//! The source `pcp`: the router's outer address, asked of the router (RFC 6887).
//!
//! PCP tells it only with a mapping: one is made for the port of our own socket, for as short as
//! routers grant, and taken away at once. A router that knows only the older NAT-PMP (section 9), or
//! makes no mapping, is asked by that.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::{
    address::Family,
    source::{Source, Vote},
    wire::Later,
};

use super::{
    Around, address,
    nat_pmp::{self, PATIENCE, PORT},
    router,
    udp::Line,
};

const VERSION: u8 = 2;
const MAP: u8 = 1;
const ANSWER: u8 = 0x80;
const UDP: u8 = 17;
const MESSAGE_BYTES: usize = 60;
/// Routers grant two minutes at least (section 15); who asks for less gets that.
const LIFETIME_SECONDS: u32 = 120;

/// The router, asked by PCP.
#[derive(Debug)]
pub(super) struct Pcp {
    pub(super) around: Around,
    pub(super) gateway: Option<SocketAddr>,
}

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    /// The outer address.
    Outer(IpAddr),
    /// It speaks NAT-PMP alone.
    Older,
    /// It tells nothing, for this reason.
    Refused(String),
}

impl Pcp {
    async fn ask(&self, family: Family) -> (String, Result<IpAddr, String>) {
        match router::find(self.gateway, (family, self.around.bind.as_deref()), PORT).await {
            Err(why) => ("pcp".to_owned(), Err(why)),
            Ok(server) => (format!("pcp {}", server.ip()), self.ask_router(server, family).await),
        }
    }

    async fn ask_router(&self, server: SocketAddr, family: Family) -> Result<IpAddr, String> {
        let line = Line::open(server, self.around.bind.as_deref()).await?;
        let mapping = Mapping { client: line.local()?, nonce: self.around.wire.nonce() };
        let request = mapping.request(LIFETIME_SECONDS);
        match line.ask(&request, PATIENCE, |octets| mapping.read(octets)).await? {
            Heard::Outer(outer) => {
                // If this is lost, the mapping ends by itself.
                drop(line.send(&mapping.request(0)).await);
                address::of_family(outer, family)
            }
            Heard::Older if family == Family::V4 => nat_pmp::ask(&line).await,
            Heard::Older => Err("the router speaks NAT-PMP, which tells of IPv4 alone".to_owned()),
            // Who makes no mapping may tell the address all the same.
            Heard::Refused(why) if family == Family::V4 => {
                nat_pmp::ask(&line).await.map_err(|_| why)
            }
            Heard::Refused(why) => Err(why),
        }
    }
}

impl Source for Pcp {
    fn look(&self, family: Family) -> Later<'_, Vec<Vote>> {
        Box::pin(async move {
            let (voter, answer) = self.ask(family).await;
            vec![Vote { voter, answer: answer.map(|one| vec![one]) }]
        })
    }
}

/// A mapping of one port of ours.
#[derive(Debug, Clone, Copy)]
struct Mapping {
    client: SocketAddr,
    nonce: u128,
}

impl Mapping {
    /// The twelve bytes by which the router knows whose it is.
    fn proof(&self) -> [u8; 12] {
        let mut proof = [0; 12];
        for (to, from) in proof.iter_mut().zip(self.nonce.to_be_bytes().into_iter().skip(4)) {
            *to = from;
        }
        proof
    }

    /// Returns the request to make it, or, for no time at all, to take it away (sections 7.1, 11.1).
    fn request(&self, lifetime_seconds: u32) -> Vec<u8> {
        let mut octets = vec![VERSION, MAP, 0, 0];
        octets.extend(lifetime_seconds.to_be_bytes());
        octets.extend(wide(self.client.ip()).octets());
        octets.extend(self.proof());
        octets.extend([UDP, 0, 0, 0]);
        octets.extend(self.client.port().to_be_bytes());
        // Any outer port, and any outer address of the family.
        octets.extend([0, 0]);
        octets.extend(match self.client.ip() {
            IpAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.to_ipv6_mapped().octets(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.octets(),
        });
        octets
    }

    /// Reads an answer: nothing when it is not to this mapping (sections 7.2, 11.1).
    fn read(&self, octets: &[u8]) -> Option<Heard> {
        let (&version, &operation, &result) = (octets.first()?, octets.get(1)?, octets.get(3)?);
        if version != VERSION {
            return other_version(version, operation);
        }
        if operation != ANSWER | MAP {
            return None;
        }
        if result != 0 {
            return Some(Heard::Refused(refusal(result)));
        }
        let is_ours = octets.len() >= MESSAGE_BYTES
            && octets.get(24..36)? == self.proof()
            && octets.get(36)? == &UDP
            && octets.get(40..42)? == self.client.port().to_be_bytes();
        let outer: [u8; 16] = octets.get(44..60)?.try_into().ok()?;
        is_ours.then(|| Heard::Outer(narrow(Ipv6Addr::from(outer))))
    }
}

/// A router of NAT-PMP answers in version 0 that it does not know version 2 (RFC 6886, section 3.5).
fn other_version(version: u8, operation: u8) -> Option<Heard> {
    if operation & ANSWER == 0 {
        return None;
    }
    Some(match version {
        0 => Heard::Older,
        _ => Heard::Refused(format!("the router speaks version {version} of PCP alone")),
    })
}

/// Writes an address as PCP does: in the form of IPv6.
const fn wide(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

fn narrow(address: Ipv6Addr) -> IpAddr {
    address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4)
}

/// Says a result code (section 7.4).
fn refusal(code: u8) -> String {
    let why = match code {
        1 => "it speaks another version",
        2 => "it is not allowed there",
        3 => "it does not understand the request",
        4 => "it does not know the operation",
        7 => "it has no outer address",
        8 => "it has no room",
        10 => "we have too many mappings",
        12 => "another router stands between us",
        _ => return format!("the router refuses with {code}"),
    };
    format!("the router refuses: {why}")
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::{
        fake_wire::{Chance, FakeWire},
        sources::{
            SharedWire,
            udp::tests::{run, server},
        },
    };

    /// Answers a request as a router with this outer address does.
    fn answer(asked: &[u8], outer: Ipv6Addr) -> Vec<u8> {
        let mut octets = vec![2, 0x81, 0, 0, 0, 0, 0, 120, 0, 0, 0, 9];
        octets.extend([0; 12]);
        octets.extend(&asked[24..44]);
        octets.extend(outer.octets());
        octets
    }

    fn outer() -> Ipv6Addr {
        "::ffff:81.2.69.142".parse().unwrap()
    }

    fn pcp(gateway: SocketAddr) -> Pcp {
        let wire = SharedWire::new(Arc::new(FakeWire::silent()));
        Pcp { around: Around { wire, bind: None }, gateway: Some(gateway) }
    }

    #[test]
    fn a_mapping_tells_the_outer_address_and_is_taken_away_again() {
        run(async {
            let (sender, mut asked) = tokio::sync::mpsc::unbounded_channel();
            let gateway = server(move |message| {
                sender.send(message.to_vec()).unwrap();
                let mut foreign = answer(message, outer());
                foreign[30] ^= 1;
                vec![foreign, answer(message, outer())]
            });
            let votes = pcp(gateway.await).look(Family::V4).await;
            assert_eq!(votes[0].voter, "pcp 127.0.0.1");
            assert_eq!(votes[0].answer, Ok(vec!["81.2.69.142".parse().unwrap()]));
            let (first, last) = (asked.recv().await.unwrap(), asked.recv().await.unwrap());
            assert_eq!((first.len(), first[7], last[7]), (MESSAGE_BYTES, 120, 0));
            assert_eq!(first[8..], last[8..], "the same mapping");
            assert_eq!(first[8..24], "::ffff:127.0.0.1".parse::<Ipv6Addr>().unwrap().octets());
        });
    }

    #[test]
    fn a_router_of_the_older_protocol_is_asked_in_that() {
        run(async {
            let heard = Arc::new(Mutex::new(Vec::new()));
            let seen = Arc::clone(&heard);
            let gateway = server(move |asked| {
                seen.lock().unwrap().push(asked[0]);
                match asked[0] {
                    2 => vec![vec![0, 0x81, 0, 1, 0, 0, 0, 9]],
                    _ => vec![vec![0, 128, 0, 0, 0, 0, 0, 9, 81, 2, 69, 142]],
                }
            });
            let votes = pcp(gateway.await).look(Family::V4).await;
            assert_eq!(votes[0].answer, Ok(vec!["81.2.69.142".parse().unwrap()]));
            assert_eq!(*heard.lock().unwrap(), [2, 0]);
        });
    }

    #[test]
    fn a_router_that_makes_no_mapping_may_tell_its_address_all_the_same() {
        let refusing = |older: Vec<u8>| {
            run(async {
                let gateway = server(move |asked| match asked[0] {
                    2 => vec![vec![2, 0x81, 0, 8]],
                    _ => vec![older.clone()],
                });
                pcp(gateway.await).look(Family::V4).await.remove(0).answer
            })
        };
        let told = refusing(vec![0, 128, 0, 0, 0, 0, 0, 9, 81, 2, 69, 142]);
        assert_eq!(told, Ok(vec!["81.2.69.142".parse().unwrap()]));
        let told = refusing(vec![2, 0x80, 0, 1]);
        assert_eq!(told, Err("the router refuses: it has no room".to_owned()));
    }

    #[test]
    fn every_answer_has_its_meaning() {
        let mapping = Mapping { client: "10.0.0.2:4000".parse().unwrap(), nonce: 77 };
        let whole = answer(&mapping.request(120), outer());
        assert_eq!(mapping.read(&whole), Some(Heard::Outer("81.2.69.142".parse().unwrap())));
        let six = answer(&mapping.request(120), "2001:4860::1".parse().unwrap());
        assert_eq!(mapping.read(&six), Some(Heard::Outer("2001:4860::1".parse().unwrap())));
        assert_eq!(mapping.read(&mapping.request(120)), None, "our own request");
        assert_eq!(mapping.read(&whole[..59]), None, "cut short");
        let refused = |code: u8, expected: &str| {
            let told = mapping.read(&[2, 0x81, 0, code]);
            assert_eq!(told, Some(Heard::Refused(format!("the router refuses{expected}"))));
        };
        refused(2, ": it is not allowed there");
        refused(12, ": another router stands between us");
        refused(99, " with 99");
        let newer = mapping.read(&[3, 0x81, 0, 1]);
        let told = "the router speaks version 3 of PCP alone".to_owned();
        assert_eq!(newer, Some(Heard::Refused(told)));
    }

    #[test]
    fn damaged_answers_are_read_to_an_end() {
        let mapping = Mapping { client: "10.0.0.2:4000".parse().unwrap(), nonce: 77 };
        let whole = answer(&mapping.request(120), outer());
        let mut chance = Chance::new(13);
        let understood = |_: &u32| mapping.read(&chance.damage(&whole)).is_some();
        assert!((0..5_000).filter(understood).count() > 100);
    }
}
