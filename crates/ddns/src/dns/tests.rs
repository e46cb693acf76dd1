//! Answers of honest, confused and hostile servers.

use domain::{
    base::{
        Message, MessageBuilder, Name, iana::Rcode as Code, message_builder::AnswerBuilder,
        rdata::ComposeRecordData,
    },
    rdata::{A, Aaaa, Cname, Ns, Soa, Txt},
};

use super::*;
use crate::fake_wire::FakeWire;

fn server() -> SocketAddr {
    "192.0.2.53:53".parse().unwrap()
}

fn name(text: &str) -> Name<Vec<u8>> {
    text.parse().unwrap()
}

type Answers = AnswerBuilder<Vec<u8>>;

/// Answers a message with these records.
fn answer(asked: &[u8], code: Code, fill: impl FnOnce(&mut Answers)) -> Vec<u8> {
    let asked = Message::from_octets(asked).unwrap();
    let mut builder = MessageBuilder::new_vec().start_answer(&asked, code).unwrap();
    fill(&mut builder);
    builder.finish()
}

fn put(answers: &mut Answers, owner: &str, data: impl ComposeRecordData) {
    answers.push((name(owner), 60, data)).unwrap();
}

fn soa(primary: &str) -> Soa<Name<Vec<u8>>> {
    let day = domain::base::Ttl::from_secs(86400);
    Soa::new(name(primary), name("hostmaster.example.org"), 1.into(), day, day, day, day)
}

/// Asks for the address of `home.example.org` and returns what is made of the answer.
fn asked(
    respond: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static,
    kind: Kind,
) -> Result<Answer, DnsError> {
    let wire = FakeWire::of_dns(move |exchange| Ok(respond(&exchange.message)));
    let question = Question::to_resolver("Home.example.org.", kind);
    run(ask(&wire, server(), &question))
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn a_question_lies_on_the_wire_as_the_standard_says() {
    let question = Question::to_resolver("home.example.org", Kind::Aaaa);
    let message = question.message(0x0102).unwrap();
    let expected =
        b"\x01\x02\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04home\x07example\x03org\x00\x00\x1c\x00\x01";
    assert_eq!(message, expected);

    let question = Question::to_authority("home.example.org", Kind::A);
    assert_eq!(question.message(0).unwrap()[2..4], [0, 0], "no recursion");
    let question = Question { realm: Realm::Chaos, ..question };
    assert_eq!(question.message(0).unwrap().last(), Some(&3), "class CH");
}

#[test]
fn what_cannot_be_asked_for_is_told() {
    for text in ["a..b", &"a".repeat(64), &"ab.".repeat(100)] {
        let error = Question::to_resolver(text, Kind::A).message(0).unwrap_err();
        assert!(error.to_string().starts_with("cannot ask for `a"), "{error}");
        assert_eq!(Failure::from(error).class, Class::Parked);
    }
}

#[test]
fn each_kind_of_record_is_read() {
    let got = asked(
        |asked| {
            answer(asked, Code::NOERROR, |answers| {
                answers.header_mut().set_aa(true);
                put(answers, "HOME.example.org", A::from_octets(81, 2, 69, 142));
                put(answers, "home.example.org", A::from_octets(81, 2, 69, 143));
                put(answers, "home.example.org", A::from_octets(81, 2, 69, 142));
                put(answers, "other.example.org", A::from_octets(6, 6, 6, 6));
                put(answers, "home.example.org", Aaaa::new("2a00::1".parse().unwrap()));
            })
        },
        Kind::A,
    )
    .unwrap();
    let expected: Vec<std::net::IpAddr> =
        vec!["81.2.69.142".parse().unwrap(), "81.2.69.143".parse().unwrap()];
    assert_eq!((got.rcode, got.authoritative), (Rcode::NO_ERROR, true));
    assert_eq!(got.addresses, expected, "of this name, type and no other, each once");

    let got = asked(
        |asked| {
            answer(asked, Code::NOERROR, |answers| {
                let text = Txt::<Vec<u8>>::build_from_slice(&[b'x'; 300]).unwrap();
                put(answers, "home.example.org", text);
            })
        },
        Kind::Txt,
    );
    assert_eq!(got.unwrap().texts, ["x".repeat(300)]);

    let got = asked(
        |asked| {
            answer(asked, Code::NOERROR, |answers| {
                put(answers, "home.example.org", Ns::new(name("NS1.example.net")));
            })
        },
        Kind::Ns,
    );
    assert_eq!(got.unwrap().servers, ["ns1.example.net"]);
}

#[test]
fn a_zone_is_told_by_its_record_in_the_answer_or_beside_an_empty_one() {
    let zone = |zone: &str| {
        let primary = "ns1.example.net".to_owned();
        Some(Authority { zone: zone.to_owned(), primary })
    };
    let got = asked(
        |asked| {
            answer(asked, Code::NOERROR, |answers| {
                put(answers, "home.example.org", soa("ns1.example.net"));
            })
        },
        Kind::Soa,
    );
    assert_eq!(got.unwrap().authority, zone("home.example.org"));

    let beside = |owner: &'static str| {
        move |asked: &[u8]| {
            let asked = Message::from_octets(asked).unwrap();
            let builder = MessageBuilder::new_vec().start_answer(&asked, Code::NXDOMAIN).unwrap();
            let mut authority = builder.authority();
            authority.push((name(owner), 60, soa("ns1.example.net"))).unwrap();
            authority.finish()
        }
    };
    let got = asked(beside("example.org"), Kind::Soa).unwrap();
    assert_eq!((got.rcode, got.authority), (Rcode::NO_NAME, zone("example.org")));
    assert_eq!(asked(beside("example.com"), Kind::Soa).unwrap().authority, None, "another's");
}

