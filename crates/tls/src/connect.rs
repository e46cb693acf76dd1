//! Shakes hands, and says what is wrong in words that tell whose turn it is.

use std::{io, net::IpAddr, sync::Arc};

use jiff::Timestamp;
use rustls::{
    CertificateError, ClientConfig, Error as Rustls,
    pki_types::{ServerName, UnixTime},
};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::pinned::is_authority;

/// So many names of a certificate are told, and so many letters of each: no name of a host has more.
const NAMES_MAX: usize = 4;
const NAME_CHARS_MAX: usize = 253;

/// Why a server is not spoken to.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// No certificate can be for that.
    #[error("`{0}` is neither an address nor a name that a certificate can be for")]
    BadName(String),
    /// Renewal was forgotten, or the clock is wrong.
    #[error(
        "the certificate of `{host}` was good until {until}, and this machine's clock says {now}; renew the certificate, or set the clock"
    )]
    Expired {
        /// Who was asked.
        host: String,
        /// The last moment.
        until: String,
        /// The moment of the handshake.
        now: String,
    },
    /// The clock is wrong, most likely.
    #[error(
        "the certificate of `{host}` is good from {from} on, and this machine's clock says {now}; that clock is probably wrong"
    )]
    NotYetValid {
        /// Who was asked.
        host: String,
        /// The first moment.
        from: String,
        /// The moment of the handshake.
        now: String,
    },
    /// Signed by itself, by an authority of somebody's own, or by whoever listens in between.
    #[error(
        "nobody who is trusted here has signed the certificate of `{host}`; if it is your own, name it or its authority in `ca-file`"
    )]
    UnknownIssuer {
        /// Who was asked.
        host: String,
    },
    /// As most tools make it for a server of one's own.
    #[error(
        "`{host}` shows a certificate that it has probably signed by itself; if it is your own, name it in `ca-file`"
    )]
    SelfSigned {
        /// Who was asked.
        host: String,
    },
    /// Good, but of somebody else.
    #[error("the certificate that `{host}` shows is for {names}, and not for `{host}`")]
    WrongName {
        /// Who was asked.
        host: String,
        /// Whom it is for.
        names: String,
    },
    /// Wrong in another way.
    #[error("the certificate of `{host}` cannot be accepted")]
    BadCertificate {
        /// Who was asked.
        host: String,
        /// What is wrong with it.
        source: Rustls,
    },
    /// Something else listens there.
    #[error("`{host}` does not speak TLS on this port; is it one for plain `http`?")]
    NotTls {
        /// Who was asked.
        host: String,
    },
    /// The server does not like us.
    #[error("`{host}` refuses to speak TLS with this machine")]
    Refused {
        /// Who was asked.
        host: String,
        /// The alert.
        source: Rustls,
    },
    /// What was said makes no sense.
    #[error("cannot agree with `{host}` on how to speak TLS")]
    Misunderstood {
        /// Who was asked.
        host: String,
        /// What it is about.
        source: Rustls,
    },
    /// The network, or a server that hangs up.
    #[error("the connection with `{host}` broke off before anything was said")]
    Broken {
        /// Who was asked.
        host: String,
        /// What the system says.
        source: io::Error,
    },
}

impl ConnectError {
    /// Returns whether a wrong clock of this machine would explain it.
    pub fn is_about_time(&self) -> bool {
        matches!(self, Self::Expired { .. } | Self::NotYetValid { .. })
    }

    /// Returns the text with all its causes, for those who show one line.
    pub fn line(&self) -> String {
        match std::error::Error::source(self) {
            Some(cause) => format!("{self}: {cause}"),
            None => self.to_string(),
        }
    }
}

/// Speaks TLS over a connection with whoever is called `host`, by name or by address.
///
/// How long that may take is the caller's business.
pub async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
    config: &Arc<ClientConfig>,
    stream: S,
    host: &str,
) -> Result<TlsStream<S>, ConnectError> {
    let name = ServerName::try_from(host.to_owned());
    let name = name.map_err(|_| ConnectError::BadName(host.to_owned()))?;
    let connector = TlsConnector::from(Arc::clone(config));
    connector.connect(name, stream).await.map_err(|error| of_io(host, error))
}

fn of_io(host: &str, error: io::Error) -> ConnectError {
    let host = host.to_owned();
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Rustls>()) {
        Some(cause) => of_rustls(host, cause.clone()),
        None => ConnectError::Broken { host, source: error },
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "of a library, which may add to it")]
fn of_rustls(host: String, error: Rustls) -> ConnectError {
    match error {
        Rustls::InvalidCertificate(cause) => of_certificate(host, cause),
        Rustls::InvalidMessage(_) => ConnectError::NotTls { host },
        Rustls::AlertReceived(_) => ConnectError::Refused { host, source: error },
        other => ConnectError::Misunderstood { host, source: other },
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "of a library, which may add to it")]
fn of_certificate(host: String, cause: CertificateError) -> ConnectError {
    match cause {
        CertificateError::ExpiredContext { time, not_after } => {
            ConnectError::Expired { host, until: told(not_after), now: told(time) }
        }
        CertificateError::NotValidYetContext { time, not_before } => {
            ConnectError::NotYetValid { host, from: told(not_before), now: told(time) }
        }
        CertificateError::UnknownIssuer => ConnectError::UnknownIssuer { host },
        CertificateError::NotValidForNameContext { presented, .. } => {
            ConnectError::WrongName { host, names: names(&presented) }
        }
        CertificateError::Other(cause) if is_authority(&cause) => ConnectError::SelfSigned { host },
        other => ConnectError::BadCertificate { host, source: Rustls::InvalidCertificate(other) },
    }
}

/// Returns a moment for people.
fn told(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let moment = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// Returns whom a certificate is for.
fn names(presented: &[String]) -> String {
    let mut told: Vec<String> =
        presented.iter().take(NAMES_MAX).map(|name| format!("`{}`", plain(name))).collect();
    match presented.len() {
        0 => "nobody (it has no `subjectAltName`)".to_owned(),
        count if count > NAMES_MAX => {
            told.push(format!("{} others", count - NAMES_MAX));
            told.join(", ")
        }
        _ => told.join(", "),
    }
}

/// Returns a name as it is written; the library says `DnsName("example.org")`, and a stranger has
/// chosen its letters.
fn plain(name: &str) -> String {
    let inner = name.split_once('(').map_or(name, |(_, rest)| rest.trim_end_matches(')'));
    let letters = inner.trim_matches('"').chars().filter(char::is_ascii_graphic);
    let letters = letters.take(NAME_CHARS_MAX).collect();
    inner.parse().map_or(letters, |address: IpAddr| address.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_a_stranger_has_chosen_is_short_and_harmless() {
        assert_eq!(plain("DnsName(\"a\u{1b}[2J\nb.test\")"), "a[2Jb.test");
        assert_eq!(plain(&format!("DnsName(\"{}\")", "x".repeat(9000))).len(), NAME_CHARS_MAX);
        assert_eq!(plain("IpAddress(::1)"), "::1");
    }
}
