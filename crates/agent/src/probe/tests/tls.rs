//! Looks over TLS at servers whose certificates are made on the spot.

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned, crypto::ring, pki_types::PrivatePkcs8KeyDer,
};

use super::*;

/// What a look sees of an `https` server with a certificate of its own.
struct Site {
    port: u16,
    folder: Folder,
}

impl Site {
    fn new(params: &CertificateParams, answer: &'static str) -> Self {
        let folder = Folder::new("tls");
        let port = serve_with(config_of(params, &folder), answer);
        Self { port, folder }
    }

    /// Returns a look at it that believes its certificate.
    fn look(&self, more: &str) -> Look {
        self.look_at(self.port, more)
    }

    /// Returns a look at another port that believes its certificate, and nobody else: Wine takes its
    /// time to read whom a machine trusts.
    fn look_at(&self, port: u16, more: &str) -> Look {
        let path = self.folder.0.join("own.pem").display().to_string();
        https(port, &format!("ca-file = '{path}'{more}"))
    }

    fn plain_look(&self, line: &str) -> Look {
        https(self.port, line)
    }

    fn told(&self, outcome: &Outcome) -> String {
        let told = format!("{outcome:?}").replace(&self.port.to_string(), "PORT");
        // As `Debug` writes it: on Windows each `\` twice.
        let folder = format!("{:?}", self.folder.0.display().to_string());
        told.replace(folder.trim_matches('"'), "DIR")
    }
}

const FINE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

#[test]
fn a_server_with_a_certificate_of_its_own_is_asked_once_that_is_named() {
    let site = Site::new(&params("127.0.0.1"), FINE);
    let mut eye = Eye::new();
    assert_eq!(eye.look(site.look("")), Outcome::Passed);
    assert_eq!(eye.look(site.look(", body = '^hello$'")), Outcome::Passed);
    let seen = eye.look(site.look(", body = 'bye'"));
    let told = "Failed(\"`127.0.0.1:PORT` answers 200, and `bye` is not in the body\")";
    assert_eq!(site.told(&seen), told);
    let stranger = site.told(&eye.look(site.plain_look("")));
    assert!(stranger.starts_with("Failed(\"nobody who is trusted here has signed"), "{stranger}");
}

#[test]
fn whom_a_certificate_has_to_be_for_may_be_another_than_the_host() {
    let site = Site::new(&params("web.test"), FINE);
    let mut eye = Eye::new();
    assert_eq!(eye.look(site.look(", server-name = 'web.test'")), Outcome::Passed);
    let told = "Failed(\"the certificate that `127.0.0.1` shows is for `web.test`, and not for `127.0.0.1`\")";
    assert_eq!(site.told(&eye.look(site.look(""))), told);
}

