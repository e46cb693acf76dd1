//! Stories with servers in this process, whose certificates are made on the spot.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::{
    HandshakeKind, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    runtime::Builder,
    time,
};
use tokio_rustls::TlsAcceptor;

use super::*;

const BYTES_MAX: usize = 64 * 1024;
const PATIENCE: Duration = Duration::from_mins(1);

/// A certificate with its key, and what a user would write into `ca-file` for it.
struct Identity {
    certificate: CertificateDer<'static>,
    key: KeyPair,
    pem: String,
}

/// A folder that goes with the test.
struct Folder(PathBuf);

#[test]
fn a_server_that_signed_its_own_certificate_is_believed_once_it_is_named() {
    for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained), IsCa::ExplicitNoCa] {
        let mut params = params("own.test");
        params.is_ca = is_ca;
        let own = signed_by_itself(&params);
        let (_folder, trust) = trust_with(&own.pem);
        check(&trust, &own, "own.test", "fine");
        check(&Trust::public(), &own, "own.test", "your own, name it ");
        check(&trust, &own, "other.test", "is for `own.test`, and not for `other.test`");
    }
}

#[test]
fn another_certificate_of_the_same_name_is_not_the_one_that_was_named() {
    for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let mut params = params("own.test");
        params.is_ca = is_ca;
        let (_folder, trust) = trust_with(&signed_by_itself(&params).pem);
        let stranger = signed_by_itself(&params);
        let error = shake(&trust, &stranger, "own.test").unwrap_err();
        let is_refused =
            matches!(error, ConnectError::BadCertificate { .. } | ConnectError::SelfSigned { .. });
        assert!(is_refused, "{}", error.line());
    }
}

#[test]
fn what_an_own_authority_has_signed_is_believed_once_that_is_named() {
    let (authority, server) = authority_and("web.test");
    let (_folder, trust) = trust_with(&authority);
    check(&trust, &server, "web.test", "fine");
    check(&trust, &server, "127.0.0.1", "is for `web.test`, and not for `127.0.0.1`");
    check(&Trust::public(), &server, "web.test", "nobody who is trusted here has signed");
}

#[test]
fn an_address_is_a_name_too() {
    for host in ["127.0.0.1", "::1"] {
        let own = signed_by_itself(&params(host));
        let (_folder, trust) = trust_with(&own.pem);
        check(&trust, &own, host, "fine");
        check(&trust, &own, "web.test", &format!("is for `{host}`"));
    }
}

#[test]
fn dates_make_one_think_of_the_clock() {
    for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let mut old = params("old.test");
        (old.not_before, old.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
        old.is_ca = is_ca;
        let mut coming = params("coming.test");
        (coming.not_before, coming.is_ca) = (date_time_ymd(2999, 1, 1), is_ca);
        let (old, coming) = (signed_by_itself(&old), signed_by_itself(&coming));
        let (_folder, trust) = trust_with(&format!("{}{}", old.pem, coming.pem));
        check(&trust, &old, "old.test", "was good until 2002-01-01 00:00:00 UTC, and this machine");
        check(&trust, &coming, "coming.test", "is good from 2999-01-01 00:00:00 UTC on");
        assert!(shake(&trust, &old, "old.test").unwrap_err().is_about_time());
        assert!(!shake(&trust, &old, "..").unwrap_err().is_about_time());
    }
}

#[test]
fn a_certificate_without_names_is_for_nobody() {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "web.test");
    let own = signed_by_itself(&params);
    let (_folder, trust) = trust_with(&own.pem);
    check(&trust, &own, "web.test", "is for nobody (it has no `subjectAltName`)");
}

#[test]
fn many_names_are_told_in_part() {
    let names: Vec<String> = (0..9).map(|n| format!("h{n}.test")).collect();
    let own = signed_by_itself(&CertificateParams::new(names).unwrap());
    let (_folder, trust) = trust_with(&own.pem);
    check(&trust, &own, "web.test", "is for `h0.test`, `h1.test`, `h2.test`, `h3.test`, 5 others,");
}

#[test]
fn who_speaks_plain_http_is_told_from_who_hangs_up() {
    let answer = "HTTP/1.1 400 Bad Request\r\n\r\n";
    assert_eq!(
        answered(answer),
        "`web.test` does not speak TLS on this port; is it one for plain `http`?"
    );
    let broken = answered("");
    assert!(broken.starts_with("the connection with `web.test` broke off"), "{broken}");
}

#[test]
fn a_server_that_asks_for_a_certificate_of_ours_refuses_us() {
    let own = signed_by_itself(&params("own.test"));
    let (_folder, trust) = trust_with(&own.pem);
    let mut roots = rustls::RootCertStore::empty();
    roots.add(own.certificate.clone()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(
        Arc::new(roots),
        Arc::clone(&provider),
    );
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS12])
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(vec![own.certificate.clone()], key_of(&own))
        .unwrap();
    let error = meet(&client(&trust).unwrap(), config, "own.test").unwrap_err();
    assert!(matches!(error, ConnectError::Refused { .. }), "{}", error.line());
}

