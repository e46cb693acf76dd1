//! Servers over TLS, with certificates that are made on the spot.

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivatePkcs8KeyDer};
use tokio::io::AsyncWriteExt as _;
use tokio_rustls::TlsAcceptor;

use super::{fakes::fine, *};

/// A server over TLS, and a file with its certificate.
pub(super) struct Site {
    pub(super) fake: Fake,
    file: PathBuf,
}

impl Site {
    pub(super) async fn new(name: &str, answer: &str) -> Self {
        Self::with(&CertificateParams::new(vec![name.to_owned()]).unwrap(), answer).await
    }

    async fn with(params: &CertificateParams, answer: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("mainstay-ddns-{}-{count}.pem", std::process::id());
        let file = std::env::temp_dir().join(name);
        #[expect(clippy::disallowed_methods, reason = "a file of the test")]
        std::fs::write(&file, certificate.pem()).unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let (acceptor, answer) = (TlsAcceptor::from(Arc::new(config)), Arc::<str>::from(answer));
        let fake = Fake::with(move |stream, witness| {
            let (acceptor, answer) = (acceptor.clone(), Arc::clone(&answer));
            async move {
                // Whoever does not believe this certificate goes away.
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                while let Some((head, _)) = fakes::hear(&mut stream).await {
                    witness.note(head);
                    stream.write_all(answer.as_bytes()).await.unwrap();
                    stream.flush().await.unwrap();
                }
            }
        })
        .await;
        Self { fake, file }
    }

    /// Returns a way that believes its certificate.
    pub(super) fn way(&self, proxy: Proxy) -> Network {
        way(&NetworkConfig { proxy, ca_file: Some(self.file.clone()), ..NetworkConfig::default() })
    }

    fn url(&self, host: &str) -> String {
        format!("https://{host}:{}/?t=hunter2", self.fake.address.port())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        std::fs::remove_file(&self.file).unwrap_or_default();
    }
}

#[test]
fn a_server_that_is_believed_is_asked_and_asked_again() {
    run(async {
        let site = Site::new("localhost", &fine("hello")).await;
        let network = site.way(Proxy::Direct);
        for _ in 0..2 {
            let response = network.http(get(site.url("localhost"))).await.unwrap();
            assert_eq!(response.text(), "hello");
        }
        assert_eq!((site.fake.connections(), site.fake.heard().len()), (1, 2));
    });
}

#[test]
fn who_is_not_believed_is_told_nothing() {
    run(async {
        let site = Site::new("localhost", &fine("hello")).await;
        let error = direct().http(get(site.url("localhost"))).await.unwrap_err();
        assert!(matches!(error, NetworkError::Tls { clock: ClockDoubt::None, .. }), "{error:?}");
        assert!(told(&error).contains("nobody who is trusted here has signed"), "{error}");
        let error = site.way(Proxy::Direct).http(get(site.url("127.0.0.1"))).await.unwrap_err();
        assert!(told(&error).contains("is for `localhost`, and not for `127.0.0.1`"), "{error}");
        assert_eq!(site.fake.heard().len(), 0);
    });
}

#[test]
fn a_file_of_certificates_that_is_replaced_is_read_again() {
    run(async {
        let (site, other) = (Site::new("localhost", &fine("")).await, Site::new("a", "").await);
        let network = site.way(Proxy::Direct);
        network.http(get(site.url("localhost"))).await.unwrap();
        let good = std::fs::read(&site.file).unwrap();
        let replace = |bytes: &[u8], age: u64| {
            let mut file = std::fs::File::create(&site.file).unwrap();
            file.write_all(bytes).unwrap();
            file.set_modified(clock::realtime() - seconds(3600 + age)).unwrap();
            network.forget_connections();
        };
        replace(&std::fs::read(&other.file).unwrap(), 1);
        let error = network.http(get(site.url("localhost"))).await.unwrap_err();
        assert!(matches!(error, NetworkError::Tls { .. }), "{error:?}");
        replace(&good, 2);
        network.http(get(site.url("localhost"))).await.unwrap();
    });
}

#[test]
fn a_date_that_does_not_fit_makes_one_doubt_the_clock() {
    run(async {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2999, 1, 1);
        params.not_after = date_time_ymd(3000, 1, 1);
        let site = Site::with(&params, "").await;
        let error = site.way(Proxy::Direct).http(get(site.url("localhost"))).await.unwrap_err();
        assert!(matches!(error, NetworkError::Tls { clock: ClockDoubt::Likely, .. }), "{error:?}");
        assert!(told(&error).contains("that clock is probably wrong"), "{error}");
    });
}

#[test]
fn who_speaks_no_tls_is_told_so() {
    run(async {
        let server = Fake::with(|mut stream, _| async move {
            drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await);
        })
        .await;
        let url = format!("https://{}/", server.address);
        let error = told(&direct().http(get(url)).await.unwrap_err());
        assert!(error.contains("is it one for plain `http`?"), "{error}");
    });
}

#[test]
fn a_file_of_certificates_that_is_missing_is_named() {
    run(async {
        let ca_file = Some(PathBuf::from("no/such.pem"));
        let network = way(&NetworkConfig { ca_file, ..NetworkConfig::default() });
        let server = Fake::answering("").await;
        let url = format!("https://{}/", server.address);
        let error = told(&network.http(get(url)).await.unwrap_err());
        let begin = "cannot send the request: cannot read `ca-file` `no/such.pem`: ";
        assert!(error.starts_with(begin), "{error}");
    });
}
