//! Our ways into the network, through proxies of others, to their servers, and by chosen interfaces.

use std::{
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::Command,
    time::Duration,
};

use mainstay_ddns::{
    config::{NetworkConfig, Proxy},
    network::{Network, Shared},
    secret::Secret,
    wire::{Carrier, Exchange, Method, NetworkError, Request, Wire as _},
};
use tokio::runtime::Builder;

use crate::{
    peer::{self, Folder, Peer},
    router::Namespace,
};

/// A server of nginx, in the open and over TLS.
struct Site {
    plain: u16,
    secure: u16,
    peer: Peer,
}

impl Site {
    /// Starts one that speaks this version of TLS alone, and hangs up after two requests.
    fn start(version: &str) -> Self {
        peer::on_free_port(|secure| {
            let (folder, plain) = (Folder::new("nginx"), peer::free_port());
            sign(&folder);
            folder.write("nginx.conf", &configuration(plain, secure, version));
            let mut command = peer::mortal("nginx");
            let place = folder.path().display().to_string();
            command.args(["-p", &place, "-c", &format!("{place}/nginx.conf")]);
            let peer = Peer::start(folder, &mut command, || listens(secure) && listens(plain))?;
            Ok(Self { plain, secure, peer })
        })
    }

    fn certificate(&self) -> PathBuf {
        self.peer.folder().path().join("own.pem")
    }

    /// Returns a way that believes it.
    fn way(&self, proxy: Proxy) -> Network {
        let ca_file = Some(self.certificate());
        open(&NetworkConfig { proxy, ca_file, ..NetworkConfig::default() })
    }

    /// Returns its URLs, of what is not secret and of what is.
    fn urls(&self) -> [String; 2] {
        let Self { plain, secure, .. } = self;
        [format!("http://localhost:{plain}/"), format!("https://localhost:{secure}/")]
    }
}

#[test]
fn both_versions_of_tls_are_spoken_with_nginx() {
    for version in ["TLSv1.2", "TLSv1.3"] {
        let site = Site::start(version);
        let network = site.way(Proxy::Direct);
        let [_, url] = site.urls();
        run(async {
            for _ in 0..5 {
                assert_eq!(get(&network, &url).await.unwrap(), format!("it is {version}"));
            }
        });
        let error = run(get(&open(&NetworkConfig::default()), &url)).unwrap_err();
        assert!(matches!(error, NetworkError::Tls { .. }), "{error}");
    }
}

#[test]
fn tinyproxy_forwards_and_connects_for_whom_it_knows() {
    let site = Site::start("TLSv1.3");
    let (_proxy, port) = peer::on_free_port(|port| {
        let folder = Folder::new("tinyproxy");
        let lines = format!(
            "Port {port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 20\nBasicAuth me hunter2\n"
        );
        folder.write("tinyproxy.conf", &lines);
        let mut command = peer::mortal("tinyproxy");
        command.args(["-d", "-c", "tinyproxy.conf"]);
        Ok((Peer::start(folder, &mut command, || listens(port))?, port))
    });
    check_proxy(&site, &format!("http://localhost:{port}"), "name and a password");
}

#[test]
fn microsocks_connects_for_whom_it_knows() {
    let site = Site::start("TLSv1.2");
    let (_proxy, port) = peer::on_free_port(|port| {
        let mut command = peer::mortal("microsocks");
        command.args(["-i", "127.0.0.1", "-p", &port.to_string(), "-u", "me", "-P", "hunter2"]);
        Ok((Peer::start(Folder::new("socks"), &mut command, || listens(port))?, port))
    });
    check_proxy(&site, &format!("socks5://127.0.0.1:{port}"), "name and password");
}

/// Goes through a proxy to both servers as `me`, and is let through to none as somebody else.
fn check_proxy(site: &Site, url: &str, refusal: &str) {
    let named = |password: &str| {
        let password = Some(Secret::from(password.to_owned()));
        site.way(Proxy::Named { url: url.to_owned(), user: Some("me".to_owned()), password })
    };
    let (known, stranger) = (named("hunter2"), named("hunter3"));
    let [plain, secure] = site.urls();
    run(async {
        for _ in 0..3 {
            assert_eq!(get(&known, &plain).await.unwrap(), "it is ");
            assert!(get(&known, &secure).await.unwrap().starts_with("it is TLSv1."));
        }
        let error = get(&stranger, &secure).await.unwrap_err().to_string();
        assert!(error.contains(refusal) && !error.contains("hunter"), "{error}");
    });
}

