//! Programs that people really run, side by side under one agent.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use mainstay_platform::process::SignalKind;

use crate::{
    processes::{self, wait_until},
    sandbox::Sandbox,
};

/// How long a server may take for one answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// The servers, in the order of their ports; `redis` speaks a protocol of its own.
const SERVERS: [&str; 6] = ["nginx", "redis", "python", "caddy", "caddy@2", "caddy@3"];

/// Returns ports of loopback that are free, all different.
pub(crate) fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    [(); COUNT].map(|()| processes::free_port())
}

/// Asks a server over TCP; returns nothing when it does not answer.
fn ask(port: u16, question: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(ANSWER_WITHIN)).ok()?;
    stream.write_all(question.as_bytes()).ok()?;
    let mut answer = [0; 16];
    let length = stream.read(&mut answer).ok()?;
    Some(String::from_utf8_lossy(answer.get(..length)?).into_owned())
}

/// Returns whether a server answers in its own protocol.
pub(crate) fn serves(port: u16, name: &str) -> bool {
    if name == "redis" {
        return ask(port, "PING\r\n").is_some_and(|answer| answer.starts_with("+PONG"));
    }
    let question = "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n";
    ask(port, question).is_some_and(|answer| answer.contains(" 200"))
}

/// Writes what the servers serve and nginx's own configuration.
pub(crate) fn provide(sandbox: &Sandbox, nginx: u16) {
    fs::create_dir_all(sandbox.path("site")).unwrap();
    fs::create_dir_all(sandbox.path("logs")).unwrap();
    fs::write(sandbox.path("site/index.html"), "hello\n").unwrap();
    let text = format!(
        "daemon off; pid nginx.pid; error_log stderr; worker_processes 2;\n\
         events {{ worker_connections 64; }}\n\
         http {{ access_log off; client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f;\n\
         uwsgi_temp_path u; scgi_temp_path s;\n\
         server {{ listen 127.0.0.1:{nginx}; root site; }} }}\n"
    );
    fs::write(sandbox.path("nginx.conf"), text).unwrap();
}

/// Three caddies are one service: each finds its port by the number of its unit.
fn config(sandbox: &Sandbox, [_, redis, python, one, two, three]: [u16; 6]) -> String {
    let folder = sandbox.folder().display();
    format!(
        r#"
[services.nginx]
command = ["nginx", "-p", "{folder}", "-c", "{folder}/nginx.conf"]
stop = {{ signal = "QUIT", timeout = "10s" }}

[services.redis]
command = ["redis-server", "--port", "{redis}", "--bind", "127.0.0.1", "--save", ""]

[services.python]
command = ["python3", "-m", "http.server", "--bind", "127.0.0.1", "{python}"]
directory = "site"
stop = {{ signal = "INT" }}

[services.pipeline]
shell = "while :; do date; sleep 0.2; done | sed --unbuffered s-^-at:- | cat"

[services.caddy]
shell = """
case $MAINSTAY_UNIT in *@2) port={two};; *@3) port={three};; *) port={one};; esac
exec caddy file-server --root {folder}/site --listen 127.0.0.1:$port
"""
instances = 3
"#
    )
}

#[test]
fn a_killed_server_is_back_and_the_others_notice_nothing() {
    let mut sandbox = Sandbox::new("");
    let ports = free_ports::<6>();
    provide(&sandbox, ports[0]);
    fs::write(sandbox.file(), config(&sandbox, ports)).unwrap();
    sandbox.up();
    let all_serve = || SERVERS.iter().zip(ports).all(|(name, port)| serves(port, name));
    wait_until("every server serves", all_serve);
    let wrote = || sandbox.read(".mainstay/logs/pipeline/pipeline.log").lines().count();
    wait_until("the pipeline writes", || wrote() > 0);
    let mut expected = sandbox.runs();
    assert_eq!(expected.len(), 7, "{expected:?}");

    for victim in ["nginx", "redis", "caddy@2"] {
        let (former, port) = (sandbox.unit(victim), port_of(victim, ports));
        processes::signal(former.pid.unwrap(), SignalKind::Kill);
        let back =
            sandbox.wait_for(victim, |unit| unit.run == former.run + 1 && unit.pid.is_some());
        assert_ne!(back.pid, former.pid);
        wait_until("it serves again", || serves(port, victim));
        assert_eq!(back.restarts, 1, "{back:?}");
        let exit = back.last_exit.unwrap();
        assert_eq!((exit.run, exit.signal, exit.code), (former.run, Some(9), None));
        let why = sandbox.get(&["why", victim]);
        assert!(why.contains(&format!("run 1 of `{victim}` was killed by signal 9")), "{why}");
        assert!(why.contains(&format!("Its process is {}, in run 2.", back.pid.unwrap())), "{why}");
        let one = expected.iter_mut().find(|(name, ..)| name == victim).unwrap();
        (one.1, one.2) = (back.pid, back.run);
        assert_eq!(sandbox.runs(), expected);
    }
    assert!(all_serve());
    let before = wrote();
    wait_until("the pipeline goes on", || wrote() > before);
    assert_eq!(sandbox.down(), Some(0));
    processes::expect_none(sandbox.folder());
}

fn port_of(name: &str, ports: [u16; 6]) -> u16 {
    let at = SERVERS.iter().position(|server| *server == name).unwrap();
    ports[at]
}