#[test]
fn aliases_are_followed_and_never_in_a_circle() {
    let chain = |links: &'static [(&str, &str)]| {
        move |asked: &[u8]| {
            answer(asked, Code::NOERROR, |answers| {
                for (from, to) in links {
                    put(answers, from, Cname::new(name(to)));
                }
                put(answers, "end.example.net", A::from_octets(81, 2, 69, 142));
            })
        }
    };
    let straight =
        chain(&[("home.example.org", "a.example.net"), ("a.example.net", "end.example.net")]);
    let got = asked(straight, Kind::A).unwrap();
    assert_eq!(got.aliases, ["a.example.net", "end.example.net"]);
    assert_eq!(got.addresses.len(), 1);

    let circle = chain(&[("home.example.org", "a.test"), ("a.test", "home.example.org")]);
    let told = asked(circle, Kind::A).unwrap_err().to_string();
    assert!(told.contains("in a circle"), "{told}");
}

#[test]
fn an_answer_to_something_else_is_not_believed() {
    let check = |change: fn(&mut Vec<u8>), part: &str| {
        let respond = move |asked: &[u8]| {
            let mut octets = answer(asked, Code::NOERROR, |answers| {
                put(answers, "home.example.org", A::from_octets(6, 6, 6, 6));
            });
            change(&mut octets);
            octets
        };
        let error = asked(respond, Kind::A).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
        assert_eq!(Failure::from(error).class, Class::Transient);
    };
    check(|octets| octets[0] ^= 1, "another number");
    check(|octets| octets[2] &= 0x7f, "is no answer");
    check(|octets| octets[2] |= 0x28, "is no answer");
    check(|octets| octets[13] = b'x', "another question");
    check(|octets| octets[5] = 0, "another question");
    check(|octets| octets[2] |= 0x02, "cut short");
    check(|octets| octets.truncate(11), "too short");
    check(|octets| octets.truncate(40), "no message");
    // The owner of the record points at itself.
    check(|octets| octets[34..36].copy_from_slice(&[0xc0, 34]), "no message");
}

#[test]
fn a_code_of_refusal_is_told_and_may_come_without_the_question() {
    let got = asked(|asked| [&asked[..2], b"\x81\x05\0\0\0\0\0\0\0\0"].concat(), Kind::A).unwrap();
    assert_eq!(got.rcode, Rcode::REFUSED);
    let error = got.sound(server()).unwrap_err();
    assert_eq!(error.to_string(), "the DNS server 192.0.2.53:53 answers REFUSED");
    assert_eq!(Failure::from(error).code, "REFUSED");
}

#[test]
fn the_next_server_is_asked_when_one_is_of_no_use() {
    let wire = FakeWire::of_dns(|exchange| match exchange.server.port() {
        1 => Err(NetworkError::Late { peer: "one".to_owned(), within: WITHIN }),
        2 => Ok(answer(&exchange.message, Code::SERVFAIL, |_| ())),
        _ => Ok(answer(&exchange.message, Code::NXDOMAIN, |_| ())),
    });
    let servers = |ports: std::ops::RangeInclusive<u16>| -> Vec<SocketAddr> {
        ports.map(|port| SocketAddr::from(([192, 0, 2, 1], port))).collect()
    };
    let question = Question::to_resolver("home.example.org", Kind::A);
    let got = run(ask_first(&wire, &servers(1..=3), &question)).unwrap();
    assert_eq!(got.rcode, Rcode::NO_NAME);
    let error = run(ask_first(&wire, &servers(1..=2), &question)).unwrap_err();
    assert!(error.to_string().ends_with("answers SERVFAIL"), "{error}");
    let error = run(ask_first(&wire, &[], &question)).unwrap_err();
    assert!(error.to_string().ends_with("no DNS server is known"), "{error}");
}

/// Whatever arrives, somebody says what it is: it ends, and in few values.
#[test]
fn damaged_answers_are_read_to_an_end() {
    let question = Question::to_resolver("home.example.org", Kind::A);
    let message = question.message(7).unwrap();
    let whole = answer(&message, Code::NOERROR, |answers| {
        put(answers, "home.example.org", Cname::new(name("a.example.net")));
        for last in 0..100 {
            put(answers, "a.example.net", A::from_octets(81, 2, 69, last));
        }
        put(answers, "a.example.net", soa("ns1.example.net"));
    });
    assert_eq!(answer::read(server(), &message, &whole).unwrap().addresses.len(), 64);
    let mut chance = crate::fake_wire::Chance::new(5);
    for _ in 0..5_000 {
        let damaged = chance.damage(&whole);
        if let Ok(read) = answer::read(server(), &message, &damaged) {
            assert!(read.addresses.len() <= 64 && read.aliases.len() <= 9, "{read:?}");
        }
    }
}
