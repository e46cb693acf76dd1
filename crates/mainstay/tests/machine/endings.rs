//! Ends that were asked for outlive the agent: its successor goes on with them and starts nothing.

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
