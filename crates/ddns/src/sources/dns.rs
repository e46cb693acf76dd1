//! The source `dns`: servers that tell who asks them.
//!
//! They are asked at addresses of their own, because a resolver on the way would be told its own.
//! A network that answers DNS questions in others' names gives wrong answers here: each service is
//! one voter, never more.

use std::net::{IpAddr, SocketAddr};

use crate::{
    address::Family,
    dns::{self, Answer, Kind, Question, Realm, Recursion},
    source::{Source, Vote},
    together::together,
    wire::Later,
};

use super::{SharedWire, address};

/// A service that tells who asks.
#[derive(Debug)]
struct Service {
    name: &'static str,
    question: &'static str,
    kind: fn(Family) -> Kind,
    realm: Realm,
    recursion: Recursion,
    ipv4: [&'static str; 2],
    ipv6: [&'static str; 2],
}

const ALL: [Service; 3] = [
    Service {
        name: "cloudflare",
        question: "whoami.cloudflare",
        kind: |_| Kind::Txt,
        realm: Realm::Chaos,
        recursion: Recursion::Unwanted,
        ipv4: ["1.1.1.1:53", "1.0.0.1:53"],
        ipv6: ["[2606:4700:4700::1111]:53", "[2606:4700:4700::1001]:53"],
    },
    Service {
        name: "opendns",
        question: "myip.opendns.com",
        kind: Kind::of,
        realm: Realm::Internet,
        recursion: Recursion::Desired,
        ipv4: ["208.67.222.222:53", "208.67.220.220:53"],
        ipv6: ["[2620:119:35::35]:53", "[2620:119:53::53]:53"],
    },
    Service {
        name: "google",
        question: "o-o.myaddr.l.google.com",
        kind: |_| Kind::Txt,
        realm: Realm::Internet,
        recursion: Recursion::Unwanted,
        ipv4: ["216.239.32.10:53", "216.239.34.10:53"],
        ipv6: ["[2001:4860:4802:32::a]:53", "[2001:4860:4802:34::a]:53"],
    },
];

/// The names of the services, in the order in which they are asked.
pub const SERVICES: [&str; 3] = [ALL[0].name, ALL[1].name, ALL[2].name];

/// Servers that tell who asks.
#[derive(Debug)]
pub(super) struct WhoAmI {
    wire: SharedWire,
    services: Vec<String>,
}

impl WhoAmI {
    /// Asks these services, or all of them when the list is empty.
    pub(super) fn new(wire: SharedWire, services: &[String]) -> Self {
        let mut services = services.to_vec();
        if services.is_empty() {
            services.extend(SERVICES.map(str::to_owned));
        }
        Self { wire, services }
    }
}

impl Source for WhoAmI {
    fn look(&self, family: Family) -> Later<'_, Vec<Vote>> {
        let votes = self.services.iter().map(|name| {
            let vote = async move {
                let answer = ask(&self.wire, name, family).await;
                Vote { voter: name.clone(), answer: answer.map(|one| vec![one]) }
            };
            Box::pin(vote) as Later<'_, Vote>
        });
        Box::pin(together(votes.collect()))
    }
}

async fn ask(wire: &SharedWire, name: &str, family: Family) -> Result<IpAddr, String> {
    let Some(service) = ALL.iter().find(|service| service.name == name) else {
        return Err(format!("nobody of this name is known; known are {}", SERVICES.join(", ")));
    };
    let question = Question {
        name: service.question.to_owned(),
        kind: (service.kind)(family),
        realm: service.realm,
        recursion: service.recursion,
    };
    let answer = dns::ask_first(&**wire, &service.servers(family), &question).await;
    tell(&answer.map_err(|error| error.to_string())?, family)
}

impl Service {
    fn servers(&self, family: Family) -> Vec<SocketAddr> {
        let list = match family {
            Family::V4 => &self.ipv4,
            Family::V6 => &self.ipv6,
        };
        list.iter().filter_map(|server| server.parse().ok()).collect()
    }
}

/// Reads the one address, or the one text with an address, of an answer.
fn tell(answer: &Answer, family: Family) -> Result<IpAddr, String> {
    match (answer.addresses.as_slice(), answer.texts.as_slice()) {
        ([address], []) => address::of_family(*address, family),
        ([], [text]) => address::one(text, family),
        ([], []) => Err(format!("it answers {} without an address", answer.rcode)),
        _ => Err("it answers several addresses".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::{str::FromStr as _, sync::Arc};

    use domain::{
        base::{Message, MessageBuilder, Name, Rtype, iana},
        rdata::{A, Aaaa, Txt},
    };

    use super::*;
    use crate::{fake_wire::FakeWire, wire::Exchange, wire::NetworkError};

    /// Answers as those services do; the first server of Google is silent.
    fn respond(exchange: &Exchange) -> Result<Vec<u8>, NetworkError> {
        let peer = exchange.server.to_string();
        if peer == "216.239.32.10:53" {
            return Err(NetworkError::Connect { peer, why: "nobody is there".to_owned() });
        }
        let asked = Message::from_octets(&exchange.message[..]).unwrap();
        let question = asked.sole_question().unwrap();
        let (name, kind) = (question.qname().to_string(), question.qtype());
        let text = |text: &str| Txt::<Vec<u8>>::build_from_slice(text.as_bytes()).unwrap();
        let builder = MessageBuilder::new_vec();
        let mut answer = builder.start_answer(&asked, iana::Rcode::NOERROR).unwrap();
        let owner = Name::<Vec<u8>>::from_str(&name).unwrap();
        match (name.as_str(), kind, exchange.server.is_ipv4()) {
            ("whoami.cloudflare", Rtype::TXT, true) => {
                answer.push((owner, iana::Class::CH, 0, text("81.2.69.142"))).unwrap();
            }
            ("whoami.cloudflare", Rtype::TXT, false) => {
                answer.push((owner, iana::Class::CH, 0, text("2001:4860::7"))).unwrap();
            }
            ("myip.opendns.com", Rtype::A, true) => {
                answer.push((owner, 0, A::from_octets(81, 2, 69, 142))).unwrap();
            }
            ("myip.opendns.com", Rtype::AAAA, false) => {
                answer.push((owner, 0, Aaaa::from_str("2001:4860::7").unwrap())).unwrap();
            }
            ("o-o.myaddr.l.google.com", Rtype::TXT, _) => {
                answer.push((owner, 0, text("81.2.69.142"))).unwrap();
            }
            other => panic!("{other:?}"),
        }
        Ok(answer.finish())
    }

    fn look(services: &[&str], family: Family) -> Vec<Vote> {
        let wire = SharedWire::new(Arc::new(FakeWire::of_dns(|exchange| respond(&exchange))));
        let services: Vec<String> = services.iter().map(|&name| name.to_owned()).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(WhoAmI::new(wire, &services).look(family))
    }

    #[test]
    fn each_service_is_asked_in_its_own_way() {
        let votes = look(&[], Family::V4);
        let names: Vec<&str> = votes.iter().map(|vote| vote.voter.as_str()).collect();
        assert_eq!(names, ["cloudflare", "opendns", "google"]);
        for vote in &votes {
            assert_eq!(vote.answer, Ok(vec!["81.2.69.142".parse().unwrap()]), "{}", vote.voter);
        }
        let votes = look(&["cloudflare", "opendns"], Family::V6);
        for vote in &votes {
            assert_eq!(vote.answer, Ok(vec!["2001:4860::7".parse().unwrap()]), "{}", vote.voter);
        }
    }

    #[test]
    fn an_answer_of_the_other_family_and_an_unknown_service_are_told() {
        let told = look(&["google"], Family::V6).remove(0).answer.unwrap_err();
        assert!(told.contains("which is no IPv6 address"), "{told}");
        let told = look(&["nobody"], Family::V4).remove(0).answer.unwrap_err();
        assert!(told.contains("known are cloudflare, opendns, google"), "{told}");
    }
}
