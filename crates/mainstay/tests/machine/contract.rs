//! The agent is held to its contract by schemathesis, which makes requests of the document.

use std::{
    io,
    net::{Shutdown, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use mainstay_platform::door::Connection;

use crate::{python, sandbox::Sandbox};

const CONFIG: &str = "[services.web]\ncommand = [\"sleep\", \"1000\"]\n\
                      [services.db]\ncommand = [\"sleep\", \"1000\"]\n\
                      [services.again]\nshell = \"echo hello; sleep 0.5\"\n\
                      [groups.shop]\nservices = [\"web\", \"db\"]\n";

/// The same requests each time.
const SEED: &str = "20261122";
/// So many requests are made up for each operation, besides those that its examples and the limits
/// of its parameters make.
const EXAMPLES: &str = "25";

#[test]
fn every_answer_is_one_of_the_contract() {
    let sandbox = Sandbox::up_with(CONFIG);
    sandbox.wait_for_pid("web");
    let agent = sandbox.status().agent.pid;
    let port = forward(sandbox.runtime().join("api.sock"));
    let settings = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/machine/contract.toml");
    let mut command = Command::new(python::program("schemathesis"));
    command.args(["--config-file", settings, "run", "--seed", SEED]);
    command.args(["--max-examples", EXAMPLES, "--request-timeout", "120", "--no-color"]);
    // It would end the instance that the others are asked of.
    command.args(["--generation-database", "none", "--exclude-path", "/v1/shutdown"]);
    command.arg(format!("http://127.0.0.1:{port}/v1/openapi.json"));
    let output = command.current_dir(sandbox.folder()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("Fuzzing") && said.contains("Coverage"), "{said}");
    assert_eq!(sandbox.status().agent.pid, agent, "the agent has died");
}

/// Lets clients of a port of loopback reach a socket; returns the port.
fn forward(socket: PathBuf) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, agent) = (client.unwrap(), connect(&socket));
            let ways = [(client.try_clone().unwrap(), agent.try_clone().unwrap()), (agent, client)];
            for (from, to) in ways {
                thread::spawn(move || pass_on(from, to));
            }
        }
    });
    port
}

fn pass_on(mut from: TcpStream, mut to: TcpStream) {
    drop(io::copy(&mut from, &mut to));
    drop(to.shutdown(Shutdown::Write));
}

/// Returns a connection; bytes are bytes, whatever socket they go through.
fn connect(socket: &Path) -> TcpStream {
    let stream = TcpStream::from(Connection::open(socket).unwrap().into_descriptor());
    stream.set_nonblocking(false).unwrap();
    stream
}
