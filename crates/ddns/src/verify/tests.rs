//! Zones that a test writes down: a resolver at 192.0.2.1 and servers with opinions of their own.

use std::{
    str::FromStr as _,
    sync::atomic::{AtomicUsize, Ordering},
};

use domain::{
    base::{
        Message, MessageBuilder, Name, Rtype, Ttl, iana::Rcode, message_builder::AnswerBuilder,
    },
    rdata::{A, Aaaa, Cname, Ns, Soa},
};

use super::{
    memory::{REMEMBERED_FOR, YOUNG_FOR},
    server::SILENT_FOR,
    *,
};
use crate::{
    address::Family,
    dns,
    fake_wire::FakeWire,
    wire::{Exchange, NetworkError, Networked, Request, Response, Wire},
};

const RESOLVER: &str = "192.0.2.1:53";

fn name(text: &str) -> Name<Vec<u8>> {
    Name::from_str(text).unwrap()
}

fn soa() -> Soa<Name<Vec<u8>>> {
    let day = Ttl::from_secs(86400);
    Soa::new(name("ns1.example.net"), name("h.example.org"), 1.into(), day, day, day, day)
}

/// What is asked: whom, for which name and type.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    server: String,
    name: String,
    kind: Rtype,
}

type Answers = AnswerBuilder<Vec<u8>>;

/// Writes an answer.
fn answer(exchange: &Exchange, code: Rcode, fill: impl FnOnce(&mut Answers)) -> Vec<u8> {
    let asked = Message::from_octets(&exchange.message[..]).unwrap();
    let mut answer = MessageBuilder::new_vec().start_answer(&asked, code).unwrap();
    answer.header_mut().set_aa(exchange.server.to_string() != RESOLVER);
    fill(&mut answer);
    answer.finish()
}

fn asked(exchange: &Exchange) -> Asked {
    let message = Message::from_octets(&exchange.message[..]).unwrap();
    let question = message.sole_question().unwrap();
    let server = exchange.server.to_string();
    let is_to_resolver = server == RESOLVER;
    assert_eq!(message.header().rd(), is_to_resolver, "recursion is for resolvers");
    Asked { server, name: question.qname().to_string(), kind: question.qtype() }
}

/// The resolver: the zone `example.org` with two servers, the first in both families.
fn resolve(exchange: &Exchange, asked: &Asked) -> Vec<u8> {
    let owner = name(&asked.name);
    match (asked.name.as_str(), asked.kind) {
        ("example.org", Rtype::SOA) => answer(exchange, Rcode::NOERROR, |answer| {
            answer.push((owner, 60, soa())).unwrap();
        }),
        ("example.org", Rtype::NS) => answer(exchange, Rcode::NOERROR, |answer| {
            answer.push((owner.clone(), 60, Ns::new(name("ns2.example.net")))).unwrap();
            answer.push((owner, 60, Ns::new(name("ns1.example.net")))).unwrap();
        }),
        ("ns1.example.net", Rtype::A) => answer(exchange, Rcode::NOERROR, |answer| {
            answer.push((owner, 60, A::from_octets(198, 51, 100, 1))).unwrap();
        }),
        ("ns1.example.net", Rtype::AAAA) => answer(exchange, Rcode::NOERROR, |answer| {
            answer.push((owner, 60, Aaaa::from_str("2001:db8::1").unwrap())).unwrap();
        }),
        ("ns2.example.net", Rtype::A) => answer(exchange, Rcode::NOERROR, |answer| {
            answer.push((owner, 60, A::from_octets(198, 51, 100, 2))).unwrap();
        }),
        ("alias.example.org", Rtype::SOA) => answer(exchange, Rcode::NOERROR, |answer| {
            answer.push((owner, 60, Cname::new(name("elsewhere.test")))).unwrap();
            answer.push((name("elsewhere.test"), 60, soa())).unwrap();
        }),
        // As a resolver answers of what has no such record, without telling the zone.
        _ => answer(exchange, Rcode::NOERROR, |_| ()),
    }
}

