//! A server in the test: it has one zone, checks signatures and prerequisites, and signs.

use std::{collections::BTreeMap, net::IpAddr, sync::Mutex};

use domain::{
    base::{
        Message, MessageBuilder, Name,
        iana::{Class as DnsClass, Opcode, Rcode, Rtype, TsigRcode},
        message_builder::AnswerBuilder,
    },
    rdata::{A, Aaaa, Cname, Soa, tsig::Time48},
    tsig::ServerTransaction,
};
use serde_json::{Map, Value, json};

use super::*;
use crate::{
    address::Family,
    failure::Reach,
    fake_wire::{Chance, FakeWire},
    name::Fqdn,
    providers::find,
    wire::script::{Script, run},
};

const SECRET: &str = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0";
const OLD: &str = "81.2.69.141";
const NEW: &str = "81.2.69.142";
const SERVER: &str = "192.0.2.53:53";

/// A name and a type.
type Of = (String, u16);
/// A time to live and values.
type Set = (u32, Vec<IpAddr>);

/// What a server has, and how it behaves.
struct Peer {
    sets: BTreeMap<Of, Set>,
    aliases: Vec<String>,
    wildcard: Option<IpAddr>,
    key: Option<Arc<Key>>,
    /// How far its clock is ahead.
    ahead: i64,
    /// Answers every update so.
    always: Option<Rcode>,
    updates: Vec<Vec<u8>>,
}

type Shared = Arc<Mutex<Peer>>;

fn peer(key: Option<Arc<Key>>) -> Shared {
    let (sets, aliases, updates) = (BTreeMap::new(), Vec::new(), Vec::new());
    let peer = Peer { sets, aliases, wildcard: None, key, ahead: 0, always: None, updates };
    Arc::new(Mutex::new(peer))
}

fn wire(peer: &Shared) -> FakeWire {
    let peer = Arc::clone(peer);
    FakeWire::of_dns(move |exchange| {
        assert_eq!(exchange.server.to_string(), SERVER);
        Ok(peer.lock().unwrap().respond(&exchange.message))
    })
}

impl Peer {
    fn respond(&mut self, octets: &[u8]) -> Vec<u8> {
        let message = Message::from_octets(octets.to_vec()).unwrap();
        match message.header().opcode() {
            Opcode::UPDATE => self.take(octets, message),
            _ => self.tell(&message),
        }
    }

    fn tell(&self, asked: &Message<Vec<u8>>) -> Vec<u8> {
        let question = asked.sole_question().unwrap();
        let name = question.qname().to_string();
        let mut answer = MessageBuilder::new_vec().start_answer(asked, Rcode::NOERROR).unwrap();
        answer.header_mut().set_aa(true);
        let owner = question.qname();
        let wildcard = self.wildcard.map(|one| (300, vec![one]));
        let set = self.sets.get(&(name.clone(), question.qtype().to_int())).cloned().or(wildcard);
        if self.aliases.contains(&name) {
            let target: Name<Vec<u8>> = "elsewhere.example.org".parse().unwrap();
            answer.push((owner, 60, Cname::new(target))).unwrap();
        } else if question.qtype() != Rtype::SOA {
            for value in set.iter().flat_map(|(_, values)| values) {
                push(&mut answer, &name, (set.as_ref().unwrap().0, *value));
            }
        }
        let mut authority = answer.authority();
        let zone: Name<Vec<u8>> = "example.org".parse().unwrap();
        authority.push((zone, 60, soa("ns1.example.org"))).unwrap();
        authority.finish()
    }

    fn take(&mut self, octets: &[u8], mut message: Message<Vec<u8>>) -> Vec<u8> {
        self.updates.push(octets.to_vec());
        let now = Time48::from_u64(u64::try_from(self.ahead.max(0)).unwrap());
        let transaction = match &self.key {
            None => None,
            Some(key) => match ServerTransaction::request(key, &mut message, now) {
                Ok(transaction) => transaction,
                Err(error) => {
                    // The library says FORMERR of a wrong signature, where RFC 8945 wants BADSIG.
                    let is_signature = error.error() == TsigRcode::FORMERR;
                    let builder = MessageBuilder::new_vec();
                    let mut answer = error.build_message(&message, builder).unwrap().finish();
                    let code = answer.len() - 3;
                    answer[code] = if is_signature { 16 } else { answer[code] };
                    return answer;
                }
            },
        };
        let rcode = match (self.always, &self.key, &transaction) {
            (Some(always), _, _) => always,
            (None, Some(_), None) => Rcode::REFUSED,
            (None, _, _) => self.apply(&message),
        };
        let answer = MessageBuilder::new_vec().start_answer(&message, rcode).unwrap();
        let mut answer = answer.additional();
        if let Some(transaction) = transaction {
            transaction.answer(&mut answer, now).unwrap();
        }
        answer.finish()
    }

