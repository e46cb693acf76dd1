//! Ends that were asked for outlive the agent: its successor goes on with them and starts nothing.

use std::process::Stdio;

use mainstay_platform::{
    door::{Connection, Received},
    process::SignalKind,
};

use crate::{
    processes::{self, wait_until},
    sandbox::Sandbox,
};

/// One goes when it is asked to, one only when it must.
const TWO: &str = r#"
[services.plain]
command = ["sleep", "1000"]

[services.deaf]
shell = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
stop = { timeout = "3s" }
"#;

/// Who wants everything to end.
#[derive(Debug, Clone, Copy)]
enum Asks {
    /// Whoever sends the keeper a signal, as a service manager does.
    Signal,
    /// A client.
    Client,
}

fn begin() -> Sandbox {
    let sandbox = Sandbox::up_with(TWO);
    sandbox.wait_for_all();
    wait_until("it ignores TERM", || sandbox.read(".mainstay/logs/deaf/deaf.log") == "ready\n");
    sandbox
}

#[test]
fn a_stop_that_was_asked_for_while_there_was_no_agent_is_obeyed() {
    let sandbox = begin();
    let status = sandbox.status();
    // Frozen, so that it sees both at once.
    processes::signal(status.keeper.pid, SignalKind::Stop);
    processes::kill(status.agent.pid);
    processes::signal(status.keeper.pid, SignalKind::Term);
    processes::signal(status.keeper.pid, SignalKind::Continue);
    processes::expect_none(sandbox.folder());
}

#[test]
fn a_shutdown_goes_on_when_the_agent_dies_in_the_middle_of_it() {
    for asks in [Asks::Signal, Asks::Client] {
        let sandbox = begin();
        let status = sandbox.status();
        // Whoever is gone cannot ask twice.
        processes::kill(sandbox.up_pid());
        match asks {
            Asks::Signal => processes::signal(status.keeper.pid, SignalKind::Term),
            Asks::Client => ask_to_shut_down(&sandbox),
        }
        wait_until("the other one is gone", || sandbox.copies_of("plain").is_empty());
        processes::kill(status.agent.pid);
        wait_until("everything ends", || {
            let again = sandbox.copies_of("plain");
            assert!(again.is_empty(), "{asks:?}: it is started again");
            processes::of_folder(sandbox.folder()).is_empty()
        });
    }
}

fn ask_to_shut_down(sandbox: &Sandbox) {
    let connection = Connection::open(&sandbox.runtime().join("api.sock")).unwrap();
    let question = b"POST /v1/shutdown HTTP/1.1\r\nhost: mainstay\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(connection.send(question, &[]).unwrap(), question.len());
    let mut answer = Vec::new();
    wait_until("it is answered", || {
        let received = connection.receive(&mut answer, &mut Vec::new()).unwrap();
        assert!(!matches!(received, Received::Closed));
        answer.starts_with(b"HTTP/1.1 200 OK\r\n")
    });
}

/// The end of one is the end of all, and the other one takes its time.
const ENDS_ALL: &str = r#"
[services.deaf]
shell = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
stop = { timeout = "2s" }

[services.work]
shell = "while [ ! -e done ]; do sleep 0.05; done; exit 7"
restart = { exit = { 7 = "exit" } }
"#;

#[test]
fn an_instance_ends_with_the_code_of_the_program_that_ends_it() {
    let sandbox = Sandbox::new(ENDS_ALL);
    let mut up = sandbox.command(&["up"]).stderr(Stdio::null()).spawn().unwrap();
    wait_until("it ignores TERM", || sandbox.read(".mainstay/logs/deaf/deaf.log") == "ready\n");
    sandbox.shell("touch done");
    wait_until("it is being stopped", || sandbox.unit("deaf").state == "stopping");
    // The next agent goes on with the end.
    processes::kill(sandbox.status().agent.pid);
    assert_eq!(up.wait().unwrap().code(), Some(7));
    processes::expect_none(sandbox.folder());
}