const NS1: &str = "198.51.100.1:53";
const NS1_IPV6: &str = "[2001:db8::1]:53";
const NS2: &str = "198.51.100.2:53";

fn addresses(exchange: &Exchange, asked: &Asked, all: &[[u8; 4]]) -> Vec<u8> {
    answer(exchange, Rcode::NOERROR, |answer| {
        for &[a, b, c, d] in all {
            answer.push((name(&asked.name), 60, A::from_octets(a, b, c, d))).unwrap();
        }
    })
}

/// A verifier in a network in which the authoritative servers answer so; those that answer
/// nothing are silent.
fn verifier(respond: impl Fn(&Exchange, &Asked) -> Vec<u8> + Send + Sync + 'static) -> Verifier {
    let wire = FakeWire::of_dns(move |exchange| {
        let asked = asked(&exchange);
        if asked.server == RESOLVER {
            return Ok(resolve(&exchange, &asked));
        }
        let answer = respond(&exchange, &asked);
        if answer.is_empty() { Err(silence(&exchange)) } else { Ok(answer) }
    });
    let wire = SharedWire::new(Arc::new(wire));
    let system = || vec![RESOLVER.parse().unwrap()];
    Verifier { system, ..Verifier::new(wire, Vec::new()) }
}

fn record(text: &str) -> Record {
    Record {
        name: Fqdn::parse(text).unwrap(),
        family: Family::V4,
        line: None,
        ttl: None,
        extra: serde_json::Map::new(),
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().unwrap().block_on(future)
}

fn silence(exchange: &Exchange) -> NetworkError {
    NetworkError::Late { peer: exchange.server.to_string(), within: dns::WITHIN }
}

#[test]
fn what_all_have_is_told_in_order_and_the_silent_do_not_matter() {
    let verifier = verifier(|exchange, asked| match asked.server.as_str() {
        NS1 => addresses(exchange, asked, &[[81, 2, 69, 143], [81, 2, 69, 142]]),
        NS2 => addresses(exchange, asked, &[[81, 2, 69, 142], [81, 2, 69, 143]]),
        _ => Vec::new(),
    });
    let told = run(verifier.ask(&record("home.example.org"))).unwrap();
    let expected: Vec<IpAddr> =
        ["81.2.69.142", "81.2.69.143"].map(|text| text.parse().unwrap()).to_vec();
    assert_eq!(told, expected);
    assert_eq!(run(verifier.ask(&record("*.example.org"))).unwrap(), expected);
}

#[test]
fn servers_that_differ_are_named() {
    let verifier = verifier(|exchange, asked| match asked.server.as_str() {
        NS2 => addresses(exchange, asked, &[]),
        _ => addresses(exchange, asked, &[[81, 2, 69, 142]]),
    });
    let failure = run(verifier.ask(&record("home.example.org"))).unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (Class::Transient, "servers-differ"));
    assert_eq!(
        failure.words,
        "the authoritative servers of `example.org` differ: \
        ns1.example.net (198.51.100.1) has 81.2.69.142, \
        ns1.example.net (2001:db8::1) has 81.2.69.142, \
        ns2.example.net (198.51.100.2) has nothing"
    );
}

#[test]
fn a_name_that_is_not_there_has_nothing() {
    let verifier = verifier(|exchange, _| answer(exchange, Rcode::NXDOMAIN, |_| ()));
    assert_eq!(run(verifier.ask(&record("home.example.org"))), Ok(Vec::new()));
}