    /// Does what a message says, if what it requires is so (RFC 2136, section 3).
    fn apply(&mut self, message: &Message<Vec<u8>>) -> Rcode {
        let (_, must_be, updates, _) = message.sections().unwrap();
        let mut exactly: BTreeMap<Of, Vec<IpAddr>> = BTreeMap::new();
        for record in must_be.map(Result::unwrap) {
            let of = (record.owner().to_string(), record.rtype().to_int());
            if record.class() == DnsClass::NONE {
                if self.sets.contains_key(&of) {
                    return Rcode::YXRRSET;
                }
                continue;
            }
            exactly.entry(of).or_default().extend(address(&record));
        }
        for (of, values) in exactly {
            if self.sets.get(&of).map(|(_, values)| values) != Some(&values) {
                return Rcode::NXRRSET;
            }
        }
        for record in updates.map(Result::unwrap) {
            let of = (record.owner().to_string(), record.rtype().to_int());
            if record.class() == DnsClass::ANY {
                self.sets.remove(&of);
                continue;
            }
            let set = self.sets.entry(of).or_insert((record.ttl().as_secs(), Vec::new()));
            set.1.extend(address(&record));
        }
        Rcode::NOERROR
    }
}

fn push(answer: &mut AnswerBuilder<Vec<u8>>, name: &str, (ttl, value): (u32, IpAddr)) {
    let name: Name<Vec<u8>> = name.parse().unwrap();
    match value {
        IpAddr::V4(one) => answer.push((name, ttl, A::new(one))).unwrap(),
        IpAddr::V6(one) => answer.push((name, ttl, Aaaa::new(one))).unwrap(),
    }
}

fn soa(primary: &str) -> Soa<Name<Vec<u8>>> {
    let day = domain::base::Ttl::from_secs(86400);
    let name = |text: &str| text.parse::<Name<Vec<u8>>>().unwrap();
    Soa::new(name(primary), name("hostmaster.example.org"), 1.into(), day, day, day, day)
}

fn address(record: &domain::base::ParsedRecord<'_, Vec<u8>>) -> Option<IpAddr> {
    let v4 = record.to_record::<A>().unwrap().map(|one| IpAddr::V4(one.data().addr()));
    let v6 = || record.to_record::<Aaaa>().unwrap().map(|one| IpAddr::V6(one.data().addr()));
    v4.or_else(v6)
}

fn tsig(name: &str, secret: &str, algorithm: Algorithm) -> Arc<Key> {
    let octets = base64::decode(secret).unwrap();
    Arc::new(Key::new(algorithm, &octets, name.parse().unwrap(), None, None).unwrap())
}

/// Returns a server that wants the usual key.
fn keyed() -> Shared {
    peer(Some(tsig("ddns-key", SECRET, Algorithm::Sha256)))
}

fn open_with(given: Value) -> Result<Box<dyn Provider>, String> {
    let entry = find("rfc2136").unwrap();
    let Value::Object(mut given) = given else { panic!("tests give tables") };
    given.entry("server").or_insert(json!(SERVER));
    let parameters = Parameters::check(entry, given).map_err(|error| error.to_string())?;
    (entry.open)(&parameters).map_err(|error| error.to_string())
}

fn usual() -> Box<dyn Provider> {
    open_with(json!({"key-name": "ddns-key.", "key": SECRET})).unwrap()
}

fn record(ttl: Option<u32>) -> Record {
    let name = Fqdn::parse("home.example.org").unwrap();
    Record { name, family: Family::V4, line: None, ttl, extra: Map::new() }
}

