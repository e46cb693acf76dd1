//! Looks from a machine that has no descriptors left, and at a server that others have written.
//!
//! One test, because a process has its limits for itself alone.

#![expect(clippy::unwrap_used, reason = "it is a test")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use mainstay_agent::probe::{Ask, ProbeKey, Prober, Seen};
use mainstay_api::{
    config::{Look, SourceText, parse},
    keeper::Streams,
};
use mainstay_core::{
    ServiceName, UnitName,
    input::{Outcome, Probe, ProbeOf},
};
use tokio::sync::mpsc::UnboundedReceiver;

#[test]
fn a_real_server_is_seen_and_a_lack_of_descriptors_is_not_its_fault() {
    let Some(server) = Server::start() else { return };
    let mut eye = Eye::new();
    let root = server.look("/", "status = 200, body = 'Directory listing'");
    while eye.look(&root) != Outcome::Passed {}
    assert_eq!(eye.look(&server.look("/", "method = 'HEAD'")), Outcome::Passed);
    let missing = eye.look(&server.look("/missing", ""));
    assert_eq!(missing, Outcome::Failed(format!("`localhost:{}` answers 404", server.port)));
    let shortage = Shortage::begin();
    let short = eye.look(&root);
    shortage.end();
    assert!(matches!(&short, Outcome::Unknown(why) if why.contains("os error 24")), "{short:?}");
    assert_eq!(eye.look(&root), Outcome::Passed);
    let port = server.port;
    drop(server);
    let gone = eye.look(&look_of(port, "/", ""));
    assert!(matches!(&gone, Outcome::Failed(why) if why.contains("refused")), "{gone:?}");
}

/// Python's own HTTP server, on the port that the system has given it.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// Returns nothing where there is no Python, or no `/proc` to count descriptors in.
    #[expect(clippy::disallowed_methods, reason = "a real server")]
    fn start() -> Option<Self> {
        fs::read_dir("/proc/self/fd").ok()?;
        let mut command = Command::new("python3");
        command.args(["-u", "-m", "http.server", "--bind", "127.0.0.1", "0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        // `Serving HTTP on 127.0.0.1 port 8000 (http://127.0.0.1:8000/) ...`
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.split_whitespace().skip_while(|word| *word != "port").nth(1);
        Some(Self { child, port: port.unwrap().parse().unwrap() })
    }

    fn look(&self, path: &str, line: &str) -> Look {
        look_of(self.port, path, line)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn look_of(port: u16, path: &str, line: &str) -> Look {
    let comma = if line.is_empty() { "" } else { ", " };
    let ready = format!("ready = {{ http = 'http://localhost:{port}{path}'{comma}{line} }}");
    let text = format!("[services.web]\ncommand = ['x']\n{ready}\n");
    let config = parse(&[SourceText { file: "x.toml", bytes: text.as_bytes() }]).unwrap();
    config.services.into_values().next().unwrap().care.ready.look.unwrap()
}

/// A time in which this process gets no more descriptors.
struct Shortage(Child);

impl Shortage {
    #[expect(clippy::disallowed_methods, reason = "a program for limits, which waits beside us")]
    fn begin() -> Self {
        let limit = |count| format!("prlimit --pid {} --nofile={count}:", std::process::id());
        let script = format!("read go; {}; echo set; read go; {}", limit(3), limit(1024));
        let mut command = Command::new("sh");
        let command = command.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut shell = command.spawn().unwrap();
        writeln!(shell.stdin.as_mut().unwrap(), "go").unwrap();
        let mut said = [0; 4];
        std::io::Read::read_exact(shell.stdout.as_mut().unwrap(), &mut said).unwrap();
        Self(shell)
    }

    fn end(mut self) {
        writeln!(self.0.stdin.as_mut().unwrap(), "go").unwrap();
        assert!(self.0.wait().unwrap().success());
    }
}

struct Eye {
    prober: Prober,
    seen: UnboundedReceiver<Seen>,
    attempt: u64,
}

impl Eye {
    fn new() -> Self {
        let (prober, seen) = Prober::new();
        Self { prober, seen, attempt: 0 }
    }

    fn look(&mut self, look: &Look) -> Outcome {
        self.attempt += 1;
        let probe = Probe { of: ProbeOf::Ready, attempt: self.attempt };
        let unit = UnitName::first(ServiceName::new("web").unwrap());
        let key = ProbeKey { unit, run: 1, probe };
        let ask = Ask {
            look: look.clone(),
            pid: 1,
            logs: (PathBuf::from("."), Streams::Off),
            every: Duration::from_millis(10),
            patience: Duration::from_secs(20),
        };
        self.prober.begin(key.clone(), ask);
        let (seen, outcome) = self.seen.blocking_recv().unwrap();
        assert_eq!(seen, key);
        outcome
    }
}
