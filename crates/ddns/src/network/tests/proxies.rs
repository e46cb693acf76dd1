//! Proxies that let through whom they know.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::TcpStream,
};

use super::{
    fakes::{Witness, fine},
    *,
};
use crate::secret::Secret;

/// `me:hunter2`.
const LOGIN: &str = "proxy-authorization: Basic bWU6aHVudGVyMg==\r\n";

/// Returns a way through a proxy, as whom it knows.
fn through(url: String) -> Network {
    let (user, password) = (Some("me".to_owned()), Some(Secret::from("hunter2".to_owned())));
    let proxy = Proxy::Named { url, user, password };
    way(&NetworkConfig { proxy, ..NetworkConfig::default() })
}

fn through_as_nobody(url: String) -> Network {
    let proxy = Proxy::Named { url, user: None, password: None };
    way(&NetworkConfig { proxy, ..NetworkConfig::default() })
}

/// A proxy that connects to one server, whatever it is asked for.
async fn http_proxy(to: SocketAddr) -> Fake {
    Fake::with(move |mut stream, witness| async move {
        let (head, _) = fakes::hear(&mut stream).await.unwrap();
        let is_known = head.to_ascii_lowercase().contains(&LOGIN.to_ascii_lowercase());
        witness.note(head);
        if !is_known {
            let refusal = "HTTP/1.1 407 Who?\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(refusal.as_bytes()).await.unwrap();
            return;
        }
        stream.write_all(b"HTTP/1.1 200 Go on\r\nx: y\r\n\r\n").await.unwrap();
        let mut other = TcpStream::connect(to).await.unwrap();
        drop(copy_bidirectional(&mut stream, &mut other).await);
    })
    .await
}

#[test]
fn a_proxy_is_asked_for_what_is_not_secret_by_its_whole_url() {
    run(async {
        let proxy = Fake::answering(&fine("through")).await;
        let network = through(format!("http://{}", proxy.address));
        let response = network.http(get("http://web.test:8080/a?b=c")).await.unwrap();
        assert_eq!(response.text(), "through");
        let head = proxy.heard().remove(0).head;
        assert!(head.starts_with("GET http://web.test:8080/a?b=c HTTP/1.1\r\n"), "{head}");
        assert!(head.contains("host: web.test:8080\r\n") && head.contains(LOGIN), "{head}");
        assert!(head.contains("connection: close\r\n"), "{head}");
    });
}

#[test]
fn a_proxy_that_hangs_up_without_a_word_costs_nothing() {
    run(async {
        let proxy = Fake::closing(&fine("through")).await;
        let network = through(format!("http://{}", proxy.address));
        for count in 1..20 {
            let response = network.http(get("http://web.test:8080/")).await.unwrap();
            assert_eq!((response.text().as_str(), proxy.connections()), ("through", count));
        }
    });
}

#[test]
fn what_is_secret_goes_through_a_connection_that_the_proxy_makes() {
    run(async {
        let site = tls::Site::new("web.test", &fine("through")).await;
        let proxy = http_proxy(site.fake.address).await;
        let network = site.way(Proxy::Named {
            url: format!("http://me@{}", proxy.address),
            user: None,
            password: Some(Secret::from("hunter2".to_owned())),
        });
        let response = network.http(get("https://web.test/")).await.unwrap();
        assert_eq!(response.text(), "through");
        let head = proxy.heard().remove(0).head;
        assert!(
            head.starts_with("CONNECT web.test:443 HTTP/1.1\r\nHost: web.test:443\r\n"),
            "{head}"
        );
        let head = site.fake.heard().remove(0).head;
        assert!(!head.to_ascii_lowercase().contains("proxy"), "{head}");
    });
}

#[test]
fn a_family_that_matters_is_chosen_before_the_proxy_is_asked() {
    run(async {
        let site = tls::Site::new("localhost", &fine("through")).await;
        let proxy = http_proxy(site.fake.address).await;
        let url = format!("http://me:hunter2@{}", proxy.address);
        let network = site.way(Proxy::Named { url, user: None, password: None });
        let request = Request { family: Some(Family::V6), ..get("https://localhost/") };
        network.http(request).await.unwrap();
        assert!(proxy.heard()[0].head.starts_with("CONNECT [::1]:443 HTTP/1.1\r\n"));
    });
}

#[test]
fn a_proxy_that_refuses_is_told_with_what_it_wants() {
    run(async {
        let proxy = http_proxy("127.0.0.1:1".parse().unwrap()).await;
        let network = through_as_nobody(format!("http://{}", proxy.address));
        let error = told(&network.http(get("https://web.test/?t=hunter2")).await.unwrap_err());
        let peer = format!("web.test:443 through the proxy {}", proxy.address);
        let why = "the proxy wants a name and a password, or another one (407)";
        assert_eq!(error, format!("cannot connect to `{peer}`: {why}"));
        let forwarding = Fake::answering("HTTP/1.1 407 Who?\r\ncontent-length: 0\r\n\r\n").await;
        let network = through_as_nobody(format!("http://{}", forwarding.address));
        let error = told(&network.http(get("http://web.test/?t=hunter2")).await.unwrap_err());
        let peer = format!("the proxy {}", forwarding.address);
        assert_eq!(error, format!("cannot connect to `{peer}`: {why}"));
        let odd = Fake::closing("SSH-2.0-x\r\n\r\n").await;
        let network = through(format!("http://{}", odd.address));
        let error = told(&network.http(get("https://web.test/")).await.unwrap_err());
        assert!(error.ends_with(": the proxy does not speak HTTP"), "{error}");
        let gone = Fake::answering("").await;
        let network = through(format!("socks5://{}", gone.address));
        let address = gone.address;
        drop(gone);
        let error = told(&network.http(get("https://web.test/")).await.unwrap_err());
        let begin = format!("cannot connect to `the proxy {address}`: 127.0.0.1: ");
        assert!(error.starts_with(&begin), "{error}");
    });
}