fn change(found: Option<Found>) -> Change {
    let (want, ours, beside) = (vec![NEW.parse().unwrap()], Vec::new(), Vec::new());
    Change { record: record(None), want, ours, found, prefix: None, beside }
}

fn of_home() -> Of {
    ("home.example.org".to_owned(), Rtype::A.to_int())
}

/// Reads, and writes what follows from it.
fn updated(provider: &dyn Provider, peer: &Shared) -> Result<Written, Failure> {
    let wire = wire(peer);
    let found = run(provider.read(&wire, &record(None)))?;
    run(provider.write(&wire, &change(Some(found))))
}

#[test]
fn a_set_is_replaced_by_one_message() {
    let peer = keyed();
    peer.lock().unwrap().sets.insert(of_home(), (120, vec![OLD.parse().unwrap()]));
    updated(&*usual(), &peer).unwrap();
    let peer = peer.lock().unwrap();
    assert_eq!(peer.sets.get(&of_home()), Some(&(120, vec![NEW.parse().unwrap()])));
    let [only] = peer.updates.as_slice() else { panic!("{} messages", peer.updates.len()) };
    let message = Message::from_octets(only.as_slice()).unwrap();
    let zone = message.sole_question().unwrap();
    assert_eq!((zone.qname().to_string().as_str(), zone.qtype()), ("example.org", Rtype::SOA));
    let counts = message.header_counts();
    assert_eq!((counts.ancount(), counts.nscount(), counts.arcount()), (1, 2, 1));
}

#[test]
fn what_is_right_already_is_not_written() {
    let peer = keyed();
    peer.lock().unwrap().sets.insert(of_home(), (120, vec![NEW.parse().unwrap()]));
    assert_eq!(updated(&*usual(), &peer).unwrap().change, Changed::No);
    assert!(peer.lock().unwrap().updates.is_empty());
}

#[test]
fn addresses_of_somebody_else_stay() {
    let peer = keyed();
    let [old, new, theirs] = [OLD, NEW, "81.2.69.9"].map(|one| one.parse::<IpAddr>().unwrap());
    peer.lock().unwrap().sets.insert(of_home(), (120, vec![theirs, old]));
    let found = Found { values: vec![theirs, old], ttl: Some(120), handle: Value::Null };
    let change = Change { ours: vec![old], ..change(Some(found.clone())) };
    run(usual().write(&wire(&peer), &change)).unwrap();
    assert_eq!(peer.lock().unwrap().sets.get(&of_home()), Some(&(120, vec![theirs, new])));
    let change = Change { ours: Vec::new(), ..change };
    let failure = run(usual().write(&wire(&peer), &change)).unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (Class::Parked, "ambiguous"));
}

#[test]
fn what_is_missing_is_created_and_only_then() {
    let peer = keyed();
    updated(&*usual(), &peer).unwrap();
    let made = (TTL, vec![NEW.parse().unwrap()]);
    assert_eq!(peer.lock().unwrap().sets.get(&of_home()), Some(&made));
    let nothing = change(Some(Found::default()));
    let failure = run(usual().write(&wire(&peer), &nothing)).unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (Class::Transient, "changed"));
}

#[test]
fn what_somebody_else_has_changed_is_left_alone() {
    let peer = keyed();
    let theirs = (60, vec!["81.2.69.9".parse().unwrap()]);
    peer.lock().unwrap().sets.insert(of_home(), theirs.clone());
    let values = vec![OLD.parse().unwrap()];
    let found = Found { values, ttl: Some(60), handle: Value::Null };
    let failure = run(usual().write(&wire(&peer), &change(Some(found)))).unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (Class::Transient, "changed"));
    assert_eq!(peer.lock().unwrap().sets.get(&of_home()), Some(&theirs));
}

#[test]
fn a_name_that_a_wildcard_answers_for_gets_a_set_of_its_own() {
    let peer = keyed();
    peer.lock().unwrap().wildcard = Some(OLD.parse().unwrap());
    updated(&*usual(), &peer).unwrap();
    let made = (300, vec![NEW.parse().unwrap()]);
    assert_eq!(peer.lock().unwrap().sets.get(&of_home()), Some(&made));
}

