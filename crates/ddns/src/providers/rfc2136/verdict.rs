//! What a server says to an update.
//!
//! Its code and the error of its signature are looked at before the signature itself: who does not
//! know our key cannot sign.

use domain::{
    base::{
        Message,
        iana::{Opcode, Rcode, TsigRcode},
    },
    rdata::tsig::{Time48, Tsig},
    tsig::ValidationError,
};

use crate::{
    dns::{self, DnsError},
    failure::{Class, Failure},
};

use super::update::Transaction;

/// What somebody else has done in between is told with this code.
const CHANGED: &str = "changed";

/// Returns whether the update failed because the records were not as they had been read.
pub(super) fn is_changed(failure: &Failure) -> bool {
    failure.code == CHANGED
}

/// Returns what it means that a server does not say what it has.
///
/// `REFUSED` is policy (RFC 1035, section 4.1.1), which only configuration changes: servers that are
/// in trouble or have yet to load the zone say `SERVFAIL`.
pub(super) fn unread(error: DnsError) -> Failure {
    let DnsError::Refused { rcode: dns::Rcode::REFUSED, server } = error else {
        return error.into();
    };
    let words = format!(
        "the DNS server {server} answers REFUSED to a question, which is not signed: it does not \
         have this zone, or its ACL (`allow-query`) leaves us out"
    );
    Failure::new(Class::Parked, "REFUSED", words)
}

/// Reads the answer to a message.
pub(super) fn read(
    octets: &[u8],
    asked: &[u8],
    transaction: Option<Transaction>,
    now: Time48,
) -> Result<(), Failure> {
    let mut message = Message::from_octets(octets.to_vec())
        .map_err(|_| unknown("it is too short to be a DNS message"))?;
    let header = message.header();
    let is_ours = octets.get(..2) == asked.get(..2);
    if !header.qr() || header.opcode() != Opcode::UPDATE || !is_ours {
        return Err(unknown("it is no answer to this update"));
    }
    let rcode = header.rcode();
    if let Some(error) = signature_error(&message) {
        return Err(of_signature(&error, now));
    }
    if let Some(failure) = refused(rcode, transaction.is_some()) {
        return Err(failure);
    }
    match transaction {
        Some(transaction) => transaction.answer(&mut message, now).map_err(unsigned),
        None => Ok(()),
    }
}

/// What a server says against a signature.
struct SignatureError {
    code: TsigRcode,
    /// The server's time, where it tells that.
    server: Option<Time48>,
}

/// Returns what the server says against ours.
fn signature_error(message: &Message<Vec<u8>>) -> Option<SignatureError> {
    let mut records = message.additional().ok()?;
    let tsig = records.find_map(|record| record.ok()?.into_record::<Tsig<_, _>>().ok()?)?;
    let code = tsig.data().error();
    let server = tsig.data().other_time();
    (code != TsigRcode::NOERROR).then_some(SignatureError { code, server })
}

fn of_signature(error: &SignatureError, now: Time48) -> Failure {
    let code = error.code;
    let parked = |code: &str, words: &str| Failure::new(Class::Parked, code, words).of_account();
    match code {
        TsigRcode::BADSIG => {
            parked("BADSIG", "the server refuses the signature: wrong TSIG key or algorithm")
        }
        TsigRcode::BADKEY => {
            parked("BADKEY", "the server does not know the key: wrong `key-name` or `algorithm`")
        }
        TsigRcode::BADTRUNC => parked("BADTRUNC", "the server wants a longer signature"),
        TsigRcode::BADTIME => {
            let skew = skew(error.server, now);
            let words = format!("the server refuses the time of the signature: {skew}");
            Failure::new(Class::Clock, "BADTIME", words).of_account()
        }
        _ => {
            let words = format!("the server refuses the signature: {code}");
            Failure::new(Class::Transient, "TSIG", words)
        }
    }
}

/// Says how far the clocks are apart.
fn skew(server: Option<Time48>, now: Time48) -> String {
    let Some(server) = server.map(seconds) else {
        return "our clock or the server's is wrong".to_owned();
    };
    let ours = seconds(now);
    if server >= ours {
        return format!("our clock is {} s behind the server's", server - ours);
    }
    format!("our clock is {} s ahead of the server's", ours - server)
}

fn seconds(time: Time48) -> u64 {
    time.into_octets().into_iter().fold(0, |all, octet| all << 8 | u64::from(octet))
}

/// Returns what a code means, unless it is that of success.
fn refused(rcode: Rcode, is_signed: bool) -> Option<Failure> {
    let fails = |class, why: &str| {
        let words = format!("the server answers {rcode} to the update: {why}");
        Some(Failure::new(class, rcode.to_string(), words))
    };
    match rcode {
        Rcode::NOERROR => None,
        Rcode::NXRRSET | Rcode::YXRRSET | Rcode::NXDOMAIN | Rcode::YXDOMAIN => {
            let words = "the records are not as they were read: somebody else has changed them";
            Some(Failure::new(Class::Transient, CHANGED, words))
        }
        Rcode::REFUSED if is_signed => {
            fails(Class::Parked, "the key may not change this name or type (`update-policy`, ACL)")
        }
        Rcode::REFUSED => fails(Class::Parked, "it wants a key, or another address than ours"),
        Rcode::NOTAUTH => fails(Class::Parked, "it does not have this zone, or is not its primary"),
        Rcode::NOTZONE => fails(Class::Parked, "the name is not in the zone"),
        Rcode::NOTIMP => fails(Class::Parked, "it takes no updates"),
        Rcode::FORMERR => fails(Class::Parked, "it does not understand the message"),
        Rcode::SERVFAIL => fails(Class::Transient, "it has trouble of its own"),
        _ => fails(Class::Transient, "nobody knows why"),
    }
}

fn unsigned(error: ValidationError) -> Failure {
    if matches!(error, ValidationError::BadTime) {
        let words = "the answer of the server was signed at another time: a clock is wrong";
        return Failure::new(Class::Clock, "BADTIME", words).of_account();
    }
    let words = format!("cannot believe the answer of the server: {error}");
    Failure::new(Class::Transient, "unsigned-answer", words)
}

fn unknown(why: &str) -> Failure {
    let words = format!("cannot believe the answer of the server: {why}");
    Failure::new(Class::Transient, "unknown-answer", words)
}
