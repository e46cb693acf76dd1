//! Builds what all connections of one trust share: the versions, the authorities, the sessions.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore,
    client::{Resumption, WebPkiServerVerifier},
    crypto::{CryptoProvider, ring},
    pki_types::{
        CertificateDer,
        pem::{self, PemObject as _},
    },
};
use thiserror::Error;

use crate::{pinned::Pinned, trust::Trust};

/// Servers whose sessions are kept, so that the next handshake is a short one.
const SESSIONS_MAX: usize = 256;
/// The largest file of certificates; what a whole system believes has a quarter of that.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Why nobody can be spoken to over TLS.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The file is not there, or not ours to read.
    #[error("cannot read `ca-file` `{}`", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is something else.
    #[error("`ca-file` `{}` has more than {FILE_BYTES_MAX} bytes; name one with certificates only", .0.display())]
    TooLarge(PathBuf),
    /// The file holds keys, or nothing that could be read as PEM.
    #[error("`ca-file` `{}` has no certificate in it; a PEM file has `-----BEGIN CERTIFICATE-----`, `openssl x509 -inform der` makes one of a DER file", .0.display())]
    Empty(PathBuf),
    /// The file is torn or was edited.
    #[error("`ca-file` `{}` is no PEM file: {what}", .path.display())]
    NotPem {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A certificate is none.
    #[error("certificate {number} of `ca-file` `{}` cannot be used", .path.display())]
    BadCertificate {
        /// The file.
        path: PathBuf,
        /// Which one, from 1.
        number: usize,
        /// What is wrong with it.
        source: rustls::Error,
    },
    /// The library refuses what it was built with.
    #[error("cannot begin to speak TLS")]
    Unusable {
        /// What it says.
        source: rustls::Error,
    },
}

/// Builds the configuration of a client. May read files: whoever must not wait calls it elsewhere.
pub fn client(trust: &Trust) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let unusable = |source| TlsError::Unusable { source };
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().map_err(unusable)?;
    let builder = match trust.ca_file() {
        None => builder.with_root_certificates(trust.store()),
        Some(path) => {
            let verifier = verifier(trust, path, provider)?;
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
        }
    };
    let mut config = builder.with_no_client_auth();
    config.resumption = Resumption::in_memory_sessions(SESSIONS_MAX);
    Ok(Arc::new(config))
}

fn verifier(trust: &Trust, path: &Path, provider: Arc<CryptoProvider>) -> Result<Pinned, TlsError> {
    let certificates = read(path)?;
    let mut store = RootCertStore::clone(&trust.store());
    for (number, certificate) in (1..).zip(&certificates) {
        let bad = |source| TlsError::BadCertificate { path: path.to_path_buf(), number, source };
        store.add(certificate.clone()).map_err(bad)?;
    }
    let built = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider).build();
    let unusable =
        |error| TlsError::Unusable { source: rustls::Error::General(format!("{error}")) };
    Ok(Pinned::new(built.map_err(unusable)?, certificates))
}

fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bytes = read_bytes(path)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let certificates = certificates.map_err(|error| not_pem(path, &error))?;
    if certificates.is_empty() {
        return Err(TlsError::Empty(path.to_path_buf()));
    }
    Ok(certificates)
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, TlsError> {
    let unreadable = |source| TlsError::Unreadable { path: path.to_path_buf(), source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if u64::try_from(bytes.len()).is_ok_and(|count| count <= FILE_BYTES_MAX) {
        Ok(bytes)
    } else {
        Err(TlsError::TooLarge(path.to_path_buf()))
    }
}

/// Says what is wrong with a file; its bytes are not shown, for they may be a key's.
#[expect(clippy::wildcard_enum_match_arm, reason = "of a library, which may add to it")]
fn not_pem(path: &Path, error: &pem::Error) -> TlsError {
    let what = match error {
        pem::Error::MissingSectionEnd { .. } => "a certificate has no end",
        pem::Error::IllegalSectionStart { .. } => "a certificate begins with a line that is torn",
        pem::Error::Base64Decode(_) => "a certificate has something else than base64 in it",
        _ => "it cannot be read",
    };
    TlsError::NotPem { path: path.to_path_buf(), what: what.to_owned() }
}