#[test]
fn ipv6_and_several_addresses_are_kept_too() {
    let peer = keyed();
    let want: Vec<IpAddr> = ["2a02:b18::1", "2a02:b18::2"].map(|one| one.parse().unwrap()).into();
    let record = Record { family: Family::V6, ttl: Some(30), ..record(None) };
    let change = Change { record, want: want.clone(), ..change(Some(Found::default())) };
    run(usual().write(&wire(&peer), &change)).unwrap();
    let of_home = ("home.example.org".to_owned(), Rtype::AAAA.to_int());
    assert_eq!(peer.lock().unwrap().sets.get(&of_home), Some(&(30, want)));
}

#[test]
fn every_algorithm_is_understood_on_both_sides() {
    let algorithms = [
        ("hmac-sha1", Algorithm::Sha1),
        ("HMAC-SHA256.", Algorithm::Sha256),
        ("hmac-sha384", Algorithm::Sha384),
        ("hmac-sha512", Algorithm::Sha512),
    ];
    for (name, algorithm) in algorithms {
        let peer = peer(Some(tsig("k", SECRET, algorithm)));
        let given = json!({"key-name": "k", "key": SECRET, "algorithm": name});
        updated(&*open_with(given).unwrap(), &peer).unwrap();
    }
}

#[test]
fn a_server_may_know_us_by_our_address() {
    let open = peer(None);
    updated(&*open_with(json!({})).unwrap(), &open).unwrap();
    let closed = keyed();
    let failure = updated(&*open_with(json!({})).unwrap(), &closed).unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (Class::Parked, "REFUSED"));
    assert!(failure.words.contains("wants a key"), "{}", failure.words);
}

#[test]
fn a_wrong_key_is_called_a_wrong_key() {
    let peer = keyed();
    let fails = |name: &str, secret: &str, algorithm: &str| {
        let given = json!({"key-name": name, "key": secret, "algorithm": algorithm});
        let failure = updated(&*open_with(given).unwrap(), &peer).unwrap_err();
        assert_eq!((failure.class, failure.reach), (Class::Parked, Reach::Account));
        assert!(!failure.words.contains(secret));
        (failure.code, failure.words)
    };
    let (code, words) = fails("ddns-key", "d3Jvbmc=", "hmac-sha256");
    assert_eq!(code, "BADSIG");
    assert!(words.contains("wrong TSIG key"), "{words}");
    let (code, words) = fails("other", SECRET, "hmac-sha256");
    assert_eq!(code, "BADKEY");
    assert!(words.contains("does not know the key"), "{words}");
    assert_eq!(fails("ddns-key", SECRET, "hmac-sha512").0, "BADKEY");
}

#[test]
fn a_clock_that_is_wrong_is_no_wrong_key() {
    let peer = keyed();
    peer.lock().unwrap().ahead = 600;
    let failure = updated(&*usual(), &peer).unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (Class::Clock, "BADTIME"));
    assert!(failure.words.contains("600 s behind"), "{}", failure.words);
}

#[test]
fn every_code_has_its_meaning() {
    let check = |rcode, class, code: &str| {
        let peer = keyed();
        peer.lock().unwrap().always = Some(rcode);
        let failure = updated(&*usual(), &peer).unwrap_err();
        assert_eq!((failure.class, failure.code.as_str()), (class, code));
        assert_eq!(failure.reach, Reach::Binding, "{code}");
    };
    check(Rcode::REFUSED, Class::Parked, "REFUSED");
    check(Rcode::NOTAUTH, Class::Parked, "NOTAUTH");
    check(Rcode::NOTZONE, Class::Parked, "NOTZONE");
    check(Rcode::NOTIMP, Class::Parked, "NOTIMP");
    check(Rcode::FORMERR, Class::Parked, "FORMERR");
    check(Rcode::SERVFAIL, Class::Transient, "SERVFAIL");
    check(Rcode::NXRRSET, Class::Transient, "changed");
    check(Rcode::YXRRSET, Class::Transient, "changed");
}