#[test]
fn who_looks_for_his_own_address_goes_through_no_proxy() {
    run(async {
        let proxy = Fake::answering(&fine("through")).await;
        let server = Fake::answering(&fine("straight")).await;
        let network = through(format!("http://{}", proxy.address));
        let request = Request { way: Way::Direct, ..get(server.url("/")) };
        assert_eq!(network.http(request).await.unwrap().text(), "straight");
        assert_eq!(proxy.connections(), 0);
    });
}

#[test]
fn socks_is_asked_for_the_name_by_whom_it_knows() {
    run(async {
        let server = Fake::answering(&fine("through")).await;
        let to = server.address;
        let proxy = Fake::with(move |stream, witness| socks(stream, witness, to)).await;
        let network = through(format!("socks5://{}", proxy.address));
        let response = network.http(get("http://web.test:81/")).await.unwrap();
        assert_eq!(response.text(), "through");
        let heard = |place: usize| proxy.heard()[place].head.clone();
        assert_eq!(heard(0), "me:hunter2 web.test:81");
        assert!(server.heard()[0].head.starts_with("GET / HTTP/1.1\r\n"));
        let network = through_as_nobody(format!("socks5h://{}", proxy.address));
        let error = told(&network.http(get("http://web.test:81/")).await.unwrap_err());
        assert!(error.ends_with(": the proxy wants a name and a password"), "{error}");
        let wrong = Proxy::Named {
            url: format!("socks5://you:hunter2@{}", proxy.address),
            user: None,
            password: None,
        };
        let network = way(&NetworkConfig { proxy: wrong, ..NetworkConfig::default() });
        let error = told(&network.http(get("http://web.test:81/")).await.unwrap_err());
        assert!(error.ends_with(": the proxy refuses this name and password"), "{error}");
        let network = through(format!("socks5://{}", proxy.address));
        let error = told(&network.http(get("http://closed.test:81/")).await.unwrap_err());
        assert!(error.ends_with(": the proxy refuses: the connection is refused"), "{error}");
    });
}

#[test]
fn who_does_not_speak_socks_is_told_so() {
    run(async {
        let odd = Fake::closing("HTTP/1.1 400 No\r\n\r\n").await;
        let web = Fake::with(|mut stream, _| async move {
            drop(stream.read(&mut [0; 8]).await);
            drop(stream.write_all(b"HTTP/1.1 400 No\r\n\r\n").await);
        })
        .await;
        drop(odd);
        let network = through(format!("socks5://{}", web.address));
        let error = told(&network.http(get("http://web.test:81/")).await.unwrap_err());
        assert!(error.ends_with(": the proxy does not speak SOCKS 5"), "{error}");
    });
}

/// SOCKS 5, for one who is known; connects to one server, whatever it is asked for.
async fn socks(mut stream: TcpStream, witness: Witness, to: SocketAddr) {
    let mut count = [0; 2];
    stream.read_exact(&mut count).await.unwrap();
    let mut methods = vec![0; usize::from(count[1])];
    stream.read_exact(&mut methods).await.unwrap();
    if !methods.contains(&2) {
        return stream.write_all(&[5, 0xff]).await.unwrap();
    }
    stream.write_all(&[5, 2]).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), 1);
    let (user, password) = (text(&mut stream).await, text(&mut stream).await);
    let is_known = user == "me" && password == "hunter2";
    stream.write_all(&[1, u8::from(!is_known)]).await.unwrap();
    if !is_known {
        return;
    }
    let mut head = [0; 4];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head, [5, 1, 0, 3], "it is asked for a name");
    let name = text(&mut stream).await;
    let port = stream.read_u16().await.unwrap();
    if name == "closed.test" {
        return stream.write_all(&[5, 5, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
    }
    witness.note(format!("{user}:{password} {name}:{port}"));
    let mut other = TcpStream::connect(to).await.unwrap();
    stream.write_all(&[5, 0, 0, 3, 2, b'h', b'i', 0, 1]).await.unwrap();
    drop(copy_bidirectional(&mut stream, &mut other).await);
}

async fn text(stream: &mut TcpStream) -> String {
    let mut bytes = vec![0; usize::from(stream.read_u8().await.unwrap())];
    stream.read_exact(&mut bytes).await.unwrap();
    String::from_utf8(bytes).unwrap()
}