#[test]
fn who_is_not_authoritative_or_refuses_or_has_an_alias_is_not_heard() {
    let verifier = verifier(|exchange, asked| match asked.server.as_str() {
        NS1 => {
            let mut octets = addresses(exchange, asked, &[[6, 6, 6, 6]]);
            octets[2] &= !4;
            octets
        }
        NS1_IPV6 => answer(exchange, Rcode::REFUSED, |_| ()),
        _ => answer(exchange, Rcode::NOERROR, |answer| {
            answer.push((name(&asked.name), 60, Cname::new(name("elsewhere.test")))).unwrap();
        }),
    });
    let failure = run(verifier.ask(&record("home.example.org"))).unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (Class::Transient, "no-authority"));
    assert_eq!(
        failure.words,
        "no authoritative server of `example.org` answers: \
        ns1.example.net (198.51.100.1): it does not have the zone itself, \
        ns1.example.net (2001:db8::1): the DNS server [2001:db8::1]:53 answers REFUSED, \
        ns2.example.net (198.51.100.2): it has an alias there, of `elsewhere.test`"
    );
}

#[test]
fn the_zone_is_that_of_the_name_and_not_of_what_it_is_an_alias_of() {
    let verifier = verifier(|exchange, asked| addresses(exchange, asked, &[[81, 2, 69, 142]]));
    let told = run(verifier.ask(&record("alias.example.org"))).unwrap();
    assert_eq!(told.len(), 1, "the servers of `example.org` were asked");
}

#[test]
fn a_name_without_a_zone_is_told() {
    let verifier = verifier(|_, _| Vec::new());
    let failure = run(verifier.ask(&record("home.example.com"))).unwrap_err();
    assert_eq!(failure.words, "no DNS server tells in which zone `home.example.com` is");
}

#[test]
fn the_configured_resolvers_are_asked_when_the_system_has_none() {
    let all = Verifier { system: Vec::new, ..verifier(|_, _| panic!("nobody is asked")) };
    let failure = run(all.ask(&record("home.example.org"))).unwrap_err();
    assert!(failure.words.ends_with("no DNS server is known"), "{}", failure.words);
    let resolvers = vec![RESOLVER.parse().unwrap()];
    let own = verifier(|exchange, asked| addresses(exchange, asked, &[]));
    let own = Verifier { system: Vec::new, resolvers, ..own };
    assert_eq!(run(own.ask(&record("home.example.org"))), Ok(Vec::new()));
}

#[test]
fn a_zone_is_remembered_for_an_hour_and_forgotten_when_nobody_answers() {
    let walks = Arc::new(AtomicUsize::new(0));
    let is_dead = Arc::new(AtomicUsize::new(0));
    let (counted, dead) = (Arc::clone(&walks), Arc::clone(&is_dead));
    let wire = FakeWire::of_dns(move |exchange| {
        let asked = asked(&exchange);
        if asked.server == RESOLVER {
            counted.fetch_add(usize::from(asked.kind == Rtype::NS), Ordering::Relaxed);
            return Ok(resolve(&exchange, &asked));
        }
        match dead.load(Ordering::Relaxed) {
            0 => Ok(addresses(&exchange, &asked, &[])),
            _ => Err(silence(&exchange)),
        }
    });
    let wire = SharedWire::new(Arc::new(wire));
    let verifier =
        Verifier { system: || vec![RESOLVER.parse().unwrap()], ..Verifier::new(wire, Vec::new()) };
    let (record, other) = (record("home.example.org"), record("nas.example.org"));
    run(async {
        let walked = || walks.load(Ordering::Relaxed);
        verifier.ask(&record).await.unwrap();
        verifier.ask(&record).await.unwrap();
        verifier.ask(&other).await.unwrap();
        assert_eq!(walked(), 1, "once for all names of the zone");
        tokio::time::advance(REMEMBERED_FOR).await;
        verifier.ask(&record).await.unwrap();
        assert_eq!(walked(), 2);
        is_dead.store(1, Ordering::Relaxed);
        verifier.ask(&record).await.unwrap_err();
        verifier.ask(&record).await.unwrap_err();
        assert_eq!(walked(), 2, "it was found just now");
        tokio::time::advance(YOUNG_FOR).await;
        verifier.ask(&record).await.unwrap_err();
        verifier.ask(&record).await.unwrap_err();
        assert_eq!(walked(), 3);
    });
}

/// A network in which one resolver answers, and whoever else is asked never does.
#[derive(Debug, Default)]
struct Grave {
    /// How many questions nobody answers at the moment, the most there were, and all there were.
    counts: Mutex<[usize; 3]>,
    walks: AtomicUsize,
}