#[test]
fn a_success_that_nobody_signed_is_not_believed() {
    let peer = peer(None);
    let failure = updated(&*usual(), &peer).unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (Class::Transient, "unsigned-answer"));
    let wire = FakeWire::of_dns(|exchange| Ok(exchange.message));
    let provider = open_with(json!({"zone": "example.org"})).unwrap();
    let failure = run(provider.write(&wire, &change(None))).unwrap_err();
    assert_eq!(failure.code, "unknown-answer", "our own message is no answer");
}

#[test]
fn no_damage_makes_a_success_of_an_answer_that_is_signed() {
    let mut successes = 0;
    for seed in 0..2000 {
        let peer = keyed();
        peer.lock().unwrap().always = Some(Rcode::SERVFAIL);
        let wire = FakeWire::of_dns(move |exchange| {
            let honest = peer.lock().unwrap().respond(&exchange.message);
            Ok(Chance::new(seed).damage(&honest))
        });
        let given = json!({"zone": "example.org", "key-name": "ddns-key", "key": SECRET});
        let result = run(open_with(given).unwrap().write(&wire, &change(None)));
        successes += usize::from(result.is_ok());
    }
    assert_eq!(successes, 0);
}

#[test]
fn an_alias_is_parked_because_the_server_would_ignore_us() {
    let peer = keyed();
    peer.lock().unwrap().aliases.push("home.example.org".to_owned());
    let provider = open_with(json!({"zone": "example.org"})).unwrap();
    let failure = run(provider.read(&wire(&peer), &record(None))).unwrap_err();
    assert_eq!((failure.class, failure.code.as_str()), (Class::Parked, "alias"));
}

#[test]
fn the_zone_and_its_primary_are_found_by_themselves() {
    let peer = peer(None);
    let (asks, reads) = (Arc::clone(&peer), Arc::clone(&peer));
    let wire = Script::new()
        .on_dns(move |exchange| {
            assert_eq!(exchange.server.to_string(), "1.1.1.1:53");
            Ok(asks.lock().unwrap().respond(&exchange.message))
        })
        .on_resolve("ns1.example.org", Ok(vec!["192.0.2.9".parse().unwrap()]))
        .on_dns(move |exchange| {
            assert_eq!(exchange.server.to_string(), "192.0.2.9:53");
            Ok(reads.lock().unwrap().respond(&exchange.message))
        });
    let entry = find("rfc2136").unwrap();
    let provider = (entry.open)(&Parameters::default()).unwrap();
    assert_eq!(run(provider.read(&wire, &record(None))), Ok(Found::default()));
    wire.done();
}

#[test]
fn the_next_address_of_a_server_is_tried_by_the_carrier_that_is_configured() {
    let peer = peer(None);
    let takes = Arc::clone(&peer);
    let addresses = ["192.0.2.1", "192.0.2.2"].map(|one| one.parse().unwrap());
    let late = |exchange: &Exchange| {
        let (peer, within) = (exchange.server.to_string(), exchange.within);
        Err(NetworkError::Late { peer, within })
    };
    let wire = Script::new()
        .on_resolve("ns.example.org", Ok(addresses.into()))
        .on_dns(late)
        .on_dns(move |exchange| {
            assert_eq!(exchange.server.to_string(), "192.0.2.2:5353");
            assert_eq!(exchange.carrier, Carrier::Tcp);
            Ok(takes.lock().unwrap().respond(&exchange.message))
        });
    let given = json!({"server": "ns.example.org:5353", "zone": "example.org", "transport": "tcp"});
    run(open_with(given).unwrap().write(&wire, &change(None))).unwrap();
    wire.done();
}

#[test]
fn parameters_that_do_not_fit_are_refused() {
    let refused = |given: Value, part: &str| {
        let told = open_with(given).unwrap_err();
        assert!(told.contains(part), "{told}");
    };
    refused(json!({"key-name": "k"}), "`key`: it is missing");
    refused(json!({"key": SECRET}), "`key-name`: it is missing");
    refused(json!({"key-name": "k", "key": "!!"}), "`key`: it is no base64");
    refused(json!({"algorithm": "hmac-md5"}), "hmac-md5");
    refused(json!({"transport": "tls"}), "`transport`");
    refused(json!({"server": "http://x/"}), "`server`");
    refused(json!({"zone": "a..b"}), "`zone`");
    assert!(!format!("{:?}", usual()).contains(SECRET));
}
