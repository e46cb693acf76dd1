//! What a DNS server answers, read without believing more than was asked.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use domain::{
    base::{
        Message, ParsedName, ParsedRecord, RecordSection,
        iana::{self, Rtype},
        name::ToName as _,
        wire::ParseError,
    },
    rdata::{A, Aaaa, Cname, Ns, Soa, Txt},
};

use super::DnsError;

/// The most values of a kind that are taken from one answer.
const VALUES_MAX: usize = 64;
/// The most aliases that are followed from a name.
const ALIASES_MAX: usize = 8;

/// What a server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// How it went.
    pub rcode: Rcode,
    /// Whether the server has the zone itself.
    pub authoritative: bool,
    /// What the name is an alias of, one after the other; nothing when it stands for itself.
    pub aliases: Vec<String>,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// How long, in seconds, the shortest-lived of these addresses may be remembered.
    pub ttl: Option<u32>,
    /// Its texts, the parts of each put together.
    pub texts: Vec<String>,
    /// The servers of the zone that has this name.
    pub servers: Vec<String>,
    /// The zone's own record, wherever in the answer it stands: it tells where the zone begins.
    pub authority: Option<Authority>,
}

/// Where a zone begins, and who has its original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// The name of the zone.
    pub zone: String,
    /// The server that has its original (MNAME).
    pub primary: String,
}

/// How a question went (RFC 1035, section 4.1.1; RFC 2136, section 2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rcode(iana::Rcode);

impl Rcode {
    /// There is no error.
    pub const NO_ERROR: Self = Self(iana::Rcode::NOERROR);
    /// There is no such name.
    pub const NO_NAME: Self = Self(iana::Rcode::NXDOMAIN);
    /// The server has trouble of its own.
    pub const SERVER_FAILURE: Self = Self(iana::Rcode::SERVFAIL);
    /// The server does not want to answer us.
    pub const REFUSED: Self = Self(iana::Rcode::REFUSED);
}

impl fmt::Display for Rcode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

impl Answer {
    /// Returns an answer that tells nothing.
    const fn empty() -> Self {
        Self {
            rcode: Rcode::NO_ERROR,
            authoritative: false,
            aliases: Vec::new(),
            addresses: Vec::new(),
            ttl: None,
            texts: Vec::new(),
            servers: Vec::new(),
            authority: None,
        }
    }

    /// Returns it if it tells what there is, be it nothing.
    pub fn sound(self, server: SocketAddr) -> Result<Self, DnsError> {
        match self.rcode {
            Rcode::NO_ERROR | Rcode::NO_NAME => Ok(self),
            rcode => Err(DnsError::Refused { server, rcode }),
        }
    }
}

/// Reads what a server answers to a message of ours.
pub(super) fn read(server: SocketAddr, asked: &[u8], octets: &[u8]) -> Result<Answer, DnsError> {
    let malformed = |_| DnsError::Malformed { server, why: "it is no message of the DNS" };
    let short = |_| DnsError::Malformed { server, why: "it is too short" };
    let asked = Message::from_slice(asked).map_err(short)?;
    let message = Message::from_slice(octets).map_err(short)?;
    check(asked, message).map_err(|why| DnsError::Foreign { server, why })?;
    if message.header().tc() {
        return Err(DnsError::Malformed { server, why: "it is cut short" });
    }
    let question = asked.sole_question().map_err(malformed)?;
    gather(message, question.qname(), question.qtype())
        .map_err(malformed)?
        .ok_or(DnsError::Malformed { server, why: "its aliases lead in a circle, or too far" })
}

type NameOf<'a> = ParsedName<&'a [u8]>;
type RecordOf<'a> = ParsedRecord<'a, [u8]>;

/// Returns what speaks against this being the answer to that.
fn check(asked: &Message<[u8]>, message: &Message<[u8]>) -> Result<(), &'static str> {
    let (ours, theirs) = (asked.header(), message.header());
    if !theirs.qr() || theirs.opcode() != ours.opcode() {
        return Err("what it sends is no answer");
    }
    if theirs.id() != ours.id() {
        return Err("its answer has another number than the question");
    }
    // A server that cannot read questions repeats none (RFC 1035, section 4.1.1).
    if message.header_counts().qdcount() == 0 && theirs.rcode() != iana::Rcode::NOERROR {
        return Ok(());
    }
    match (asked.sole_question(), message.sole_question()) {
        (Ok(ours), Ok(theirs)) if ours == theirs => Ok(()),
        _ => Err("its answer is to another question"),
    }
}