impl Wire for Grave {
    fn http(&self, _: Request) -> Networked<'_, Response> {
        unreachable!("names are not asked of web servers")
    }

    fn dns(&self, exchange: Exchange) -> Networked<'_, Vec<u8>> {
        let asked = asked(&exchange);
        if asked.server == RESOLVER {
            self.walks.fetch_add(usize::from(asked.kind == Rtype::NS), Ordering::Relaxed);
            // As if all of the zone were one name: what is below it tells where the zone is.
            let is_zone = asked.kind == Rtype::SOA;
            let asked = if is_zone { Asked { name: "example.org".into(), ..asked } } else { asked };
            return Box::pin(async move { Ok(resolve(&exchange, &asked)) });
        }
        Box::pin(async move {
            {
                let mut counts = self.counts.lock().unwrap();
                counts[0] += 1;
                counts[1] = counts[1].max(counts[0]);
                counts[2] += 1;
            }
            tokio::time::sleep_until(tokio::time::Instant::now() + exchange.within).await;
            self.counts.lock().unwrap()[0] -= 1;
            Err(silence(&exchange))
        })
    }

    fn resolve(&self, _: &str, _: Option<Family>) -> Networked<'_, Vec<IpAddr>> {
        unreachable!("servers are asked for by questions")
    }

    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn nonce(&self) -> u128 {
        7
    }
}

#[test]
fn a_dead_server_is_found_out_about_once_for_all_names() {
    let grave = Arc::new(Grave::default());
    let verifier = Verifier {
        system: || vec![RESOLVER.parse().unwrap()],
        ..Verifier::new(SharedWire::new(grave.clone()), Vec::new())
    };
    run(async {
        let begun = tokio::time::Instant::now();
        let ask_all = async || {
            let records: Vec<Record> =
                (0..100).map(|at| record(&format!("n{at}.example.org"))).collect();
            let all = records
                .iter()
                .map(|one| Box::pin(verifier.ask(one)) as Later<'_, Result<Vec<IpAddr>, Failure>>);
            for told in together(all.collect()).await {
                assert_eq!(told.unwrap_err().code, "no-authority");
            }
        };
        ask_all().await;
        // Three servers, two questions at a time to each, and nobody asks after the first silence.
        assert_eq!(*grave.counts.lock().unwrap(), [0, 6, 6]);
        assert_eq!(grave.walks.load(Ordering::Relaxed), 1);
        assert_eq!(begun.elapsed(), dns::WITHIN);
        ask_all().await;
        assert_eq!((grave.counts.lock().unwrap()[2], begun.elapsed()), (6, dns::WITHIN));
        tokio::time::advance(SILENT_FOR).await;
        ask_all().await;
        assert_eq!(*grave.counts.lock().unwrap(), [0, 6, 12]);
    });
}

#[test]
fn a_zone_whose_servers_are_not_found_is_looked_for_again_soon() {
    let walks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&walks);
    let wire = FakeWire::of_dns(move |exchange| {
        let asked = asked(&exchange);
        if asked.kind == Rtype::NS {
            counted.fetch_add(1, Ordering::Relaxed);
            return Err(silence(&exchange));
        }
        Ok(resolve(&exchange, &Asked { name: "example.org".to_owned(), ..asked }))
    });
    let wire = SharedWire::new(Arc::new(wire));
    let verifier =
        Verifier { system: || vec![RESOLVER.parse().unwrap()], ..Verifier::new(wire, Vec::new()) };
    run(async {
        for at in 0..5 {
            verifier.ask(&record(&format!("n{at}.example.org"))).await.unwrap_err();
        }
        assert_eq!(walks.load(Ordering::Relaxed), 1);
        tokio::time::advance(SILENT_FOR).await;
        verifier.ask(&record("n0.example.org")).await.unwrap_err();
        assert_eq!(walks.load(Ordering::Relaxed), 2);
    });
}