#[test]
fn an_expired_certificate_is_bad_and_one_of_the_future_is_the_clocks_fault() {
    let mut old = params("127.0.0.1");
    (old.not_before, old.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
    let mut coming = params("127.0.0.1");
    coming.not_before = date_time_ymd(2999, 1, 1);
    let mut eye = Eye::new();
    let (old, coming) = (Site::new(&old, FINE), Site::new(&coming, FINE));
    let told = old.told(&eye.look(old.look("")));
    assert!(told.starts_with("Failed(\"the certificate of `127.0.0.1` was good until"), "{told}");
    let told = coming.told(&eye.look(coming.look("")));
    assert!(told.starts_with("Unknown(\"the certificate of `127.0.0.1` is good from"), "{told}");
}

#[test]
fn a_file_of_certificates_that_is_replaced_is_read_again() {
    let site = Site::new(&params("127.0.0.1"), FINE);
    let mut eye = Eye::new();
    let path = site.folder.0.join("own.pem");
    let good = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let told = site.told(&eye.look(site.look("")));
    assert!(told.starts_with("Unknown(\"cannot read `ca-file` `DIR"), "{told}");
    put(&path, "nothing");
    let told = site.told(&eye.look(site.look("")));
    assert!(told.contains("has no certificate in it"), "{told}");
    put(&path, &good);
    assert_eq!(eye.look(site.look("")), Outcome::Passed);
    put(&path, &certificate(&params("127.0.0.1"), &KeyPair::generate().unwrap()).pem());
    let told = site.told(&eye.look(site.look("")));
    assert!(told.starts_with("Failed("), "{told}");
}

#[test]
fn a_goodbye_that_is_missing_is_no_failure_but_an_answer_that_is_cut() {
    let site = Site::new(&params("127.0.0.1"), "HTTP/1.0 200 OK\r\n\r\nold and open");
    let mut eye = Eye::new();
    assert_eq!(eye.look(site.look(", body = 'open$'")), Outcome::Passed);
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello";
    let cut = Site::new(&params("127.0.0.1"), cut);
    let told = cut.told(&eye.look(cut.look(", body = 'x'")));
    assert!(told.contains("end of file before message length reached"), "{told}");
}

#[test]
fn who_is_no_server_for_tls_is_told_so() {
    let port = serve(|stream| {
        drop(stream.read(&mut [0; 16]));
        drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    });
    let told = format!("{:?}", Eye::new().look(https(port, "")));
    assert!(told.contains("is it one for plain `http`?"), "{told}");
}

#[test]
fn a_handshake_that_is_abandoned_is_dropped_at_once() {
    let (told, ended) = mpsc::channel();
    let port = serve(move |stream| {
        drop(stream.read(&mut [0; 16]));
        told.send("asked").unwrap();
        while stream.read(&mut [0; 1024]).is_ok_and(|count| count > 0) {}
        told.send("gone").unwrap();
    });
    let mut eye = Eye::new();
    let site = Site::new(&params("127.0.0.1"), FINE);
    let key = eye.begin(site.look_at(port, ""));
    assert_eq!(ended.recv_timeout(20 * SECOND).unwrap(), "asked");
    eye.prober.abandon(key);
    assert_eq!(ended.recv_timeout(20 * SECOND).unwrap(), "gone");
}

fn params(name: &str) -> CertificateParams {
    CertificateParams::new(vec![name.to_owned()]).unwrap()
}

fn certificate(params: &CertificateParams, key: &KeyPair) -> rcgen::Certificate {
    params.self_signed(key).unwrap()
}

/// Makes a certificate, and leaves what a user would name in `ca-file`.
fn config_of(params: &CertificateParams, folder: &Folder) -> Arc<ServerConfig> {
    let key = KeyPair::generate().unwrap();
    let certificate = certificate(params, &key);
    put(&folder.0.join("own.pem"), &certificate.pem());
    let chain = vec![certificate.der().clone()];
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, PrivatePkcs8KeyDer::from(key.serialize_der()).into());
    Arc::new(config.unwrap())
}

/// Answers everybody the same, and hangs up without a goodbye.
fn serve_with(config: Arc<ServerConfig>, answer: &'static str) -> u16 {
    serve_all(move |stream| {
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        let mut heard = Vec::new();
        let mut byte = [0; 1];
        while !heard.ends_with(b"\r\n\r\n") {
            // Whoever does not believe this certificate goes away.
            let Ok(1) = stream.read(&mut byte) else { return };
            heard.extend(byte);
        }
        drop(stream.write_all(answer.as_bytes()));
        drop(stream.flush());
    })
}

/// Replaces a file by one of another age.
fn put(path: &std::path::Path, text: &str) {
    static AGE: AtomicUsize = AtomicUsize::new(0);
    let age = u64::try_from(AGE.fetch_add(1, Ordering::Relaxed)).unwrap();
    let mut file = fs::File::create(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.set_modified(clock::realtime() - Duration::from_secs(3600 + age)).unwrap();
}

fn https(port: u16, line: &str) -> Look {
    look_at(&format!("https://127.0.0.1:{port}/x"), line)
}