/// Gathers what the answer says of this name; nothing when its aliases lead nowhere.
fn gather(
    message: &Message<[u8]>,
    name: &NameOf<'_>,
    rtype: Rtype,
) -> Result<Option<Answer>, ParseError> {
    let header = message.header();
    let mut answer =
        Answer { rcode: Rcode(header.rcode()), authoritative: header.aa(), ..Answer::empty() };
    if message.header_counts().qdcount() == 0 {
        return Ok(Some(answer));
    }
    let records = records(message.answer()?)?;
    let Some(end) = follow(&records, name, &mut answer)? else { return Ok(None) };
    for record in records.iter().filter(|record| is_of(record, &end, rtype)) {
        answer.take(record)?;
    }
    if answer.authority.is_none() {
        answer.authority = authority(message, &end)?;
    }
    Ok(Some(answer))
}

fn records(section: RecordSection<'_, [u8]>) -> Result<Vec<RecordOf<'_>>, ParseError> {
    section.collect()
}

/// Follows the aliases of a name to their end.
fn follow<'a>(
    records: &[RecordOf<'a>],
    name: &NameOf<'a>,
    answer: &mut Answer,
) -> Result<Option<NameOf<'a>>, ParseError> {
    let mut end = *name;
    for _ in 0..=ALIASES_MAX {
        let alias = records.iter().find(|record| is_of(record, &end, Rtype::CNAME));
        let Some(record) = alias else { return Ok(Some(end)) };
        let Some(target) = record.to_record::<Cname<_>>()? else { return Ok(Some(end)) };
        end = *target.data().cname();
        answer.aliases.push(written(&end));
    }
    Ok(None)
}

fn is_of(record: &RecordOf<'_>, name: &NameOf<'_>, rtype: Rtype) -> bool {
    record.rtype() == rtype && record.owner().name_eq(name)
}

impl Answer {
    fn take(&mut self, record: &RecordOf<'_>) -> Result<(), ParseError> {
        if let Some(address) = address(record)? {
            push(&mut self.addresses, address);
            let ttl = record.ttl().as_secs();
            self.ttl = Some(self.ttl.map_or(ttl, |least| least.min(ttl)));
        }
        if let Some(text) = record.to_record::<Txt<_>>()? {
            let text: Vec<u8> = text.data().text();
            push(&mut self.texts, String::from_utf8_lossy(&text).into_owned());
        }
        if let Some(server) = record.to_record::<Ns<_>>()? {
            push(&mut self.servers, written(server.data().nsdname()));
        }
        if let Some(soa) = record.to_record::<Soa<_>>()? {
            let (zone, primary) = (written(&record.owner()), written(soa.data().mname()));
            self.authority = Some(Authority { zone, primary });
        }
        Ok(())
    }
}

fn address(record: &RecordOf<'_>) -> Result<Option<IpAddr>, ParseError> {
    if let Some(found) = record.to_record::<A>()? {
        return Ok(Some(IpAddr::V4(found.data().addr())));
    }
    let found = record.to_record::<Aaaa>()?;
    Ok(found.map(|found| IpAddr::V6(found.data().addr())))
}

fn push<T: PartialEq>(values: &mut Vec<T>, value: T) {
    if values.len() < VALUES_MAX && !values.contains(&value) {
        values.push(value);
    }
}

/// Returns the zone's own record that comes with an empty answer (RFC 2308, section 2), if it is
/// of a zone that this name can be in.
fn authority(message: &Message<[u8]>, name: &NameOf<'_>) -> Result<Option<Authority>, ParseError> {
    for record in records(message.authority()?)? {
        let Some(soa) = record.to_record::<Soa<_>>()? else { continue };
        if name.ends_with(&record.owner()) {
            let (zone, primary) = (written(&record.owner()), written(soa.data().mname()));
            return Ok(Some(Authority { zone, primary }));
        }
    }
    Ok(None)
}

/// Returns a name in lower case and without a last dot, as all our names are.
fn written(name: &impl fmt::Display) -> String {
    name.to_string().trim_end_matches('.').to_ascii_lowercase()
}