#[test]
fn both_versions_are_spoken_and_sessions_are_taken_up_again() {
    let own = signed_by_itself(&params("own.test"));
    let (_folder, trust) = trust_with(&own.pem);
    for version in [&TLS12, &TLS13] {
        let config = client(&trust).unwrap();
        let server = server(&own, version);
        let kinds = [(); 2].map(|()| meet(&config, server.clone(), "own.test").unwrap());
        assert_eq!(kinds, [HandshakeKind::Full, HandshakeKind::Resumed], "{version:?}");
    }
}

#[test]
fn a_file_that_does_not_serve_is_named_with_what_is_wrong() {
    let own = signed_by_itself(&params("own.test"));
    let torn = own.pem.split_once("-----END").unwrap().0;
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    refuse("", "has no certificate in it");
    refuse(&own.key.serialize_pem(), "has no certificate in it");
    refuse(torn, "is no PEM file: a certificate has no end");
    refuse(&own.pem.replace('M', "!"), "has something else than base64");
    refuse(&format!("{}{garbage}", own.pem), "certificate 2 of `ca-file`");
    refuse(&"x".repeat(1024 * 1024 + 1), "has more than 1048576 bytes");
    let trust = Trust::public().with_ca_file("no/such.pem".as_ref());
    let error = client(&trust).unwrap_err();
    assert_eq!(error.to_string(), "cannot read `ca-file` `no/such.pem`");
}

#[test]
fn the_system_is_read_once_for_all_clones() {
    let trust = Trust::public();
    let other = trust.with_ca_file("some.pem".as_ref());
    assert!(Arc::ptr_eq(&trust.store(), &other.store()));
    assert!(trust.store().len() >= webpki_roots::TLS_SERVER_ROOTS.len());
    assert_eq!(trust.unread(), other.unread());
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn signed_by_itself(params: &CertificateParams) -> Identity {
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Identity { certificate: certificate.der().clone(), pem: certificate.pem(), key }
}

/// Returns an authority's certificate, and a server that it has signed.
fn authority_and(name: &str) -> (String, Identity) {
    let mut own = params("authority.test");
    own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(own, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = params(name).signed_by(&key, &issuer).unwrap();
    let pem = certificate.pem();
    (issuer.pem(), Identity { certificate: certificate.der().clone(), key, pem })
}

fn trust_with(pem: &str) -> (Folder, Trust) {
    let name = format!("mainstay-tls-{}-{:p}", std::process::id(), pem.as_ptr());
    let folder = std::env::temp_dir().join(name);
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("own.pem");
    #[expect(clippy::disallowed_methods, reason = "a file of the test")]
    fs::write(&path, pem).unwrap();
    (Folder(folder), Trust::public().with_ca_file(&path))
}

fn key_of(identity: &Identity) -> rustls::pki_types::PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(identity.key.serialize_der()).into()
}

fn server(identity: &Identity, version: &'static rustls::SupportedProtocolVersion) -> ServerConfig {
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![identity.certificate.clone()], key_of(identity))
        .unwrap()
}

fn shake(trust: &Trust, identity: &Identity, host: &str) -> Result<HandshakeKind, ConnectError> {
    meet(&client(trust).unwrap(), server(identity, &TLS13), host)
}

/// Lets a client and a server say a word each; in TLS 1.3 a ticket comes with it.
fn meet(
    config: &Arc<ClientConfig>,
    server: ServerConfig,
    host: &str,
) -> Result<HandshakeKind, ConnectError> {
    let (near, far) = duplex(BYTES_MAX);
    run(async {
        tokio::spawn(serve(server, far));
        let mut stream = connect(config, near, host).await?;
        let mut word = [0];
        stream.read_exact(&mut word).await.unwrap();
        let (_, connection) = stream.get_ref();
        Ok(connection.handshake_kind().unwrap())
    })
}

/// A client that turns away is none of this server's business.
async fn serve(config: ServerConfig, stream: DuplexStream) {
    let Ok(mut stream) = TlsAcceptor::from(Arc::new(config)).accept(stream).await else { return };
    stream.write_all(b"!").await.unwrap();
    stream.flush().await.unwrap();
    stream.read_to_end(&mut Vec::new()).await.ok();
}

/// Returns what is said of a server that answers with plain text, and then nothing.
fn answered(text: &'static str) -> String {
    let (near, mut far) = duplex(BYTES_MAX);
    run(async {
        tokio::spawn(async move {
            let mut hello = [0; 16];
            far.read_exact(&mut hello).await.unwrap();
            far.write_all(text.as_bytes()).await.unwrap();
        });
        let config = client(&Trust::public()).unwrap();
        connect(&config, near, "web.test").await.unwrap_err().to_string()
    })
}

fn check(trust: &Trust, identity: &Identity, host: &str, expected: &str) {
    let told = match shake(trust, identity, host) {
        Ok(_) => "fine".to_owned(),
        Err(error) => error.line(),
    };
    assert!(told.contains(expected), "{told}");
}

fn refuse(content: &str, expected: &str) {
    let (_folder, trust) = trust_with(content);
    let told = client(&trust).unwrap_err().to_string();
    assert!(told.contains(expected) && told.contains("own.pem"), "{told}");
}

fn run<T>(story: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { time::timeout(PATIENCE, story).await.unwrap() })
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}