/// What tells everybody where he comes from, over HTTP and in datagrams.
const WHOAMI: &str = "\
import http.server, socket, threading\n\
class Web(http.server.BaseHTTPRequestHandler):\n\
\x20   def do_GET(self):\n\
\x20       body = self.client_address[0].encode()\n\
\x20       self.send_response(200)\n\
\x20       self.send_header('Content-Length', str(len(body)))\n\
\x20       self.end_headers()\n\
\x20       self.wfile.write(body)\n\
\x20   def log_message(self, *a): pass\n\
def datagrams():\n\
\x20   s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('10.9.9.9', 5353))\n\
\x20   while True:\n\
\x20       data, who = s.recvfrom(4096)\n\
\x20       s.sendto(data[:2] + bytes([data[2] | 0x80]) + data[3:12] + who[0].encode(), who)\n\
threading.Thread(target=datagrams, daemon=True).start()\n\
http.server.ThreadingHTTPServer(('10.9.9.9', 80), Web).serve_forever()\n";

#[test]
fn a_machine_with_two_lines_uses_the_one_that_is_named() {
    let (machine, world) = two_lines();
    let [enter, namespace, end] = world.through();
    let mut command = peer::mortal(&enter);
    command.args([&namespace, &end, "python3", "-c", WHOAMI]);
    let listens = || world.shell("ss -Hltun src 10.9.9.9").lines().count() == 2;
    let _server = Peer::start(Folder::new("whoami"), &mut command, listens).unwrap();
    for (bind, expected) in [
        (None, "10.1.0.2"),
        (Some("wan0"), "10.1.0.2"),
        (Some("wan1"), "10.1.1.2"),
        (Some("10.1.1.2"), "10.1.1.2"),
    ] {
        let bind = bind.map(str::to_owned);
        let config = NetworkConfig { bind: bind.clone(), ..NetworkConfig::default() };
        let told = machine.within(|| origins(&config));
        assert_eq!(told, [expected, expected], "{bind:?}");
    }
}

/// Returns a machine that is `10.1.0.2` by `wan0` and `10.1.1.2` by `wan1`, and a world in which
/// `10.9.9.9` is.
pub(crate) fn two_lines() -> (Namespace, Namespace) {
    let (machine, world) = (Namespace::new(), Namespace::new());
    world.shell("ip addr add 10.9.9.9/32 dev lo");
    for (place, line) in ["wan0", "wan1"].into_iter().enumerate() {
        world.shell(&format!(
            "ip link add to{place} type veth peer name {line} netns {}
             ip addr add 10.1.{place}.1/24 dev to{place}; ip link set to{place} up",
            machine.pid()
        ));
        machine.shell(&format!(
            "ip addr add 10.1.{place}.2/24 dev {line}; ip link set {line} up
             ip route add default via 10.1.{place}.1 dev {line} metric {metric}
             ip route add default via 10.1.{place}.1 dev {line} table {metric}
             ip rule add from 10.1.{place}.2 table {metric}",
            metric = 10 * (place + 1)
        ));
    }
    (machine, world)
}

/// Returns whom a server takes us for, over HTTP and in a datagram.
fn origins(config: &NetworkConfig) -> [String; 2] {
    let network = open(config);
    run(async {
        let web = get(&network, "http://10.9.9.9/").await.unwrap();
        let server = SocketAddr::from(([10, 9, 9, 9], 5353));
        let (message, carrier) = (vec![0; 12], Carrier::UdpThenTcp);
        let exchange = Exchange { server, message, carrier, within: Duration::from_secs(20) };
        let answer = network.dns(exchange).await.unwrap();
        [web, String::from_utf8_lossy(&answer[12..]).into_owned()]
    })
}

fn open(config: &NetworkConfig) -> Network {
    Network::new(&Shared::new(&[]), config).unwrap()
}

async fn get(network: &Network, url: &str) -> Result<String, NetworkError> {
    let within = Duration::from_secs(20);
    let request = Request { within, ..Request::new(Method::Get, url) };
    network.http(request).await.map(|response| response.text())
}

pub(crate) fn run<T>(story: impl Future<Output = T>) -> T {
    Builder::new_current_thread().enable_all().build().unwrap().block_on(story)
}

fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// Makes a key and a certificate as people do who have no authority.
fn sign(folder: &Folder) {
    let place = folder.path().display();
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
         -keyout {place}/own.key -out {place}/own.pem -subj /CN=localhost \
         -addext subjectAltName=DNS:localhost"
    ));
    peer::run(&mut command).unwrap();
}

fn configuration(plain: u16, secure: u16, version: &str) -> String {
    let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let paths = paths.map(|name| format!("{name}_temp_path {name};")).concat();
    format!(
        "daemon off; master_process off; pid nginx.pid; error_log stderr;\n\
         events {{}}\n\
         http {{ access_log off; {paths} keepalive_requests 2;\n\
         server {{ listen 127.0.0.1:{plain}; listen 127.0.0.1:{secure} ssl;\n\
         ssl_certificate own.pem; ssl_certificate_key own.key; ssl_protocols {version};\n\
         location / {{ return 200 \"it is $ssl_protocol\"; }} }} }}\n"
    )
}
