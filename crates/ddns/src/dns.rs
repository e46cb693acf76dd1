//! Questions to DNS servers and what they answer, over a [wire](crate::wire).
//!
//! An answer is believed only if it has the number and the question of what was asked. What it says
//! of other names is thrown away.

mod answer;
mod question;

use std::{net::SocketAddr, time::Duration};

use crate::{
    failure::{Class, Failure},
    wire::{Carrier, Exchange, NetworkError, Wire},
};

pub use answer::{Answer, Authority, Rcode};
pub(crate) use question::number;
pub use question::{Kind, Question, Realm, Recursion};

/// How long a server may take.
pub const WITHIN: Duration = Duration::from_secs(5);

/// Asks one server one question; an answer with a code of refusal is an answer, too.
pub async fn ask(
    wire: &dyn Wire,
    server: SocketAddr,
    question: &Question,
) -> Result<Answer, DnsError> {
    let message = question.message(number(wire.nonce()))?;
    let exchange =
        Exchange { server, message: message.clone(), carrier: Carrier::UdpThenTcp, within: WITHIN };
    let octets = wire.dns(exchange).await?;
    answer::read(server, &message, &octets)
}

/// Asks one server after the other until one of them answers with what it knows.
///
/// The failure is that of the last one.
pub async fn ask_first(
    wire: &dyn Wire,
    servers: &[SocketAddr],
    question: &Question,
) -> Result<Answer, DnsError> {
    let mut failure = DnsError::Nobody { name: question.name.clone() };
    for server in servers {
        let asked = ask(wire, *server, question).await;
        match asked.and_then(|answer| answer.sound(*server)) {
            Ok(answer) => return Ok(answer),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// Why a server's answer is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DnsError {
    /// There is no answer.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// There is nobody to be asked.
    #[error("cannot ask for `{name}`: no DNS server is known")]
    Nobody {
        /// What was to be asked for.
        name: String,
    },
    /// It cannot be asked for.
    #[error("cannot ask for `{name}`: {why}")]
    Name {
        /// What was to be asked for.
        name: String,
        /// Why not.
        why: String,
    },
    /// It answers something that was not asked.
    #[error("cannot believe the DNS server {server}: {why}")]
    Foreign {
        /// Who.
        server: SocketAddr,
        /// What is wrong with it.
        why: &'static str,
    },
    /// What it sends is no whole message.
    #[error("cannot read the answer of the DNS server {server}: {why}")]
    Malformed {
        /// Who.
        server: SocketAddr,
        /// What is wrong with it.
        why: &'static str,
    },
    /// It does not answer this question.
    #[error("the DNS server {server} answers {rcode}")]
    Refused {
        /// Who.
        server: SocketAddr,
        /// Its code.
        rcode: Rcode,
    },
}

impl From<DnsError> for Failure {
    fn from(error: DnsError) -> Self {
        let words = error.to_string();
        let (class, code) = match error {
            DnsError::Network(error) => return error.into(),
            DnsError::Nobody { .. } => (Class::Transient, "no-server".to_owned()),
            DnsError::Name { .. } => (Class::Parked, "name".to_owned()),
            DnsError::Foreign { .. } => (Class::Transient, "foreign-answer".to_owned()),
            DnsError::Malformed { .. } => (Class::Transient, "unknown-answer".to_owned()),
            DnsError::Refused { rcode, .. } => (Class::Transient, rcode.to_string()),
        };
        Self::new(class, code, words)
    }
}

#[cfg(test)]
mod tests;
